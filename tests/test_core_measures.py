"""Measures of distributions against mpmath, against each other, and in their limits."""

import core_exact as exact
import mpmath
import numpy as np
import pytest
from core_families import FAMILIES
from hard_inputs import HARD
from scipy import special

from rlsoftmax import core
from rlsoftmax.errors import ArgumentError

SEED = 30
ROWS = 20
WITH_NUMBERS = [f for f in FAMILIES if f.__name__ not in ("any_temperature",)]
EVERY_FAMILY = pytest.mark.parametrize("family", WITH_NUMBERS, ids=lambda family: family.__name__)
INF = np.inf


def entropy_exact(log_p):
    return -mpmath.fsum(mpmath.exp(v) * v for v in log_p if v is not None)


@EVERY_FAMILY
def test_entropy_of_a_policy_is_accurate_in_relative_terms(family):
    x, tau = family(np.random.default_rng(SEED), ROWS)
    result = core.entropy_of(x, tau=tau)
    for i in range(ROWS):
        with mpmath.workdps(60):
            answer = entropy_exact(exact.log_softmax(list(x[i]), tau=tau[i]))
            gap = (x[i].max() - x[i]) / tau[i]
            gap = gap[gap > 0].min(initial=700.0) if np.any(gap > 0) else 0.0
            assert abs(result[i] - answer) <= (1e-14 * np.sqrt(len(x[i])) + 4e-16 * gap) * answer + 1e-320


@EVERY_FAMILY
def test_divergences_of_policies_are_accurate_and_never_negative(family):
    rng = np.random.default_rng(SEED)
    x, tau = family(rng, ROWS)
    others = x + tau[:, None] * rng.standard_normal(x.shape)
    results = {
        name: getattr(core, name)(x, others, tau=tau) for name in ("kl_of", "jensen_shannon_of", "cross_entropy_of")
    }
    for i in range(ROWS):
        with mpmath.workdps(700):  # the rarest action has 1e-304
            log_p, log_q = (exact.log_softmax(list(v[i]), tau=tau[i]) for v in (x, others))
            p, q = ([mpmath.exp(v) for v in logs] for logs in (log_p, log_q))
            answers = {
                "kl_of": mpmath.fsum(a * (b - c) for a, b, c in zip(p, log_p, log_q, strict=True)),
                "cross_entropy_of": -mpmath.fsum(a * c for a, c in zip(p, log_q, strict=True)),
                "jensen_shannon_of": mpmath.fsum(
                    (a * mpmath.log(2 * a / (a + b)) + b * mpmath.log(2 * b / (a + b))) / 2
                    for a, b in zip(p, q, strict=True)
                ),
            }
        for name, answer in answers.items():
            assert results[name][i] >= 0.0
            assert abs(results[name][i] - answer) <= 1e-11 * answer + 1e-300, name


@pytest.mark.parametrize("gap", [1e-3, 1e-6, 1e-9])
def test_divergences_of_nearly_equal_policies_do_not_cancel(gap):
    x, y = [0.0, 0.5, -1.0], [gap, 0.5, -1.0]
    with mpmath.workdps(80):
        log_p, log_q = exact.log_softmax(x), exact.log_softmax(y)
        answer = mpmath.fsum(mpmath.exp(a) * (a - b) for a, b in zip(log_p, log_q, strict=True))
    assert abs(core.kl_of(x, y) - answer) <= 1e-7 * answer + 2e-16 * gap * gap / 1e-3
    assert abs(core.kl(core.softmax(x), core.softmax(y)) - answer) <= 1e-2 * answer + 1e-31
    assert core.kl_of(x, x) == core.jensen_shannon_of(x, x) == 0.0


def test_rare_actions_do_not_make_a_divergence_infinite():
    with mpmath.workdps(50):
        log_q = exact.log_softmax([0.0, -800.0])
        answer = float(-(mpmath.log(2) + (log_q[0] + log_q[1]) / 2))
    assert core.kl_of([0.0, 0.0], [0.0, -800.0]) == pytest.approx(answer, rel=1e-15)
    assert core.kl_of([0.0, 0.0], [0.0, -INF]) == INF
    assert core.kl_of([0.0, -INF], [0.0, 0.0]) == pytest.approx(np.log(2), rel=1e-15)
    assert core.kl([0.5, 0.5], [1.0, 0.0]) == INF


def test_measures_of_probabilities_agree_with_scipy():
    rng = np.random.default_rng(SEED)
    p, q = rng.dirichlet(np.ones(6), 50), rng.dirichlet(np.full(6, 0.3), 50)
    np.testing.assert_allclose(core.entropy(p), special.entr(p).sum(-1), rtol=1e-13)
    np.testing.assert_allclose(core.kl(p, q), special.rel_entr(p, q).sum(-1), rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(core.cross_entropy(p, q), core.entropy(p) + core.kl(p, q), rtol=1e-12)
    mixture = (core.kl(p, (p + q) / 2) + core.kl(q, (p + q) / 2)) / 2
    np.testing.assert_allclose(core.jensen_shannon(p, q), mixture, rtol=1e-12)
    np.testing.assert_allclose(core.jensen_shannon(p, q), core.jensen_shannon(q, p), rtol=1e-14)


@pytest.mark.parametrize("order", [0.0, 0.5, 0.999999, 1.0, 1.000001, 2.0, 7.5, 300.0, INF])
def test_orders_of_entropy_against_their_definitions(order):
    x, tau = [0.3, -2.0, 1.7, 1.7, -9.0], 0.8
    with mpmath.workdps(60):
        p = exact.softmax(x, tau=tau)
        a = mpmath.mpf(order)
        if order == 1.0:
            renyi = tsallis = -mpmath.fsum(v * mpmath.log(v) for v in p)
        elif order == INF:
            renyi, tsallis = -mpmath.log(max(p)), mpmath.mpf(0)
        else:
            power = mpmath.fsum(v**a for v in p)
            renyi, tsallis = mpmath.log(power) / (1 - a), (1 - power) / (a - 1)
    for function, answer in ((core.renyi_entropy, renyi), (core.tsallis_entropy, tsallis)):
        of = getattr(core, function.__name__ + "_of")
        assert abs(of(x, order, tau=tau) - answer) <= 1e-13 * answer
        assert abs(function(core.softmax(x, tau=tau), order) - answer) <= 1e-13 * answer


def test_entropies_in_their_limits():
    x = [2.0, 2.0, 1.0, -INF]
    assert core.entropy_of(x, tau=0.0) == np.log(2)
    assert core.entropy_of(x, tau=INF) == np.log(3)
    assert core.effective_actions_of(x, tau=0.0) == 2.0
    assert core.renyi_entropy_of(x, 0.0) == np.log(3)
    assert core.tsallis_entropy_of(x, 0.0) == pytest.approx(2.0, rel=1e-15)
    assert core.entropy([0.0, 1.0]) == 0.0
    assert core.effective_actions([0.25] * 4) == 4.0
    assert np.isnan(core.entropy_of([-INF, -INF]))
    assert np.isnan(core.kl_of([-INF, -INF], [0.0, 0.0]))


PLAIN = [row for row in HARD if row.base is None and row.log_prior is None and row.beta is None]


@pytest.mark.parametrize("row", PLAIN, ids=lambda row: row.name)
def test_hard_inputs_have_entropy_divergence_and_thermodynamics(row):
    """Entropy is that of the exact probabilities; a policy diverges from itself by 0; F = U - tau S."""
    options = {"tau": row.tau, "where": row.where}
    p = np.asarray(row.expected, dtype=np.float64)
    with np.errstate(all="raise"):
        entropy = core.entropy_of(row.x, row.axis, **options)
        divergence = core.kl_of(row.x, row.x, row.axis, **options)
        core.jensen_shannon_of(row.x, row.x, row.axis, **options)
        ratio = core.importance_ratio(row.x, row.x, row.axis, **options)
        state = core.thermodynamics(row.x, 1.0 if row.tau is None else row.tau, axis=row.axis, where=row.where)
    axis = None if row.axis is None else row.axis
    expected = special.entr(np.where(np.isnan(p), 0.0, p)).sum(axis) if np.ndim(p) else 0.0
    good = np.isfinite(entropy)
    tolerance = {2: 1e-2, 4: 1e-6}.get(np.asarray(row.x).dtype.itemsize, 1e-12)
    np.testing.assert_allclose(
        np.asarray(entropy)[good], np.broadcast_to(expected, np.shape(entropy))[good], rtol=tolerance, atol=1e-12
    )
    assert np.all(np.isnan(divergence) | (divergence == 0.0))
    assert np.all(np.isnan(ratio) | (ratio == 1.0) | (ratio == 0.0))
    tau = np.asarray(1.0 if row.tau is None else row.tau, dtype=np.float64)
    if np.asarray(row.x).dtype.itemsize == 8:
        assert np.all(imbalance(state, tau) <= 1e-13)


def imbalance(state, tau):
    """Return |F - (U - tau S)| relative to the larger term; 0 where a term is infinite or there is no state."""
    with np.errstate(all="ignore"):
        heat = tau * state.entropy
        scale = np.maximum(np.maximum(np.abs(state.mean_energy), np.abs(heat)), 1e-300)
        return np.nan_to_num(np.abs(state.mean_energy - heat - state.free_energy) / scale, nan=0.0)


@EVERY_FAMILY
def test_thermodynamics_balances_to_thirteen_digits(family):
    x, tau = family(np.random.default_rng(SEED), 200)
    state = core.thermodynamics(x, tau)
    assert np.all(imbalance(state, tau) <= 1e-13)
    np.testing.assert_allclose(state.entropy, core.entropy_of(x, tau=tau), rtol=1e-15)


def test_heat_capacity_is_the_slope_of_the_mean_energy():
    x, tau, h = [0.0, -1.0, -3.5], 0.7, 1e-5
    slope = (core.thermodynamics(x, tau + h).mean_energy - core.thermodynamics(x, tau - h).mean_energy) / (2 * h)
    assert core.thermodynamics(x, tau).heat_capacity == pytest.approx(slope, rel=1e-8)
    # Boltzmann's constant only chooses the unit of tau and of entropy
    warm, cold = core.thermodynamics(x, tau / 2.0, k=2.0), core.thermodynamics(x, tau)
    assert warm.free_energy == pytest.approx(cold.free_energy, rel=1e-15)
    assert warm.entropy == pytest.approx(2.0 * cold.entropy, rel=1e-15)


def test_a_two_level_system_has_the_schottky_anomaly():
    """Kittel & Kroemer, chapter 3: C = (e/t)^2 exp(e/t) / (1 + exp(e/t))^2."""
    tau = np.array([0.05, 0.2, 0.4167, 1.0, 5.0])
    state = core.thermodynamics([0.0, -1.0], tau)
    np.testing.assert_allclose(state.heat_capacity, tau**-2 * np.exp(1 / tau) / (1 + np.exp(1 / tau)) ** 2, rtol=1e-13)


def test_importance_ratios_multiply_to_the_ratio_of_probabilities():
    rng = np.random.default_rng(SEED)
    x, y = rng.standard_normal((2, 40, 5))
    np.testing.assert_allclose(
        core.importance_ratio(x, y, tau=0.5, tau_others=2.0),
        core.softmax(x, tau=0.5) / core.softmax(y, tau=2.0),
        rtol=1e-13,
    )
    np.testing.assert_allclose(
        core.log_importance_ratio([0.0, -900.0], [0.0, 0.0]), [np.log(2), np.log(2) - 900.0], rtol=1e-15
    )
    assert np.array_equal(core.importance_ratio([0.0, -INF], [0.0, 0.0], where=[True, True]), [2.0, 0.0])
    assert np.array_equal(core.importance_ratio([0.0, 0.0], [0.0, -INF]), [0.5, INF])


def test_negative_probabilities_and_orders_are_refused():
    for function in (core.entropy, core.effective_actions):
        with pytest.raises(ArgumentError, match=r"probabilities must be >= 0, got -0\.1"):
            function([1.1, -0.1])
    with pytest.raises(ArgumentError, match="others must be >= 0"):
        core.kl([0.5, 0.5], [1.5, -0.5])
    with pytest.raises(ArgumentError, match="order must be >= 0"):
        core.renyi_entropy([0.5, 0.5], -1.0)
    with pytest.raises(ArgumentError, match="k must be > 0"):
        core.thermodynamics([0.0], 1.0, k=0.0)
    with pytest.raises(ArgumentError, match="do not fit"):
        core.kl([0.5, 0.5], [0.2, 0.3, 0.5])
