"""Q-learning with a softer maximum."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import POSITIVE, Bound, Share
from rlsoftmax.contracts import Agent
from rlsoftmax.engine.stages import soft_mean


class MellowmaxQ(Agent):
    """Move value(s, a) towards reward + gamma mellowmax(value(s', .)), where

        mellowmax = ln(mean of exp(omega value)) / omega

    lies between the mean (omega -> 0) and the maximum (omega -> infinity), and is a non-expansion, which the Boltzmann
    mean is not.

    Source: Asadi and Littman (2017), equation 1.

    >>> value = np.array([[0.0, 0.0], [1.0, 1.0]])
    >>> MellowmaxQ(alpha=1.0, gamma=1.0).learn(value, 0, 1, 1.0, False, 1.0)  # the mellowmax of equal values
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

    worth_lanes = staticmethod(soft_mean)

    def softness(self):
        return 1.0 / self.omega

    def learn(self, value, state, action, reward, terminated, next_worth):
        target = reward if terminated else reward + self.gamma * next_worth
        value[state, action] += self.alpha * (target - value[state, action])
