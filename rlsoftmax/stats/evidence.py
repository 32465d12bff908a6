"""Evidence without a normal distribution, and without the luck of many tries."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rlsoftmax.errors import ArgumentError
from rlsoftmax.stats.compare import in_pairs
from rlsoftmax.stats.resampling import RESAMPLES, blocks, generator
from rlsoftmax.stats.scores import Floats, Scores, check_least, present


def permutation_test(a: Scores, b: Scores, paired: bool = True) -> float:
    """Return the two-sided p-value of equal means, from permutations instead of a distribution.

    Args:
      a, b: [runs], or (run numbers, scores): then only the runs present in both are used when paired.
      paired: flip the signs of differences (runs that shared their luck). False: exchange runs between the two.

    Returns:
      Exact when there are at most 9999 permutations, else from 9999 random ones of a fixed seed (never 0).

    Raises:
      ArgumentError: under 3 pairs (or runs of one side).

    Source: Fisher (1935); Phipson and Smyth (2010) for the count of random ones; SciPy does the work.

    >>> permutation_test([2.0, 3.0, 4.0, 5.0], [1.0, 2.0, 3.0, 4.0])
    0.125
    """
    from scipy.stats import permutation_test as permuted

    data, kind, statistic = _paired(a, b) if paired else _independent(a, b)
    batch = next(blocks(sum(map(len, data))))
    found = permuted(
        data,
        statistic,
        permutation_type=kind,
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=batch,
        rng=generator(),
    )
    return float(found.pvalue)


def _paired(a: Scores, b: Scores) -> tuple[tuple[Floats, ...], str, object]:
    x, y, _ = in_pairs(a, b)
    check_least(len(x), "a and b")
    return (np.sort(x - y),), "samples", np.mean


def _independent(a: Scores, b: Scores) -> tuple[tuple[Floats, ...], str, object]:
    (x, _), (y, _) = present(a, "a"), present(b, "b")
    check_least(min(len(x), len(y)), "a and b each")
    return (x, y), "independent", lambda u, v, axis: u.mean(axis=axis) - v.mean(axis=axis)


def holm(p: npt.ArrayLike) -> Floats:
    """Return p-values corrected for their number: compare them with 0.05, and the chance of *any* false alarm is 5 %.

    Args:
      p: [tests] p-values, of any dependence.

    Raises:
      ArgumentError: if one is no probability.

    Source: Holm (1979).

    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    values = np.asarray(p, dtype=np.float64)
    if values.ndim != 1 or not np.all((values >= 0.0) & (values <= 1.0)):
        raise ArgumentError(f"p must be a row of probabilities, got {values}.")
    order = np.argsort(values, kind="stable")
    steps = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(steps, 1.0)
    return corrected
