"""Schedules against their formulas in mpmath; adaptive ones against exact bounds and the core."""

import math

import cases
import mpmath as mp
import numpy as np
import pytest

from rlsoftmax.agents.q_learning import QLearning
from rlsoftmax.core import softmax
from rlsoftmax.core.targets import temperature_for_effective_actions
from rlsoftmax.engine.fuse import linked
from rlsoftmax.engine.stages import boltzmann_weights
from rlsoftmax.errors import BadValue
from rlsoftmax.policies.boltzmann import Boltzmann
from rlsoftmax.schedules.cosine import Cosine
from rlsoftmax.schedules.cyclic import Cyclic
from rlsoftmax.schedules.entropy_target import EntropyTarget
from rlsoftmax.schedules.glie import Glie
from rlsoftmax.schedules.inverse_log import InverseLog
from rlsoftmax.schedules.inverse_sqrt import InverseSqrt
from rlsoftmax.schedules.inverse_time import InverseTime
from rlsoftmax.schedules.log_over_time import LogOverTime
from rlsoftmax.schedules.piecewise import Piecewise
from rlsoftmax.schedules.power import Power
from rlsoftmax.schedules.vdbe import Vdbe

STEPS = np.array([0.0, 1.0, 2.0, 3.0, 7.0, 49.0, 50.0, 99.0, 100.0, 149.0, 150.0, 349.0, 350.0, 12345.0, 1e6])

# The formula of each, of an exact step; the origin of t is part of it.
FORMULAS = {
    "inverse_time": (InverseTime(start=2.0, half_life=50.0), lambda t: 2 / (1 + t / 50)),
    "inverse_log": (InverseLog(c=3.0), lambda t: 3 / mp.log(t + 2)),
    "inverse_sqrt": (InverseSqrt(c=3.0), lambda t: 3 / mp.sqrt(t + 1)),
    "log_over_time": (LogOverTime(c=3.0), lambda t: 3 * mp.log(t + 3) / (t + 3)),
    "power": (Power(start=2.0, exponent=0.6), lambda t: 2 / (t + 1) ** mp.mpf(0.6)),
    "power, heating": (Power(start=2.0, exponent=-0.5), lambda t: 2 * mp.sqrt(t + 1)),
    "cosine": (Cosine(start=2.0, end=0.5, steps=100.0), lambda t: wave(2, mp.mpf("0.5"), min(t / 100, 1))),
    "cyclic": (Cyclic(start=2.0, end=0.5, period=50.0), lambda t: wave(2, mp.mpf("0.5"), mp.frac(t / 50))),
    "cyclic, growing": (Cyclic(start=2.0, end=0.5, period=50.0, growth=2.0), lambda t: grown(t, 50)),
    "piecewise": (Piecewise(values=(3.0, 1.0, 2.0), changes=(2.0, 50.0)), lambda t: 3 if t < 2 else 1 if t < 50 else 2),
}


def wave(start, end, done):
    return end + (start - end) * (1 + mp.cos(mp.pi * done)) / 2


def grown(t, length):
    """Walk through the cycles, each twice as long as the last."""
    while t >= length:
        t, length = t - length, 2 * length
    return wave(2, mp.mpf("0.5"), mp.mpf(t) / length)


@pytest.mark.parametrize("name", FORMULAS)
def test_a_schedule_is_its_formula(name):
    schedule, formula = FORMULAS[name]
    expected = [float(formula(mp.mpf(step))) for step in STEPS]
    np.testing.assert_allclose(schedule(STEPS), expected, rtol=1e-13)


@pytest.mark.parametrize("name", FORMULAS)
def test_a_schedule_does_not_depend_on_which_steps_are_asked_together(name):
    schedule = FORMULAS[name][0]
    assert schedule(STEPS).tolist() == [schedule(np.array([step]))[0] for step in STEPS]


@pytest.mark.parametrize("growth", [1.0, 1.1, 2.0, 3.0])
def test_every_cycle_begins_hot_and_ends_cold(growth):
    values = Cyclic(start=1.0, end=0.0, period=10.0, growth=growth)(np.arange(5000.0))
    begins = np.flatnonzero(np.diff(values) > 0.0) + 1
    lengths = np.diff(np.r_[0, begins])
    assert values[0] == 1.0
    assert values[begins[:4]] == pytest.approx(1.0, abs=0.03)
    np.testing.assert_allclose(lengths[:4], 10.0 * growth ** np.arange(4), atol=1.0)


def test_log_over_time_only_falls():
    assert (np.diff(LogOverTime()(np.arange(1000.0))) < 0.0).all()


@pytest.mark.parametrize(
    ("values", "changes"), [((1.0,), (5.0,)), ((1.0, 2.0, 3.0), (5.0, 5.0)), ((1.0, -2.0), (5.0,))]
)
def test_pieces_that_do_not_fit_are_refused(values, changes):
    with pytest.raises(BadValue):
        Piecewise(values=values, changes=changes)


# --- adaptive -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_the_lower_bound_of_glie_is_exact(strength):
    """Every action keeps at least n^-strength / K, and reaches it to a factor below K: the worst has n^-strength."""
    rng = np.random.default_rng(0)
    for n in (2, 3, 10, 1000, 10**6):
        for k in (2, 5, 50):
            values = rng.normal(size=k) * 10.0 ** rng.uniform(-5, 5)
            visits = np.full((1, k), (n - 1) / k)
            temperature = Glie(strength=strength).temperature(values, visits, 0)
            chances = softmax(values, tau=temperature)
            assert chances.min() >= n**-strength / k * (1.0 - 1e-12)
            assert chances.min() / chances.max() == pytest.approx(n**-strength, rel=1e-12)


def test_glie_is_uniform_where_nothing_is_known():
    never, often = np.zeros((1, 3)), np.full((1, 3), 9.0)
    assert Glie().temperature(np.array([0.0, 1.0, 2.0]), never, 0) == math.inf
    assert Glie().temperature(np.array([1.0, 1.0, 1.0]), often, 0) == math.inf
    assert Glie().temperature(np.array([1.0, 3.0, -np.inf]), often, 0) == pytest.approx(2.0 / math.log(28.0))


def test_entropy_target_is_the_temperature_of_the_core():
    rng = np.random.default_rng(1)
    for i in range(500):
        values = rng.normal(size=rng.integers(2, 12)) * 10.0 ** rng.uniform(-3, 3)
        values = np.round(values) if i % 3 == 0 else values
        actions = float(rng.uniform(1.0, values.size))
        expected = float(temperature_for_effective_actions(values, actions))
        found = float(EntropyTarget(actions=actions).temperature(values))
        assert found == expected or found == pytest.approx(expected, rel=1e-9)


def test_entropy_target_keeps_so_many_actions_in_play_among_those_that_are_allowed():
    values = np.array([0.0, 1.0, -np.inf, 2.5, 2.0])
    weights = boltzmann_weights(values, EntropyTarget(actions=3.0).temperature(values))
    chances = weights / weights.sum()
    seen = chances[chances > 0.0]
    assert math.exp(-(seen * np.log(seen)).sum()) == pytest.approx(3.0, rel=1e-9)
    assert EntropyTarget(actions=4.0).temperature(values) == math.inf


def test_vdbe_is_calm_when_nothing_changes_and_hot_when_everything_does():
    unrest = np.ones(2)
    for _ in range(200):
        Vdbe(delta=0.1).observe(unrest, 0, 0.0)
        Vdbe(delta=0.1).observe(unrest, 1, -1e6)
    assert unrest[0] == pytest.approx(0.9**200)
    assert unrest[1] == pytest.approx(1.0)


def test_vdbe_follows_the_change_of_value_that_the_engine_reports():
    """Its unrest is rebuilt from the values before and after each update."""
    setup = cases.setup_of(QLearning(alpha=0.5), Boltzmann(temperature=Vdbe(sigma=0.5)), cases.CHAIN)
    block = cases.block_of([setup], [(0, 0)])
    learn, unrest = linked(block.kind, {}).__globals__["learn_lanes"].__globals__["learn"], np.ones(3)

    def learning(agent, game, lane, state, action, *offered):
        before = game.memory[0][lane, state, action]
        learn(agent, game, lane, state, action, *offered)
        x = abs(game.memory[0][lane, state, action] - before) / 0.5
        unrest[state] += 0.25 * (math.tanh(x / 2.0) - unrest[state])

    block.play(linked(block.kind, {"learn": learning}))
    np.testing.assert_allclose(block.array("unrest")[0], unrest, rtol=1e-12)
    assert len(set(unrest)) == 3
