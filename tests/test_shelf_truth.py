"""Agents reach what they are for: fixed points, gradients, forward views, bounds of regret."""

import itertools
import math

import cases
import numpy as np
import pytest
from drawn import Drawn, value_iteration

from rlsoftmax import shelf
from rlsoftmax.agents.actor_critic import ActorCritic
from rlsoftmax.agents.exp3 import Exp3
from rlsoftmax.agents.gradient_bandit import GradientBandit
from rlsoftmax.agents.reinforce import Reinforce
from rlsoftmax.agents.sarsa_lambda import SarsaLambda
from rlsoftmax.agents.tsallis_inf import TsallisInf
from rlsoftmax.contracts import Environment
from rlsoftmax.core import softmax
from rlsoftmax.engine.fuse import fuse
from rlsoftmax.engine.stages import tsallis
from rlsoftmax.envs.bernoulli_bandit import BernoulliBandit
from rlsoftmax.policies.boltzmann import Boltzmann
from rlsoftmax.policies.epsilon_softmax import EpsilonSoftmax
from rlsoftmax.schedules.inverse_time import InverseTime
from rlsoftmax.schedules.power import Power

GAMMA, TAU, OMEGA = 0.8, 0.2, 5.0

# --- fixed points ---------------------------------------------------------------------------------------------------

AHEAD = {
    "highest": max,
    "soft": lambda row: TAU * math.log(sum(math.exp(value / TAU) for value in row)),
    "mellow": lambda row: math.log(sum(math.exp(value * OMEGA) for value in row) / len(row)) / OMEGA,
    "mean": lambda row: sum(row) / len(row),  # what the uniform policy is worth
}
COOL = InverseTime(start=0.5, half_life=500.0)
AGENTS = {  # fields, what a state is worth, steps x runs if it takes others than usual
    "q_learning": ({}, "highest"),
    "double_q": ({}, "highest"),
    "n_step_q": ({"n": 1}, "highest"),
    "q_lambda": ({"trace_decay": 0.5}, "highest"),
    "speedy_q": ({"step_size": "fixed"}, "highest"),
    "weighted_q": ({}, "highest"),
    "maxmin_q": ({}, "highest", (2 * 10**6, 8)),
    "dyna_q": ({}, "highest", (10**5, 8)),
    "dual_rate": ({"alpha_good": COOL, "alpha_bad": COOL}, "highest"),
    "forgetting": ({"forget": 0.0}, "highest"),
    "choice_kernel": ({"habit": 0.1}, "highest"),
    "soft_q": ({}, "soft"),
    "mellowmax_q": ({"omega": OMEGA}, "mellow"),
    "sarsa": ({}, "mean"),
    "expected_sarsa": ({}, "mean"),
    "n_step_sarsa": ({"n": 3}, "mean"),
    "sarsa_lambda": ({}, "mean"),
}
SURE = {"speedy_q", "dyna_q"}  # do not suit worlds that play dice, as they say themselves


@pytest.mark.compiled
@pytest.mark.parametrize("name", AGENTS)
def test_an_agent_reaches_its_fixed_point_of_random_problems_with_decreasing_steps(name):
    """Values of about 2, to 1e-2 in each entry, beside plain value iteration; mean of runs with errors below 3e-3.

    All explore uniformly: off-policy agents do not mind, the others learn what that policy is worth. A cut is no end.
    """
    fields, ahead, *size = AGENTS[name]
    steps, runs = size[0] if size else (3 * 10**5, 32)
    agent = shelf.find("agent", name)(gamma=GAMMA, **fields | ({} if name == "dual_rate" else {"alpha": COOL}))
    policy = EpsilonSoftmax(temperature=TAU, epsilon=1.0) if name == "soft_q" else Boltzmann(temperature=math.inf)
    for number in range(2):
        env = Drawn(number=number, sure=name in SURE, spread=0.3, limit=25)
        setup = cases.setup_of(agent, policy, env, steps=steps, bins=[0, steps], snapshots=())
        block = cases.block_of([setup], [(0, run) for run in range(runs)])
        block.play(fuse(block.kind))
        expected = value_iteration(env.transitions(), GAMMA, ahead=AHEAD[ahead])
        np.testing.assert_allclose(block.array("value").mean(axis=0), expected, atol=1e-2)
        assert np.ptp(expected) > 0.5


def test_the_fixed_points_are_told_apart():
    table = Drawn(spread=0.3).transitions()
    points = [value_iteration(table, GAMMA, ahead=ahead) for ahead in AHEAD.values()]
    assert all(np.abs(a - b).max() > 0.05 for a, b in itertools.combinations(points, 2))


class Ring(Environment):
    """Stay for a little, or go round for more: 1.5 at every third step. It never ends."""

    limit: int = 10**9
    states, actions = 3, 2

    def start(self):
        return 0

    def step(self, state, action):
        if action == 0:
            return state, 0.2, False
        return (state + 1) % 3, 1.5 if state == 2 else 0.0, False


@pytest.mark.compiled
def test_r_learning_finds_the_best_mean_reward_of_a_task_that_never_ends():
    agent = shelf.find("agent", "r_learning")(alpha=COOL, beta=InverseTime(start=0.1, half_life=500.0))
    setup = cases.setup_of(agent, Boltzmann(temperature=1.0), Ring(), steps=100_000, bins=[0, 100_000], snapshots=())
    block = cases.block_of([setup], [(0, run) for run in range(8)])
    block.play(fuse(block.kind))
    np.testing.assert_allclose(block.array("average"), 0.5, atol=0.02)


# --- gradients ------------------------------------------------------------------------------------------------------

# Two states. In 0, action 0 pays 1 and goes to 1, action 1 pays 2 and ends; in 1, action 0 pays 3 and ends, action 1
# pays -1 and stays once more, after which the episode ends: time is part of what is enumerated.
PREFERENCE = np.array([[0.3, -0.2], [0.1, 0.5]])


def episodes(preference):
    """Yield (chance, steps) of every episode; a step is (state, action, reward, next state, terminated)."""
    p = softmax(preference)
    yield p[0, 1], [(0, 1, 2.0, 0, True)]
    for last, chance in ((3.0, p[1, 0]), (0.5, p[1, 1])):
        action = 0 if last == 3.0 else 1
        yield p[0, 0] * chance, [(0, 0, 1.0, 1, False), (1, action, last, 1, True)]


def expected_return(preference, gamma):
    return sum(
        chance * sum(gamma**t * step[2] for t, step in enumerate(steps)) for chance, steps in episodes(preference)
    )


def gradient(gamma, size=1e-6):
    """Return the gradient of the expected return by central differences."""
    found = np.zeros((2, 2))
    for s, a in np.ndindex(2, 2):
        nudge = np.zeros((2, 2))
        nudge[s, a] = size
        found[s, a] = expected_return(PREFERENCE + nudge, gamma) - expected_return(PREFERENCE - nudge, gamma)
    return found / (2.0 * size)


def mean_change(agent, mind_of):
    """Return the mean change of the preferences in one episode, each step's chances being those before it."""
    change = np.zeros((2, 2))
    for chance, steps in episodes(PREFERENCE):
        mind = mind_of()
        for state, action, reward, there, end in steps:
            agent.learn(**mind, state=state, action=action, reward=reward, next_state=there, terminated=end, ended=end,
                        probabilities=softmax(PREFERENCE)[state])  # fmt: skip
        change += chance * (mind["preference"] - PREFERENCE)
    return change


@pytest.mark.parametrize("baseline", [0.0, 1.7])
@pytest.mark.parametrize(("gamma", "discounted"), [(1.0, False), (0.6, True)])
def test_reinforce_climbs_the_gradient_of_the_expected_return(gamma, discounted, baseline):
    agent = Reinforce(alpha=1.0, beta=0.0, gamma=gamma, discounted=discounted)

    def mind_of():
        return agent.memory(2, 2, 2) | {"preference": PREFERENCE.copy(), "baseline": np.array([baseline, -baseline])}

    np.testing.assert_allclose(mean_change(agent, mind_of), gradient(gamma), atol=1e-8)


def test_without_the_fading_factor_reinforce_does_not_climb_the_discounted_return():
    agent = Reinforce(alpha=1.0, beta=0.0, gamma=0.6)
    change = mean_change(agent, lambda: agent.memory(2, 2, 2) | {"preference": PREFERENCE.copy()})
    assert np.abs(change - gradient(0.6)).max() > 0.05


@pytest.mark.parametrize(("gamma", "discounted"), [(1.0, False), (0.6, True)])
def test_an_actor_with_a_perfect_critic_climbs_the_gradient_of_the_expected_return(gamma, discounted):
    p = softmax(PREFERENCE)
    later = p[1, 0] * 3.0 + p[1, 1] * 0.5
    worth = np.array([p[0, 0] * (1.0 + gamma * later) + p[0, 1] * 2.0, later])
    agent = ActorCritic(alpha=1.0, beta=0.0, gamma=gamma, discounted=discounted)

    def mind_of():
        return {"preference": PREFERENCE.copy(), "worth": worth.copy(), "fading": np.ones(1)}

    np.testing.assert_allclose(mean_change(agent, mind_of), gradient(gamma), atol=1e-8)


def test_a_critic_that_learns_long_enough_knows_what_its_policy_is_worth():
    """With alpha 0 only the critic moves: temporal differences on the enumerated episodes."""
    agent, mind = ActorCritic(alpha=0.0, beta=0.01, gamma=0.6), ActorCritic().memory(2, 2)
    rng, p = np.random.default_rng(0), softmax(PREFERENCE)
    chances, paths = zip(*episodes(PREFERENCE), strict=True)
    for i in rng.choice(3, 20_000, p=chances):
        for state, action, reward, there, end in paths[i]:
            agent.learn(**mind, state=state, action=action, reward=reward, next_state=there, terminated=end, ended=end,
                        probabilities=p[state])  # fmt: skip
    later = p[1, 0] * 3.0 + p[1, 1] * 0.5
    np.testing.assert_allclose(mind["worth"], [p[0, 0] * (1.0 + 0.6 * later) + p[0, 1] * 2.0, later], atol=0.15)


MEANS, NUDGES = np.array([0.2, 1.0, -0.5]), (-0.5, 0.5)  # of the arms, and what is added to them with equal chance


@pytest.mark.parametrize(("baseline", "share"), [("none", 1.0), ("before", 1.0), ("including", 0.75)])
def test_the_gradient_bandit_climbs_the_gradient_of_the_expected_reward(baseline, share):
    """Enumerated arms and rewards; a baseline that includes the reward takes back 1 / n of the step, here a quarter."""
    agent, preference, size = GradientBandit(alpha=0.5, baseline=baseline), np.array([0.4, -0.3, 0.1]), 1e-6
    chances, change = softmax(preference), np.zeros(3)
    for arm, nudge in itertools.product(range(3), NUDGES):
        mind = {"preference": preference[None].copy(), "average": np.array([0.7]), "seen": np.array([3.0])}
        agent.learn(**mind, state=0, action=arm, reward=MEANS[arm] + nudge, probabilities=chances)
        change += 0.5 * chances[arm] * (mind["preference"][0] - preference)
    steps = size * np.eye(3)
    slope = [(softmax(preference + step) - softmax(preference - step)) @ MEANS / (2.0 * size) for step in steps]
    np.testing.assert_allclose(change, 0.5 * share * np.array(slope), atol=1e-9)
    assert np.abs(change).min() > 1e-3


# --- true online ----------------------------------------------------------------------------------------------------


def online_forward_view(pairs, rewards, alpha, gamma, decay):
    """Return the values of the online lambda-return algorithm (van Seijen et al. 2016, section 3.1), by its definition.

    pairs[t] is the number of the state and action at time t; the last reward ends the episode.
    """
    horizon = len(rewards)
    best = [np.zeros(max(pairs) + 1)]  # best[h]: the values known at time h
    for h in range(1, horizon + 1):
        value = best[0].copy()
        for t in range(h):
            value[pairs[t]] += alpha * (interim_return(t, h, pairs, rewards, best, gamma, decay) - value[pairs[t]])
        best.append(value)
    return best[-1]


def interim_return(t, h, pairs, rewards, best, gamma, decay):
    """Return the lambda-return from t, truncated at horizon h."""
    returns, total = [], 0.0
    for n in range(1, h - t + 1):
        total += gamma ** (n - 1) * rewards[t + n - 1]
        ahead = best[t + n - 1][pairs[t + n]] if t + n < len(rewards) else 0.0
        returns.append(total + gamma**n * ahead)
    mixed = (1.0 - decay) * sum(decay**i * g for i, g in enumerate(returns[:-1]))
    return mixed + decay ** (len(returns) - 1) * returns[-1]


@pytest.mark.parametrize("seed", range(5))
def test_true_online_sarsa_lambda_equals_the_forward_view(seed):
    rng = np.random.default_rng(seed)
    pairs, rewards = rng.integers(0, 6, 12).tolist(), rng.normal(size=12).tolist()
    agent = SarsaLambda(alpha=0.4, gamma=0.9, trace_decay=0.7, traces="dutch", cutoff=0.0)
    mind = agent.memory(3, 2)
    for t, (pair, reward) in enumerate(zip(pairs, rewards, strict=True)):
        end = t == len(pairs) - 1
        there = pairs[0] if end else pairs[t + 1]
        agent.learn(**mind, state=pair // 2, action=pair % 2, reward=reward, next_state=there // 2,
                    next_action=there % 2, terminated=end, ended=end)  # fmt: skip
    expected = np.zeros(6)
    expected[: max(pairs) + 1] = online_forward_view(pairs, rewards, 0.4, 0.9, 0.7)
    np.testing.assert_allclose(mind["value"].ravel(), expected, rtol=1e-10)
    assert mind["count"][0] == 0
    assert not mind["trace"].any()


# --- bounds of regret -----------------------------------------------------------------------------------------------

STEPS, ARMS = 2000, 4
HARD = BernoulliBandit(chances=(0.45, 0.45, 0.6, 0.45))  # a gap of about sqrt(K / T): the hardest for its bounds
EASY = BernoulliBandit(chances=(0.1, 0.1, 0.9, 0.1))  # never learning would cost 1200
BOUNDS = {
    "exp3, known horizon": (
        Exp3(), math.sqrt(STEPS * ARMS / (2.0 * math.log(ARMS))), math.sqrt(2.0 * STEPS * ARMS * math.log(ARMS)),
    ),
    "exp3, anytime": (
        Exp3(), Power(start=math.sqrt(ARMS / math.log(ARMS)), exponent=-0.5),
        2.0 * math.sqrt(STEPS * ARMS * math.log(ARMS)),
    ),
    "tsallis_inf": (TsallisInf(), 1.0, 4.0 * math.sqrt(ARMS * STEPS) + 1.0),
}  # fmt: skip


@pytest.mark.compiled
@pytest.mark.parametrize("env", [HARD, EASY], ids=["hard", "easy"])
@pytest.mark.parametrize("name", BOUNDS)
def test_the_regret_is_below_its_bound(name, env):
    """The mean of 128 runs and 5 of its standard errors (false alarm 3e-7, if the truth were at the bound)."""
    agent, tau, bound = BOUNDS[name]
    setup = cases.setup_of(agent, Boltzmann(temperature=tau), env, steps=STEPS, bins=[0, STEPS], snapshots=())
    block = cases.block_of([setup], [(0, run) for run in range(128)])
    regret = block.play(fuse(block.kind)).sums()["regret"][:, 0]
    assert regret.mean() + 5.0 * regret.std(ddof=1) / math.sqrt(128) <= bound
    assert regret.mean() < 0.9 * STEPS * np.mean(max(env.chances) - np.array(env.chances))  # better than not learning


def test_the_probabilities_of_tsallis_inf_are_those_of_its_optimisation():
    """p minimises <L, p> - (4 / eta) sum of sqrt(p): L - 2 / (eta sqrt(p)) is the same for all actions."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        loss, rounds = rng.exponential(size=(1, 5)) * 10.0 ** rng.uniform(-2, 4), float(rng.integers(0, 10_000))
        values = np.zeros(5)
        TsallisInf().rank(values, -loss, np.array([rounds]), 0)
        rows = values[:, None].copy()
        tsallis(rows, *np.empty((3, 1)))
        chances = np.exp(rows[:, 0])
        eta = 2.0 / math.sqrt(rounds + 1.0)
        multiplier = loss[0] - 2.0 / (eta * np.sqrt(chances))
        assert chances.sum() == pytest.approx(1.0, abs=1e-12)
        np.testing.assert_allclose(multiplier, multiplier[0], rtol=1e-9, atol=1e-9 * loss.max())
