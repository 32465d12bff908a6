"""The last n steps, waiting for their returns: shared by the n-step agents.

`past` [n, 2] holds states and actions, `gain` and `discount` [n] the discounted rewards since then and the discount of
what comes next, `held` [1] how many steps wait, oldest first.
"""

import numpy as np


def past_memory(n):
    """Return the arrays of n steps, none of which waits."""
    return {
        "past": np.zeros((n, 2), np.int64),
        "gain": np.zeros(n),
        "discount": np.zeros(n),
        "held": np.zeros(1, np.int64),
    }


def remember(past, gain, discount, held, state, action, reward, gamma):
    """Let a step wait, and give its reward to all that wait."""
    last = held[0]
    past[last, 0], past[last, 1], gain[last], discount[last] = state, action, 0.0, 1.0
    held[0] = last + 1
    for i in range(last + 1):
        gain[i] += discount[i] * reward
        discount[i] *= gamma


def settle(value, past, gain, discount, held, alpha, ahead, ended):
    """Move the value of the oldest step towards its return if all n wait; of all of them at the end of an episode.

    ahead: what the state that was reached is worth.
    """
    full = held[0] == gain.size
    for i in range(held[0] if ended else (1 if full else 0)):
        s, a = past[i, 0], past[i, 1]
        value[s, a] += alpha * (gain[i] + discount[i] * ahead - value[s, a])
    if ended:
        held[0] = 0
    elif full:
        for i in range(1, gain.size):
            past[i - 1, 0], past[i - 1, 1], gain[i - 1], discount[i - 1] = past[i, 0], past[i, 1], gain[i], discount[i]
        held[0] -= 1
