"""Trees draw what the dense softmax draws, hold no error however long they are updated, and fit in memory."""

import tracemalloc

import numpy as np
import pytest
from scipy import stats

from rlsoftmax import core
from rlsoftmax.core import BoltzmannTree, DifferentiatedSoftmax, HierarchicalSoftmax
from rlsoftmax.core.trees import CHILDREN
from rlsoftmax.errors import ArgumentError

SEED = 80
INF = np.inf
FALSE_ALARM = 1e-6


def p_value(counts, law):
    """G-test; nothing of probability 0 may have been drawn."""
    assert np.all(counts[law == 0.0] == 0)
    seen = law > 0.0
    return stats.power_divergence(counts[seen], counts.sum() * law[seen], lambda_="log-likelihood").pvalue


@pytest.mark.parametrize("size", [1, 2, 7, 8, 9, 63, 64, 65, 100, 513, 4097])
def test_probabilities_are_those_of_softmax(size):
    x = np.random.default_rng(size).standard_normal(size) * 3
    tree = BoltzmannTree(x, 0.7)
    expected = core.softmax(x, tau=0.7)
    np.testing.assert_allclose([tree.probability(i) for i in range(min(size, 50))], expected[:50], rtol=1e-13)
    assert tree.log_partition() == pytest.approx(core.logsumexp(x, tau=0.7), rel=1e-14)
    u = np.random.default_rng(1).random(300)
    drawn = np.array([tree.draw(u=v) for v in u])
    np.testing.assert_array_equal(drawn, core.sample(x, 0.7, u=u))


def test_draws_by_rejection_are_exact_under_a_falling_temperature(monkeypatch):
    """The tree is built once, at 2, and never again; draws at 0.5 follow softmax at 0.5: G-test, false alarm 1e-6."""
    monkeypatch.setattr("rlsoftmax.core.trees.COST", 0)
    x = np.append(np.random.default_rng(SEED).standard_normal(40), -INF)
    tree = BoltzmannTree(x, 2.0)
    tree.tau = 0.5
    counts = np.bincount(tree.sample(30_000, np.random.default_rng(SEED)), minlength=41)
    assert tree._built_at == 2.0
    assert p_value(counts, core.softmax(x, tau=0.5)) > FALSE_ALARM


def test_the_alarm_of_that_test_rings_when_rejection_is_forgotten():
    x = np.random.default_rng(SEED).standard_normal(40)
    counts = np.bincount(BoltzmannTree(x, 2.0).sample(30_000, np.random.default_rng(SEED)), minlength=40)
    assert p_value(counts, core.softmax(x, tau=0.5)) < FALSE_ALARM


def test_draws_follow_the_law_while_values_and_temperature_move():
    rng, x = np.random.default_rng(SEED), np.zeros(20)
    tree, expected, counts = BoltzmannTree(x, 3.0), np.zeros(20), np.zeros(20)
    for step in range(40_000):
        tree.tau = 0.2 + 2.8 * 0.9998**step if step < 30_000 else 0.5
        i = int(rng.integers(20))
        tree.update(i, float(rng.standard_normal()))
        x[i] = tree.values[i]
        counts[tree.draw(rng=rng)] += 1
        expected += core.softmax(x, tau=tree.tau)
    chi = np.sum((counts - expected) ** 2 / expected)  # variances are smaller than Poisson's: a conservative test
    assert stats.chi2.sf(chi, 19) > FALSE_ALARM


def test_a_hundred_thousand_updates_leave_no_error():
    rng = np.random.default_rng(SEED)
    tree = BoltzmannTree(rng.standard_normal(3000) * 2, 0.5)
    for i, value in zip(
        rng.integers(0, 3000, 100_000).tolist(), (rng.standard_normal(100_000) * 20).tolist(), strict=True
    ):
        tree.update(i, value)
    for children, parents in zip(tree._levels, tree._levels[1:], strict=False):
        families, sums = children.reshape(-1, CHILDREN), np.zeros(len(children) // CHILDREN)
        for child in range(CHILDREN):
            sums += families[:, child]
        assert np.array_equal(parents[: len(sums)], sums)  # every node is its children's sum, bit for bit
    np.testing.assert_allclose(tree.log_partition(), core.logsumexp(tree.values, tau=0.5), rtol=1e-13)


def test_values_that_rise_or_fall_out_of_range_are_rebuilt():
    tree = BoltzmannTree([0.0, 1.0, 2.0], 1.0)
    tree.update(0, 5000.0)
    assert tree.probability(0) == 1.0
    tree.update(0, -5000.0)
    np.testing.assert_allclose(tree.probability(2), core.softmax([1.0, 2.0])[1], rtol=1e-14)
    tree.update(-1, -INF)
    assert tree.probability(2) == 0.0
    assert tree.draw(u=0.999) == 1
    with pytest.raises(IndexError):
        tree.update(3, 0.0)


@pytest.mark.parametrize("tau", [1e-300, 5e-324, 1e300, INF])
def test_extreme_temperatures(tau):
    tree, rng = BoltzmannTree([0.0, 1.0, 1.0, -INF], INF), np.random.default_rng(0)
    tree.tau = tau
    drawn = set(tree.sample(200, rng).tolist())
    assert drawn == ({1, 2} if tau < 1.0 else {0, 1, 2})


def test_a_million_actions_fit_in_a_hundred_megabytes():
    values = np.random.default_rng(SEED).standard_normal(1_000_000)
    tracemalloc.start()
    tree = BoltzmannTree(values, 0.5)
    tree.update(5, 3.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100e6
    assert 0 <= tree.draw(rng=np.random.default_rng(0)) < 1_000_000


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: BoltzmannTree([], 1.0), "values must be one row"),
        (lambda: BoltzmannTree([-INF], 1.0), "one of them finite"),
        (lambda: BoltzmannTree([np.nan], 1.0), "finite or -inf"),
        (lambda: BoltzmannTree([0.0], 0.0), "tau must be > 0"),
        (lambda: BoltzmannTree([0.0], np.nan), "tau must be > 0"),
        (lambda: BoltzmannTree([0.0], 1.0).update(0, np.nan), "value must be finite or -inf"),
        (lambda: BoltzmannTree([0.0], 1.0).draw(), "exactly one of u and rng"),
        (lambda: core.huffman_tree([1.0, -1.0]), "frequencies must be one row, >= 0"),
        (lambda: core.clustered_tree([[0, 2]]), "exactly once"),
        (lambda: core.balanced_tree(0), "classes must be a whole number >= 1, got 0."),
        (lambda: HierarchicalSoftmax(core.balanced_tree(3), 0), "features must be >= 1"),
        (lambda: HierarchicalSoftmax(core.balanced_tree(3), 2).probability([1.0], 0), "features must have shape (2,)"),
        (lambda: DifferentiatedSoftmax([2], [0]), "sizes and widths"),
    ],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(ArgumentError) as caught:
        call()
    assert message in str(caught.value)


TREES = {
    "balanced": core.balanced_tree(11),
    "huffman": core.huffman_tree([9, 1, 1, 1, 5, 3, 2, 2, 8, 4, 1]),
    "clusters": core.clustered_tree([[3, 1, 4], [0], [2, 5, 6, 7, 8, 9, 10]]),
    "one class": core.balanced_tree(1),
    "one class, huffman": core.huffman_tree([2.0]),
}
EVERY_TREE = pytest.mark.parametrize("tree", TREES.values(), ids=TREES.keys())


def layer_of(tree):
    layer = HierarchicalSoftmax(tree, 3)
    layer.weights[:] = np.random.default_rng(SEED).standard_normal(layer.weights.shape)
    return layer


@EVERY_TREE
def test_hierarchical_probabilities_sum_to_one_and_agree(tree):
    layer, h = layer_of(tree), [0.5, -2.0, 1.0]
    p = layer.probabilities(h)
    assert abs(p.sum() - 1.0) <= 1e-15
    np.testing.assert_allclose([layer.probability(h, i) for i in range(len(p))], p, rtol=1e-14)
    np.testing.assert_allclose([layer.log_probability(h, i) for i in range(len(p))], np.log(p), rtol=1e-13, atol=1e-15)


@EVERY_TREE
def test_hierarchical_draws_follow_the_law(tree):
    """G-test, false alarm 1e-6."""
    layer, h, rng = layer_of(tree), [0.2, -0.3, 0.4], np.random.default_rng(SEED)
    p = layer.probabilities(h)
    counts = np.bincount([layer.draw(h, rng) for _ in range(2000)], minlength=len(p))
    assert len(p) == 1 or p_value(counts, p) > FALSE_ALARM


@EVERY_TREE
def test_hierarchical_gradients_match_differences_and_updates_follow_them(tree):
    layer, h, label = layer_of(tree), np.array([0.5, -2.0, 1.0]), len(tree.leaf) // 2
    rows, to_h = layer.gradient(h, label)
    for step in np.eye(3) * 1e-6:
        slope = (layer.log_probability(h + step, label) - layer.log_probability(h - step, label)) / 2e-6
        assert to_h @ step / 1e-6 == pytest.approx(slope, abs=1e-8)
    for first, change in rows.items():
        for place in np.ndindex(change.shape):
            node = (first + place[0], place[1])
            sides = []
            for move in (1e-6, -2e-6):
                layer.weights[node] += move
                sides.append(layer.log_probability(h, label))
            layer.weights[node] += 1e-6
            assert change[place] == pytest.approx((sides[0] - sides[1]) / 2e-6, abs=1e-8)
    before = layer.log_probability(h, label)
    layer.update(h, label, 0.01)
    assert layer.log_probability(h, label) >= before


def test_huffman_codes_are_as_short_as_possible():
    """Shannon: entropy <= mean length < entropy + 1; and no shorter than an exhaustive search for few classes."""
    weights = np.random.default_rng(SEED).dirichlet(np.full(200, 0.3))
    tree = core.huffman_tree(weights)
    depth = np.array([len(tree.path(i)) for i in range(200)])
    entropy = core.entropy(weights) / np.log(2)
    assert entropy <= depth @ weights < entropy + 1.0
    assert np.sum(2.0**-depth) == 1.0  # Kraft's equality: a full tree


def test_a_million_classes_fit_in_a_hundred_megabytes():
    tracemalloc.start()
    layer = HierarchicalSoftmax(core.balanced_tree(1_000_000), 1)
    layer.update([1.0], 77, 0.1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100e6
    assert layer.probability([1.0], 77) > 2.0**-20


def test_huffman_trees_of_many_classes_take_memory_in_proportion():
    tracemalloc.start()
    core.huffman_tree(np.random.default_rng(SEED).random(20_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000 * 160


def test_differentiated_softmax_is_a_dense_layer_with_zero_blocks():
    layer, rng = DifferentiatedSoftmax([3, 4, 2], [4, 2, 1]), np.random.default_rng(SEED)
    dense = np.zeros((9, 7))
    for block, (rows, columns) in zip(
        layer.blocks, [(slice(0, 3), slice(0, 4)), (slice(3, 7), slice(4, 6)), (slice(7, 9), slice(6, 7))], strict=True
    ):
        block[:] = rng.standard_normal(block.shape)
        dense[rows, columns] = block
    h = rng.standard_normal((5, 7))
    np.testing.assert_allclose(layer.probabilities(h), core.softmax(h @ dense.T), rtol=1e-13)
    np.testing.assert_allclose(layer.log_probabilities(h), core.log_softmax(h @ dense.T), rtol=1e-12)
    to_blocks, to_h = layer.gradient(h[0], 4)
    surprise = np.eye(9)[4] - core.softmax(dense @ h[0])
    np.testing.assert_allclose(to_h, surprise @ dense, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(to_blocks[1], np.outer(surprise, h[0])[3:7, 4:6], rtol=1e-12, atol=1e-14)
    assert layer.weights_used == 3 * 4 + 4 * 2 + 2
