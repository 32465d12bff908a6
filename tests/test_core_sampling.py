"""Samplers draw from the law they promise: G-tests at 3 million draws, and exact checks of what no sample can show.

Each G-test raises a false alarm with probability 1e-6 (seeds are fixed, so it does so never or always), and misses an
error of 1 % in tau with probability 1e-6; the last test of the file plants such faults and requires an alarm.
"""

import mpmath
import numpy as np
import pytest
from hard_inputs import HARD
from scipy import stats

from rlsoftmax import core
from rlsoftmax.errors import ArgumentError

DRAWS = 3_000_000
FALSE_ALARM = 1e-6
INF = np.inf
X = np.random.default_rng(7).standard_normal(10)
TAU = 0.9
LAW = core.softmax(X, tau=TAU, precise=True)


def g_test(counts, law):
    """Return the probability of a deviation this large, actions of probability 0 apart."""
    counts = np.asarray(counts, np.float64)
    assert np.all(counts[law == 0.0] == 0.0), "an action of probability zero was drawn"
    seen = law > 0.0
    return stats.power_divergence(counts[seen], counts.sum() * law[seen], lambda_="log-likelihood").pvalue


def counted(drawn, law=LAW):
    return np.bincount(np.ravel(drawn), minlength=len(law))


def in_blocks(draw, seed, block=500_000):
    """Return counts of DRAWS draws, drawn a block at a time."""
    rng = np.random.default_rng(seed)
    return sum(counted(draw(rng, block)) for _ in range(DRAWS // block))


SAMPLERS = {
    "sample, one row": lambda rng, n: core.sample(X, TAU, rng=rng, size=n),
    "sample, many rows": lambda rng, n: core.sample(np.broadcast_to(X, (n, 10)), TAU, rng=rng),
    "gumbel_max": lambda rng, n: core.gumbel_max(X, TAU, rng=rng, size=n),
    "gumbel_max from uniforms": lambda rng, n: core.gumbel_max(X, TAU, u=rng.random((n, 10))),
    "gumbel_top_k, the first": lambda rng, n: core.gumbel_top_k(X, 2, TAU, rng=rng, size=n)[:, 0],
    "gumbel_softmax, argmax": lambda rng, n: core.gumbel_softmax(X / TAU, 0.5, rng=rng, size=n).argmax(-1),
    "straight_through, hard": lambda rng, n: core.straight_through(X / TAU, 0.5, rng=rng, size=n)[0].argmax(-1),
    "CategoricalTable": lambda rng, n: core.CategoricalTable.of(X, TAU).draw(n, rng=rng),
    "CategoricalTable from uniforms": lambda rng, n: core.CategoricalTable.of(X, TAU).draw(u=rng.random(n)),
}


@pytest.mark.parametrize("name", SAMPLERS)
def test_three_million_draws_follow_the_law(name):
    assert g_test(in_blocks(SAMPLERS[name], seed=11), LAW) > FALSE_ALARM


def one_percent_uniform(rng, n):
    return np.where(rng.random(n) < 0.01, rng.integers(0, 10, n), core.sample(X, TAU, rng=rng, size=n))


def leftover_on_the_last(rng, n):
    """p[-1] = 1 - sum(rest) after losing 0.1 %."""
    return core.sample(np.log([*(LAW[:9] * 0.999), 1.0 - 0.999 * LAW[:9].sum()]), rng=rng, size=n)


FAULTS = {
    "tau off by 1 %": lambda rng, n: core.sample(X, TAU * 1.01, rng=rng, size=n),
    "one action 10 % too rare": lambda rng, n: core.sample(X + TAU * np.log([0.9] + [1.0] * 9), TAU, rng=rng, size=n),
    "two actions swapped": lambda rng, n: core.sample(X[[1, 0, *range(2, 10)]], TAU, rng=rng, size=n),
    "1 % uniform mixed in": one_percent_uniform,
    "leftover mass on the last": leftover_on_the_last,
    "dirichlet instead of categorical": lambda rng, n: rng.dirichlet(LAW, n).argmax(-1),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_raises_the_alarm(name):
    assert g_test(in_blocks(FAULTS[name], seed=12), LAW) < FALSE_ALARM


def test_the_miss_probability_of_the_g_test_is_a_millionth():
    """Power at DRAWS for tau off by 1 %: noncentral chi-square, 9 degrees of freedom, noncentrality 2 n KL."""
    wrong = core.softmax(X, tau=TAU * 1.01)
    noncentrality = 2 * DRAWS * core.kl(wrong, LAW)
    assert stats.ncx2.cdf(stats.chi2.isf(FALSE_ALARM, 9), 9, noncentrality) <= 1e-6


def test_the_second_of_two_is_drawn_without_replacement():
    """Plackett-Luce: the pair (i, j) has probability p_i p_j / (1 - p_i)."""
    x = X[:5]
    p = core.softmax(x, tau=TAU)
    law = p[:, None] * p[None, :] / (1 - p[:, None])
    np.fill_diagonal(law, 0.0)
    rng = np.random.default_rng(13)
    pairs = core.gumbel_top_k(x, 2, TAU, rng=rng, size=1_000_000)
    counts = np.bincount(pairs[:, 0] * 5 + pairs[:, 1], minlength=25)
    assert g_test(counts, law.ravel()) > FALSE_ALARM


def test_inverse_cdf_is_exact_at_every_boundary():
    """The law of `sample` is a partition of [0, 1): compare its ends with mpmath instead of sampling."""
    with mpmath.workdps(40):
        w = [mpmath.exp((mpmath.mpf(v) - mpmath.mpf(max(X))) / mpmath.mpf(TAU)) for v in X]
        ends = np.array([float(mpmath.fsum(w[: i + 1]) / mpmath.fsum(w)) for i in range(9)])
    below, above = core.sample(X, TAU, u=ends - 1e-14), core.sample(X, TAU, u=ends + 1e-14)
    assert np.array_equal(below, np.arange(9))
    assert np.array_equal(above, np.arange(1, 10))


def hard_rows():
    """Rows from which something can be drawn."""
    for row in HARD:
        p = np.asarray(row.expected, np.float64)
        plain = row.beta is None and row.base is None and row.axis == -1
        if p.ndim and p.size and not np.any(np.isnan(p)) and np.all(p.sum(-1) > 0.0) and plain:
            yield row


@pytest.mark.parametrize("row", list(hard_rows()), ids=lambda row: row.name)
def test_hard_inputs_are_drawn_from_their_support(row):
    expected = np.asarray(row.expected, np.float64)
    batch = expected.reshape(-1, expected.shape[-1])
    with np.errstate(all="raise"):
        for u in (0.0, 0.3, 0.999999, np.nextafter(1.0, 0.0)):
            drawn = np.ravel(core.sample(row.x, u=np.full(expected.shape[:-1], u), **row.options))
            assert np.all(batch[np.arange(len(batch)), drawn] > 0.0)
        if row.log_prior is None:
            drawn = np.ravel(core.gumbel_max(row.x, rng=np.random.default_rng(1), **row.options))
            assert np.all(batch[np.arange(len(batch)), drawn] > 0.0)


def test_limits_of_the_temperature():
    rng = np.random.default_rng(3)
    x = [2.0, 5.0, 5.0, -INF]
    assert set(core.sample(x, 0.0, rng=rng, size=200).tolist()) == {1, 2}
    assert set(core.sample(x, INF, rng=rng, size=200).tolist()) == {0, 1, 2}
    assert set(core.gumbel_max(x, 0.0, rng=rng, size=200).tolist()) == {1, 2}
    one_hot = core.gumbel_softmax(x, 0.0, rng=rng, size=100)
    assert np.array_equal(np.sort(one_hot, axis=-1), np.broadcast_to([0.0, 0.0, 0.0, 1.0], (100, 4)))
    assert np.all(np.isfinite(core.gumbel_softmax(x, 1e-40, rng=rng, size=100)))


def test_zero_uniforms_never_choose_what_cannot_be_chosen():
    assert core.gumbel_max([0.0, -INF], u=[0.9, 0.0]) == 0
    assert core.CategoricalTable([0.0, 1.0, 0.0]).draw(u=0.0) == 1
    table = core.CategoricalTable([0.0, 1e-300, 1.0, 0.0] * 50)
    assert np.all(
        np.array([0.0, 1e-300, 1.0, 0.0] * 50)[table.draw(u=np.linspace(0, 1, 100_000, endpoint=False))] > 0.0
    )


def test_the_alias_table_holds_the_law_exactly():
    """Sum the shares of all columns instead of drawing."""
    for weights in (np.random.default_rng(5).dirichlet(np.full(1000, 0.1)), np.ones(7), [3.0], [0.0, 2.0]):
        table, w = core.CategoricalTable(weights), np.asarray(weights)
        law = np.zeros(len(w))
        np.add.at(law, np.arange(len(w)), table.keep / len(w))
        np.add.at(law, table.alias, (1 - table.keep) / len(w))
        np.testing.assert_allclose(law, w / w.sum(), atol=1e-15, rtol=1e-12)


def test_more_actions_than_float32_can_count():
    size = 2**24 + 5
    assert core.sample(np.zeros(size, np.float32), u=np.nextafter(1.0, 0.0)) == size - 1


def test_shapes_axes_and_draws():
    rng, x = np.random.default_rng(2), np.zeros((3, 4, 5))
    assert core.sample(x, rng=rng).shape == (3, 4)
    assert core.sample(x, axis=0, rng=rng, size=(7, 2)).shape == (7, 2, 4, 5)
    assert core.sample(x, axis=None, rng=rng).shape == ()
    assert core.sample(x, [[1.0], [2.0], [0.0]], u=np.full((6, 3, 4), 0.5)).shape == (6, 3, 4)
    assert core.gumbel_max(x, axis=1, rng=rng).shape == (3, 5)
    assert core.gumbel_max(x, axis=1, u=rng.random((9, 3, 4, 5))).shape == (9, 3, 5)
    assert core.gumbel_top_k(x, 3, rng=rng, size=2).shape == (2, 3, 4, 3)
    assert core.gumbel_softmax(x, rng=rng).shape == (3, 4, 5)
    assert core.sample(x[0, 0], rng=rng).dtype == np.int64


def test_generators_of_the_same_seed_draw_the_same():
    draws = [core.sample(X, TAU, rng=np.random.default_rng(4), size=10) for _ in range(2)]
    assert np.array_equal(*draws)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: core.sample([0.0, 1.0]), "exactly one of u and rng"),
        (lambda: core.sample([0.0, 1.0], u=1.0), "u must be >= 0 and < 1, got 1.0"),
        (lambda: core.sample([0.0, 1.0], u=-0.1), "u must be >= 0 and < 1"),
        (lambda: core.sample([-INF, -INF], u=0.5), "no allowed entry"),
        (lambda: core.sample([np.nan, 0.0], u=0.5), "NaN"),
        (lambda: core.gumbel_top_k([0.0, -INF], 2, rng=np.random.default_rng(0)), "k must be <= 1"),
        (lambda: core.CategoricalTable([0.0, 0.0]), "not all 0"),
        (lambda: core.CategoricalTable([1.0, -1.0]), ">= 0"),
    ],
)
def test_bad_calls_are_refused(call, message):
    with pytest.raises(ArgumentError) as caught:
        call()
    assert message in str(caught.value)
