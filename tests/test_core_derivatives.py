"""Derivatives against mpmath's, against each other, and where limits and masks make others return NaN."""

import mpmath
import numpy as np
import pytest
from hard_inputs import HARD

from rlsoftmax import core

SEED = 40
INF = np.inf
CASES = [  # values, temperature
    ([0.3, -1.1, 0.9, 0.2], 0.7),
    ([5.0, 0.0, -30.0], 1.0),
    ([200.0, 200.5], 0.1),
    ([40.0, 0.0], 1.0),
    ([1.0, 1.0, 0.0, 0.0, -2.0], 3.0),
    ([1e-8, 0.0, 2e-8], 1e-8),
    ([3e7, 3e7 + 1.0], 0.5),
]
EVERY_CASE = pytest.mark.parametrize(("x", "tau"), CASES)


def exact_softmax(x, tau):
    best = max(x)
    w = [mpmath.exp((v - best) / tau) for v in x]
    return [v / mpmath.fsum(w) for v in w]


def close(result, exact, rtol=1e-13):
    scale = max(abs(v) for v in exact)
    for r, e in zip(np.ravel(result), exact, strict=True):
        assert abs(r - e) <= rtol * abs(e) + 1e-16 * rtol * scale, (r, e)


@EVERY_CASE
def test_jacobian_and_its_products_are_accurate(x, tau):
    rng = np.random.default_rng(SEED)
    v = rng.standard_normal(len(x))
    gaps = (max(x) - np.array(x)) / tau
    rtol = 1e-13 + 1e-15 * gaps.max()
    with mpmath.workdps(60):
        mx, mt = [mpmath.mpf(a) for a in x], mpmath.mpf(tau)
        p = exact_softmax(mx, mt)
        jacobian = [
            [(p[i] * (1 - p[j]) if i == j else -p[i] * p[j]) / mt for j in range(len(x))] for i in range(len(x))
        ]
        product = [mpmath.fsum(row[j] * mpmath.mpf(v[j]) for j in range(len(x))) for row in jacobian]
        fisher = [entry / mt for row in jacobian for entry in row]
    close(core.softmax_jacobian(x, tau=tau), [entry for row in jacobian for entry in row], rtol)
    close(core.softmax_fisher(x, tau=tau), fisher, rtol)
    close(core.softmax_jvp(x, v, tau=tau), product, 20 * rtol)
    close(core.softmax_vjp(x, v, tau=tau), product, 20 * rtol)
    beta = 1.0 / tau
    np.testing.assert_allclose(core.softmax_jvp(x, v, beta=beta), core.softmax_jvp(x, v, tau=tau), rtol=1e-12)


@EVERY_CASE
def test_derivatives_in_temperature_are_accurate(x, tau):
    gaps = (max(x) - np.array(x)) / tau
    rtol = 1e-13 + 1e-15 * gaps.max()
    with mpmath.workdps(60):
        mx, mt = [mpmath.mpf(a) for a in x], mpmath.mpf(tau)
        p = exact_softmax(mx, mt)
        mean = mpmath.fsum(a * b for a, b in zip(p, mx, strict=True))
        variance = mpmath.fsum(a * (b - mean) ** 2 for a, b in zip(p, mx, strict=True))
        to_beta = [a * (b - mean) for a, b in zip(p, mx, strict=True)]
    close(core.softmax_dtau(x, tau=tau), [-v / mt**2 for v in to_beta], 20 * rtol)
    close(core.softmax_dbeta(x, tau=tau), to_beta, 20 * rtol)
    close(core.entropy_dtau(x, tau=tau), [variance / mt**3], 20 * rtol)
    close(core.entropy_dbeta(x, tau=tau), [-variance / mt], 20 * rtol)
    close(core.logsumexp_dtau(x, tau=tau), [-mean / mt**2], 2e-13)
    close(core.logsumexp_dbeta(x, tau=tau), [mean], 2e-13)


def test_derivatives_agree_with_finite_differences_under_negative_beta():
    x, beta, h = np.array([0.3, -1.1, 0.9]), -1.3, 1e-6

    def slope(function):
        return (function(beta + h) - function(beta - h)) / (2 * h)

    np.testing.assert_allclose(core.softmax_dbeta(x, beta=beta), slope(lambda b: core.softmax(x, beta=b)), rtol=1e-7)
    entropy = slope(lambda b: core.entropy(core.softmax(x, beta=b)))
    np.testing.assert_allclose(core.entropy_dbeta(x, beta=beta), entropy, rtol=1e-7)
    np.testing.assert_allclose(
        core.logsumexp_dbeta(x, beta=beta), slope(lambda b: core.logsumexp(x, beta=b)), rtol=1e-7
    )
    step = np.eye(3) * h
    numeric = [(core.softmax(x + d, beta=beta) - core.softmax(x - d, beta=beta)) / (2 * h) for d in step]
    np.testing.assert_allclose(core.softmax_jacobian(x, beta=beta), np.transpose(numeric), rtol=1e-7)


@pytest.mark.parametrize("row", [r for r in HARD if r.log_prior is None and r.base is None], ids=lambda r: r.name)
def test_gradients_of_hard_inputs_are_finite(row):
    """0, not NaN, under masks and at infinity; NaN only in rows that hold NaN."""
    expected, x = np.asarray(row.expected, np.float64), np.asarray(row.x, np.float64)
    with np.errstate(all="raise"):
        gradient = np.asarray(core.softmax_vjp(row.x, 1.0, row.axis, **row.options))
        moved = np.asarray(core.softmax_dbeta(row.x, row.axis, **row.options))
        jacobian = np.asarray(core.softmax_jacobian(row.x, row.axis, **row.options)) if x.size < 2000 else np.zeros(1)
    assert gradient.shape == moved.shape == expected.shape
    if np.any(np.isnan(expected)):
        return
    if row.tau is None or np.all(np.asarray(row.tau) > 1e-300) or np.all(np.asarray(row.tau) == 0.0):
        assert np.all(np.isfinite(jacobian))  # below, p (1 - p) / tau is beyond the largest float
    assert np.all(gradient == 0.0)  # a constant cotangent moves nothing
    assert np.all(moved[expected == 0.0] == 0.0)
    assert np.all(np.isfinite(moved))


def test_limits_of_the_temperature():
    x = [1.0, 5.0, 5.0, -INF]
    for tau in (0.0, INF):
        assert np.all(core.softmax_jacobian(x, tau=tau) == 0.0)
        assert np.all(core.softmax_fisher(x, tau=tau) == 0.0)
        assert np.all(core.softmax_dtau(x, tau=tau) == 0.0)
        assert core.entropy_dtau(x, tau=tau) == 0.0
    np.testing.assert_allclose(core.softmax_dbeta(x, beta=0.0), np.array([-8 / 3, 4 / 3, 4 / 3, 0.0]) / 3, rtol=1e-15)
    assert core.logsumexp_dbeta(x, beta=INF) == 5.0
    assert np.all(core.softmax_jacobian([-INF, -INF]) == 0.0)
    assert core.entropy_dtau([-INF, -INF], tau=1.0) == 0.0


def test_what_lies_under_a_mask_is_not_read():
    gradient = core.softmax_vjp([1.0, 2.0, np.nan], [1.0, 0.0, np.nan], where=[True, True, False])
    np.testing.assert_array_equal(gradient, [*core.softmax_vjp([1.0, 2.0], [1.0, 0.0]), 0.0])


def test_fisher_is_positive_semidefinite_of_rank_less_one():
    x = np.random.default_rng(SEED).standard_normal((20, 6))
    eigenvalues = np.linalg.eigvalsh(core.softmax_fisher(x, tau=0.5))
    assert np.all(eigenvalues[:, 0] > -1e-14)
    assert np.all(eigenvalues[:, 1] > 1e-6)
    np.testing.assert_allclose(core.softmax_fisher(x) @ np.ones(6), 0.0, atol=1e-16)


def test_batches_and_axes():
    x = np.random.default_rng(SEED).standard_normal((3, 4, 5))
    tau = np.array([0.5, 0.0, INF])[:, None]
    jacobian = core.softmax_jacobian(x, tau=np.broadcast_to(tau, (3, 4)))
    assert jacobian.shape == (3, 4, 5, 5)
    np.testing.assert_array_equal(jacobian[0, 2], core.softmax_jacobian(x[0, 2], tau=0.5))
    v = np.random.default_rng(SEED + 1).standard_normal(x.shape)
    moved = core.softmax_jvp(np.moveaxis(x, -1, 0), np.moveaxis(v, -1, 0), 0)
    np.testing.assert_array_equal(np.moveaxis(moved, 0, -1), core.softmax_jvp(x, v))
    assert core.softmax_jvp(x.astype(np.float32), v).dtype == np.float32


def test_the_textbook_jacobian():
    """p = (1/2, 1/4, 1/4): diag(p) - p p'."""
    expected = np.array([[4, -2, -2], [-2, 3, -1], [-2, -1, 3]]) / 16
    np.testing.assert_allclose(core.softmax_jacobian(np.log([2.0, 1.0, 1.0])), expected, rtol=1e-15)
