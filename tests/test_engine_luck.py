"""No number is used twice: one purpose per use, one step per number, in every kind of the cover."""

import collections
import itertools

import cases
import numpy as np
import pytest
from cases import block_of, lanes_of

from rlsoftmax import numeric
from rlsoftmax.contracts import Agent, Environment, Policy, Schedule, highest
from rlsoftmax.engine import blocks, loop, stages
from rlsoftmax.engine.fuse import linked
from rlsoftmax.numeric import another_uniform


class RestlessAgent(Agent):
    """Asks for luck wherever an agent may, and looks ahead."""

    def memory(self, states, actions, luck):
        return {"value": luck.uniform((states, actions)), "noisy": np.zeros((states, actions))}

    def rank(self, values, value, state, luck):
        for k in range(values.size):
            values[k] = value[state, k] + another_uniform(luck, k)

    def learn(self, value, state, action, reward, next_state, next_action, terminated, luck):
        target = reward if terminated else reward + 0.9 * value[next_state, next_action]
        value[state, action] += another_uniform(luck, 0) * (target - value[state, action])


class RestlessPolicy(Policy):
    """Asks for luck in every rule it may have."""

    temperature: float = 1.0

    def memory(self, luck):
        return {"mood": luck.uniform(1)}

    def prefer(self, preferences, values, luck):
        for k in range(values.size):
            preferences[k] = values[k] + another_uniform(luck, k)

    def weigh(self, weights, values, luck):
        for k in range(values.size):
            weights[k] = (1.0 if values[k] == highest(values) else 0.0) + another_uniform(luck, k)

    def observe(self, mood, change, luck):
        mood[0] += change * another_uniform(luck, 0)


class RestlessChoice(Policy):
    """Returns the action itself."""

    def choose(self, values, luck):
        return 0 if another_uniform(luck, 0) < 0.5 else 1


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

    def step(self, gift, state, action, uniform, luck):
        there = 0 if another_uniform(luck, 0) < 0.5 else 2
        return there, gift[state] + action, uniform < 0.2


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

    for module in (numeric, stages, loop):
        monkeypatch.setattr(module, "random_words", counting)
    blocks.own_arrays.cache_clear()  # a problem that was built before is not built again
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
    purposes = sorted(getattr(numeric, name) + aside for name in names for aside in (0, numeric.ASIDE))
    assert all(high - low >= 1 << 31 for low, high in itertools.pairwise(purposes))


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
