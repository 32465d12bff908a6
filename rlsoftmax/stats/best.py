"""The set of best cells: all that cannot be told from the best with the runs at hand."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rlsoftmax.stats.intervals import Interval
from rlsoftmax.stats.scores import LEAST, Floats, Ints, Scores, check_least, check_level, table
from rlsoftmax.stats.student import standard_error, t_quantile


@dataclasses.dataclass(frozen=True, eq=False)
class SetOfBest:
    """Which cells may be the best.

    best: index of the cell with the highest mean over the runs that all cells have.
    members: bool [cells], not told apart from the best; the truly best is among them with confidence `level`.
    behind: per cell the paired difference to `best` (negative: lower), 0 for itself, with its own interval at `level`;
      its ends are NaN if fewer than 3 runs are shared.
    """

    best: int
    members: npt.NDArray[np.bool_]
    behind: tuple[Interval, ...]
    level: float = 0.95


def set_of_best(scores: Sequence[Scores] | Floats, level: float = 0.95) -> SetOfBest:
    """Screen cells that share their luck: keep those no other cell beats by more than noise.

    Args:
      scores: one row per cell: [cells, runs], or (run numbers, scores) each; higher is better. Two cells are
        compared on the runs that both have; with fewer than 3 of them neither is screened out by the other.
      level: the truly best cell is kept with at least this probability.

    Raises:
      ArgumentError: if a cell has fewer than 3 runs.

    Source: Nelson, Swann, Goldsman and Song (2001), section 3: cell i stays if for every j
      mean_i >= mean_j - t(1 - (1 - level) / (cells - 1), n - 1) * S_ij / sqrt(n), S_ij of the paired differences;
      with common random numbers the bound over the others is Bonferroni's.

    >>> set_of_best([[1.0, 2.0, 3.0], [1.1, 1.9, 3.2], [0.0, 1.0, 2.0]]).members
    array([ True,  True, False])
    """
    check_level(level)
    values = table(scores)
    for number, row in enumerate(values):
        check_least(int((~np.isnan(row)).sum()), f"scores[{number}]")
    difference, error, n = pairwise(values)
    share = 1.0 - (1.0 - level) / max(len(values) - 1, 1)
    counts, which = np.unique(n, return_inverse=True)  # few different numbers of shared runs, many pairs
    reach = np.where(counts >= LEAST, t_quantile(share, np.maximum(counts - 1, 1)), np.inf)
    with np.errstate(invalid="ignore"):  # infinity times an error of 0: too few runs to be told apart
        noise = np.where(n >= LEAST, reach[which.reshape(n.shape)] * error, np.inf)
    np.fill_diagonal(noise, 0.0)
    rounding = 1e-12 * np.nanstd(values)  # equal cells are equal, whatever the matrix products round
    members = np.all(difference >= -noise - rounding, axis=1)
    best = int(np.argmax(np.where(members | ~members.any(), _means(values), -np.inf)))
    return SetOfBest(best, members, tuple(_behind(row, values[best], level) for row in values), level)


def _means(values: Floats) -> Floats:
    """Return [cells]: means over the runs that all cells have, so that extra runs of one do not decide."""
    shared = values[:, ~np.isnan(values).any(axis=0)]
    return np.asarray(np.nanmean(np.sort(shared if shared.shape[1] >= LEAST else values, axis=1), axis=1))


def pairwise(values: Floats) -> tuple[Floats, Floats, Ints]:
    """Return, each [cells, cells]: mean of row i minus row j over the runs both have, its standard error, the number.

    All pairs at once by matrix products of [cells, runs], NaN where a run is missing; row means are taken off first, so
    that little cancels. The error of fewer than 2 runs is 0.
    """
    there = (~np.isnan(values)).astype(np.float64)
    centers = np.nanmean(values, axis=1, keepdims=True)
    rest = np.where(there > 0.0, values - centers, 0.0)
    n, sums, squares = (_over_shared(rows, there) for rows in (there, rest, rest * rest))
    shift = (sums - sums.T) / np.maximum(n, 1.0)
    products = rest @ rest.T.copy()  # of two buffers: with one, some BLAS wait for each other's threads
    variance = (squares + squares.T - 2.0 * products - n * shift**2) / np.maximum(n - 1.0, 1.0)
    error = np.sqrt(np.maximum(variance, 0.0) / np.maximum(n, 1.0))
    return centers - centers.T + shift, error, n.astype(np.int64)


def _over_shared(rows: Floats, there: Floats) -> Floats:
    """Return [i, j]: the sum of row i over the runs that row j has; if none is missing, that is all of them."""
    if np.all(there == 1.0):
        return np.repeat(rows.sum(axis=1)[:, None], len(rows), axis=1)
    return np.asarray(rows @ there.T.copy())


def _behind(row: Floats, best: Floats, level: float) -> Interval:
    differences = row - best
    values = np.sort(differences[~np.isnan(differences)])
    n, mean = len(values), float(values.mean()) if len(values) else np.nan
    reach = float(t_quantile(0.5 + level / 2, n - 1) * standard_error(values)) if n >= LEAST else np.nan
    return Interval(mean, mean - reach, mean + reach, n, "t", level, len(row) - n)
