"""Geometric cooling."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import NONNEGATIVE, POSITIVE
from rlsoftmax.contracts import Schedule
from rlsoftmax.numeric import exp2


class Exponential(Schedule):
    """Halve the distance from `start` to `end` every `half_life` steps:

        end + (start - end) 2^(-step / half_life).

    Source: geometric cooling, Kirkpatrick, Gelatt and Vecchi (1983), with a floor.

    >>> Exponential(start=1.0, end=0.0, half_life=10.0)(np.array([0.0, 10.0, 20.0]))
    array([1.  , 0.5 , 0.25])
    """

    start: Annotated[float, NONNEGATIVE, "reward units"] = 1.0
    end: Annotated[float, NONNEGATIVE, "reward units"] = 0.05
    half_life: Annotated[float, POSITIVE, "steps"] = 200.0

    def __call__(self, step):
        return self.end + (self.start - self.end) * exp2(-np.asarray(step, dtype=np.float64) / self.half_life)
