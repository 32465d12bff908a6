"""Comparing two cells: paired by run where they share their luck, else Welch."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from rlsoftmax.errors import ArgumentError
from rlsoftmax.stats.scores import Floats, Scores, by_run, check_least, check_level, present
from rlsoftmax.stats.student import standard_error, t_quantile, two_sided


@dataclasses.dataclass(frozen=True)
class Comparison:
    """How much higher a scores than b.

    difference: mean of a minus mean of b; low, high: where the true one lies with confidence `level`.
    p: of no difference, two-sided.
    n: pairs of runs that were compared, or the fewer runs of the two when unpaired.
    pairing_saved: 1 - variance of the differences / (variance of a + variance of b): the share of runs that sharing
      luck made unnecessary. Negative when pairing hurt, NaN when unpaired or nothing varies.
    dropped: runs that have no partner, or no score.
    """

    difference: float
    low: float
    high: float
    p: float
    n: int
    pairing_saved: float
    level: float = 0.95
    dropped: int = 0


def compare(a: Scores, b: Scores, paired: bool = True, level: float = 0.95) -> Comparison:
    """Return the difference in mean score with Student's interval.

    Args:
      a, b: [runs], or (run numbers, scores): then only the runs present in both are compared.
      paired: run i of both had the same luck, as within a study. False: Welch's test, for independent runs.
      level: confidence, a share.

    Raises:
      ArgumentError: under 3 pairs (or runs of one side), or rows of different length without run numbers.

    Source: Student (1908); Welch (1947).

    >>> compare([2.0, 3.0, 4.5], [1.0, 2.0, 3.0]).pairing_saved > 0.9
    True
    """
    check_level(level)
    return _paired(a, b, level) if paired else _welch(a, b, level)


def _paired(a: Scores, b: Scores, level: float) -> Comparison:
    x, y, dropped = in_pairs(a, b)
    check_least(len(x), "a and b")
    differences = np.sort(x - y)  # the order of the runs leaves no trace, not even in the last bit
    apart = np.var(np.sort(x), ddof=1) + np.var(np.sort(y), ddof=1)
    saved = 1.0 - float(np.var(differences, ddof=1) / apart) if apart > 0.0 else math.nan
    error, freedom = standard_error(differences), len(differences) - 1
    return _comparison(differences.mean(), error, freedom, len(x), saved, level, dropped)


def _welch(a: Scores, b: Scores, level: float) -> Comparison:
    (x, lost), (y, gone) = present(a, "a"), present(b, "b")
    check_least(min(len(x), len(y)), "a and b each")
    u, v = standard_error(x) ** 2, standard_error(y) ** 2
    freedom = (u + v) ** 2 / (u**2 / (len(x) - 1) + v**2 / (len(y) - 1)) if u + v > 0.0 else 1.0
    return _comparison(x.mean() - y.mean(), np.sqrt(u + v), freedom, min(len(x), len(y)), math.nan, level, lost + gone)


def _comparison(
    difference: float, error: float, freedom: float, n: int, saved: float, level: float, dropped: int
) -> Comparison:
    reach = float(t_quantile(0.5 + level / 2, freedom) * error)
    if error > 0.0:
        p = float(two_sided(difference / error, freedom))
    else:  # every pair differs by the same amount
        p = 1.0 if difference == 0.0 else 0.0
    return Comparison(
        float(difference), float(difference - reach), float(difference + reach), p, n, saved, level, dropped
    )


def in_pairs(a: Scores, b: Scores) -> tuple[Floats, Floats, int]:
    """Return the scores of the runs that both have, in order of run number, and how many of all runs were left out."""
    (runs, x), (others, y) = by_run(a, "a"), by_run(b, "b")
    if len(x) != len(y) and not (isinstance(a, tuple) and isinstance(b, tuple)):
        raise ArgumentError(
            f"a and b must have as many runs to be paired, got {len(x)} and {len(y)}; "
            "give (run numbers, scores), or paired=False for independent runs."
        )
    shared, at, there = np.intersect1d(runs, others, assume_unique=True, return_indices=True)
    x, y = x[at], y[there]
    both = ~(np.isnan(x) | np.isnan(y))
    return x[both], y[both], len(runs) + len(others) - len(shared) - int(both.sum())
