"""Temperatures that need not be guessed: a few short runs over all orders of magnitude show where the policy changes.

Pilot runs have luck of their own: the study never sees it. What they propose is rounded, so that the same request finds
the same cells on every machine.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from rlsoftmax.component import build, name_of
from rlsoftmax.errors import ConfigError
from rlsoftmax.experiment.bins import Record
from rlsoftmax.experiment.execute import execute
from rlsoftmax.experiment.plan import Plan, PlannedCell
from rlsoftmax.experiment.shorthand import geomspace
from rlsoftmax.experiment.spec import Experiment
from rlsoftmax.numeric import PILOT, random_words
from rlsoftmax.shelf import find
from rlsoftmax.store.data import CellData, Floats, Score, StudyData
from rlsoftmax.store.folder import Memory
from rlsoftmax.store.read import study_of

LADDER = tuple(2.0**k for k in range(-26, 27))  # temperatures that are tried, whatever the rewards
WIDE = LADDER[::2]  # where a step takes long
GREEDY, UNIFORM = 0.01, 0.92  # of the way from the fewest to the most effective actions: the ends of what is proposed
ROOM = 2.0  # how much lower the grid begins: exploring costs, so the best is often nearly greedy
RUNS, STEPPED_RUNS = 8, 2  # of each temperature
MOST_STEPS, MOST_STEPPED = 20_000, 500  # of a run
MOST_OTHERS, MOST_TOTAL = 8, 10_000_000  # settings of other keys that are tried; steps of all runs
_TIED = 1.0 - 1e-9  # a larger share of all actions is effective where all are worth the same
_LEAST = 0.02  # of the other actions: a smaller change of the effective ones is none


@dataclasses.dataclass(frozen=True)
class Proposal:
    """What pilot runs propose: temperatures, ascending, and how many actions each was found to use."""

    temperatures: tuple[float, ...]
    effective: tuple[float, ...]

    def __str__(self) -> str:
        (low, first), *_, (high, last) = zip(self.temperatures, self.effective, strict=True)
        return f"pilot: tau = {low:g} ({first:.1f} effective actions) ... {high:g} ({last:.1f})"


def propose(settings: Sequence[Experiment], count: int) -> Proposal:
    """Return `count` temperatures of equal ratios, from nearly greedy to nearly uniform in all settings.

    Args:
      settings: the cells of a grid, but for the temperature; their own is not looked at. Of many, some are tried.

    Raises:
      ConfigError: if a policy has no probabilities, or no temperature makes a difference.
    """
    settings = _some(settings)
    for setting in settings:
        if not setting.policy.has_probabilities():
            policy = name_of(type(setting.policy))
            raise ConfigError(
                f"tau=pilot({count}): policy {policy} has no probabilities, so its effective actions are not known; "
                "give temperatures, such as 'tau=octaves(1/64,8)'."
            )
    ladder = WIDE if any(map(_is_stepped, settings)) else LADDER
    ends = [_ends(ladder, effective, count) for effective in _tried(settings, ladder)]
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    temperatures = spread(low, high, count)
    found, most = _tried(settings, temperatures), np.array([_actions(setting) for setting in settings])
    effective = np.where(np.isnan(found), most[:, None], found).mean(axis=0)  # where all is tied the policy is uniform
    return Proposal(temperatures, tuple(effective.tolist()))


def _some(settings: Sequence[Experiment]) -> list[Experiment]:
    """Return a few different settings: the first, the last, and others between them."""
    different = list({setting.id: setting for setting in settings}.values())
    last, some = len(different) - 1, min(len(different), MOST_OTHERS)
    return [different[n * last // max(some - 1, 1)] for n in range(some)]


def spread(low: float, high: float, count: int) -> tuple[float, ...]:
    """Return `count` numbers of equal ratios with two significant digits, or as many as tell them apart.

    >>> spread(0.1034, 3.489, 5)
    (0.1, 0.24, 0.59, 1.4, 3.5)
    >>> spread(1.0, 1.1, 3)
    (1.0, 1.05, 1.1)
    """
    for digits in range(2, 16):
        ends = (f"{low:.{digits - 1}e}", f"{high:.{digits - 1}e}")
        values = [f"{Decimal(value):.{digits - 1}e}" for value in geomspace(*ends, count)]
        if len(set(values)) == count:
            break
    return tuple(map(float, values))


# --- playing --------------------------------------------------------------------------------------------------------


def _tried(settings: Sequence[Experiment], temperatures: Sequence[float]) -> Floats:
    """Return the effective actions that the runs at each temperature use: [setting, temperature], NaN if unknown."""
    steps = MOST_TOTAL // (len(settings) * len(LADDER) * RUNS)
    rows = [[_cell(setting, temperature, steps) for temperature in temperatures] for setting in settings]
    cells = {cell.id: cell for row in rows for cell in row}
    runs = STEPPED_RUNS if any(map(_is_stepped, settings)) else RUNS
    store = Memory()
    execute(Plan(cells=tuple(cells.values()), axes=("tau",), runs=runs), store)
    study = study_of(store, None)
    assert study is not None  # its plan was just written
    _check_failures(study)
    found = {cell.id: cell for cell in study.cells}
    pairs = zip(settings, rows, strict=True)
    return np.array([[_effective(found[cell.id], _actions(setting)) for cell in row] for setting, row in pairs])


def _actions(setting: Experiment) -> int:
    env: Any = setting.env
    return int(env.actions)


def _is_stepped(setting: Experiment) -> bool:
    return getattr(setting.env, "way", "") == "stepped"


def _cell(setting: Experiment, temperature: float, steps: int) -> PlannedCell:
    """Return a short version of a setting at a temperature, with other luck."""
    steps = min(setting.steps, steps, MOST_STEPPED if _is_stepped(setting) else MOST_STEPS)
    tau: Any = build(find("tau", "constant"), {"value": temperature}, "tau")
    trial = dataclasses.replace(
        setting,
        policy=dataclasses.replace(setting.policy, temperature=tau),  # type: ignore[call-arg]
        tau=tau,
        steps=steps,
        seed=pilot_seed(setting.seed),
        record=build(Record, {"bins": 1, "spacing": "linear"}, "record"),
        score=Score(setting.score.metric, 0, steps),
    )
    return PlannedCell(trial.id, trial, trial.config, {"tau": temperature})


def pilot_seed(seed: int) -> int:
    """Return the seed of the pilot runs of a study: another one, so that no luck is used twice."""
    with np.errstate(over="ignore"):
        return int(random_words(seed, 0, 0, PILOT)[0])


def _check_failures(study: StudyData) -> None:
    if not any(len(cell.runs) for cell in study.cells):
        reason = next((failure.reason for cell in study.cells for failure in cell.failures), "no reason is known")
        raise ConfigError(f"all pilot runs failed, the first: {reason}.")


# --- looking --------------------------------------------------------------------------------------------------------


def _effective(cell: CellData, actions: int) -> float:
    """Return the mean effective actions in the second half of the runs, where not all actions are worth the same."""
    if not len(cell.runs):
        return math.nan
    looks = cell.snapshot("effective_actions")
    late = looks[:, looks.shape[1] // 2 :]
    told = late[late < actions * _TIED]
    return float(np.sort(told).mean()) if told.size else math.nan


def _ends(ladder: Sequence[float], effective: Floats, count: int) -> tuple[float, float]:
    """Return the temperatures at which the policy is nearly greedy and nearly uniform.

    effective: one number for each rung of the ladder. It should only grow: what does not is noise, and is levelled.
    """
    from scipy.optimize import isotonic_regression

    known = np.flatnonzero(~np.isnan(effective))
    if len(known) < 2:
        raise ConfigError(_no_difference(count))
    level = isotonic_regression(effective[known]).x
    if level[-1] - level[0] < _LEAST * level[-1]:
        raise ConfigError(_no_difference(count))
    share = (level - level[0]) / (level[-1] - level[0])
    rungs = np.log2(np.array(ladder)[known])
    above = int(np.argmax(share > GREEDY))
    enough = int(np.argmax(share >= UNIFORM))
    return _crossing(rungs, share, above, GREEDY) / ROOM, _crossing(rungs, share, enough, UNIFORM)


def _crossing(rungs: Floats, share: Floats, at: int, level: float) -> float:
    """Return the temperature between rungs at - 1 and at where the share reaches a level."""
    part = (level - share[at - 1]) / (share[at] - share[at - 1])
    return float(2.0 ** (rungs[at - 1] + part * (rungs[at] - rungs[at - 1])))


def _no_difference(count: int) -> str:
    return (
        f"tau=pilot({count}): in the pilot runs no temperature made a difference: nothing was learned that tells "
        "actions apart.\nPlay more steps, or give temperatures, such as 'tau=octaves(1/64,8)'."
    )
