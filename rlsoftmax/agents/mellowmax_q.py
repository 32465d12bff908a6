"""Q-learning with a softer maximum."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import POSITIVE, Bound, Share
from rlsoftmax.contracts import Agent, highest
from rlsoftmax.numeric import decay, plain_log


class MellowmaxQ(Agent):
    """Move value(s, a) towards reward + gamma mellowmax(value(s', .)), where

        mellowmax = ln(mean of exp(omega value)) / omega

    lies between the mean (omega -> 0) and the maximum (omega -> infinity), and is a non-expansion, which the Boltzmann
    mean is not.

    Source: Asadi and Littman (2017), equation 1.

    >>> value = np.array([[0.0, 0.0], [1.0, 1.0]])
    >>> MellowmaxQ(alpha=1.0, gamma=1.0).learn(value, 0, 1, 1.0, 1, False)
    >>> value
    array([[0., 2.],
           [1., 1.]])
    """

    alpha: Share = 0.1
    gamma: Share = 0.99
    omega: Annotated[float, POSITIVE, "per reward unit"] = 5.0
    initial: Annotated[float, Bound(), "reward units"] = 0.0

    def memory(self, states, actions):
        return {"value": np.full((states, actions), self.initial)}

    def learn(self, value, state, action, reward, next_state, terminated):
        target = reward if terminated else reward + self.gamma * mellow(value[next_state], self.omega)
        value[state, action] += self.alpha * (target - value[state, action])


def mellow(row, omega):
    """Return the mellowmax of the allowed entries of a row."""
    best, total, allowed = highest(row), 0.0, 0.0
    for k in range(row.size):
        total += decay(omega * (row[k] - best))
        allowed += 1.0 if row[k] > -np.inf else 0.0
    return best + plain_log(total / allowed) / omega
