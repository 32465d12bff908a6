"""Sampling beliefs about normal rewards."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import POSITIVE, Bound
from rlsoftmax.contracts import Policy


class Thompson(Policy):
    """Draw a mean for every action from what is believed of it, and choose the highest.

    The mean of an action is believed to be N(m, 1 / p): before the first reward m = mean and p = 1 / spread^2; each
    reward adds 1 / noise^2 to p. The policy learns this by itself; the agent's values only say what is allowed.

    Source: Thompson (1933); Russo et al. (2018), section 3, for normal rewards.

    >>> belief, precision, deviation = np.zeros((1, 2)), np.ones((1, 2)), np.ones((1, 2))
    >>> Thompson(noise=1.0).observe(belief, precision, deviation, 0, 1, 3.0)
    >>> belief, precision, deviation.round(3)
    (array([[0. , 1.5]]), array([[1., 2.]]), array([[1.   , 0.707]]))
    """

    mean: Annotated[float, Bound(), "reward units"] = 0.0
    spread: Annotated[float, POSITIVE, "reward units"] = 1.0
    noise: Annotated[float, POSITIVE, "reward units"] = 1.0

    def memory(self, states, actions):
        precision = np.full((states, actions), 1.0 / (self.spread * self.spread))
        belief = np.full((states, actions), self.mean)
        return {"belief": belief, "precision": precision, "deviation": 1.0 / np.sqrt(precision)}

    def choose(self, values, belief, deviation, state, normals):
        best, action = -np.inf, 0
        for k in range(values.size):
            sample = belief[state, k] + deviation[state, k] * normals[k]
            if values[k] > -np.inf and sample > best:
                best, action = sample, k
        return action

    def observe(self, belief, precision, deviation, state, action, reward):
        gained = 1.0 / (self.noise * self.noise)
        precision[state, action] += gained
        deviation[state, action] = 1.0 / np.sqrt(precision[state, action])  # here once, not for every choice
        belief[state, action] += gained / precision[state, action] * (reward - belief[state, action])
