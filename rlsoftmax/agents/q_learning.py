"""Learning the value of acting greedily, whatever is done."""

from typing import Annotated

import numpy as np

from rlsoftmax.agents._steps import StepSize, share, without
from rlsoftmax.component import Bound, Share
from rlsoftmax.contracts import Agent, highest


class QLearning(Agent):
    """Move value(s, a) towards reward + gamma max value(s').

    With `step_size: visits` the step size is 1 / visits of (s, a), this one included, instead of alpha.

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
    step_size: StepSize = StepSize.FIXED

    @property
    def absent(self):
        return without(self.step_size)

    def memory(self, states, actions):
        return {"value": np.full((states, actions), self.initial)}

    def learn(self, value, state, action, reward, next_state, terminated, visits=None):
        target = reward if terminated else reward + self.gamma * highest(value[next_state])
        step = share(self.step_size, self.alpha, visits, state, action)
        value[state, action] += step * (target - value[state, action])
