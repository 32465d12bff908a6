"""The tree draws the law of `boltzmann`, whatever the temperature does and the values become, and reads few of them.

Laws are held against core.softmax. Where the law changes from step to step, the place of the action in the law of its
own step is looked at: the chance of all worse actions + v * that of its equals, v uniform, is uniform under this law.
"""

import functools
import math
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import cases
import numpy as np
import pytest
from scipy import stats

from rlsoftmax import core
from rlsoftmax.agents.choice_kernel import ChoiceKernel
from rlsoftmax.agents.constant_step import ConstantStep
from rlsoftmax.agents.forgetting import Forgetting
from rlsoftmax.agents.q_learning import QLearning
from rlsoftmax.agents.sample_average import SampleAverage
from rlsoftmax.agents.sarsa import Sarsa
from rlsoftmax.engine.blocks import MOST_LANES, lanes_for
from rlsoftmax.engine.fuse import fuse, linked
from rlsoftmax.engine.kept import Kept
from rlsoftmax.engine.link import compiled, link
from rlsoftmax.engine.replay import trace
from rlsoftmax.envs.gaussian_bandit import GaussianBandit
from rlsoftmax.envs.table_bandit import TableBandit
from rlsoftmax.numeric import CHOOSE, random_words, unit
from rlsoftmax.policies import boltzmann_tree
from rlsoftmax.policies.boltzmann import Boltzmann
from rlsoftmax.policies.boltzmann_tree import BoltzmannTree
from rlsoftmax.schedules.constant import Constant
from rlsoftmax.schedules.cyclic import Cyclic
from rlsoftmax.schedules.exponential import Exponential
from rlsoftmax.schedules.linear import Linear

INF, SEED, ALARM = np.inf, 5, 1e-6


def p_value(counts, chances):
    """G-test; nothing of probability 0 may have been drawn."""
    assert counts[chances == 0.0].sum() == 0
    seen = chances > 0.0
    g = 2.0 * sum(n * math.log(n / e) for n, e in zip(counts[seen], counts.sum() * chances[seen], strict=True) if n)
    return stats.chi2.sf(g, max(seen.sum() - 1, 1))


# --- the tree itself --------------------------------------------------------------------------------------------------

SIZES = [1, 2, 8, 9, 15, 16, 57, 64, 65, 72, 73, 584, 586, 1000]


def built(values, scale):
    """Return the sums of a tree at this scale, and what is known of it."""
    arrays = BoltzmannTree().memory(1, len(values))
    tree, about = arrays["sums"][0], arrays["known"][0]
    boltzmann_tree.build(np.asarray(values), scale, tree, about)
    return tree, about


@pytest.mark.parametrize("size", SIZES)
def test_every_action_has_a_leaf_of_its_own_in_order(size):
    tree, _ = built(np.zeros(size), 1.0)
    leaves = [boltzmann_tree.leaf_of(k, tree.size) for k in range(size)]
    assert len(set(leaves)) == size
    assert [boltzmann_tree.action_of(leaf, tree.size) for leaf in leaves] == list(range(size))
    assert tree[leaves].tolist() == [1.0] * size
    assert tree[0] == size


@pytest.mark.parametrize("size", SIZES)
def test_a_number_leads_to_the_action_at_its_place_in_the_running_sum(size):
    values = np.random.default_rng(size).standard_normal(size)
    tree, _ = built(values, 2.0)
    below = np.cumsum(core.softmax(values, tau=0.5))
    numbers = np.random.default_rng(1).random(500)
    expected = np.searchsorted(below[:-1], numbers * below[-1], side="right")
    np.testing.assert_array_equal([boltzmann_tree.descend(tree, u) for u in numbers], expected)


def test_an_action_of_weight_zero_is_never_reached_not_even_at_the_edges():
    """Half of the actions weigh nothing; the numbers lie on and beside every edge of the others."""
    rng = np.random.default_rng(SEED)
    values = np.where(rng.random(300) < 0.5, -INF, rng.standard_normal(300) * 9)
    tree, _ = built(values, 1.0)
    edges = np.cumsum(core.softmax(values))
    near = np.concatenate([np.nextafter(edges, 0.0), edges, np.nextafter(edges, 1.0), [2.0**-53, 1.0 - 2.0**-53]])
    reached = [boltzmann_tree.descend(tree, u) for u in near if 0.0 < u < 1.0]
    assert (values[reached] > -INF).all()


def test_after_many_changes_the_tree_is_the_one_that_would_be_built(monkeypatch):
    """Bit for bit: a node is the sum of its children, whatever was there before."""
    rng, values = np.random.default_rng(SEED), np.zeros(200)
    tree, about = built(values, 3.0)
    for k in rng.integers(0, 200, 3000).tolist():
        values[k] = rng.standard_normal() * 5
        assert boltzmann_tree.renew(values, k, tree, about)
    monkeypatch.setattr(boltzmann_tree, "extremes", lambda values: (-1.0, 0.0))
    again, _ = built(values, 3.0)  # with the reference that this tree has
    np.testing.assert_array_equal(tree, again)


@pytest.mark.parametrize(
    ("value", "stays"), [(190.0, True), (210.0, False), (-INF, True), (-1e308, True), (1e308, False), (np.nan, False)]
)
def test_a_value_out_of_range_asks_for_another_reference(value, stays):
    values = np.zeros(20)
    tree, about = built(values, 3.0)
    values[7] = value
    with np.errstate(over="ignore", invalid="ignore"):  # as the engine does
        assert boltzmann_tree.renew(values, 7, tree, about) == stays


def test_a_best_value_that_falls_far_asks_for_another_reference():
    values = np.zeros(20)
    values[3] = 200.0
    tree, about = built(values, 3.0)
    values[3] = 0.0
    assert not boltzmann_tree.renew(values, 3, tree, about)


# --- laws of draws: G-tests, false alarm and miss 1e-6 ----------------------------------------------------------------

DRAWS = 3_000_000
VALUES = {
    "near ties": np.array([1.0, 1.0 + 1e-9, 1.0, 0.9, 1.0 - 1e-9]),
    "forty": np.random.default_rng(SEED).standard_normal(40),
    "forbidden": np.array([0.5, -INF, 0.1, -INF, 0.3, 0.4, 0.2, -INF, 0.1, 0.3]),
    "big gaps": np.array([0.0, -1e280, 0.3, -50.0, -8.0, 0.2, 5e-324]),
    "one": np.array([3.0]),
}


def many(self, values, sums, known, first, temperature, counts, draws):
    """Build a tree at one temperature, then draw at another from what it became."""
    pick(self, values, -1, first, sums, known, 0, 0.5, (SEED, 0, 0, CHOOSE))  # noqa: F821 - linked
    changed = 0
    for step in range(1, draws + 1):
        chance = unit(random_words(SEED, 0, step, 0)[0])
        changed = pick(self, values, changed, temperature, sums, known, 0, chance, (SEED, 0, step, CHOOSE))  # noqa: F821
        counts[changed] += 1


def drawn(values, first, temperature, draws=DRAWS):
    """Return how often each action was chosen, and the scale of the tree in the end."""
    arrays, counts = BoltzmannTree().memory(1, len(values)), np.zeros(len(values), np.int64)
    kernel = compiled(link(many, {"pick": BoltzmannTree.choose}))
    kernel(0, values, arrays["sums"], arrays["known"], first, temperature, counts, draws)
    return counts, arrays["known"][0, boltzmann_tree.SCALE]


@pytest.mark.compiled
@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("temperature", [0.0, 0.05, 0.7, 30.0, INF])
def test_draws_follow_softmax_at_a_constant_temperature(name, temperature):
    counts, _ = drawn(VALUES[name], temperature, temperature)
    assert p_value(counts, core.softmax(VALUES[name], tau=temperature)) > ALARM


@pytest.mark.compiled
@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize(("first", "temperature"), [(2.0, 0.5), (INF, 1.0), (1.0, 0.0), (0.5, 0.7), (0.6, 2.0)])
def test_draws_follow_softmax_though_the_tree_was_built_at_another_temperature(name, first, temperature, monkeypatch):
    """The tree stays: wasted proposals cost nothing here. It may only be built anew when it got much hotter."""
    monkeypatch.setattr(boltzmann_tree, "PRICE", 0.0)
    counts, scale = drawn(VALUES[name], first, temperature, DRAWS // 3)
    assert p_value(counts, core.softmax(VALUES[name], tau=temperature)) > ALARM
    if temperature < first and np.ptp(VALUES[name]) < 10.0:
        assert scale == (1.0 / first if first < INF else 1e-300)


@pytest.mark.compiled
@pytest.mark.parametrize(("fault", "temperature"), [("believes every proposal", 0.6), ("forgets the bound", 0.6)])
def test_a_planted_fault_of_the_draw_is_noticed(fault, temperature, monkeypatch):
    monkeypatch.setattr(boltzmann_tree, "PRICE", 0.0)
    if fault == "believes every proposal":
        monkeypatch.setattr(boltzmann_tree, "decay", lambda x: 2.0 if x > -0.2 else 0.0)
    else:
        monkeypatch.setattr(boltzmann_tree, "HIGHEST", boltzmann_tree.LOWEST)
    counts, _ = drawn(VALUES["forty"], 0.7, temperature, DRAWS // 3)
    assert p_value(counts, core.softmax(VALUES["forty"], tau=temperature)) < ALARM


# --- through the engine, while values are learned ---------------------------------------------------------------------

SCHEDULES = {
    "constant": Constant(0.3),
    "cooling": Exponential(start=2.0, end=0.05, half_life=60.0),
    "cooling to 0": Linear(1.0, 0.0, 150.0),
    "heating": Linear(0.1, 2.0, 300.0),
    "up and down": Cyclic(),
}
STEPS = 300


def places(policy, agent=None, env=None, runs=4):
    """Return the place of every action in the law of its own step, [runs * steps]: uniform if the law is right."""
    agent, env = agent or SampleAverage(), env or GaussianBandit(arms=30)
    setup = cases.setup_of(agent, policy, env, steps=STEPS, bins=[0, STEPS], snapshots=())
    rng, found = np.random.default_rng(SEED), []
    for run in range(runs):
        mind = {name: array.copy() for name, array in setup.mind(run).items() if name in ("value", "visits")}
        mind.setdefault("visits", np.zeros_like(mind["value"]))
        for row in trace(setup, run):
            chances, action = core.softmax(mind["value"][0], tau=row["temperature"]), row["action"]
            worse = mind["value"][0] < mind["value"][0, action]
            ties = chances[mind["value"][0] == mind["value"][0, action]].sum()
            found.append(chances[worse].sum() + rng.random() * ties)
            mind["visits"][0, action] += 1.0
            learn(agent, mind, int(action), float(row["reward"]))
    return np.array(found)


def learn(agent, mind, action, reward):
    """What the agent does with a pull, by its own rule."""
    offered = mind | {"state": 0, "action": action, "reward": reward, "next_state": 0, "terminated": True}
    code = type(agent).learn.__code__
    agent.learn(**{name: offered[name] for name in code.co_varnames[1 : code.co_argcount]})


def is_uniform(found):
    """G-test over twenty equal parts, false alarm 1e-6."""
    return p_value(np.histogram(found, 20, (0.0, 1.0))[0], np.full(20, 0.05)) > ALARM


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_law_holds_at_every_step_while_values_are_learned(name):
    assert is_uniform(places(BoltzmannTree(temperature=SCHEDULES[name])))


OTHERS = {
    "values that wander": (ConstantStep(alpha=0.5), GaussianBandit(arms=30, noise=5.0)),
    "all values change at every step": (
        Forgetting(alpha=0.8, forget=0.1),
        GaussianBandit(arms=30, spread=0.0, noise=2.0),
    ),
    "hopes that are too high": (SampleAverage(initial=2.0), TableBandit(means=(0.1, 0.5, 0.7, 0.2), noise=0.3)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_the_law_holds_for_other_agents(name):
    agent, env = OTHERS[name]
    assert is_uniform(places(BoltzmannTree(temperature=SCHEDULES["cooling"]), agent, env))


def with_an_old_bound(values, k, tree, about):
    bound = about[boltzmann_tree.HIGHEST]
    stays = RENEW(values, k, tree, about)
    about[boltzmann_tree.HIGHEST] = bound
    return stays


RENEW = boltzmann_tree.renew
FAULTS = {
    "a leaf is not weighed again": ("renew", lambda values, k, tree, about: True),
    "the bound does not rise with the values": ("renew", with_an_old_bound),
    "a proposal is always accepted": ("unit", lambda word: 1e-300),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_noticed(fault, monkeypatch):
    monkeypatch.setattr(boltzmann_tree, "PRICE", 0.0)
    monkeypatch.setattr(boltzmann_tree, *FAULTS[fault])
    assert not is_uniform(places(BoltzmannTree(temperature=SCHEDULES["cooling"])))


def test_an_agent_that_changes_other_values_must_not_be_taken_for_one_that_does_not(monkeypatch):
    """Why the engine reads the text of `learn`: a tree that trusts this agent draws another law."""
    from rlsoftmax.engine import fuse as linker

    monkeypatch.setattr(linker, "writes_one", lambda rule, name: True)
    agent, env = Forgetting(alpha=0.8, forget=0.1), GaussianBandit(arms=29, spread=0.0, noise=2.0)  # not seen before
    assert not is_uniform(places(BoltzmannTree(temperature=Constant(0.5)), agent, env))


def rewards(policy, agent=None, env=None, runs=40, steps=400):
    """Return the reward of every run, played compiled."""
    block = block_of(agent or SampleAverage(), policy, env or GaussianBandit(arms=50), runs, steps)
    return block.play(fuse(block.kind)).sums()["reward"][:, 0]


def block_of(agent, policy, env, runs, steps):
    setup = cases.setup_of(agent, policy, env, steps, [0, steps], ())
    return cases.block_of([setup], [(0, run) for run in range(runs)])


def learned(policy, agent, env):
    """Return what some agents believe after 80 steps, played in the interpreter."""
    block = block_of(agent, policy(temperature=0.3), env, 4, 80)
    return block.play(linked(block.kind, {})).array(block.kind.names.mind[0])


@pytest.mark.compiled
@pytest.mark.parametrize("temperature", [0.0, 0.02, 0.25, INF])
def test_at_a_constant_temperature_it_draws_what_boltzmann_draws(temperature):
    """From the same luck: the same actions, so the same rewards, bit for bit."""
    both = rewards(Boltzmann(temperature=temperature)), rewards(BoltzmannTree(temperature=temperature))
    np.testing.assert_array_equal(*both)
    assert len(set(both[0].tolist())) == 40


WHEREVER = {
    "late rewards": (SampleAverage(), GaussianBandit(arms=9, delay=3, batch=2)),
    "looks ahead": (Sarsa(), GaussianBandit(arms=9)),
    "with states": (QLearning(), cases.CHAIN),
    "with states, looks ahead": (Sarsa(), cases.CHAIN),
    "changes all values": (Forgetting(), GaussianBandit(arms=9)),
    "ranks something else": (ChoiceKernel(), GaussianBandit(arms=9)),
}


@pytest.mark.parametrize("name", WHEREVER)
def test_so_it_does_where_any_value_may_have_changed(name):
    boltzmann, tree = (learned(policy, *WHEREVER[name]) for policy in (Boltzmann, BoltzmannTree))
    np.testing.assert_array_equal(tree, boltzmann)
    assert np.ptp(boltzmann) > 0.0


def test_so_it_does_where_arms_come_and_go(tmp_path):
    path = tmp_path / "arms.csv"
    path.write_text("0.3,,0.9,0.5\n,0.4,0.2,0.1\n0.7,0.1,,\n")
    env = TableBandit(file=str(path), noise=0.1)
    np.testing.assert_array_equal(*(learned(policy, SampleAverage(), env) for policy in (Boltzmann, BoltzmannTree)))


def test_so_it_does_where_an_arm_is_never_there(tmp_path):
    path = tmp_path / "arms.csv"
    path.write_text("0.3,,0.9,0.5\n")
    env = TableBandit(file=str(path), noise=0.1)
    assert cases.setup_of(SampleAverage(), BoltzmannTree(), env).kind.changes_one
    np.testing.assert_array_equal(*(learned(policy, SampleAverage(), env) for policy in (Boltzmann, BoltzmannTree)))


@pytest.mark.compiled
def test_under_a_falling_temperature_the_mean_reward_is_that_of_boltzmann():
    """Paired over runs; false alarm 6e-7 (5 standard errors). The same luck, used otherwise."""
    cooling = Exponential(start=2.0, end=0.1, half_life=80.0)
    both = [rewards(policy(temperature=cooling), runs=1500) for policy in (Boltzmann, BoltzmannTree)]
    difference = (both[1] - both[0]) / 400.0
    assert abs(difference.mean()) < 5.0 * difference.std(ddof=1) / math.sqrt(1500)
    assert difference.std(ddof=1) / math.sqrt(1500) < 0.01
    assert (difference != 0.0).mean() > 0.9


# --- what it costs ----------------------------------------------------------------------------------------------------


def counted(monkeypatch, name):
    """Count the calls of a function of the tree."""
    original, calls = getattr(boltzmann_tree, name), [0]

    @functools.wraps(original)
    def counting(*arguments):
        calls[0] += 1
        return original(*arguments)

    monkeypatch.setattr(boltzmann_tree, name, counting)
    return calls


def play(policy, arms, steps):
    """Play one run in the interpreter."""
    block = block_of(SampleAverage(), policy, GaussianBandit(arms=arms), 1, steps)
    return block.play(linked(block.kind, {}))


def test_a_step_looks_at_few_nodes(monkeypatch):
    sums, trees = counted(monkeypatch, "total"), counted(monkeypatch, "build")
    play(BoltzmannTree(temperature=0.3), 5000, 400)
    assert trees[0] == 1
    assert sums[0] - 715 <= 400 * 5  # 715 families, at most 5 levels


def test_a_falling_temperature_is_no_reason_to_build_at_every_step(monkeypatch):
    monkeypatch.setattr(boltzmann_tree, "PRICE", 8.0)
    trees = counted(monkeypatch, "build")
    play(BoltzmannTree(temperature=Exponential(start=2.0, end=0.05, half_life=150.0)), 500, 500)
    assert 1 < trees[0] < 50


@pytest.mark.compiled
def test_a_million_arms_take_little_memory():
    setup = cases.setup_of(SampleAverage(), BoltzmannTree(temperature=0.3), GaussianBandit(arms=10**6), 2000, [0, 2000])
    tracemalloc.start()
    block = cases.block_of([setup], [(0, 0)])
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 80e6  # 33 of the run, 33 that are kept for the next one, 8 that nobody touches
    assert peak < 120e6
    assert lanes_for(setup) == 1
    assert block.play(fuse(block.kind)).array("visits").sum() == 2000.0


def test_lanes_are_as_many_as_memory_allows():
    def lanes(policy, arms):
        return lanes_for(cases.setup_of(SampleAverage(), policy, GaussianBandit(arms=arms)))

    assert [lanes(BoltzmannTree(), arms) for arms in (10, 10_000, 100_000)] == [MOST_LANES, 8, 1]
    assert [lanes(Boltzmann(), arms) for arms in (10, 10_000, 1_000_000)] == [MOST_LANES, 16, 8]


def test_what_two_threads_ask_for_at_a_time_is_made_once():
    made, together = [], threading.Barrier(2)

    def make(size):
        made.append(size)
        time.sleep(0.05)  # the other asks, too, before this one is done
        return {"zeros": np.zeros(size)}

    def asked(size):
        together.wait()
        return kept(size)

    kept = Kept(make, most=4, room=1000)
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(asked, [3, 3])
    assert made == [3]
    assert one is other


def test_arrays_are_kept_within_bounds():
    kept = Kept(lambda size, name: {"zeros": np.zeros(size)}, most=12, room=100_000)
    small = [kept(1000, name) for name in range(20)]
    assert kept(1000, 19) is small[19]
    assert kept(1000, 8) is small[8]
    assert kept(1000, 7) is not small[7]
    large = kept(20_000, 0)
    assert kept(20_000, 0) is large  # one is always kept
    assert kept(1000, 19) is not small[19]
    assert not large["zeros"].flags.writeable
