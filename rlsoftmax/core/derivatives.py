"""Derivatives of softmax, entropy and logsumexp in the values, in tau and in beta: closed forms, finite everywhere.

Where an action is never chosen all derivatives are 0, not NaN; at tau = 0 they are defined as 0 (the policy does not
move until two values tie); rows with nothing allowed give 0. Every function takes `tau` or `beta` as `softmax` does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rlsoftmax.core.gaps import Rows, Weighed, lay_out, real, weigh
from rlsoftmax.core.layout import Axis
from rlsoftmax.core.measures import variance_of_exponent
from rlsoftmax.core.sums import row_sum

Array = npt.NDArray[Any]
Number = npt.ArrayLike | None


def softmax_jacobian(
    x: npt.ArrayLike, axis: Axis = -1, *, tau: Number = None, beta: Number = None, where: Number = None
) -> Any:
    """Return dp_i / dx_j = p_i (delta_ij - p_j) / tau.

    Args, errors: as `softmax`.

    Returns:
      Shape of x without `axis`, then [K, K]; symmetric, rows sum to 0.

    >>> softmax_jacobian([0.0, 0.0], tau=0.5)
    array([[ 0.5, -0.5],
           [-0.5,  0.5]])
    """
    rows = lay_out(x, axis, tau=tau, beta=beta, where=where)
    matrix = _scaled(rows, _covariance(rows, weigh(rows)), 1)
    return _matrices(rows, matrix)


def softmax_fisher(
    x: npt.ArrayLike, axis: Axis = -1, *, tau: Number = None, beta: Number = None, where: Number = None
) -> Any:
    """Return the Hessian of logsumexp(x / tau) in x, which is the Fisher information of the policy about its values.

    Args, errors: as `softmax`.

    Returns:
      Shape of x without `axis`, then [K, K]: (diag(p) - p p') / tau ** 2, positive semidefinite of rank K - 1.

    Source: Amari (1998), natural gradient; Kakade (2001).

    >>> softmax_fisher([0.0, 0.0])
    array([[ 0.25, -0.25],
           [-0.25,  0.25]])
    """
    rows = lay_out(x, axis, tau=tau, beta=beta, where=where)
    return _matrices(rows, _scaled(rows, _covariance(rows, weigh(rows)), 2, signed=False))


def softmax_jvp(
    x: npt.ArrayLike,
    tangent: npt.ArrayLike,
    axis: Axis = -1,
    *,
    tau: Number = None,
    beta: Number = None,
    where: Number = None,
) -> Any:
    """Return the Jacobian times `tangent`: how probabilities move when the values move that way.

    Args:
      tangent: broadcast against x; not read where an action is never chosen.

    Returns:
      Shape of x.

    >>> softmax_jvp([0.0, 0.0], [1.0, 0.0])
    array([ 0.25, -0.25])
    """
    rows = lay_out(x, axis, tau=tau, beta=beta, where=where)
    weighed = weigh(rows)
    direction = rows.layout.to_rows(real("tangent", tangent)).astype(rows.work)
    return _restored(rows, weighed, _scaled(rows, _centred_product(weighed, direction), 1))


def softmax_vjp(
    x: npt.ArrayLike,
    cotangent: npt.ArrayLike,
    axis: Axis = -1,
    *,
    tau: Number = None,
    beta: Number = None,
    where: Number = None,
) -> Any:
    """Return `cotangent` times the Jacobian: the gradient in x of sum(cotangent * softmax(x)).

    Args, returns: as `softmax_jvp`.

    >>> softmax_vjp([0.0, 0.0, -np.inf], [1.0, 0.0, np.nan])
    array([ 0.25, -0.25,  0.  ])
    """
    return softmax_jvp(x, cotangent, axis, tau=tau, beta=beta, where=where)


def softmax_dtau(x: npt.ArrayLike, axis: Axis = -1, *, tau: Number = None, where: Number = None) -> Any:
    """Return dp / dtau = -p (x - mean) / tau ** 2, in 1 / unit of x; shape of x.

    >>> softmax_dtau([0.0, 1.0, -np.inf], tau=1.0).round(6)
    array([ 0.196612, -0.196612,  0.      ])
    """
    rows = lay_out(x, axis, tau=tau, where=where)
    weighed = weigh(rows)
    exponent = np.where(weighed.weight == 0.0, 0.0, weighed.exponent)
    return _restored(rows, weighed, _scaled(rows, -_centred_product(weighed, exponent), 1))


def softmax_dbeta(
    x: npt.ArrayLike, axis: Axis = -1, *, tau: Number = None, beta: Number = None, where: Number = None
) -> Any:
    """Return dp / dbeta = p (x - mean), in the unit of x; shape of x.

    >>> softmax_dbeta([0.0, 1.0], beta=0.0)
    array([-0.25,  0.25])
    """
    rows = lay_out(x, axis, tau=tau, beta=beta, where=where)
    weighed = weigh(rows)
    return _restored(rows, weighed, _centred_product(weighed, _gap(rows, weighed)))


def entropy_dtau(x: npt.ArrayLike, axis: Axis = -1, *, tau: Number = None, where: Number = None) -> Any:
    """Return dH / dtau = Var(x) / tau ** 3 >= 0; shape of x without `axis`.

    >>> float(entropy_dtau([0.0, 0.0], tau=1.0))
    0.0
    """
    rows = lay_out(x, axis, tau=tau, where=where)
    weighed = weigh(rows)
    return _restored_each(rows, weighed, _scaled(rows, variance_of_exponent(weighed), 1))


def entropy_dbeta(
    x: npt.ArrayLike, axis: Axis = -1, *, tau: Number = None, beta: Number = None, where: Number = None
) -> Any:
    """Return dH / dbeta = -beta Var(x); shape of x without `axis`.

    >>> float(entropy_dbeta([0.0, 1.0], beta=0.0))
    0.0
    """
    rows = lay_out(x, axis, tau=tau, beta=beta, where=where)
    weighed = weigh(rows)
    gap = _gap(rows, weighed)
    with np.errstate(all="ignore"):
        exponent = np.where(weighed.weight == 0.0, 0.0, weighed.exponent)
        covariance = row_sum(_centred_product(weighed, gap) * (exponent - row_sum(weighed.probability * exponent)))
    return _restored_each(rows, weighed, np.where(covariance == 0.0, 0.0, -covariance))


def logsumexp_dtau(x: npt.ArrayLike, axis: Axis = -1, *, tau: Number = None, where: Number = None) -> Any:
    """Return d logsumexp(x / tau) / dtau = -mean / tau ** 2, the mean under the policy; shape of x without `axis`.

    >>> float(logsumexp_dtau([1.0, 1.0], tau=0.5))
    -4.0
    """
    rows = lay_out(x, axis, tau=tau, where=where)
    weighed = weigh(rows)
    return _restored_each(rows, weighed, _scaled(rows, -_mean(rows, weighed), 2))


def logsumexp_dbeta(
    x: npt.ArrayLike, axis: Axis = -1, *, tau: Number = None, beta: Number = None, where: Number = None
) -> Any:
    """Return d logsumexp(beta x) / dbeta: the mean value under the policy; shape of x without `axis`.

    >>> float(logsumexp_dbeta([0.0, 4.0], beta=0.0))
    2.0
    """
    rows = lay_out(x, axis, tau=tau, beta=beta, where=where)
    weighed = weigh(rows)
    return _restored_each(rows, weighed, _mean(rows, weighed))


def _covariance(rows: Rows, weighed: Weighed) -> Array:
    """Return [rows, K, K], diag(p) - p p'; the diagonal is p times what the others have, which does not cancel."""
    with np.errstate(all="ignore"):
        p = np.where(weighed.weight == 0.0, 0.0, weighed.probability)
        others = np.where(weighed.exponent == 0.0, (weighed.ties - 1.0 + weighed.rest) / weighed.total, 1.0 - p)
        matrix = -p[:, :, None] * p[:, None, :]
        index = np.arange(p.shape[1])
        matrix[:, index, index] = p * others
    return np.where(weighed.empty[:, :, None], 0.0, matrix)


def _centred_product(weighed: Weighed, direction: Array) -> Array:
    """Return p * (direction - mean); taken relative to the best action's direction, where p may be next to 1."""
    with np.errstate(all="ignore"):
        p = np.where(weighed.weight == 0.0, 0.0, weighed.probability)
        if not p.shape[1]:
            return p
        best = np.argmax(np.nan_to_num(weighed.exponent, nan=-np.inf), axis=1)[:, None]
        relative = np.where(p == 0.0, 0.0, direction - np.take_along_axis(direction, best, axis=1))
        return np.where(p == 0.0, 0.0, p * (relative - row_sum(p * relative)))


def _gap(rows: Rows, weighed: Weighed) -> Array:
    """Return values minus the best, 0 where it does not matter."""
    with np.errstate(all="ignore"):
        gap = rows.values - weighed.best
    return np.where((weighed.weight == 0.0) | np.isinf(gap) | (rows.values == weighed.best), 0.0, gap)


def _mean(rows: Rows, weighed: Weighed) -> Array:
    with np.errstate(all="ignore"):
        return weighed.best + rows.offset + row_sum(weighed.probability * _gap(rows, weighed))


def _scaled(rows: Rows, derivative: Array, power: int, signed: bool = True) -> Array:
    """Return derivative / tau ** power, 0 at tau = 0 and wherever the derivative is 0."""
    size, negative = (
        a.reshape(a.shape + (1,) * (derivative.ndim - a.ndim)) for a in (rows.scale.size, rows.scale.negative)
    )
    greedy = np.isinf(size) if rows.scale.inverse else size == 0.0
    with np.errstate(all="ignore"):
        result = derivative
        for _ in range(power):
            result = result * size if rows.scale.inverse else result / size
    result = np.where(negative, -result, result) if signed else result
    return np.where(greedy | (derivative == 0.0), 0.0, result)


def _matrices(rows: Rows, matrix: Array) -> Any:
    with np.errstate(all="ignore"):
        return matrix.reshape((*rows.layout.batch, *matrix.shape[1:])).astype(rows.dtype, copy=False)


def _restored(rows: Rows, weighed: Weighed, derivative: Array) -> Any:
    return rows.restore(np.where(weighed.empty, 0.0, derivative))


def _restored_each(rows: Rows, weighed: Weighed, derivative: Array) -> Any:
    return rows.restore_each(np.where(weighed.empty, 0.0, derivative))
