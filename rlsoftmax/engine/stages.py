"""Loops over lanes. A lane is the place of one run; the innermost loop of a stage walks contiguous lanes.

Only this file knows that many runs are played side by side. Keep a stage small: one row per array per loop,
separate inputs and outputs; then the compiler turns it into vector instructions. No numba here: the linker compiles.
"""

from typing import Any

import numpy as np

from rlsoftmax.contracts import from_front
from rlsoftmax.numeric import decay, gumbel, log, normal, plain_log, random_words, two_normals, unit

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


def to_gumbels(uniforms: Lanes, gumbels: Lanes) -> None:
    """Turn each uniform into a standard Gumbel number."""
    for l in range(gumbels.size):
        gumbels[l] = gumbel(uniforms[l])


def draw_rows(seed: int, run: Lanes, step: int, purpose: int, rows: Rows, first: Lanes, second: Lanes) -> None:
    """Draw one number per action and lane, two rows at a time; `shaped` is linked: it gives uniforms their law."""
    for k in range(0, rows.shape[0], 2):
        draw_uniforms(seed, run, step, purpose + k, first, second)
        shaped(first, rows[k])  # type: ignore[name-defined]  # noqa: F821
        if k + 1 < rows.shape[0]:
            shaped(second, rows[k + 1])  # type: ignore[name-defined]  # noqa: F821


def draw_normals(seed: int, run: Lanes, step: int, purpose: int, rows: Rows, first: Lanes, second: Lanes) -> None:
    """Draw one standard normal per action and lane, four rows at a time: a uniform gives two."""
    for k in range(0, rows.shape[0], 4):
        draw_uniforms(seed, run, step, purpose + k, first, second)
        fill_two_rows(first, rows, k)
        if k + 2 < rows.shape[0]:
            fill_two_rows(second, rows, k + 2)


def fill_two_rows(uniforms: Lanes, rows: Rows, k: int) -> None:
    """Turn each uniform into the normals of actions k and k + 1; where k is the last action, into its own."""
    if k + 1 == rows.shape[0]:
        to_normals(uniforms, rows[k])
    else:
        one, two = rows[k], rows[k + 1]
        for l in range(uniforms.size):
            one[l], two[l] = two_normals(uniforms[l])


def draw_nothing(seed: int, run: Lanes, step: int, purpose: int, rows: None, first: Lanes, second: Lanes) -> None:
    """Stand in for draw_rows where no rule asks."""


def gather(table: Any, shift: int, state: Lanes, rows: Rows) -> None:
    """Fill rows[k, l] = table[shift + l, state[l], k], up to four rows in one walk over the lanes."""
    actions = rows.shape[0]
    k = actions & ~3
    for four in range(0, k, 4):
        gather_four(table, shift, state, four, rows[four], rows[four + 1], rows[four + 2], rows[four + 3])
    if actions & 2:
        gather_two(table, shift, state, k, rows[k], rows[k + 1])
    if actions & 1:
        gather_one(table, shift, state, actions - 1, rows[actions - 1])


def gather_four(table: Any, shift: int, state: Lanes, k: int, a: Lanes, b: Lanes, c: Lanes, d: Lanes) -> None:
    """Fill four rows; spelt out, it takes half as long as a loop over them."""
    for l in range(state.size):
        row = table[from_front(shift + l), from_front(state[l])]
        a[l] = row[k]
        b[l] = row[k + 1]
        c[l] = row[k + 2]
        d[l] = row[k + 3]


def gather_two(table: Any, shift: int, state: Lanes, k: int, a: Lanes, b: Lanes) -> None:
    """Fill two rows."""
    for l in range(state.size):
        row = table[from_front(shift + l), from_front(state[l])]
        a[l] = row[k]
        b[l] = row[k + 1]


def gather_one(table: Any, shift: int, state: Lanes, k: int, a: Lanes) -> None:
    """Fill one row."""
    for l in range(state.size):
        a[l] = table[from_front(shift + l), from_front(state[l]), k]


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
        scale[l] = min(max(1.0 / (temperature[l] + 0.0), 1e-300), 1e300)  # + 0.0: a minus zero is a zero
    for k in range(1, actions):
        for l in range(lanes):
            best[l] = max(best[l], values[k, l])
    for k in range(actions):
        for l in range(lanes):
            weight = decay((values[k, l] - best[l]) * scale[l])
            weights[k, l] = weight
            total[l] += weight


def soft_maximum(values: Rows, temperature: Lanes, weights: Rows, total: Lanes, worth: Lanes, scale: Lanes) -> None:
    """Fill worth = temperature ln(sum of exp(value / temperature)): the highest value at temperature 0."""
    boltzmann(values, temperature, weights, total, worth, scale)
    for l in range(worth.size):
        worth[l] += temperature[l] * plain_log(total[l])


def soft_mean(values: Rows, temperature: Lanes, weights: Rows, total: Lanes, worth: Lanes, allowed: Lanes) -> None:
    """Fill worth = temperature ln(mean of exp(value / temperature)), the mellowmax, over what is allowed."""
    boltzmann(values, temperature, weights, total, worth, allowed)
    actions, lanes = values.shape
    for l in range(lanes):
        allowed[l] = 0.0
    for k in range(actions):
        for l in range(lanes):
            allowed[l] += 1.0 if values[k, l] > -np.inf else 0.0
    for l in range(lanes):
        worth[l] += temperature[l] * plain_log(total[l] / allowed[l])


def highest(values: Rows, temperature: Lanes, weights: Rows, total: Lanes, best: Lanes, scale: Lanes) -> None:
    """Fill weights = 1 for the highest values, 0 for the others, and their sum."""
    actions, lanes = weights.shape
    for l in range(lanes):
        best[l] = values[0, l]
        total[l] = 0.0
    for k in range(1, actions):
        for l in range(lanes):
            best[l] = max(best[l], values[k, l])
    for k in range(actions):
        for l in range(lanes):
            weight = 1.0 if values[k, l] == best[l] else 0.0
            weights[k, l] = weight
            total[l] += weight


def mellowmax(values: Rows, temperature: Lanes, weights: Rows, total: Lanes, best: Lanes, scale: Lanes) -> None:
    """Fill weights = exp(beta (value - best)), where beta makes the mean value of the policy the mellowmax.

    beta solves P = N with P = sum of exp(beta d) d over d > 0, N the same of |d| over d < 0, d = value - mellowmax. The
    difference of their logarithms is increasing and nearly linear in beta, so that Newton's method from 0 needs about
    four steps. A lane that is done keeps -beta: how long others take changes nothing.
    """
    boltzmann(values, temperature, weights, total, best, scale)
    if values.shape[0] == 1:
        return
    begin_leaning(values, weights, total, best, scale)
    few, done = values.shape[0] < 4, False
    while not done:
        done = lean_few(values, total, best, scale) if few else lean_many(values, weights, total, best, scale)
    weigh_gaps(values, weights, total, best, scale)


def begin_leaning(values: Rows, room: Rows, total: Lanes, best: Lanes, scale: Lanes) -> None:
    """Turn `total` into mellowmax - best, and omega into the first beta, final where it is greedy or uniform."""
    actions, lanes = values.shape
    for l in range(lanes):
        room[0, l] = 0.0  # how many actions are allowed
        room[1, l] = best[l]  # the lowest value of them
    for k in range(actions):
        for l in range(lanes):
            room[0, l] += 1.0 if values[k, l] > -np.inf else 0.0
            room[1, l] = min(room[1, l], values[k, l] if values[k, l] > -np.inf else best[l])
    for l in range(lanes):
        omega, uniform = scale[l], (best[l] - room[1, l]) * scale[l] < 6e-6  # where beta = omega / 2 to 1e-11
        total[l] = log(total[l] / room[0, l]) / omega
        scale[l] = -omega if omega >= 1e300 else (-0.5 * omega if uniform else 0.0)


def lean_many(values: Rows, room: Rows, shift: Lanes, best: Lanes, scale: Lanes) -> bool:
    """Take one Newton step in every lane; return whether all are done. Four rows of `room` hold the sums."""
    actions, lanes = values.shape
    for i in range(4):
        for l in range(lanes):
            room[i, l] = 0.0
    for k in range(actions):
        for l in range(lanes):
            d, pull = leaning(values[k, l] - best[l], shift[l], scale[l])
            room[0, l] += pull if d > 0.0 else 0.0
            room[1, l] += pull * d if d > 0.0 else 0.0
            room[2, l] += 0.0 if d > 0.0 else pull
            room[3, l] -= 0.0 if d > 0.0 else pull * d
    working = 0
    for l in range(lanes):
        scale[l] = leant(scale[l], room[0, l], room[1, l], room[2, l], room[3, l])
        working += 1 if scale[l] >= 0.0 else 0
    return working == 0


def lean_few(values: Rows, shift: Lanes, best: Lanes, scale: Lanes) -> bool:
    """The same without room, for so few actions that there are not four rows."""
    working = 0
    for l in range(scale.size):
        above, steep_above, below, steep_below = 0.0, 0.0, 0.0, 0.0
        for k in range(values.shape[0]):
            d, pull = leaning(values[k, l] - best[l], shift[l], scale[l])
            if d > 0.0:
                above, steep_above = above + pull, steep_above + pull * d
            else:
                below, steep_below = below + pull, steep_below - pull * d
        scale[l] = leant(scale[l], above, steep_above, below, steep_below)
        working += 1 if scale[l] >= 0.0 else 0
    return working == 0


def leaning(gap: float, shift: float, beta: float) -> tuple[float, float]:
    """Return d and exp(beta d) |d|; both 0 for an action that is not allowed."""
    d = gap - shift if gap > -np.inf else 0.0
    return d, decay(min(abs(beta) * d, 700.0)) * abs(d)


def leant(beta: float, above: float, steep_above: float, below: float, steep_below: float) -> float:
    """Return beta after one step, or -beta if the step was so small that the next one would not count."""
    above, below = (above, below) if beta >= 0.0 else (1.0, 1.0)  # done: the sums may be 0
    error = log(above) - log(below)
    step = error / (steep_above / above + steep_below / below)
    following = max(beta - step, 0.0)
    following = -following if abs(error) < 1e-6 else following
    return following if beta >= 0.0 else beta


def weigh_gaps(values: Rows, weights: Rows, total: Lanes, best: Lanes, scale: Lanes) -> None:
    """Fill weights = exp(-|scale| (best - value)) and their sum."""
    actions, lanes = weights.shape
    for l in range(lanes):
        total[l] = 0.0
    for k in range(actions):
        for l in range(lanes):
            weight = decay((values[k, l] - best[l]) * abs(scale[l]))
            weights[k, l] = weight
            total[l] += weight


def tsallis(values: Rows, total: Lanes, slope: Lanes, shift: Lanes) -> None:
    """Turn gaps (>= 0, that of the best action is 0) into ln p, p = 1 / (gap + u)^2, where u makes them sum to one.

    Newton's method for sum^(-1/2) = 1, which is concave in u and nearly straight, so that every step from u = 1 leads
    up, and never too far. A lane that is done keeps -u: how long others take changes nothing.
    """
    actions, lanes = values.shape
    for l in range(lanes):
        shift[l] = 1.0
    working = lanes
    while working > 0:
        add_up_inverses(values, total, slope, shift)
        working = 0
        for l in range(lanes):
            step = total[l] * (np.sqrt(total[l]) - 1.0) / slope[l]
            u = shift[l] + max(step, 0.0)
            u = -u if step <= 1e-8 * u else u  # the next step would be its square
            shift[l] = u if shift[l] > 0.0 else shift[l]
            working += 1 if shift[l] > 0.0 else 0
    for k in range(actions):
        for l in range(lanes):
            values[k, l] = -2.0 * log(values[k, l] - shift[l])


def add_up_inverses(values: Rows, squares: Lanes, cubes: Lanes, shift: Lanes) -> None:
    """Fill the sums over actions of 1 / (value + |shift|)^2, and of the same cubed."""
    actions, lanes = values.shape
    for l in range(lanes):
        squares[l] = 0.0
        cubes[l] = 0.0
    for k in range(actions):
        for l in range(lanes):
            inverse = 1.0 / (values[k, l] + abs(shift[l]))
            squares[l] += inverse * inverse
            cubes[l] += inverse * inverse * inverse


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
    for k in range(0, actions - 2, 2):  # two actions in one walk over the lanes
        one, two = weights[k], weights[k + 1]
        for l in range(lanes):
            below_one = running[l] + one[l]
            below_two = below_one + two[l]
            running[l] = below_two
            action[l] += (1 if threshold[l] >= below_one else 0) + (1 if threshold[l] >= below_two else 0)
    if actions % 2 == 0:
        last = weights[actions - 2]
        for l in range(lanes):
            action[l] += 1 if threshold[l] >= running[l] + last[l] else 0


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
            if not allowed[from_front(state[l]), k]:
                rows[k, l] = nothing


def tally(reward: Lanes, terminated: Lanes, limit: int, age: Lanes, gain: Lanes, ended: Lanes) -> None:
    """Count a step of each lane's episode and what it paid; note which episodes are over."""
    for l in range(age.size):
        age[l] += 1
        gain[l] += reward[l]
        ended[l] = terminated[l] | (age[l] >= limit)


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
