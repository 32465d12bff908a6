"""Tables: agents learn in the real Gymnasium what they learn here, bit for bit; values of policies are exact."""

import cases
import numpy as np
import pytest
from reference import rules
from reference.real_gymnasium import RealWorld
from reference.whole_loop import luck_of, play

from rlsoftmax.agents.expected_sarsa import ExpectedSarsa
from rlsoftmax.agents.q_learning import QLearning
from rlsoftmax.agents.sarsa import Sarsa
from rlsoftmax.contracts import Environment, Transitions
from rlsoftmax.core import softmax
from rlsoftmax.engine.fuse import linked
from rlsoftmax.engine.greedy import expected_reward, greedy_policy, greedy_scores
from rlsoftmax.engine.replay import final_policy, trace
from rlsoftmax.engine.returns import Returns, expected_return, look_back, new_room
from rlsoftmax.envs.chain import Chain
from rlsoftmax.envs.gaussian_bandit import GaussianBandit
from rlsoftmax.envs.gymnasium import Gymnasium
from rlsoftmax.policies.boltzmann import Boltzmann
from rlsoftmax.policies.epsilon_greedy import EpsilonGreedy
from rlsoftmax.schedules.exponential import Exponential

# name of the environment, limit, arguments, steps
WORLDS = {
    "frozen lake": ("FrozenLake-v1", 100, {"is_slippery": True}, 3000),
    "frozen lake without slips": ("FrozenLake-v1", 20, {"is_slippery": False, "map_name": "8x8"}, 1000),
    "cliff": ("CliffWalking-v1", 30, {}, 1500),
    "taxi": ("Taxi-v4", 200, {}, 1500),
}
AGENTS = {
    "q-learning": (QLearning(alpha=0.5, initial=0.5), rules.q_learning(0.5), False),
    "sarsa": (Sarsa(alpha=0.5, initial=0.5), rules.sarsa(0.5), True),
    "expected sarsa": (ExpectedSarsa(alpha=0.5, initial=0.5), rules.expected_sarsa(0.5), True),
}
POLICIES = {
    "boltzmann": (
        Boltzmann(temperature=Exponential(1.0, 0.05, 300.0)),
        rules.boltzmann,
        rules.exponential(1.0, 0.05, 300.0),
    ),
    "epsilon-greedy": (EpsilonGreedy(), rules.epsilon_greedy, rules.constant(0.0)),
}


def block_of(setup, runs=2):
    """Return a block of some runs, played in the interpreter."""
    block = cases.block_of([setup], cases.lanes_of(cells=1, runs=runs))
    return block.play(linked(block.kind, {}))


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("agent", AGENTS)
def test_an_agent_learns_in_the_real_environment_what_it_learns_here(agent, policy, world):
    name, limit, kwargs, steps = WORLDS[world]
    env = Gymnasium(id=name, kwargs=kwargs, max_episode_steps=limit)
    setup = cases.setup_of(AGENTS[agent][0], POLICIES[policy][0], env, steps=steps)
    block = block_of(setup, runs=1)
    real = RealWorld(name, limit, **kwargs)
    memory = rules.values(real, 0.5)
    (_, learn, ahead), (_, weigh, tau) = AGENTS[agent], POLICIES[policy]
    _, record = play(real, memory, learn, ahead, weigh, tau, luck_of(cases.SEED, 0), steps, setup.edges.tolist())
    assert np.array_equal(block.array("value")[0], memory[0])
    assert {key: sums[0].tolist() for key, sums in block.sums().items()} == record
    assert np.ptp(block.array("value")) > 0.3  # something was learned


# --- the value of a policy ------------------------------------------------------------------------------------------


def some_policies(states, actions, count=4):
    """Return random policies, and one with shared ties: [policy, state, action]."""
    values = np.random.default_rng(3).integers(0, 3, (count, states, actions)).astype(float)
    return greedy_policy(values)


def by_matrices(policy, table, limit):
    """Return the expected return of one policy by powers of its transition matrix, states and ends apart."""
    states = policy.shape[0]
    go, gain = np.zeros((states, states)), np.zeros(states)
    for state, action, j in np.ndindex(*table.chance.shape):
        chance = policy[state, action] * table.chance[state, action, j]
        gain[state] += chance * table.reward[state, action, j]
        if not table.final[state, action, j]:
            go[state, table.after[state, action, j]] += chance
    both = np.block([[go, gain[:, None]], [np.zeros(states), 1.0]])  # the last entry collects the rewards
    return float(table.first @ np.linalg.matrix_power(both, limit)[:states, states])


def by_enumeration(policy, env, state, steps):
    """Return the expected return of one policy by walking every path of choices and slips."""
    if steps == 0:
        return 0.0
    total = 0.0
    for action, probability in enumerate(policy[state]):
        for uniform, chance in ((0.0, env.slip), (1.0, 1.0 - env.slip)):
            if probability * chance > 0.0:
                there, reward, terminated = env.step(state, action, uniform)
                later = 0.0 if terminated else by_enumeration(policy, env, there, steps - 1)
                total += probability * chance * (reward + later)
    return total


@pytest.mark.parametrize("name", ["FrozenLake-v1", "CliffWalking-v1", "Taxi-v4"])
def test_the_value_of_a_policy_is_that_of_linear_algebra(name):
    env = Gymnasium(id=name, max_episode_steps=60)
    policies, table = some_policies(env.states, env.actions, 2), env.transitions()
    expected = [by_matrices(policy, table, 60) for policy in policies]
    np.testing.assert_allclose(expected_return(policies, table, 60), expected, rtol=1e-11)


@pytest.mark.parametrize("name", ["FrozenLake-v1", "Taxi-v4"])
def test_the_value_of_a_policy_does_not_depend_on_the_others(name):
    env = Gymnasium(id=name, max_episode_steps=60)
    policies, table = some_policies(env.states, env.actions, 9), env.transitions()
    alone = [expected_return(policy[None], table, 60)[0] for policy in policies]
    assert expected_return(policies, table, 60).tolist() == alone


@pytest.mark.parametrize("arms", [4, 10, 300])
def test_the_reward_of_a_greedy_policy_does_not_depend_on_the_others(arms):
    rng = np.random.default_rng(0)
    values, means = rng.integers(0, 2, (40, 3, arms)).astype(float), rng.standard_normal((40, 3, arms))
    alone = [expected_reward(greedy_policy(v[None]), m[None])[0] for v, m in zip(values, means, strict=True)]
    assert expected_reward(greedy_policy(values), means).tolist() == alone


@pytest.mark.compiled
def test_the_value_of_a_policy_is_the_same_in_the_interpreter():
    env = Gymnasium(id="FrozenLake-v1", max_episode_steps=60)
    policies, table = some_policies(env.states, env.actions, 5), env.transitions()
    returns, found, lanes = Returns(table, 60), np.empty(5), np.arange(5)
    room = new_room(*returns._table.chance.shape)
    look_back(policies, lanes, False, returns._met, returns._table, 60, found, room)
    assert found.tolist() == returns.of(policies).tolist()
    look_back(policies, lanes, True, returns._met, returns._table, 60, found, room)
    assert found.tolist() == returns.of_greedy(policies, lanes).tolist()


def test_the_best_action_is_taken_as_the_policy_says_that_is_shown():
    env = Gymnasium(id="FrozenLake-v1", max_episode_steps=60)
    values = np.random.default_rng(5).integers(0, 3, (6, env.states, env.actions)).astype(float)
    values[1, 3, 1] = np.nan
    values[2, 3, 0] = -np.inf
    returns = Returns(env.transitions(), 60)
    with np.errstate(invalid="ignore"):  # the row with the NaN
        exact = returns.of(greedy_policy(values))
    np.testing.assert_array_equal(returns.of_greedy(values, np.arange(6)), exact)
    assert np.isnan(exact).tolist() == [False, True, False, False, False, False]


@pytest.mark.parametrize("slip", [0.0, 0.2, 0.5])
def test_the_value_of_a_policy_is_that_of_all_paths(slip):
    env = Chain(length=3, slip=slip, limit=6)
    policies = some_policies(3, 2, 6)
    expected = [by_enumeration(policy, env, 0, 6) for policy in policies]
    np.testing.assert_allclose(expected_return(policies, env.transitions(), 6), expected, rtol=1e-13)


def test_the_greedy_score_is_the_value_of_the_final_greedy_policy():
    env = Chain(length=3, slip=0.2, limit=6)
    block = block_of(cases.setup_of(QLearning(alpha=0.5), EpsilonGreedy(), env, steps=200), runs=5)
    for values, score in zip(block.array("value"), greedy_scores(block), strict=True):
        best = values == values.max(axis=1, keepdims=True)
        assert np.isclose(score, by_enumeration(best / best.sum(axis=1, keepdims=True), env, 0, 6), rtol=1e-13)


def test_cells_that_share_a_block_are_each_judged_by_their_own_environment():
    setups = [cases.setup_of(QLearning(alpha=0.5), EpsilonGreedy(), Chain(length=3, slip=s, limit=6)) for s in (0, 0.5)]
    together = cases.block_of(setups, cases.lanes_of())
    together.play(linked(together.kind, {}))
    alone = [greedy_scores(block_of(setup, runs=3)) for setup in setups]
    assert np.array_equal(greedy_scores(together), np.concatenate(alone))
    assert not np.array_equal(*alone)


def test_the_greedy_score_is_what_episodes_of_the_real_environment_return():
    """20 000 episodes of Gymnasium's own lake; |z| <= 5, a false alarm of 6e-7."""
    setup = cases.setup_of(QLearning(alpha=0.5), Boltzmann(temperature=0.02), Gymnasium(), steps=4000)
    block = block_of(setup, runs=1)
    policy, rng = greedy_policy(block.values())[0], np.random.default_rng(11)
    table, below = setup.env.table, np.cumsum(policy, axis=1)
    state, total, alive = np.zeros(20000, int), np.zeros(20000), np.ones(20000, bool)
    for _ in range(setup.env.limit):
        action = (rng.random((20000, 1)) >= below[state][:, :-1]).sum(axis=1)
        j = (rng.random((20000, 1)) >= np.cumsum(table.chance, axis=2)[state, action][:, :-1]).sum(axis=1)
        total += np.where(alive, table.reward[state, action, j], 0.0)
        alive &= ~table.final[state, action, j]
        state = table.after[state, action, j]
    error = total.std() / np.sqrt(total.size)
    assert abs(total.mean() - greedy_scores(block)[0]) <= 5.0 * error
    assert total.std() > 0.0


def test_the_greedy_score_of_a_bandit_is_the_mean_of_its_greedy_arms():
    block = block_of(cases.setup_of(cases.SampleAverage(), Boltzmann(temperature=0.5), GaussianBandit(arms=4)), runs=5)
    values, means = block.array("value")[:, 0], block.array("mean")
    assert greedy_scores(block).tolist() == [m[v == v.max()].mean() for v, m in zip(values, means, strict=True)]


def test_a_greedy_score_without_a_limit_is_absent():
    assert greedy_scores(block_of(cases.setup_of(QLearning(), EpsilonGreedy(), Endless()))) is None


class Endless(Environment):
    """One state that pays for ever."""

    states, actions, limit = 1, 2, None

    def start(self):
        return 0

    def step(self, action):
        return 0, 1.0 * action, False

    def transitions(self):
        chance, after = np.ones((1, 2, 1)), np.zeros((1, 2, 1), int)
        return Transitions(chance, after, np.array([[[0.0], [1.0]]]), np.zeros((1, 2, 1), bool), np.ones(1))


# --- replay ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("agent", [QLearning(alpha=0.5), Sarsa(alpha=0.5)], ids=["behind", "ahead"])
def test_a_trace_adds_up_to_what_was_recorded(agent):
    setup = cases.setup_of(agent, Boltzmann(temperature=1.0), cases.CHAIN)
    rows, sums = trace(setup, 2), {name: sums[2] for name, sums in block_of(setup, runs=3).sums().items()}
    edges = setup.edges
    bins = np.searchsorted(edges, rows["step"], side="right") - 1
    assert np.allclose(np.bincount(bins, rows["reward"], len(edges) - 1), sums["reward"], rtol=1e-14)
    assert np.bincount(bins, rows["ended"], len(edges) - 1).tolist() == sums["episodes"].tolist()
    assert np.bincount(bins, rows["terminated"], len(edges) - 1).tolist() == sums["success"].tolist()
    assert np.array_equal(rows["episode"], np.append(0, np.cumsum(rows["ended"])[:-1]))
    going_on = ~rows["ended"][:-1]
    assert np.array_equal(rows["state"][1:][going_on], rows["next_state"][:-1][going_on])
    assert np.allclose(rows["probability"].sum(axis=1), 1.0)
    assert np.all(rows["probability"][np.arange(len(rows)), rows["action"]] > 0.0)


@pytest.mark.compiled
def test_the_final_policy_is_the_softmax_of_the_final_values():
    setup = cases.setup_of(QLearning(alpha=0.5), Boltzmann(temperature=0.7), cases.CHAIN)
    value, policy = block_of(setup).array("value")[1], final_policy(setup, 1)
    for state in range(3):
        np.testing.assert_allclose(policy.probabilities(state), softmax(value[state], tau=0.7), rtol=1e-12)
    rng = np.random.default_rng(5)
    share = np.mean([policy.act(1, rng) for _ in range(2000)])  # of action 1; |z| <= 5, a false alarm of 6e-7
    assert abs(share - policy.probabilities(1)[1]) <= 5.0 * np.sqrt(0.25 / 2000)
