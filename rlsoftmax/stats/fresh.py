"""The best cells once more: on fresh runs, which did not choose them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from rlsoftmax.errors import ArgumentError
from rlsoftmax.stats.conditions import conditions, kind, standing
from rlsoftmax.stats.selection import TwoStage, two_stage
from rlsoftmax.store.data import GREEDY, CellData, StudyData


def winners(study: StudyData) -> tuple[CellData, ...]:
    """Return the cells that a reader will call the best, and that were chosen for it by their runs.

    In every condition they are the best of all cells and the best of every kind (agent, policy, schedule), by the
    online score and by the greedy one where it exists. A cell that had no rival of its kind was not chosen.
    """
    found = (cell for condition in conditions(study) for cell in _winners(condition.cells))
    return tuple({cell.id: cell for cell in found}.values())


def _winners(cells: Sequence[CellData]) -> Iterator[CellData]:
    kinds: dict[tuple[str, ...], list[CellData]] = {}
    for cell in cells:
        kinds.setdefault(kind(cell), []).append(cell)
    for rivals in (cells, *kinds.values()):
        for which in ("online", "greedy"):
            yield from _best(rivals, which)


def _best(cells: Iterable[CellData], which: str) -> Iterator[CellData]:
    having = [cell for cell in cells if which == "online" or GREEDY in cell.arrays]
    now = standing([cell for cell in having if len(cell.runs)], which)
    if now is not None and len(now.cells) > 1:
        yield now.best


def on_fresh_runs(study: StudyData, cell: CellData, which: str = "online") -> TwoStage | None:
    """Return what a cell scored on the runs it was chosen on and on its fresh ones; None under 3 of either.

    The means are those of `cell.scores(which)`, in their unit.

    Source: `rlsoftmax.stats.selection.two_stage`.
    """
    fresh = next((other for other in study.fresh if other.id == cell.id), None)
    if fresh is None or (which == "greedy" and GREEDY not in fresh.arrays) or not len(fresh.runs):
        return None
    runs = np.concatenate([cell.runs, fresh.runs])
    try:
        return two_stage([(runs, np.concatenate([cell.scores(which), fresh.scores(which)]))], choose=study.runs)
    except ArgumentError:  # too few runs for an interval
        return None
