"""Two choices in a row, to tell planning from habit."""

from typing import Annotated

from rlsoftmax.component import NONNEGATIVE, Share
from rlsoftmax.contracts import Environment
from rlsoftmax.errors import BadValue
from rlsoftmax.numeric import another_normal


class TwoStep(Environment):
    """Action a in state 0 leads to state 1 + a with probability `common`, else to the other; there an arm pays 1 or 0.

    After every episode the four chances of a reward move by N(0, drift^2) and are reflected at `low` and `high`. Each
    run draws the first ones uniformly from [low, high].

    Source: Daw et al. (2011).

    >>> import numpy as np
    >>> TwoStep().step(np.full((2, 2), 0.5), 0, 1, 0.69, (0, 0, 0, 0))
    (2, 0.0, False)
    """

    common: Share = 0.7
    drift: Annotated[float, NONNEGATIVE] = 0.025
    low: Share = 0.25
    high: Share = 0.75

    states, actions, limit = 3, 2, 2
    suggested_temperature = 0.2
    reward_range = (0.0, 1.0)
    value_scale = 1.0

    def check(self):
        super().check()
        if self.low > self.high:
            raise BadValue("low", self.low, f"must be <= high={self.high}")

    def own(self, luck):
        return {"chance": self.low + (self.high - self.low) * luck.uniform((2, 2))}

    def start(self):
        return 0

    def step(self, chance, state, action, uniform, luck):
        if state == 0:
            return (1 + action if uniform < self.common else 2 - action), 0.0, False
        reward = 1.0 if uniform < chance[state - 1, action] else 0.0
        for k in range(4):
            moved = chance[k // 2, k % 2] + self.drift * another_normal(luck, k)
            chance[k // 2, k % 2] = reflected(moved, self.low, self.high)
        return 0, reward, True


def reflected(number, low, high):
    """Return a number within [low, high]: what is beyond an end is thrown back, at most to the other end.

    >>> reflected(0.5, 0.25, 0.75), reflected(1.0, 0.25, 0.75), reflected(0.125, 0.25, 0.75)
    (0.5, 0.5, 0.375)
    """
    if number > high:
        return max(2.0 * high - number, low)
    if number < low:
        return min(2.0 * low - number, high)
    return number
