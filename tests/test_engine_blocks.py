"""What shares a block, what a block says of its runs, and numbers of an environment that change with the step."""

import threading

import cases
import numpy as np
import pytest
from cases import block_of

from rlsoftmax.agents.q_learning import QLearning
from rlsoftmax.agents.reinforce import Reinforce
from rlsoftmax.contracts import Agent, Environment, Policy, Schedule
from rlsoftmax.engine.fuse import fuse, linked
from rlsoftmax.engine.greedy import greedy_scores
from rlsoftmax.errors import Interrupted
from rlsoftmax.numeric import another_uniform
from rlsoftmax.policies.boltzmann import Boltzmann
from rlsoftmax.policies.thompson import Thompson


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


class Namesake(Environment):
    """Two arms whose means are called like what an agent and a policy remember; `expected` asks for them."""

    actions = 2

    def own(self, luck):
        return {"value": luck.uniform(2)}

    def shared(self):
        return {"belief": np.array([1.0, 2.0])}

    def pull(self, value, belief, action, uniform):
        return value[action] + belief[action] * (uniform - 0.5)

    def regret(self, value, action):
        return max(value[0], value[1]) - value[action]

    def expected(self, value):
        return value


class Otherwise(Namesake):
    """The same with names of its own."""

    def own(self, luck):
        return {"level": luck.uniform(2)}

    def shared(self):
        return {"scale": np.array([1.0, 2.0])}

    def pull(self, level, scale, action, uniform):
        return level[action] + scale[action] * (uniform - 0.5)

    def regret(self, level, action):
        return max(level[0], level[1]) - level[action]

    def expected(self, level):
        return level


@pytest.mark.parametrize("policy", [Thompson(), Boltzmann(temperature=0.5)], ids=str)
def test_an_environment_may_call_its_arrays_as_an_agent_or_a_policy_does(policy):
    blocks = []
    for env in (Namesake(), Otherwise()):
        setup = cases.setup_of(QLearning(), policy, env)
        blocks.append(cases.block_of([setup], [(0, run) for run in range(3)]))
        blocks[-1].play(linked(setup.kind, {}))
    assert cases.bits(blocks[0]) == cases.bits(blocks[1])
    assert np.array_equal(greedy_scores(blocks[0]), greedy_scores(blocks[1]))
    assert np.array_equal(blocks[0].of_world("value"), blocks[1].array("level"))
    assert not np.array_equal(blocks[0].array("value")[:, 0], blocks[0].of_world("value"))


class Endless(Environment):
    """One state, for ever."""

    limit: int | None = None
    states, actions = 1, 2

    def start(self):
        return 0

    def step(self, action):
        return 0, 1.0, False


@pytest.mark.parametrize(("env", "limit"), [(cases.CHAIN, 4), (cases.ARMS, 1), (Endless(), None)], ids=str)
def test_memory_may_ask_for_the_limit(env, limit):
    class Told(QLearning):
        def memory(self, states, actions, limit):
            told.append(limit)
            return {"value": np.zeros((states, actions))}

    told = []
    assert cases.setup_of(Told(), Boltzmann(temperature=1.0), env).kind
    assert told == [limit]


@pytest.mark.parametrize(("longest", "most"), [(None, 4), (3, 3), (9, 4)])
def test_reinforce_remembers_no_more_than_an_episode_can_have(longest, most):
    setup = cases.setup_of(Reinforce(longest=longest), Boltzmann(temperature=1.0), cases.CHAIN)
    assert setup.mind(0)["gain"].shape == (most,)


class Leaky(Environment):
    """A ring with a rare step to a state that is not there."""

    where: int = -1
    states, actions, limit = 4, 2, 10

    def start(self):
        return 0

    def step(self, state, action, step):
        return self.where if step == 500 and action == 1 else (state + action) % 4, 1.0 * state, False


class Elsewhere(Leaky):
    """The same ring; it is the start of an episode that is not there."""

    limit = 501

    def start(self, step):
        return self.where if step > 0 else 0

    def step(self, state, action):
        return (state + action) % 4, 1.0 * state, False


class Wild(Policy):
    """Tosses a coin, and names once an action that is not there."""

    what: int = 5

    def choose(self, step, uniform):
        return self.what if step == 500 and uniform < 0.5 else int(uniform < 0.5)


@pytest.mark.parametrize("wrong", [-1, 4, -(2**40), 2**40])
@pytest.mark.parametrize("interpreted", [False, True])
def test_a_run_that_goes_where_nothing_is_fails_alone(wrong, interpreted):
    def played(env, policy):
        block = block_of([cases.setup_of(QLearning(), policy, env, steps=600)], [(0, run) for run in range(20)])
        return block.play(linked(block.kind, {}) if interpreted else fuse(block.kind))

    coin = Boltzmann(temperature=np.inf)
    for env, policy, usual in (
        (Leaky(where=wrong), coin, (Leaky(where=0), coin)),
        (Leaky(where=0), Wild(what=wrong), (Leaky(where=0), Wild(what=0))),
    ):
        block, twin = played(env, policy), played(*usual)
        broken = block.broken()
        assert 0 < broken.sum() < 20
        assert not twin.broken().any()
        assert np.array_equal(block.array("value")[~broken], twin.array("value")[~broken])
        assert np.array_equal(block.record[:, :, ~broken], twin.record[:, :, ~broken])
    assert played(Elsewhere(where=wrong), coin).broken().all()
