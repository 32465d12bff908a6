"""Boltzmann over optimistic values."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import NONNEGATIVE, Temperature
from rlsoftmax.contracts import Policy
from rlsoftmax.engine.stages import boltzmann
from rlsoftmax.numeric import log


class SoftUcb(Policy):
    """Choose in proportion to exp((value + c sqrt(ln(t + 1) / (n + 1))) / temperature).

    Optimism chooses the order, the temperature how strictly it is kept.

    t counts the choices made in this state, this one included, and n those of the action.

    Source: the bonus of Auer, Cesa-Bianchi and Fischer (2002) inside the softmax, shifted so that n = 0 is finite.

    >>> preferences = np.empty(2)
    >>> SoftUcb(c=0.0).prefer(preferences, np.array([1.0, 2.0]), np.zeros((1, 2)), 0)
    >>> preferences
    array([1., 2.])
    """

    c: Annotated[float, NONNEGATIVE, "reward units"] = 1.0
    temperature: Temperature = 1.0
    weigh_lanes = staticmethod(boltzmann)

    def prefer(self, preferences, values, visits, state):
        tried = 1.0
        for k in range(values.size):
            tried += visits[state, k]
        scale = self.c * np.sqrt(log(tried + 1.0))
        for k in range(values.size):
            preferences[k] = values[k] + scale / np.sqrt(visits[state, k] + 1.0)
