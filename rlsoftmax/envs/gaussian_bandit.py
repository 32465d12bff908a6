"""Arms with normal rewards: the ten-armed testbed."""

from typing import Annotated

from rlsoftmax.component import NONNEGATIVE, Bound, Count
from rlsoftmax.contracts import Environment


class GaussianBandit(Environment):
    """Each run draws the mean of every arm from N(center, spread^2); a pull returns N(mean, noise^2).

    Source: Sutton and Barto (2018), section 2.3 (arms 10, spread 1, noise 1: the ten-armed testbed).

    >>> GaussianBandit(arms=3).actions
    3
    """

    arms: Count = 10
    center: Annotated[float, Bound(), "reward units"] = 0.0
    spread: Annotated[float, NONNEGATIVE, "reward units"] = 1.0
    noise: Annotated[float, NONNEGATIVE, "reward units"] = 1.0
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
        mean = self.center + self.spread * luck.normal(self.arms)
        return {"mean": mean, "best": mean.max(keepdims=True)}

    def pull(self, mean, action, normal):
        return mean[action] + self.noise * normal

    def regret(self, mean, best, action):
        return best[0] - mean[action]

    def expected(self, mean):
        return mean
