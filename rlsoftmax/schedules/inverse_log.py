"""Cooling like 1 / ln t: slow enough for simulated annealing."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import NONNEGATIVE
from rlsoftmax.contracts import Schedule
from rlsoftmax.numeric import log


class InverseLog(Schedule):
    """Cool as c / ln t, where t = step + 2: the first t of a positive logarithm.

    Source: Geman and Geman (1984), section XII; Hajek (1988) says which c is enough.

    >>> InverseLog(c=1.0)(np.array([0.0, 2.0])).round(4)
    array([1.4427, 0.7213])
    """

    c: Annotated[float, NONNEGATIVE, "reward units"] = 1.0

    def __call__(self, step):
        return self.c / log(np.asarray(step, dtype=np.float64) + 2.0)
