"""Streams give what the whole gives, however they are cut; the attention sum gives what the formula gives."""

import core_exact as exact
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rlsoftmax import core
from rlsoftmax.core import SoftmaxState
from rlsoftmax.errors import ArgumentError

INF = np.inf
ROWS = hnp.arrays(
    np.float64, st.integers(1, 60), elements=st.one_of(st.floats(-1e3, 1e3), st.just(-INF), st.floats(0, 3))
)
TAUS = st.sampled_from([0.1, 1.0, 7.3, 100.0])


def folded(x, cuts, tau):
    """Return the state after the chunks between the cuts."""
    state = SoftmaxState.empty(tau=tau)
    for chunk in np.split(x, sorted(cuts)):
        state = state.update(chunk)
    return state


def merged(parts, seed):
    """Merge states in an arbitrary order, as a random binary tree."""
    rng, parts = np.random.default_rng(seed), list(parts)
    while len(parts) > 1:
        i = int(rng.integers(len(parts) - 1))
        parts[i : i + 2] = [parts[i].merge(parts[i + 1])]
    return parts[0]


@settings(max_examples=120, deadline=None, derandomize=True)
@given(ROWS, st.sets(st.integers(1, 59)), TAUS, st.integers(0, 2**32 - 1))
def test_any_chunking_and_any_tree_of_merges_equals_the_whole(x, cuts, tau, seed):
    cuts = [c for c in cuts if c < x.size]
    if np.all(x == -INF):
        x[0] = 0.0
    answer = exact.softmax(list(x), tau=tau)
    parts = [SoftmaxState.empty(tau=tau).update(chunk) for chunk in np.split(x, sorted(cuts))]
    for state in (folded(x, cuts, tau), merged(parts, seed)):
        assert np.all(exact.ulps(state.probability(x), answer) <= 4.0)
        assert state.count == np.sum(x > -INF)
        np.testing.assert_allclose(state.finalize(), core.logsumexp(x, tau=tau), rtol=4e-16, atol=4e-16)


def test_a_maximum_that_grows_ten_thousand_times_costs_no_digits():
    x = np.linspace(0.0, 3.0, 10_000)
    state = SoftmaxState.empty()
    for value in x:
        state = state.update([value])
    worst = np.abs(state.probability(x) / core.softmax(x, precise=True) - 1.0).max()
    assert worst <= (4 * 2.3e-16 if np.finfo(np.longdouble).nmant > 52 else 1e-13)


def test_limits_masks_and_rows():
    chunks = [np.array([[1.0, 5.0], [2.0, 2.0]]), np.array([[5.0, -INF], [2.0, 1.0]])]
    for tau in (0.0, INF, 0.5, np.array([0.0, INF])):
        state = SoftmaxState.empty((2,), tau)
        for chunk in chunks:
            state = state.update(chunk)
        whole = np.concatenate(chunks, axis=1)
        np.testing.assert_allclose(state.probability(whole), core.softmax(whole, tau=tau), rtol=1e-15)
    masked = SoftmaxState.empty().update([np.nan, 1.0, 2.0], where=[False, True, True])
    np.testing.assert_allclose(masked.probability([1.0, 2.0]), core.softmax([1.0, 2.0]), rtol=1e-15)
    assert SoftmaxState.empty().finalize() == -INF
    assert SoftmaxState.empty().update([-INF]).merge(SoftmaxState.empty().update([3.0])).finalize() == 3.0
    assert np.isnan(SoftmaxState.empty().update([np.nan]).update([1.0]).finalize())
    assert SoftmaxState.empty().update([INF, 1.0]).update([INF]).probability([INF, 1.0]).tolist() == [0.5, 0.0]


def test_states_of_different_temperatures_are_not_merged():
    with pytest.raises(ArgumentError, match="different temperatures"):
        SoftmaxState.empty(tau=1.0).merge(SoftmaxState.empty(tau=2.0))


def attention(q, k, v, tau, where=None):
    return core.softmax(q @ np.swapaxes(k, -1, -2), tau=tau, where=where) @ v


@pytest.mark.parametrize("block", [1, 3, 7, 512])
@pytest.mark.parametrize("tau", [0.0, 0.3, 1.0, INF])
def test_the_blocked_attention_sum_equals_the_formula(block, tau):
    rng = np.random.default_rng(70)
    q, k, v = rng.standard_normal((2, 4, 3)), rng.standard_normal((2, 7, 3)), rng.standard_normal((2, 7, 5))
    where = rng.random((4, 7)) < 0.6
    where[:, 0] = True
    np.testing.assert_allclose(
        core.softmax_weighted_sum(q, k, v, tau, block=block), attention(q, k, v, tau), rtol=1e-12, atol=1e-14
    )
    result = core.softmax_weighted_sum(q, k, v, tau, where=where, block=block)
    np.testing.assert_allclose(result, attention(q, k, v, tau, where), rtol=1e-12, atol=1e-14)


def test_large_scores_do_not_overflow_and_a_blind_query_is_nan():
    result = core.softmax_weighted_sum([[1e5]], [[1.0], [2.0]], [[1.0], [3.0]], 1e-3, block=1)
    assert result.tolist() == [[3.0]]
    blind = core.softmax_weighted_sum([[1.0], [1.0]], [[1.0]], [[2.0]], where=[[True], [False]])
    assert blind[0, 0] == 2.0
    assert np.isnan(blind[1, 0])


@pytest.mark.parametrize("block", [2, 512])
def test_the_backward_pass_matches_differences(block):
    rng = np.random.default_rng(71)
    q, k, v = rng.standard_normal((3, 2)), rng.standard_normal((5, 2)), rng.standard_normal((5, 4))
    where, given, tau = rng.random((3, 5)) < 0.7, rng.standard_normal((3, 4)), 0.8
    where[:, 1] = True
    state = core.softmax_weighted_sum_and_state(q, k, v, tau, where=where, block=block)
    gradients = core.softmax_weighted_sum_vjp(q, k, v, given, state, tau, where=where, block=block)
    for which, (array, gradient) in enumerate(zip((q, k, v), gradients, strict=True)):
        numeric = np.zeros(array.shape)
        for place in np.ndindex(array.shape):
            sides = []
            for h in (1e-6, -1e-6):
                moved = [q.copy(), k.copy(), v.copy()]
                moved[which][place] += h
                sides.append(np.sum(given * attention(*moved, tau, where)))
            numeric[place] = (sides[0] - sides[1]) / 2e-6
        np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("shapes", [((2, 3), (4, 2), (4, 1)), ((2, 3), (4, 3), (5, 1)), ((3,), (4, 3), (4, 1))])
def test_shapes_that_do_not_fit_are_refused(shapes):
    with pytest.raises(ArgumentError, match="must have"):
        core.softmax_weighted_sum(*(np.zeros(shape) for shape in shapes))
