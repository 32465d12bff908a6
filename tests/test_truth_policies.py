"""The law of every policy that has one: three million draws against a formula that was written apart, by G-test."""

import numpy as np
import pytest
from reference.surveyed import policy_of
from scipy import optimize, stats
from test_truth_bandits import DRAWS, RARE, WIDTH, counts_of, g_statistic

from rlsoftmax import shelf
from rlsoftmax.component import schema

VALUES, TAU, VISITS = np.array([0.0, 0.4, 1.0, 1.0, -0.5]), 0.5, np.array([5.0, 9.0, 3.0, 20.0, 1.0])
ELSEWHERE = {"thompson", "beta_thompson", "boltzmann_gumbel", "boltzmann_tree"}  # they draw by luck of their own


def boltzmann(values):
    weights = np.exp(values / TAU)
    return weights / weights.sum()


def greedy(values):
    return (values == values.max()) / np.sum(values == values.max())


def mellowmax(values):
    """Asadi and Littman (2017), section 5, by Brent's method."""
    gaps = values - TAU * np.log(np.exp(values / TAU).mean())
    beta = optimize.brentq(lambda b: np.sum(np.exp(b * gaps) * gaps), -10.0, 10.0, xtol=1e-14)
    return np.exp(beta * values) / np.exp(beta * values).sum()


def sparsemax(values):
    """Martins and Astudillo (2016), algorithm 1: sort, and find how many stay."""
    x = np.sort(values / TAU)[::-1]
    sums, count = np.cumsum(x), np.arange(1, x.size + 1)
    k = count[1.0 + count * x > sums].max()
    return np.maximum(values / TAU - (sums[k - 1] - 1.0) / k, 0.0)


def entmax15(values):
    x = values / (2.0 * TAU)
    threshold = optimize.brentq(lambda t: np.square(np.maximum(x - t, 0.0)).sum() - 1.0, x.max() - 1.0, x.max())
    return np.square(np.maximum(x - threshold, 0.0))


LAWS = {
    "boltzmann": boltzmann,
    "greedy": greedy,
    "epsilon_greedy": lambda v: 0.1 / v.size + 0.9 * greedy(v),
    "epsilon_softmax": lambda v: 0.1 / v.size + 0.9 * boltzmann(v),
    "max_boltzmann": lambda v: 0.1 * boltzmann(v) + 0.9 * greedy(v),
    "mellowmax": mellowmax,
    "sparsemax": sparsemax,
    "entmax15": entmax15,
    "ucb": lambda v: greedy(v + 2.0 * np.sqrt(np.log(VISITS.sum() + 1.0) / VISITS)),
    "soft_ucb": lambda v: boltzmann(v + np.sqrt(np.log(VISITS.sum() + 2.0) / (VISITS + 1.0))),
}


@pytest.mark.compiled
@pytest.mark.parametrize("name", LAWS)
def test_a_policy_draws_by_its_law(name):
    """False alarm 1e-6; a law whose likeliest action is off by 2 % of its chance is missed once in 10^6."""
    policy = shelf.find("policy", name)
    fields = {"temperature": TAU, "epsilon": 0.1, "c": {"ucb": 2.0, "soft_ucb": 1.0}.get(name)}
    policy = policy(**{key: value for key, value in fields.items() if key in schema(policy)})
    law, counts = LAWS[name](VALUES), counts_of(policy_of(policy, VALUES, VISITS))
    seen = law > 0.0
    assert counts.sum() == DRAWS * WIDTH
    assert counts[~seen].sum() == 0
    threshold = stats.chi2.isf(RARE, max(seen.sum() - 1, 1))
    assert g_statistic(counts[seen], law[seen]) <= threshold
    if seen.sum() > 1:
        wrong = law.copy()
        wrong[np.argmax(law)] *= 1.02
        wrong /= wrong.sum()
        strength = DRAWS * WIDTH * float((np.square(wrong - law)[seen] / law[seen]).sum())
        assert stats.ncx2.cdf(threshold, seen.sum() - 1, strength) <= RARE
        assert g_statistic(counts[seen], wrong[seen]) > threshold


def test_every_policy_has_a_law_that_is_tested():
    assert set(LAWS) | ELSEWHERE == set(shelf.names("policy"))
    assert not any(shelf.find("policy", name).has_probabilities() for name in ELSEWHERE & set(shelf.names("policy")))


def test_the_laws_are_laws():
    for name, law in LAWS.items():
        assert law(VALUES).sum() == pytest.approx(1.0, abs=1e-12), name
