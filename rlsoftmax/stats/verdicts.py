"""What became of the claims of a study: each holds, fails, or cannot be told with the runs at hand."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from rlsoftmax.errors import ArgumentError, ConfigError
from rlsoftmax.stats.compare import compare
from rlsoftmax.stats.intervals import Interval, interval
from rlsoftmax.stats.scores import Floats, Ints
from rlsoftmax.store.claims import SCORES, Claim
from rlsoftmax.store.data import CellData, StudyData
from rlsoftmax.store.select import fitting, hint

HOLDS, FAILS, OPEN = "holds", "fails", "cannot be told"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What became of a claim.

    answer: holds, fails, or cannot be told.
    measured: the mean over runs of the quantity, or of the paired difference, with its interval; None if there is none.
    why: why there is none, in a sentence.
    """

    claim: Claim
    answer: str
    measured: Interval | None = None
    why: str = ""


def verdicts(study: StudyData, level: float = 0.95) -> tuple[Verdict, ...]:
    """Return what became of the claims of a study, in their order.

    Args:
      study: with the runs that are there.
      level: confidence of each verdict by itself: one that says holds or fails is wrong with at most 1 - level.
    """
    return tuple(_verdict(study, claim, level) for claim in study.claims)


def answer(measured: Interval, claim: Claim) -> str:
    """Return what an interval says about a claim: `holds` if all of it is as claimed, `fails` if none of it is.

    If the true mean is not as claimed, `holds` comes with probability (1 - level) / 2 at most: the whole interval would
    have to lie on one side of the true mean. If it is as claimed, `fails` comes with 1 - level at most.

    Source: the two one-sided tests of Schuirmann (1987), and their mirror image.

    >>> claim = Claim("reward", {}, "", expected=1.0, tolerance=0.5)
    >>> [answer(Interval(mean, mean - 0.1, mean + 0.1, 10), claim) for mean in (1.2, 1.45, 1.7)]
    ['holds', 'cannot be told', 'fails']
    """
    sides = {claim.side(measured.low), claim.side(measured.high)}
    return HOLDS if sides == {0} else FAILS if sides in ({-1}, {1}) else OPEN


def _verdict(study: StudyData, claim: Claim, level: float) -> Verdict:
    try:
        measured = _measured(study, claim, level)
    except (ArgumentError, ConfigError) as error:  # not played, too few runs, or not declared: all of them say so
        return Verdict(claim, OPEN, None, str(error))
    return Verdict(claim, answer(measured, claim), measured)


def _measured(study: StudyData, claim: Claim, level: float) -> Interval:
    scores = _scores(study, claim, claim.cell)
    if claim.minus is None:
        return interval(scores, level=level)
    pairs = compare(scores, _scores(study, claim, claim.minus), level=level)
    return Interval(pairs.difference, pairs.low, pairs.high, pairs.n, "paired t", level, pairs.dropped)


def _scores(study: StudyData, claim: Claim, keys: Mapping[str, Any]) -> tuple[Ints, Floats]:
    """Return (run numbers, the quantity of each run) of the cell that is meant."""
    cell = _cell(study, keys)
    if claim.quantity in SCORES:
        return cell.runs, cell.scores(claim.quantity)
    start, stop = claim.steps or (0, int(cell.edges[-1]))
    if not np.isin((start, stop), cell.edges).all():
        raise ConfigError(f"steps {start} to {stop} are not played, or are no edges of bins.")
    return cell.runs, cell.mean(claim.quantity, start, stop)


def _cell(study: StudyData, keys: Mapping[str, Any]) -> CellData:
    found = fitting(study.cells, keys)
    if len(found) != 1:
        why = f"{len(found)} cells fit" if found else "no cell fits"
        more = "" if found else hint(study.cells, keys, study.axes)
        raise ConfigError(f"{why} {dict(keys)}.{more}")
    return found[0]
