"""Greedy in the limit, with infinite exploration."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import Bound
from rlsoftmax.contracts import Schedule
from rlsoftmax.numeric import log


class Glie(Schedule):
    """Cool each state as C / (strength ln n): n counts its visits, this one included, C is its largest gap of values.

    The chance of every allowed action is then at least n^-strength / K, so that with strength <= 1 each is tried for
    ever, while the policy becomes greedy. Infinite (uniform) at the first visit and where all values are equal.

    Source: Singh, Jaakkola, Littman and Szepesvari (2000), section 3.1 (beta = ln n / C, strength 1).

    >>> temperature = Glie().temperature(np.array([0.0, 1.0]), np.array([[2.0, 5.0]]), 0)
    >>> round(float(temperature), 4)
    0.4809
    """

    strength: Annotated[float, Bound(0.0, 1.0, open=True)] = 1.0

    def temperature(self, values, visits, state):
        best, worst, seen = -np.inf, np.inf, 1.0
        for k in range(values.size):
            seen += visits[state, k]
            if values[k] > -np.inf:  # an action that is not allowed is worth -infinity
                best, worst = max(best, values[k]), min(worst, values[k])
        return (best - worst) / (self.strength * log(seen)) if best > worst and seen > 1.0 else np.inf
