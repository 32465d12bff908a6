"""Learning the value of the policy, without the noise of its draw."""

from typing import Annotated

import numpy as np

from rlsoftmax.agents._steps import StepSize, share, without
from rlsoftmax.component import Bound, Share
from rlsoftmax.contracts import Agent


class ExpectedSarsa(Agent):
    """Move value(s, a) towards reward + gamma sum of probability(a') value(s', a').

    With `step_size: visits` the step size is 1 / visits of (s, a), this one included, instead of alpha.

    Source: van Seijen et al. (2009); Sutton and Barto (2018), equation 6.9.

    >>> value = np.array([[0.0, 0.0], [1.0, 3.0]])
    >>> ExpectedSarsa(alpha=0.5, gamma=1.0).learn(value, 0, 1, 1.0, 1, np.array([0.5, 0.5]), False)
    >>> value
    array([[0. , 1.5],
           [1. , 3. ]])
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

    def learn(self, value, state, action, reward, next_state, next_probabilities, terminated, visits=None):
        target = reward
        if not terminated:
            for k in range(next_probabilities.size):
                if next_probabilities[k] > 0.0:  # a forbidden action is worth -infinity and has probability 0
                    target += self.gamma * next_probabilities[k] * value[next_state, k]
        step = share(self.step_size, self.alpha, visits, state, action)
        value[state, action] += step * (target - value[state, action])
