"""Sums of rows in a fixed order of additions: the same bits for one row as for a row among thousands.

Halves are added until fewer than four entries are left, so the error is about one ulp however long the row is, and
equal entries double exactly. (np.sum adds chains of 16, which cost up to 8 ulp on equal entries.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def row_sum(rows: Array) -> Array:
    """Return [rows, 1], the sum of each row of [rows, K].

    >>> row_sum(np.ones((2, 3)))
    array([[3.],
           [3.]])
    """
    while rows.shape[1] >= 4:
        half = rows.shape[1] // 2
        folded = rows[:, :half] + rows[:, half : 2 * half]
        if rows.shape[1] % 2:
            folded[:, -1] += rows[:, -1]
        rows = folded
    total: Array = np.add.reduce(rows, axis=1, keepdims=True)
    return total


def column_sum(columns: Array) -> Array:
    """Return [rows], the sum of each column of [K, rows], rows >= 2: the same bits as `row_sum` of the transpose."""
    while len(columns) >= 4:
        half = len(columns) // 2
        folded = columns[:half] + columns[half : 2 * half]
        if len(columns) % 2:
            folded[-1] += columns[-1]
        columns = folded
    total: Array = np.add.reduce(columns, axis=0)
    return total


def list_sum(row: list[float]) -> float:
    """Return the sum of one short row: the same bits as `row_sum`, at a tenth of the cost."""
    while len(row) >= 4:
        half = len(row) // 2
        folded = [a + b for a, b in zip(row, row[half : 2 * half], strict=False)]
        if len(row) % 2:
            folded[-1] += row[-1]
        row = folded
    total = row[0]
    for entry in row[1:]:
        total += entry
    return total
