"""Sampling beliefs about the chance of a reward."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import POSITIVE, Bound
from rlsoftmax.contracts import Policy
from rlsoftmax.errors import BadValue
from rlsoftmax.numeric import another_uniform, log, normal, random_words, unit

ATTEMPTS = 14  # each fails with a chance below 0.05, so that all fail once in 10^18
NUMBERS = 2 * (ATTEMPTS + 1)  # of luck, per action: two gammas


class BetaThompson(Policy):
    """Draw a chance of success for every action from Beta(wins, losses), and choose the highest.

    A reward of `high` is a win and one of `low` a loss; one between them is a win with the chance that is its place in
    the range. `wins` and `losses` are what is believed before the first reward. The policy learns by itself; the
    agent's values only say what is allowed.

    A beta is made of two gammas (Marsaglia and Tsang, 2000, at most 14 attempts each, so that luck is counted).

    Source: Thompson (1933); Agrawal and Goyal (2012), algorithm 2.

    >>> BetaThompson(wins=2.0).memory(1, 2)
    {'won': array([[2., 2.]]), 'lost': array([[1., 1.]])}
    """

    low: Annotated[float, Bound(), "reward units"] = 0.0
    high: Annotated[float, Bound(), "reward units"] = 1.0
    wins: Annotated[float, POSITIVE] = 1.0
    losses: Annotated[float, POSITIVE] = 1.0

    def check(self):
        super().check()
        if self.low >= self.high:
            raise BadValue("low", self.low, f"must be < high={self.high}")

    def memory(self, states, actions):
        return {"won": np.full((states, actions), self.wins), "lost": np.full((states, actions), self.losses)}

    def choose(self, values, won, lost, state, luck):
        best, action = -np.inf, 0
        for k in range(values.size):
            if values[k] > -np.inf:
                win = log_gamma_draw(won[state, k], luck, NUMBERS * k)
                loss = log_gamma_draw(lost[state, k], luck, NUMBERS * k + ATTEMPTS + 1)
                if win - loss > best:  # the odds of the chance of success
                    best, action = win - loss, k
        return action

    def observe(self, won, lost, state, action, reward, luck):
        if another_uniform(luck, 0) < (reward - self.low) / (self.high - self.low):
            won[state, action] += 1.0
        else:
            lost[state, action] += 1.0


def log_gamma_draw(shape, luck, first):
    """Return the logarithm of a draw from Gamma(shape), made of the luck numbers first ... first + ATTEMPTS."""
    seed, run, step, purpose = luck
    boost = log(another_uniform(luck, first)) / shape if shape < 1.0 else 0.0
    d = (shape if shape >= 1.0 else shape + 1.0) - 1.0 / 3.0
    draw = d
    for attempt in range(1, ATTEMPTS + 1):
        word, other = random_words(seed, run, step, purpose + first + attempt)
        x = normal(unit(word))
        v = 1.0 + x / np.sqrt(9.0 * d)
        v = v * v * v
        if v > 0.0 and log(unit(other)) < 0.5 * x * x + d - d * v + d * log(v):
            draw = d * v
            break
    return log(draw) + boost
