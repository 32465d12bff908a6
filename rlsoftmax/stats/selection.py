"""Choosing on some runs is not reporting: how sure is the choice, and what is it worth on fresh runs?"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from rlsoftmax.errors import ArgumentError
from rlsoftmax.stats.compare import Comparison, compare
from rlsoftmax.stats.intervals import Interval, interval
from rlsoftmax.stats.resampling import blocks, counts, generator
from rlsoftmax.stats.scores import Floats, Scores, by_run, check_least, table


def selection_uncertainty(scores: Sequence[Scores] | Floats, resamples: int = 2000) -> Floats:
    """Return how often each cell would win if the study were run again.

    Args:
      scores: one row per cell, as for `set_of_best`; higher is better. Only runs that all cells have are used, and
        they are resampled together, since they share their luck.
      resamples: of the bootstrap, fixed seed.

    Returns:
      [cells], shares that sum to 1; cells with the same mean share the win.

    Raises:
      ArgumentError: if fewer than 3 runs are shared.

    Source: Patterson et al. (2024), section 5.

    >>> selection_uncertainty([[1.0, 2.0, 3.0], [0.0, 1.0, 2.0], [1.0, 2.0, 3.0]])
    array([0.5, 0. , 0.5])
    """
    rows = table(scores)
    rows = rows[:, ~np.isnan(rows).any(axis=0)]
    check_least(rows.shape[1], "scores of all cells together")
    rows = rows[:, np.lexsort(rows)]  # whatever order the runs came in
    distinct, which = np.unique(rows, axis=0, return_inverse=True)  # equal cells tie exactly
    rng, each = generator(), which.ravel()
    wins = np.zeros(len(distinct))
    for size in blocks(rows.shape[1], resamples):
        means = counts(rows.shape[1], size, rng) @ distinct.T
        top = means == means.max(axis=1, keepdims=True)
        wins += (top / top.sum(axis=1, keepdims=True)).sum(axis=0)
    return np.asarray(wins[each] / np.bincount(each)[each] / resamples)


@dataclasses.dataclass(frozen=True)
class TwoStage:
    """What was chosen on one set of runs and reported on another.

    best: index of the chosen cell.
    chosen: its mean over the runs it was chosen on: too high on average.
    fresh: its mean over the other runs: the number to report.
    optimism: chosen minus fresh, by Welch.
    """

    best: int
    chosen: Interval
    fresh: Interval
    optimism: Comparison


def two_stage(scores: Sequence[Scores] | Floats, choose: int) -> TwoStage:
    """Choose the best cell on the runs [0, choose) and report it on all others that it has.

    Args:
      scores: one row per cell, [runs] or (run numbers, scores); higher is better. Only the chosen cell needs runs
        from `choose` on.
      choose: how many runs the choice may look at.

    Raises:
      ArgumentError: if a cell has fewer than 3 runs to choose on, or the chosen one fewer than 3 fresh ones.

    Source: Patterson et al. (2024), section 5; Eimer et al. (2023).

    >>> two_stage([[1.0, 2.0, 3.0, 2.0, 2.0, 2.5], [0.0, 1.0, 2.0, 1.0, 1.0, 1.0]], choose=3).fresh.n
    3
    """
    if not choose >= 1:
        raise ArgumentError(f"choose must be >= 1, got {choose}.")
    rows = [by_run(row, f"scores[{number}]") for number, row in enumerate(scores)]
    seen = [interval(values[runs < choose]) for runs, values in rows]
    best = int(np.argmax([each.mean for each in seen]))
    runs, values = rows[best]
    fresh = values[runs >= choose]
    check_least(int((~np.isnan(fresh)).sum()), f"fresh runs of scores[{best}], numbered from {choose} on,")
    return TwoStage(best, seen[best], interval(fresh), compare(values[runs < choose], fresh, paired=False))
