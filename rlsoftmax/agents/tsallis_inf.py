"""Nearly the best for rewards that an adversary chooses, and for those that chance chooses."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import POSITIVE, Bound
from rlsoftmax.contracts import Agent
from rlsoftmax.errors import BadValue
from rlsoftmax.numeric import log


class TsallisInf(Agent):
    """Choose a with probability 4 / (eta (L(a) - x))^2, where L sums loss / probability, eta = rate / sqrt(round).

    x makes the probabilities sum to one. The agent ranks their logarithms, so that the Boltzmann policy at temperature
    1 draws from them exactly. With rate 2 the regret of T rounds is below 4 sqrt(K T) + 1 times the range, whatever the
    rewards, if they lie in [low, high].

    Source: Zimmert and Seldin (2021), algorithms 1 and 2, theorem 1 (importance-weighted losses).

    >>> values = np.zeros(4)
    >>> TsallisInf().rank(values, np.zeros((1, 4)), np.zeros(1), 0)
    >>> values.round(4)
    array([-1.3863, -1.3863, -1.3863, -1.3863])
    """

    low: Annotated[float, Bound(), "reward units"] = 0.0
    high: Annotated[float, Bound(), "reward units"] = 1.0
    rate: Annotated[float, POSITIVE] = 2.0

    suggested_temperature = 1.0

    def check(self):
        super().check()
        if self.low >= self.high:
            raise BadValue("low", self.low, f"must be < high={self.high}")

    def memory(self, states, actions):
        return {"preference": np.zeros((states, actions)), "rounds": np.zeros(states)}  # preference: -L

    def rank(self, values, preference, rounds, state):
        half = 0.5 * self.rate / np.sqrt(rounds[state] + 1.0)
        best = preference[state, 0]
        for k in range(1, values.size):
            best = max(best, preference[state, k])
        for k in range(values.size):
            values[k] = half * (best - preference[state, k])
        u = shift(values)
        for k in range(values.size):
            values[k] = -2.0 * log(values[k] + u)

    def learn(self, preference, rounds, state, action, reward, probabilities):
        loss = (self.high - reward) / (self.high - self.low)
        preference[state, action] -= loss / probabilities[action]
        rounds[state] += 1.0


def shift(gaps):
    """Return u such that the sum of 1 / (gap + u)^2 is one; from u = 1 Newton's steps only grow, and never too far."""
    u = 1.0
    for _ in range(100):
        total, slope = 0.0, 0.0
        for k in range(gaps.size):
            inverse = 1.0 / (gaps[k] + u)
            total, slope = total + inverse * inverse, slope + 2.0 * inverse * inverse * inverse
        step = (total - 1.0) / slope
        u += max(step, 0.0)
        if step <= 1e-8 * u:  # the next one would be its square
            break
    return u
