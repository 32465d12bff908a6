"""The stages of the loop: softmax as the core defines it, and a draw that never takes an action of weight zero."""

import core_exact as exact
import numpy as np
import pytest
from hard_inputs import HARD, both
from hypothesis import given
from hypothesis import strategies as st

from rlsoftmax.core import mellowmax, soft_maximum, softmax
from rlsoftmax.engine import stages
from rlsoftmax.engine.link import compiled
from rlsoftmax.numeric import JUST_BELOW_ONE

ROWS = pytest.mark.parametrize("row", both(), ids=[row.name for row in HARD if row.mark == "both"])
SMALLEST, LARGEST = 2.0**-53, JUST_BELOW_ONE  # what a uniform number can be at most


def gaps(values, temperature):
    """Return |value - best| / temperature: 0 for the best, infinite for what is forbidden or colder than cold."""
    with np.errstate(all="ignore"):
        gap = values.max() - values
        return np.where(gap == 0.0, 0.0, gap / abs(temperature))


def probabilities(weights):
    """Return the weights divided by their sum from first to last, as the loop draws them."""
    return weights / np.add.accumulate(weights)[-1]


@ROWS
def test_the_stage_agrees_with_the_exact_softmax(row):
    values, temperature, expected = row
    found, gap = probabilities(stages.boltzmann_weights(values, temperature)), gaps(values, temperature)
    sure = gap < 700.0
    assert np.all(exact.ulps(found[sure], expected[sure]) <= 2.0 * gap[sure] + 8.0)
    assert np.all(found[gap > 708.5] == 0.0)


@ROWS
def test_the_stage_agrees_with_the_core(row):
    values, temperature, _ = row
    found = probabilities(stages.boltzmann_weights(values, temperature))
    np.testing.assert_allclose(found, softmax(values, tau=temperature), rtol=1e-12, atol=1e-300)


@pytest.mark.compiled
@ROWS
def test_the_compiled_stage_has_the_bits_of_the_interpreted_one(row):
    values, temperature, _ = row
    stage, weights, lane = compiled(stages.boltzmann), np.empty((len(values), 3)), np.empty((3, 3))
    rows = np.repeat(values[:, None], 3, axis=1)
    stage(rows, np.full(3, temperature), weights, *lane)
    assert weights.T.tobytes() == np.array([stages.boltzmann_weights(values, temperature)] * 3).tobytes()


@pytest.mark.parametrize(
    ("values", "temperature", "weights"),
    [
        ([1.0, 3.0, 3.0], 0.0, [0.0, 1.0, 1.0]),  # greedy: ties are shared
        ([1.0, 3.0, 3.0], np.inf, [1.0, 1.0, 1.0]),  # uniform
        ([1.0, -np.inf, 3.0], np.inf, [1.0, 0.0, 1.0]),  # over what is allowed
        ([-np.inf, -np.inf, 3.0], 1.0, [0.0, 0.0, 1.0]),
        ([1e308, -1e308], 1.0, [1.0, 0.0]),  # the gap overflows
    ],
)
def test_a_limit_is_exact(values, temperature, weights):
    assert stages.boltzmann_weights(values, temperature).tolist() == weights


def drawn(weights, uniform):
    """Return the action that the loop draws."""
    column, lane, action = np.array(weights)[:, None], np.empty((2, 1)), np.empty(1, np.int64)
    stages.add_up(column, lane[0])
    stages.pick(column, lane[0].copy(), np.array([uniform]), lane[1], np.empty(1), action)
    return int(action[0])


WEIGHTS = st.lists(st.one_of(st.just(0.0), st.floats(1e-300, 1e300)), min_size=1, max_size=8).filter(any)


@given(weights=WEIGHTS, uniform=st.floats(SMALLEST, LARGEST))
def test_an_action_of_weight_zero_is_never_drawn(weights, uniform):
    for number in (SMALLEST, uniform, LARGEST):
        assert weights[drawn(weights, number)] > 0.0


@given(
    weights=st.lists(st.sampled_from([0.0, 0.1, 0.7, 1.0, 3.0, 1e9]), min_size=1, max_size=8).filter(any),
    uniform=st.floats(SMALLEST, LARGEST),
    scale=st.integers(-200, 200),
)
def test_the_draw_does_not_depend_on_the_scale_of_the_weights(weights, uniform, scale):
    with np.errstate(over="ignore"):
        scaled = [weight * 2.0**scale for weight in weights]
    assert drawn(scaled, uniform) == drawn(weights, uniform)


def test_the_draw_is_the_inverse_of_the_cumulative_sum():
    weights = [0.5, 0.0, 1.5, 2.0]  # a uniform of 1/8 is the first that is no longer action 0
    below = [np.nextafter(1 / 8, 0.0), np.nextafter(1 / 2, 0.0)]
    assert [drawn(weights, u) for u in (below[0], 1 / 8, below[1], 1 / 2, LARGEST)] == [0, 2, 2, 3, 3]


@given(rows=st.lists(st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3), min_size=1, max_size=9))
@pytest.mark.parametrize("temperature", [0.0, 1e-3, 0.3, 1.0, 1e3])
def test_what_a_state_is_worth_is_the_soft_maximum_of_the_core(temperature, rows):
    values = np.array(rows).T
    found = worth(stages.soft_maximum, values, temperature)
    np.testing.assert_allclose(found, soft_maximum(values.T, tau=temperature), rtol=1e-13, atol=1e-13)


@given(rows=st.lists(st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3), min_size=1, max_size=9))
@pytest.mark.parametrize("omega", [1e-3, 0.5, 5.0, 1e3])
def test_what_a_state_is_worth_is_the_mellowmax_of_the_core(omega, rows):
    values = np.array(rows).T
    found = worth(stages.soft_mean, values, 1.0 / omega)
    np.testing.assert_allclose(found, mellowmax(values.T, omega), rtol=1e-12, atol=1e-12 / omega)


@pytest.mark.parametrize("stage", [stages.soft_maximum, stages.soft_mean])
def test_what_is_not_allowed_adds_nothing_to_what_a_state_is_worth(stage):
    values = np.array([[1.0, -np.inf], [0.5, 0.25], [-np.inf, 2.0]])
    expected = [worth(stage, np.array([[1.0], [0.5]]), 0.7)[0], worth(stage, np.array([[0.25], [2.0]]), 0.7)[0]]
    np.testing.assert_allclose(worth(stage, values, 0.7), expected, rtol=1e-15)


def worth(stage, values, temperature):
    """Return what each column of values is worth to a stage."""
    weights, (total, found, scale) = np.empty_like(values), np.empty((3, values.shape[1]))
    with np.errstate(all="ignore"):
        stage(values, np.full_like(total, temperature), weights, total, found, scale)
    return found
