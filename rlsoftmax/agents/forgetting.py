"""What is not chosen is forgotten."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import Bound, Share
from rlsoftmax.contracts import Agent, highest


class Forgetting(Agent):
    """Move value(s, a) towards reward + gamma max value(s'), and those of the other actions of s towards `initial`:

        value(s, k) += forget (initial - value(s, k)) for k not a.

    Source: Barraclough, Conroy and Lee (2004); Ito and Doya (2009), the F-Q model.

    >>> value = np.array([[1.0, 0.0]])
    >>> Forgetting(alpha=0.5, forget=0.25).learn(value, 0, 1, 1.0, 0, True)
    >>> value
    array([[0.75, 0.5 ]])
    """

    alpha: Share = 0.1
    forget: Share = 0.1
    gamma: Share = 0.99
    initial: Annotated[float, Bound(), "reward units"] = 0.0

    def memory(self, states, actions):
        return {"value": np.full((states, actions), self.initial)}

    def learn(self, value, state, action, reward, next_state, terminated):
        target = reward if terminated else reward + self.gamma * highest(value[next_state])
        for k in range(value.shape[1]):
            if k == action:
                value[state, k] += self.alpha * (target - value[state, k])
            elif value[state, k] > -np.inf:  # what is not allowed stays so
                value[state, k] += self.forget * (self.initial - value[state, k])
