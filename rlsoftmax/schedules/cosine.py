"""Cooling along half a wave."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import NONNEGATIVE, POSITIVE
from rlsoftmax.contracts import Schedule
from rlsoftmax.numeric import cosine


class Cosine(Schedule):
    """Go from `start` to `end` along half a cosine over the first `steps` steps, then stay at `end`:

        end + (start - end) (1 + cos(pi x)) / 2,   x = min(step / steps, 1).

    Source: Loshchilov and Hutter (2017), equation 5, without restarts.

    >>> Cosine(start=1.0, end=0.0, steps=10.0)(np.array([0.0, 5.0, 10.0, 20.0])).round(12)
    array([1. , 0.5, 0. , 0. ])
    """

    start: Annotated[float, NONNEGATIVE, "reward units"] = 1.0
    end: Annotated[float, NONNEGATIVE, "reward units"] = 0.05
    steps: Annotated[float, POSITIVE, "steps"] = 1000.0

    def __call__(self, step):
        done = np.minimum(np.asarray(step, dtype=np.float64) / self.steps, 1.0)
        return self.end + (self.start - self.end) * (0.5 + 0.5 * cosine(np.pi * done))
