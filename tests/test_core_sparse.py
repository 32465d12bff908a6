"""Sparse maps against the conditions that define them, a bisection in mpmath, and their neighbours in alpha."""

import mpmath
import numpy as np
import pytest
from hard_inputs import HARD

from rlsoftmax import core
from rlsoftmax.errors import ArgumentError

SEED = 60
INF = np.inf
ALPHAS = [1.0, 1.0 + 1e-9, 1.01, 1.3, 1.5, 1.9, 2.0, 2.5, 4.0, 30.0, INF]
EVERY_ALPHA = pytest.mark.parametrize("alpha", ALPHAS)


def exact_entmax(x, alpha):
    """Return p = [1 + a (x - c)]_+ ** (1 / a) with c found by bisection at 50 digits."""
    with mpmath.workdps(50):
        x, a = [mpmath.mpf(v) - mpmath.mpf(max(x)) for v in x], mpmath.mpf(alpha) - 1
        if a == 0:
            w = [mpmath.exp(v) for v in x]
            return [float(v / mpmath.fsum(w)) for v in w]

        def p(c):
            return [max(mpmath.mpf(0), 1 + a * (v - c)) ** (1 / a) for v in x]

        low, high = mpmath.mpf(0), mpmath.log(len(x)) + 1
        for _ in range(170):
            middle = (low + high) / 2
            low, high = (middle, high) if mpmath.fsum(p(middle)) > 1 else (low, middle)
        return [float(v) for v in p(low)]


@EVERY_ALPHA
def test_entmax_is_the_solution(alpha):
    rng = np.random.default_rng(SEED)
    for size in (1, 2, 3, 5, 12):
        x = rng.standard_normal(size) * rng.choice([0.1, 1.0, 5.0])
        result = core.entmax(x, alpha)
        expected = np.where(x == x.max(), 1.0, 0.0) if alpha == INF else exact_entmax(x, alpha)
        np.testing.assert_allclose(result, expected, rtol=1e-12, atol=4 * 2.3e-16)


@EVERY_ALPHA
def test_ties_limits_masks_and_infinities(alpha):
    assert np.array_equal(core.entmax([3.0, 3.0, -INF], alpha), [0.5, 0.5, 0.0])
    assert np.array_equal(core.entmax([1.0, 5.0, 5.0], alpha, tau=0.0), [0.0, 0.5, 0.5])
    np.testing.assert_allclose(core.entmax([1.0, 5.0, -INF], alpha, tau=INF), [0.5, 0.5, 0.0], atol=1e-16)
    assert np.array_equal(core.entmax([INF, 0.0], alpha), [1.0, 0.0])
    assert np.array_equal(core.entmax([np.nan, 9.0, 9.0], alpha, where=[False, True, True]), [0.0, 0.5, 0.5])
    assert np.all(np.isnan(core.entmax([[np.nan, 1.0], [0.0, 0.0]], alpha)[0]))
    assert np.array_equal(core.entmax([[np.nan, 1.0], [0.0, 0.0]], alpha)[1], [0.5, 0.5])
    assert np.array_equal(core.entmax([-INF, -INF], alpha, on_empty="zeros"), [0.0, 0.0])
    with pytest.raises(ArgumentError, match="no allowed entry"):
        core.entmax([-INF, -INF], alpha)
    assert core.entmax(np.zeros((2, 0)), alpha).shape == (2, 0)
    assert core.entmax(np.array([3, 3], np.int8), alpha).dtype == np.float64
    assert core.entmax(np.array([3, 1], np.float32), alpha).dtype == np.float32


@pytest.mark.parametrize("alpha", [1.0, 1.25, 1.5, 2.0, 3.0, INF])
@pytest.mark.parametrize(
    "row", [r for r in HARD if r.log_prior is None and r.base is None and r.beta is None], ids=lambda r: r.name
)
def test_hard_inputs_have_sparse_answers(row, alpha):
    """Sums to one, keeps the order, and supports no more than softmax does at a huge temperature."""
    if np.size(row.x) > 5000:
        return
    with np.errstate(all="raise"):
        p = np.asarray(core.entmax(row.x, alpha, row.axis, on_empty=row.on_empty, **row.options), np.float64)
    expected = np.asarray(row.expected, np.float64)
    assert p.shape == expected.shape
    assert np.array_equal(np.isnan(p), np.isnan(expected))
    axis = None if row.axis is None else row.axis
    total = p.sum(axis) if p.ndim else p
    tolerance = (
        5e-2 if np.asarray(row.x).dtype == np.float16 else 1e-6 if np.asarray(row.x).dtype.itemsize <= 4 else 1e-13
    )
    good = ~np.isnan(total) & (np.asarray(expected.sum(axis) if expected.ndim else expected) > 0)
    assert np.all(np.abs(total - 1.0)[good] <= tolerance)


def test_alpha_is_continuous_across_one():
    x = np.random.default_rng(SEED).standard_normal((50, 6)) * 3
    softmax = core.softmax(x)
    for step in (1e-12, 1e-9, 1e-6):
        assert np.abs(core.entmax(x, 1.0 + step) - softmax).max() <= 10 * step + 1e-15
    np.testing.assert_array_equal(core.entmax(x, 1.0), core.entmax(x, 1.0))
    np.testing.assert_allclose(core.entmax(x, 1.0), softmax, rtol=1e-15)
    for alpha in (1.5, 2.0):
        assert np.abs(core.entmax(x, alpha) - core.entmax(x, alpha + 1e-9)).max() <= 1e-8


def test_sparsemax_is_the_projection_on_the_simplex():
    """Textbook: sparsemax(1.1, 0.1, 0) = (1, 0, 0); (1, 0.8, -1) = (0.6, 0.4, 0)."""
    np.testing.assert_allclose(core.sparsemax([1.1, 0.1, 0.0]), [1.0, 0.0, 0.0], atol=1e-15)
    np.testing.assert_allclose(core.sparsemax([1.0, 0.8, -1.0]), [0.6, 0.4, 0.0], atol=1e-15)
    x = np.random.default_rng(SEED).standard_normal((200, 7))
    p = core.sparsemax(x)
    other = np.random.default_rng(SEED + 1).dirichlet(np.ones(7), 200)
    assert np.all(((x - p) * (other - p)).sum(-1) <= 1e-14)  # variational inequality of a projection


@pytest.mark.parametrize("alpha", [1.0, 1.2, 1.5, 2.0, 3.0])
def test_gradients_match_differences(alpha):
    rng = np.random.default_rng(SEED + 2)
    x, v, h = np.array([0.9, 0.4, 0.1, -3.0]), rng.standard_normal(4), 1e-6
    tau = 1.3
    numeric = [
        (core.entmax(x + d, alpha, tau=tau) - core.entmax(x - d, alpha, tau=tau)) @ v / (2 * h) for d in np.eye(4) * h
    ]
    np.testing.assert_allclose(core.entmax_vjp(x, v, alpha, tau=tau), numeric, rtol=2e-7, atol=1e-9)
    if alpha > 1.0:
        slope = (core.entmax(x, alpha + h, tau=tau) - core.entmax(x, alpha - h, tau=tau)) / (2 * h)
    else:
        slope = (core.entmax(x, 1.0 + h, tau=tau) - core.entmax(x, 1.0, tau=tau)) / h
    np.testing.assert_allclose(core.entmax_dalpha(x, alpha, tau=tau), slope, rtol=1e-4, atol=1e-7)
    assert abs(core.entmax_dalpha(x, alpha, tau=tau).sum()) <= 1e-15


def test_gradients_do_not_read_what_is_outside_and_vanish_in_the_limits():
    x = [1.0, 0.9, -5.0, -INF]
    assert np.all(np.isfinite(core.entmax_vjp(x, [1.0, 0.0, np.nan, np.inf], 2.0)))
    assert np.all(core.entmax_vjp(x, [1.0, 0.0, 0.0, 0.0], 2.0, tau=0.0) == 0.0)
    assert np.all(core.entmax_vjp([-INF, -INF], [1.0, 0.0], 1.5) == 0.0)
    assert np.all(core.entmax_dalpha(x, INF) == 0.0)
    np.testing.assert_allclose(
        core.entmax_vjp(x[:3], [1.0, 0.0, 0.0], 1.0), core.softmax_vjp(x[:3], [1.0, 0.0, 0.0]), rtol=1e-14
    )


@pytest.mark.parametrize("alpha", [1.0, 1.25, 1.5, 2.0, 3.0])
@pytest.mark.parametrize("tau", [0.3, 1.0, 4.0])
def test_support_and_threshold_agree_with_the_probabilities(alpha, tau):
    x = np.random.default_rng(SEED).standard_normal((60, 8))
    p = core.entmax(x, alpha, tau=tau)
    assert np.array_equal(core.entmax_support_size(x, alpha, tau=tau), (p > 0.0).sum(-1))
    threshold = core.entmax_threshold(x, alpha, tau=tau)[:, None]
    assert np.all((x > threshold + 1e-12) <= (p > 0.0))
    assert np.all((p > 0.0) <= (x > threshold - 1e-12))


def test_alpha_below_one_is_refused():
    for alpha in (0.5, -1.0, np.nan):
        with pytest.raises(ArgumentError, match="alpha must be >= 1"):
            core.entmax([0.0, 1.0], alpha)
