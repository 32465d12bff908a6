"""A mean that forgets."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import Bound, Share
from rlsoftmax.contracts import Agent


class ConstantStep(Agent):
    """Estimate each action by a mean of its rewards in which recent ones weigh more: value += alpha (reward - value).

    Source: Sutton and Barto (2018), equation 2.5.

    >>> value = np.zeros((1, 2))
    >>> ConstantStep(alpha=0.5).learn(value, 0, 1, 3.0)
    >>> value
    array([[0. , 1.5]])
    """

    alpha: Share = 0.1
    initial: Annotated[float, Bound(), "reward units"] = 0.0

    def memory(self, states, actions):
        return {"value": np.full((states, actions), self.initial)}

    def learn(self, value, state, action, reward):
        value[state, action] += self.alpha * (reward - value[state, action])
