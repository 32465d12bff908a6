"""What well-known libraries get wrong, each as a test that would fail on their code.

Elsewhere: weights of EXP3 that stay 1 (test_shelf_agents), mellowmax that falls back to uniform, an action never tried
that gets no noise, a Dirichlet instead of the softmax (test_shelf_policies, test_truth_policies), a cut that does not
bootstrap in the whole loop (test_engine_whole_loop), luck that is used twice (test_engine_luck).
"""

import itertools

import cases
import numpy as np
import pytest
from reference.surveyed import policy_of

import rlsoftmax as rs
from rlsoftmax import shelf
from rlsoftmax.agents.expected_sarsa import ExpectedSarsa
from rlsoftmax.agents.q_learning import QLearning
from rlsoftmax.agents.sample_average import SampleAverage
from rlsoftmax.agents.sarsa import Sarsa
from rlsoftmax.component import schema
from rlsoftmax.contracts import Environment
from rlsoftmax.engine.fuse import LEARNS, linked
from rlsoftmax.engine.replay import trace
from rlsoftmax.envs.gaussian_bandit import GaussianBandit
from rlsoftmax.policies.boltzmann import Boltzmann


def warm():
    """Return the names of the policies that have a temperature and probabilities."""
    found = {name: shelf.find("policy", name) for name in shelf.names("policy")}
    return [name for name, cls in found.items() if cls.has_temperature() and cls.has_probabilities()]


# --- softmax --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", warm())
def test_a_higher_temperature_is_never_greedier(name):
    """rlberry-scool multiplies the values by what it calls tau."""
    cls, values, entropies = shelf.find("policy", name), np.array([0.0, 0.3, 1.0, 2.0]), []
    for temperature in (0.0, 0.05, 0.2, 1.0, 5.0, 50.0, np.inf):
        chances = policy_of(cls(temperature=temperature), values, np.full(4, 1000.0))
        seen = chances[chances > 0.0]
        entropies.append(float(-(seen * np.log(seen)).sum()))
    assert all(later >= earlier - 1e-12 for earlier, later in itertools.pairwise(entropies))
    assert entropies[-1] > entropies[0] + 0.05


@pytest.mark.parametrize("name", warm())
def test_a_small_temperature_does_not_choose_a_bad_arm(name):
    """SMPyBandits: exp overflows, what is not finite becomes 0, and the arm worth 0.1 has all the probability."""
    chances = policy_of(shelf.find("policy", name)(temperature=0.001), np.array([0.9, 0.8, 0.1]), np.full(3, 1e6))
    assert chances.argmax() == 0
    assert chances[0] > 0.85


@pytest.mark.parametrize("name", warm())
def test_values_below_zero_are_told_apart(name):
    """SMPyBandits: weights that sum to nearly nothing become uniform."""
    chances = policy_of(
        shelf.find("policy", name)(temperature=0.01), np.array([-900.0, -901.0, -950.0]), np.full(3, 1e6)
    )
    assert chances[0] > 0.85


# --- agents ---------------------------------------------------------------------------------------------------------


class Instant(Environment):
    """One state; every step costs nothing and is the last one: cut by the limit, or an end."""

    ends: bool = False
    limit: int = 1
    states, actions = 1, 2

    def start(self):
        return 0

    def step(self):
        return 0, 0.0, self.ends


def bootstrapping():
    """Return the names of the agents that discount what they expect."""
    fields = {name: schema(shelf.find("agent", name)) for name in shelf.names("agent")}
    return [name for name, has in fields.items() if {"gamma", "initial"} <= has.keys()]


@pytest.mark.parametrize("name", bootstrapping())
@pytest.mark.parametrize("ends", [False, True], ids=["cut", "end"])
def test_a_cut_bootstraps_and_an_end_does_not(name, ends):
    """rlberry-scool takes any end of an episode for a terminal state; MushroomRL's wrapper ignores truncated."""
    cls = shelf.find("agent", name)
    whole = {key: 1.0 for key in schema(cls) if key.startswith("alpha") and key != "alpha_choice"}
    agent = cls(gamma=0.5, initial=1.0, **whole)
    setup = cases.setup_of(agent, Boltzmann(temperature=1e-9), Instant(ends=ends), steps=1, bins=[0, 1], snapshots=())
    block = cases.block_of([setup], [(0, run) for run in range(4)])
    block.play(linked(block.kind, {}))
    tables = [block.array(key).reshape(4, -1) for key in block.kind.names.mind if key in ("value", "twin", "estimates")]
    lowest = np.concatenate(tables, axis=1).min(axis=1)
    np.testing.assert_allclose(lowest, 0.0 if ends else 0.5, atol=1e-8)


@pytest.mark.parametrize("agent", [Sarsa(alpha=0.5), ExpectedSarsa(alpha=0.5)], ids=str)
def test_an_action_is_drawn_once_and_then_executed(agent):
    """rlberry-scool's SARSA draws the next action for the target, and then another one to act."""
    told = []

    def note(self, game, lane, *offered):
        told.append(dict(zip(LEARNS, offered, strict=True)))

    setup = cases.setup_of(agent, Boltzmann(temperature=5.0), cases.CHAIN, steps=200, bins=[0, 200], snapshots=())
    block = cases.block_of([setup], [(0, 0)])
    block.play(linked(block.kind, {"learn": note}))
    pairs = [(a["next_action"], b["action"]) for a, b in itertools.pairwise(told) if not a["ended"]]
    assert len(pairs) > 50
    assert all(promised == done for promised, done in pairs)
    assert len({action for action, _ in pairs}) == 2


# --- measures and luck ----------------------------------------------------------------------------------------------


def test_regret_is_that_of_the_true_means_whatever_the_agent_believes():
    """genrl reports the regret of its own estimates; that of SMPyBandits can be negative."""
    setup = cases.setup_of(SampleAverage(initial=1e6), Boltzmann(temperature=1.0), cases.ARMS, steps=50, bins=[0, 50])
    block = cases.block_of([setup], [(0, run) for run in range(3)])
    block.play(linked(block.kind, {}))
    for run in range(3):
        pulled = np.array([0.5, 0.8, 0.8])[trace(setup, run)["action"]]
        assert block.sums()["regret"][run].sum() == pytest.approx((0.8 - pulled).sum(), abs=1e-9)


def test_every_run_has_a_problem_and_rewards_of_its_own():
    """contextual draws the ten arms once for all runs; banditbench pays all runs the same rewards."""
    setup = cases.setup_of(SampleAverage(), Boltzmann(temperature=np.inf), GaussianBandit(), steps=20, bins=[0, 20])
    block = cases.block_of([setup], [(0, run) for run in range(128)])
    block.play(linked(block.kind, {}))
    means, luck = block.array("mean"), block.sums()["reward"][:, 0] + block.sums()["regret"][:, 0]
    assert len(np.unique(means)) == means.size
    assert len(np.unique(luck)) == 128
    noise = luck - 20.0 * means.max(axis=1)  # sum of 20 standard normals: |z| <= 5.5 in 128 runs, a false alarm in 5e-6
    assert abs(noise / np.sqrt(20.0)).max() < 5.5
    assert abs(np.corrcoef(noise[1:], noise[:-1])[0, 1]) < 5.0 / np.sqrt(127)


def test_runs_are_not_repeated_however_many_there_are():
    """SMPyBandits draws seeds with replacement: 13 of 2000 runs are copies."""
    study = rs.run(
        env="testbed", agent="sample_average", tau=0.5, runs=2000, steps=3, record={"bins": 1, "snapshots": 0}
    )
    assert len(np.unique(study.cells[0].metric("reward"))) == 2000


def test_the_first_action_does_not_win_ties():
    """`argmax` returns the first of the best, and that is a bias."""
    setup = cases.setup_of(QLearning(alpha=0.0), Boltzmann(temperature=0.0), cases.ARMS, steps=300, bins=[0, 300])
    counts = np.bincount(trace(setup, 0)["action"], minlength=3)
    assert (abs(counts - 100) < 5.0 * np.sqrt(300 * 2 / 9)).all()  # a false alarm in 2e-6
