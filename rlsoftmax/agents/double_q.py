"""Two tables, so that chance is not mistaken for value."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import Bound, Share
from rlsoftmax.contracts import Agent
from rlsoftmax.numeric import another_uniform


class DoubleQ(Agent):
    """Toss a coin; move one table towards what the other says of this one's best action b at s',

        reward + gamma other(s', b),   b = argmax of this one's row at s'.

    The policy ranks the sum of the tables. Actions that tie for the best share: the mean of what the other says.

    Source: van Hasselt (2010), algorithm 1; Sutton and Barto (2018), section 6.7.

    >>> value, twin = np.array([[0.0, 0.0], [1.0, 3.0]]), np.array([[0.0, 0.0], [5.0, 2.0]])
    >>> twice(value, twin, 0, 1, 1.0, 0.5, 1.0, 1, False)
    >>> value
    array([[0. , 1.5],
           [1. , 3. ]])
    """

    alpha: Share = 0.1
    gamma: Share = 0.99
    initial: Annotated[float, Bound(), "reward units"] = 0.0

    def memory(self, states, actions):
        return {"value": np.full((states, actions), self.initial), "twin": np.full((states, actions), self.initial)}

    def rank(self, values, value, twin, state):
        for k in range(values.size):
            values[k] = value[state, k] + twin[state, k]

    def learn(self, value, twin, state, action, reward, next_state, terminated, luck):
        if another_uniform(luck, 0) < 0.5:
            twice(value, twin, state, action, reward, self.alpha, self.gamma, next_state, terminated)
        else:
            twice(twin, value, state, action, reward, self.alpha, self.gamma, next_state, terminated)


def twice(mine, other, state, action, reward, alpha, gamma, next_state, terminated):
    """Move `mine` towards the target that `other` judges; a forbidden action is -infinity in one of them."""
    target = reward
    if not terminated:
        best, total, ties = -np.inf, 0.0, 0
        for k in range(mine.shape[1]):
            allowed = mine[next_state, k] + other[next_state, k] > -np.inf
            if allowed and mine[next_state, k] > best:
                best, total, ties = mine[next_state, k], 0.0, 0
            if allowed and mine[next_state, k] == best:
                total, ties = total + other[next_state, k], ties + 1
        target += gamma * total / ties
    mine[state, action] += alpha * (target - mine[state, action])
