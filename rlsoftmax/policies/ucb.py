"""Optimism in the face of uncertainty."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import NONNEGATIVE
from rlsoftmax.contracts import Policy
from rlsoftmax.numeric import log


class Ucb(Policy):
    """Choose the action with the highest value + c sqrt(ln t / n); an action never tried comes first. Ties are shared.

    t counts the choices made in this state, this one included, and n those of the action.

    Source: Sutton and Barto (2018), equation 2.10; Auer, Cesa-Bianchi and Fischer (2002).

    >>> weights = np.empty(2)
    >>> Ucb(c=1.0).weigh(weights, np.array([0.0, 0.0]), np.array([[3.0, 0.0]]), 0)
    >>> weights
    array([0., 1.])
    """

    c: Annotated[float, NONNEGATIVE, "reward units"] = 2.0

    def weigh(self, weights, values, visits, state):
        tried = 1.0
        for k in range(values.size):
            tried += visits[state, k]
        spread, best = self.c * np.sqrt(log(tried)), -np.inf
        for k in range(values.size):
            n = visits[state, k]
            bound = values[k] + spread / np.sqrt(n) if n > 0.0 else (np.inf if values[k] > -np.inf else -np.inf)
            weights[k] = bound
            best = max(best, bound)
        for k in range(values.size):
            weights[k] = 1.0 if weights[k] == best else 0.0
