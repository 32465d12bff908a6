"""The fast way: float64 blocks that stay in cache, short rows laid on their side so that each step is one long loop.

Rows whose answer is not an ordinary division (infinite or no values, NaN) come out with a sum that is not finite, and
are left to `gaps.weigh`. Both ways give the same bits in float64.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from rlsoftmax.core.gaps import Rows
from rlsoftmax.core.sums import PIECE, column_sum, list_sum, row_sum
from rlsoftmax.core.temperature import HUGE, UNIT, Scale

Array = npt.NDArray[Any]
Exp = Callable[..., Any]  # a ufunc, or what can be called like one
BLOCK = 1 << 16  # float64 entries: 512 kB, inside a core's second cache
SHORT = 32  # longer rows are faster as they lie
LOOK = 256  # so many rows tell whether gaps are wide
FEW = 6  # so many probabilities of a row lie near enough to be written one by one
LOG2_E = 1.4426950408889634
FAR = 700.0  # exp(-700) is still a normal number: no flag can be raised
FARTHEST: dict[Any, float] = {np.exp: FAR, np.exp2: 1000.0}
MOST = 1e300  # less than any weight so far above; the inverse is still a normal number


def one_short_row(x: Array, tau: float) -> Array | None:
    """Return the probabilities of one row of at most `SHORT` float64 numbers, or None if it is not an ordinary one."""
    row = x.tolist()
    best = max(row)
    spread = best - min(row)
    if tau > 0.0 and spread / tau < FAR:
        gap = x - best
        weight = np.exp(gap if tau == 1.0 else gap / tau)
    elif tau >= 0.0 and spread < np.inf:
        weight = _wide_weights(x - best, tau)
    else:
        return None
    total = list_sum(weight.tolist())
    return weight / total if total < np.inf else None


def _wide_weights(gap: Array, tau: float) -> Array:
    """Return exp(gap / tau) where that may underflow, or tau be 0. (Hiding a flag takes longer than an exponential.)"""
    if tau == 0.0:
        return _ties(gap, out=gap)
    with np.errstate(all="ignore"):
        return np.exp(gap / tau)


def fill_probabilities(rows: Rows, out: Array) -> Array | None:
    """Write probabilities to `out` [rows, K]; return [rows] where they are still missing, or None."""
    count, entries = out.shape
    if rows.log_prior is not None or rows.work != np.float64 or rows.scale.turned or not out.size:
        return np.ones(count, bool)
    rounded = out.itemsize < 8
    if rounded and count == 1 and entries <= SHORT:
        return _fill_twice(rows, out)
    if entries > SHORT or count == 1:
        missing = _filled(rows, out, _fill_rows)
    elif rounded and entries > 1 and rows.allowed is None and not rows.scale.greedy:
        missing = _filled(rows, out, _fill_from_first)
    else:
        missing = _filled(rows, out, _fill_columns)
    return _with_huge(missing, rows.scale, count)


def _fill_twice(rows: Rows, out: Array) -> Array | None:
    """Fill a single row of less than float64 as one of two: NumPy adds the entries of a lone one in another order."""
    twice = np.empty((2, out.shape[1]), out.dtype)
    missing = fill_probabilities(rows.some(np.zeros(2, np.int64)), twice)
    out[:] = twice[:1]
    return None if missing is None else missing[:1]


def _filled(rows: Rows, out: Array, fill: Callable[..., None]) -> Array | None:
    """Write probabilities some rows at a time; return [rows] where they are missing, or None."""
    count, entries = out.shape
    step, sideways = min(count, max(1, BLOCK // entries)), fill is not _fill_rows
    shape = (entries, step) if sideways else (step, entries)
    block, scratch = np.empty(shape), np.empty((shape[0] // 2, step) if sideways else (step, min(entries, PIECE) // 2))
    total, missing = np.empty((step, 1)), None
    with np.errstate(all="ignore"):
        scale, exp = _form(rows.scale, out.itemsize < 8)
        for start in range(0, count, step):
            part, sums = slice(start, start + step), total[: count - start]
            allowed = None if rows.allowed is None else rows.allowed[part]
            own = rows.values[part], allowed, scale.of_rows(part), exp, block, scratch
            fill(*own, out[part], sums)
            if _whole(sums):
                continue
            if fill is _fill_from_first:
                _mend(*own, out[part], sums)
            if not _whole(sums):
                missing = np.zeros(count, bool) if missing is None else missing
                missing[part] = ~(sums < MOST)[:, 0]
    return missing


def _whole(total: Array) -> bool:
    return bool(np.maximum.reduce(total[:, 0]) < MOST)


def _with_huge(missing: Array | None, scale: Scale, count: int) -> Array | None:
    """Return [rows] where probabilities are missing: also where the temperature is as large as the largest gaps."""
    if scale.size.ndim == 0 and 1.0 / HUGE <= scale.size.item() <= HUGE:
        return missing
    huge = scale.huge & ~scale.flat
    if not huge.any():
        return missing
    wide = np.broadcast_to(huge, (count, 1))[:, 0]
    return wide if missing is None else missing | wide


def _fill_columns(
    values: Array, allowed: Array | None, scale: Scale, exp: Exp, block: Array, scratch: Array, out: Array,
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
    if out.itemsize < 8:
        np.maximum(block, -FAR, out=block)
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


def _fill_from_first(
    values: Array, allowed: Array | None, scale: Scale, exp: Exp, block: Array, scratch: Array, out: Array,
    total: Array,
) -> None:  # fmt: skip
    """The same for results of less than float64, without a search for the best: gaps are taken to the first value.

    They have digits to spare, so that a sum between 1 and `MOST` serves. The first weight is 1, and the sum never less.
    """
    block = block[:, : len(values)]
    block[...] = values.T
    first, others = block[0], block[1:]
    np.subtract(others, first, out=others)
    if scale is not UNIT:
        scale.sideways(others)
    far = FARTHEST[exp]
    if np.minimum.reduce(others[0, :LOOK]) < -far:
        np.clip(others, -far, far, out=others)  # under- and overflow are slow; what is so small rounds to 0 anyway
    exp(others, out=others)
    np.add.reduce(others, axis=0, initial=1.0, out=total[:, 0])
    np.divide(1.0, total[:, 0], out=first)
    np.multiply(others, first, out=out.T[1:], casting="same_kind")
    out[:, 0] = first


def _mend(
    values: Array, allowed: Array | None, scale: Scale, exp: Exp, block: Array, scratch: Array, out: Array,
    total: Array,
) -> None:  # fmt: skip
    """Write those rows whose first value lies too far below the best, now by gaps to the best."""
    again, sums, far = np.empty(out.shape, out.dtype), np.empty_like(total), ~(total < MOST)
    _fill_columns(values, allowed, scale, exp, block, scratch, again, sums)
    row = np.dtype((np.void, out.strides[0]))
    np.copyto(out.view(row), again.view(row), where=far)
    np.copyto(total, sums, where=far)


def _fill_rows(
    values: Array, allowed: Array | None, scale: Scale, exp: Exp, block: Array, scratch: Array, out: Array,
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


def _form(scale: Scale, rounded: bool) -> tuple[Scale, Exp]:
    """Return what turns gaps into weights: a scale, and an exponential that follows it.

    Results of less than float64 have digits to spare: a product and a power of two are faster, and the few roundings
    more are not seen.
    """
    if scale is UNIT:
        return UNIT, np.exp
    if scale.greedy:
        return UNIT, _ties
    if not rounded:
        return scale, np.exp
    size = scale.size if scale.size.ndim else scale.size.item()  # Python divides one number faster
    size = size * LOG2_E if scale.inverse else LOG2_E / size
    return Scale(np.asarray(size), True, scale.negative), np.exp2


def _ties(gaps: Array, out: Array) -> Array:
    """The limit of temperature 0: 1 for a gap of 0, 0 for any other, NaN for NaN."""
    return np.add(np.sign(gaps, out=out), 1.0, out=out)
