"""A share of what is at stake."""

from typing import Annotated, Literal

import numpy as np

from rlsoftmax.component import POSITIVE, Bound
from rlsoftmax.contracts import Schedule


class Relative(Schedule):
    """The same share of the value scale at every step: `fraction` times `scale`.

    `auto` stands for the value scale that the environment declares (the spread of a bandit's means, the prize of a
    walk); it is resolved before anything runs. So one grid of fractions suits environments with different rewards.

    Source: temperatures in units of the reward, as in Sutton and Barto (1998), section 2.3, whose rewards have scale 1.

    >>> Relative(fraction=0.25, scale=10.0)(np.array([0.0, 1.0]))
    array([2.5, 2.5])
    """

    fraction: Annotated[float, Bound(0.0, infinite=True), "of the value scale"] = 0.1
    scale: Annotated[float | Literal["auto"], POSITIVE, "reward units"] = "auto"

    @property
    def steady(self):
        return self.fraction * self.scale

    def __call__(self, step):
        return np.full(np.shape(step), self.steady)
