"""Double-double exponents: softmax to 4 ulp whatever the gaps and the temperature.

Sources: Dekker (1971) for the products, Knuth (1969) for the sums.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rlsoftmax.core.gaps import Rows, Weighed, exponents, weigh, weighed

Array = npt.NDArray[Any]
SPLITTER = 134217729.0  # 2^27 + 1
FAR = -800.0  # exp(-800) = 0


def weigh_precisely(rows: Rows) -> tuple[Weighed, Array]:
    """Return what `weigh` returns with corrected weights, and the low parts of the exponents.

    The exponents are those of float64 values; for longdouble, a prior or 64-bit integers beyond 2^53 they are rounded.
    """
    if rows.work != np.float64 or rows.log_prior is not None:
        plain = weigh(rows)
        return plain, np.zeros_like(plain.exponent)
    rounded, best, forbidden = exponents(rows)
    with np.errstate(all="ignore"):
        high, low = _quotient(rows, rounded, best)
        weight = np.exp(high)
        weight += weight * low
        return weighed(high, weight, best, forbidden), low


def probability(rows: Rows) -> tuple[Array, Weighed]:
    """Return probabilities to 4 ulp."""
    precise, _ = weigh_precisely(rows)
    return precise.probability, precise


def log_probability(rows: Rows) -> tuple[Array, Weighed]:
    """Return log-probabilities to 4 ulp."""
    precise, low = weigh_precisely(rows)
    with np.errstate(all="ignore"):
        return precise.log_probability + low, precise


def _quotient(rows: Rows, rounded: Array, best: Array) -> tuple[Array, Array]:
    """Return (values - best) / tau as an unevaluated sum; the low part is 0 where it does not matter."""
    values = rows.values.astype(np.float64, copy=False)
    sign = np.where(rows.scale.negative, -1.0, 1.0)
    gap, gap_low = _two_sum(sign * values, -sign * best)
    size, power = np.frexp(rows.scale.size)  # scaled by a power of two, no product below overflows or underflows
    power = power if rows.scale.inverse else -power
    for factor in (np.ldexp(1.0, power // 2), np.ldexp(1.0, power - power // 2)):
        gap, gap_low = gap * factor, gap_low * factor
    high, low = _product(gap, gap_low, size) if rows.scale.inverse else _ratio(gap, gap_low, size)
    matters = (rounded < 0.0) & (rounded > FAR) & np.isfinite(gap_low)
    return np.where(matters, high, rounded), np.where(matters, low, 0.0)


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
