"""What shares a block, what a block says of its runs, and numbers of an environment that change with the step."""

import threading

import cases
import numpy as np
import pytest
from cases import block_of

from rlsoftmax.contracts import Agent, Environment, Schedule
from rlsoftmax.engine.fuse import linked
from rlsoftmax.errors import Interrupted
from rlsoftmax.numeric import another_uniform


class Gifts(Environment):
    """A bandit whose own array has a length of its own."""

    count: int = 3
    actions = 2

    def own(self, luck):
        return {"gift": luck.uniform(self.count)}

    def pull(self, gift, action):
        return gift[action]


class Ramp(Schedule):
    """0, 1, 2, ..."""

    def __call__(self, step):
        return step * 1.0


class Timed(Environment):
    """Every episode is one step, and starts in the state that a schedule names."""

    where: float = 0.0
    states, actions, limit = 9, 2, 1

    def start(self):
        return int(self.where)

    def step(self, state, action):
        return 0, 1.0 * state, False


class Dreamer(Agent):
    """Ranks with luck."""

    def memory(self, states, actions):
        return {"value": np.ones((states, actions))}

    def rank(self, values, value, state, luck):
        for k in range(values.size):
            values[k] = value[state, k] + another_uniform(luck, k)

    def learn(self, value, state, action, reward):
        value[state, action] += 0.0 * reward


def played(setup, lanes=((0, 0),)):
    """Return a block of one cell, played in the interpreter."""
    block = block_of([setup], list(lanes))
    return block.play(linked(block.kind, {}))


def shape(env, agent=None, policy=None, steps=20, seed=1):
    """Return what a cell must share with another to share a block."""
    return cases.setup_of(agent or cases.QLearning(), policy or cases.Boltzmann(), env, steps=steps, seed=seed).shape


def test_cells_that_differ_in_numbers_share_a_block():
    assert shape(cases.CHAIN) == shape(cases.CHAIN, cases.QLearning(alpha=0.5), cases.Boltzmann(temperature=0.1))
    assert shape(cases.GaussianBandit()) == shape(cases.GaussianBandit(noise=2.0))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (shape(cases.GaussianBandit(arms=3)), shape(cases.GaussianBandit(arms=4))),
        (shape(Gifts(count=3)), shape(Gifts(count=4))),
        (shape(cases.CHAIN), shape(cases.Chain(length=4))),
        (shape(cases.CHAIN), shape(cases.Chain(length=3, limit=5))),
        (shape(cases.CHAIN), shape(cases.CHAIN, cases.Sarsa())),
        (shape(cases.CHAIN), shape(cases.CHAIN, policy=cases.Greedy())),
        (shape(cases.CHAIN), shape(cases.CHAIN, steps=30)),
        (shape(cases.CHAIN), shape(cases.CHAIN, seed=2)),
        (shape(cases.Gymnasium()), shape(cases.Gymnasium(kwargs={"is_slippery": False}))),
    ],
)
def test_cells_of_another_shape_do_not_share_a_block(one, other):
    assert one != other


def test_a_number_of_the_start_is_that_of_the_step_it_starts():
    setup = cases.setup_of(cases.QLearning(), cases.Boltzmann(), Timed(where=Ramp()), steps=6, bins=range(7))
    assert played(setup).sums()["reward"].tolist() == [[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]]


def test_what_an_agent_ranks_with_luck_can_be_asked_for():
    block = played(cases.setup_of(Dreamer(), cases.Boltzmann(), cases.CHAIN), lanes=[(0, 0), (0, 1)])
    values = block.values()
    assert values.shape == (2, 3, 2)
    assert np.all((values > 1.0) & (values < 2.0))
    assert np.array_equal(values, block.values())
    assert not np.array_equal(values[0], values[1])


def test_a_stop_is_heard_between_two_windows():
    block, stop = (
        block_of([cases.setup_of(cases.QLearning(), cases.Boltzmann(), cases.CHAIN)], [(0, 0)], 7),
        threading.Event(),
    )
    kernel = linked(block.kind, {})

    def stopping(game):
        kernel(game)
        stop.set()

    with pytest.raises(Interrupted):
        block.play(stopping, stop=stop)
    assert block.first == 7


def test_a_run_that_is_not_finite_is_named_and_others_are_not():
    block = block_of([cases.setup_of(cases.QLearning(), cases.Boltzmann(), cases.CHAIN)], [(0, 0), (0, 1), (0, 2)])
    block.memory[0][1, 0, 0] = np.nan
    assert block.broken().tolist() == [False, True, False]
