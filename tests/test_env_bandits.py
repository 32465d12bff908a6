"""Bandits that drift, change, turn, fool, scatter, and show their rewards late.

Every statistical test has a false alarm once in a million.
"""

import cases
import numpy as np
import pytest
from cases import bits, block_of, setup_of
from reference import rules
from reference.whole_loop import added, draw, luck_of
from scipy import stats

from rlsoftmax.agents.expected_sarsa import ExpectedSarsa
from rlsoftmax.agents.gradient_bandit import GradientBandit
from rlsoftmax.agents.sample_average import SampleAverage
from rlsoftmax.agents.sarsa import Sarsa
from rlsoftmax.engine.fuse import fuse, linked
from rlsoftmax.envs.adversarial_bandit import AdversarialBandit
from rlsoftmax.envs.bernoulli_bandit import BernoulliBandit
from rlsoftmax.envs.drifting_bandit import DriftingBandit
from rlsoftmax.envs.heavy_tailed_bandit import HeavyTailedBandit
from rlsoftmax.envs.piecewise_bandit import PiecewiseBandit
from rlsoftmax.envs.reversal_bandit import ReversalBandit
from rlsoftmax.envs.table_bandit import TableBandit
from rlsoftmax.errors import BadValue
from rlsoftmax.numeric import STEP, WORLD, random_words, unit
from rlsoftmax.policies.boltzmann import Boltzmann
from rlsoftmax.policies.epsilon_greedy import EpsilonGreedy
from rlsoftmax.policies.ucb import Ucb
from rlsoftmax.schedules.count_based import CountBased

ALARM = 1e-6
ANYHOW = Boltzmann(temperature=np.inf)  # uniform


def uniform_play(env, runs, steps, until=None):
    """Return a block in which every arm is equally likely, played up to `until`."""
    block = block_of([setup_of(SampleAverage(), ANYHOW, env, steps)], [(0, run) for run in range(runs)])
    return block.play(linked(block.kind, {}), until)


def followed(env, name, steps, run=0):
    """Return an array of one run at every step: before the first, after the first, ..."""
    block = block_of([setup_of(SampleAverage(), ANYHOW, env, steps)], [(0, run)])
    kernel, seen = linked(block.kind, {}), [block.array(name)[0].copy()]
    for step in range(steps):
        block.play(kernel, step + 1)
        seen.append(block.array(name)[0].copy())
    return np.array(seen)


# --- drifting -------------------------------------------------------------------------------------------------------


def drift_of(run, step, arm, arms):
    """Return the standard normal by which an arm moves, drawn one by one."""
    with np.errstate(over="ignore"):
        return float(cases.normal_of((cases.SEED, run, step, WORLD), arm, arms))


@pytest.mark.parametrize("arms", [1, 3, 4])
def test_means_move_by_the_luck_of_run_step_and_arm(arms):
    env = DriftingBandit(arms=arms, center=1.0, drift=0.3, decay=0.9)
    means = followed(env, "mean", 12, run=2)
    for step in range(12):
        moved = [1.0 + (0.9 * (means[step][k] - 1.0) + 0.3 * drift_of(2, step, k, arms)) for k in range(arms)]
        assert means[step + 1].tolist() == moved


@pytest.mark.parametrize(("decay", "growth"), [(1.0, 100.0), (0.5, (1 - 0.25**100) / 0.75)])
def test_the_variance_of_a_walk_is_that_of_its_steps(decay, growth):
    env = DriftingBandit(arms=10, spread=0.0, drift=0.1, decay=decay)
    away = uniform_play(env, 40, 100).array("mean").ravel()
    squares = (away**2).sum() / (0.01 * growth)
    low, high = stats.chi2.ppf([ALARM / 2, 1 - ALARM / 2], away.size)
    assert low < squares < high


def test_means_stay_within_reach():
    means = followed(DriftingBandit(arms=4, center=50.0, spread=60.0, drift=30.0, reach=50.0), "mean", 60)
    assert means.min() >= 0.0
    assert means.max() <= 100.0
    assert len(np.unique(means)) > 200  # thrown back, not stuck at the bounds


def test_regret_is_against_the_best_mean_before_it_moves():
    env = DriftingBandit(arms=3, noise=0.0, drift=0.5)
    means, block = followed(env, "mean", 60), uniform_play(env, 1, 60)
    total = means[:-1].max(axis=1).sum()
    assert block.sums()["reward"].sum() + block.sums()["regret"].sum() == pytest.approx(total, abs=1e-9)


# --- changes --------------------------------------------------------------------------------------------------------


def changes(seen):
    """Return after how many steps something changed."""
    return (np.flatnonzero((seen[1:] != seen[:-1]).reshape(len(seen) - 1, -1).any(axis=1)) + 1).tolist()


def test_all_means_change_at_the_change_points_and_only_there():
    means = followed(PiecewiseBandit(arms=3, every=7), "mean", 30)
    assert changes(means) == [7, 14, 21, 28]
    assert len(np.unique(means)) == 15


def test_new_means_have_the_law_of_the_first_ones():
    means = uniform_play(PiecewiseBandit(arms=200, center=2.0, spread=3.0, every=5), 5, 5).array("mean").ravel()
    assert stats.kstest(means, stats.norm(2.0, 3.0).cdf).pvalue > ALARM


def test_the_good_arm_changes_at_every_reversal():
    good = followed(ReversalBandit(arms=2, every=9), "favourite", 40)
    assert changes(good) == [9, 18, 27, 36]
    assert set(np.unique(good)) == {0, 1}


def test_a_reversal_chooses_among_the_others():
    counts = np.zeros((4, 4))
    for run in range(3):
        good = followed(ReversalBandit(arms=4, every=1), "favourite", 300, run).ravel()
        np.add.at(counts, (good[:-1], good[1:]), 1)
    assert np.trace(counts) == 0
    others = counts[~np.eye(4, dtype=bool)].reshape(4, 3)
    assert min(stats.chisquare(row).pvalue for row in others) > ALARM / 4


@pytest.mark.parametrize(
    ("env", "name"),
    [(PiecewiseBandit(every=20, gaps="random"), "mean"), (ReversalBandit(every=20, gaps="random"), "favourite")],
)
def test_random_gaps_have_their_mean_length(env, name):
    count = sum(len(changes(followed(env, name, 500, run))) for run in range(4))
    assert stats.binomtest(count, 2000, 1 / 20).pvalue > ALARM


def test_the_good_arm_pays_as_often_as_it_says():
    env = ReversalBandit(every=10, good=0.9, bad=0.3)
    block = uniform_play(env, 40, 100)
    good = int(block.sums()["optimal"].sum())
    assert stats.binomtest(good, 4000, 0.5).pvalue > ALARM
    assert stats.binomtest(int(block.sums()["reward"].sum()), 4000, 0.6).pvalue > ALARM
    assert block.sums()["regret"].sum() == pytest.approx(0.6 * (4000 - good))


def test_the_adversary_keeps_the_gap_and_jumps_in_growing_phases():
    env = AdversarialBandit(arms=2, gap=0.25, growth=2.0)
    favourite, phase, pays = np.array([1]), np.ones(3), []
    for step in range(31):
        env.pull(favourite, phase, 0, 0.5, step)
        worse, better = env.expected(favourite, phase)
        assert better - worse == 0.25
        pays.append(float(better))
    assert pays == [1.0] + [0.25] * 2 + [1.0] * 4 + [0.25] * 8 + [1.0] * 16


def test_the_adversary_pays_its_chances():
    env = AdversarialBandit(arms=2, gap=0.25, growth=2.0)
    draws = np.arange(0.0005, 1.0, 0.001)
    for phase, chances in [([99.0, 1.0, 1.0], (0.75, 1.0)), ([99.0, 1.0, 0.0], (0.0, 0.25))]:
        for arm, chance in enumerate(chances):
            paid = [env.pull(np.array([1]), np.array(phase), arm, u, 5) for u in draws]
            assert np.mean(paid) == pytest.approx(chance, abs=1e-9)


@pytest.mark.parametrize("freedom", [1.1, 1.5, 4.0])
def test_heavy_tails_are_those_of_student(freedom):
    steps = np.arange(200_000, dtype=np.uint64)
    with np.errstate(over="ignore"):
        uniform = unit(random_words(3, 0, steps, STEP)[1])
        drawn = HeavyTailedBandit(scale=2.0, freedom=freedom).pull(np.ones(1), 0, uniform, (3, 0, steps, WORLD))
    assert stats.kstest((drawn - 1.0) / 2.0, stats.t(freedom).cdf).pvalue > ALARM


# --- tables ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def csv(tmp_path):
    def write(text):
        path = tmp_path / "rewards.csv"
        path.write_text(text)
        return str(path)

    return write


POLICIES = [ANYHOW, EpsilonGreedy(epsilon=1.0), Ucb(), Boltzmann(temperature=CountBased(1.0))]


@pytest.mark.parametrize("agent", [SampleAverage(initial=5.0), Sarsa(), ExpectedSarsa(), GradientBandit()], ids=str)
@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_an_arm_that_is_missing_is_never_pulled(agent, policy, csv):
    env = TableBandit(file=csv("left, middle, right\n1,,3\n4,5,\n,,6\n"))
    block = block_of([setup_of(agent, policy, env, bins=range(61))], cases.lanes_of(cells=1))
    block.play(linked(block.kind, {}))
    rewards = block.sums()["reward"]
    assert set(rewards[:, 0::3].ravel()) == {1.0, 3.0}
    assert set(rewards[:, 1::3].ravel()) == {4.0, 5.0}
    assert set(rewards[:, 2::3].ravel()) == {6.0}
    best = np.tile([3.0, 5.0, 6.0], 20)
    assert np.array_equal(block.sums()["regret"], best - rewards)
    assert not block.broken().any()


@pytest.mark.compiled
def test_a_table_of_steps_has_the_same_bits_compiled_and_in_any_window(csv):
    env = TableBandit(file=csv("1,,3\n4,5,\n,,6\n"), noise=0.5)
    setups = [setup_of(SampleAverage(), EpsilonGreedy(0.5), env)]
    plain, fast, cut = (block_of(setups, cases.lanes_of(cells=1), window) for window in (None, None, 7))
    expected = bits(plain.play(linked(plain.kind, {})))
    assert bits(fast.play(fuse(fast.kind))) == expected == bits(cut.play(fuse(cut.kind)))


def test_named_means_are_paid_with_noise():
    block = uniform_play(TableBandit(means=(-1.0, 3.0), noise=2.0), 40, 100)
    error = 2.0 * np.sqrt(2.0) / np.sqrt(4000)  # the variance of an arm's mean is that of its noise, 4, too
    assert abs(block.sums()["reward"].sum() / 4000 - 1.0) < stats.norm.isf(ALARM / 2) * error


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1,2\n3\n", "row 1"),
        ("1,2\nx,3\n", "row 1"),
        ("a,b\n", "at least one row"),
        ("1,2\n,\n", "row 1"),
        ("1,2\n3,nan\n", "row 1"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_with_its_row(text, words, csv):
    with pytest.raises(BadValue, match=words):
        TableBandit(file=csv(text))


def test_results_belong_to_what_the_file_said(csv, tmp_path):
    first = TableBandit(file=csv("1,2\n"))
    second = TableBandit(file=csv("1,3\n"))
    assert first.identity != second.identity
    with pytest.raises(BadValue, match="does not say what it did"):
        TableBandit(file=str(tmp_path / "rewards.csv"), digest=first.digest)
    with pytest.raises(BadValue, match="FileNotFoundError"):
        TableBandit(file="nowhere.csv")


# --- rewards that are seen late -------------------------------------------------------------------------------------


def late_reference(run, steps, delay, batch, learn_of, memory, chances=(0.3, 0.6, 0.8)):
    """Play Bernoulli arms with Boltzmann (temperature 0.2) on plain lists; learn when the rewards arrive."""
    luck, seen, waiting = luck_of(cases.SEED, run), [[0.0] * len(chances)], []
    for step in range(steps):
        weights = rules.boltzmann(memory[0][0], 0.2, None)
        chance, paid = luck(step, STEP)
        action = draw(weights, chance * added(weights))
        probabilities = [weight / added(weights) for weight in weights]
        waiting.append((step + delay, action, float(paid < chances[action]), probabilities))
        if (step + 1) % batch == 0:
            arrived = [pull for pull in waiting if pull[0] <= step]
            waiting = waiting[len(arrived) :]
            for _, pulled, reward, known in arrived:
                seen[0][pulled] += 1.0
                learn_of(memory, seen, 0, pulled, reward, 0, True, None, known)
    return memory


LATE = [(0, 1), (1, 1), (5, 1), (0, 4), (3, 4), (7, 3), (80, 1)]


def late_cases():
    """Return (agent, its twin, what the twin remembers)."""
    yield SampleAverage(), rules.sample_average, [[[0.0] * 3]]
    yield GradientBandit(alpha=0.4), rules.gradient_bandit(0.4, "before"), [[[0.0] * 3], [0.0], [0.0]]


@pytest.mark.parametrize(("delay", "batch"), LATE)
def test_late_rewards_have_the_bits_of_the_reference(delay, batch):
    for agent, twin, memory in late_cases():
        env = BernoulliBandit(chances=(0.3, 0.6, 0.8), delay=delay, batch=batch)
        block = block_of([setup_of(agent, Boltzmann(temperature=0.2), env)], [(0, 0), (0, 3)], window=13)
        block.play(linked(block.kind, {}))
        for lane, run in enumerate((0, 3)):
            fresh = [[list(row) if isinstance(row, list) else row for row in array] for array in memory]
            expected = late_reference(run, cases.STEPS, delay, batch, twin, fresh)
            assert block.memory[0][:, :, lane].tolist() == expected[0]


@pytest.mark.compiled
def test_cells_that_are_late_in_different_ways_share_a_block():
    agents = [SampleAverage(), GradientBandit()]
    for agent in agents:
        envs = [BernoulliBandit(arms=4, delay=delay, batch=batch) for delay, batch in ((5, 1), (0, 4), (7, 3))]
        setups = [setup_of(agent, Boltzmann(temperature=0.2), env) for env in envs]
        together = block_of(setups, cases.lanes_of(cells=3), window=9)
        found = bits(together.play(fuse(together.kind)))
        for cell, setup in enumerate(setups):
            alone = block_of([setup], cases.lanes_of(cells=1))
            alone = bits(alone.play(linked(alone.kind, {})))
            assert {run: found[cell, run] for run in range(cases.RUNS)} == {run: h for (_, run), h in alone.items()}


def test_a_bandit_that_is_not_late_carries_no_ring():
    block = block_of([setup_of(SampleAverage(), ANYHOW, BernoulliBandit())], [(0, 0)])
    assert block.late is None
    assert not block.kind.late
