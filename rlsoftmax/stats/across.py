"""Comparing cells of different studies: only what measures the same thing, and in pairs only where luck is shared."""

from __future__ import annotations

import numpy as np

from rlsoftmax.canonical import canonical
from rlsoftmax.errors import BadValue, ConfigError
from rlsoftmax.stats.compare import Comparison, compare
from rlsoftmax.stats.scores import Floats
from rlsoftmax.store.data import CellData


def compare_cells(
    a: CellData, b: CellData, which: str = "online", steps: int | None = None, level: float = 0.95
) -> Comparison:
    """Return how much higher a scores than b, in the unit of the score.

    Paired by run where both have the same seed and environment, since then run i had the same luck in both; else by
    Welch.

    Args:
      which: `online` or `greedy`.
      steps: compare the online metric over the first so many steps; the end of a bin of both.
      level: confidence, a share.

    Raises:
      ConfigError: if the two are judged by different metrics or steps: it names the ways out.
      ArgumentError: under 3 runs.
    """
    x, y = (cell.scores(which) for cell in (a, b))
    if steps is not None:
        x, y = _over(a, b, which, steps)
    else:
        _check_judged_alike(a, b, which)
    return compare((a.runs, x), (b.runs, y), paired=share_luck(a, b), level=level)


def share_luck(a: CellData, b: CellData) -> bool:
    """Return whether run i of both had the same luck: same seed, same environment."""
    same = (canonical([cell.config.get("seed"), cell.config.get("env")]) for cell in (a, b))
    return next(same) == next(same)


def _over(a: CellData, b: CellData, which: str, steps: int) -> tuple[Floats, Floats]:
    if which != "online":
        raise BadValue("steps", steps, f"cannot be given with the {which} score, which is about the end of a run")
    _check_metric(a, b)
    shared = _shared_ends(a, b)
    if steps not in shared:
        near = sorted(shared, key=lambda end: abs(end - steps))[:2]
        raise BadValue("steps", steps, f"must be the end of a bin of both; the nearest are {sorted(near)}")
    metric = a.score.metric
    return a.mean(metric, 0, steps), b.mean(metric, 0, steps)


def _shared_ends(a: CellData, b: CellData) -> list[int]:
    ends: list[int] = np.intersect1d(a.edges[1:], b.edges[1:]).tolist()
    return ends


def _check_metric(a: CellData, b: CellData) -> None:
    if a.score.metric != b.score.metric:
        raise ConfigError(
            f"one is judged by {a.score.metric}, the other by {b.score.metric}; give both the same score.metric."
        )


def _check_judged_alike(a: CellData, b: CellData, which: str) -> None:
    """Refuse scores over different steps: more steps alone make a score higher."""
    spans = [(0, int(cell.edges[-1])) if which == "greedy" else (cell.score.start, cell.score.stop) for cell in (a, b)]
    if which == "online":
        _check_metric(a, b)
    if spans[0] == spans[1]:
        return
    said = " and ".join(f"steps {start} to {stop}" for start, stop in spans)
    shared = [end for end in _shared_ends(a, b) if end <= min(stop for _, stop in spans)]
    while_learning = " while learning" if which == "greedy" else ""
    second = f", or compare what they share{while_learning}: rs.compare(a, b, steps={shared[-1]})" if shared else ""
    raise ConfigError(f"they are judged over {said}, which says nothing: play both with the same steps{second}.")
