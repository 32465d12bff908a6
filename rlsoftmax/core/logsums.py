"""Logarithms of sums of exponentials, and the maxima between mean and maximum that are made of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rlsoftmax.core.gaps import Rows, Weighed, boolean, lay_out, real, weigh
from rlsoftmax.core.layout import Axis
from rlsoftmax.core.sums import row_sum

Array = npt.NDArray[Any]


def logsumexp(
    x: npt.ArrayLike,
    axis: Axis = -1,
    *,
    b: npt.ArrayLike | None = None,
    tau: npt.ArrayLike | None = None,
    beta: npt.ArrayLike | None = None,
    where: npt.ArrayLike | None = None,
    keepdims: bool = False,
    return_sign: bool = False,
) -> Any:
    """Return log(sum(b * exp(x / tau))) along `axis`.

    Args:
      x, axis, tau, beta, where: as `softmax`; an empty sum is -inf.
      b: factors, broadcast with x, of any sign; where b is 0, x is not read.
      keepdims: keep the reduced axes with length one.
      return_sign: return (log of the absolute value, sign) instead of NaN for a negative sum.

    Returns:
      Shape of x without `axis`; at tau = 0 the limit, which is infinite unless the maximum is 0.

    Source: Blanchard, Higham & Higham (2021); the maxima are kept out of the sum as in SciPy >= 1.15.

    >>> float(logsumexp([0.0, -40.0]))
    4.248354255291589e-18
    >>> float(logsumexp([1000.0, 1000.0]))
    1000.6931471805599
    """
    if b is not None:
        return _signed_logsumexp(x, axis, b, (tau, beta), where, keepdims, return_sign)
    rows = lay_out(x, axis, tau=tau, beta=beta, where=where)
    value = log_sum(rows, weigh(rows))
    if not return_sign:
        return rows.restore_each(value, keepdims)
    sign = np.where(np.isnan(value), np.nan, np.where(value == -np.inf, 0.0, 1.0))
    return rows.restore_each(value, keepdims), rows.restore_each(sign, keepdims)


def log_sum(rows: Rows, weighed: Weighed) -> Array:
    """Return [rows, 1]: best / tau plus the logarithm of the sum of weights."""
    with np.errstate(all="ignore"):
        return np.where(weighed.empty, -np.inf, scaled_best(rows, weighed) + weighed.log_total)


def scaled_best(rows: Rows, weighed: Weighed) -> Array:
    """Return the best value of each row over its temperature: [...]; 0 where that product has no say."""
    best = weighed.best + rows.offset
    scaled = np.where(rows.scale.negative, -1.0, 1.0) * rows.scale(best)
    return np.where((best == 0.0) | (rows.scale.flat & ~np.isnan(best)), 0.0, scaled)


def _signed_logsumexp(
    x: npt.ArrayLike,
    axis: Axis,
    b: npt.ArrayLike,
    temperature: tuple[npt.ArrayLike | None, npt.ArrayLike | None],
    where: npt.ArrayLike | None,
    keepdims: bool,
    return_sign: bool,
) -> Any:
    factor = real("b", b)
    read = factor != 0 if where is None else (factor != 0) & boolean("where", where)
    rows = lay_out(x, axis, tau=temperature[0], beta=temperature[1], where=read)
    rows = rows._replace(dtype=_float_type(real("x", x).dtype, factor.dtype))
    weighed = weigh(rows)
    factor = rows.layout.to_rows(factor).astype(rows.work)
    with np.errstate(all="ignore"):
        tied = np.where(weighed.exponent == 0.0, factor, 0.0)
        front = row_sum(tied)
        rest = row_sum(np.where((weighed.exponent == 0.0) | (weighed.weight == 0.0), 0.0, factor * weighed.weight))
        total = front + rest
        near = np.abs(rest) < 0.5 * np.abs(front)
        log_total = np.where(near, np.log(np.abs(front)) + np.log1p(rest / front), np.log(np.abs(total)))
        value = np.where(total == 0.0, -np.inf, scaled_best(rows, weighed) + log_total)
    sign = np.sign(total)
    if return_sign:
        return rows.restore_each(value, keepdims), rows.restore_each(sign, keepdims)
    return rows.restore_each(np.where(sign < 0.0, np.nan, value), keepdims)


def _float_type(*types: np.dtype[Any]) -> np.dtype[Any]:
    """Return the type of a result: floats keep theirs, whole numbers become float64."""
    joined = np.result_type(*types)
    return joined.newbyteorder("=") if joined.kind == "f" else np.dtype(np.float64)


def logmeanexp(
    x: npt.ArrayLike,
    axis: Axis = -1,
    *,
    tau: npt.ArrayLike | None = None,
    beta: npt.ArrayLike | None = None,
    where: npt.ArrayLike | None = None,
    keepdims: bool = False,
) -> Any:
    """Return log(mean(exp(x / tau))) along `axis`: `logsumexp` minus the logarithm of the number of entries.

    Args and types: as `logsumexp`. An entry -inf counts, with exp 0; what `where` leaves out does not.
    The mean of nothing is NaN.

    >>> float(logmeanexp([1000.0, 1000.0]))
    1000.0
    """
    rows = lay_out(x, axis, tau=tau, beta=beta, where=where)
    weighed = weigh(rows)
    counted = np.ones(rows.values.shape, bool) if rows.allowed is None else rows.allowed
    count = np.add.reduce(counted, axis=1, keepdims=True, dtype=rows.work)
    with np.errstate(all="ignore"):
        mean = scaled_best(rows, weighed) + _log_share(weighed, counted, count)
        mean = np.where(weighed.empty, np.where(count > 0.0, -np.inf, np.nan), mean)
    return rows.restore_each(mean, keepdims)


def _log_share(weighed: Weighed, counted: Array, count: Array) -> Array:
    """Return log(total / count), accurate also where all weights are next to 1."""
    missing = row_sum(np.where(counted, np.expm1(weighed.exponent), 0.0)) / count
    return np.where(missing > -0.5, np.log1p(missing), weighed.log_total - np.log(count))


def soft_maximum(
    x: npt.ArrayLike,
    axis: Axis = -1,
    *,
    tau: npt.ArrayLike | None = None,
    beta: npt.ArrayLike | None = None,
    where: npt.ArrayLike | None = None,
    keepdims: bool = False,
) -> Any:
    """Return tau * logsumexp(x / tau) along `axis`, in the unit of x: the value of a state under soft optimality.

    Args and types: as `logsumexp`. tau = 0 gives the maximum; it grows with tau, by at most tau * ln K. Negative beta
    gives a soft minimum.

    Source: Ziebart (2010), soft value; "RealSoftMax".

    >>> float(soft_maximum([1.0, 5.0, 5.0], tau=0))
    5.0
    >>> float(soft_maximum([0.0, 0.0], tau=2) / np.log(2))
    2.0
    """
    rows = lay_out(x, axis, tau=tau, beta=beta, where=where)
    weighed = weigh(rows)
    with np.errstate(all="ignore"):
        above = np.where(weighed.log_total == 0.0, 0.0, rows.scale.tau * weighed.log_total)
        value = np.where(weighed.empty, weighed.best, weighed.best + rows.offset + above)
    return rows.restore_each(value, keepdims)


def mellowmax(
    x: npt.ArrayLike,
    omega: npt.ArrayLike,
    axis: Axis = -1,
    *,
    where: npt.ArrayLike | None = None,
    keepdims: bool = False,
) -> Any:
    """Return log(mean(exp(omega * x))) / omega along `axis`, the mean over what is allowed.

    Args:
      x, where: as `softmax`; -inf is not allowed, and does not count.
      omega: any number, or one per row: minus infinity gives the minimum, 0 the mean, infinity the maximum.

    Returns:
      Shape of x without `axis`, in the unit of x; NaN where nothing is allowed.

    Source: Asadi & Littman (2017), equation 1: a non-expansion, unlike the Boltzmann mean.

    >>> mellowmax([[0.0, 1.0]] * 3, [-np.inf, 0.0, np.inf])
    array([0. , 0.5, 1. ])
    """
    rows = lay_out(x, axis, beta=omega, where=where)
    weighed = weigh(rows)
    with np.errstate(all="ignore"):
        count = np.add.reduce(weighed.allowed, axis=1, keepdims=True, dtype=rows.work)
        value = weighed.best + _log_share(weighed, weighed.allowed, count) * rows.scale.tau
        exponent = np.where(weighed.allowed, weighed.exponent, 0.0)
        nearly_flat = np.minimum.reduce(exponent, axis=1, keepdims=True, initial=0.0) > -1e-9
        value = np.where(nearly_flat, _nearly_mean(rows, weighed, count), value)
        value = np.where(np.isinf(rows.scale.size), weighed.best, value) + rows.offset
    return rows.restore_each(np.where(weighed.empty, np.nan, value), keepdims)


def _nearly_mean(rows: Rows, weighed: Weighed, count: Array) -> Array:
    """Return mean + omega / 2 * variance, the first two terms of mellowmax in omega."""
    values = np.where(weighed.allowed, rows.values, 0.0)
    mean = row_sum(values / count)
    gap = np.where(weighed.allowed, values - mean, 0.0)
    slope = rows.scale(np.where(rows.scale.flat, 0.0, row_sum(gap * gap / count) * 0.5))
    return mean + np.where(rows.scale.negative, -slope, slope)
