"""The fast way: float64 blocks that stay in cache, short rows laid on their side so that each step is one long loop.

Rows whose answer is not an ordinary division (infinite or no values, NaN, temperature 0) come out with a sum that is
not finite, and are left to `gaps.weigh`. Both ways give the same bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rlsoftmax.core.gaps import Rows
from rlsoftmax.core.sums import PIECE, column_sum, list_sum, row_sum
from rlsoftmax.core.temperature import UNIT, Scale

Array = npt.NDArray[Any]
BLOCK = 1 << 16  # float64 entries: 512 kB, inside a core's second cache
SHORT = 32  # longer rows are faster as they lie
FEW = 6  # so many probabilities of a row lie near enough to be written one by one
LOG2_E = 1.4426950408889634
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


def fill_probabilities(rows: Rows, out: Array) -> Array | None:
    """Write probabilities to `out` [rows, K]; return [rows] where they are still missing, or None."""
    count, entries = out.shape
    if rows.log_prior is not None or rows.work != np.float64 or rows.scale.turned or not out.size:
        return np.ones(count, bool)
    sideways = entries <= SHORT and count > 1
    step = min(count, max(1, BLOCK // entries))
    shape = (entries, step) if sideways else (step, entries)
    block, scratch = np.empty(shape), np.empty((shape[0] // 2, step) if sideways else (step, min(entries, PIECE) // 2))
    total, missing = np.empty((step, 1)), None
    with np.errstate(all="ignore"):
        scale, exp = _faster(rows.scale) if out.itemsize < 8 else (rows.scale, np.exp)
        fill = _fill_columns if sideways else _fill_rows
        for start in range(0, count, step):
            part, sums = slice(start, start + step), total[: count - start]
            allowed = None if rows.allowed is None else rows.allowed[part]
            fill(rows.values[part], allowed, scale.of_rows(part), exp, block, scratch, out[part], sums)
            if not np.add.reduce(sums, axis=None) < np.inf:
                missing = np.zeros(count, bool) if missing is None else missing
                missing[part] = ~np.isfinite(sums)[:, 0]
    return _with_huge(missing, rows.scale, count)


def _with_huge(missing: Array | None, scale: Scale, count: int) -> Array | None:
    """Return [rows] where probabilities are missing: also where the temperature is as large as the largest gaps."""
    huge = scale.huge
    if not (huge if huge.ndim == 0 else huge.any()):
        return missing
    wide = np.broadcast_to(huge, (count, 1))[:, 0]
    return wide if missing is None else missing | wide


def _fill_columns(
    values: Array, allowed: Array | None, scale: Scale, exp: np.ufunc, block: Array, scratch: Array, out: Array,
    total: Array,
) -> None:  # fmt: skip
    """Rows lie on their side in the block, [K, rows]."""
    block = block[:, : len(values)]
    np.copyto(block, values.T)
    if allowed is not None:
        np.copyto(block, -np.inf, where=~allowed.T)
    np.subtract(block, np.maximum.reduce(block, axis=0), out=block)
    if scale is not UNIT:
        scale.sideways(block)
    exp(block, out=block)
    if out.dtype == np.float64:
        total[:, 0] = column_sum(block, scratch)
        if len(block) <= FEW:
            np.divide(block, total.T, out=out.T)
            return
        np.divide(block, total.T, out=block)  # numbers that lie far apart are faster to copy than to compute
        np.copyto(out.T, block)
    else:
        np.add.reduce(block, axis=0, out=total[:, 0])
        np.multiply(block, 1.0 / total.T, out=out.T, casting="same_kind")


def _fill_rows(
    values: Array, allowed: Array | None, scale: Scale, exp: np.ufunc, block: Array, scratch: Array, out: Array,
    total: Array,
) -> None:  # fmt: skip
    """Rows lie as they are; those longer than a block are taken in pieces that stay in cache."""
    block = out if out.dtype == np.float64 and out.flags.c_contiguous else block[: len(values)]
    best = _best(values, allowed)
    sums = []
    for start in range(0, values.shape[1], PIECE):
        piece = block[:, start : start + PIECE]
        some = values[:, start : start + PIECE]
        if allowed is not None:
            np.copyto(piece, some)
            np.copyto(piece, -np.inf, where=~allowed[:, start : start + PIECE])
            some = piece
        np.subtract(some, best, out=piece)
        if scale is not UNIT:
            scale(piece, piece)
        exp(piece, out=piece)
        sums.append(row_sum(piece) if out.dtype == np.float64 else np.add.reduce(piece, axis=1, keepdims=True))
    total[:] = sums[0] if len(sums) == 1 else row_sum(np.concatenate(sums, axis=1))
    if out.dtype == np.float64:
        np.divide(block, total, out=out)
    else:
        np.multiply(block, 1.0 / total, out=out, casting="same_kind")


def _best(values: Array, allowed: Array | None) -> Array:
    """Return [rows, 1], the largest allowed value."""
    if allowed is not None:
        values = np.where(allowed, values, -np.inf)
    best: Array = np.maximum.reduce(values, axis=1, keepdims=True)
    return best.astype(np.float64)


def _faster(scale: Scale) -> tuple[Scale, np.ufunc]:
    """Return a scale and its exponential for results of less than float64: a product, and a power of two.

    They have digits to spare: a few roundings more in float64 are not seen.
    """
    if scale is UNIT:
        return scale, np.exp
    size = scale.size * LOG2_E if scale.inverse else LOG2_E / scale.size
    return Scale(size, True, scale.negative), np.exp2
