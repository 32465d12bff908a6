"""How likely is a run of one cell to score higher than a run of another?"""

from __future__ import annotations

import numpy as np

from rlsoftmax.errors import ArgumentError
from rlsoftmax.stats.compare import in_pairs
from rlsoftmax.stats.intervals import Interval
from rlsoftmax.stats.resampling import Strata, blocks, counts, generator, strata
from rlsoftmax.stats.scores import Floats, Scores, check_least, check_level


def probability_of_improvement(a: Strata, b: Strata, level: float = 0.95, resamples: int = 2000) -> Interval:
    """Return P(a run of a scores above a run of b) + half of P(equal), the mean over environments.

    Args:
      a, b: lists of rows, one per environment, in the same order; or one row each. All pairs of runs are compared, as
        if the runs were independent.
      level: confidence, a share.
      resamples: of the stratified bootstrap, fixed seed.

    Raises:
      ArgumentError: if an environment has fewer than 3 runs, or the two have different numbers of environments.

    Source: Agarwal et al. (2021), equation 3; Mann and Whitney (1947).

    >>> probability_of_improvement([1.0, 2.0, 3.0], [0.0, 2.0, 2.5]).mean
    0.6111111111111112
    """
    check_level(level)
    xs, ys, rng = strata(a, "a"), strata(b, "b"), generator()
    if len(xs) != len(ys):
        raise ArgumentError(f"a and b must have the same environments, got {len(xs)} and {len(ys)}.")
    wins = [_wins(x[:, None], y) for x, y in zip(xs, ys, strict=True)]  # [runs of a, runs of b] each
    n = sum(each.shape[0] + each.shape[1] for each in wins)
    found = [np.mean([_resampled(each, size, rng) for each in wins], axis=0) for size in blocks(n, resamples)]
    low, high = np.quantile(np.concatenate(found), [0.5 - level / 2, 0.5 + level / 2])
    mean = np.mean([each.mean() for each in wins])
    return Interval(float(mean), float(low), float(high), min(map(len, [*xs, *ys])), "stratified bootstrap", level)


def _wins(x: Floats, y: Floats) -> Floats:
    return np.asarray((x > y) + 0.5 * (x == y))


def _resampled(wins: Floats, size: int, rng: np.random.Generator) -> Floats:
    """Return [size]: the mean of `wins` over resampled runs of both sides, which is bilinear in how often each came."""
    rows, columns = counts(wins.shape[0], size, rng), counts(wins.shape[1], size, rng)
    return np.asarray(np.einsum("sj,sj->s", rows @ wins, columns) / wins.size)


def paired_improvement(a: Scores, b: Scores, level: float = 0.95) -> Interval:
    """Return the share of runs in which a scores above b with the same luck; a tie counts half.

    Args:
      a, b: [runs], or (run numbers, scores): then only the runs present in both are compared.
      level: confidence, a share.

    Returns:
      The share with Wilson's interval.

    Raises:
      ArgumentError: under 3 pairs.

    Source: Wilson (1927); ties as halves keep the count an average of n numbers in [0, 1], so it covers no less.

    >>> paired_improvement([1.0, 2.0, 3.0, 4.0], [0.0, 2.0, 1.0, 5.0]).mean
    0.625
    """
    from scipy.special import ndtri

    check_level(level)
    x, y, dropped = in_pairs(a, b)
    check_least(len(x), "a and b")
    n, share, z = len(x), float(_wins(x, y).mean()), float(ndtri(0.5 + level / 2))
    center = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return Interval(share, float(center - reach), float(center + reach), n, "Wilson", level, dropped)
