"""Cooling like 1 / t."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import NONNEGATIVE, POSITIVE
from rlsoftmax.contracts import Schedule


class InverseTime(Schedule):
    """Halve `start` in the first `half_life` steps, then ever more slowly: start h / (h + t), where t = step (from 0).

    Source: the step sizes of Robbins and Monro (1951), here for any number; as cooling, Szu and Hartley (1987).

    >>> InverseTime(start=1.0, half_life=10.0)(np.array([0.0, 10.0, 30.0]))
    array([1.  , 0.5 , 0.25])
    """

    start: Annotated[float, NONNEGATIVE, "reward units"] = 1.0
    half_life: Annotated[float, POSITIVE, "steps"] = 100.0

    def __call__(self, step):
        return self.start * self.half_life / (self.half_life + np.asarray(step, dtype=np.float64))
