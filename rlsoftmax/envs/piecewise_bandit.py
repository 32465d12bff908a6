"""Arms that are all dealt anew, now and then."""

from enum import IntEnum
from typing import Annotated

from rlsoftmax.component import NONNEGATIVE, Bound, Count
from rlsoftmax.contracts import Environment, highest
from rlsoftmax.numeric import another_normal, another_uniform


class Gaps(IntEnum):
    """How long the means stay."""

    FIXED = 0  # exactly `every` steps
    RANDOM = 1  # `every` steps on average: each step may be the last one, with the same chance


class PiecewiseBandit(Environment):
    """A pull returns N(mean, noise^2); at a change point all means are drawn anew from N(center, spread^2).

    The first change comes after step `every` - 1. The greedy score looks at the means after the last step.

    Source: Garivier and Moulines (2011), abruptly changing environments; Mellor and Shapiro (2013) for random gaps.

    >>> PiecewiseBandit(arms=3).actions
    3
    """

    arms: Count = 10
    center: Annotated[float, Bound(), "reward units"] = 0.0
    spread: Annotated[float, NONNEGATIVE, "reward units"] = 1.0
    noise: Annotated[float, NONNEGATIVE, "reward units"] = 1.0
    every: Annotated[int, Bound(1), "steps"] = 250
    gaps: Gaps = Gaps.FIXED
    delay: Annotated[int, Bound(0), "steps"] = 0
    batch: Count = 1

    suggested_temperature = 0.25

    @property
    def actions(self):
        return self.arms

    @property
    def value_scale(self):
        return self.spread

    def own(self, luck):
        return {"mean": self.center + self.spread * luck.normal(self.arms)}

    def pull(self, mean, action, normal, step, luck):
        reward = mean[action] + self.noise * normal
        if self.gaps == Gaps.FIXED:
            change = (step + 1) % self.every == 0
        else:
            change = another_uniform(luck, mean.size) * self.every < 1.0
        if change:
            for k in range(mean.size):
                mean[k] = self.center + self.spread * another_normal(luck, k)
        return reward

    def regret(self, mean, action):
        return highest(mean) - mean[action]

    def expected(self, mean):
        return mean
