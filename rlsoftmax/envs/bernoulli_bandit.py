"""Arms that pay 1 or nothing."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import Bound, Count, Share
from rlsoftmax.contracts import Environment
from rlsoftmax.errors import BadValue


class BernoulliBandit(Environment):
    """Each run draws the chance of every arm uniformly from [low, high]; a pull pays 1 with that chance, else 0.

    Or name the chances yourself: `chances: [0.4, 0.6]`, the same in every run.

    Source: Thompson (1933); Robbins (1952).

    >>> BernoulliBandit(chances=(0.4, 0.6)).actions
    2
    """

    arms: Count = 10
    low: Share = 0.0
    high: Share = 1.0
    chances: tuple[float, ...] | None = None
    delay: Annotated[int, Bound(0), "steps"] = 0
    batch: Count = 1

    suggested_temperature = 0.1
    reward_range = (0.0, 1.0)
    value_scale = 1.0

    def check(self):
        super().check()
        if self.low > self.high:
            raise BadValue("low", self.low, f"must be <= high={self.high}")
        if self.chances is not None and not (self.chances and all(0.0 <= c <= 1.0 for c in self.chances)):
            raise BadValue("chances", list(self.chances), "must be numbers >= 0 and <= 1")

    @property
    def actions(self):
        return self.arms if self.chances is None else len(self.chances)

    def own(self, luck):
        chance = self.low + (self.high - self.low) * luck.uniform(self.arms)
        if self.chances is not None:
            chance = np.array(self.chances, dtype=np.float64)
        return {"chance": chance, "best": chance.max(keepdims=True)}

    def pull(self, chance, action, uniform):
        return 1.0 if uniform < chance[action] else 0.0

    def regret(self, chance, best, action):
        return best[0] - chance[action]

    def expected(self, chance):
        return chance
