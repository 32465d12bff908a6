"""Properties of the softmax core that hold bit for bit, found or refuted by hypothesis."""

import threading

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rlsoftmax.core import entropy_of, kl_of, log_softmax, sample, softmax
from rlsoftmax.errors import ArgumentError

settings.register_profile("core", deadline=None, max_examples=150, derandomize=True)
settings.load_profile("core")

SIZES = st.integers(1, 70)
VALUES = st.floats(-1e6, 1e6, allow_subnormal=False)
TEMPERATURES = st.one_of(st.just(0.0), st.just(np.inf), st.floats(1e-3, 1e3))


def rows(elements=VALUES, sizes=SIZES):
    return sizes.flatmap(lambda n: hnp.arrays(np.float64, n, elements=elements))


@given(rows(), TEMPERATURES, st.integers(0, 2**32 - 1))
def test_equal_values_get_equal_bits(x, tau, seed):
    order = np.random.default_rng(seed).integers(0, x.size, 2 * x.size)
    x = x[order]  # many repeats
    for result in (softmax(x, tau=tau), log_softmax(x, tau=tau), softmax(x, tau=tau, precise=True)):
        for value in np.unique(x):
            assert len(np.unique(result[x == value])) == 1


@given(rows(), TEMPERATURES, st.integers(0, 2**32 - 1))
def test_a_permutation_changes_at_most_one_bit(x, tau, seed):
    order = np.random.default_rng(seed).permutation(x.size)
    moved, kept = softmax(x[order], tau=tau), softmax(x, tau=tau)[order]
    assert np.all(np.abs(moved - kept) <= np.spacing(kept))


@given(rows(), TEMPERATURES, st.integers(1, 300), st.integers(0, 2**32 - 1), st.sampled_from([np.float64, np.float32]))
def test_a_row_does_not_depend_on_its_batch(x, tau, count, seed, dtype):
    rng = np.random.default_rng(seed)
    x = x.astype(dtype)
    batch = rng.standard_normal((count, x.size)).astype(dtype)
    row = rng.integers(count)
    batch[row] = x
    if count > 3:
        batch[(row + 1) % count] = np.nan
        batch[(row + 2) % count] = np.inf
    for function in (softmax, log_softmax):
        alone = function(x, tau=tau)
        assert np.array_equal(function(batch, tau=tau)[row], alone)
        assert np.array_equal(function(np.asfortranarray(batch), tau=tau)[row], alone)
        assert np.array_equal(function(batch.T, 0, tau=tau)[:, row], alone)
        assert np.array_equal(function(batch[::-1, ::-1], tau=tau)[count - 1 - row], function(x[::-1], tau=tau))


@given(rows(st.integers(-(2**20), 2**20).map(float)), TEMPERATURES, st.integers(-(2**30), 2**30), st.integers(-20, 20))
def test_a_representable_shift_changes_no_bit(x, tau, shift, scale):
    x, shift = np.ldexp(x, scale), np.ldexp(float(shift), scale)
    assert np.array_equal(softmax(x + shift, tau=tau), softmax(x, tau=tau))
    assert np.array_equal(softmax((x + shift), tau=tau, precise=True), softmax(x, tau=tau, precise=True))
    assert np.array_equal(log_softmax(x + shift, tau=tau), log_softmax(x, tau=tau))


@given(rows(), TEMPERATURES, st.integers(-300, 300))
def test_a_power_of_two_in_both_values_and_temperature_changes_no_bit(x, tau, power):
    assert np.array_equal(softmax(np.ldexp(x, power), tau=np.ldexp(tau, power)), softmax(x, tau=tau))


@given(rows(), TEMPERATURES, st.integers(0, 2**32 - 1))
def test_what_is_masked_is_exactly_zero_and_never_read(x, tau, seed):
    rng = np.random.default_rng(seed)
    where = rng.random(x.size) < 0.6
    where[rng.integers(x.size)] = True
    payload = np.where(where, x, rng.choice([np.nan, np.inf, -np.inf, 1e308, 0.0], x.size))
    result = softmax(payload, tau=tau, where=where)
    assert np.all(result[~where] == 0.0)
    assert np.array_equal(result, softmax(np.where(where, x, -np.inf), tau=tau))
    np.testing.assert_allclose(result[where], softmax(x[where], tau=tau), rtol=4e-16)


@given(rows(), TEMPERATURES)
def test_probabilities_sum_to_one_and_keep_the_order(x, tau):
    result = softmax(x, tau=tau)
    assert abs(result.sum() - 1.0) <= x.size * 2.3e-16
    order = np.argsort(x)
    assert np.all(np.diff(result[order]) >= 0.0)


@given(rows(), rows(), TEMPERATURES)
def test_divergence_is_never_negative_and_zero_only_at_home(x, y, tau):
    size = min(x.size, y.size)
    assert kl_of(x[:size], y[:size], tau=tau) >= 0.0
    assert kl_of(x, x, tau=tau) == 0.0


@given(rows(), TEMPERATURES)
def test_entropy_lies_between_its_limits(x, tau):
    entropy = entropy_of(x, tau=tau)
    assert np.log(np.sum(x == x.max())) * (1 - 1e-15) <= entropy <= np.log(x.size) * (1 + 1e-15)


@given(rows(st.one_of(VALUES, st.just(-np.inf))), TEMPERATURES, st.floats(0.0, 1.0, exclude_max=True))
def test_a_weight_of_zero_is_never_drawn(x, tau, u):
    assume(np.any(x > -np.inf))
    weights = softmax(x, tau=tau)
    for luck in (u, 0.0, np.nextafter(1.0, 0.0)):
        assert weights[sample(x, tau, u=luck)] > 0.0


@given(hnp.arrays(np.float32, st.integers(1, 40), elements=st.floats(-1000, 1000, width=32)), st.floats(0.01, 100.0))
def test_float32_is_rounded_once(x, tau):
    wide = softmax(x.astype(np.float64), tau=tau, precise=True)
    unit = np.spacing(wide.astype(np.float32)).astype(np.float64)
    assert np.all(np.abs(softmax(x, tau=tau) - wide) <= 0.51 * unit)
    assert softmax(x, tau=tau).dtype == np.float32


def matrices(dtype):
    width = np.dtype(dtype).itemsize * 8
    elements = st.one_of(st.floats(-1000, 1000, width=width), st.floats(-8, 8, width=width), st.just(-np.inf))
    return hnp.arrays(dtype, st.tuples(st.integers(1, 5), st.integers(1, 40)), elements=elements)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@given(data=st.data(), tau=st.one_of(st.floats(1e-3, 1e3), st.sampled_from([0.0, np.inf, 5e-324, 1e308])))
def test_rows_of_narrow_floats_are_rounded_once_wherever_their_best_lies(dtype, data, tau):
    """The first value may lie any number of temperatures above or below the best one, or not be allowed at all."""
    x = data.draw(matrices(dtype))
    x[:, -1] = np.where(np.all(x == -np.inf, axis=1), 0.0, x[:, -1])
    wide = softmax(x.astype(np.float64), tau=tau, precise=True)
    unit = np.spacing(wide.astype(dtype)).astype(np.float64)
    found = softmax(x, tau=tau)
    assert found.dtype == dtype
    assert np.all(np.abs(found - wide) <= 0.51 * unit)
    assert np.array_equal(found, [softmax(row, tau=tau) for row in x])
    allowed = x > -8.0
    allowed[:, -1] = True
    masked = softmax(x, tau=tau, where=allowed, on_empty="zeros")
    assert np.array_equal(masked, softmax(np.where(allowed, x, -np.inf), tau=tau, on_empty="zeros"))


@given(
    hnp.arrays(np.float32, st.tuples(st.integers(2, 4), st.integers(1, 40)), elements=st.integers(-999, 999)),
    TEMPERATURES,
)
def test_a_representable_shift_changes_no_bit_of_float32(x, tau):
    assert np.array_equal(softmax(x + np.float32(1024.0), tau=tau), softmax(x, tau=tau))


@given(hnp.arrays(np.float16, st.integers(1, 40), elements=st.floats(-1000, 1000, width=16)), st.floats(0.01, 100.0))
def test_float16_is_rounded_once(x, tau):
    wide = softmax(x.astype(np.float64), tau=tau, precise=True)
    unit = np.spacing(wide.astype(np.float16)).astype(np.float64)
    assert np.all(np.abs(softmax(x, tau=tau) - wide) <= 0.51 * unit)


@pytest.mark.parametrize("length", [1, 3, 4, 5, 31, 32, 33, 255, 256, 257, 1000, 16384, 16385, 70000])
def test_fast_blocks_and_careful_rows_have_the_same_bits(length):
    """beta = -1 goes the careful way, tau = 1 the fast one."""
    x = np.random.default_rng(length).standard_normal((3, length))
    assert np.array_equal(softmax(x), softmax(-x, beta=-1.0))
    assert np.array_equal(softmax(x)[1], softmax(x[1]))


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("tau", [0.0, np.inf, 1e-3, 5e-324, 1e300])
@pytest.mark.parametrize("length", [1, 2, 5, 32, 33, 300])
def test_a_limit_for_all_rows_has_the_bits_of_the_limit_of_each_row(length, tau, dtype):
    """One temperature goes the fast way, also at its ends; one per row, one of them turned, goes the careful way."""
    x = np.random.default_rng(length).integers(-3, 4, (40, length)).astype(dtype)
    for row, odd in enumerate((np.nan, np.inf, -np.inf)):
        x[row, 0] = x[row + 3, -1] = odd
    with np.errstate(all="ignore"):
        each = np.divide(np.where(np.arange(40) == 39, -1.0, 1.0), tau)
    together = softmax(x, tau=tau, on_empty="zeros")
    assert np.array_equal(together[:39], softmax(x, beta=each, on_empty="zeros")[:39], equal_nan=True)
    alone = [softmax(row, tau=tau, on_empty="zeros") for row in x]
    assert np.array_equal(together, alone, equal_nan=True)


def test_threads_do_not_disturb_each_other():
    x = np.random.default_rng(0).standard_normal((400, 37))
    expected, seen = softmax(x, tau=0.3), []
    workers = [threading.Thread(target=lambda: seen.append([softmax(x, tau=0.3) for _ in range(30)])) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(seen) == 8
    assert all(np.array_equal(result, expected) for results in seen for result in results)


def test_the_callers_floating_point_state_is_neither_used_nor_changed():
    with np.errstate(all="raise"):
        before = np.geterr()
        softmax([1e308, -1e308, 0.0], tau=1e-300)
        softmax(np.array([[0.0, -720.0, -744.0]] * 3))
        softmax(np.array([0.0, -720.0]))
        log_softmax(np.array([0.0, -720.0], np.float16))
        assert np.geterr() == before


def test_out_is_written_and_returned():
    x = np.random.default_rng(1).standard_normal((4, 5))
    expected = softmax(x, tau=0.5)
    for out in (np.empty((4, 5)), np.empty((5, 4)).T, np.empty((4, 5), np.float32)):
        assert softmax(x, tau=0.5, out=out) is out
        np.testing.assert_allclose(out, expected, rtol=1e-7)
    alias = x.copy()
    assert np.array_equal(softmax(alias, tau=0.5, out=alias), expected)
    row = np.empty(5)
    assert np.array_equal(softmax(x[0], tau=0.5, out=row), expected[0])


BAD = [
    ({"tau": -1.0}, "tau must be >= 0, got -1.0"),
    ({"tau": np.nan}, "tau must be >= 0, got nan"),
    ({"tau": [1.0, -2.0]}, "tau must be >= 0, got -2.0"),
    ({"tau": "warm"}, "tau must be a number"),
    ({"tau": [1.0, 2.0, 3.0]}, "shapes do not fit"),
    ({"beta": np.nan}, "beta must be a number, got nan"),
    ({"base": 0.0}, "base must be > 0, got 0.0"),
    ({"base": -2.0}, "base must be > 0, got -2.0"),
    ({"tau": 1.0, "beta": 1.0}, "at most one of tau, beta and base may be given, got tau and beta"),
    ({"tau": 1.0, "base": 2.0}, "got tau and base"),
    ({"on_empty": "zero"}, "on_empty must be 'raise', 'nan' or 'zeros', got 'zero'. Did you mean 'zeros'"),
    ({"axis": 2}, "axis must be whole numbers within the 2 dimensions"),
    ({"axis": (0, 0)}, "axis must not repeat"),
    ({"axis": 0.5}, "axis must be whole numbers"),
    ({"where": [1, 0, 1]}, "where must be boolean"),
    ({"where": [True, False]}, "shapes do not fit"),
    ({"log_prior": [0.0, 0.0]}, "shapes do not fit"),
    ({"out": np.empty(3)}, "out must be an array of shape"),
]


@pytest.mark.parametrize(("options", "message"), BAD)
def test_bad_arguments_are_named_with_rule_and_value(options, message):
    x = np.zeros((2, 3))
    with pytest.raises(ArgumentError) as caught:
        softmax(x, **options)
    assert message in str(caught.value)
    assert isinstance(caught.value, ValueError)
    assert np.all(x == 0.0)


@pytest.mark.parametrize("x", [[1 + 2j], ["a"], [None], [[1.0], [1.0, 2.0]], np.array(["2020-01-01"], "M8[D]")])
def test_what_is_not_a_real_number_is_refused(x):
    with pytest.raises(ArgumentError, match="x must be an array of"):
        softmax(x)


def test_negative_beta_and_log_of_zero_need_no_warning():
    assert softmax([0.0, -np.inf], beta=-np.inf)[1] == 0.0
