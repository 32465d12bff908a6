"""Bandits against exact answers: dynamic programming over counts, enumeration, another simulation, the law of draws.

Every statistical test states its false-alarm rate; together they are below 1e-6.
"""

import itertools
import math

import cases
import numpy as np
import pytest
from scipy import special, stats

from rlsoftmax.agents.gradient_bandit import GradientBandit
from rlsoftmax.agents.sample_average import SampleAverage
from rlsoftmax.engine import stages
from rlsoftmax.engine.fuse import fuse
from rlsoftmax.engine.link import compiled
from rlsoftmax.envs.bernoulli_bandit import BernoulliBandit
from rlsoftmax.envs.gaussian_bandit import GaussianBandit
from rlsoftmax.numeric import STEP
from rlsoftmax.policies.boltzmann import Boltzmann
from rlsoftmax.policies.epsilon_greedy import EpsilonGreedy
from rlsoftmax.policies.greedy import Greedy
from rlsoftmax.policies.ucb import Ucb
from rlsoftmax.schedules.exponential import Exponential

pytestmark = pytest.mark.compiled  # tens of thousands of runs

CHANCES = (0.4, 0.6)
EDGES = np.array([0, 1, 2, 3, 5, 10, 20, 50, 100])
RUNS, LANES = 40_000, 4_000


def simulated(agent, policy, env, edges, runs):
    """Return {"reward", "optimal"}: mean per step of each run and bin, [run, bin]."""
    setup = cases.setup_of(agent, policy, env, steps=int(edges[-1]), bins=edges, snapshots=())
    kernel, found = fuse(setup.kind), []
    for first in range(0, runs, LANES):
        lanes = [(0, run) for run in range(first, min(first + LANES, runs))]
        found.append(cases.block_of([setup], lanes).play(kernel).sums())
    width = np.diff(edges)
    return {name: np.concatenate([sums[name] for sums in found]) / width for name in ("reward", "optimal")}


def assert_mean(samples, expected, most):
    """Compare the mean of each column with what is expected, in standard errors."""
    error = samples.std(axis=0, ddof=1) / math.sqrt(len(samples))
    z = (samples.mean(axis=0) - expected) / error
    assert np.abs(z).max() <= most, z


# --- exact dynamic programming over counts --------------------------------------------------------------------------


def boltzmann_share(first, second, temperature):
    """Return the chance of the second arm."""
    return special.expit((second - first) / temperature)


def greedy_share(first, second, epsilon):
    """Return the chance of the second arm; ties are shared."""
    return epsilon / 2.0 + (1.0 - epsilon) * np.where(second == first, 0.5, second > first)


def exact_optimal(share, steps):
    """Return the chance that step t pulls the second arm. share: (mean of first, of second, step) -> that chance.

    P(wins of both arms after n and t - n pulls) moves forward in t: [n][wins of the first, wins of the second].
    """
    states, chances = [np.ones((1, 1))], np.zeros(steps)
    for t in range(steps):
        after = [np.zeros((n + 1, t + 2 - n)) for n in range(t + 2)]
        for n, weight in enumerate(states):
            first = np.arange(n + 1)[:, None] / max(n, 1)
            second = np.arange(t - n + 1)[None] / max(t - n, 1)
            pulled = weight * share(first, second, t)
            chances[t] += pulled.sum()
            other = weight - pulled
            after[n][:, :-1] += pulled * (1.0 - CHANCES[1])
            after[n][:, 1:] += pulled * CHANCES[1]
            after[n + 1][:-1] += other * (1.0 - CHANCES[0])
            after[n + 1][1:] += other * CHANCES[0]
        states = after
    return chances


COOLING = Exponential(start=1.0, end=0.05, half_life=10.0)
EXACT = {
    "boltzmann": (Boltzmann(temperature=0.2), lambda a, b, t: boltzmann_share(a, b, 0.2)),
    "cooling": (
        Boltzmann(temperature=COOLING),
        lambda a, b, t: boltzmann_share(a, b, 0.05 + 0.95 * 0.5 ** (t / 10.0)),
    ),
    "epsilon-greedy": (EpsilonGreedy(epsilon=0.1), lambda a, b, t: greedy_share(a, b, 0.1)),
}


@pytest.mark.parametrize("name", EXACT)
def test_two_arms_pay_what_dynamic_programming_says(name):
    """|z| <= 6.2 in 48 numbers: a false alarm in 3e-8."""
    policy, share = EXACT[name]
    runs = simulated(SampleAverage(), policy, BernoulliBandit(chances=CHANCES), EDGES, RUNS)
    optimal = np.add.reduceat(exact_optimal(share, 100), EDGES[:-1]) / np.diff(EDGES)
    assert_mean(runs["optimal"][:, 1:], optimal[1:], 6.2)
    assert_mean(runs["reward"], CHANCES[0] + (CHANCES[1] - CHANCES[0]) * optimal, 6.2)
    assert optimal[-1] > 0.6 > optimal[0] == 0.5


def test_the_dynamic_programme_is_right_where_it_can_be_done_by_hand():
    by_hand = 0.5 * (0.4 * 0.0 + 0.6 * 0.5) + 0.5 * (
        0.6 * 1.0 + 0.4 * 0.5
    )  # greedy after one pull, a win beats nothing
    assert math.isclose(exact_optimal(lambda a, b, t: greedy_share(a, b, 0.0), 2)[1], by_hand)


# --- the gradient bandit by enumeration -----------------------------------------------------------------------------


def enumerated(alpha, baseline, steps):
    """Return the chance of the second arm at each step, over all paths of pulls and wins."""
    chances = np.zeros(steps)
    for path in itertools.product(*[[(arm, win) for arm in (0, 1) for win in (0, 1)]] * (steps - 1)):
        preference, rewards, weight = [0.0, 0.0], [], 1.0
        for t in range(steps):
            second = 1.0 / (1.0 + math.exp(preference[0] - preference[1]))
            if t == len(path) or all(step == (0, 0) for step in path[t:]):  # count each beginning of a path once
                chances[t] += weight * second
            if t == len(path):
                break
            arm, win = path[t]
            probability = second if arm else 1.0 - second
            weight *= probability * (CHANCES[arm] if win else 1.0 - CHANCES[arm])
            before = sum(rewards) / len(rewards) if rewards else 0.0
            rewards.append(win)
            level = {"none": 0.0, "before": before, "including": sum(rewards) / len(rewards)}[baseline]
            surprise = alpha * (win - level)
            preference = [
                p + surprise * ((k == arm) - (second if k else 1.0 - second)) for k, p in enumerate(preference)
            ]
    return chances


@pytest.mark.parametrize("baseline", ["none", "before", "including"])
def test_the_gradient_bandit_begins_as_enumeration_says(baseline):
    """|z| <= 6.2 in 5 numbers: a false alarm in 3e-9."""
    agent, env = GradientBandit(alpha=1.5, baseline=baseline), BernoulliBandit(chances=CHANCES)
    runs = simulated(agent, Boltzmann(temperature=1.0), env, np.arange(7), RUNS)
    exact = enumerated(1.5, baseline, 6)
    assert exact[0] == 0.5
    assert_mean(runs["optimal"][:, 1:], exact[1:], 6.2)


def test_a_baseline_that_includes_the_reward_could_not_be_mistaken_for_another():
    found = {baseline: enumerated(1.5, baseline, 6) for baseline in ("none", "before", "including")}
    for baseline in ("none", "before"):
        assert np.abs(found[baseline] - found["including"]).max() > 2 * 6.2 * 0.5 / math.sqrt(RUNS)


# --- the ten-armed testbed ------------------------------------------------------------------------------------------

LAST = np.array([0, 900, 1000])  # the last hundred steps stand for "after 1000 steps"


def another_testbed(seed, runs, choose):
    """Return (reward, optimal) per step over the last hundred, [run]: NumPy, its own luck, Sutton and Barto's text."""
    rng, rows = np.random.default_rng(seed), np.arange(runs)
    mean = rng.standard_normal((runs, 10))
    value, count = np.zeros((runs, 10)), np.zeros((runs, 10))
    reward, optimal = np.zeros(runs), np.zeros(runs)
    for t in range(1000):
        arm = choose(rng, value, count, t)
        paid = mean[rows, arm] + rng.standard_normal(runs)
        count[rows, arm] += 1.0
        value[rows, arm] += (paid - value[rows, arm]) / count[rows, arm]
        if t >= 900:
            reward += paid / 100.0
            optimal += (arm == mean.argmax(axis=1)) / 100.0
    return reward, optimal


def best_of(rng, ranked):
    """Return the best arm of each row, ties broken by chance."""
    return np.where(ranked == ranked.max(axis=1, keepdims=True), rng.random(ranked.shape), -1.0).argmax(axis=1)


def epsilon_greedy(epsilon):
    def choose(rng, value, count, t):
        explore = rng.random(len(value)) < epsilon
        return np.where(explore, rng.integers(0, 10, len(value)), best_of(rng, value))

    return choose


def ucb(rng, value, count, t):
    with np.errstate(divide="ignore", invalid="ignore"):
        bonus = 2.0 * np.sqrt(math.log(t + 1) / count)
    return best_of(rng, np.where(count == 0.0, np.inf, value + bonus))


METHODS = {
    "epsilon 0.1": (EpsilonGreedy(epsilon=0.1), epsilon_greedy(0.1)),
    "epsilon 0.01": (EpsilonGreedy(epsilon=0.01), epsilon_greedy(0.01)),
    "ucb": (Ucb(c=2.0), ucb),
}


@pytest.fixture(scope="module")
def testbed():
    """What each method gets on the testbed: {name: {"reward": [run], "optimal": [run]}}."""
    methods = {name: policy for name, (policy, _) in METHODS.items()} | {"greedy": Greedy()}
    runs = {name: simulated(SampleAverage(), policy, GaussianBandit(), LAST, 4000) for name, policy in methods.items()}
    return {name: {key: sums[:, -1] for key, sums in found.items()} for name, found in runs.items()}


@pytest.mark.parametrize("name", METHODS)
def test_the_testbed_gives_what_another_simulation_gives(name, testbed):
    """|z| <= 5.7 in 6 numbers: a false alarm in 7e-8."""
    others = dict(zip(("reward", "optimal"), another_testbed(17, 2000, METHODS[name][1]), strict=True))
    for key, ours in testbed[name].items():
        error = math.hypot(ours.std() / math.sqrt(ours.size), others[key].std() / math.sqrt(others[key].size))
        assert abs(ours.mean() - others[key].mean()) <= 5.7 * error, key


def test_the_testbed_is_that_of_the_book(testbed):
    """Sutton and Barto (2018), figures 2.2 and 2.4 and their text, within standard errors of 4000 runs."""
    mean = {name: {key: float(runs.mean()) for key, runs in found.items()} for name, found in testbed.items()}
    assert 1.30 < mean["epsilon 0.1"]["reward"] < 1.42
    assert 0.77 < mean["epsilon 0.1"]["optimal"] < 0.91  # "never selected that action more than 91 % of the time"
    assert 1.25 < mean["epsilon 0.01"]["reward"] < 1.45
    assert mean["epsilon 0.01"]["optimal"] < mean["epsilon 0.1"]["optimal"]
    assert 0.9 < mean["greedy"]["reward"] < 1.2  # "a reward-per-step of only about 1, compared with the best of 1.54"
    assert 0.3 < mean["greedy"]["optimal"] < 0.42  # "found the optimal action in only approximately one-third"
    assert mean["ucb"]["reward"] > mean["epsilon 0.1"]["reward"]


# --- the law of the draws -------------------------------------------------------------------------------------------

RARE = 1e-6  # false alarm, and miss
DRAWS, WIDTH = 3000, 1000  # steps x runs: three million


def counts_of(weights):
    """Return how often each action is drawn, by the compiled stages, with the luck of the loop."""
    draw, pick, add = (compiled(stage) for stage in (stages.draw_uniforms, stages.pick, stages.add_up))
    runs, rows = np.arange(WIDTH), np.repeat(weights[:, None], WIDTH, axis=1)
    luck, other, total, threshold, running = np.empty((5, WIDTH))
    action, counts = np.empty(WIDTH, np.int64), np.zeros(len(weights), np.int64)
    add(rows, total)
    for step in range(DRAWS):
        draw(np.uint64(5), runs, step, STEP, luck, other)
        pick(rows, total, luck, threshold, running, action)
        counts += np.bincount(action, minlength=len(weights))
    return counts


def g_statistic(counts, probabilities):
    """Return 2 sum observed ln(observed / expected)."""
    return 2.0 * float(special.xlogy(counts, counts / (counts.sum() * probabilities)).sum())


def test_actions_are_drawn_by_their_law():
    """G-test: a false alarm in 1e-6; a law in which one chance in ten is off by 3 % is missed in 1e-6."""
    weights = stages.boltzmann_weights(np.linspace(0.0, 2.0, 10), 1.0)
    law = weights / weights.sum()
    threshold = stats.chi2.isf(RARE, 9)
    counts = counts_of(weights)
    assert counts.sum() == DRAWS * WIDTH
    assert g_statistic(counts, law) <= threshold
    wrong = law.copy()
    k = int(np.argmin(np.abs(law - 0.1)))
    wrong[k] *= 1.03
    wrong /= wrong.sum()
    strength = DRAWS * WIDTH * float(((wrong - law) ** 2 / law).sum())
    assert stats.ncx2.cdf(threshold, 9, strength) <= RARE
    assert g_statistic(counts, wrong) > threshold
