"""Nearly the best for rewards that an adversary chooses, and for those that chance chooses."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import POSITIVE, Bound
from rlsoftmax.contracts import Agent, highest
from rlsoftmax.engine.stages import tsallis
from rlsoftmax.errors import BadValue


class TsallisInf(Agent):
    """Choose a with probability 4 / (eta (L(a) - x))^2, where L sums loss / probability, eta = rate / sqrt(round).

    x makes the probabilities sum to one. The agent ranks their logarithms, so that the Boltzmann policy at temperature
    1 draws from them exactly. With rate 2 the regret of T rounds is below 4 sqrt(K T) + 1 times the range, whatever the
    rewards, if they lie in [low, high].

    Source: Zimmert and Seldin (2021), algorithms 1 and 2, theorem 1 (importance-weighted losses).

    >>> values = np.zeros(2)
    >>> TsallisInf().rank(values, np.array([[0.0, -3.0]]), np.zeros(1), 0)
    >>> values
    array([0., 3.])
    """

    low: Annotated[float, Bound(), "reward units"] = 0.0
    high: Annotated[float, Bound(), "reward units"] = 1.0
    rate: Annotated[float, POSITIVE] = 2.0

    suggested_temperature = 1.0
    rank_lanes = staticmethod(tsallis)

    def check(self):
        super().check()
        if self.low >= self.high:
            raise BadValue("low", self.low, f"must be < high={self.high}")

    def memory(self, states, actions):
        return {"preference": np.zeros((states, actions)), "rounds": np.zeros(states)}  # preference: -L

    def rank(self, values, preference, rounds, state):  # before the stage
        half = 0.5 * self.rate / np.sqrt(rounds[state] + 1.0)
        best = highest(preference[state])
        for k in range(values.size):
            values[k] = half * (best - preference[state, k])

    def learn(self, preference, rounds, state, action, reward, probabilities):
        loss = (self.high - reward) / (self.high - self.low)
        preference[state, action] -= loss / probabilities[action]
        rounds[state] += 1.0
