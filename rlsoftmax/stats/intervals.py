"""Intervals for a mean over runs, and bands over the bins of a curve."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from rlsoftmax.errors import ArgumentError, did_you_mean
from rlsoftmax.stats.resampling import RESAMPLES, blocks, generator
from rlsoftmax.stats.scores import LEAST, Floats, Ints, Scores, check_least, check_level, present
from rlsoftmax.stats.student import standard_error, t_quantile


@dataclasses.dataclass(frozen=True)
class Interval:
    """A mean and where the true one lies with confidence `level`; n runs, `dropped` more had no score."""

    mean: float
    low: float
    high: float
    n: int
    method: str = "t"
    level: float = 0.95
    dropped: int = 0

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.mean:.4g} [{self.low:.4g}, {self.high:.4g}]"


def interval(scores: Scores, method: str = "t", level: float = 0.95) -> Interval:
    """Return the interval of the mean over runs.

    Args:
      scores: [runs], or (run numbers, scores). NaN means that a run has no score: dropped and counted.
      method: `t`, Student's (the default: right at any n that is not tiny and skewed); `studentised`, the bootstrap of
        t itself (better for skewed scores from 5 runs on); `bca` and `percentile`, bootstraps that cover too little
        under 50 runs (80 % instead of 95 % at 5).
      level: confidence, a share.

    Raises:
      ArgumentError: under 3 runs, for an unknown method, or a level that is no share.

    Source: Student (1908); Efron and Tibshirani (1993), chapters 12 to 14.

    >>> print(interval([1.0, 2.0, 3.0, 4.0]))
    2.5 [0.4457, 4.554]
    """
    check_level(level)
    values, dropped = present(scores)
    check_least(len(values))
    if method not in _METHODS:
        raise ArgumentError(f"method must be one of these, got {method!r}.{did_you_mean(method, _METHODS)}")
    mean = float(values.mean())
    constant = values[0] == values[-1]
    low, high = (mean, mean) if constant else _METHODS[method](values, level)
    return Interval(mean, float(low), float(high), len(values), method, level, dropped)


def _t(values: Floats, level: float) -> tuple[float, float]:
    reach = t_quantile(0.5 + level / 2, len(values) - 1) * standard_error(values)
    return values.mean() - reach, values.mean() + reach


def _studentised(values: Floats, level: float) -> tuple[float, float]:
    """Resample t = (mean* - mean) / se*; resamples of one repeated value have no t and are left out."""
    mean, t, rng = values.mean(), [], generator()
    for size in blocks(len(values)):
        resampled = values[rng.integers(0, len(values), (size, len(values)))]
        error = standard_error(resampled)
        t.append((resampled.mean(axis=1) - mean)[error > 0.0] / error[error > 0.0])
    low, high = np.quantile(np.concatenate(t), [0.5 - level / 2, 0.5 + level / 2])
    return mean - high * standard_error(values), mean - low * standard_error(values)


def _scipy(method: str, values: Floats, level: float) -> tuple[float, float]:
    from scipy.stats import bootstrap

    found = bootstrap(
        (values,),
        np.mean,
        n_resamples=RESAMPLES,
        batch=next(blocks(len(values))),
        confidence_level=level,
        method=method,
        rng=generator(),
    ).confidence_interval
    return found.low, found.high


_METHODS: dict[str, Callable[[Floats, float], tuple[float, float]]] = {
    "t": _t,
    "studentised": _studentised,
    "bca": functools.partial(_scipy, "BCa"),
    "percentile": functools.partial(_scipy, "percentile"),
}


@dataclasses.dataclass(frozen=True, eq=False)
class Band:
    """Intervals of a whole curve, each array [bins]: pointwise, over the n[bin] runs that have a number there."""

    mean: Floats
    low: Floats
    high: Floats
    n: Ints
    level: float = 0.95


def band(scores: npt.ArrayLike, level: float = 0.95) -> Band:
    """Return Student's interval for every bin of a curve.

    Args:
      scores: [runs, ...], such as `cell.metric("return")`; NaN where a run has no number.
      level: confidence, a share; it holds for each bin by itself.

    Returns:
      Arrays of the shape of one run: mean (NaN where no run has a number), low and high (NaN under 3 runs), and n.

    >>> band([[1.0, 1.0], [2.0, float("nan")], [3.0, 3.0]]).n
    array([3, 2])
    """
    check_level(level)
    values = np.asarray(scores, dtype=np.float64)
    there = ~np.isnan(values)
    n = there.sum(axis=0)
    mean = np.where(there, values, 0.0).sum(axis=0) / np.where(n > 0, n, np.nan)
    square = np.where(there, values - mean, 0.0) ** 2
    enough = np.where(n >= LEAST, n, np.nan)
    reach = t_quantile(0.5 + level / 2, enough - 1) * np.sqrt(square.sum(axis=0) / (enough - 1) / enough)
    return Band(mean, mean - reach, mean + reach, n, level)
