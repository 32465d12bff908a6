"""Arms whose means wander."""

import math
from typing import Annotated

import numpy as np

from rlsoftmax.component import NONNEGATIVE, Bound, Count, Share
from rlsoftmax.contracts import Environment, highest


class DriftingBandit(Environment):
    """A pull returns N(mean, noise^2); after every step each mean moves to

        center + decay (mean - center) + drift N(0, 1),

    and is reflected where it leaves center ± reach. With decay 1 and no bound this is a random walk. Each run draws
    the first means from N(center, spread^2). The greedy score looks at the means after the last step.

    Source: Sutton and Barto (2018), exercise 2.5 (drift 0.01); Daw et al. (2006) for decay and bounds.

    >>> mean = np.array([0.0, 1.0])
    >>> float(DriftingBandit(drift=0.5, noise=2.0).pull(mean, 1, 0.25, np.array([1.0, -1.0])))
    1.5
    >>> mean
    array([0.5, 0.5])
    """

    arms: Count = 10
    center: Annotated[float, Bound(), "reward units"] = 0.0
    spread: Annotated[float, NONNEGATIVE, "reward units"] = 1.0
    noise: Annotated[float, NONNEGATIVE, "reward units"] = 1.0
    drift: Annotated[float, NONNEGATIVE, "reward units per step"] = 0.1
    decay: Share = 1.0
    reach: Annotated[float, Bound(0.0, open=True, infinite=True), "reward units"] = math.inf
    delay: Annotated[int, Bound(0), "steps"] = 0
    batch: Count = 1

    suggested_temperature = 0.25

    @property
    def actions(self):
        return self.arms

    @property
    def value_scale(self):
        return max(self.spread, self.drift)

    def own(self, luck):
        mean = self.center + self.spread * luck.normal(self.arms)
        return {"mean": np.clip(mean, self.center - self.reach, self.center + self.reach)}

    def pull(self, mean, action, normal, normals):
        reward = mean[action] + self.noise * normal
        for k in range(mean.size):
            away = self.decay * (mean[k] - self.center) + self.drift * normals[k]
            away = away if abs(away) <= self.reach else reflected(away, self.reach)
            mean[k] = self.center + away
        return reward

    def regret(self, mean, action):
        return highest(mean) - mean[action]

    def expected(self, mean):
        return mean


def reflected(away, reach):
    """Return a number within [-reach, reach]: what is beyond the bound is thrown back, at most to the other bound.

    >>> reflected(5.5, 5.0), reflected(-7.0, 5.0), reflected(100.0, 5.0)
    (4.5, -3.0, -5.0)
    """
    if away > reach:
        return max(2.0 * reach - away, -reach)
    return min(-2.0 * reach - away, reach)
