"""Learning the value of acting greedily, whatever is done."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import Bound, Share
from rlsoftmax.contracts import Agent, highest


class QLearning(Agent):
    """Move value(s, a) towards reward + gamma max value(s').

    Source: Watkins (1989); Sutton and Barto (2018), equation 6.8.

    >>> value = np.array([[0.0, 0.0], [1.0, 3.0]])
    >>> QLearning(alpha=0.5, gamma=1.0).learn(value, 0, 1, 1.0, 1, False)
    >>> value
    array([[0., 2.],
           [1., 3.]])
    """

    alpha: Share = 0.1
    gamma: Share = 0.99
    initial: Annotated[float, Bound(), "reward units"] = 0.0

    def memory(self, states, actions):
        return {"value": np.full((states, actions), self.initial)}

    def learn(self, value, state, action, reward, next_state, terminated):
        target = reward if terminated else reward + self.gamma * highest(value[next_state])
        value[state, action] += self.alpha * (target - value[state, action])
