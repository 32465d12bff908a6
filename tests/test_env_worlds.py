"""Small worlds: their tables against their own steps, and against what was published."""

import cases
import gymnasium
import numpy as np
import pytest
from cases import block_of, setup_of

from rlsoftmax.agents.q_learning import QLearning
from rlsoftmax.contracts import asked
from rlsoftmax.engine.fuse import linked
from rlsoftmax.engine.greedy import greedy_policy, greedy_scores
from rlsoftmax.engine.returns import expected_return
from rlsoftmax.engine.setup import world_of
from rlsoftmax.envs.chain import Chain
from rlsoftmax.envs.contextual_bandit import ContextualBandit
from rlsoftmax.envs.deep_sea import DeepSea
from rlsoftmax.envs.gridworld import Gridworld
from rlsoftmax.envs.random_mdp import RandomMdp
from rlsoftmax.envs.river_swim import RiverSwim
from rlsoftmax.envs.two_step import TwoStep
from rlsoftmax.errors import BadValue
from rlsoftmax.numeric import WORLD, BuildLuck
from rlsoftmax.policies.boltzmann import Boltzmann

MAZE = ("S.#", ".CG", "S.T")
TABLES = [
    Chain(),
    Chain(length=2, slip=0.0),
    Gridworld(),
    Gridworld(map=MAZE, slip=0.3, rewards={"C": -7, "T": 2.5}, ends="GT"),
    RiverSwim(),
    RiverSwim(length=3, forward=0.5, back=0.5),
    DeepSea(size=4, mapping=3),
    RandomMdp(size=7, choices=3, branches=4),
    RandomMdp(size=3, branches=1, problem=2**63),
]
SAMPLES = 500
UNIFORMS = (np.arange(SAMPLES) + 0.5) / SAMPLES


def calling(rule, env):
    """Return the rule as a function of what varies, by name; the shared arrays are looked up."""
    shared = env.shared() if hasattr(env, "shared") else {}
    names = asked(rule)

    def call(**offered):
        offered |= shared
        return rule(env, **{name: offered[name] for name in names})

    return call


def tally(outcomes):
    """Return {outcome: share}."""
    outcomes = list(outcomes)
    return {outcome: outcomes.count(outcome) / len(outcomes) for outcome in set(outcomes)}


def told(table, state, action):
    """Return {(next state, reward, final): chance}, equal outcomes together."""
    shares = {}
    for j, chance in enumerate(table.chance[state, action]):
        if chance > 0.0:
            arrays = table.after, table.reward, table.final
            there, reward, final = (array[state, action, j].item() for array in arrays)
            key = (there, reward, final)
            shares[key] = shares.get(key, 0.0) + chance
    return shares


@pytest.mark.parametrize("env", TABLES, ids=lambda env: f"{type(env).__name__}-{env.states}")
def test_the_table_of_an_environment_is_the_law_of_its_steps(env):
    """By enumeration: the uniforms of a fine grid, so that a share is off by less than one point per outcome."""
    table = env.transitions()
    start, step = (calling(type(env).own_rules()[name], env) for name in ("start", "step"))
    np.testing.assert_allclose(table.chance.sum(axis=2), 1.0, rtol=1e-12)
    for state, action in np.ndindex(env.states, env.actions):
        answers = (step(state=state, action=action, uniform=u) for u in UNIFORMS)
        found = tally((int(there), float(reward), bool(final)) for there, reward, final in answers)
        expected = told(table, state, action)
        assert found.keys() == expected.keys(), (state, action)
        assert max(abs(found[key] - expected[key]) for key in found) <= 2 / SAMPLES
    starts = tally(int(start(uniform=u)) for u in UNIFORMS)
    first = {state: share for state, share in enumerate(table.first) if share > 0.0}
    assert starts.keys() == first.keys()
    assert max(abs(starts[state] - first[state]) for state in first) <= 2 / SAMPLES


def test_the_default_map_is_the_cliff_of_gymnasium():
    table, cliff = Gridworld().transitions(), gymnasium.make("CliffWalking-v1").unwrapped.P
    for state in range(37):  # beyond are the cliff and the goal, where nobody ever is
        for action in range(4):
            ((chance, there, reward, final),) = cliff[state][action]
            assert told(table, state, action) == {(int(there), float(reward), bool(final)): chance}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"map": ("S.", "#")}, "same length"),
        ({"map": ("..",)}, "must have a start"),
        ({"rewards": {"GG": 1}}, "single characters"),
        ({"rewards": {"G": "much"}}, "must be a number"),
        ({"ends": "S"}, "cannot have walls or starts"),
    ],
)
def test_a_map_that_makes_no_sense_is_refused(change, words):
    with pytest.raises(BadValue, match=words):
        Gridworld(**change)


def test_river_swim_is_the_published_one():
    table = RiverSwim().transitions()
    assert told(table, 0, 1) == {(1, 0.0, False): 0.3, (0, 0.0, False): pytest.approx(0.7)}
    assert told(table, 3, 1) == {
        (4, 0.0, False): 0.3,
        (3, 0.0, False): pytest.approx(0.6),
        (2, 0.0, False): pytest.approx(0.1),
    }
    assert told(table, 5, 1) == {(5, 1.0, False): 0.3, (4, 0.0, False): 0.7}
    assert told(table, 0, 0) == {(0, 5 / 10000, False): 1.0}


@pytest.mark.parametrize("size", [1, 2, 5])
def test_always_going_right_is_the_only_way_to_the_prize_of_the_deep_sea(size):
    env = DeepSea(size=size, cost=0.5, prize=3.0)
    table, right = env.transitions(), env.shared()["right"]
    chosen = (np.arange(2) == right[:, None]).astype(float)
    assert expected_return(chosen[None], table, size)[0] == pytest.approx(2.5)
    uniform = np.full((1, env.states, 2), 0.5)
    assert expected_return(uniform, table, size)[0] == pytest.approx(3.0 / 2**size - 0.25)
    assert 0 < env.shared()["right"].sum() < env.states or size < 5


def test_a_random_problem_is_shared_or_the_run_s_own():
    shared, own = RandomMdp(), RandomMdp(problem="own")
    assert (world_of(shared, 0).own, world_of(own, 0).shared) == ((), {})
    assert own.transitions() is None
    one, two = (own.own(BuildLuck(0, run)) for run in (0, 1))
    assert not np.array_equal(one["pay"], two["pay"])
    assert all(len(set(row)) == 3 for row in one["after"].reshape(-1, 3).tolist())  # different states
    assert not np.array_equal(RandomMdp(problem=1).shared()["pay"], shared.shared()["pay"])


def test_q_learning_finds_the_values_of_a_random_problem():
    """Value iteration knows them; with decreasing steps the largest error is small."""
    env = RandomMdp(size=4, choices=2, branches=2, spread=1.0)
    table, value = env.transitions(), np.zeros((4, 2))
    for _ in range(200):
        value = (table.chance * (table.reward + 0.5 * value.max(axis=1)[table.after])).sum(axis=2)
    setup = setup_of(QLearning(alpha=0.02, gamma=0.5), Boltzmann(temperature=np.inf), env, steps=4000)
    block = block_of([setup], [(0, run) for run in range(4)])
    block.play(linked(block.kind, {}))
    assert abs(block.values().mean(axis=0) - value).max() < 0.1


def test_two_step_leads_to_the_common_stage_as_often_as_it_says():
    env, chance, luck = TwoStep(common=0.75), np.full((2, 2), 0.5), (0, 0, 0, WORLD)
    for action in range(2):
        found = tally(env.step(chance, 0, action, u, luck) for u in UNIFORMS)
        assert found == {(1 + action, 0.0, False): 0.75, (2 - action, 0.0, False): 0.25}
    assert (chance == 0.5).all()  # they move after the second stage only


def test_two_step_pays_its_chances_and_moves_them_within_their_bounds():
    env, seen = TwoStep(drift=0.2), []
    chance = np.array([[0.25, 0.75], [0.5, 0.6]])
    for step in range(300):
        before = chance.copy()
        with np.errstate(over="ignore"):
            there, reward, final = env.step(chance, 1 + step % 2, 0, 0.49, (0, 0, step, WORLD))
        assert (there, reward, final) == (0, 0.49 < before[step % 2, 0], True)
        seen.append(chance.copy())
    assert np.min(seen) >= 0.25
    assert np.max(seen) <= 0.75
    assert np.std(seen) > 0.1


def test_episodes_of_two_step_are_two_steps_long():
    block = block_of([setup_of(QLearning(), Boltzmann(), TwoStep(), steps=40)], [(0, 0)])
    sums = block.play(linked(block.kind, {})).sums()
    assert (sums["episodes"].sum(), sums["length"].sum()) == (20, 40)


def test_contexts_have_regret_and_a_greedy_score_of_their_own():
    env = ContextualBandit(contexts=3, arms=2, noise=0.0)
    block = block_of([setup_of(QLearning(alpha=1.0), Boltzmann(temperature=np.inf), env, bins=range(61))], [(0, 0)])
    sums = block.play(linked(block.kind, {})).sums()
    mean = block.array("mean")[0]
    paid = sums["reward"][0]
    assert set(paid) <= set(mean.ravel())
    assert sums["episodes"].sum() == 60
    best = {value: mean[np.argwhere(mean == value)[0, 0]].max() for value in set(paid)}
    assert sums["regret"][0].tolist() == [best[value] - value for value in paid]
    assert np.array_equal(block.values()[0], mean)  # noiseless, and every arm was tried
    assert greedy_scores(block)[0] == pytest.approx(mean.max(axis=1).mean())
    assert np.array_equal(greedy_policy(mean).argmax(axis=1), mean.argmax(axis=1))


def test_every_environment_is_in_the_cover_of_bits():
    named = {type(case.env) for case in cases.cover()}
    assert {ContextualBandit, DeepSea, Gridworld, RandomMdp, RiverSwim, TwoStep} <= named
