"""The mean of all rewards seen."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import Bound
from rlsoftmax.contracts import Agent


class SampleAverage(Agent):
    """Estimate each action by the mean of its n rewards: value += (reward - value) / n.

    `initial` is what is believed before the first one, and nothing afterwards.

    Source: Sutton and Barto (2018), equation 2.3.

    >>> value, visits = np.zeros((1, 2)), np.array([[2.0, 0.0]])
    >>> SampleAverage().learn(value, visits, 0, 0, 1.0)
    >>> value
    array([[0.5, 0. ]])
    """

    initial: Annotated[float, Bound(), "reward units"] = 0.0

    def memory(self, states, actions):
        return {"value": np.full((states, actions), self.initial)}

    def learn(self, value, visits, state, action, reward):
        value[state, action] += (reward - value[state, action]) / visits[state, action]
