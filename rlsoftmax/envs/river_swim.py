"""A swim against the current, which only patience reaches the end of."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import Bound, Share
from rlsoftmax.contracts import Environment, Transitions
from rlsoftmax.errors import BadValue


class RiverSwim(Environment):
    """Action 0 drifts one state down the river, and pays `near` at its mouth, state 0. Action 1 swims up.

    Swimming gets one state further with probability `forward`, is carried one back with probability `back`, else it
    stays. At the mouth it cannot be carried back; at the source, the last state, it stays with probability `forward`,
    which pays `far`, and is carried back otherwise. An episode begins in state 1 or 2.

    Source: Strehl and Littman (2008), rewards divided by 10000; there without a limit.

    >>> RiverSwim().step(5, 1, 0.29)
    (5, 1.0, False)
    """

    length: Annotated[int, Bound(3)] = 6
    forward: Share = 0.3
    back: Share = 0.1
    near: Annotated[float, Bound(), "reward units"] = 0.0005
    far: Annotated[float, Bound(), "reward units"] = 1.0
    limit: Annotated[int, Bound(1), "steps"] = 20

    actions = 2
    suggested_temperature = 0.01

    def check(self):
        super().check()
        if self.forward + self.back > 1.0:
            raise BadValue("back", self.back, f"must be <= 1 - forward={self.forward}")

    @property
    def states(self):
        return self.length

    @property
    def value_scale(self):
        return self.far

    def start(self, uniform):
        return 1 if uniform < 0.5 else 2

    def step(self, state, action, uniform):
        last = self.length - 1
        if action == 0:
            return max(state - 1, 0), self.near if state == 0 else 0.0, False
        if uniform < self.forward:
            return min(state + 1, last), self.far if state == last else 0.0, False
        carried = state == last or uniform >= 1.0 - self.back
        return (max(state - 1, 0) if carried else state), 0.0, False

    def transitions(self):
        shape, last = (self.length, 2, 3), self.length - 1
        chance, after, reward = np.zeros(shape), np.zeros(shape, np.int64), np.zeros(shape)
        for state in range(self.length):
            down, up = max(state - 1, 0), min(state + 1, last)
            stays = 0.0 if state == last else 1.0 - self.forward - self.back
            after[state] = [[down, down, down], [up, state, down]]
            chance[state] = [[1.0, 0.0, 0.0], [self.forward, stays, 1.0 - self.forward - stays]]
        reward[0, 0], reward[last, 1, 0] = self.near, self.far
        first = np.zeros(self.length)
        first[1:3] = 0.5
        return Transitions(chance, after, reward, np.zeros(shape, np.bool_), first)
