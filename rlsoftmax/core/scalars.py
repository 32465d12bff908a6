"""Two-action softmax and its relatives, number by number; logits and back; products in the log semiring.

`logaddexp` is NumPy's and `logit` is SciPy's, whose accuracy suffices.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numpy import logaddexp as logaddexp

from rlsoftmax.core.gaps import boolean, real
from rlsoftmax.core.layout import Axis, layout
from rlsoftmax.core.logsums import soft_maximum
from rlsoftmax.core.sums import row_sum
from rlsoftmax.errors import ArgumentError, shown

Array = npt.NDArray[Any]
BLOCK = 1 << 20


def _floats(name: str, x: npt.ArrayLike) -> Array:
    array = real(name, x)
    return array if array.dtype == np.longdouble else array.astype(np.float64)


def sigmoid(x: npt.ArrayLike) -> Any:
    """Return 1 / (1 + exp(-x)), the first entry of softmax([x, 0]); any shape.

    >>> sigmoid([-np.inf, 0.0, np.inf])
    array([0. , 0.5, 1. ])
    """
    values = _floats("x", x)
    with np.errstate(all="ignore"):
        small = np.exp(-np.abs(values))
        return np.where(values >= 0.0, 1.0, small) / (1.0 + small)


def softplus(x: npt.ArrayLike) -> Any:
    """Return log(1 + exp(x)), which is logsumexp([x, 0]); any shape.

    >>> float(softplus(-800.0)), float(softplus(800.0))
    (0.0, 800.0)
    """
    values = _floats("x", x)
    with np.errstate(all="ignore"):
        return np.maximum(values, 0.0) + np.log1p(np.exp(-np.abs(values)))


def log1mexp(x: npt.ArrayLike) -> Any:
    """Return log(1 - exp(x)) for x <= 0: the logarithm of the complement of a probability given by its logarithm.

    Returns:
      Shape of x; NaN where x > 0.

    Source: Maechler (2012): expm1 for x > -ln 2, log1p below.

    >>> float(log1mexp(-1e-20))
    -46.051701859880914
    """
    values = _floats("x", x)
    with np.errstate(all="ignore"):
        return np.where(values > -np.log(2.0), np.log(-np.expm1(values)), np.log1p(-np.exp(values)))[()]


def logit(p: npt.ArrayLike) -> Any:
    """Return log(p / (1 - p)), the inverse of `sigmoid`; NaN outside [0, 1]; any shape.

    >>> logit([0.0, 0.5, 1.0])
    array([-inf,   0.,  inf])
    """
    from scipy.special import logit as accurate

    return accurate(_floats("p", p))


def center(x: npt.ArrayLike, axis: Axis = -1, *, where: npt.ArrayLike | None = None) -> Any:
    """Return x minus its mean along `axis`: the representative of all values with the same softmax.

    Args:
      where: True where allowed; other entries, and those that are -inf, do not count and are returned as -inf.

    >>> center([1.0, 2.0, 6.0])
    array([-2., -1.,  3.])
    """
    values = _floats("x", x)
    allowed = np.asarray(True) if where is None else boolean("where", where)
    plan = layout(values.shape, axis, allowed.shape)
    flat = plan.to_rows(values)
    counts = plan.to_rows(allowed) & (flat > -np.inf)
    number = np.add.reduce(counts, axis=1, keepdims=True, dtype=flat.dtype)
    with np.errstate(all="ignore"):
        mean = row_sum(np.where(counts, flat, 0.0) / number)
        return plan.restore(np.where(counts | np.isnan(flat), flat - mean, -np.inf))


def logits_from_probabilities(
    probabilities: npt.ArrayLike, axis: Axis = -1, *, tau: npt.ArrayLike | None = None
) -> Any:
    """Return values whose softmax at tau gives these probabilities, centred; -inf where the probability is 0.

    Args:
      probabilities: >= 0; they need not sum to one.
      tau: > 0, one number, or one per row.

    Raises:
      ArgumentError: if a probability is negative.

    >>> logits_from_probabilities([0.5, 0.5, 0.0])
    array([  0.,   0., -inf])
    """
    p = _floats("probabilities", probabilities)
    if np.any(p < 0.0):
        raise ArgumentError(f"probabilities must be >= 0, got {shown(probabilities)}.")
    size = _floats("tau", 1.0 if tau is None else tau)
    plan = layout(p.shape, axis, per_row=size.shape)
    size = plan.to_columns(size)
    if not np.all((size > 0.0) & (size < np.inf)):
        raise ArgumentError(f"tau must be > 0 and finite, got {shown(tau)}.")
    with np.errstate(divide="ignore"):
        return center(plan.restore(np.log(plan.to_rows(p)) * size), axis)


def logmatmulexp(a: npt.ArrayLike, b: npt.ArrayLike, *, tau: float = 1.0) -> Any:
    """Return tau * log(exp(a / tau) @ exp(b / tau)): the matrix product of the log semiring.

    Args:
      a, b: shapes [n, k] and [k, m]; -inf is the semiring's zero.
      tau: temperature >= 0; at 0 the tropical product max_k(a[i, k] + b[k, j]).

    Returns:
      Shape [n, m].

    Raises:
      ArgumentError: if the shapes do not fit.

    Source: Mohri (2002), semirings; Litvinov (2007), dequantisation.

    >>> logmatmulexp([[0.0, 1.0]], [[2.0], [3.0]], tau=0.0)
    array([[4.]])
    """
    left, right = _floats("a", a), _floats("b", b)
    if left.ndim != 2 or right.ndim != 2 or left.shape[1] != right.shape[0]:
        raise ArgumentError(f"a and b must have shapes [n, k] and [k, m], got {left.shape} and {right.shape}.")
    result = np.empty((left.shape[0], right.shape[1]), np.result_type(left, right))
    step = max(1, BLOCK // max(1, right.size))
    for start in range(0, len(left), step):
        with np.errstate(all="ignore"):
            paths = left[start : start + step, None, :] + right.T[None, :, :]
        result[start : start + step] = soft_maximum(paths, tau=tau)
    return result
