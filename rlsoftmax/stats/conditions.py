"""What "best" means in a study: within one condition (swept keys of the environment), among choices (all others)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from rlsoftmax.stats.best import SetOfBest, set_of_best
from rlsoftmax.stats.intervals import Interval
from rlsoftmax.stats.scores import LEAST, Floats, Ints
from rlsoftmax.store.data import CellData, StudyData

LOWER_IS_BETTER = frozenset({"regret"})


@dataclasses.dataclass(frozen=True, eq=False)
class Condition:
    """Cells that may be compared: same environment, other choices. where: the swept keys of the environment."""

    where: Mapping[str, Any]
    cells: tuple[CellData, ...]


def conditions(study: StudyData) -> tuple[Condition, ...]:
    """Return the cells grouped by their swept `env` keys, in the order of the study."""
    groups: dict[str, tuple[dict[str, Any], list[CellData]]] = {}
    for cell in study.cells:
        where = {key: value for key, value in cell.overrides.items() if key.split(".")[0] == "env"}
        groups.setdefault(label(where), (where, []))[1].append(cell)
    return tuple(Condition(where, tuple(cells)) for where, cells in groups.values())


def kind(cell: CellData) -> tuple[str, ...]:
    """Return the names of a cell's agent, policy and schedule; an empty one where there is none."""
    return tuple(str((cell.config.get(group) or {"name": ""})["name"]) for group in ("agent", "policy", "tau"))


def label(overrides: Mapping[str, Any]) -> str:
    """Return overrides as one types them.

    >>> label({"tau": 0.25, "agent": "sarsa"})
    'tau=0.25 agent=sarsa'
    """
    return " ".join(f"{key}={f'{value:g}' if isinstance(value, float) else value}" for key, value in overrides.items())


def scored(cell: CellData, which: str = "online") -> tuple[Ints, Floats]:
    """Return (run numbers, scores) with higher meaning better: regret comes with its sign changed."""
    scores = cell.scores(which)
    return cell.runs, -scores if which == "online" and cell.score.metric in LOWER_IS_BETTER else scores


@dataclasses.dataclass(frozen=True, eq=False)
class Standing:
    """The cells of one condition that have scores, and which of them may be the best.

    scores: (run numbers, scores) per cell, higher is better.
    result: indices are those of `cells`; `behind` is in the unit of `scores` (higher is better).
    left_out: cells with fewer than 3 scored runs.
    which: `online` or `greedy`.
    """

    cells: tuple[CellData, ...]
    scores: tuple[tuple[Ints, Floats], ...]
    result: SetOfBest
    left_out: tuple[CellData, ...] = ()
    which: str = "online"

    @property
    def best(self) -> CellData:
        """Return the cell with the highest mean."""
        return self.cells[self.result.best]

    @property
    def members(self) -> tuple[CellData, ...]:
        """Return the cells that cannot be told from the best."""
        return tuple(cell for cell, member in zip(self.cells, self.result.members, strict=True) if member)

    def behind(self, cell: CellData) -> Interval:
        """Return the paired difference of a cell to the best, in the unit of `scores`."""
        return next(gap for other, gap in zip(self.cells, self.result.behind, strict=True) if other.id == cell.id)


def standing(cells: Iterable[CellData], which: str = "online", level: float = 0.95) -> Standing | None:
    """Return which cells of one condition may be the best; None if none has 3 scored runs.

    Raises:
      ConfigError: if `which` is a score that a cell does not have.
    """
    pairs = [(cell, scored(cell, which)) for cell in cells]
    enough = [(cell, scores) for cell, scores in pairs if np.count_nonzero(~np.isnan(scores[1])) >= LEAST]
    if not enough:
        return None
    kept, scores = tuple(cell for cell, _ in enough), tuple(scores for _, scores in enough)
    there = {cell.id for cell in kept}
    left_out = tuple(cell for cell, _ in pairs if cell.id not in there)
    return Standing(kept, scores, set_of_best(scores, level), left_out, which)
