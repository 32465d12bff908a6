"""A temperature that does not change."""

from typing import Annotated, Literal

import numpy as np

from rlsoftmax.component import Bound
from rlsoftmax.contracts import Schedule


class Constant(Schedule):
    """The same number at every step: `value`.

    `auto` stands for what the agent, or else the environment, suggests; it is resolved before anything runs.

    Source: softmax action selection at one temperature, Sutton and Barto (1998), section 2.3.

    >>> Constant(0.25)(np.array([0.0, 1.0]))
    array([0.25, 0.25])
    """

    value: Annotated[float | Literal["auto"], Bound(0.0, infinite=True), "reward units"] = "auto"

    @property
    def steady(self):
        return self.value

    def __call__(self, step):
        return np.full(np.shape(step), self.value)
