"""A walk on which the near reward tempts away from the far one."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import Bound, Count, Share
from rlsoftmax.contracts import Environment, Transitions


class Chain(Environment):
    """Walk `length` states to the far end for `prize`; the other action takes `toll` and goes back. Both slip.

    Action 0 goes forward, action 1 back; with probability `slip` the other one happens. The prize ends the episode,
    and so does the limit.

    Source: Strens (2000), with an end.

    >>> Chain(length=3).step(2, 0, 0.9)
    (2, 10.0, True)
    """

    length: Count = 5
    slip: Share = 0.2
    toll: Annotated[float, Bound(), "reward units"] = 0.2
    prize: Annotated[float, Bound(), "reward units"] = 10.0
    limit: Count = 20

    actions = 2
    suggested_temperature = 1.0

    @property
    def states(self):
        return self.length

    @property
    def value_scale(self):
        return self.prize

    def start(self):
        return 0

    def step(self, state, action, uniform):
        forward = (action == 0) != (uniform < self.slip)
        if not forward:
            return 0, self.toll, False
        if state + 1 == self.length:
            return state, self.prize, True
        return state + 1, 0.0, False

    def success(self, terminated):
        return terminated

    def transitions(self):
        chance, after = np.zeros((self.length, 2, 2)), np.zeros((self.length, 2, 2), np.int64)
        reward, final = np.zeros((self.length, 2, 2)), np.zeros((self.length, 2, 2), np.bool_)
        for state in range(self.length):
            for action in range(2):
                for slipped, probability in enumerate((1.0 - self.slip, self.slip)):
                    uniform = 0.0 if slipped else 1.0
                    chance[state, action, slipped] = probability
                    if slipped and self.slip == 0.0:
                        continue
                    there = self.step(state, action, uniform)
                    after[state, action, slipped], reward[state, action, slipped], final[state, action, slipped] = there
        return Transitions(chance, after, reward, final, np.eye(self.length)[0])
