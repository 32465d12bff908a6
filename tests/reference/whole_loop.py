"""One run of the whole loop, from the books, on plain lists; only luck comes from the library.

What stands in it is in rules.py. Written for the eye, not for speed: compare rlsoftmax/engine/loop.py.
"""

import numpy as np

from rlsoftmax.numeric import BEGIN, CUT, STEP, random_words, unit


def play(world, memory, learn, ahead, policy, tau, luck, steps, bins):
    """Play one run; return the visits and the sums of each bin. `ahead`: the agent learns from the next choice.

    memory: lists, changed in place; the policy ranks memory[0][state].
    """
    visits = [[0.0] * world.actions for _ in range(world.states)]
    record = {name: [0.0] * (len(bins) - 1) for name in world.records}
    state, action, age, gain, b = world.start(luck(0, BEGIN)[0]), None, 0, 0.0, 0

    def choose(step, there, chance):
        temperature = tau(step, visits[there])
        weights = policy(memory[0][there], temperature, visits[there])
        total = added(weights)
        return draw(weights, chance * total), [weight / total for weight in weights]

    for step in range(steps):
        b += step == bins[b + 1]
        if action is None or not ahead:
            action, probabilities = choose(step, state, luck(step, STEP)[0])
        for name, number in world.regrets(action):
            record[name][b] += number
        there, reward, terminated = world.move(state, action, luck(step, STEP)[1])
        visits[state][action] += 1.0
        age, gain = age + 1, gain + reward
        ended = terminated or age == world.limit
        resume = world.start(luck(step + 1, BEGIN)[0]) if ended else there
        if ended and "episodes" in record:
            told = {"episodes": 1.0, "return": gain, "length": age, "success": terminated}
            for name in told.keys() & record.keys():
                record[name][b] += told[name]
        if ended:
            age, gain = 0, 0.0
        following = looked_at = choose(step + 1, resume, luck(step + 1, STEP)[0]) if ahead else (None, probabilities)
        if ahead and ended and not terminated:  # the target looks at the state in which the episode was cut
            looked_at = choose(step + 1, there, luck(step, CUT)[0])
        learn(memory, visits, state, action, reward, there, terminated, *looked_at)
        record["reward"][b] += reward
        state, action = resume, following[0]
    return visits, record


def added(numbers):
    """Return the sum from left to right; `sum` compensates since Python 3.12."""
    total = 0.0
    for number in numbers:
        total += number
    return total


def draw(weights, threshold):
    """Return the first action whose cumulative weight is above the threshold."""
    below, action = 0.0, 0
    for weight in weights[:-1]:
        below += weight
        action += threshold >= below
    return action


def luck_of(seed, run):
    """Return the two uniforms of (step, purpose) of a run."""

    def luck(step, purpose):
        with np.errstate(over="ignore"):
            return [float(unit(word)) for word in random_words(seed, run, step, purpose)]

    return luck
