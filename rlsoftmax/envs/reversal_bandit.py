"""One good arm, and now and then it is another one."""

from enum import IntEnum
from typing import Annotated

import numpy as np

from rlsoftmax.component import Bound, Count, Share
from rlsoftmax.contracts import Environment
from rlsoftmax.errors import BadValue
from rlsoftmax.numeric import another_uniform


class Gaps(IntEnum):
    """How long an arm stays the good one."""

    FIXED = 0  # exactly `every` steps
    RANDOM = 1  # `every` steps on average: each step may be the last one, with the same chance


class ReversalBandit(Environment):
    """The good arm pays 1 with chance `good`, the others with chance `bad`; at a reversal another arm becomes good.

    Each run draws the first good arm; a reversal draws among the others. The greedy score looks at the arms after
    the last step.

    Source: Cools et al. (2002), probabilistic reversal learning (two arms, 0.8 and 0.2).

    >>> ReversalBandit().pull(np.array([1]), 1, 0.79, 7, (0, 0, 0, 0))
    1.0
    """

    arms: Annotated[int, Bound(2)] = 2
    good: Share = 0.8
    bad: Share = 0.2
    every: Annotated[int, Bound(1), "steps"] = 40
    gaps: Gaps = Gaps.FIXED
    delay: Annotated[int, Bound(0), "steps"] = 0
    batch: Count = 1

    suggested_temperature = 0.1
    reward_range = (0.0, 1.0)
    value_scale = 1.0

    def check(self):
        super().check()
        if self.bad > self.good:
            raise BadValue("bad", self.bad, f"must be <= good={self.good}")

    @property
    def actions(self):
        return self.arms

    def own(self, luck):
        return {"favourite": np.array([int(luck.uniform() * self.arms)])}

    def pull(self, favourite, action, uniform, step, luck):
        reward = 1.0 if uniform < (self.good if action == favourite[0] else self.bad) else 0.0
        if self.gaps == Gaps.FIXED:
            reversal = (step + 1) % self.every == 0
        else:
            reversal = another_uniform(luck, 0) * self.every < 1.0
        if reversal:
            ahead = 1 + int(another_uniform(luck, 1) * (self.arms - 1))
            favourite[0] = (favourite[0] + ahead) % self.arms
        return reward

    def regret(self, favourite, action):
        return 0.0 if action == favourite[0] else self.good - self.bad

    def expected(self, favourite):
        return np.where(np.arange(self.arms) == favourite[0], self.good, self.bad)
