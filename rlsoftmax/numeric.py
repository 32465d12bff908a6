"""Numbers with the same bits on every machine: exp, log, power, sine, cosine, normal, and counter-based luck.

One source for three worlds: a Python scalar, a scalar inside a compiled loop, a NumPy array. Only + - * /, sqrt,
floor, comparisons and operations on bits are used, and a choice is a select on bits, so there is nothing that a
CPU, a vector width or a maths library could round in another way. What decides an action uses these functions;
what is only looked at uses NumPy.

Errors, measured against mpmath in tests/test_numeric.py: exp, exp2, log, sine, cosine <= 2 ulp;
power <= 1.2 + |y ln x| ulp.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

Value = Any  # float, float64 or an array of float64; the result has the same shape
Luck = tuple[Any, Any, Any, Any]  # seed, run, step, purpose

# --- choosing without branches ------------------------------------------------------------------------------------


def where(condition: Value, yes: Value, no: Value) -> Value:
    """Return `yes` where the condition holds, else `no`, by a select on bits.

    >>> float(where(True, 1.0, 2.0))
    1.0
    """
    mask = -np.int64(condition)
    return np.int64((np.float64(yes).view(np.int64) & mask) | (np.float64(no).view(np.int64) & ~mask)).view(np.float64)


# --- exponentials and logarithms ----------------------------------------------------------------------------------

LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
LOG2_E = 1.4426950408889634
ROUND = 6755399441055744.0  # adding 1.5 * 2**52 rounds to the nearest integer
ROUND_BITS = 0x4338000000000000
E2, E3, E4, E5 = 0.5000000000000011, 0.16666666666666413, 0.04166666666653014, 0.008333333333494463
E6, E7, E8 = 0.0013888888943633774, 0.00019841269506589194, 2.480149309535597e-05
E9, E10, E11 = 2.7557586355612664e-06, 2.76302495685794e-07, 2.5000069375875894e-08
LN2 = math.log(2.0)
T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13 = (LN2**n / math.factorial(n) for n in range(1, 14))


def _series(r: Value) -> Value:
    """Return exp(r) for |r| <= 0.3466: 1 + r + r^2 p(r), where p errs by 4e-18 at most (found by Lawson's algorithm).

    Terms are paired (Estrin, 1960), so that a step waits for few others, and the largest are added last.
    """
    q = r * r
    f = q * q
    low = (E2 + r * E3) + q * (E4 + r * E5)
    high = (E6 + r * E7) + q * (E8 + r * E9) + f * (E10 + r * E11)
    return 1.0 + (r + q * (low + f * high))


def _scaled(p: Value, k: Value) -> Value:
    """Return p * 2**k in two steps, so that overflow and underflow are gradual."""
    half = k >> 1
    a = np.int64((half + 1023) << 52).view(np.float64)
    b = np.int64((k - half + 1023) << 52).view(np.float64)
    return p * a * b


def exp(x: Value) -> Value:
    """Return e**x; 0 and infinity at the ends, NaN for NaN.

    >>> float(exp(0.0))
    1.0
    """
    x = x * 1.0
    z = where(x > -800.0, x, -800.0)
    z = where(z < 800.0, z, 800.0)
    n = z * LOG2_E + ROUND
    k = np.float64(n).view(np.int64) - ROUND_BITS
    n = n - ROUND
    r = (z - n * LN2_HIGH) - n * LN2_LOW
    return where(x == x, _scaled(_series(r), k), x)


def decay(x: float) -> float:
    """Return exp(x) for x <= 0, exactly 0 below -708: the form that the softmax stage loops over. Scalars only."""
    z = max(x, -708.0)
    n = z * LOG2_E + ROUND
    exponent = np.float64(n).view(np.int64) << 52
    n -= ROUND
    r = (z - n * LN2_HIGH) - n * LN2_LOW
    p = _series(r)
    return np.int64(np.float64(p).view(np.int64) + exponent).view(np.float64) if x >= -708.0 else 0.0


def exp2(x: Value) -> Value:
    """Return 2**x.

    >>> float(exp2(-3.0))
    0.125
    """
    x = x * 1.0
    z = where(x > -1100.0, x, -1100.0)
    z = where(z < 1100.0, z, 1100.0)
    n = z + ROUND
    k = np.float64(n).view(np.int64) - ROUND_BITS
    r = z - (n - ROUND)
    p = 1.0 + r * (T1 + r * (T2 + r * (T3 + r * (T4 + r * (T5 + r * (T6 + r * (T7 + r * (
        T8 + r * (T9 + r * (T10 + r * (T11 + r * (T12 + r * T13))))))))))))  # fmt: skip
    return where(x == x, _scaled(p, k), x)


L1, L2, L3, L4 = 6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01, 2.222219843214978396e-01
L5, L6, L7 = 1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01
SMALLEST_NORMAL = 2.2250738585072014e-308
ROOT_HALF = 0x3FE6A09E667F3BCD  # bits of sqrt(1/2): the argument is reduced to [sqrt(1/2), sqrt(2))


def _log_pair(x: Value) -> Any:
    """Return log(x) of x > 0 as a sum of two numbers, high + low."""
    small = x < SMALLEST_NORMAL
    return _log_of_normal(where(small, x * 18014398509481984.0, x), where(small, 54.0, 0.0))


def _log_of_normal(x: Value, less: Value) -> Any:
    """Return log(x / 2**less) of a positive normal x as high + low (fdlibm's kernel, its last rounding undone)."""
    bits = np.float64(x).view(np.int64) + (0x3FF0000000000000 - ROOT_HALF)
    exponent = (bits >> 52) - 1023
    f = np.int64((bits & 0x000FFFFFFFFFFFFF) + ROOT_HALF).view(np.float64) - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    rest = z * (L1 + w * (L3 + w * (L5 + w * L7))) + w * (L2 + w * (L4 + w * L6))
    half = 0.5 * f * f
    n = np.int64(exponent + ROUND_BITS).view(np.float64) - ROUND - less
    whole = n * LN2_HIGH
    first = whole + f
    more = ((whole - first) + f) - (half - (s * (half + rest) + n * LN2_LOW))
    high = first + more
    return high, (first - high) + more


def log(x: Value) -> Value:
    """Return the natural logarithm; -infinity at 0, NaN below.

    >>> float(log(1.0))
    0.0
    """
    x = x * 1.0
    value = where(x == np.inf, np.inf, _log_pair(x)[0])
    return where(x > 0.0, value, where(x == 0.0, -np.inf, np.nan))


def plain_log(x: Value) -> Value:
    """Return log(x) of a positive finite number that is not subnormal: the same bits in half the time.

    >>> float(plain_log(1.0))
    0.0
    """
    return _log_of_normal(x * 1.0, 0.0)[0]


SPLIT = 134217729.0  # 2**27 + 1: cuts a number into two halves whose products are exact (Dekker, 1971)


def _product_error(x: Value, y: Value) -> Value:
    """Return what rounding lost in x * y."""
    a, b = x * SPLIT, y * SPLIT
    x_high, y_high = a - (a - x), b - (b - y)
    x_low, y_low = x - x_high, y - y_high
    return ((x_high * y_high - x * y) + x_high * y_low + x_low * y_high) + x_low * y_low


def power(x: Value, y: Value) -> Value:
    """Return x**y for x >= 0.

    >>> float(power(4.0, 0.5))
    2.0
    """
    x, y = x * 1.0, y * 1.0
    high, low = _log_pair(where(x > 0.0, x, 1.0))
    exponent = y * high
    lost = _product_error(y, high) + y * low
    lost = where(abs(exponent) < 800.0, lost, 0.0)  # beyond that the answer is 0 or infinity
    value = exp(exponent) * (1.0 + lost)
    value = where((x > 0.0) & (x < np.inf), value, exp(y * log(x)))
    return where(y == 0.0, 1.0, value)


# --- circular functions -------------------------------------------------------------------------------------------

TWO_OVER_PI = 0.6366197723675814
QUARTER_HIGH, QUARTER_MIDDLE, QUARTER_LOW = (
    1.57079632673412561417,
    6.07710050630396597660e-11,
    2.02226624879595063154e-21,
)
S1, S2, S3 = -1.66666666666666324348e-01, 8.33333333332248946124e-03, -1.98412698298579493134e-04
S4, S5, S6 = 2.75573137070700676789e-06, -2.50507602534068634195e-08, 1.58969099521155010221e-10
C1, C2, C3 = 4.16666666666666019037e-02, -1.38888888888741095749e-03, 2.48015872894767294178e-05
C4, C5, C6 = -2.75573143513906633035e-07, 2.08757232129817482790e-09, -1.13596475577881948265e-11


def sine(x: Value) -> Value:
    """Return sin(x) for |x| < 1e6, x in radians.

    >>> float(sine(0.0))
    0.0
    """
    return _turned(x * 1.0, 0)


def cosine(x: Value) -> Value:
    """Return cos(x) for |x| < 1e6, x in radians.

    >>> float(cosine(0.0))
    1.0
    """
    return _turned(x * 1.0, 1)


def _turned(x: Value, ahead: int) -> Value:
    """Return the sine of x plus `ahead` quarters of a turn (fdlibm's kernels on [-pi/4, pi/4])."""
    n = x * TWO_OVER_PI + ROUND
    turn = np.float64(n).view(np.int64) + ahead
    n = n - ROUND
    whole, middle, last = x - n * QUARTER_HIGH, n * QUARTER_MIDDLE, n * QUARTER_LOW
    nearly = whole - middle
    r = nearly - last
    low = ((nearly - r) - last) + ((whole - nearly) - middle)  # what rounding took from r
    z = r * r
    h = 0.5 * z
    s = r + (r * z * (S1 + z * (S2 + z * (S3 + z * (S4 + z * (S5 + z * S6))))) + low * (1.0 - h))
    w = 1.0 - h
    c = w + ((((1.0 - w) - h) - r * low) + z * z * (C1 + z * (C2 + z * (C3 + z * (C4 + z * (C5 + z * C6))))))
    value = where((turn & 1) == 1, c, s)
    return where((turn & 2) == 2, -value, value)


# --- luck: a pure function of (seed, run, step, purpose) -----------------------------------------------------------

# One purpose per use. The numbers a rule asks for beyond the first follow its purpose: purpose + 1, purpose + 2, ...
PURPOSES = [n << 32 for n in range(16)]
STEP, CUT, START, BUILD, LEARN, PREFER, WEIGH, CHOOSE, WORLD, BEGIN, MEMORY, OBSERVE, RANK, SENSE = PURPOSES[:14]
PILOT, EVALUATE = PURPOSES[14:]
ASIDE = 1 << 31  # added where the same rules are asked a second time at a step: at the state of a cut
MANY = 1 << 30  # added for the numbers of all actions that are drawn in the lanes
TWIST = np.uint64(0x1BD11BDAA9FC1A22)
ONE_BITS = np.uint64(0x3FF0000000000000)
JUST_BELOW_ONE = 0.9999999999999999  # 1 - 2**-53: makes the interval open at both ends


def _rotated(word: Any, left: int) -> Any:
    return (word << np.uint64(left)) | (word >> np.uint64(64 - left))


def _four_rounds(x: Any, y: Any, a: int, b: int, c: int, d: int) -> Any:
    x = x + y
    y = _rotated(y, a) ^ x
    x = x + y
    y = _rotated(y, b) ^ x
    x = x + y
    y = _rotated(y, c) ^ x
    x = x + y
    y = _rotated(y, d) ^ x
    return x, y


def random_words(seed: Any, run: Any, step: Any, purpose: Any) -> Any:
    """Return two independent words of 64 random bits: Threefry-2x64 with 13 rounds (Salmon et al., 2011).

    The key is (seed, run), the counter (step, purpose): nothing is stored, nothing is drawn in order.
    """
    key, lock = np.uint64(seed), np.uint64(run)
    last = TWIST ^ key ^ lock
    x, y = np.uint64(step) + key, np.uint64(purpose) + lock
    x, y = _four_rounds(x, y, 16, 42, 12, 31)
    x, y = _four_rounds(x + lock, y + last + np.uint64(1), 16, 32, 24, 21)
    x, y = _four_rounds(x + last, y + key + np.uint64(2), 16, 42, 12, 31)
    x, y = x + key, y + lock + np.uint64(3)
    x = x + y
    return x, _rotated(y, 16) ^ x


def unit(word: Any) -> Value:
    """Return a uniform number in the open interval (0, 1), at least 2**-53 from both ends."""
    return np.uint64((word >> np.uint64(12)) | ONE_BITS).view(np.float64) - JUST_BELOW_ONE


HALF_BITS = 67108864.0  # 2**26


def normal(uniform: Value) -> Value:
    """Return a standard normal made of the two halves of one uniform (Box and Muller, 1958); |normal| < 6.2.

    >>> bool(abs(normal(0.25)) < 7.0)
    True
    """
    radius, s = _radius_and_sine(uniform)
    return radius * s


def two_normals(uniform: Value) -> Any:
    """Return two independent standard normals made of one uniform: both coordinates of Box and Muller's point.

    >>> [bool(abs(x) < 7.0) for x in two_normals(0.25)]
    [True, True]
    """
    radius, s = _radius_and_sine(uniform)
    return radius * (2.0 * s * np.sqrt(abs(1.0 - s * s))), radius * (1.0 - 2.0 * s * s)


def _radius_and_sine(uniform: Value) -> Any:
    """Return the radius that one half of a uniform gives, and the sine of an angle below 90 degrees, the other."""
    h = uniform * HALF_BITS
    first = np.floor(h)
    r = (0.5 - (h - first)) * 3.141592653589793
    z = r * r
    s = r + r * z * (-1 / 6 + z * (1 / 120 + z * (-1 / 5040 + z * (1 / 362880 + z * (
        -1 / 39916800 + z * (1 / 6227020800 + z * (-1 / 1307674368000 + z / 355687428096000)))))))  # fmt: skip
    return np.sqrt(-2.0 * plain_log((first + 0.5) * (1.0 / HALF_BITS))), s


def gumbel(uniform: Value) -> Value:
    """Return a standard Gumbel number: the highest of value + gumbel is a draw from the softmax of the values.

    >>> bool(abs(gumbel(0.5) - 0.36651292) < 1e-8)
    True
    """
    return -plain_log(-plain_log(uniform))


def another_uniform(luck: Luck, number: Any) -> Value:
    """Return extra uniform number `number` = 0, 1, 2, ... of this run and step, for a rule that asks for `luck`."""
    seed, run, step, purpose = luck
    return unit(random_words(seed, run, step, purpose + number)[0])


def another_normal(luck: Luck, number: Any) -> Value:
    """Return extra standard normal `number` of this run and step."""
    return normal(another_uniform(luck, number))


PIECE = 1 << 16  # numbers


class BuildLuck:
    """Random arrays for building the problem of one run: a pure function of (seed, run, order of use).

    among: other runs whose problems are built in the same way. Their numbers are drawn together, which is many times
    faster, and each run still gets its own.
    """

    def __init__(self, seed: int, run: int, purpose: int = BUILD, among: LuckOfMany | None = None) -> None:
        self._many = among or LuckOfMany(seed, [run], purpose)
        self._row, self._used = self._many.row_of[run], 0

    def uniform(self, shape: int | tuple[int, ...] = ()) -> Value:
        """Return uniforms in (0, 1) of this shape."""
        return self._next(shape, self._many.uniforms)

    def normal(self, shape: int | tuple[int, ...] = ()) -> Value:
        """Return standard normals of this shape."""
        return self._next(shape, self._many.normals)

    def _next(self, shape: int | tuple[int, ...], numbers: Any) -> Value:
        size = math.prod(shape) if isinstance(shape, (tuple, list)) else int(shape)
        first, self._used = self._used, self._used + size
        return numbers(first, size)[self._row].reshape(shape).copy()[()]


class LuckOfMany:
    """The building luck of several runs, drawn together and remembered."""

    def __init__(self, seed: int, runs: Any, purpose: int = BUILD) -> None:
        self._seed, self._purpose = np.uint64(seed), purpose
        self._runs = np.asarray(runs, dtype=np.uint64)[:, None]
        self.row_of = {int(run): row for row, run in enumerate(runs)}
        self._drawn: dict[tuple[str, int, int], Value] = {}

    def uniforms(self, first: int, size: int) -> Value:
        """Return the uniforms first, first + 1, ... of every run: [run, size]."""
        key = "uniform", first, size
        if key not in self._drawn:
            self._drawn[key] = np.empty((len(self._runs), size))
            steps = np.arange(first, first + size, dtype=np.uint64)
            for piece in self._pieces(size):
                with np.errstate(over="ignore"):  # words wrap around on purpose
                    words, _ = random_words(self._seed, self._runs, steps[piece], self._purpose)
                self._drawn[key][:, piece] = unit(words)
        return self._drawn[key]

    def normals(self, first: int, size: int) -> Value:
        """Return as many standard normals of every run: [run, size]."""
        key = "normal", first, size
        if key not in self._drawn:
            uniforms = self.uniforms(first, size)
            self._drawn[key] = np.empty_like(uniforms)
            for piece in self._pieces(size):
                self._drawn[key][:, piece] = normal(uniforms[:, piece])
        return self._drawn[key]

    def _pieces(self, size: int) -> Iterator[slice]:
        """Yield columns, so many at a time that what a formula needs in between stays in cache."""
        width = max(PIECE // len(self._runs), 1)
        yield from (slice(start, start + width) for start in range(0, size, width))
