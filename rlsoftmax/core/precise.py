"""Double-double exponents and sums: softmax to 4 ulp whatever the gaps and the temperature.

Sources: Dekker (1971) for the products, Knuth (1969) for the sums.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from rlsoftmax.core.gaps import Rows, Weighed, weigh

Array = npt.NDArray[Any]
SPLITTER = 134217729.0  # 2^27 + 1
FAR = -800.0  # exp(-800) = 0


def weigh_precisely(rows: Rows) -> tuple[Weighed, Array, Array]:
    """Return what `weigh` returns with corrected weights, and the low parts of the exponents and of the sum `rest`.

    The exponents are those of float64 values; for longdouble, a prior or 64-bit integers beyond 2^53 they are rounded.
    """
    plain = weigh(rows)
    if rows.work != np.float64 or rows.log_prior is not None:
        return plain, np.zeros_like(plain.exponent), np.zeros_like(plain.rest)
    with np.errstate(all="ignore"):
        high, low = _quotient(rows, plain)
        weight = np.exp(high)
        weight += weight * low
        tied = high + low == 0.0
        ties = np.add.reduce(tied, axis=1, keepdims=True, dtype=np.float64)
        rest, rest_low = _row_sum(np.where(tied, 0.0, weight))
    return dataclasses.replace(plain, exponent=high, weight=weight, ties=ties, rest=rest), low, rest_low


def probability(rows: Rows) -> tuple[Array, Weighed]:
    """Return probabilities to 4 ulp."""
    with np.errstate(all="ignore"):
        weighed, _, rest_low = weigh_precisely(rows)
        total, total_low = _two_sum(weighed.ties, weighed.rest)
        quotient = weighed.weight / total
        return quotient - quotient * ((total_low + rest_low) / total), weighed


def log_probability(rows: Rows) -> Array:
    """Return log-probabilities to 4 ulp."""
    with np.errstate(all="ignore"):
        weighed, low, rest_low = weigh_precisely(rows)
        log_total = np.log(weighed.ties) + np.log1p(weighed.rest / weighed.ties)
        correction = low - rest_low / weighed.total
        result: Array = weighed.exponent - log_total + np.where(np.isfinite(weighed.exponent), correction, 0.0)
        return result


def _quotient(rows: Rows, plain: Weighed) -> tuple[Array, Array]:
    """Return (values - best) / tau as an unevaluated sum; the low part is 0 where it does not matter."""
    values = rows.values.astype(np.float64, copy=False)
    sign = np.where(rows.scale.negative, -1.0, 1.0)
    gap, gap_low = _two_sum(sign * values, -sign * plain.best)
    size, power = np.frexp(rows.scale.size)  # scaled by a power of two, no product below overflows or underflows
    power = power if rows.scale.inverse else -power
    gap, gap_low = np.ldexp(gap, power), np.ldexp(gap_low, power)
    high, low = _product(gap, gap_low, size) if rows.scale.inverse else _ratio(gap, gap_low, size)
    matters = (plain.exponent < 0.0) & (plain.exponent > FAR) & np.isfinite(gap_low)
    return np.where(matters, high, plain.exponent), np.where(matters, low, 0.0)


def _ratio(high: Array, low: Array, size: Array) -> tuple[Array, Array]:
    quotient = high / size
    back, back_low = _two_product(quotient, size)
    return quotient, (((high - back) - back_low) + low) / size


def _product(high: Array, low: Array, size: Array) -> tuple[Array, Array]:
    product, product_low = _two_product(high, size)
    return product, product_low + low * size


def _two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _two_product(a: Array, b: Array) -> tuple[Array, Array]:
    a_high, b_high = _split(a), _split(b)
    a_low, b_low = a - a_high, b - b_high
    product = a * b
    return product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def _split(a: Array) -> Array:
    large = SPLITTER * a
    return large - (large - a)


def _row_sum(rows: Array) -> tuple[Array, Array]:
    """Return the sum of each row and its low part, halving as `row_sum` does."""
    low = np.zeros_like(rows)
    while rows.shape[1] > 1:
        half = (rows.shape[1] + 1) // 2
        a, b = rows[:, :half], np.zeros_like(rows[:, :half])
        a_low, b_low = low[:, :half], np.zeros_like(b)
        b[:, : rows.shape[1] - half], b_low[:, : rows.shape[1] - half] = rows[:, half:], low[:, half:]
        rows, error = _two_sum(a, b)
        low = a_low + b_low + error
    if rows.shape[1] == 0:
        return np.zeros((len(rows), 1)), np.zeros((len(rows), 1))
    return rows, low
