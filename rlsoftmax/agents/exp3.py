"""Exponential weights for rewards that an adversary may choose."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import NONNEGATIVE, Bound
from rlsoftmax.contracts import Agent
from rlsoftmax.errors import BadValue


class Exp3(Agent):
    """Prefer what has lost least: preference(a) -= loss / (probability(a) + implicit), loss = (high - reward) / range.

    The estimate is unbiased when `implicit` is 0; above 0 it varies less (EXP3-IX). With the Boltzmann policy the
    learning rate is 1 / temperature. For T steps and K actions, temperature sqrt(T K / (2 ln K)) keeps the regret below
    sqrt(2 T K ln K) times the range, whatever the rewards, if they lie in [low, high]; without T, `tau=power` with
    exponent -1/2 and start sqrt(K / ln K) below 2 sqrt(T K ln K).

    Source: Auer, Cesa-Bianchi, Freund and Schapire (2002); Bubeck and Cesa-Bianchi (2012), section 3.1; Neu (2015).

    >>> preference = np.zeros((1, 2))
    >>> Exp3().learn(preference, 0, 1, 0.5, np.array([0.75, 0.25]))
    >>> preference
    array([[ 0., -2.]])
    """

    low: Annotated[float, Bound(), "reward units"] = 0.0
    high: Annotated[float, Bound(), "reward units"] = 1.0
    implicit: Annotated[float, NONNEGATIVE] = 0.0

    suggested_temperature = 50.0  # the best for 10 actions and about 1000 steps

    def check(self):
        super().check()
        if self.low >= self.high:
            raise BadValue("low", self.low, f"must be < high={self.high}")

    def memory(self, states, actions):
        return {"preference": np.zeros((states, actions))}

    def learn(self, preference, state, action, reward, probabilities):
        loss = (self.high - reward) / (self.high - self.low)
        preference[state, action] -= loss / (probabilities[action] + self.implicit)
