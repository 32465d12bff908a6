"""Sums of rows in a fixed order of additions: the same bits for one row as for a row among thousands.

Halves are added until fewer than four entries are left, so the error is about one ulp however long the row is, and
equal entries double exactly. (np.sum adds chains of 16, which cost up to 8 ulp on equal entries.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
PIECE = 1 << 14  # entries of a long row that are added at a time, inside the cache
FEW = 256  # so many are turned on their side, where an addition is one long loop


def row_sum(rows: Array) -> Array:
    """Return [rows, 1], the sum of each row of [rows, K].

    >>> row_sum(np.ones((2, 3)))
    array([[3.],
           [3.]])
    """
    length = rows.shape[1]
    if length > PIECE:
        pieces = [row_sum(rows[:, i : i + PIECE]) for i in range(0, length, PIECE)]
        return row_sum(np.concatenate(pieces, axis=1))
    if not rows.size:
        return np.zeros((len(rows), 1), rows.dtype)
    while length > FEW:
        half = length // 2
        folded = rows[:, :half] + rows[:, half : 2 * half]
        if length % 2:
            folded[:, -1] += rows[:, -1]
        rows, length = folded, half
    return column_sum(np.ascontiguousarray(rows.T))[:, None]


def column_sum(columns: Array, scratch: Array | None = None) -> Array:
    """Return [rows], the sum of each column of [K, rows]: the same bits as `row_sum` of the transpose."""
    length = len(columns)
    if length >= 4:
        scratch = (
            np.empty((length // 2, columns.shape[1]), columns.dtype)
            if scratch is None
            else scratch[:, : columns.shape[1]]
        )
    while length >= 4:
        half = length // 2
        folded = scratch[:half]  # type: ignore[index]
        np.add(columns[:half], columns[half : 2 * half], out=folded)
        if length % 2:
            folded[-1] += columns[length - 1]
        columns, length = folded, half
    total: Array = columns[0] if length == 1 else columns[0] + columns[1]
    return total + columns[2] if length == 3 else total


def list_sum(row: list[float]) -> float:
    """Return the sum of one short row: the same bits as `row_sum`, at a tenth of the cost."""
    length = len(row)
    while length >= 4:
        half = length // 2
        folded = [a + b for a, b in zip(row, row[half : 2 * half])]  # noqa: B905  # the first half alone
        if length % 2:
            folded[-1] += row[-1]
        row, length = folded, half
    return row[0] if length == 1 else row[0] + row[1] if length == 2 else row[0] + row[1] + row[2]
