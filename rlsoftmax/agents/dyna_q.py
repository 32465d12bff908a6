"""Q-learning that also learns from what it remembers."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import Bound, Share
from rlsoftmax.contracts import Agent, highest
from rlsoftmax.numeric import another_uniform

END = -1  # stands for the next state where an episode ended


class DynaQ(Agent):
    """Move value(s, a) towards reward + gamma max value(s'); then again for `planning` others drawn from those seen.

    The model remembers the last reward and next state of each state and action, so it suits worlds that do not play
    dice; elsewhere it is a memory of one sample.

    Source: Sutton (1990); Sutton and Barto (2018), section 8.2 (tabular Dyna-Q).

    >>> agent = DynaQ(alpha=0.5, gamma=1.0, planning=0)
    >>> mind = agent.memory(1, 1)
    >>> agent.learn(**mind, state=0, action=0, reward=1.0, next_state=0, terminated=True, luck=(0, 0, 0, 0))
    >>> mind["value"]
    array([[0.5]])
    """

    alpha: Share = 0.1
    gamma: Share = 0.99
    planning: Annotated[int, Bound(0)] = 5
    initial: Annotated[float, Bound(), "reward units"] = 0.0

    def memory(self, states, actions):
        return {
            "value": np.full((states, actions), self.initial),
            "payment": np.zeros((states, actions)),
            "outcome": np.zeros((states, actions), np.int64),
            "listed": np.zeros((states, actions), np.int64),  # in the list of those seen, from 1
            "seen": np.zeros((states * actions, 2), np.int64),
            "count": np.zeros(1, np.int64),
        }

    def learn(self, value, payment, outcome, listed, seen, count, state, action, reward, next_state, terminated, luck):
        payment[state, action], outcome[state, action] = reward, END if terminated else next_state
        if listed[state, action] == 0:
            seen[count[0], 0], seen[count[0], 1] = state, action
            count[0] += 1
            listed[state, action] = count[0]
        improve(value, payment, outcome, state, action, self.alpha, self.gamma)
        for number in range(self.planning):
            i = int(another_uniform(luck, number) * count[0])
            improve(value, payment, outcome, seen[i, 0], seen[i, 1], self.alpha, self.gamma)


def improve(value, payment, outcome, state, action, alpha, gamma):
    """Take one step of Q-learning from the model."""
    there, target = outcome[state, action], payment[state, action]
    if there != END:
        target += gamma * highest(value[there])
    value[state, action] += alpha * (target - value[state, action])
