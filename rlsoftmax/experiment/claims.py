"""The claims of a study's file, checked against its cells before anything runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rlsoftmax.component import build
from rlsoftmax.errors import BadValue, ConfigError, did_you_mean, shown
from rlsoftmax.experiment.plan import PlannedCell
from rlsoftmax.experiment.spec import mapping, metrics
from rlsoftmax.store.claims import SCORES, Claim
from rlsoftmax.store.data import SUMS
from rlsoftmax.store.select import fitting, hint, telling


def claims_of(plain: Any, cells: Sequence[PlannedCell], axes: Sequence[str], whole: bool) -> tuple[Claim, ...]:
    """Return the claims that are written under `claims:`.

    Args:
      cells, axes: of the plan.
      whole: the plan is what the file says. Else cells or steps of a claim may not be there: then it cannot be told.

    Raises:
      ConfigError: naming the claim and the key, if one is not well formed, or not about this study.
    """
    if plain is None:
        return ()
    if not isinstance(plain, Sequence) or isinstance(plain, str):
        raise BadValue("claims", plain, "must be a list of claims, each of them keys and values")
    claims = {f"claims[{number}]": one for number, one in enumerate(plain)}
    found = {where: _claim(where, one) for where, one in claims.items()}
    for where, claim in found.items() if whole else ():
        check_claim(where, claim, cells, axes)
    return tuple(found.values())


def check_claim(where: str, claim: Claim, cells: Sequence[PlannedCell], axes: Sequence[str]) -> None:
    """Refuse a claim that is not about these cells. Errors: ConfigError, which begins with `where`."""
    for keys in (claim.cell, *([] if claim.minus is None else [claim.minus])):
        _check(where, claim, _meant(where, keys, cells, axes))


def _claim(where: str, plain: Any) -> Claim:
    claim = build(Claim, mapping(where, plain), where)
    known = (*SCORES, *SUMS)
    if claim.quantity not in known:
        raise _unknown(where, claim.quantity, "there is no such quantity", known)
    return claim


def _unknown(where: str, quantity: str, why: str, known: Sequence[str]) -> ConfigError:
    return ConfigError(f"{where}.quantity={shown(quantity)}: {why}.{did_you_mean(quantity, known)}")


def _meant(where: str, keys: Mapping[str, Any], cells: Sequence[PlannedCell], axes: Sequence[str]) -> PlannedCell:
    """Return the one cell that fits."""
    found = fitting(cells, keys)
    if len(found) > 1:
        raise ConfigError(f"{where}: {len(found)} cells fit {shown(keys)}; also give {telling(found, axes)}.")
    if not found:
        raise ConfigError(f"{where}: no cell fits {shown(keys)}.{hint(cells, keys, axes)}")
    return found[0]


def _check(where: str, claim: Claim, cell: PlannedCell) -> None:
    """Refuse what the environment does not declare, and steps that are not edges of bins: no number is of these."""
    known = (*SCORES, *metrics(cell.experiment.env))
    if claim.quantity not in known:
        raise _unknown(where, claim.quantity, "its environment does not declare it", known)
    for step in claim.steps or ():
        if step not in cell.edges:
            near = sorted(cell.edges.tolist(), key=lambda edge: abs(edge - step))[:2]
            rule = f"must be edges of bins; the nearest to {step} are {near[0]} and {near[1]}"
            raise BadValue(f"{where}.steps", list(claim.steps or ()), rule)
