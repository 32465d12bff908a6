"""Sampled estimates: unbiased where they say so, by exact enumeration of every sample; consistent elsewhere."""

import itertools

import numpy as np
import pytest

from rlsoftmax import core
from rlsoftmax.errors import ArgumentError

X = np.array([0.5, -1.0, 2.0, 0.0])
Q = np.array([0.4, 0.3, 0.2, 0.1])
TAU = 0.8
Z = np.exp(X / TAU).sum()


def every_sample(count):
    """Return all ordered samples of `count` actions and their probabilities under the proposal."""
    samples = np.array(list(itertools.product(range(4), repeat=count)))
    return samples, Q[samples].prod(-1)


def test_the_partition_estimate_is_unbiased():
    """The mean over all 256 samples of four, weighted by their probability, is Z."""
    samples, chance = every_sample(4)
    estimate = core.log_partition_estimate(X[samples], np.log(Q[samples]), tau=TAU)
    assert chance @ np.exp(estimate.value) == pytest.approx(Z, rel=1e-13)


def test_the_reciprocal_of_the_probability_estimate_is_unbiased():
    samples, chance = every_sample(3)
    estimate = core.probability_estimate(X[2], X[samples], np.log(Q[samples]), tau=TAU)
    assert chance @ (1 / estimate.value) == pytest.approx(1 / core.softmax(X, tau=TAU)[2], rel=1e-13)


def test_the_reported_variance_of_the_partition_is_unbiased():
    """Var(Z hat) = E[sample variance / n], both by enumeration."""
    samples, chance = every_sample(3)
    estimate = core.log_partition_estimate(X[samples], np.log(Q[samples]), tau=TAU)
    z = np.exp(estimate.value)
    assert chance @ (estimate.variance * z**2) == pytest.approx(chance @ (z - Z) ** 2, rel=1e-12)


def test_a_perfect_proposal_has_no_variance():
    p = core.softmax(X, tau=TAU)
    samples = np.array([[0, 1], [2, 3], [1, 1]])
    estimate = core.log_partition_estimate(X[samples], np.log(p[samples]), tau=TAU)
    np.testing.assert_allclose(estimate.value, np.log(Z), rtol=1e-13)
    np.testing.assert_allclose(estimate.variance, 0.0, atol=1e-28)


def test_estimates_of_many_samples_are_within_their_standard_errors():
    """5 standard errors of 300000 samples: false alarm 6e-7 for each of the three, the seed is fixed."""
    drawn = np.random.default_rng(90).choice(4, 300_000, p=Q)
    x, log_q = X[drawn], np.log(Q[drawn])
    truth = {
        "log z": (core.log_partition_estimate(x, log_q, tau=TAU), np.log(Z)),
        "probability": (core.probability_estimate(X[0], x, log_q, tau=TAU), core.softmax(X, tau=TAU)[0]),
        "mean": (core.expectation_estimate(x, x, log_q, tau=TAU), core.logsumexp_dbeta(X, tau=TAU)),
    }
    for estimate, answer in truth.values():
        assert 0.0 < estimate.variance < 1e-4
        assert abs(estimate.value - answer) <= 5 * np.sqrt(estimate.variance)


def test_values_beyond_overflow_are_estimated():
    estimate = core.log_partition_estimate([1e4, 1e4 + 1.0], np.log([0.5, 0.5]))
    assert estimate.value == pytest.approx(core.logsumexp([1e4, 1e4 + 1.0]), rel=1e-15)
    assert np.isfinite(estimate.variance)


def test_sampled_softmax_over_a_whole_sample_is_softmax():
    """Uniform proposal, every other action once, n q = 1 each: the loss and gradient are those of the full softmax."""
    others = np.array([1, 2, 3])
    loss = core.sampled_softmax(X[0], X[others], np.log(np.full(3, 1 / 3)), tau=TAU)
    p = core.softmax(X, tau=TAU)
    assert loss.loss == pytest.approx(-np.log(p[0]), rel=1e-13)
    np.testing.assert_allclose(loss.to_sampled, p[1:] / TAU, rtol=1e-13)
    assert loss.to_target == pytest.approx((p[0] - 1) / TAU, rel=1e-13)


def test_accidental_hits_leave_the_sum_over_the_others_unbiased():
    samples, chance = every_sample(4)
    hits = samples == 0
    loss = core.sampled_softmax(np.full(len(samples), X[0]), X[samples], np.log(Q[samples]), hits=hits, tau=TAU)
    assert np.all(loss.to_sampled[hits] == 0.0)
    rest = np.expm1(loss.loss) * np.exp(X[0] / TAU)
    assert chance @ rest == pytest.approx(Z - np.exp(X[0] / TAU), rel=1e-12)


def test_gradients_of_the_sampled_loss_match_differences():
    x, log_q, h = X[[1, 3, 3]], np.log(Q[[1, 3, 3]]), 1e-6
    for correction in (None, np.log(Q[0])):
        loss = core.sampled_softmax(X[0], x, log_q, correction, tau=TAU)
        for i, step in enumerate(np.eye(3) * h):
            sides = [core.sampled_softmax(X[0], x + s, log_q, correction, tau=TAU).loss for s in (step, -step)]
            assert loss.to_sampled[i] == pytest.approx((sides[0] - sides[1]) / (2 * h), rel=1e-6)
        sides = [core.sampled_softmax(X[0] + s, x, log_q, correction, tau=TAU).loss for s in (h, -h)]
        assert loss.to_target == pytest.approx((sides[0] - sides[1]) / (2 * h), rel=1e-6)


def test_target_sampling_overstates_every_candidate_alike():
    p = core.softmax(X, tau=TAU)
    restricted = core.target_sampling_probabilities(X, [2, 0, 2], tau=TAU)
    np.testing.assert_allclose(restricted, [p[0] / (p[0] + p[2]), 0.0, p[2] / (p[0] + p[2]), 0.0], rtol=1e-14)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: core.log_partition_estimate([0.0, 1.0], [0.0, -np.inf]), "cannot be proposed"),
        (lambda: core.log_partition_estimate([0.0], [0.0]), "at least two"),
        (lambda: core.log_partition_estimate([0.0, 1.0], [0.0, 0.0], tau=0.0), "tau must be > 0"),
        (lambda: core.target_sampling_probabilities(X, [4]), "candidates must be indices of the 4 actions"),
    ],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(ArgumentError) as caught:
        call()
    assert message in str(caught.value)
