"""What one asks of a study: which cell is best, which may be, how they compare, and how much it matters.

Everywhere `where` are keys and values, such as `{"policy": "boltzmann"}`: only cells that have them are looked at.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rlsoftmax.errors import ConfigError, did_you_mean
from rlsoftmax.stats.compare import Comparison, compare
from rlsoftmax.stats.conditions import Condition, Standing, conditions, scored, standing
from rlsoftmax.stats.evidence import holm
from rlsoftmax.stats.fresh import on_fresh_runs
from rlsoftmax.stats.selection import TwoStage, selection_uncertainty
from rlsoftmax.stats.sensitivity import Sensitivity, sensitivity
from rlsoftmax.stats.warnings import value_on
from rlsoftmax.store.data import CellData, StudyData
from rlsoftmax.store.select import fitting, hint, telling

Where = Mapping[str, Any]


def condition_of(study: StudyData, where: Where) -> Condition:
    """Return the cells that fit and have runs, which must be of one condition: same environment, other choices.

    Raises:
      ConfigError: if none fits, or they are of several conditions: it says which keys to give.
    """
    cells = tuple(fitting(study.cells, where))
    if not cells:
        raise ConfigError(f"no cell fits {_said(where)}.{hint(study.cells, where, study.axes)}")
    found = conditions(dataclasses.replace(study, cells=cells))
    if len(found) > 1:
        key, value = next((k, v) for k, v in found[0].where.items() if any(v != other.where.get(k) for other in found))
        raise ConfigError(
            f"best is within one condition, and these cells are of {len(found)}; choose one: **{{{key!r}: {value!r}}}."
        )
    played = tuple(cell for cell in cells if len(cell.runs))
    if not played:
        raise ConfigError("no run is there yet.")
    return Condition(found[0].where, played)


def _said(where: Where) -> str:
    return ", ".join(f"{key}={value!r}" for key, value in where.items()) or "nothing"


def best(study: StudyData, which: str = "online", where: Where | None = None) -> CellData:
    """Return the cell with the highest mean score of one condition; of regret it is the lowest.

    Means are over the runs that all of them have; under 3 such runs, each over its own.

    Raises:
      ConfigError: as `condition_of`, and if a cell does not have the score.
    """
    cells = condition_of(study, where or {}).cells
    now = standing(cells, which)
    if now is not None:
        return now.best
    means = [np.mean(scores[~np.isnan(scores)] if len(scores) else [-np.inf]) for _, scores in _all(cells, which)]
    return cells[int(np.argmax(means))]


def _all(cells: Sequence[CellData], which: str) -> list[Any]:
    return [scored(cell, which) for cell in cells]


def standing_of(study: StudyData, which: str = "online", level: float = 0.95, where: Where | None = None) -> Standing:
    """Return which cells of one condition may be the best. Errors: ConfigError as `condition_of`, and under 3 runs."""
    now = standing(condition_of(study, where or {}).cells, which, level)
    if now is None:
        raise ConfigError("no cell has 3 runs with a score, so nothing can be told apart; play more runs.")
    return now


def comparisons(
    study: StudyData, to: CellData, which: str = "online", level: float = 0.95, where: Where | None = None
) -> tuple[tuple[CellData, Comparison], ...]:
    """Return every other cell of the condition of `to` with its paired difference to `to`, in the unit of the score.

    The p-values are Holm's: compare them with 1 - level, and the chance of any false alarm is at most that. Choose `to`
    before looking at the scores; for the best of them, `standing_of` is the right question. Each interval holds by
    itself.

    Raises:
      ConfigError: as `condition_of`. ArgumentError: if two cells share fewer than 3 runs.
    """
    env = {key: value for key, value in to.overrides.items() if key.partition(".")[0] == "env"}
    cells = condition_of(study, {**env, **(where or {})}).cells
    others = [cell for cell in cells if cell.id != to.id]
    found = [compare((cell.runs, cell.scores(which)), (to.runs, to.scores(which)), level=level) for cell in others]
    corrected = holm([one.p for one in found]).tolist()
    return tuple((cell, dataclasses.replace(one, p=p)) for cell, one, p in zip(others, found, corrected, strict=True))


def two_stage_of(study: StudyData, which: str = "online", where: Where | None = None) -> TwoStage:
    """Return what the best cell scored on the runs that chose it and on its fresh ones; `best` is its place in `cells`.

    Raises:
      ConfigError: as `condition_of`, and if there are no fresh runs.
    """
    chosen = best(study, which, where)
    stages = on_fresh_runs(study, chosen, which)
    if stages is None:
        raise ConfigError(f"the best cell has no 3 fresh runs; play them: report_runs={max(study.runs, 3)}.")
    place = next(place for place, cell in enumerate(study.cells) if cell.id == chosen.id)
    return dataclasses.replace(stages, best=place)


def selection_of(
    study: StudyData, which: str = "online", where: Where | None = None
) -> tuple[tuple[CellData, float], ...]:
    """Return how often each cell of one condition would win if the study were run again; the shares sum to 1.

    Raises:
      ConfigError: as `condition_of`. ArgumentError: if all cells share fewer than 3 runs.

    Source: `rlsoftmax.stats.selection.selection_uncertainty`.
    """
    cells = condition_of(study, where or {}).cells
    return tuple(zip(cells, selection_uncertainty(_all(cells, which)).tolist(), strict=True))


def sensitivity_of(
    study: StudyData,
    axis: str | None = None,
    which: str = "online",
    share: float = 0.05,
    where: Where | None = None,
) -> Sensitivity:
    """Return how flat the curve of mean score over a swept number is.

    Args:
      axis: the swept key; None for the first that has numbers, the temperature before others.
      share: how far below the best still counts, as a share of |best|.

    Raises:
      ConfigError: as `condition_of`; if the key was not swept over numbers, or other keys still differ.
      ArgumentError: if fewer than 2 values are positive and finite, or fewer than 3 runs are shared.

    Higher is better: regret counts as its negative. Source: `rlsoftmax.stats.sensitivity.sensitivity`.
    """
    cells = condition_of(study, where or {}).cells
    known = [key for key in study.axes if len({value_on(cell, key) for cell in cells} - {None}) > 1]
    axis = axis or next(iter(sorted(known, key=lambda key: key.partition(".")[0] not in ("tau", "beta"))), "tau")
    if axis not in known:
        raise ConfigError(f"no number {axis!r} was swept here.{did_you_mean(axis, known)}")
    values = {cell.id: value for cell in cells if (value := value_on(cell, axis)) is not None}
    on = [cell for cell in cells if cell.id in values]
    if len(set(values.values())) < len(on):
        more = telling(on, [key for key in study.axes if key != axis])
        raise ConfigError(f"several cells have the same {axis}; also give {more}.")
    return sensitivity([values[cell.id] for cell in on], _all(on, which), share)
