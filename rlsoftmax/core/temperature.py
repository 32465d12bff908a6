"""tau, beta or base: what a gap between two values is divided by or multiplied with."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rlsoftmax.core.layout import Layout
from rlsoftmax.errors import ArgumentError, shown

Array = npt.NDArray[Any]
HUGE = 1e290


class Scale(NamedTuple):
    """`size` >= 0 divides, or multiplies when `inverse`; `negative` turns the order of the values round.

    Both are shape () at first and [rows, 1] once laid out.
    """

    size: Array
    inverse: bool
    negative: Array

    def laid_out(self, layout: Layout) -> Scale:
        """Return the same scale with one entry per row, or still one for all."""
        if self.size.ndim == 0:
            return self
        return Scale(layout.to_columns(self.size), self.inverse, layout.to_columns(self.negative))

    def of_rows(self, rows: Array | slice) -> Scale:
        """Return the scale of some rows."""
        return self if self.size.ndim == 0 else Scale(self.size[rows], self.inverse, self.negative[rows])

    def __call__(self, gap: Array, out: Array | None = None) -> Array:
        """Return gap / tau."""
        return np.multiply(gap, self.size, out=out) if self.inverse else np.divide(gap, self.size, out=out)

    def sideways(self, gaps: Array) -> None:
        """Scale gaps [K, rows] in place."""
        (np.multiply if self.inverse else np.divide)(gaps, self.size.T, out=gaps)

    @property
    def turned(self) -> bool:
        """Whether the order of some values is turned round."""
        return self.negative is not NO and bool(self.negative.any())

    @property
    def huge(self) -> Array:
        """Where the temperature is so large that even a gap beyond the largest float matters."""
        return np.less(self.size, 1.0 / HUGE) if self.inverse else np.greater(self.size, HUGE)

    @property
    def flat(self) -> Array:
        """Where every allowed action is as good as any other: tau infinite, beta 0."""
        return np.equal(self.size, 0.0 if self.inverse else np.inf)

    @property
    def greedy(self) -> bool:
        """Whether the one temperature of all rows is 0."""
        return self.size.ndim == 0 and self.size.item() == (np.inf if self.inverse else 0.0)

    @property
    def tau(self) -> Array:
        """The temperature, negative where the order is turned round; rounded once when beta was given."""
        with np.errstate(all="ignore"):
            tau = np.divide(1.0, self.size) if self.inverse else self.size
        return np.where(self.negative, -tau, tau)


NO = np.asarray(False)
UNIT = Scale(np.asarray(1.0), False, NO)


def scale(tau: npt.ArrayLike | None, beta: npt.ArrayLike | None = None, base: npt.ArrayLike | None = None) -> Scale:
    """Return the scale for at most one of tau >= 0, any beta, base > 0 (beta = ln base); none means tau = 1."""
    if tau is beta is base is None:
        return UNIT
    if type(tau) is float and beta is base is None and tau > 0.0:
        return Scale(np.asarray(tau), False, NO)
    given = [name for name, value in (("tau", tau), ("beta", beta), ("base", base)) if value is not None]
    if len(given) > 1:
        raise ArgumentError(f"at most one of tau, beta and base may be given, got {' and '.join(given)}.")
    if tau is not None:
        size = _numbers("tau", tau)
        _check("tau", size, size >= 0.0, ">= 0")
        return Scale(np.abs(size), False, np.asarray(False) if size.ndim == 0 else np.zeros(size.shape, bool))
    if base is not None:
        size = _numbers("base", base)
        _check("base", size, size > 0.0, "> 0")
        beta = np.log(size)
    size = _numbers("beta", beta)
    _check("beta", size, ~np.isnan(size), "a number")
    return Scale(np.abs(size), True, size < 0.0)


def _numbers(name: str, value: npt.ArrayLike | None) -> Array:
    try:
        array = np.asarray(value)
    except ValueError:  # ragged lists
        array = np.asarray(None)
    if array.dtype.kind not in "biuf":
        raise ArgumentError(f"{name} must be a number or an array of numbers, got {shown(value)}.")
    return array if array.dtype == np.longdouble else array.astype(np.float64)


def _check(name: str, size: Array, good: Array, rule: str) -> None:
    if not np.all(good):
        bad = size[~np.asarray(good)] if size.ndim else size
        raise ArgumentError(f"{name} must be {rule}, got {float(bad.flat[0])!r}.")
