"""Sparse relatives of softmax: alpha = 1 is softmax, 1.5 and 2 set unlikely actions to exactly 0, infinity is argmax.

entmax maximises p x / tau + H(p) with Tsallis' entropy of order alpha (scaled by 1 / alpha). With a = alpha - 1 its
solution is p = [1 + a (y - c)]_+ ** (1 / a), y the exponents of softmax and c such that p sums to one; written like
this it is continuous at a = 0.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from rlsoftmax.core.dense import answered, check_empty_policy
from rlsoftmax.core.gaps import Rows, Weighed, lay_out, number, real, weigh
from rlsoftmax.core.layout import Axis
from rlsoftmax.core.measures import excess
from rlsoftmax.core.sums import row_sum
from rlsoftmax.errors import ArgumentError

Array = npt.NDArray[Any]
OUTSIDE = -8.0  # exponents below are in no support for alpha >= 1.5; finite, so that sums are
STEPS = 200


@dataclasses.dataclass(frozen=True)
class _Solution:
    """Probabilities [rows, K] and the shift c [rows, 1] of the exponents."""

    rows: Rows
    weighed: Weighed
    p: Array
    shift: Array


def sparsemax(
    x: npt.ArrayLike,
    axis: Axis = -1,
    *,
    tau: npt.ArrayLike | None = None,
    where: npt.ArrayLike | None = None,
    on_empty: str = "raise",
) -> Any:
    """Return the Euclidean projection of x / tau onto the probability simplex: `entmax` with alpha = 2.

    Args, returns, errors: as `softmax`.

    Source: Martins & Astudillo (2016), algorithm 1.

    >>> sparsemax([1.0, 0.5, -1.0])
    array([0.75, 0.25, 0.  ])
    """
    return entmax(x, 2.0, axis, tau=tau, where=where, on_empty=on_empty)


def entmax15(
    x: npt.ArrayLike,
    axis: Axis = -1,
    *,
    tau: npt.ArrayLike | None = None,
    where: npt.ArrayLike | None = None,
    on_empty: str = "raise",
) -> Any:
    """Return `entmax` with alpha = 1.5, between softmax and sparsemax, exactly by sorting.

    Args, returns, errors: as `softmax`.

    Source: Peters, Niculae & Martins (2019), algorithm 2.

    >>> entmax15([1.0, 1.0, -3.0])
    array([0.5, 0.5, 0. ])
    """
    return entmax(x, 1.5, axis, tau=tau, where=where, on_empty=on_empty)


def entmax(
    x: npt.ArrayLike,
    alpha: float,
    axis: Axis = -1,
    *,
    tau: npt.ArrayLike | None = None,
    where: npt.ArrayLike | None = None,
    on_empty: str = "raise",
) -> Any:
    """Return the alpha-entmax distribution of x / tau along `axis`.

    Args:
      alpha: >= 1, continuous; 1 is softmax, 2 sparsemax, infinity shares among the maxima.
      x, axis, tau, where, on_empty: as `softmax`.

    Returns:
      Shape of x: entries >= 0 that sum to one.

    Raises:
      ArgumentError: as `softmax`, and unless alpha >= 1.

    Source: Peters, Niculae & Martins (2019); Blondel, Martins & Niculae (2020).

    >>> entmax([2.0, 1.0, 0.0], 1.0).round(4)
    array([0.6652, 0.2447, 0.09  ])
    >>> entmax([2.0, 1.0, 0.0], 3.0).round(4)
    array([1., 0., 0.])
    """
    check_empty_policy(on_empty)
    solution = _solve(x, alpha, axis, tau, where)
    with np.errstate(all="ignore"):
        return solution.rows.restore(answered(solution.p, solution.weighed, solution.rows, on_empty, 0.0))


def entmax_support_size(
    x: npt.ArrayLike,
    alpha: float,
    axis: Axis = -1,
    *,
    tau: npt.ArrayLike | None = None,
    where: npt.ArrayLike | None = None,
) -> Any:
    """Return how many entries of `entmax` are not 0; int64, shape of x without `axis`; 0 where nothing is allowed.

    >>> int(entmax_support_size([2.0, 1.9, 0.0], 2.0))
    2
    """
    solution = _solve(x, alpha, axis, tau, where)
    size = np.add.reduce(np.nan_to_num(solution.p) > 0.0, axis=1, dtype=np.int64)
    return solution.rows.layout.restore_each(size)


def entmax_threshold(
    x: npt.ArrayLike,
    alpha: float,
    axis: Axis = -1,
    *,
    tau: npt.ArrayLike | None = None,
    where: npt.ArrayLike | None = None,
) -> Any:
    """Return the value above which an entry has a probability in `entmax`, in the unit of x.

    Returns:
      Shape of x without `axis`; -inf for alpha = 1 (and for tau = infinity), NaN where nothing is allowed.

    >>> float(entmax_threshold([1.0, 0.5, -1.0], 2.0))
    0.25
    """
    solution = _solve(x, alpha, axis, tau, where)
    with np.errstate(all="ignore"):
        depth = np.float64(1.0) / (alpha - 1.0) - solution.shift
        below = np.where(depth == 0.0, 0.0, solution.rows.scale.tau * depth)
        value = solution.weighed.best + solution.rows.offset - below
    return solution.rows.restore_each(np.where(solution.weighed.empty, np.nan, value))


def entmax_vjp(
    x: npt.ArrayLike,
    cotangent: npt.ArrayLike,
    alpha: float,
    axis: Axis = -1,
    *,
    tau: npt.ArrayLike | None = None,
    where: npt.ArrayLike | None = None,
) -> Any:
    """Return `cotangent` times the Jacobian of `entmax` in x: the gradient of sum(cotangent * entmax(x)).

    Args:
      cotangent: broadcast against x; not read where the probability is 0.

    Returns:
      Shape of x; 0 outside the support, at tau = 0, and where nothing is allowed.

    Source: Peters, Niculae & Martins (2019), proposition 2: with s = p ** (2 - alpha), (diag(s) - s s' / sum(s)) / tau.

    >>> entmax_vjp([1.0, 0.5, -1.0], [1.0, 0.0, 7.0], 2.0)
    array([ 0.5, -0.5,  0. ])
    """
    solution = _solve(x, alpha, axis, tau, where)
    size = solution.rows.scale.size
    with np.errstate(all="ignore"):
        slope = _slope(solution.p, alpha)
        given = np.where(slope == 0.0, 0.0, solution.rows.layout.to_rows(real("cotangent", cotangent)))
        gradient = slope * (given - row_sum(slope * given) / row_sum(slope)) / size
        gradient = np.where((slope == 0.0) | (size == 0.0) | solution.weighed.empty, 0.0, gradient)
    return solution.rows.restore(gradient)


def entmax_dalpha(
    x: npt.ArrayLike,
    alpha: float,
    axis: Axis = -1,
    *,
    tau: npt.ArrayLike | None = None,
    where: npt.ArrayLike | None = None,
) -> Any:
    """Return d entmax / d alpha, shape of x; sums to 0 along `axis`; continuous at alpha = 1.

    Source: Correia, Niculae & Martins (2019), proposition 1, with exp(u) - 1 - u in place of differences.

    >>> entmax_dalpha([1.0, 0.0], 1.0).round(6)
    array([ 0.159897, -0.159897])
    """
    solution = _solve(x, alpha, axis, tau, where)
    p, a = solution.p, alpha - 1.0
    with np.errstate(all="ignore"):
        if a == np.inf:
            return solution.rows.restore(np.where(np.isnan(p), 0.0, 0.0))
        log_p = np.where(p > 0.0, np.log(p), 0.0)
        drift = np.where(p > 0.0, -p * np.square(log_p) * _excess_ratio(-a * log_p), 0.0)
        slope = _slope(p, alpha)
        change = drift - slope * (row_sum(drift) / row_sum(slope))
    return solution.rows.restore(np.where(solution.weighed.empty, 0.0, np.where(p == 0.0, 0.0, change)))


def _excess_ratio(u: Array) -> Array:
    """Return (exp(u) - 1 - u) / u ** 2, 1/2 at 0."""
    return np.where(np.abs(u) < 1e-5, 0.5 + u / 6.0, excess(u) / np.square(u))


def _slope(p: Array, alpha: float) -> Array:
    """Return p ** (2 - alpha) on the support, 0 elsewhere."""
    slope: Array = np.where(p > 0.0, np.power(np.where(p > 0.0, p, 1.0), 2.0 - alpha), 0.0)
    return slope


def _solve(
    x: npt.ArrayLike, alpha: float, axis: Axis, tau: npt.ArrayLike | None, where: npt.ArrayLike | None
) -> _Solution:
    if not (alpha := number("alpha", alpha)) >= 1.0:
        raise ArgumentError(f"alpha must be >= 1, got {alpha!r}.")
    rows = lay_out(x, axis, tau=tau, where=where)
    weighed = weigh(rows)
    a = alpha - 1.0
    with np.errstate(all="ignore"):
        shift = _shift(weighed, a)
        p = _power(weighed.exponent, shift, a) if a else weighed.weight
        p = np.where(weighed.allowed | np.isnan(weighed.exponent), p / row_sum(p), 0.0)
    return _Solution(rows, weighed, p, shift)


def _power(exponent: Array, shift: Array, a: float) -> Array:
    """Return [1 + a (y - c)]_+ ** (1 / a): exp(y - c) at a = 0, the maxima alone at infinity."""
    if a == 0.0:
        return np.asarray(np.exp(exponent - shift))
    if a == np.inf:
        return np.asarray(np.where(exponent == 0.0, 1.0, np.where(np.isnan(exponent), np.nan, 0.0)))
    inside = np.maximum(a * (exponent - shift), -1.0)
    return np.asarray(np.exp(np.log1p(inside) / a))


def _shift(weighed: Weighed, a: float) -> Array:
    """Return c, exactly where a formula is known."""
    if a == 0.0:
        return weighed.log_total
    if a == np.inf or weighed.exponent.shape[1] == 0:
        return np.zeros_like(weighed.ties)
    exponent = np.where(weighed.exponent < OUTSIDE, -np.inf, weighed.exponent) if a >= 0.5 else weighed.exponent
    known: dict[float, Callable[[Array], Array]] = {1.0: _sparsemax_shift, 0.5: _entmax15_shift}
    if a in known:
        return _newton_step(exponent, known[a](np.maximum(exponent, OUTSIDE)), a)
    return _root(exponent, a)


def _sparsemax_shift(exponent: Array) -> Array:
    ordered = -np.sort(-exponent, axis=1)
    number = np.arange(1.0, exponent.shape[1] + 1.0)
    above = np.add.accumulate(ordered, axis=1)
    size = np.add.reduce(1.0 + number * ordered > above, axis=1, keepdims=True)
    chosen = np.take_along_axis(above, np.maximum(size, 1) - 1, axis=1)
    return (chosen - 1.0) / size + 1.0


def _entmax15_shift(exponent: Array) -> Array:
    ordered = -np.sort(-exponent, axis=1) / 2.0
    number = np.arange(1.0, exponent.shape[1] + 1.0)
    mean = np.add.accumulate(ordered, axis=1) / number
    spread = np.add.accumulate(np.square(ordered), axis=1) - number * np.square(mean)
    threshold = mean - np.sqrt(np.maximum((1.0 - spread) / number, 0.0))
    size = np.add.reduce(threshold <= ordered, axis=1, keepdims=True)
    return 2.0 * (np.take_along_axis(threshold, np.maximum(size, 1) - 1, axis=1) + 1.0)


def _sum_and_slope(exponent: Array, shift: Array, a: float) -> tuple[Array, Array]:
    p = _power(exponent, shift, a)
    return row_sum(p), row_sum(np.where(p > 0.0, np.power(p, 1.0 - a), 0.0))


def _newton_step(exponent: Array, shift: Array, a: float) -> Array:
    """Return c after one step of Newton's method, which takes back the rounding of the formula."""
    total, slope = _sum_and_slope(exponent, shift, a)
    return shift + (total - 1.0) / slope


def _root(exponent: Array, a: float) -> Array:
    """Return c between 0 (the best has all) and -expm1(-a ln K) / a (all have the same), by safeguarded Newton."""
    allowed = np.add.reduce(exponent > -np.inf, axis=1, keepdims=True, dtype=exponent.dtype)
    low = np.where(np.isnan(exponent[:, :1]), np.nan, 0.0)
    high = -np.expm1(-a * np.log(allowed)) / a
    at = low
    for _ in range(STEPS):
        total, slope = _sum_and_slope(exponent, at, a)
        low, high = np.where(total > 1.0, at, low), np.where(total < 1.0, at, high)
        newton = at + (total - 1.0) / slope
        following = np.where((newton > low) & (newton < high), newton, 0.5 * (low + high))
        following = np.where(total == 1.0, at, following)
        if not np.any(np.abs(following - at) > 4e-16 * np.abs(at)):
            return following
        at = following
    return at
