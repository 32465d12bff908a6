"""Cooling, or heating, by a power of time."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import NONNEGATIVE, Bound
from rlsoftmax.contracts import Schedule
from rlsoftmax.numeric import power


class Power(Schedule):
    """Cool as start / t^exponent, where t = step + 1; a negative exponent heats.

    As a step size, an exponent in (1/2, 1] meets the conditions of Robbins and Monro. As the temperature of EXP3, whose
    learning rate is 1 / tau, the exponent is -1/2.

    Source: Even-Dar and Mansour (2003), polynomial learning rates.

    >>> Power(start=1.0, exponent=0.5)(np.array([0.0, 3.0]))
    array([1. , 0.5])
    """

    start: Annotated[float, NONNEGATIVE, "reward units"] = 1.0
    exponent: Annotated[float, Bound()] = 0.75

    def __call__(self, step):
        return self.start * power(np.asarray(step, dtype=np.float64) + 1.0, -self.exponent)
