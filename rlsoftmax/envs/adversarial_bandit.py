"""Rewards that are meant to fool whoever trusts the past."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import Bound, Count, Share
from rlsoftmax.contracts import Environment


class AdversarialBandit(Environment):
    """The best arm is always better by `gap`, but all means jump together, in longer and longer phases.

    In even phases the best arm pays 1 with chance 1 and the others with chance 1 - gap; in odd ones with chance gap and
    0. Phase n lasts growth^n steps. What an arm paid in the last phase says nothing of this one: index policies such as
    UCB fail, EXP3 and Tsallis-INF do not. Each run draws its best arm.

    Source: Zimmert and Seldin (2021), section 5, stochastically constrained adversary (growth 1.6).

    >>> world, phase = AdversarialBandit(gap=0.25, growth=2.0), np.array([1.0, 1.0, 1.0])
    >>> [world.pull(np.array([0]), phase, 0, 0.5, step) for step in range(7)]
    [1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]
    """

    arms: Annotated[int, Bound(2)] = 8
    gap: Share = 0.125
    growth: Annotated[float, Bound(1.0)] = 1.6
    delay: Annotated[int, Bound(0), "steps"] = 0
    batch: Count = 1

    suggested_temperature = 0.1
    reward_range = (0.0, 1.0)
    value_scale = 1.0

    @property
    def actions(self):
        return self.arms

    def own(self, luck):
        # phase: the step at which it ends, how long it is, and 1 in an even one
        return {"favourite": np.array([int(luck.uniform() * self.arms)]), "phase": np.ones(3)}

    def pull(self, favourite, phase, action, uniform, step):
        if step >= phase[0]:
            phase[1] *= self.growth
            phase[0] += phase[1]
            phase[2] = 1.0 - phase[2]
        worse = 0.0 if action == favourite[0] else self.gap
        chance = (1.0 if phase[2] == 1.0 else self.gap) - worse
        return 1.0 if uniform < chance else 0.0

    def regret(self, favourite, action):
        return 0.0 if action == favourite[0] else self.gap

    def expected(self, favourite, phase):
        high = 1.0 if phase[2] == 1.0 else self.gap
        return np.where(np.arange(self.arms) == favourite[0], high, high - self.gap)
