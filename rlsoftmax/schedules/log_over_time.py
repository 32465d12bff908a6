"""Cooling like ln t / t."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import NONNEGATIVE
from rlsoftmax.contracts import Schedule
from rlsoftmax.numeric import log


class LogOverTime(Schedule):
    """Cool as c ln t / t, where t = step + 3: from there on the curve only falls (its top is at t = e).

    Source: SoftMix, Cesa-Bianchi and Fischer (1998), section 2.

    >>> LogOverTime(c=1.0)(np.array([0.0, 1.0])).round(4)
    array([0.3662, 0.3466])
    """

    c: Annotated[float, NONNEGATIVE, "reward units"] = 1.0

    def __call__(self, step):
        t = np.asarray(step, dtype=np.float64) + 3.0
        return self.c * log(t) / t
