"""A closer look: values of policies, errors of values and visits, against plain Python; nothing else changes."""

import dataclasses
import math

import cases
import numpy as np
import pytest
from drawn import Drawn, backed_up, value_iteration

import rlsoftmax as rs
from rlsoftmax import core
from rlsoftmax.agents.actor_critic import ActorCritic
from rlsoftmax.agents.double_q import DoubleQ
from rlsoftmax.agents.q_learning import QLearning
from rlsoftmax.agents.r_learning import RLearning
from rlsoftmax.agents.sample_average import SampleAverage
from rlsoftmax.agents.sarsa import Sarsa
from rlsoftmax.engine import inside, loop
from rlsoftmax.engine.fuse import fuse, linked
from rlsoftmax.engine.inside import behaviour, discounted_return, optimal_values, play_and_look, seen_inside
from rlsoftmax.engine.link import link
from rlsoftmax.engine.replay import trace
from rlsoftmax.envs.drifting_bandit import DriftingBandit
from rlsoftmax.envs.gymnasium import Gymnasium
from rlsoftmax.envs.table_bandit import TableBandit
from rlsoftmax.errors import ConfigError
from rlsoftmax.experiment import execute
from rlsoftmax.policies.boltzmann import Boltzmann
from rlsoftmax.policies.epsilon_greedy import EpsilonGreedy
from rlsoftmax.policies.soft_ucb import SoftUcb
from rlsoftmax.policies.thompson import Thompson
from rlsoftmax.schedules.count_based import CountBased

LOOKS = (0, 7, 30, 59)


# --- plain Python: what a reader of the book would write ------------------------------------------------------------


def episode_return(policy, table, limit):
    """Return the expected sum of rewards of an episode, one step more at a time."""
    value = [0.0] * len(policy)
    for _ in range(limit):
        value = [
            sum(p * backed_up(table, value, s, a) for a, p in enumerate(row) if p > 0.0) for s, row in enumerate(policy)
        ]
    return sum(chance * v for chance, v in zip(table.first, value, strict=True))


def by_inverse(policy, table, gamma):
    """Return the discounted expected return by inverting the whole matrix."""
    states = len(policy)
    go, gain = np.zeros((states, states)), np.zeros(states)
    for s, a, j in np.ndindex(*table.chance.shape):
        chance = policy[s, a] * table.chance[s, a, j]
        gain[s] += chance * table.reward[s, a, j]
        go[s, table.after[s, a, j]] += chance * (not table.final[s, a, j])
    return float(table.first @ np.linalg.inv(np.eye(states) - gamma * go) @ gain)


def in_python(monkeypatch):
    """Let the survey of all states run in the interpreter."""
    monkeypatch.setattr(inside, "surveyor", lambda kind: link(loop.survey, linked(kind, {}).__globals__))


def setup_of(agent, policy, env):
    return dataclasses.replace(cases.setup_of(agent, policy, env, snapshots=LOOKS), inside=True)


def looked_at(setup, runs=3, window=None):
    block = cases.block_of([setup], [(0, run) for run in range(runs)], window)
    return play_and_look(block, linked(block.kind, {}))


def at_steps(setup, runs=3):
    """Yield a block of the same runs, played anew up to each step of a look."""
    for step in LOOKS:
        block = cases.block_of([setup], [(0, run) for run in range(runs)])
        yield block.play(linked(block.kind, {}), step)


# --- values ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(5))
def test_values_of_policies_are_those_of_plain_evaluation(number, monkeypatch):
    in_python(monkeypatch)
    env = Drawn(number=number)
    setup, table = setup_of(QLearning(alpha=0.5), Boltzmann(temperature=cases.COOLING), env), env.transitions()
    seen = looked_at(setup)
    for i, (step, block) in enumerate(zip(LOOKS, at_steps(setup), strict=True)):
        temperature = float(cases.COOLING(np.array([float(step)]))[0])
        for l, value in enumerate(block.array("value")):
            best = value == value.max(axis=1, keepdims=True)
            greedy = episode_return(best / best.sum(axis=1, keepdims=True), table, 6)
            acting = episode_return(core.softmax(value, tau=temperature), table, 6)
            assert seen["snapshot/value_greedy"][l, i] == pytest.approx(greedy, abs=1e-12)
            assert seen["snapshot/value_behaviour"][l, i] == pytest.approx(acting, abs=1e-12)
    assert np.ptp(seen["snapshot/value_greedy"]) > 0.1


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.99])
def test_without_a_limit_values_are_discounted_as_the_agent_discounts(gamma, monkeypatch):
    in_python(monkeypatch)
    env = Drawn(number=7, limit=None)
    setup, table = setup_of(Sarsa(gamma=gamma), EpsilonGreedy(epsilon=0.3), env), env.transitions()
    seen = looked_at(setup)
    for i, block in enumerate(at_steps(setup)):
        for l, policy in enumerate(behaviour(block)):
            expected = by_inverse(policy, table, gamma)
            assert seen["snapshot/value_behaviour"][l, i] == pytest.approx(expected, rel=1e-11)
    policy = np.random.default_rng(0).dirichlet(np.ones(3), 5)
    assert discounted_return(policy, table, gamma) == pytest.approx(by_inverse(policy, table, gamma), rel=1e-11)


def test_without_a_limit_and_without_discounting_there_is_no_value(monkeypatch):
    in_python(monkeypatch)
    seen = looked_at(setup_of(QLearning(gamma=1.0), EpsilonGreedy(), Drawn(limit=None)))
    assert all(np.isnan(seen[name]).all() for name in seen if name != "visits")
    assert seen_inside(setup_of(RLearning(), EpsilonGreedy(), Drawn(limit=None))) == ("visits",)


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("gamma", [0.0, 0.6, 0.95])
def test_optimal_values_are_those_of_value_iteration(number, gamma):
    table = Drawn(number=number).transitions()
    np.testing.assert_allclose(
        optimal_values(Drawn(number=number), 0, gamma), value_iteration(table, gamma), atol=1e-10
    )


def test_optimal_values_hold_where_gamma_is_almost_one():
    """Bellman's equation, with the rounding of values near 10 000."""
    best, table = optimal_values(Drawn(number=1, limit=None), 0, 0.9999), Drawn(number=1).transitions()
    again = [[backed_up(table, best.max(axis=1), s, a, 0.9999) for a in range(3)] for s in range(5)]
    np.testing.assert_allclose(again, best, atol=1e-10)


def test_optimal_values_heed_what_is_allowed_and_leave_out_what_is_never_reached():
    env = Gymnasium(id="Taxi-v4", mask="info")
    best, allowed = optimal_values(env, 0, 0.9), env.shared()["allowed"]
    there = ~np.isnan(best).all(axis=1)
    assert there.sum() == 400  # of 500: a passenger who is at home ends the episode
    np.testing.assert_array_equal(~np.isnan(best), allowed & there[:, None])
    seen = allowed & there[:, None]
    np.testing.assert_allclose(best[seen], value_iteration(env.transitions(), 0.9, allowed)[seen], atol=1e-10)


@pytest.mark.parametrize("agent", [QLearning(alpha=0.5, gamma=0.8), DoubleQ(alpha=0.5, gamma=0.8)], ids=str)
def test_the_error_is_the_root_mean_square_distance_to_the_optimal_values(agent, monkeypatch):
    in_python(monkeypatch)
    env = Drawn(number=3)
    setup, best = setup_of(agent, Boltzmann(temperature=1.0), env), value_iteration(env.transitions(), 0.8)
    seen = looked_at(setup)["snapshot/error_optimal"]
    for i, block in enumerate(at_steps(setup)):
        expected = [math.sqrt(np.mean((value - best) ** 2)) for value in block.array("value")]
        np.testing.assert_allclose(seen[:, i], expected, rtol=1e-9)


def test_what_learns_preferences_has_values_of_its_policies_but_no_error():
    setup = setup_of(ActorCritic(), Boltzmann(temperature=1.0), Drawn())
    assert seen_inside(setup) == ("snapshot/value_greedy", "snapshot/value_behaviour", "visits")


def test_a_policy_without_probabilities_has_only_the_value_of_what_it_has_learned():
    setup = setup_of(QLearning(), Thompson(), Drawn())
    assert seen_inside(setup) == ("snapshot/value_greedy", "snapshot/error_optimal", "visits")


# --- the policy everywhere ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("agent", "policy"),
    [
        (QLearning(alpha=0.5), SoftUcb(temperature=0.5)),
        (QLearning(alpha=0.5), Boltzmann(temperature=CountBased(2.0))),
        (DoubleQ(alpha=0.5), EpsilonGreedy(epsilon=0.2)),
    ],
    ids=str,
)
def test_the_policy_of_a_state_is_what_a_run_draws_from_when_it_is_there(agent, policy, monkeypatch):
    """The chances that the trace of a run notes at a step, beside those that the survey finds for its state."""
    in_python(monkeypatch)
    setup = setup_of(agent, policy, cases.CHAIN)
    for run in range(3):
        rows, block = trace(setup, run), cases.block_of([setup], [(0, run)])
        for step in range(60):
            block.play(linked(block.kind, {}), step)
            np.testing.assert_array_equal(behaviour(block)[0, rows["state"][step]], rows["probability"][step])


@pytest.mark.compiled
def test_looking_changes_nothing_and_sees_the_same_in_any_window_compiled_or_not(monkeypatch):
    setup = setup_of(Sarsa(alpha=0.5), Boltzmann(temperature=cases.COOLING), cases.CHAIN)
    plain = cases.setup_of(setup.agent, setup.policy, setup.env, snapshots=LOOKS)
    blocks = [
        cases.block_of([one], [(0, run) for run in range(3)], window) for one, window in ((setup, 7), (plain, None))
    ]
    seen = play_and_look(blocks[0], fuse(blocks[0].kind))
    blocks[1].play(fuse(blocks[1].kind))
    assert {name: sums.tolist() for name, sums in blocks[0].sums().items()} == {
        name: sums.tolist() for name, sums in blocks[1].sums().items()
    }
    assert np.array_equal(blocks[0].array("value"), blocks[1].array("value"))
    in_python(monkeypatch)
    again = looked_at(setup, window=60)
    assert all(np.array_equal(seen[name], again[name]) for name in seen)


# --- bandits, visits ------------------------------------------------------------------------------------------------


def test_a_bandit_is_worth_the_means_of_its_arms_as_they_are_then(monkeypatch):
    in_python(monkeypatch)
    setup = setup_of(SampleAverage(), Boltzmann(temperature=0.5), DriftingBandit(arms=4))
    seen = looked_at(setup)
    for i, block in enumerate(at_steps(setup)):
        means = block.array("mean")
        chances = core.softmax(block.array("value")[:, 0], tau=0.5)
        np.testing.assert_allclose(seen["snapshot/value_behaviour"][:, i], (chances * means).sum(axis=1), rtol=1e-12)
        off = np.sqrt(((block.array("value")[:, 0] - means) ** 2).mean(axis=1))
        np.testing.assert_allclose(seen["snapshot/error_optimal"][:, i], off, rtol=1e-12)
    assert "visits" not in seen


def test_an_arm_that_is_never_there_is_in_no_error(tmp_path, monkeypatch):
    in_python(monkeypatch)
    (tmp_path / "pay.csv").write_text("0.1,,0.9\n")
    setup = setup_of(SampleAverage(), Boltzmann(temperature=0.5), TableBandit(file=str(tmp_path / "pay.csv")))
    off = looked_at(setup)["snapshot/error_optimal"]
    np.testing.assert_allclose(off[:, 0], math.sqrt((0.1**2 + 0.9**2) / 2), rtol=1e-12)
    np.testing.assert_allclose(off[:, -1], 0.0, atol=1e-12)


def test_visits_count_the_steps_that_began_in_each_state(monkeypatch):
    in_python(monkeypatch)
    setup = setup_of(Sarsa(), Boltzmann(temperature=1.0), cases.CHAIN)
    for run, visits in enumerate(looked_at(setup)["visits"]):
        assert visits.tolist() == np.bincount(trace(setup, run)["state"], minlength=3).tolist()


# --- as a user asks for it ------------------------------------------------------------------------------------------

WALK = {"env": "chain", "agent": "q_learning", "runs": 3, "steps": 60}
NAMES = {"snapshot/value_greedy", "snapshot/value_behaviour", "snapshot/error_optimal", "visits"}


def test_a_closer_look_is_made_by_replay_where_it_is_missing(tmp_path, monkeypatch):
    asked = {**WALK, "study": "walk", "results": str(tmp_path), "tau": [0.5, 2.0]}
    plain = rs.sweep(**asked)
    assert not NAMES & plain.cells[0].data.arrays.keys()
    seen = rs.sweep("record.values=snapshots", **asked)
    assert seen.digest() == plain.digest()  # it is no part of what a cell is
    assert seen.cells[1].snapshot("value_greedy").shape == (3, 25)
    assert seen.cells[1].visits().sum(axis=1).tolist() == [60, 60, 60]
    monkeypatch.setattr(execute, "play_and_look", None)  # nothing is left to be played
    again = rs.sweep("record.values=snapshots", **asked)
    np.testing.assert_array_equal(again.cells[0].snapshot("error_optimal"), seen.cells[0].snapshot("error_optimal"))
    assert NAMES <= rs.load(tmp_path / "walk").cells[0].data.arrays.keys()


def test_a_closer_look_at_fewer_steps_than_are_stored_is_not_lost(tmp_path):
    asked = {**WALK, "study": "walk", "results": str(tmp_path), "tau": 0.5}
    rs.run(**asked)
    seen = rs.run("record.values=snapshots", "record.snapshots=4", **asked).cells[0]
    assert seen.snapshot("value_greedy").shape == seen.snapshot("entropy").shape == (3, 4)


def test_the_last_greedy_value_is_close_to_the_greedy_score():
    """The last snapshot is taken before the last step, so the two are equal for most runs."""
    cell = rs.run("record.values=snapshots", **WALK, tau=0.5).cells[0]
    assert np.median(np.abs(cell.snapshot("value_greedy")[:, -1] - cell.scores("greedy"))) < 1e-9


def test_visits_that_are_only_counted_are_no_memory():
    cell = rs.run("record.values=snapshots", "record.memory=final", **(WALK | {"agent": "double_q"}), tau=0.5).cells[0]
    names = [name for name in cell.data.arrays if name.startswith("memory/")]
    assert names == ["memory/twin", "memory/value"]


def test_what_was_not_looked_at_says_how_to_ask_for_it():
    cell = rs.run(**WALK, tau=0.5).cells[0]
    with pytest.raises(ConfigError, match=r"no snapshot 'value_greedy' here; record\.values=snapshots makes it"):
        cell.snapshot("value_greedy")
    with pytest.raises(ConfigError, match=r"no visits here; record\.values=snapshots counts them"):
        cell.visits()
    with pytest.raises(ConfigError, match=r"record\.values='always' must be one of: none, snapshots"):
        rs.run("record.values=always", **WALK, tau=0.5)
