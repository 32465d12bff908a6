"""Learning for the mean reward per step, without a discount."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import Bound, Share
from rlsoftmax.contracts import Agent, highest


class RLearning(Agent):
    """Move value(s, a) towards reward - average + max value(s'); after a best action, move the average, too:

        average += beta (reward + max value(s') - max value(s) - average).

    An episode's end is worth 0 more than the average: tasks that go on for ever are what this agent is for.

    Source: Schwartz (1993); Sutton and Barto (1998), figure 6.16.

    >>> value, average = np.array([[0.0, 0.0], [0.0, 1.0]]), np.zeros(1)
    >>> RLearning(alpha=0.5, beta=0.5).learn(value, average, 0, 1, 1.0, 1, False)
    >>> value.tolist(), average.tolist()
    ([[0.0, 1.0], [0.0, 1.0]], [0.5])
    """

    alpha: Share = 0.1
    beta: Share = 0.01
    initial: Annotated[float, Bound(), "reward units"] = 0.0

    def memory(self, states, actions):
        return {"value": np.full((states, actions), self.initial), "average": np.zeros(1)}

    def learn(self, value, average, state, action, reward, next_state, terminated):
        ahead = 0.0 if terminated else highest(value[next_state])
        value[state, action] += self.alpha * (reward - average[0] + ahead - value[state, action])
        best = highest(value[state])
        if value[state, action] == best:
            average[0] += self.beta * (reward + ahead - best - average[0])
