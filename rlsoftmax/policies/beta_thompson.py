"""Sampling beliefs about the chance of a reward."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import Bound
from rlsoftmax.contracts import Policy
from rlsoftmax.engine.stages import highest
from rlsoftmax.errors import BadValue
from rlsoftmax.numeric import another_uniform


class BetaThompson(Policy):
    """Draw a chance of success for every action from Beta(wins, losses), and choose the highest.

    A reward of `high` is a win and one of `low` a loss; one between them is a win with the chance that is its place in
    the range. `wins` and `losses` are what is believed before the first reward. The policy learns by itself; the
    agent's values only say what is allowed.

    Source: Thompson (1933); Agrawal and Goyal (2012), algorithm 2.

    >>> BetaThompson(wins=2.0).memory(1, 2)
    {'won': array([[2., 2.]]), 'lost': array([[1., 1.]])}
    """

    low: Annotated[float, Bound(), "reward units"] = 0.0
    high: Annotated[float, Bound(), "reward units"] = 1.0
    wins: Annotated[float, Bound(0.05)] = 1.0
    losses: Annotated[float, Bound(0.05)] = 1.0

    shapes = ("won", "lost")
    weigh_lanes = staticmethod(highest)

    def check(self):
        super().check()
        if self.low >= self.high:
            raise BadValue("low", self.low, f"must be < high={self.high}")

    def memory(self, states, actions):
        return {"won": np.full((states, actions), self.wins), "lost": np.full((states, actions), self.losses)}

    def observe(self, won, lost, state, action, reward, luck):
        win = 1.0 if another_uniform(luck, 0) < (reward - self.low) / (self.high - self.low) else 0.0
        won[state, action] += win
        lost[state, action] += 1.0 - win
