"""A run has the same bits in any block, window, thread, order, process and code generation, compiled or not."""

import itertools
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cases
import numpy as np
import pytest
from cases import bits, block_of, cover, expected_bits, interpreted, lanes_of
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

from rlsoftmax.engine import stages
from rlsoftmax.engine.fuse import fuse, linked
from rlsoftmax.numeric import STEP

CASES = pytest.mark.parametrize("case", cover(), ids=str)
KERNELS = pytest.mark.parametrize(
    "kernel_of",
    [lambda kind: linked(kind, {}), pytest.param(fuse, marks=pytest.mark.compiled)],
    ids=["python", "numba"],
)


def split(lanes, width):
    """Return the lanes in blocks of this width."""
    return [lanes[first : first + width] for first in range(0, len(lanes), width)]


def together(blocks):
    """Return the bits of several blocks."""
    return dict(itertools.chain.from_iterable(bits(block).items() for block in blocks))


def in_blocks(case, kernel_of, blocks, window=None):
    """Play these blocks one after the other."""
    kernel = kernel_of(case.setups[0].kind)
    return together(block_of(case.setups, lanes, window).play(kernel) for lanes in blocks)


def of_64_lanes(case, kernel_of):
    runs = 32 if kernel_of is fuse else 8  # the interpreter takes its time
    return in_blocks(case, kernel_of, [lanes_of(runs=runs)])


def on_two_threads(case, kernel_of):
    kernel = kernel_of(case.setups[0].kind)
    blocks = [block_of(case.setups, lanes, 7) for lanes in split(lanes_of(), 2)]
    with ThreadPoolExecutor(2) as pool:
        return together(pool.map(lambda block: block.play(kernel), blocks))


def with_cells_reversed(case, kernel_of):
    block = block_of(case.setups[::-1], lanes_of()[::-1]).play(kernel_of(case.setups[0].kind))
    return {(1 - cell, run): lane for (cell, run), lane in bits(block).items()}


def one_cell_at_a_time(case, kernel_of):
    found = {}
    for cell, setup in enumerate(case.setups):
        block = block_of([setup], lanes_of(cells=1)).play(kernel_of(setup.kind))
        found |= {(cell, run): lane for (_, run), lane in bits(block).items()}
    return found


def extended_by_more_runs(case, kernel_of):
    first = lanes_of(runs=1)
    return in_blocks(case, kernel_of, [first, [lane for lane in lanes_of() if lane not in first]])


def stopped_and_continued(case, kernel_of):
    kernel = kernel_of(case.setups[0].kind)
    return bits(block_of(case.setups, lanes_of()).play(kernel, until=23).play(kernel, until=24).play(kernel))


WAYS = {
    "one lane": lambda case, kernel_of: in_blocks(case, kernel_of, split(lanes_of(), 1)),
    "2 lanes": lambda case, kernel_of: in_blocks(case, kernel_of, split(lanes_of(), 2)),
    "3 lanes": lambda case, kernel_of: in_blocks(case, kernel_of, split(lanes_of(), 3)),
    "64 lanes": of_64_lanes,
    "window 7": lambda case, kernel_of: in_blocks(case, kernel_of, [lanes_of()], 7),
    "window 50": lambda case, kernel_of: in_blocks(case, kernel_of, [lanes_of()], 50),
    "window of its own choice": lambda case, kernel_of: in_blocks(case, kernel_of, [lanes_of()]),
    "2 threads": on_two_threads,
    "reversed cells": with_cells_reversed,
    "one cell at a time": one_cell_at_a_time,
    "extended by more runs": extended_by_more_runs,
    "stopped and continued": stopped_and_continued,
}


@KERNELS
@CASES
def test_the_bits_do_not_depend_on_how_a_run_is_played(case, kernel_of):
    found = {name: way(case, kernel_of) for name, way in WAYS.items()}
    expected = expected_bits(case)
    assert [name for name, lanes in found.items() if {lane: lanes.get(lane) for lane in expected} != expected] == []


@pytest.mark.compiled
@CASES
def test_snapshots_do_not_depend_on_how_a_run_is_played(case):
    whole, small = (block_of(case.setups, lanes_of(), window) for window in (None, 7))
    whole.play(fuse(whole.kind))
    small.play(linked(small.kind, {}))
    for one, other in zip(whole.peek, small.peek, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=0.0)


def test_the_lanes_are_different_and_the_cells_are_too():
    for case in cover():
        assert len(set(expected_bits(case).values())) >= (6 if case.other else 3), case


# --- the cases test something ---------------------------------------------------------------------------------------


def seen(case):
    """Return the set of events that happen in a case."""
    events = set()

    def learn_lanes(game, row):
        out = game.out
        if not game.record.shape[1] <= 3:
            events.update(
                {"end"} if out.terminated.any() else (), {"cut"} if (out.ended & ~out.terminated).any() else ()
            )
        events.update({"reward"} if out.reward.any() else ())
        learn(game, row)

    def choose(game, row, shift, here, luck, out, aside):
        chosen(game, row, shift, here, luck, out, aside)
        weights = np.sort(out.weights, axis=0)
        events.update({"tie"} if (weights[-1] == weights[-2]).any() else ())

    names = linked(case.setups[0].kind, {}).__globals__
    learn, chosen = names["learn_lanes"], names["choose"]
    interpreted(case, learn_lanes=learn_lanes, choose=choose)
    return events


def test_every_case_has_a_reward_and_the_cover_has_a_cut_an_end_and_a_tie_for_every_table():
    for case in cases.NAMED:
        wanted = {"reward", "tie"} | (set() if case.setups[0].kind.bandit else {"cut"})
        wanted |= {"end"} if case.env is cases.CHAIN else set()
        assert seen(case) >= wanted, case


def test_the_cover_names_every_class_on_the_shelves():
    named = {type(part) for case in cover() for part in cases.parts_of(case)}
    assert {cls for classes in cases.shelves().values() for cls in classes.values()} <= named


# --- other processes ------------------------------------------------------------------------------------------------


def printed(*arguments, **environment):
    """Return what another process says of the cases."""
    command = [sys.executable, str(Path(cases.__file__)), *arguments]
    run = subprocess.run(command, capture_output=True, text=True, env=os.environ | environment)
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout.splitlines()


@pytest.fixture(scope="module")
def here():
    """What this process says of every case."""
    return [f"{case} {cases.hash_of(expected_bits(case))}" for case in cover()]


@pytest.mark.compiled
def test_the_bits_of_the_plainest_processor_are_the_same(here):
    count = len(cases.NAMED)  # compiled once more, for another processor
    assert printed(str(count), NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="") == here[:count]


@pytest.mark.parametrize("level", ["X86_V4", "X86_V3", "AVX512_SKX", "AVX2", "ASIMDHP"])
def test_the_bits_do_not_depend_on_numpys_code_paths(here, level):
    if level not in __cpu_dispatch__ or not __cpu_features__.get(level):
        pytest.skip(f"NumPy does not switch {level} on here")
    higher = __cpu_dispatch__[__cpu_dispatch__.index(level) :]  # a level is off only if those above it are
    off = " ".join(name for name in higher if __cpu_features__.get(name))
    assert printed(NPY_DISABLE_CPU_FEATURES=off, NUMBA_DISABLE_JIT="1") == here


# --- planted faults are caught --------------------------------------------------------------------------------------


def case_of(name):
    """Return the case of this name."""
    return next(case for case in cover() if str(case) == name)


BANDIT, GRADIENT = (
    "sample_average-boltzmann-exponential-gaussian_bandit",
    "gradient_bandit-boltzmann-constant-bernoulli_bandit",
)
Q, SARSA = "q_learning-epsilon_greedy-chain", "sarsa-boltzmann-exponential-chain"
EXPECTED = "expected_sarsa-boltzmann-count_based-chain"


def summed_backwards(values, temperature, weights, total, best, scale):
    stages.boltzmann(values, temperature, weights, total, best, scale)
    total[:] = np.add.accumulate(weights[::-1])[-1]


def luck_of_the_lane(seed, run, step, purpose, first, second):
    stages.draw_uniforms(seed, np.arange(run.size), step, purpose, first, second)


def the_same_luck_at_every_step(seed, run, step, purpose, first, second):
    stages.draw_uniforms(seed, run, 0, purpose, first, second)


def first_of_ties(weights, total, uniforms, threshold, running, action):
    action[:] = np.argmax(weights, axis=0)


def no_look_beyond(game, row):
    pass


FAULTS = {
    "weights summed in another order": (GRADIENT, {"weigh_lanes": summed_backwards}),
    "luck of the lane, not of the run": (BANDIT, {"draw_uniforms": luck_of_the_lane}),
    "luck used again at the next step": (BANDIT, {"draw_uniforms": the_same_luck_at_every_step}),
    "a choice at a cut with the luck of a step": (SARSA, {"CUT": STEP}),
    "no bootstrap at a cut: sarsa": (SARSA, {"look_beyond_cuts": no_look_beyond}),
    "no bootstrap at a cut: expected sarsa": (EXPECTED, {"look_beyond_cuts": no_look_beyond}),
    "the first of the best": (Q, {"pick": first_of_ties}),
    "visits not counted": (EXPECTED, {"count": lambda *asked: None}),
}


def changed(case, found):
    """Return whether a lane has other bits than it should."""
    return any(expected_bits(case)[lane] != lane_bits for lane, lane_bits in found.items())


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_changes_the_bits(fault):
    name, hooks = FAULTS[fault]
    lanes = [lane for lane in lanes_of() if lane[1] > 0]  # without number 0: a lane is not a run
    block = block_of(case_of(name).setups, lanes)
    found = bits(block.play(linked(block.kind, hooks)))
    assert changed(case_of(name), found)


def test_a_hook_that_does_the_right_thing_changes_nothing():
    right = {"draw_uniforms": stages.draw_uniforms, "weigh_lanes": stages.boltzmann, "pick": stages.pick}
    for name in (BANDIT, GRADIENT, SARSA):
        assert interpreted(case_of(name), **right) == expected_bits(case_of(name))


def test_a_cut_that_is_taken_for_an_end_changes_the_bits():
    case = case_of(Q)
    learn = linked(case.setups[0].kind, {}).__globals__["learn_lanes"]

    def learn_lanes(game, row):
        game.out.terminated[:] |= game.out.ended
        learn(game, row)

    assert changed(case, interpreted(case, learn_lanes=learn_lanes))


def test_sums_that_are_added_window_by_window_change_the_bits():
    case = case_of(BANDIT)
    block = block_of(case.setups, lanes_of(), window=7)
    kernel = linked(block.kind, {})

    def by_windows(game):
        before = game.record.copy()
        game.record[:] = 0.0
        kernel(game)
        game.record[:] += before

    assert changed(case, bits(block.play(by_windows)))


def test_another_kernel_changes_the_bits():
    """What a mixed-up kernel cache would do, without any error: the loop of another policy."""
    block = block_of(case_of(Q).setups, lanes_of())
    other = cases.setup_of(cases.QLearning(), cases.Greedy(), cases.CHAIN)
    assert changed(case_of(Q), bits(block.play(linked(other.kind, {}))))
