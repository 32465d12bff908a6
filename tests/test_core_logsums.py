"""Logarithms of sums, maxima between mean and maximum, scalars, and the textbook numbers."""

import core_exact as exact
import mpmath
import numpy as np
import pytest
from core_families import FAMILIES
from hard_inputs import HARD
from scipy import special

from rlsoftmax import core
from rlsoftmax.errors import ArgumentError

SEED = 100
INF = np.inf
EVERY_FAMILY = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)


def rows_of(row):
    """Return the values a reduction sees, the exact log-sum of exp((x - best) / tau), and the best value."""
    x = list(np.asarray(row.x))
    with mpmath.workdps(60):
        gaps = [g for g in exact.exponents(x, **row.options) if g is not None]
        return mpmath.log(mpmath.fsum(mpmath.exp(g) for g in gaps)) if gaps else -mpmath.inf


@EVERY_FAMILY
def test_logsumexp_is_accurate_up_to_its_condition(family):
    """Within 4 ulp of the larger of best / tau and the result, or 2 gap / tau ulp where the best value is 0."""
    x, tau = family(np.random.default_rng(SEED), 40)
    result, soft = core.logsumexp(x, tau=tau), core.soft_maximum(x, tau=tau)
    for i in range(40):
        with mpmath.workdps(60):
            best, t = mpmath.mpf(x[i].max()), mpmath.mpf(tau[i])
            log_total = -max(exact.log_softmax(list(x[i]), tau=tau[i]))
            gap = min((float((best - mpmath.mpf(v)) / t) for v in x[i] if v < x[i].max()), default=0.0)
            ulps = (4.0 + (2.0 * min(gap, 745.0) if best == 0.0 else 0.0)) * 2.3e-16
            scale = max(abs(best / t + log_total), abs(best / t))
            if scale < 1e308:
                assert abs(result[i] - (best / t + log_total)) <= ulps * scale + 5e-324
            assert abs(soft[i] - (best + t * log_total)) <= ulps * max(abs(best + t * log_total), abs(best)) + 5e-324


PLAIN = [
    row for row in HARD if np.ndim(row.x) == 1 and np.ndim(row.tau) == 0 and row.base is None and row.log_prior is None
]


@pytest.mark.parametrize("row", PLAIN, ids=lambda row: row.name)
def test_hard_inputs_have_their_log_sum(row):
    if np.ndim(row.where) > 1 or row.axis != -1:
        return
    with np.errstate(all="raise"):
        result = float(core.logsumexp(row.x, **row.options))
        soft = float(core.soft_maximum(row.x, **row.options))
        mean = float(core.logmeanexp(row.x, **row.options))
    if np.any(np.isnan(np.asarray(row.expected, np.float64))) and np.any(np.isnan(np.asarray(row.x, np.float64))):
        assert np.isnan(result)
        return
    if not np.size(row.x) or np.isinf(np.asarray(row.x, np.float64)).all() or np.nansum(row.expected) == 0.0:
        assert np.isinf(result)
        return
    log_total = float(rows_of(row))
    allowed = np.asarray(row.x)[np.asarray(row.where)] if row.where is not None else np.asarray(row.x)
    allowed = allowed[np.asarray(allowed, np.float64) > -INF]
    sign = -1.0 if row.beta is not None and row.beta < 0 else 1.0
    best = float(allowed.min() if sign < 0 else allowed.max())
    if not np.isfinite(best):
        return
    with np.errstate(all="ignore"):
        size = (
            np.float64(abs(row.beta)) if row.beta is not None else 1.0 / np.float64(1.0 if row.tau is None else row.tau)
        )
        expected = sign * best * size + log_total if best else log_total
    tolerance = {2: 2e-3, 4: 1e-6}.get(
        np.asarray(row.x).dtype.itemsize if np.asarray(row.x).dtype.kind == "f" else 8, 1e-14
    )
    if np.isfinite(expected) and abs(expected) < 6e4:
        assert result == pytest.approx(expected, rel=tolerance, abs=tolerance)
        assert mean <= result
    if row.tau is not None and 0.0 < row.tau < 1e300 and abs(best) < 6e4:
        assert soft == pytest.approx(best + row.tau * log_total, rel=max(tolerance, 1e-13), abs=tolerance)


def test_near_cancellation_keeps_the_small_term():
    assert core.logsumexp([0.0, -40.0]) == pytest.approx(4.248354255291589e-18, rel=1e-14)
    assert core.log_softmax([40.0, 0.0])[0] == pytest.approx(-4.248354255291589e-18, rel=1e-14)
    assert core.entropy_of([40.0, 0.0]) == pytest.approx(1.7418252446695514e-16, rel=1e-14)


def test_long_sums_of_float32_do_not_lose_terms():
    assert core.logsumexp(np.zeros(2**24 + 8, np.float32)) == pytest.approx(np.log(2.0**24 + 8), rel=1e-7)


def test_factors_and_signs():
    rng = np.random.default_rng(SEED)
    x, b = rng.standard_normal((40, 6)) * 3, rng.standard_normal((40, 6))
    value, sign = core.logsumexp(x, b=b, return_sign=True)
    direct = (b * np.exp(x)).sum(-1)
    np.testing.assert_allclose(sign * np.exp(value), direct, rtol=1e-12, atol=1e-13)
    assert np.isnan(core.logsumexp([0.0, 0.0], b=[1.0, -2.0]))
    assert core.logsumexp([1.0, np.nan], b=[1.0, 0.0]) == 1.0
    assert core.logsumexp([0.0, 5.0], b=[2.0, 3.0], where=[True, False]) == pytest.approx(np.log(2.0))
    assert core.logsumexp([0.0, 2.0], b=[1.0, 1.0], tau=2.0) == pytest.approx(np.log(1 + np.e))
    assert core.logsumexp(np.zeros((2, 3)), axis=0, keepdims=True).shape == (1, 3)
    assert core.logsumexp(np.zeros((2, 3)), axis=None, keepdims=True).shape == (1, 1)


def test_limits_of_the_log_sum():
    assert core.logsumexp([1.0, 2.0], tau=0.0) == INF
    assert core.logsumexp([-1.0, -2.0], tau=0.0) == -INF
    assert core.logsumexp([0.0, 0.0, -1.0], tau=0.0) == np.log(2)
    assert core.logsumexp([5.0, -INF, 7.0], tau=INF) == np.log(2)
    assert core.soft_maximum([5.0, 7.0], tau=0.0) == 7.0
    assert core.soft_maximum([5.0, 7.0], tau=INF) == INF
    assert core.soft_maximum([5.0, -INF], tau=INF) == 5.0
    assert core.soft_maximum([5.0, 7.0], beta=-INF) == 5.0
    assert core.logsumexp([-INF]) == -INF
    assert np.isnan(core.logmeanexp(np.zeros(0)))
    assert core.logmeanexp([-INF, -INF]) == -INF
    assert core.logmeanexp([0.0, -INF]) == -np.log(2)


@pytest.mark.parametrize(
    "omega", [-1e300, -50.0, -1.0, -1e-5, -1e-9, -1e-12, 1e-300, 1e-12, 1e-9, 1e-5, 0.3, 7.0, 400.0, 1e300]
)
def test_mellowmax_is_accurate_for_every_omega(omega):
    x = [0.3, -1.2, 2.5, 2.4]
    with mpmath.workdps(400):
        w = mpmath.mpf(omega)
        best = mpmath.mpf(max(x) if omega > 0 else min(x))
        mean = mpmath.fsum(mpmath.exp(w * (mpmath.mpf(v) - best)) for v in x) / 4
        answer = best + mpmath.log(mean) / w
    assert abs(core.mellowmax(x, omega) - answer) <= 1e-14


def test_mellowmax_in_its_limits_and_between():
    x = [[3.0, 1.0, -INF, 8.0]] * 3
    np.testing.assert_array_equal(core.mellowmax(x, [-INF, 0.0, INF]), [1.0, 4.0, 8.0])
    assert np.isnan(core.mellowmax([-INF], 1.0))
    rng = np.random.default_rng(SEED)
    a, b = rng.standard_normal((2, 200, 5))
    gap = np.abs(core.mellowmax(a, 3.0) - core.mellowmax(b, 3.0))
    assert np.all(gap <= np.abs(a - b).max(-1) + 1e-14)  # Asadi & Littman, theorem 1: a non-expansion


TEXTBOOK = [  # softmax(x, **options) to the digits printed
    ([1, 2, 8], {}, [0.001, 0.002, 0.997]),
    ([1, 2, 3, 4, 1, 2, 3], {}, [0.024, 0.064, 0.175, 0.475, 0.024, 0.064, 0.175]),
    ([1, 2, 3, 4, 1, 2, 3], {"tau": 10}, [0.125, 0.138, 0.153, 0.169, 0.125, 0.138, 0.153]),
    ([0, 10], {"tau": 1}, [0.00005, 0.99995]),
    ([0, 10], {"tau": 100}, [0.475, 0.525]),
    ([1, 1, 2], {"beta": INF}, [0, 0, 1]),
    ([1, 1, 2], {"beta": -INF}, [0.5, 0.5, 0]),
    ([0, 1], {}, [0.2689, 0.7311]),
    ([0, 2], {}, [0.1192, 0.8808]),
]


@pytest.mark.parametrize(("x", "options", "printed"), TEXTBOOK)
def test_textbook_numbers(x, options, printed):
    np.testing.assert_allclose(core.softmax(x, **options), printed, atol=6e-4)
    np.testing.assert_allclose(core.softmax(np.add(x, 1000), **options), printed, atol=6e-4)


def test_two_actions_are_the_logistic_function():
    x = np.linspace(-800.0, 800.0, 4001)
    pair = core.softmax(np.stack([x, np.zeros_like(x)], axis=-1))[:, 0]
    unit = np.spacing(np.maximum(pair, 5e-324))
    assert np.max(np.abs(core.sigmoid(x) - pair) / unit) <= 2.0
    with mpmath.workdps(40):
        answer = [1 / (1 + mpmath.exp(-mpmath.mpf(v))) for v in x[::50]]
    assert np.max(exact.ulps(core.sigmoid(x[::50]), answer)) <= 3.0


def test_scalars_are_accurate():
    x = np.array([-1e3, -700.0, -40.0, -1.0, -1e-10, 0.0, 1e-10, 1.0, 40.0, 1e3])
    with mpmath.workdps(800):
        softplus = [mpmath.log(1 + mpmath.exp(mpmath.mpf(v))) for v in x]
        below = [-1e-300, -1e-20, -0.1, -0.7, -0.6931471805599453, -5.0, -800.0]
        log1mexp = [mpmath.log(1 - mpmath.exp(mpmath.mpf(v))) for v in below]
        p = [1e-300, 1e-10, 0.3, 0.4999999999, 0.5, 0.500001, 0.9, 1 - 1e-15]
        logit = [mpmath.log(mpmath.mpf(v) / (1 - mpmath.mpf(v))) for v in p]
    assert np.max(exact.ulps(core.softplus(x), softplus)) <= 3.0
    assert np.max(exact.ulps(core.log1mexp(below), log1mexp)) <= 3.0
    assert np.max(exact.ulps(core.logit(p), logit)) <= 3.0
    assert core.log1mexp(0.0) == -INF
    assert core.log1mexp(-INF) == 0.0
    assert np.isnan(core.log1mexp(1.0))
    assert core.logaddexp is np.logaddexp


def test_center_and_logits_keep_the_policy():
    x = np.random.default_rng(SEED).standard_normal((5, 4)) * 10
    centred = core.center(x)
    np.testing.assert_allclose(centred.mean(-1), 0.0, atol=1e-14)
    np.testing.assert_allclose(core.softmax(centred), core.softmax(x), rtol=1e-13)
    p = core.softmax(x, tau=3.0)
    back = core.logits_from_probabilities(p, tau=3.0)
    np.testing.assert_allclose(back, centred, atol=1e-12)
    assert np.array_equal(core.softmax(core.logits_from_probabilities([0.5, 0.5, 0.0])), [0.5, 0.5, 0.0])
    assert np.array_equal(core.center([1.0, 9.0, 3.0], where=[True, False, True]), [-1.0, -INF, 1.0])
    with pytest.raises(ArgumentError, match="tau must be > 0"):
        core.logits_from_probabilities([1.0], tau=0.0)
    with pytest.raises(ArgumentError, match="probabilities must be >= 0"):
        core.logits_from_probabilities([-1.0])


def test_the_log_semiring_multiplies_matrices():
    rng = np.random.default_rng(SEED)
    a, b = rng.standard_normal((4, 6)), rng.standard_normal((6, 3))
    np.testing.assert_allclose(core.logmatmulexp(a, b), np.log(np.exp(a) @ np.exp(b)), rtol=1e-13)
    np.testing.assert_array_equal(core.logmatmulexp(a, b, tau=0.0), (a[:, :, None] + b[None]).max(1))
    large = core.logmatmulexp(a * 1e4, b * 1e4)
    np.testing.assert_allclose(large, special.logsumexp((a[:, :, None] + b[None]) * 1e4, axis=1), rtol=1e-14)
    tropical = core.logmatmulexp(a, b, tau=1e-4)  # the limit is approached from above, by at most tau ln k
    assert np.all(
        (tropical >= core.logmatmulexp(a, b, tau=0.0))
        & (tropical <= core.logmatmulexp(a, b, tau=0.0) + 1e-4 * np.log(6))
    )
    assert np.array_equal(core.logmatmulexp([[-INF, 0.0]], [[0.0], [-INF]]), [[-INF]])
    with pytest.raises(ArgumentError, match="shapes"):
        core.logmatmulexp(a, a)


def test_exponential_tilting_is_softmax_with_a_prior():
    p, f = np.array([0.5, 0.3, 0.2]), np.array([1.0, -1.0, 2.0])
    tilted = p * np.exp(0.7 * f)
    np.testing.assert_allclose(core.softmax(f, beta=0.7, log_prior=np.log(p)), tilted / tilted.sum(), rtol=1e-14)


def test_importing_the_core_needs_numpy_alone():
    import subprocess
    import sys

    code = (
        "import sys, rlsoftmax.core; print([m for m in ('scipy', 'numba', 'matplotlib', 'hydra') if m in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
