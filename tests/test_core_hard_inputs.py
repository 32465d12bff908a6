"""Every hard input gets its exact answer, from every function that it concerns, and no warning."""

import core_exact as exact
import numpy as np
import pytest
from hard_inputs import HARD, both

from rlsoftmax.core import log_softmax, softmax
from rlsoftmax.errors import ArgumentError

ROWS = pytest.mark.parametrize("row", HARD, ids=lambda row: row.name)


def bound(row, result):
    """2 |gap / tau| + 4 ulp; the gap is read off the answer. A probability of float16 or float32 is rounded once."""
    if result.dtype.itemsize < 8:
        return 0.51
    with np.errstate(all="ignore"):
        gap = np.nan_to_num(-np.log(np.asarray(row.expected, np.float64)), posinf=745.0)
    return 2.0 * gap + 4.0 + 0.5


@ROWS
@pytest.mark.parametrize("precise", [False, True])
def test_softmax_gives_the_exact_answer(row, precise):
    with np.errstate(all="raise"):
        result = np.asarray(softmax(row.x, row.axis, on_empty=row.on_empty, precise=precise, **row.options))
    expected = np.asarray(row.expected)
    assert result.shape == expected.shape
    assert np.array_equal(np.isnan(result), np.isnan(expected))
    wrong = np.abs(result - expected.astype(result.dtype)) / np.spacing(np.maximum(expected.astype(result.dtype), 0))
    limit = 4.5 if precise and result.dtype.itemsize == 8 else bound(row, result)
    if result.dtype == np.longdouble:  # the table is in float64
        wrong, limit = np.abs(result - expected) / np.spacing(expected), 1.0
    if not (precise and (row.base or row.log_prior)):
        assert np.all(np.isnan(wrong) | (wrong <= limit)), (result, expected)


def is_plain(row):
    """One row of 64-bit numbers with an answer, and no prior (added after rounding: its bound is absolute)."""
    one = np.ndim(row.x) == np.ndim(row.expected) == 1 and np.size(row.x) and row.log_prior is None
    return one and np.asarray(row.x).dtype.itemsize == 8 and np.sum(row.expected) > 0.0


@pytest.mark.parametrize("row", [row for row in HARD if is_plain(row)], ids=lambda row: row.name)
def test_log_softmax_is_accurate_in_relative_terms(row):
    answer = exact.log_softmax(list(np.asarray(row.x)), **row.options)
    assert np.max(exact.ulps(log_softmax(row.x, **row.options), answer)) <= 4.0


@ROWS
def test_the_types_are_kept(row):
    kind = np.asarray(row.x).dtype
    result = np.asarray(softmax(row.x, row.axis, on_empty=row.on_empty, **row.options))
    assert result.dtype == (kind.newbyteorder("=") if kind.kind == "f" else np.float64)


@ROWS
def test_the_input_is_not_touched(row):
    x = np.array(row.x)
    x.flags.writeable = False
    before = x.tobytes()
    softmax(x, row.axis, on_empty=row.on_empty, **row.options)
    assert x.tobytes() == before


@ROWS
def test_log_softmax_gives_the_exact_answer(row):
    x = np.asarray(row.x)
    with np.errstate(all="raise"):
        result = np.asarray(log_softmax(row.x, row.axis, on_empty=row.on_empty, **row.options))
    with np.errstate(divide="ignore"):
        expected = np.log(np.asarray(row.expected, np.float64))
    tiny = {"rtol": 1e-12, "atol": 1e-12} if x.dtype.itemsize >= 4 else {"rtol": 1e-3, "atol": 1e-3}
    tiny = {"rtol": 1e-6, "atol": 1e-6} if result.dtype == np.float32 else tiny
    sure = ~(expected < -700.0)  # beyond, the table has lost what the logarithm keeps
    np.testing.assert_allclose(result[sure], expected[sure], **tiny)


@pytest.mark.parametrize("function", [softmax, log_softmax])
@pytest.mark.parametrize(
    ("x", "options"),
    [
        ([-np.inf, -np.inf], {}),
        ([1.0, 2.0], {"where": [False, False]}),
        ([[1.0, 2.0], [-np.inf, -np.inf]], {"tau": np.inf}),
        ([1.0, 2.0], {"log_prior": [-np.inf, -np.inf]}),
    ],
)
def test_nothing_allowed_is_an_error_unless_declared(function, x, options):
    with pytest.raises(ArgumentError, match="no allowed entry"):
        function(x, **options)


def test_the_table_is_large_and_its_names_are_unique():
    assert len(HARD) >= 150
    assert len({row.name for row in HARD}) == len(HARD)
    assert len(both()) >= 60


def test_the_answers_of_the_table_are_those_of_mpmath():
    for values, tau, expected in both():
        if values.size <= 300:
            assert np.max(exact.ulps(expected, exact.softmax(list(values), tau=tau))) <= 0.51


def test_sums_of_float32_do_not_saturate():
    """Along axis 0 the sum of 2^24 ones stops growing in float32: columns then sum to 1.25."""
    p = softmax(np.zeros((20971520, 2), np.float32), axis=0)
    assert p.dtype == np.float32
    assert np.all(p == np.float32(1 / 20971520))


def test_a_long_row_of_float32_is_rounded_once():
    x = np.random.default_rng(5).standard_normal(1 << 21).astype(np.float32)
    expected = softmax(x.astype(np.float64), precise=True).astype(np.float32)
    assert np.array_equal(softmax(x), expected)
