"""Learning the value of acting softly for ever."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import Bound, Share
from rlsoftmax.contracts import Agent
from rlsoftmax.engine.stages import soft_maximum


class SoftQ(Agent):
    """Move value(s, a) towards reward + gamma V(s'), where V = temperature ln(sum of exp(value(s', .) / temperature)).

    The entropy of the policy is part of the reward here: for constant temperature the values are those of the best
    entropy-regularised policy, larger than the rewards alone by up to temperature ln K / (1 - gamma). The temperature
    is that of the next step, and must be finite; 0 makes it Q-learning.

    Source: Ziebart (2010); Haarnoja et al. (2017), theorem 1; Fox, Pakman and Tishby (2016).

    >>> value = np.array([[0.0, 0.0], [1.0, 1.0]])
    >>> SoftQ(alpha=1.0, gamma=1.0).learn(value, 0, 1, 1.0, False, 1.0 + np.log(2.0))  # at temperature 1
    >>> value.round(4)
    array([[0.    , 2.6931],
           [1.    , 1.    ]])
    """

    alpha: Share = 0.1
    gamma: Share = 0.99
    initial: Annotated[float, Bound(), "reward units"] = 0.0

    def memory(self, states, actions):
        return {"value": np.full((states, actions), self.initial)}

    worth_lanes = staticmethod(soft_maximum)

    def softness(self, next_temperature):
        return next_temperature

    def learn(self, value, state, action, reward, terminated, next_worth):
        target = reward if terminated else reward + self.gamma * next_worth
        value[state, action] += self.alpha * (target - value[state, action])
