"""Good surprises and bad ones count differently."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import Bound, Share
from rlsoftmax.contracts import Agent, highest


class DualRate(Agent):
    """Move value(s, a) by alpha_good times the error where it is positive, by alpha_bad times it where it is not.

    The error is reward + gamma max value(s') - value(s, a). Equal rates make it Q-learning.

    Source: Daw, Kakade and Dayan (2002); Frank et al. (2007); Lefebvre et al. (2017).

    >>> value = np.array([[0.0, 0.0]])
    >>> DualRate(alpha_good=0.5).learn(value, 0, 1, 1.0, 0, True)
    >>> value
    array([[0. , 0.5]])
    """

    alpha_good: Share = 0.2
    alpha_bad: Share = 0.1
    gamma: Share = 0.99
    initial: Annotated[float, Bound(), "reward units"] = 0.0

    def memory(self, states, actions):
        return {"value": np.full((states, actions), self.initial)}

    def learn(self, value, state, action, reward, next_state, terminated):
        target = reward if terminated else reward + self.gamma * highest(value[next_state])
        error = target - value[state, action]
        value[state, action] += (self.alpha_good if error > 0.0 else self.alpha_bad) * error
