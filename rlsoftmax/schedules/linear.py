"""Linear cooling."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import NONNEGATIVE, POSITIVE
from rlsoftmax.contracts import Schedule


class Linear(Schedule):
    """Go from `start` to `end` in a straight line over the first `steps` steps, then stay at `end`:

        start (1 - x) + end x,   x = min(step / steps, 1).

    Source: the usual annealing of epsilon in Mnih et al. (2015), here for any number.

    >>> Linear(start=1.0, end=0.0, steps=10.0)(np.array([0.0, 5.0, 20.0]))
    array([1. , 0.5, 0. ])
    """

    start: Annotated[float, NONNEGATIVE, "reward units"] = 1.0
    end: Annotated[float, NONNEGATIVE, "reward units"] = 0.05
    steps: Annotated[float, POSITIVE, "steps"] = 1000.0

    def __call__(self, step):
        done = np.minimum(np.asarray(step, dtype=np.float64) / self.steps, 1.0)
        return self.start * (1.0 - done) + self.end * done
