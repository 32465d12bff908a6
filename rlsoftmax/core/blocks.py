"""The fast way: float64 blocks that stay in cache, short rows laid on their side so that each step is one long loop.

Rows whose answer is not an ordinary division (infinite or no values, NaN, temperature 0) come out with a sum that is
not finite, and are left to `gaps.weigh`. Both ways give the same bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rlsoftmax.core.gaps import Rows
from rlsoftmax.core.sums import column_sum, list_sum, row_sum
from rlsoftmax.core.temperature import UNIT, Scale

Array = npt.NDArray[Any]
BLOCK = 1 << 15  # float64 entries: 256 kB, inside a core's second cache
SHORT = 32  # longer rows are faster as they lie
FAR = 700.0  # exp(-700) is still a normal number: no flag can be raised


def one_short_row(x: Array, tau: float) -> Array | None:
    """Return the probabilities of one row of at most `SHORT` float64 numbers, or None if it is not an ordinary one."""
    row = x.tolist()
    best = max(row)
    if not tau > 0.0 or not (best - min(row)) / tau < FAR:
        return None
    gap = x - best
    weight = np.exp(gap if tau == 1.0 else gap / tau)
    total = list_sum(weight.tolist())
    return weight / total if total < np.inf else None


def fill_probabilities(rows: Rows, out: Array) -> Array:
    """Write probabilities to `out` [rows, K]; return [rows] where they are still missing."""
    count, entries = out.shape
    if rows.log_prior is not None or rows.work != np.float64 or np.any(rows.scale.negative) or not out.size:
        return np.ones(count, bool)
    fill = _fill_columns if entries <= SHORT and count > 1 else _fill_rows
    step = max(1, BLOCK // entries)
    buffer = np.empty((min(count, step), entries) if fill is _fill_rows else (entries, min(count, step)))
    total = np.empty((count, 1))
    with np.errstate(all="ignore"):
        scale = _reciprocal(rows.scale) if out.dtype.itemsize < 8 else rows.scale
        for start in range(0, count, step):
            part = slice(start, min(start + step, count))
            allowed = None if rows.allowed is None else rows.allowed[part]
            fill(rows.values[part], allowed, scale.of_rows(part), buffer, out[part], total[part])
    return (~np.isfinite(total) | rows.scale.huge)[:, 0]


def _fill_columns(values: Array, allowed: Array | None, scale: Scale, buffer: Array, out: Array, total: Array) -> None:
    """Rows lie on their side in the buffer, [K, rows]."""
    block = buffer[:, : len(values)]
    np.copyto(block, values.T)
    if allowed is not None:
        np.copyto(block, -np.inf, where=~allowed.T)
    np.subtract(block, np.maximum.reduce(block, axis=0), out=block)
    if scale is not UNIT:
        scale.sideways(block)
    np.exp(block, out=block)
    total[:, 0] = column_sum(block)
    _divide(block, total.T, out.dtype)
    np.copyto(out.T, block, casting="same_kind")


def _fill_rows(values: Array, allowed: Array | None, scale: Scale, buffer: Array, out: Array, total: Array) -> None:
    block = out if out.dtype == np.float64 and out.flags.c_contiguous else buffer[: len(values)]
    np.copyto(block, values)
    if allowed is not None:
        np.copyto(block, -np.inf, where=~allowed)
    np.subtract(block, np.maximum.reduce(block, axis=1, keepdims=True), out=block)
    if scale is not UNIT:
        scale(block, block)
    np.exp(block, out=block)
    total[:] = row_sum(block) if out.dtype == np.float64 else np.add.reduce(block, axis=1, keepdims=True)
    _divide(block, total, out.dtype)
    if block is not out:
        np.copyto(out, block, casting="same_kind")


def _divide(block: Array, total: Array, dtype: np.dtype[Any]) -> None:
    """Results of less than float64 have digits to spare: one rounding more is not seen, and a product is cheaper."""
    if dtype == np.float64:
        np.divide(block, total, out=block)
    else:
        np.multiply(block, 1.0 / total, out=block)


def _reciprocal(scale: Scale) -> Scale:
    return scale if scale.inverse or scale is UNIT else Scale(1.0 / scale.size, True, scale.negative)
