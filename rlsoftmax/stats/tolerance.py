"""Where most single runs lie: what a user who runs the agent once should expect."""

from __future__ import annotations

import dataclasses

from rlsoftmax.errors import ArgumentError
from rlsoftmax.stats.scores import Scores, check_level, present


@dataclasses.dataclass(frozen=True)
class Tolerance:
    """With confidence `level`, at least the share `share` of all runs scores between low and high."""

    low: float
    high: float
    n: int
    share: float = 0.9
    level: float = 0.95


def tolerance_interval(scores: Scores, share: float = 0.9, level: float = 0.95) -> Tolerance:
    """Return an interval that holds most single runs, whatever their distribution.

    Args:
      scores: [runs], or (run numbers, scores). NaN is dropped.
      share: of all runs that lie inside.
      level: confidence that they do.

    Raises:
      ArgumentError: if there are too few runs even for the range from the lowest to the highest: 46 are needed
        for 90 % at 95 % confidence.

    Source: Wilks (1941); Patterson et al. (2024), section 3.

    >>> tolerance_interval(range(46)).high
    45.0
    """
    check_level(level)
    if not 0.0 < share < 1.0:
        raise ArgumentError(f"share must be > 0 and < 1, got {share}.")
    values, _ = present(scores)
    outside = _outside(len(values), share, level)
    if outside < 2:
        least = next(n for n in range(2, 10**9) if _outside(n, share, level) >= 2)
        raise ArgumentError(f"scores must hold at least {least} runs for {share:g} at {level:g}, got {len(values)}.")
    below, above = outside // 2, outside - outside // 2  # order statistics counted from each end
    return Tolerance(float(values[below - 1]), float(values[-above]), len(values), share, level)


def _outside(n: int, share: float, level: float) -> int:
    """Return how many of n + 1 gaps may be left out: the most v with P(Binomial(n, share) <= n - v) >= level."""
    from scipy.stats import binom

    return int(n - binom.ppf(level, n, share))
