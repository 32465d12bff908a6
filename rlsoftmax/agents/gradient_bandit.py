"""Preferences instead of values."""

from enum import IntEnum
from typing import Annotated

import numpy as np

from rlsoftmax.component import NONNEGATIVE
from rlsoftmax.contracts import Agent


class Baseline(IntEnum):
    """What a reward is compared with."""

    NONE = 0  # zero
    BEFORE = 1  # the mean of the rewards before this one
    INCLUDING = 2  # the mean of the rewards, this one included


class GradientBandit(Agent):
    """Climb the gradient of the expected reward in the preferences of a softmax:

        preference(k) += alpha (reward - baseline) (1 if k = a, else 0, - probability(k)).

    The convention of the baseline changes what is learned (0.74, 0.72 and 0.66 optimal pulls on the testbed with a
    baseline before, including, and none), so it is a field.

    Source: Sutton and Barto (2018), equation 2.12 (whose baseline includes the reward).

    >>> preference, average, seen = np.zeros((1, 2)), np.zeros(1), np.zeros(1)
    >>> GradientBandit(alpha=0.5).learn(preference, average, seen, 0, 0, 1.0, np.array([0.5, 0.5]))
    >>> preference
    array([[ 0.25, -0.25]])
    """

    alpha: Annotated[float, NONNEGATIVE, "per reward unit"] = 0.1
    baseline: Baseline = Baseline.BEFORE

    suggested_temperature = 1.0

    def memory(self, states, actions):
        return {"preference": np.zeros((states, actions)), "average": np.zeros(states), "seen": np.zeros(states)}

    def learn(self, preference, average, seen, state, action, reward, probabilities):
        before = average[state]
        seen[state] += 1.0
        average[state] += (reward - before) / seen[state]
        level = 0.0
        if self.baseline == Baseline.BEFORE:
            level = before
        elif self.baseline == Baseline.INCLUDING:
            level = average[state]
        surprise = self.alpha * (reward - level)
        for k in range(probabilities.size):
            preference[state, k] -= surprise * probabilities[k]
        preference[state, action] += surprise
