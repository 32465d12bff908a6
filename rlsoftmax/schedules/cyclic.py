"""Cooling along half a wave, again and again."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import NONNEGATIVE, POSITIVE, Bound
from rlsoftmax.contracts import Schedule
from rlsoftmax.numeric import cosine, log, power


class Cyclic(Schedule):
    """Go from `start` to `end` along half a cosine, then jump back; each cycle is `growth` times as long as the last:

        end + (start - end) (1 + cos(pi t / length)) / 2,

    where t counts the steps since the last restart. The first cycle is the steps 0 ... period - 1.

    Source: warm restarts, Loshchilov and Hutter (2017), equation 5 (their T_mult is `growth`).

    >>> Cyclic(start=1.0, end=0.0, period=4.0, growth=2.0)(np.array([0.0, 2.0, 4.0, 8.0, 12.0]))
    array([1. , 0.5, 1. , 0.5, 1. ])
    """

    start: Annotated[float, NONNEGATIVE, "reward units"] = 1.0
    end: Annotated[float, NONNEGATIVE, "reward units"] = 0.05
    period: Annotated[float, POSITIVE, "steps"] = 500.0
    growth: Annotated[float, Bound(1.0)] = 1.0

    def __call__(self, step):
        step = np.asarray(step, dtype=np.float64)
        cycle = self._cycle(step)
        cycle = np.where(step < self._begin(cycle), cycle - 1.0, cycle)  # the logarithm may have rounded across
        cycle = np.where(step >= self._begin(cycle + 1.0), cycle + 1.0, cycle)
        begin = self._begin(cycle)
        done = (step - begin) / (self._begin(cycle + 1.0) - begin)
        return self.end + (self.start - self.end) * (0.5 + 0.5 * cosine(np.pi * done))

    def _cycle(self, step):
        """Return roughly in which cycle a step is."""
        cycles = step / self.period
        if self.growth > 1.0:
            cycles = log(1.0 + cycles * (self.growth - 1.0)) / log(self.growth)
        return np.floor(cycles)

    def _begin(self, cycle):
        """Return the first step of a cycle."""
        if self.growth == 1.0:
            return self.period * cycle
        return self.period * (power(self.growth + 0.0 * cycle, cycle) - 1.0) / (self.growth - 1.0)
