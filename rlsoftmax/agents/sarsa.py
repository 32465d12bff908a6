"""Learning the value of what is really done."""

from typing import Annotated

import numpy as np

from rlsoftmax.agents._steps import StepSize, share, without
from rlsoftmax.component import Bound, Share
from rlsoftmax.contracts import Agent


class Sarsa(Agent):
    """Move value(s, a) towards reward + gamma value(s', a'), where a' is the action that is then executed.

    With `step_size: visits` the step size is 1 / visits of (s, a), this one included, instead of alpha.

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
    step_size: StepSize = StepSize.FIXED

    @property
    def absent(self):
        return without(self.step_size)

    def memory(self, states, actions):
        return {"value": np.full((states, actions), self.initial)}

    def learn(self, value, state, action, reward, next_state, next_action, terminated, visits=None):
        target = reward if terminated else reward + self.gamma * value[next_state, next_action]
        step = share(self.step_size, self.alpha, visits, state, action)
        value[state, action] += step * (target - value[state, action])
