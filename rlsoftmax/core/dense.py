"""Softmax, its logarithm, and its greedy limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from rlsoftmax.core.blocks import SHORT, fill_probabilities, one_short_row
from rlsoftmax.core.gaps import Rows, Weighed, lay_out, weigh
from rlsoftmax.core.layout import Axis
from rlsoftmax.core.precise import log_probability, probability
from rlsoftmax.core.sums import row_sum
from rlsoftmax.errors import ArgumentError, did_you_mean

Array = npt.NDArray[Any]
FLOAT64 = np.dtype(np.float64)
EMPTY = ("raise", "nan", "zeros")
PIECE = 1 << 13
Formula = Callable[[Rows], tuple[Array, Weighed]]
NUMBERS = frozenset((float, int, np.float64))


def softmax(
    x: npt.ArrayLike,
    axis: Axis = -1,
    *,
    tau: npt.ArrayLike | None = None,
    beta: npt.ArrayLike | None = None,
    base: npt.ArrayLike | None = None,
    where: npt.ArrayLike | None = None,
    log_prior: npt.ArrayLike | None = None,
    on_empty: str = "raise",
    precise: bool = False,
    out: Array | None = None,
) -> Any:
    """Return the Boltzmann distribution exp(x / tau), divided by its sum along `axis`.

    Args:
      x: values, any shape, real numbers of any type. -inf is never chosen; +inf shares among the infinite ones.
      axis: the entries that share one distribution: an int, several, or None for all.
      tau: temperature >= 0 in the unit of x, a number or one per row (broadcast against x without `axis`).
        0 shares among the maxima; infinity is uniform over the allowed.
      beta: inverse temperature instead of tau; negative prefers small values (softargmin).
      base: base ** x instead of exp(x / tau); base > 0.
      where: boolean, broadcast with x: True where allowed. What lies under False is not read, its result is 0.
      log_prior: broadcast with x: prior * exp(x / tau), exponential tilting. -inf forbids.
      on_empty: rows with nothing allowed "raise", or become "nan" or "zeros".
      precise: at most 4 ulp in float64, at about ten times the cost; otherwise 2 |gap / tau| + 4 ulp.
      out: array of the result's shape to write to.

    Returns:
      Shape of x; float64, or the float type of x (float16 and float32 are computed in float64 and rounded once).

    Raises:
      ArgumentError: for shapes, types, or temperatures that are wrong, and for empty rows unless `on_empty` says else.

    Source: Blanchard, Higham & Higham (2021), equation 1.4: subtract the maximum first; then divide by tau.

    >>> softmax([1.0, 2.0, 8.0], tau=10).round(3)
    array([0.243, 0.268, 0.489])
    >>> softmax([[1.0, 5.0, 5.0], [1.0, 5.0, 5.0]], tau=[0.0, np.inf])
    array([[0.        , 0.5       , 0.5       ],
           [0.33333333, 0.33333333, 0.33333333]])
    """
    if type(x) is np.ndarray and x.ndim == 1 and x.dtype is FLOAT64 and 0 < x.size <= SHORT:
        plain = beta is base is where is log_prior is out is None and not precise and axis in (-1, 0)
        if plain and on_empty in EMPTY and (tau is None or type(tau) in NUMBERS):
            short = one_short_row(x, 1.0 if tau is None else float(tau))  # type: ignore[arg-type]
            if short is not None:
                return short
    check_empty_policy(on_empty)
    rows = lay_out(x, axis, tau=tau, beta=beta, base=base, where=where, log_prior=log_prior)
    direct = out is not None and _takes_rows(out, rows)
    result = out.reshape(rows.values.shape) if direct else np.empty(rows.values.shape, rows.dtype)  # type: ignore[union-attr]
    _probabilities(rows, on_empty, precise, result)
    return out if direct else _written(result, rows, out)


def _takes_rows(out: Array, rows: Rows) -> bool:
    """Return whether rows can be written where they belong, without reading what was already written."""
    fits = out.dtype == rows.dtype and out.shape == rows.layout.shape and rows.layout.last
    return fits and out.flags.c_contiguous and not np.may_share_memory(out, rows.values)


def _probabilities(rows: Rows, on_empty: str, precise: bool, result: Array) -> None:
    """Write [rows, K] in the type of the result."""
    if precise:
        _fill(rows, probability, on_empty, 0.0, result)
        return
    missing = fill_probabilities(rows, result)
    if missing is None:
        return
    if missing.all():
        _fill(rows, _probability, on_empty, 0.0, result)
    else:
        left = np.empty((np.count_nonzero(missing), result.shape[1]), result.dtype)
        _fill(rows.some(missing), _probability, on_empty, 0.0, left)
        result[missing] = left


def _fill(rows: Rows, formula: Formula, on_empty: str, never: float, result: Array) -> None:
    """Write what a formula gives, some rows at a time, so that what it needs in between stays in cache."""
    step = max(1, PIECE // max(1, result.shape[1]))
    for start in range(0, len(result), step):
        some = rows if step >= len(result) else rows.some(slice(start, start + step))
        with np.errstate(all="ignore"):
            answer, weighed = formula(some)
            result[start : start + step] = answered(answer, weighed, some, on_empty, never)


def _probability(rows: Rows) -> tuple[Array, Weighed]:
    weighed = weigh(rows)
    return weighed.weight / row_sum(weighed.weight), weighed  # the same additions as in blocks


def _log_probability(rows: Rows) -> tuple[Array, Weighed]:
    weighed = weigh(rows)
    return weighed.log_probability, weighed


def answered(result: Array, weighed: Weighed, rows: Rows, on_empty: str, never: float) -> Array:
    """Return the result with masked entries and empty rows as declared; `never` is what is never chosen."""
    if on_empty == "raise" and result.size and np.any(weighed.empty):
        raise ArgumentError(
            "x has a row with no allowed entry: every entry is -inf or masked; on_empty='nan' or 'zeros' accepts it."
        )
    if rows.allowed is not None:
        result = np.where(rows.allowed, result, never)
    return np.where(weighed.empty, np.nan if on_empty == "nan" else never, result)


def check_empty_policy(on_empty: str) -> None:
    """Refuse an unknown answer for rows in which nothing is allowed; ArgumentError names the known ones."""
    if not isinstance(on_empty, str) or on_empty not in EMPTY:
        raise ArgumentError(
            f"on_empty must be 'raise', 'nan' or 'zeros', got {on_empty!r}.{did_you_mean(str(on_empty), EMPTY)}"
        )


def _written(result: Array, rows: Rows, out: Array | None) -> Any:
    """Return the result in the shape of the input, in `out` if there is one."""
    shaped = rows.layout.restore(result)
    if out is None:
        return shaped
    if (
        not isinstance(out, np.ndarray)
        or out.shape != rows.layout.shape
        or not np.can_cast(rows.dtype, out.dtype, "same_kind")
    ):
        raise ArgumentError(
            f"out must be an array of shape {rows.layout.shape} that holds {rows.dtype}, got {out!r:.60}."
        )
    with np.errstate(all="ignore"):
        np.copyto(out, shaped, casting="same_kind")
    return out


def log_softmax(
    x: npt.ArrayLike,
    axis: Axis = -1,
    *,
    tau: npt.ArrayLike | None = None,
    beta: npt.ArrayLike | None = None,
    base: npt.ArrayLike | None = None,
    where: npt.ArrayLike | None = None,
    log_prior: npt.ArrayLike | None = None,
    on_empty: str = "raise",
    precise: bool = False,
    out: Array | None = None,
) -> Any:
    """Return the logarithm of `softmax`, accurate in relative terms even where a probability is next to 1.

    Args, types and errors: as `softmax`. What is never chosen is -inf; on_empty="zeros" gives rows of -inf, the
    logarithm of zeros. Errors stay within 4 ulp in float64 with or without `precise`: where one action is likely, its
    log-probability is a sum of rare ones, whose exponents need all their digits.

    Source: log p = y - (log k + log1p(rest / k)) for k maxima; all terms have one sign.

    >>> log_softmax([40.0, 0.0])
    array([-4.24835426e-18, -4.00000000e+01])
    """
    check_empty_policy(on_empty)
    rows = lay_out(x, axis, tau=tau, beta=beta, base=base, where=where, log_prior=log_prior)
    result = np.empty(rows.values.shape, rows.dtype)
    accurate = precise or rows.dtype.itemsize >= 8
    _fill(rows, log_probability if accurate else _log_probability, on_empty, -np.inf, result)
    return _written(result, rows, out)


def hardmax(x: npt.ArrayLike, axis: Axis = -1, *, where: npt.ArrayLike | None = None, on_empty: str = "raise") -> Any:
    """Return the distribution over the maxima along `axis`, ties shared: `softmax` at tau = 0.

    >>> hardmax([3.0, 1.0, 3.0])
    array([0.5, 0. , 0.5])
    """
    return softmax(x, axis, tau=0.0, where=where, on_empty=on_empty)
