"""Loops over lanes. A lane is the place of one run; the innermost loop of a stage walks contiguous lanes.

Only this file knows that many runs are played side by side. Keep a stage small: one row per array per loop,
separate inputs and outputs; then the compiler turns it into vector instructions. No numba here: the linker compiles.
"""

from typing import Any

import numpy as np

from rlsoftmax.numeric import decay, normal, random_words, unit

Lanes = Any  # [lane]
Rows = Any  # [action, lane]


def draw_uniforms(seed: int, run: Lanes, step: int, purpose: int, first: Lanes, second: Lanes) -> None:
    """Fill two uniforms per lane: a pure function of (seed, run, step, purpose)."""
    for l in range(first.size):
        x, y = random_words(seed, run[l], step, purpose)
        first[l] = unit(x)
        second[l] = unit(y)


def to_normals(uniforms: Lanes, normals: Lanes) -> None:
    """Turn each uniform into a standard normal."""
    for l in range(normals.size):
        normals[l] = normal(uniforms[l])


def gather(table: Any, shift: int, state: Lanes, rows: Rows) -> None:
    """Fill rows[k, l] = table[shift + l, state[l], k]."""
    actions, lanes = rows.shape
    for l in range(lanes):
        for k in range(actions):
            rows[k, l] = table[shift + l, state[l], k]


def boltzmann(values: Rows, temperature: Lanes, weights: Rows, total: Lanes, best: Lanes, scale: Lanes) -> None:
    """Fill weights = exp((value - best) / temperature) and their sum, which is >= 1; nothing overflows.

    Subtracting first makes temperature 0 (all maximisers weigh 1), infinity (all allowed weigh 1) and the value
    -infinity (an action that is not allowed weighs 0) come out exact. The scale is kept within [1e-300, 1e300], so
    that a gap of 0 stays 0 and an infinite gap stays infinite.
    """
    actions, lanes = weights.shape
    for l in range(lanes):
        best[l] = values[0, l]
        total[l] = 0.0
        scale[l] = min(max(1.0 / (temperature[l] + 0.0), 1e-300), 1e300)  # -0.0 + 0.0 is 0.0
    for k in range(1, actions):
        for l in range(lanes):
            best[l] = max(best[l], values[k, l])
    for k in range(actions):
        for l in range(lanes):
            weight = decay((values[k, l] - best[l]) * scale[l])
            weights[k, l] = weight
            total[l] += weight


def add_up(weights: Rows, total: Lanes) -> None:
    """Fill the sum over actions, in the order in which `pick` scans."""
    actions, lanes = weights.shape
    for l in range(lanes):
        total[l] = 0.0
    for k in range(actions):
        for l in range(lanes):
            total[l] += weights[k, l]


def pick(weights: Rows, total: Lanes, uniforms: Lanes, threshold: Lanes, running: Lanes, action: Lanes) -> None:
    """Draw by inverse CDF. Same order of summation as `total`: an action of weight zero is never drawn."""
    actions, lanes = weights.shape
    for l in range(lanes):
        threshold[l] = uniforms[l] * total[l]
        running[l] = 0.0
        action[l] = 0
    for k in range(actions - 1):
        for l in range(lanes):
            below = running[l] + weights[k, l]
            running[l] = below
            action[l] += 1 if threshold[l] >= below else 0


def normalise(weights: Rows, total: Lanes, probabilities: Rows) -> None:
    """Fill probabilities = weights / total."""
    actions, lanes = weights.shape
    for k in range(actions):
        for l in range(lanes):
            probabilities[k, l] = weights[k, l] / total[l]


def forbid(allowed: Any, state: Lanes, rows: Rows, nothing: float) -> None:
    """Write `nothing` where an action is not allowed: -infinity for values, 0 for weights."""
    actions, lanes = rows.shape
    for l in range(lanes):
        for k in range(actions):
            if not allowed[state[l], k]:
                rows[k, l] = nothing


def accumulate(sums: Lanes, numbers: Lanes) -> None:
    """Add each lane's number to its sum: one lane, one order in time, the same bits for any block."""
    for l in range(sums.size):
        sums[l] += numbers[l]


def count_optimal(regret: Lanes, sums: Lanes) -> None:
    """Count the pulls of an arm whose mean equals the best mean."""
    for l in range(sums.size):
        sums[l] += 1.0 if regret[l] <= 0.0 else 0.0


def copy(source: Lanes, target: Lanes) -> None:
    """Copy one number per lane."""
    for l in range(target.size):
        target[l] = source[l]


def copy_rows(source: Any, target: Any) -> None:
    """Copy a matrix."""
    rows, width = target.shape
    for l in range(rows):
        for i in range(width):
            target[l, i] = source[l, i]


def boltzmann_weights(values: Any, temperature: float) -> Any:
    """Return the weights of one row of values, by the very stage that the loop uses."""
    row = np.asarray(values, dtype=np.float64)[:, None]
    weights, lane = np.empty_like(row), np.empty(1)
    with np.errstate(all="ignore"):
        boltzmann(row, np.full(1, temperature), weights, lane, lane.copy(), lane.copy())
    return weights[:, 0]
