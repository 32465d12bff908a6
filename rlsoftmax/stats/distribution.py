"""The shape of the scores of many runs: a mean hides agents that lock in."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from rlsoftmax.stats.scores import Floats, Scores, check_least, present

_LEAST_SHAPE = 20  # fewer runs say nothing about a shape
_LEAST_HEAP = 0.1  # share of runs: less is a tail


@dataclasses.dataclass(frozen=True)
class Distribution:
    """Mean, median, quartiles and shape of the scores of n runs; skewness and bimodality are NaN if all are equal."""

    mean: float
    median: float
    low: float
    high: float
    skewness: float
    bimodality: float
    n: int

    @property
    def skewed(self) -> bool:
        """Return whether a tail is so long that the mean alone misleads; of normal samples, under 1 in 100."""
        return self.n >= _LEAST_SHAPE and abs(self.skewness) > max(1.0, 3.0 * math.sqrt(6.0 / self.n))

    @property
    def bimodal(self) -> bool:
        """Return whether there are two heaps; of normal, uniform and exponential samples, under 1 in 100."""
        return self.n >= _LEAST_SHAPE and self.bimodality > 0.82 + 2.0 / self.n


def distribution(scores: Scores) -> Distribution:
    """Return the shape of the scores over runs.

    Args:
      scores: [runs], or (run numbers, scores). NaN is dropped.

    Returns:
      `low` and `high` are the quartiles; `bimodality` is the share of the variance that lies between two heaps, cut at
      the best place that leaves a tenth of the runs on each side: 2/pi for a normal, 3/4 for a uniform distribution,
      1 for two values. A long tail alone does not raise it, unlike Sarle's coefficient.

    Raises:
      ArgumentError: under 3 runs.

    Source: Fisher (1958), grouping for maximum homogeneity; Otsu (1979).

    >>> distribution([0.0, 0.0, 1.0, 1.0]).bimodality
    1.0
    """
    values, _ = present(scores)
    check_least(len(values))
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
    rest = values - values.mean()
    spread = np.sqrt(np.mean(rest**2))
    varies = values[0] < values[-1] and spread > 0.0
    z = rest / spread if varies else np.full(len(values), np.nan)
    skewness, bimodality = float(np.mean(z**3)), _between(z) if varies else math.nan
    return Distribution(float(values.mean()), float(median), float(low), float(high), skewness, bimodality, len(values))


def _between(z: Floats) -> float:
    """Return the share of the variance between two heaps of ascending values with mean 0 and variance 1."""
    n = len(z)
    below = np.arange(1, n)
    sums = np.cumsum(z)[:-1]  # a heap of k has mean s / k, the other -s / (n - k)
    between = sums**2 / (below * (n - below))
    return float(between[np.minimum(below, n - below) >= _LEAST_HEAP * n].max())
