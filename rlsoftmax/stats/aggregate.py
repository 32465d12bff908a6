"""Many environments in one number or one curve: interquartile mean and performance profile.

Runs are resampled within each environment (the bootstrap is stratified), all resamples at once.
Source: Agarwal et al. (2021), Deep reinforcement learning at the edge of the statistical precipice.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from rlsoftmax.errors import ArgumentError
from rlsoftmax.stats.intervals import Interval
from rlsoftmax.stats.resampling import RESAMPLES, Strata, blocks, counts, generator, strata
from rlsoftmax.stats.scores import Floats, check_level


def iqm(scores: Strata) -> float:
    """Return the interquartile mean: the mean of the middle half of all scores.

    Args:
      scores: a list of rows, one per environment, already on one scale; or one row.

    Returns:
      The mean without the floor(n / 4) lowest and as many highest of all n scores together.

    Raises:
      ArgumentError: if an environment has fewer than 3 runs.

    >>> iqm([0.0, 1.0, 2.0, 100.0])
    1.5
    """
    return float(_middle(np.sort(np.concatenate(strata(scores)))))


def _middle(ascending: Floats) -> Floats:
    cut = ascending.shape[-1] // 4
    return np.asarray(ascending[..., cut : ascending.shape[-1] - cut].mean(axis=-1))


def iqm_interval(scores: Strata, level: float = 0.95, resamples: int = RESAMPLES) -> Interval:
    """Return the interquartile mean with its percentile interval from a stratified bootstrap of fixed seed.

    Args:
      scores: a list of rows, one per environment, already on one scale; or one row.
      level: confidence, a share.
      resamples: how many; rliable's default is 50 000.

    Raises:
      ArgumentError: if an environment has fewer than 3 runs.

    >>> iqm_interval([[1.0, 2.0, 3.0, 4.0], [2.0, 3.0, 4.0, 5.0]]).n
    8
    """
    check_level(level)
    rows, rng, found = strata(scores), generator(), []
    n = sum(map(len, rows))
    for size in blocks(n, resamples):
        drawn = np.concatenate([row[rng.integers(0, len(row), (size, len(row)))] for row in rows], axis=1)
        drawn.sort(axis=1)
        found.append(_middle(drawn))
    low, high = np.quantile(np.concatenate(found), [0.5 - level / 2, 0.5 + level / 2])
    return Interval(iqm(scores), float(low), float(high), n, "stratified bootstrap", level)


@dataclasses.dataclass(frozen=True, eq=False)
class Profile:
    """Share of runs with a score above each threshold; each array [thresholds], the band is pointwise at `level`."""

    thresholds: Floats
    share: Floats
    low: Floats
    high: Floats
    n: int
    level: float = 0.95


def performance_profile(
    scores: Strata, thresholds: npt.ArrayLike, level: float = 0.95, resamples: int = 2000
) -> Profile:
    """Return what share of runs scores above each threshold, every environment weighing the same.

    Args:
      scores: a list of rows, one per environment, already on one scale; or one row.
      thresholds: [thresholds], in units of the score.
      level: confidence of the band at each threshold, a share.
      resamples: of the stratified bootstrap.

    Raises:
      ArgumentError: if an environment has fewer than 3 runs, or thresholds are no row.

    >>> performance_profile([[1.0, 2.0, 3.0, 4.0]], [0.0, 2.0, 5.0]).share
    array([1. , 0.5, 0. ])
    """
    check_level(level)
    at = np.asarray(thresholds, dtype=np.float64)
    if at.ndim != 1:
        raise ArgumentError(f"thresholds must be a row of numbers, got shape {at.shape}.")
    rows, rng = strata(scores), generator()
    above = [(row[:, None] > at).astype(np.float64) for row in rows]  # [runs, thresholds] each
    n = sum(map(len, rows))
    found = [
        np.mean([counts(len(each), size, rng) @ each / len(each) for each in above], axis=0)
        for size in blocks(n + len(rows) * len(at), resamples)
    ]
    low, high = np.quantile(np.concatenate(found), [0.5 - level / 2, 0.5 + level / 2], axis=0)
    return Profile(at, np.mean([each.mean(axis=0) for each in above], axis=0), low, high, n, level)
