"""A prize that is found only by exploring deeply."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import NONNEGATIVE, Bound
from rlsoftmax.contracts import Environment, Transitions
from rlsoftmax.numeric import BuildLuck


class DeepSea(Environment):
    """Sink `size` rows from the left corner, one column to the left or right each step; only always right wins `prize`.

    A step to the right costs cost / size. State = row size + column. Which action goes right is drawn once per state,
    from the number `mapping`; a uniform policy finds the prize once in 2^size episodes.

    Source: Osband et al. (2020), the behaviour suite, deep sea.

    >>> DeepSea(size=2, cost=0.5).step(np.array([0, 1, 0, 1]), 0, 0)
    (3, -0.25, False)
    """

    size: Annotated[int, Bound(1)] = 10
    cost: Annotated[float, NONNEGATIVE, "reward units"] = 0.01
    prize: Annotated[float, Bound(), "reward units"] = 1.0
    mapping: Annotated[int, Bound(0)] = 0

    actions = 2
    suggested_temperature = 0.01

    @property
    def states(self):
        return self.size * self.size

    @property
    def limit(self):
        return self.size

    @property
    def value_scale(self):
        return self.prize

    def shared(self):
        uniform = BuildLuck(self.mapping, 0).uniform(self.states)
        return {"right": (uniform < 0.5).astype(np.int64)}  # the action that goes right

    def start(self):
        return 0

    def step(self, right, state, action):
        row, column = state // self.size, state % self.size
        goes_right = action == right[state]
        reward = -self.cost / self.size if goes_right else 0.0
        if goes_right and column == self.size - 1:
            reward += self.prize
        if row == self.size - 1:
            return state, reward, True
        column = min(column + 1, self.size - 1) if goes_right else max(column - 1, 0)
        return (row + 1) * self.size + column, reward, False

    def success(self, reward):
        return reward > 0.0

    def transitions(self):
        shape, right = (self.states, 2, 1), self.shared()["right"]
        after, reward, final = np.zeros(shape, np.int64), np.zeros(shape), np.zeros(shape, np.bool_)
        for state, action in np.ndindex(shape[:2]):
            there = self.step(right, state, action)
            after[state, action, 0], reward[state, action, 0], final[state, action, 0] = there
        return Transitions(np.ones(shape), after, reward, final, np.eye(1, self.states)[0])
