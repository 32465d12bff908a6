"""No number is used twice: one purpose per use, one step per number, in every kind of the cover."""

import collections
import itertools
import math

import cases
import numpy as np
import pytest
from cases import block_of, lanes_of, normal_of

from rlsoftmax import numeric
from rlsoftmax.contracts import Agent, Environment, Policy, Schedule, highest
from rlsoftmax.engine import betas, blocks, loop, stages
from rlsoftmax.engine.fuse import LAWS, fuse, linked
from rlsoftmax.engine.link import compiled
from rlsoftmax.errors import RuleError
from rlsoftmax.numeric import another_uniform


class RestlessAgent(Agent):
    """Asks for luck wherever an agent may, and looks ahead."""

    def memory(self, states, actions, luck):
        return {"value": luck.uniform((states, actions)), "noisy": np.zeros((states, actions))}

    def rank(self, values, value, state, luck):
        for k in range(values.size):
            values[k] = value[state, k] + another_uniform(luck, k)

    def learn(self, value, state, action, reward, next_state, next_action, terminated, luck, uniforms):
        target = reward if terminated else reward + 0.9 * value[next_state, next_action]
        value[state, action] += another_uniform(luck, 0) * uniforms[action] * (target - value[state, action])


class RestlessPolicy(Policy):
    """Asks for luck in every rule it may have."""

    temperature: float = 1.0

    def memory(self, luck):
        return {"mood": luck.uniform(1)}

    def prefer(self, preferences, values, luck, gumbels):
        for k in range(values.size):
            preferences[k] = values[k] + another_uniform(luck, k) + gumbels[k]

    def weigh(self, weights, values, luck, uniforms):
        for k in range(values.size):
            weights[k] = (1.0 if values[k] == highest(values) else 0.0) + another_uniform(luck, k) + uniforms[k]

    def observe(self, mood, change, luck):
        mood[0] += change * another_uniform(luck, 0)


class RestlessChoice(Policy):
    """Returns the action itself."""

    def choose(self, values, luck, normals):
        return 0 if another_uniform(luck, 0) + normals[1] < 0.5 else 1


class RestlessHeat(Schedule):
    """An adaptive schedule that observes with luck."""

    def memory(self, luck):
        return {"warmth": luck.uniform(1)}

    def temperature(self, warmth):
        return 1.0 + warmth[0]

    def observe(self, warmth, luck):
        warmth[0] = another_uniform(luck, 0)


class RestlessWorld(Environment):
    """Cut after three steps, unless it ends."""

    states, actions, limit = 3, 2, 3

    def own(self, luck):
        return {"gift": luck.uniform(3)}

    def start(self, uniform, luck):
        return 0 if uniform < another_uniform(luck, 0) else 1

    def step(self, gift, state, action, uniform, luck, normals):
        there = 0 if another_uniform(luck, 0) < 0.5 else 2
        return there, gift[state] + normals[action], uniform < 0.2


RESTLESS = [
    cases.Case(RestlessAgent(), RestlessPolicy(temperature=RestlessHeat()), RestlessWorld(), {}),
    cases.Case(RestlessAgent(), RestlessChoice(), RestlessWorld(), {}),
    cases.Case(RestlessAgent(), RestlessPolicy(temperature=RestlessHeat()), cases.GaussianBandit(delay=2, batch=3), {}),
]


@pytest.fixture
def drawn(monkeypatch):
    """Count every (run, step, purpose) that is asked of the generator."""
    counts = collections.Counter()
    original = numeric.random_words

    def counting(seed, run, step, purpose):
        for use in zip(*(array.ravel().tolist() for array in np.broadcast_arrays(run, step, purpose)), strict=True):
            counts[use] += 1
        return original(seed, run, step, purpose)

    for module in (numeric, stages, betas, loop):
        monkeypatch.setattr(module, "random_words", counting)
    blocks.own_arrays.clear()  # a problem that was built before is not built again
    return counts


@pytest.mark.parametrize("case", [*cases.cover(), *RESTLESS], ids=str)
def test_no_luck_is_used_twice(case, drawn):
    setup = case.setups[0]
    assert setup.kind  # looks at the names of the arrays, with luck that nothing else comes of
    drawn.clear()
    block = block_of([setup], lanes_of(cells=1), window=setup.steps)  # a second window would draw its first step again
    block.play(linked(block.kind, {}))
    assert drawn
    assert [use for use, times in drawn.items() if times > 1] == []


def test_purposes_leave_room_for_each_other():
    names = "STEP CUT START BUILD LEARN PREFER WEIGH CHOOSE WORLD BEGIN MEMORY OBSERVE RANK SENSE".split()
    asides = [aside + many for aside in (0, numeric.ASIDE) for many in (0, numeric.MANY)]
    purposes = sorted(getattr(numeric, name) + aside for name in names for aside in asides)
    assert all(high - low >= 1 << 30 for low, high in itertools.pairwise(purposes))


class Diary(Policy):
    """Notes the numbers of all actions that it is given, and what the numbers of its luck make of them."""

    def memory(self, states, actions):
        return {"given": np.zeros((60, actions)), "due": np.zeros((60, actions))}

    def choose(self, values, given, due, step, luck, normals):
        for k in range(values.size):
            given[step, k] = normals[k]
            due[step, k] = normal_of(luck, k, values.size)
        return step % values.size


@pytest.mark.compiled
@pytest.mark.parametrize("arms", [1, 2, 5])
@pytest.mark.parametrize("kernel_of", [fuse, lambda kind: linked(kind, {})], ids=["compiled", "interpreted"])
def test_the_numbers_of_all_actions_are_a_pure_function_of_run_step_purpose_and_action(arms, kernel_of):
    setup = cases.setup_of(cases.SampleAverage(), Diary(), cases.GaussianBandit(arms=arms))
    block = block_of([setup], lanes_of(cells=1), window=11)
    block.play(kernel_of(block.kind))
    given = block.array("given")
    assert given.tobytes() == block.array("due").tobytes()
    assert np.unique(given).size == given.size


@pytest.mark.compiled
@pytest.mark.parametrize("arms", [1, 3, 4, 10])
@pytest.mark.parametrize(
    ("law", "mean", "variance"),
    [("uniforms", 0.5, 1.0 / 12.0), ("normals", 0.0, 1.0), ("gumbels", 0.5772156649015329, math.pi**2 / 6.0)],
)
def test_the_numbers_of_all_actions_have_their_means_and_variances_and_no_correlations(law, mean, variance, arms):
    """Five standard errors (false alarm 6e-7 each; the fourth moment of Gumbel's is 5.4)."""
    rows, lanes = np.empty((arms, 100_000)), np.empty((2, 100_000))
    compiled(LAWS[law])(1, np.arange(100_000), 3, 0, rows, *lanes)
    for row in rows:
        assert abs(row.mean() - mean) < 5.0 * math.sqrt(variance / row.size)
        assert abs(row.var() - variance) < 5.0 * variance * math.sqrt(4.4 / row.size)
    for powers in (rows, rows**2):  # a pair on one circle would show in its squares
        found = np.atleast_2d(np.corrcoef(powers))
        assert np.all(np.abs(found - np.eye(arms)) < 5.0 / math.sqrt(100_000))


class Greedily(Policy):
    """Wants numbers of two laws."""

    def choose(self, values, uniforms, normals):
        return 0


def test_a_rule_gets_numbers_of_one_law():
    with pytest.raises(RuleError, match=r"test_engine_luck.py:\d+ in Greedily.choose asks for uniforms and normals"):
        assert cases.setup_of(cases.SampleAverage(), Greedily(), cases.ARMS).kind


class Noisy(Policy):
    """Weighs with normal numbers."""

    def weigh(self, weights, values, normals):
        for k in range(values.size):
            weights[k] = abs(normals[k])


def test_a_policy_that_asks_for_numbers_of_all_actions_has_no_probabilities():
    assert not Noisy.has_probabilities()
    with pytest.raises(RuleError, match="learns from the probabilities, and policy Noisy has none"):
        assert cases.setup_of(cases.GradientBandit(), Noisy(), cases.ARMS).kind


def test_the_noise_of_the_world_is_the_same_for_every_agent_and_policy():
    """Common random numbers: what a pull pays depends on (seed, run, step, arm), not on the cell."""
    setups = [
        cases.setup_of(agent, policy, cases.GaussianBandit(arms=1))
        for agent, policy in [
            (cases.SampleAverage(), cases.Greedy()),
            (cases.Sarsa(), cases.Boltzmann()),
            (cases.GradientBandit(), cases.Boltzmann()),
        ]
    ]
    blocks_ = [block_of([setup], lanes_of(cells=1)) for setup in setups]
    rewards = [block.play(linked(block.kind, {})).sums()["reward"].tolist() for block in blocks_]
    assert rewards[0] == rewards[1] == rewards[2]
    assert len({tuple(run) for run in rewards[0]}) == len(rewards[0])
