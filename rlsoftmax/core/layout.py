"""Any axis, any shape: the entries that share one softmax become the rows of a matrix [rows, K], and go back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rlsoftmax.errors import ArgumentError, shown

Array = npt.NDArray[Any]
Axis = int | Sequence[int] | None


class Layout(NamedTuple):
    """Where the rows come from: `batch` counts rows, `reduced` counts the entries of one; `axes` are negative."""

    shape: tuple[int, ...]  # of arrays that have an entry for each input
    batch: tuple[int, ...]
    reduced: tuple[int, ...]
    axes: tuple[int, ...]

    @property
    def rows(self) -> int:
        return math.prod(self.batch)

    @property
    def entries(self) -> int:
        return math.prod(self.reduced)

    @property
    def is_plain(self) -> bool:
        """Whether the input is a matrix of such rows."""
        return self.axes == (-1,) and len(self.batch) == 1

    @property
    def last(self) -> bool:
        """Whether rows already lie as they should."""
        return self.axes == tuple(range(-len(self.axes), 0))

    def to_rows(self, array: Array) -> Array:
        """Return [rows, K]; the array must broadcast to `shape`."""
        if self.is_plain and array.shape == self.shape:
            return array
        full = array if array.shape == self.shape else self._broadcast(array)
        moved = full if self.last else np.moveaxis(full, self.axes, range(-len(self.axes), 0))
        return moved.reshape(self.rows, self.entries)

    def _broadcast(self, array: Array) -> Array:
        try:
            return np.broadcast_to(array, self.shape)
        except ValueError:
            raise ArgumentError(f"shape {array.shape} does not broadcast to that of x, {self.shape}.") from None

    def to_columns(self, array: Array) -> Array:
        """Return [rows, 1] of an array with one entry per row, which must broadcast to `batch`."""
        return np.broadcast_to(array, self.batch).reshape(self.rows, 1)

    def restore(self, rows: Array) -> Any:
        """Return [rows, K] in the shape of the input."""
        if self.is_plain:
            return rows
        full = rows.reshape(self.batch + self.reduced)
        if not self.last:
            full = np.moveaxis(full, range(-len(self.axes), 0), self.axes).copy(order="C")
        return full if full.ndim else full[()]

    def restore_each(self, one_per_row: Array, keepdims: bool = False) -> Any:
        """Return [rows] in the shape of the input without its reduced axes."""
        ndim = len(self.batch) + len(self.reduced)
        kept = np.expand_dims(one_per_row.reshape(self.batch), tuple(ndim + a for a in self.axes) if keepdims else ())
        return kept if kept.ndim else kept[()]


def layout(shape: tuple[int, ...], axis: Axis, *others: tuple[int, ...], per_row: tuple[int, ...] = ()) -> Layout:
    """Return how `shape`, broadcast with the shapes of `others`, falls into rows along `axis`.

    `per_row` is the shape of what has one entry per row. Errors: ArgumentError for shapes that do not fit.
    """
    if not others and not per_row and shape and type(axis) is int and axis == -1:
        return Layout(shape, shape[:-1], shape[-1:], (-1,))
    try:
        full = np.broadcast_shapes(shape, *others)
        axes = _axes(axis, len(full) if axis is None else len(shape))
        reduced = tuple(full[a] for a in axes)
        kept = tuple(n for i, n in enumerate(full, -len(full)) if i not in axes)
        batch = np.broadcast_shapes(kept, per_row)
    except ArgumentError:
        raise
    except ValueError as error:
        raise ArgumentError(f"shapes do not fit: {error}; tau and beta have one entry per row.") from None
    return Layout(_full_shape(batch, reduced, axes), batch, reduced, axes)


def _full_shape(batch: tuple[int, ...], reduced: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    rest, ndim = iter(batch), len(batch) + len(reduced)
    size = {ndim + axis: n for axis, n in zip(axes, reduced, strict=True)}
    return tuple(size[i] if i in size else next(rest) for i in range(ndim))


def _axes(axis: Axis, ndim: int) -> tuple[int, ...]:
    """Return the axes as ascending negative numbers; a number alone is a row of one."""
    if axis is None:
        return tuple(range(-ndim, 0))
    asked = tuple(axis) if isinstance(axis, Sequence) else (axis,)
    if not all(isinstance(a, (int, np.integer)) and -max(ndim, 1) <= a < max(ndim, 1) for a in asked):
        raise ArgumentError(f"axis must be whole numbers within the {ndim} dimensions of the input, got {shown(axis)}.")
    axes = tuple(sorted({int(a) - ndim if a >= 0 else int(a) for a in asked})) if ndim else ()
    if len(axes) != len(asked) and ndim:
        raise ArgumentError(f"axis must not repeat a dimension, got {shown(axis)}.")
    return axes
