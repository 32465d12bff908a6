"""Learning the value of what is really done."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import Bound, Share
from rlsoftmax.contracts import Agent


class Sarsa(Agent):
    """Move value(s, a) towards reward + gamma value(s', a'), where a' is the action that is then executed.

    Source: Rummery and Niranjan (1994); Sutton and Barto (2018), equation 6.7.

    >>> value = np.array([[0.0, 0.0], [1.0, 3.0]])
    >>> Sarsa(alpha=0.5, gamma=1.0).learn(value, 0, 1, 1.0, 1, 0, False)
    >>> value
    array([[0., 1.],
           [1., 3.]])
    """

    alpha: Share = 0.1
    gamma: Share = 0.99
    initial: Annotated[float, Bound(), "reward units"] = 0.0

    def memory(self, states, actions):
        return {"value": np.full((states, actions), self.initial)}

    def learn(self, value, state, action, reward, next_state, next_action, terminated):
        target = reward if terminated else reward + self.gamma * value[next_state, next_action]
        value[state, action] += self.alpha * (target - value[state, action])
