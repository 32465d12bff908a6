"""Policies against what defines them: optimality conditions, identities in mpmath, exact laws of their draws."""

import collections
import itertools
import math

import cases
import mpmath as mp
import numpy as np
import pytest
from scipy import stats
from scipy.special import betaln

from rlsoftmax.agents.sample_average import SampleAverage
from rlsoftmax.agents.sarsa import Sarsa
from rlsoftmax.contracts import Policy, asked
from rlsoftmax.engine import betas
from rlsoftmax.engine.blocks import _tabulate
from rlsoftmax.engine.fuse import LAWS, fuse, law_of, linked
from rlsoftmax.engine.link import bind, compiled, link
from rlsoftmax.engine.stages import boltzmann_weights, highest, mellowmax
from rlsoftmax.errors import ConfigError, RuleError
from rlsoftmax.numeric import CHOOSE, MANY, PREFER, random_words, unit
from rlsoftmax.policies.beta_thompson import BetaThompson
from rlsoftmax.policies.boltzmann_gumbel import BoltzmannGumbel
from rlsoftmax.policies.entmax15 import Entmax15
from rlsoftmax.policies.epsilon_softmax import EpsilonSoftmax
from rlsoftmax.policies.sparsemax import Sparsemax
from rlsoftmax.policies.thompson import Thompson

mp.mp.dps = 40


def by_rule(policy):
    def probabilities(values, temperature):
        weights = np.full(values.size, np.nan)
        with np.errstate(all="ignore"):
            policy.weigh(weights, values, temperature)
        return weights / weights.sum()

    return probabilities


def mellow(values, temperature):
    row, lane = values[:, None], np.empty(1)
    weights = np.full_like(row, np.nan)
    with np.errstate(all="ignore"):
        mellowmax(row, np.full(1, temperature), weights, lane, lane.copy(), lane.copy())
    return weights[:, 0] / weights.sum()


def mixed(values, temperature):
    weights = boltzmann_weights(values, temperature)
    EpsilonSoftmax(epsilon=0.0).weigh(weights, values)
    return weights / weights.sum()


MAPS = {
    "sparsemax": by_rule(Sparsemax()),
    "entmax15": by_rule(Entmax15()),
    "mellowmax": mellow,
    "epsilon_softmax": mixed,
}


def rows(count=300, seed=0):
    """Return (values, temperature): ties, forbidden actions, and gaps from tiny to huge."""
    rng = np.random.default_rng(seed)
    for i in range(count):
        values = rng.normal(size=rng.integers(1, 12)) * 10.0 ** rng.uniform(-3, 3)
        values = np.round(values) if i % 3 == 0 else values
        if i % 4 == 0 and values.size > 1:
            values[rng.integers(values.size)] = -np.inf
        yield values, 10.0 ** rng.uniform(-3, 3)


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize(
    ("values", "temperature", "expected"),
    [
        ([2.0, 1.0, 2.0, -np.inf], 0.0, [0.5, 0.0, 0.5, 0.0]),
        ([2.0, 1.0, 2.0, -np.inf], np.inf, [1 / 3, 1 / 3, 1 / 3, 0.0]),
        ([7.0, 7.0], 0.3, [0.5, 0.5]),
        ([3.0, -np.inf, -np.inf], 1.0, [1.0, 0.0, 0.0]),
        ([3.0], 1.0, [1.0]),
    ],
)
def test_a_limit_is_exact(name, values, temperature, expected):
    np.testing.assert_array_equal(MAPS[name](np.array(values), temperature), expected)


@pytest.mark.parametrize("name", MAPS)
def test_better_is_likelier_and_forbidden_is_never(name):
    for values, temperature in rows():
        chances = MAPS[name](values, temperature)
        order = np.argsort(values)
        assert (np.diff(chances[order]) >= -1e-15).all()
        assert (chances[np.isneginf(values)] == 0.0).all()


@pytest.mark.parametrize("name", MAPS)
def test_hotter_is_more_random(name):
    """Peers that multiply by the temperature have it the other way round."""
    values, surprises = np.array([0.0, 0.3, 1.0, 2.0]), []
    for temperature in (0.05, 0.2, 1.0, 5.0, 50.0):
        chances = MAPS[name](values, temperature)
        seen = chances[chances > 0.0]
        surprises.append(-(seen * np.log(seen)).sum())
    assert surprises == sorted(surprises)
    assert surprises[0] < 0.3
    assert surprises[-1] > 1.3


@pytest.mark.parametrize(("name", "power", "scale"), [("sparsemax", 1.0, 1.0), ("entmax15", 0.5, 0.5)])
def test_the_conditions_of_the_optimum_hold(name, power, scale):
    """p^power = scale value / temperature - threshold where p > 0, and <= 0 elsewhere: no other p does that."""
    for values, temperature in rows():
        chances = MAPS[name](values, temperature)
        allowed = values > -np.inf
        x = scale * (values[allowed] - values.max()) / temperature
        left = x - chances[allowed] ** power
        threshold = left[np.argmax(values[allowed])]
        assert chances.sum() == pytest.approx(1.0, abs=1e-12)
        np.testing.assert_allclose(left[chances[allowed] > 0.0], threshold, atol=1e-9)
        assert (x[chances[allowed] == 0.0] <= threshold + 1e-9).all()


def mellowmax_of(values, temperature):
    """Return ln(mean of exp(omega value)) / omega, less the highest value, in 40 digits."""
    gaps = [mp.mpf(float(value)) - mp.mpf(float(values.max())) for value in values]
    return gaps, mp.mpf(temperature) * mp.log(sum(mp.e ** (gap / mp.mpf(temperature)) for gap in gaps) / len(gaps))


def test_the_mean_value_of_the_mellowmax_policy_is_the_mellowmax():
    """MushroomRL answers with the uniform policy where its search, between -10 and 10, finds nothing."""
    for values, temperature in rows():
        chances, allowed = mellow(values, temperature), values > -np.inf
        gaps, wanted = mellowmax_of(values[allowed], temperature)
        mean = sum(mp.mpf(float(p)) * gap for p, gap in zip(chances[allowed], gaps, strict=True))
        assert abs(mean - wanted) <= 1e-9 * max(abs(gap) for gap in gaps)


def test_the_mellowmax_policy_has_the_most_entropy_of_all_with_its_mean():
    """That is: the logarithms of its probabilities are a straight line in the values."""
    for values, temperature in rows():
        chances = mellow(values, temperature)
        seen = chances > 1e-12
        x, y = values[seen] - values.max(), np.log(chances[seen] / chances.max())
        if np.ptp(x) > 0.0:
            slope = y[np.argmin(x)] / x.min()
            assert 0.0 <= slope <= (1.0 + 1e-9) / temperature
            np.testing.assert_allclose(y, slope * x, atol=1e-9)


@pytest.mark.compiled
def test_the_mellowmax_of_a_lane_does_not_depend_on_its_neighbours():
    """A lane that is done waits for others: that must not move it, whichever way its sums are kept."""
    stage = compiled(mellowmax, frozenset())
    for actions in (2, 3, 4, 9):
        rng = np.random.default_rng(actions)
        values, temperature = (
            rng.normal(size=(actions, 37)) * 10.0 ** rng.uniform(-4, 3, 37),
            10.0 ** rng.uniform(-2, 2, 37),
        )
        weights, lane = np.empty_like(values), np.empty(37)
        stage(values, temperature, weights, lane, lane.copy(), lane.copy())
        for l in range(37):
            alone = mellow(values[:, l].copy(), temperature[l])
            np.testing.assert_array_equal(weights[:, l] / weights[:, l].sum(), alone)


def test_epsilon_softmax_mixes_the_two():
    values, epsilon = np.array([0.0, 1.0, -np.inf, 2.0]), 0.25
    weights = boltzmann_weights(values, 0.5)
    expected = 0.75 * weights / weights.sum() + 0.25 * np.array([1, 1, 0, 1]) / 3
    EpsilonSoftmax(epsilon=epsilon).weigh(weights, values)
    np.testing.assert_allclose(weights, expected, rtol=1e-14)


# --- laws of draws --------------------------------------------------------------------------------------------------

DRAWS, ALARM = 300_000, 1e-6  # a probability that is off by 0.01 is missed less often than once in 10^6


def many(self, game, counts, draws):
    """Count what is chosen in many runs."""
    rows, (first, second), run = game.rows, game.lanes, game.run
    for run[0] in range(draws):
        luck = 11, run[0], 5, CHOOSE
        chance = unit(random_words(11, run[0], 5, 0)[0])
        fill(11, run, 5, CHOOSE + MANY, rows, first, second)  # noqa: F821 - linked
        counts[pick(self, game, 0, luck, chance)] += 1  # noqa: F821


def drawn(policy, **arrays):
    """Return how often each action is chosen from these arrays; `values` are among them."""
    counts, law = np.zeros(arrays["values"].size, np.int64), law_of(type(policy).choose)
    arrays |= {"rows": np.empty((counts.size, 1)), "lanes": np.empty((2, 1)), "run": np.empty(1, np.int64)}
    game = collections.namedtuple("Arrays", arrays)(*arrays.values())
    sources = {name: f"game.{name}" for name in arrays} | {"state": "0", law: "game.rows[:, 0]"}
    assert set(asked(type(policy).choose)) <= {*sources, "luck", "uniform"}
    pick = bind(type(policy).choose, ("luck", "uniform"), sources)
    compiled(link(many, {"pick": pick, "fill": LAWS[law or "uniforms"]}))(
        _tabulate([policy], 1)[0, 0], game, counts, DRAWS
    )
    return counts


def law_holds(counts, chances):
    """G-test: return whether these counts may come from these chances."""
    seen = chances > 0.0
    expected, counts = DRAWS * chances[seen], counts[seen]
    g = 2.0 * sum(n * math.log(n / e) for n, e in zip(counts, expected, strict=True) if n)
    return stats.chi2.sf(g, len(expected) - 1) > ALARM


def test_the_test_of_laws_notices_one_percent():
    chances = np.array([0.3, 0.5, 0.2])
    counts = np.random.default_rng(0).multinomial(DRAWS, chances)
    assert law_holds(counts, chances)
    assert not law_holds(counts, chances + [0.01, -0.01, 0.0])


def highest_of(densities, lows, highs):
    """Return the chance that each of some independent numbers is the highest, by quadrature."""
    grid = np.linspace(lows, highs, 400_001)
    pdf = np.array([density.pdf(grid) for density in densities])
    cdf = np.array([density.cdf(grid) for density in densities])
    others = [np.prod(np.delete(cdf, k, axis=0), axis=0) for k in range(len(densities))]
    chances = np.array([np.trapezoid(p * o, grid) for p, o in zip(pdf, others, strict=True)])
    assert chances.sum() == pytest.approx(1.0, abs=1e-7)
    return chances


@pytest.mark.compiled
def test_thompson_sampling_chooses_each_action_with_the_chance_that_it_is_the_best():
    belief, precision = np.array([[0.0, 0.5, 9.0, -0.3]]), np.array([[1.0, 4.0, 1.0, 0.25]])
    known = {"belief": belief, "deviation": precision**-0.5}
    counts = drawn(Thompson(), values=np.array([0.0, 0.0, -np.inf, 0.0]), **known)
    likely = [stats.norm(belief[0, k], precision[0, k] ** -0.5) for k in (0, 1, 3)]
    assert counts[2] == 0
    assert law_holds(counts, np.insert(highest_of(likely, -14.0, 14.0), 2, 0.0))


BELIEFS = [
    ([1.0, 1.0, 1.0], [1.0, 1.0, 1.0]),
    ([3.0, 40.0, 2.0], [2.0, 50.0, 1.0]),
    ([0.3, 0.7, 2.5], [0.4, 0.2, 2.0]),
    ([0.05, 1.0, 6.0], [0.05, 3.0, 400.0]),
]


def odds_of(won, lost, draws=DRAWS, stage=None):
    """Return draws of the odds of these beta laws: [action, draw]."""
    stage, odds = stage or compiled(betas.draw_odds), []
    for runs in np.array_split(np.arange(draws), max(draws // 20_000, 1)):
        rows = [np.ascontiguousarray(np.repeat(np.array(shape)[:, None], runs.size, 1)) for shape in (won, lost)]
        odds.append(np.empty_like(rows[0]))
        with np.errstate(all="ignore"):
            stage(np.uint64(11), runs, 5, PREFER + MANY, *rows, odds[-1], betas.new_room(*rows[0].shape))
    return np.concatenate(odds, axis=1)


@pytest.mark.compiled
@pytest.mark.parametrize(("won", "lost"), BELIEFS)
def test_beta_thompson_chooses_each_action_with_the_chance_that_it_is_the_best(won, lost):
    counts = np.bincount(odds_of(won, lost).argmax(axis=0), minlength=len(won))
    # in log-odds the densities are smooth, whatever the counts
    densities = [LogOdds(a, b) for a, b in zip(won, lost, strict=True)]
    assert law_holds(counts, highest_of(densities, -600.0, 600.0))


@pytest.mark.compiled
@pytest.mark.parametrize(
    "shapes", [(1.0, 1.0), (1.0, 30.0), (2.0, 3.0), (50.0, 900.0), (0.5, 0.5), (0.05, 1.7)], ids=str
)
def test_the_odds_have_the_law_of_their_shapes(shapes):
    """In 50 bins of equal chance; a law off by a thousandth in each of them would be missed once in 10^6."""
    odds = odds_of([shapes[0]], [shapes[1]])[0]
    law = stats.beta(*shapes)
    place = np.where(odds < 1.0, law.cdf(odds / (1.0 + odds)), 1.0 - stats.beta(*shapes[::-1]).cdf(1.0 / (1.0 + odds)))
    counts = np.bincount(np.minimum(place * 50, 49).astype(int), minlength=50)
    assert law_holds(counts, np.full(50, 0.02))


@pytest.mark.compiled
def test_the_odds_of_a_lane_depend_on_no_other_lane():
    """A lane that is refused is drawn again beside others: neither how many they are nor where it stands may count."""
    won, lost = np.tile([[1.0], [0.4], [7.0]], 90), np.tile([[1.0], [2.0], [0.7]], 90)
    runs = np.arange(90)
    together, alone, plain = np.empty((3, 3, 90))
    for stage, odds, parts in (
        (compiled(betas.draw_odds), together, 1), (compiled(betas.draw_odds), alone, 90), (betas.draw_odds, plain, 4),
    ):  # fmt: skip
        for lanes in np.array_split(runs, parts):
            rows, room = np.empty((3, lanes.size)), betas.new_room(3, lanes.size)
            shapes = [np.ascontiguousarray(shape[:, lanes]) for shape in (won, lost)]
            with np.errstate(all="ignore"):
                stage(np.uint64(3), lanes, 8, 0, *shapes, rows, room)
            odds[:, lanes] = rows
    assert together.tobytes() == alone.tobytes() == plain.tobytes()
    assert np.unique(together).size == together.size


def test_what_is_sure_to_be_accepted_is_accepted():
    """The bound that spares the logarithms, against the logarithms."""
    rng = np.random.default_rng(0)
    won, lost = 1.0 + rng.exponential(size=(2, 20_000)) * 10.0 ** rng.uniform(-4, 4, (2, 20_000))
    first, second = rng.uniform(size=(2, 20_000))
    quick, doubt, odds, margin = np.empty((4, 20_000))
    betas.propose(won, lost, first, second, quick, doubt)
    betas.look_again(won, lost, first, second, odds, margin)
    sure = doubt < 1.0
    assert 0.9 < sure.mean() < (margin > 0.0).mean() < sure.mean() + 0.02
    assert (margin[sure] > 0.0).all()
    np.testing.assert_allclose(quick[sure], odds[sure], rtol=1e-12)


def test_the_luck_of_every_attempt_is_its_own():
    assert betas.AGAIN * betas.ATTEMPTS < betas.SMALL
    assert betas.SMALL + 2 * betas.AGAIN < MANY


def test_a_shape_that_would_be_lost_in_rounding_is_refused():
    with pytest.raises(ConfigError, match=r"wins=0\.01 must be >= 0\.05"):
        BetaThompson(wins=0.01)


class Shapeless(Policy):
    """Names what it does not remember."""

    shapes = ("won", "lots")
    weigh_lanes = staticmethod(highest)

    def memory(self, states, actions):
        return {"won": np.ones((states, actions)), "lost": np.ones((states, actions))}


def test_shapes_are_arrays_of_the_policy():
    with pytest.raises(
        RuleError, match=r"policy Shapeless: `shapes` must name two arrays of its memory, not \('won', 'lots'\)"
    ):
        assert cases.setup_of(SampleAverage(), Shapeless(), cases.ARMS).kind


class LogOdds:
    """The law of ln(p / (1 - p)), where p is Beta(a, b)."""

    def __init__(self, a, b):
        self.a, self.b = a, b

    def pdf(self, x):
        return np.exp(self.a * x - (self.a + self.b) * np.logaddexp(0.0, x) - betaln(self.a, self.b))

    def cdf(self, x):
        small = 1.0 / (1.0 + np.exp(np.abs(x)))  # p or 1 - p, whichever has all its digits
        return np.where(x < 0.0, stats.beta(self.a, self.b).cdf(small), stats.beta(self.b, self.a).sf(small))


def counted(*visits):
    """Return what Boltzmann-Gumbel remembers after so many visits."""
    n = np.array([visits], float)
    return {"visits": n, "rarity": np.maximum(n, 1.0) ** -0.5}


@pytest.mark.compiled
def test_boltzmann_gumbel_is_boltzmann_where_all_actions_were_chosen_equally_often():
    values = np.array([0.0, 0.4, -np.inf, 0.1])
    counts = drawn(BoltzmannGumbel(c=0.5), values=values, **counted(4, 4, 4, 4))
    weights = boltzmann_weights(values, 0.25)
    assert law_holds(counts, weights / weights.sum())


@pytest.mark.compiled
def test_boltzmann_gumbel_gives_each_action_a_temperature_of_its_own():
    values, visits = np.array([0.0, 0.4, -np.inf, 0.1]), (1, 16, 1, 4)
    counts = drawn(BoltzmannGumbel(c=0.5), values=values, **counted(*visits))
    noisy = [stats.gumbel_r(values[k], 0.5 / math.sqrt(visits[k])) for k in (0, 1, 3)]
    assert counts[2] == 0
    assert law_holds(counts, np.insert(highest_of(noisy, -4.0, 16.0), 2, 0.0))


@pytest.mark.compiled
def test_boltzmann_gumbel_begins_with_an_action_never_chosen_all_alike():
    counts = drawn(BoltzmannGumbel(), values=np.array([9.0, 0.0, -np.inf, 1.0, 2.0]), **counted(1, 0, 0, 0, 0))
    assert law_holds(counts, np.array([0.0, 1 / 3, 0.0, 1 / 3, 1 / 3]))


def test_boltzmann_gumbel_tries_every_action_before_any_twice():
    """TF-Agents gives an action never chosen no noise, so that it may never be chosen at all."""
    setup = cases.setup_of(SampleAverage(initial=-100.0), BoltzmannGumbel(), cases.ARMS, steps=3, bins=[0, 3])
    block = cases.block_of([setup], [(0, run) for run in range(40)])
    block.play(linked(block.kind, {}))
    np.testing.assert_array_equal(block.array("visits")[:, 0], 1.0)


def test_boltzmann_gumbel_remembers_how_rare_a_choice_is():
    block = cases.block_of(
        [cases.setup_of(SampleAverage(), BoltzmannGumbel(), cases.ARMS, steps=150)], [(0, 0), (0, 1)]
    )
    block.play(linked(block.kind, {}))
    np.testing.assert_array_equal(block.array("rarity"), 1.0 / np.sqrt(block.array("visits")))
    assert block.array("visits").min() > 1.0


@pytest.mark.parametrize("policy", [Thompson(spread=2.0, noise=0.5), BetaThompson(wins=2.0)])
def test_a_belief_is_what_the_rewards_say(policy):
    """The conjugate posterior of all rewards at once, from the engine's sums of visits and rewards."""
    setup = cases.setup_of(SampleAverage(), policy, cases.ARMS, steps=150)
    block = cases.block_of([setup], [(0, run) for run in range(3)])
    block.play(linked(block.kind, {}))
    n = block.array("visits")
    total = n * block.array("value")
    if isinstance(policy, Thompson):
        np.testing.assert_array_equal(block.array("deviation"), 1.0 / np.sqrt(block.array("precision")))
        np.testing.assert_allclose(block.array("precision"), 0.25 + 4.0 * n, rtol=1e-12)
        np.testing.assert_allclose(block.array("belief"), 4.0 * total / (0.25 + 4.0 * n), rtol=1e-9, atol=1e-12)
    else:
        np.testing.assert_allclose(block.array("won"), 2.0 + total, rtol=1e-9)
        np.testing.assert_allclose(block.array("lost"), 1.0 + n - total, rtol=1e-9)
    assert n.sum() == 450


@pytest.mark.compiled
@pytest.mark.parametrize("policy", [Thompson(), BetaThompson(), BoltzmannGumbel(), EpsilonSoftmax(temperature=0.5)])
def test_a_policy_has_its_bits_compiled_or_not(policy):
    setup = cases.setup_of(SampleAverage(), policy, cases.ARMS, steps=60)
    blocks = [cases.block_of([setup], cases.lanes_of(cells=1)) for _ in range(2)]
    found = [cases.bits(b.play(k(b.kind))) for b, k in zip(blocks, (fuse, lambda kind: linked(kind, {})), strict=True)]
    assert found[0] == found[1]
    assert len(set(found[0].values())) == 3


@pytest.mark.compiled
def test_beta_thompson_has_its_bits_in_worlds_with_states_too():
    """SARSA asks it ahead, and at cuts: in one lane, with the shapes of that run's state."""
    setup, found = cases.setup_of(Sarsa(), BetaThompson(high=10.0), cases.CHAIN), []
    for lanes, kernel_of in (
        (cases.lanes_of(cells=1), fuse), (cases.lanes_of(cells=1), lambda kind: linked(kind, {})), ([(0, 1)], fuse),
    ):  # fmt: skip
        block = cases.block_of([setup], lanes)
        found.append(cases.bits(block.play(kernel_of(block.kind))))
        wins, losses = block.array("won") - 1.0, block.array("lost") - 1.0
        assert ((wins + losses).sum(axis=(1, 2)) == setup.steps).all()
        assert (wins.sum(axis=2) + losses.sum(axis=2) > 0.0).all()
    assert found[0] == found[1]
    assert found[2][0, 1] == found[0][0, 1]


def test_every_combination_of_allowed_actions_is_respected():
    for allowed in itertools.product([False, True], repeat=4):
        if any(allowed):
            values = np.where(allowed, [1.0, 2.0, 3.0, 4.0], -np.inf)
            for name in MAPS:
                assert (MAPS[name](values, 2.0)[~np.array(allowed)] == 0.0).all()
