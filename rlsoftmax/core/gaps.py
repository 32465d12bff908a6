"""From values and temperature to exponents: the gap to the best value, divided by tau; a limit is a value.

Every function of this room that starts from values goes through `lay_out` and `weigh`. The order is: subtract the best
value, then scale. (`x / tau - max(x / tau)` overflows, is NaN at 0 and infinity, and loses up to eight digits.)
"""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rlsoftmax.core.layout import Axis, Layout, layout
from rlsoftmax.core.sums import row_sum
from rlsoftmax.core.temperature import Scale, scale
from rlsoftmax.errors import ArgumentError, shown

Array = npt.NDArray[Any]
FLOAT64, FLOAT32 = np.dtype(np.float64), np.dtype(np.float32)
NOTHING = np.asarray(0.0)
NOTHING.flags.writeable = False  # shared
EXACT = 2**53  # every whole number up to here is a float64


class Rows(NamedTuple):
    """A problem as matrices [rows, K]: `values + offset`, which of them are allowed (None: all), tau of each row."""

    values: Array
    offset: Array  # [rows, 1] or []; not 0 only for whole numbers too large for a float
    allowed: Array | None
    log_prior: Array | None
    scale: Scale
    layout: Layout
    dtype: np.dtype[Any]  # of the result

    @property
    def work(self) -> np.dtype[Any]:
        """The type computed in: at least float64."""
        return self.dtype if self.dtype == np.longdouble else FLOAT64

    def some(self, rows: Array | slice) -> Rows:
        """Return the problem of some of the rows."""
        return self._replace(
            values=self.values[rows],
            offset=self.offset[rows] if self.offset.ndim else self.offset,
            allowed=None if self.allowed is None else self.allowed[rows],
            log_prior=None if self.log_prior is None else self.log_prior[rows],
            scale=self.scale.of_rows(rows),
        )

    def restore(self, rows: Array) -> Any:
        """Return [rows, K] in the shape of the input and the type of the result, rounded once."""
        with np.errstate(all="ignore"):
            return self.layout.restore(rows.astype(self.dtype, copy=False))

    def restore_each(self, one_per_row: Array, keepdims: bool = False) -> Any:
        """Return [rows] or [rows, 1] in the shape of the input without the reduced axes, rounded once."""
        with np.errstate(all="ignore"):
            return self.layout.restore_each(one_per_row.astype(self.dtype, copy=False), keepdims)


@dataclasses.dataclass(frozen=True)
class Weighed:
    """`exponent` [rows, K] <= 0, 0 at the best, -inf where never chosen; `weight` = exp(exponent).

    The sum of the weights is `ties + rest`, [rows, 1] each: the entries at exponent 0, counted, and all others, added.
    Keeping them apart is what makes log(ties + rest) accurate when one probability is close to one.
    """

    exponent: Array
    weight: Array
    ties: Array
    rest: Array
    best: Array  # [rows, 1] the value whose exponent is 0
    empty: Array  # [rows, 1] nothing allowed
    allowed: Array  # [rows, K]

    @property
    def total(self) -> Array:
        return self.ties + self.rest

    @property
    def log_total(self) -> Array:
        with np.errstate(all="ignore"):
            return np.log(self.ties) + np.log1p(self.rest / self.ties)

    @property
    def probability(self) -> Array:
        with np.errstate(all="ignore"):
            return self.weight / self.total

    @property
    def log_probability(self) -> Array:
        """All terms have one sign: nothing cancels."""
        with np.errstate(all="ignore"):
            return self.exponent - self.log_total


def lay_out(
    x: npt.ArrayLike,
    axis: Axis,
    *,
    tau: npt.ArrayLike | None = None,
    beta: npt.ArrayLike | None = None,
    base: npt.ArrayLike | None = None,
    where: npt.ArrayLike | None = None,
    log_prior: npt.ArrayLike | None = None,
) -> Rows:
    """Return the problem as rows. Errors: ArgumentError for bad shapes, types and temperatures."""
    values = real("x", x)
    size = scale(tau, beta, base)
    allowed = None if where is None else boolean("where", where)
    prior = None if log_prior is None else real("log_prior", log_prior)
    shapes = [a.shape for a in (allowed, prior) if a is not None]
    plan = layout(values.shape, axis, *shapes, per_row=size.size.shape)
    dtype = values.dtype if values.dtype in (FLOAT64, FLOAT32) else _result_type(values.dtype)
    size = size.laid_out(plan)
    flat, offset = plan.to_rows(values), NOTHING
    allowed = None if allowed is None else plan.to_rows(allowed)
    if flat.dtype.kind in "iu" and flat.dtype.itemsize == 8 and not _representable(flat):
        flat, offset = _shifted(flat, allowed, size.negative)
    return Rows(flat, offset, allowed, None if prior is None else plan.to_rows(prior), size, plan, dtype)


def _result_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return dtype.newbyteorder("=") if dtype.kind == "f" else FLOAT64


def _array(name: str, x: npt.ArrayLike, of: str) -> Array:
    try:
        return np.asarray(x)
    except ValueError as error:  # ragged lists
        raise ArgumentError(f"{name} must be an array of {of}: {error}") from None


def real(name: str, x: npt.ArrayLike) -> Array:
    """Return an array of real numbers, or raise ArgumentError."""
    array = _array(name, x, "numbers")
    if array.dtype.kind not in "biuf":
        raise ArgumentError(f"{name} must be an array of real numbers, got {array.dtype}: {shown(x)}.")
    return array


def boolean(name: str, x: npt.ArrayLike) -> Array:
    """Return an array of truth values, or raise ArgumentError."""
    array = _array(name, x, "truth values")
    if array.dtype != np.bool_:
        raise ArgumentError(f"{name} must be boolean (True where allowed), got {array.dtype}: {shown(x)}.")
    return array


def number(name: str, value: Any) -> float:
    """Return one real number, or raise ArgumentError."""
    array = real(name, value)
    if array.ndim:
        raise ArgumentError(f"{name} must be one number, got {shown(value)}.")
    return float(array)


def whole_number(name: str, value: Any, least: int) -> int:
    """Return a whole number, or raise ArgumentError."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)) or value < least:
        raise ArgumentError(f"{name} must be a whole number >= {least}, got {shown(value)}.")
    return int(value)


def _representable(whole: Array) -> bool:
    return whole.size == 0 or (int(whole.max()) <= EXACT and int(whole.min()) >= -EXACT)


def _shifted(whole: Array, allowed: Array | None, negative: Array) -> tuple[Array, Array]:
    """Return 64-bit whole numbers minus the best of their row, exact before one rounding, and that best number."""
    info = np.iinfo(whole.dtype)
    low, high = (whole, whole) if allowed is None else (np.where(allowed, whole, n) for n in (info.max, info.min))
    most, least = high.max(axis=1, keepdims=True), low.min(axis=1, keepdims=True)
    unsigned = whole.astype(np.uint64)  # wraps, and the difference below wraps back
    below = -((most.astype(np.uint64) - unsigned).astype(np.float64))
    above = (unsigned - least.astype(np.uint64)).astype(np.float64)
    return np.where(negative, above, below), np.where(negative, least, most).astype(np.float64)


def weigh(rows: Rows) -> Weighed:
    """Return exponents and weights: limits of the temperature, masks, infinities and NaN are answered here."""
    exponent, best, forbidden = exponents(rows)
    with np.errstate(all="ignore"):
        return weighed(exponent, np.exp(exponent), best, forbidden)


def weighed(exponent: Array, weight: Array, best: Array, forbidden: Array) -> Weighed:
    """Return the sums that belong to some weights."""
    tied = exponent == 0.0
    ties = np.add.reduce(tied, axis=1, keepdims=True, dtype=weight.dtype)
    empty = np.logical_and.reduce(forbidden, axis=1, keepdims=True)
    return Weighed(exponent, weight, ties, row_sum(np.where(tied, 0.0, weight)), best, empty, ~forbidden)


def forbidden_entries(rows: Rows) -> Array:
    """Return where an entry can never be chosen: masked, -inf, or of prior probability zero."""
    forbidden = rows.values == -np.inf
    if rows.allowed is not None:
        forbidden = forbidden | ~rows.allowed
    if rows.log_prior is not None:
        forbidden = forbidden | (rows.log_prior == -np.inf)
    return np.asarray(forbidden)


def exponents(rows: Rows) -> tuple[Array, Array, Array]:
    """Return exponents [rows, K], the best value [rows, 1], and where an entry can never be chosen [rows, K]."""
    with np.errstate(all="ignore"):
        return _exponents(rows)


def _exponents(rows: Rows) -> tuple[Array, Array, Array]:
    forbidden = forbidden_entries(rows)
    values = rows.values.astype(rows.work, copy=False)
    values = np.where(forbidden, -np.inf, np.where(rows.scale.negative, -values, values))
    best = np.maximum.reduce(values, axis=1, keepdims=True, initial=-np.inf)
    gap = values - best
    exponent = rows.scale(gap)
    if np.any(rows.scale.huge):
        halved = 2.0 * rows.scale(values * 0.5 - best * 0.5)
        exponent = np.where(np.isinf(gap) & np.isfinite(values), halved, exponent)
    exponent = np.where(values == best, 0.0, exponent)
    exponent = np.where(rows.scale.flat & ~np.isnan(best), 0.0, exponent)
    exponent = np.where(forbidden, -np.inf, exponent)
    if rows.log_prior is not None:
        exponent = _tilted(exponent, rows.log_prior, forbidden)
    return np.where(np.isnan(best), np.nan, exponent), np.where(rows.scale.negative, -best, best), forbidden


def _tilted(exponent: Array, log_prior: Array, forbidden: Array) -> Array:
    """Return exponents of prior times weight, again 0 at the best."""
    tilted = np.where(forbidden, -np.inf, exponent + log_prior)
    most = np.maximum.reduce(tilted, axis=1, keepdims=True, initial=-np.inf)
    return np.where(tilted == most, np.where(forbidden, -np.inf, 0.0), tilted - most)
