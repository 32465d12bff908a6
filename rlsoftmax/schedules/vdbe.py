"""A temperature that follows surprise."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import NONNEGATIVE, POSITIVE, Share
from rlsoftmax.contracts import Schedule
from rlsoftmax.numeric import exp


class Vdbe(Schedule):
    """Explore a state while its values change: `hottest` times epsilon(s), where epsilon(s) starts at 1 and follows

        epsilon(s) += delta (f - epsilon(s)),   f = (1 - e^-x) / (1 + e^-x),   x = |change of value(s, a)| / sigma.

    The change is that of the update itself: step size times error. A small sigma is easily surprised.

    Source: Tokic (2010), equations 5 and 6 (there epsilon is the share of random actions and delta = 1 / K).

    >>> unrest = np.ones(1)
    >>> Vdbe(delta=0.5).observe(unrest, 0, 0.0)
    >>> float(Vdbe(hottest=2.0).temperature(unrest, 0))
    1.0
    """

    hottest: Annotated[float, NONNEGATIVE, "reward units"] = 1.0
    sigma: Annotated[float, POSITIVE, "reward units"] = 0.1
    delta: Share = 0.25

    def memory(self, states):
        return {"unrest": np.ones(states)}

    def temperature(self, unrest, state):
        return self.hottest * unrest[state]

    def observe(self, unrest, state, change):
        calm = exp(-abs(change) / self.sigma)
        unrest[state] += self.delta * ((1.0 - calm) / (1.0 + calm) - unrest[state])
