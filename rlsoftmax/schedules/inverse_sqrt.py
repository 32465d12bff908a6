"""Cooling like 1 / sqrt t."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import NONNEGATIVE
from rlsoftmax.contracts import Schedule


class InverseSqrt(Schedule):
    """Cool as c / sqrt(t), where t = step + 1.

    Source: the rate of anytime regret bounds, Auer, Cesa-Bianchi and Gentile (2002).

    >>> InverseSqrt(c=1.0)(np.array([0.0, 3.0]))
    array([1. , 0.5])
    """

    c: Annotated[float, NONNEGATIVE, "reward units"] = 1.0

    def __call__(self, step):
        return self.c / np.sqrt(np.asarray(step, dtype=np.float64) + 1.0)
