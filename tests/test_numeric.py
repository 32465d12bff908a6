"""numeric.py: accuracy against mpmath, and one result for scalar, array and compiled loop."""

import math

import mpmath
import numba
import numpy as np
import pytest

from rlsoftmax import numeric
from rlsoftmax.numeric import BuildLuck, another_normal, another_uniform, normal, random_words, unit

rng = np.random.default_rng(20260101)
SPAN = rng.uniform(-740.0, 709.0, 3000)
NEAR_ONE = 1.0 + rng.normal(size=2000) * 0.02
ANGLES = np.concatenate([rng.uniform(-1e6, 1e6, 2000), rng.uniform(-4.0, 4.0, 2000)])
POSITIVE = np.ldexp(rng.uniform(0.5, 1.0, 3000), rng.integers(-1070, 1023, 3000))


def worst_ulp(found, exact, arguments):
    """Return the largest error in units of the last place of the exact result."""
    worst = 0.0
    with mpmath.workprec(160):
        for y, x in zip(found, arguments, strict=True):
            truth = exact(mpmath.mpf(float(x)))
            nearest = float(truth)
            if math.isfinite(nearest) and nearest != 0.0:
                worst = max(worst, float(abs(mpmath.mpf(float(y)) - truth) / mpmath.mpf(math.ulp(nearest))))
    return worst


@pytest.mark.parametrize(
    ("name", "exact", "arguments"),
    [
        ("exp", mpmath.exp, SPAN),
        ("exp2", lambda x: mpmath.power(2, x), SPAN * 1.4),
        ("log", mpmath.log, POSITIVE),
        ("log", mpmath.log, NEAR_ONE),
        ("sine", mpmath.sin, ANGLES),
        ("cosine", mpmath.cos, ANGLES),
    ],
)
def test_error_is_at_most_two_ulp(name, exact, arguments):
    with np.errstate(all="ignore"):
        found = getattr(numeric, name)(arguments)
    assert worst_ulp(found, exact, arguments) <= 2.0


def test_decay_is_within_two_ulp_and_zero_below_the_smallest_weight():
    arguments = -rng.uniform(0.0, 707.0, 2000)
    assert worst_ulp([numeric.decay(x) for x in arguments], mpmath.exp, arguments) <= 2.0
    assert [float(numeric.decay(x)) for x in (0.0, -708.5, -1e300, -math.inf)] == [1.0, 0.0, 0.0, 0.0]


def test_power_is_within_its_bound():
    x, y = rng.uniform(0.1, 50.0, 2000), rng.uniform(-20.0, 20.0, 2000)
    found = numeric.power(x, y)
    with mpmath.workprec(160):
        for power, base, exponent in zip(found, x, y, strict=True):
            truth = mpmath.power(mpmath.mpf(float(base)), mpmath.mpf(float(exponent)))
            error = float(abs(mpmath.mpf(float(power)) - truth) / mpmath.mpf(math.ulp(float(truth))))
            assert error <= 1.2 + abs(exponent * math.log(base))


@pytest.mark.parametrize(
    ("name", "argument", "expected"),
    [
        ("exp", -math.inf, 0.0), ("exp", math.inf, math.inf), ("exp", 0.0, 1.0), ("exp", math.nan, math.nan),
        ("exp", -745.2, 0.0), ("exp", 709.8, math.inf),
        ("exp2", -1080.0, 0.0), ("exp2", 10.0, 1024.0), ("exp2", math.inf, math.inf), ("exp2", math.nan, math.nan),
        ("log", 0.0, -math.inf), ("log", math.inf, math.inf), ("log", -1.0, math.nan), ("log", 1.0, 0.0),
        ("log", 5e-324, math.log(5e-324)), ("log", math.nan, math.nan),
    ],
)  # fmt: skip
def test_limits_are_exact_and_silent(name, argument, expected):
    with np.errstate(over="ignore", invalid="ignore"):
        found = float(getattr(numeric, name)(np.float64(argument)))
    assert found == expected or (math.isnan(found) and math.isnan(expected))


def over(function):
    """Return the function as a compiled loop over an array."""
    inner = numba.njit(error_model="numpy")(function)

    @numba.njit(error_model="numpy")
    def loop(x):
        out = np.empty_like(x)
        for i in range(x.size):
            out[i] = inner(x[i])
        return out

    return loop


def test_the_plain_logarithm_has_the_bits_of_the_other():
    x = np.concatenate([POSITIVE[(POSITIVE >= 2.3e-308) & (POSITIVE < np.inf)], np.linspace(0.5, 2.0, 10_001)])
    with np.errstate(over="ignore"):
        assert numeric.plain_log(x).tobytes() == numeric.log(x).tobytes()


def test_gumbel_numbers_are_the_quantiles_of_their_law():
    for u in (2.0**-53, 1e-3, 0.25, mpmath.exp(-1), 0.9, 1.0 - 2.0**-53):
        expected = -mpmath.log(-mpmath.log(mpmath.mpf(float(u))))
        assert abs(float(numeric.gumbel(float(u))) - expected) <= 1e-15 * max(1.0, abs(expected))


def compile_in_place(monkeypatch, *names):
    for name in names:
        monkeypatch.setattr(numeric, name, numba.njit(error_model="numpy")(getattr(numeric, name)))


@pytest.mark.compiled
@pytest.mark.parametrize(
    ("name", "arguments"), [("exp", SPAN), ("exp2", SPAN), ("log", POSITIVE), ("sine", ANGLES), ("cosine", ANGLES)]
)
def test_scalar_array_and_compiled_loop_have_the_same_bits(monkeypatch, name, arguments):
    with np.errstate(all="ignore"):
        array = getattr(numeric, name)(arguments)
        scalar = np.array([getattr(numeric, name)(float(x)) for x in arguments])
    compile_in_place(monkeypatch, "where", "_series", "_scaled", "_turned", "_log_pair", "_log_of_normal")
    compiled = over(getattr(numeric, name))(arguments)
    assert array.tobytes() == scalar.tobytes() == compiled.tobytes()


def test_threefry_is_a_bijection_of_its_counter_and_depends_on_every_bit():
    with np.errstate(over="ignore"):
        steps = np.arange(20000, dtype=np.uint64)
        x, y = random_words(3, 5, steps, 7)
        assert len(set(zip(x.tolist(), y.tolist(), strict=True))) == len(steps)
        flips = [random_words(3 ^ (1 << b), 5, 9, 7)[0] ^ random_words(3, 5, 9, 7)[0] for b in range(64)]
    changed = np.array([int(flip).bit_count() for flip in flips])
    assert 24 < changed.mean() < 40  # half of 64 bits; six standard errors are 3


def test_luck_is_uniform_along_steps_and_along_runs():
    # Kolmogorov-Smirnov by the DKW bound: false alarm 1e-9 for each of the four
    n = 200_000
    bound = math.sqrt(math.log(2 / 1e-9) / (2 * n))
    many = np.arange(n, dtype=np.uint64)
    with np.errstate(over="ignore"):
        streams = [*random_words(1, 2, many, 0), *random_words(1, many, 2, 0)]
    for words in streams:
        u = np.sort(unit(words))
        distance = np.abs(u - (np.arange(n) + 0.5) / n).max()
        assert distance < bound + 1 / n


def test_unit_never_reaches_the_ends():
    words = np.array([0, 2**64 - 1], dtype=np.uint64)
    assert unit(words).tolist() == [2.0**-53, 1.0 - 2.0**-53]


def test_normal_has_the_moments_and_the_tail_of_a_standard_normal():
    n = 400_000
    z = BuildLuck(11, 0).normal(n)
    # mean, variance, skewness and kurtosis within 6 standard errors each: false alarm below 1e-8
    assert abs(z.mean()) < 6 / math.sqrt(n)
    assert abs(z.var() - 1.0) < 6 * math.sqrt(2 / n)
    assert abs((z**3).mean()) < 6 * math.sqrt(15 / n)
    assert abs((z**4).mean() - 3.0) < 6 * math.sqrt(96 / n)
    expected = n * math.erfc(3 / math.sqrt(2))
    assert abs((np.abs(z) > 3).sum() - expected) < 6 * math.sqrt(expected)
    assert np.abs(normal(np.array([2.0**-53, 1 - 2.0**-53]))).max() < 6.3


def test_extra_numbers_are_new_numbers():
    luck = (1, 2, 3, numeric.LEARN)
    with np.errstate(over="ignore"):
        numbers = {float(another_uniform(luck, k)) for k in range(100)} | {
            float(another_normal(luck, k)) for k in range(100)
        }
    assert len(numbers) == 200


@pytest.mark.parametrize("shape", [6, np.int64(6), (2, 3), [2, 3], (6,)])
def test_a_shape_may_be_given_in_any_of_the_usual_ways(shape):
    found = BuildLuck(5, 1).uniform(shape)
    assert found.shape == np.empty(shape).shape
    assert found.ravel().tolist() == BuildLuck(5, 1).uniform(6).tolist()


def test_building_luck_depends_on_the_order_of_use_alone():
    whole, parts = BuildLuck(5, 1).uniform(6), BuildLuck(5, 1)
    np.testing.assert_array_equal(whole, np.concatenate([parts.uniform(2), parts.uniform((2, 2)).ravel()]))
