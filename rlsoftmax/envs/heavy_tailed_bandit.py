"""Arms whose rewards are sometimes enormous."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import NONNEGATIVE, Bound, Count
from rlsoftmax.contracts import Environment
from rlsoftmax.numeric import another_uniform, cosine, power

TURN = 6.283185307179586


class HeavyTailedBandit(Environment):
    """Each run draws the mean of every arm from N(center, spread^2); a pull returns mean + scale T.

    T has Student's distribution with `freedom` degrees: its mean is 0, its variance infinite up to 2 degrees.

    Source: Bubeck, Cesa-Bianchi and Lugosi (2013) for the problem; Bailey (1994) for the draw.

    >>> HeavyTailedBandit(arms=3).actions
    3
    """

    arms: Count = 10
    center: Annotated[float, Bound(), "reward units"] = 0.0
    spread: Annotated[float, NONNEGATIVE, "reward units"] = 1.0
    scale: Annotated[float, NONNEGATIVE, "reward units"] = 1.0
    freedom: Annotated[float, Bound(1.0, 1e6, open=True)] = 1.5
    delay: Annotated[int, Bound(0), "steps"] = 0
    batch: Count = 1

    suggested_temperature = 0.5

    @property
    def actions(self):
        return self.arms

    @property
    def value_scale(self):
        return self.spread

    def own(self, luck):
        mean = self.center + self.spread * luck.normal(self.arms)
        return {"mean": mean, "best": mean.max(keepdims=True)}

    def pull(self, mean, action, uniform, luck):
        squared = self.freedom * (power(uniform, -2.0 / self.freedom) - 1.0)
        student = np.sqrt(squared) * cosine(TURN * another_uniform(luck, 0))
        return mean[action] + self.scale * student

    def regret(self, mean, best, action):
        return best[0] - mean[action]

    def expected(self, mean):
        return mean
