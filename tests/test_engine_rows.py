"""A component's number means the same in the interpreter and in the compiled loop, whatever its name."""

import numpy as np
import pytest

import rlsoftmax as rs
from rlsoftmax.contracts import highest
from rlsoftmax.engine.blocks import Block
from rlsoftmax.engine.fuse import fuse, linked
from rlsoftmax.engine.setup import Setup
from rlsoftmax.engine.stages import tsallis


class Named(rs.Environment):
    """A bandit whose numbers have names that NumPy uses for its own."""

    size: rs.Number = 3.0
    shape: rs.Number = 0.5
    T: rs.Number = 0.25
    item: rs.Number = 0.125
    actions = 2

    def pull(self, action):
        return self.size + self.shape + self.T + self.item + action


def test_a_number_called_like_an_attribute_of_an_array_is_the_number():
    edges = np.array([0, 4])
    setup = Setup(rs.SampleAverage(), rs.Greedy(), Named(), 0, 4, edges, edges[:0])
    block = Block([setup], np.zeros(1, np.int64), np.zeros(1, np.int64)).play(linked(setup.kind, {}))
    pulls = 4 * (3.0 + 0.5 + 0.25 + 0.125)
    assert block.sums()["reward"][0, 0] == pytest.approx(pulls + block.array("visits")[0, 0, 1])


class Habit(rs.Agent):
    """Ranks its values plus a bonus that changes with the step."""

    bonus: rs.Number = 1.0

    def memory(self, states, actions):
        return {"value": np.zeros((states, actions))}

    def rank(self, values, value, state):
        for k in range(values.size):
            values[k] = value[state, k] + self.bonus * k

    def learn(self, value, state, action, reward):
        value[state, action] += 0.1 * (reward - value[state, action])


def test_what_is_ranked_at_the_end_reads_the_schedule_at_that_step():
    edges = np.array([0, 4])
    agent = Habit(bonus=rs.Linear(start=0.0, end=8.0, steps=8.0))
    setup = Setup(agent, rs.Greedy(), Named(), 0, 4, edges, edges[:0])
    block = Block([setup], np.zeros(1, np.int64), np.zeros(1, np.int64)).play(linked(setup.kind, {}))
    np.testing.assert_allclose(block.values()[0] - block.array("value")[0], [[0.0, 4.0]])


class Gaps(rs.Agent):
    """Ranks by a rule and a stage, and learns from the temperature to come, for which it is ranked ahead."""

    rank_lanes = staticmethod(tsallis)

    def memory(self, states, actions):
        return {"value": np.zeros((states, actions))}

    def rank(self, values, value, state):
        for k in range(values.size):
            values[k] = highest(value[state]) - value[state, k]

    def learn(self, value, state, action, reward, next_temperature):
        value[state, action] += 0.1 * (reward + next_temperature - value[state, action])


class Hottest(rs.Schedule):
    """A temperature that is read from what is ranked."""

    def temperature(self, values):
        return -highest(values)


@pytest.mark.compiled
def test_a_stage_finishes_what_is_ranked_wherever_it_is_ranked():
    edges = np.array([0, 30])
    setup, runs = Setup(Gaps(), rs.Boltzmann(temperature=Hottest()), Named(), 0, 30, edges, edges[:0]), np.arange(3)
    blocks = [Block([setup], 0 * runs, runs).play(kernel) for kernel in (fuse(setup.kind), linked(setup.kind, {}))]
    assert blocks[0].array("value").tobytes() == blocks[1].array("value").tobytes()
    chances = np.exp(blocks[0].values())
    np.testing.assert_allclose(chances.sum(axis=2), 1.0, rtol=1e-12)
    assert (blocks[0].array("value") > 0.0).any()
