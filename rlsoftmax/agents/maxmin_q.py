"""Several tables, of which the lowest counts."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import Bound, Count, Share
from rlsoftmax.contracts import Agent, highest
from rlsoftmax.numeric import another_uniform


class MaxminQ(Agent):
    """Rank the lowest of `tables` estimates; move one of them, drawn at random, towards reward + gamma max value(s').

    One table is Q-learning; more of them turn its optimism into caution.

    Source: Lan, Pan, Fyshe and White (2020), algorithm 1, without replay.

    >>> {name: array.shape for name, array in MaxminQ(tables=3).memory(5, 2).items()}
    {'value': (5, 2), 'estimates': (3, 5, 2)}
    """

    tables: Count = 2
    alpha: Share = 0.1
    gamma: Share = 0.99
    initial: Annotated[float, Bound(), "reward units"] = 0.0

    def memory(self, states, actions):
        value = np.full((states, actions), self.initial)
        return {"value": value, "estimates": np.full((self.tables, states, actions), self.initial)}

    def learn(self, value, estimates, state, action, reward, next_state, terminated, luck):
        target = reward if terminated else reward + self.gamma * highest(value[next_state])
        i = int(another_uniform(luck, 0) * estimates.shape[0])
        estimates[i, state, action] += self.alpha * (target - estimates[i, state, action])
        lowest = estimates[0, state, action]
        for j in range(1, estimates.shape[0]):
            lowest = min(lowest, estimates[j, state, action])
        value[state, action] = lowest
