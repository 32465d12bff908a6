"""Temperatures that reach a wanted entropy, number of actions, probability or divergence."""

import numpy as np
import pytest
from core_families import FAMILIES

from rlsoftmax import core
from rlsoftmax.errors import ArgumentError

SEED = 50
INF = np.inf
EVERY_FAMILY = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)


def ends(x):
    """Return ln of the number of maxima and of all entries."""
    return np.log(np.sum(x == x.max(-1, keepdims=True), -1)), np.full(len(x), np.log(x.shape[1]))


@EVERY_FAMILY
def test_every_target_between_the_ends_is_reached(family):
    rng = np.random.default_rng(SEED)
    x, _ = family(rng, 60)
    low, high = ends(x)
    share = rng.uniform(0.02, 0.98, len(x))
    entropy = low + share * (high - low)
    tau = core.temperature_for_entropy(x, entropy)
    assert np.all(np.abs(core.entropy_of(x, tau=tau) - entropy) <= 1e-12)
    tau = core.temperature_for_effective_actions(x, np.exp(entropy))
    assert np.all(np.abs(core.effective_actions_of(x, tau=tau) - np.exp(entropy)) <= 1e-12 * np.exp(entropy))
    largest = np.exp(-entropy)
    tau = core.temperature_for_max_probability(x, largest)
    assert np.all(np.abs(core.softmax(x, tau=tau).max(-1) - largest) <= 1e-12)
    prior = rng.dirichlet(np.ones(x.shape[1]), len(x))
    most = -np.log(np.sum(np.where(x == x.max(-1, keepdims=True), prior, 0.0), -1))
    tau = core.temperature_for_kl(x, share * most, log_prior=np.log(prior))
    policy = core.softmax(x, tau=tau, log_prior=np.log(prior))
    assert np.all(np.abs(core.kl(policy, prior) - share * most) <= 2e-12)


@pytest.mark.parametrize("share", [1e-13, 1e-9, 1e-4, 0.5, 1 - 1e-4, 1 - 1e-9, 1 - 1e-13])
def test_targets_next_to_the_ends(share):
    x = np.array([[0.0, 1.0, 3.0], [0.0, 0.0, -1e-6], [1e8, 1.0, 0.0]])
    low, high = ends(x)
    entropy = low + share * (high - low)
    tau = core.temperature_for_entropy(x, entropy)
    assert np.all(np.abs(core.entropy_of(x, tau=tau) - entropy) <= 1e-12)


def test_the_ends_are_exact():
    x = [2.0, 2.0, 1.0, -INF]
    assert core.temperature_for_entropy(x, np.log(3)) == INF
    assert core.temperature_for_entropy(x, 5.0) == INF
    assert core.temperature_for_entropy(x, np.log(2)) == 0.0
    assert core.temperature_for_entropy(x, -1.0) == 0.0
    assert core.temperature_for_effective_actions(x, 3) == INF
    assert core.temperature_for_effective_actions(x, 2) == 0.0
    assert core.temperature_for_max_probability(x, 0.5) == 0.0
    assert core.temperature_for_max_probability(x, 1.0) == 0.0
    assert core.temperature_for_max_probability(x, 1 / 3) == INF
    assert core.temperature_for_kl(x, 0.0) == INF
    assert core.temperature_for_kl(x, 50.0) == 0.0


def test_rows_without_an_answer_are_nan_and_disturb_no_other():
    x = [[np.nan, 1.0, 2.0], [-INF, -INF, -INF], [0.0, 1.0, 2.0]]
    tau = core.temperature_for_entropy(x, 1.0)
    assert np.isnan(tau[0])
    assert np.isnan(tau[1])
    assert tau[2] == core.temperature_for_entropy([0.0, 1.0, 2.0], 1.0)


def test_masks_axes_and_one_target_per_row():
    x = np.random.default_rng(SEED).standard_normal((5, 3))
    where = np.array([True, False, True, True, True])[:, None]
    tau = core.temperature_for_entropy(x, [0.5, 1.0, 1.2], 0, where=where)
    np.testing.assert_allclose(core.entropy_of(x, 0, tau=tau, where=where), [0.5, 1.0, 1.2], atol=1e-12)
    many = core.temperature_for_entropy([0.0, 1.0, 2.0], [0.2, 0.9])
    np.testing.assert_allclose(core.entropy_of([0.0, 1.0, 2.0], tau=many), [0.2, 0.9], atol=1e-12)


def test_two_actions_have_a_closed_form():
    """p = 1 / (1 + exp(-1 / tau)): tau = 1 / logit(p)."""
    p = np.array([0.51, 0.75, 0.999, 1 - 1e-9])
    tau = core.temperature_for_max_probability(np.broadcast_to([0.0, 1.0], (4, 2)), p)
    np.testing.assert_allclose(tau, 1 / core.logit(p), rtol=1e-7)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: core.temperature_for_entropy([0.0, 1.0], np.nan), "entropy must not be NaN"),
        (lambda: core.temperature_for_effective_actions([0.0, 1.0], 0.5), "actions must be >= 1, got 0.5"),
        (lambda: core.temperature_for_max_probability([0.0, 1.0], 1.5), "probability must be >= 0 and <= 1, got 1.5"),
        (lambda: core.temperature_for_entropy([[0.0, 1.0]] * 2, [0.1, 0.2, 0.3]), "shapes do not fit"),
    ],
)
def test_bad_targets_are_refused(call, message):
    with pytest.raises(ArgumentError) as caught:
        call()
    assert message in str(caught.value)
