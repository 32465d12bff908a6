"""A number that jumps at chosen steps."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import NONNEGATIVE, Bound
from rlsoftmax.contracts import Schedule
from rlsoftmax.errors import BadValue


class Piecewise(Schedule):
    """Hold `values[i]` from step `changes[i - 1]` on (the first from step 0) until the next change.

    Source: the piecewise constant schedules of deep learning, such as Krizhevsky (2012).

    >>> Piecewise(values=(1.0, 0.1), changes=(3.0,))(np.array([0.0, 2.0, 3.0]))
    array([1. , 1. , 0.1])
    """

    values: Annotated[tuple[float, ...], NONNEGATIVE, "reward units"] = (1.0, 0.1)
    changes: Annotated[tuple[float, ...], Bound(0.0, open=True), "steps"] = (500.0,)

    def check(self):
        super().check()
        if len(self.values) != len(self.changes) + 1:
            raise BadValue("values", list(self.values), f"must be one more than changes={list(self.changes)}")
        if any(a >= b for a, b in zip(self.changes, self.changes[1:], strict=False)):
            raise BadValue("changes", list(self.changes), "must grow")

    def __call__(self, step):
        return np.asarray(self.values, dtype=np.float64)[np.searchsorted(self.changes, step, side="right")]
