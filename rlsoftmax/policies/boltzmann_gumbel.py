"""Boltzmann exploration whose temperature belongs to the action."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import NONNEGATIVE
from rlsoftmax.contracts import Policy


class BoltzmannGumbel(Policy):
    """Choose the highest value + c / sqrt(n) Gumbel noise, n: how often the action was chosen in this state.

    Actions never chosen come first, in random order (their noise is infinite). Each action has its own temperature
    c / sqrt(n), so the chances have no formula.

    Source: Cesa-Bianchi, Gentile, Lugosi and Neu (2017), section 4 (there c^2 = 1/4 suits rewards in [0, 1]).

    >>> visits, rarity = np.array([[3.0, 0.0, 9.0]]), np.ones((1, 3))
    >>> BoltzmannGumbel().choose(np.array([9.0, 0.0, 9.0]), visits, rarity, 0, 0.5, np.zeros(3))
    1
    """

    c: Annotated[float, NONNEGATIVE, "reward units"] = 0.5

    def memory(self, states, actions):
        return {"rarity": np.ones((states, actions))}

    def choose(self, values, visits, rarity, state, uniform, gumbels):
        best, action, untried = -np.inf, 0, 0
        for k in range(values.size):
            untried += 1 if visits[state, k] == 0.0 and values[k] > -np.inf else 0
            noisy = values[k] + self.c * rarity[state, k] * gumbels[k]
            action = k if noisy > best else action
            best = max(best, noisy)
        return action if untried == 0 else untried_action(values, visits[state], np.floor(uniform * untried))

    def observe(self, visits, rarity, state, action):
        rarity[state, action] = 1.0 / np.sqrt(visits[state, action])  # here once, not for every choice


def untried_action(values, tried, place):
    """Return the allowed action never tried that has `place` others of its kind before it."""
    action = -1
    for k in range(values.size):
        if tried[k] == 0.0 and values[k] > -np.inf:
            action = k if place >= 0.0 else action
            place -= 1.0
    return action
