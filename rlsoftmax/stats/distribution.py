"""The shape of the scores of many runs: a mean hides agents that lock in."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from rlsoftmax.stats.scores import Scores, check_least, present

_LEAST_SHAPE = 20  # fewer runs say nothing about a shape


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
        """Return whether there are two heaps; of normal samples, under 1 in 100."""
        return self.n >= _LEAST_SHAPE and self.bimodality > 0.6 + 2.5 / self.n


def distribution(scores: Scores) -> Distribution:
    """Return the shape of the scores over runs.

    Args:
      scores: [runs], or (run numbers, scores). NaN is dropped.

    Returns:
      `low` and `high` are the quartiles; `bimodality` is Sarle's coefficient: 1/3 for a normal, 5/9 for a uniform
      distribution, 1 for two values.

    Raises:
      ArgumentError: under 3 runs.

    Source: Pfister et al. (2013) for the coefficient, with moments of the sample.

    >>> distribution([0.0, 0.0, 1.0, 1.0]).bimodality
    1.0
    """
    values, _ = present(scores)
    check_least(len(values))
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
    rest = values - values.mean()
    spread = np.sqrt(np.mean(rest**2))
    z = rest / spread if values[0] < values[-1] and spread > 0.0 else np.full(len(values), np.nan)
    skewness, kurtosis = np.mean(z**3), np.mean(z**4)
    return Distribution(
        float(values.mean()),
        float(median),
        float(low),
        float(high),
        float(skewness),
        float((skewness**2 + 1.0) / kurtosis),
        len(values),
    )
