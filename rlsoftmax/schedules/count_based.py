"""A temperature that falls with the visits of a state."""

from typing import Annotated

from rlsoftmax.component import NONNEGATIVE
from rlsoftmax.contracts import Schedule
from rlsoftmax.numeric import log


class CountBased(Schedule):
    """Cool each state by its own visits n: c / ln(2 + n), n counted before this choice.

    Source: state-wise logarithmic cooling after Singh, Jaakkola, Littman and Szepesvari (2000), section 4.

    >>> import numpy as np
    >>> round(float(CountBased(c=1.0).temperature(np.zeros((1, 2)), 0)), 4)
    1.4427
    """

    c: Annotated[float, NONNEGATIVE, "reward units"] = 1.0

    def temperature(self, visits, state):
        seen = 2.0
        for k in range(visits.shape[1]):
            seen += visits[state, k]
        return self.c / log(seen)
