"""The temperature that keeps a given number of actions in play."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import Bound
from rlsoftmax.contracts import Schedule, highest
from rlsoftmax.numeric import exp, log


class EntropyTarget(Schedule):
    """Choose the temperature at which the Boltzmann policy uses `actions` effective actions: exp(entropy) = actions.

    Infinite if so many actions are not allowed, 0 if more than that share the highest value. Newton's method in the
    logarithm of the temperature, kept inside a bracket; the slope is the variance of the exponents.

    Source: perplexity as the target, van der Maaten and Hinton (2008).

    >>> round(float(EntropyTarget(actions=2.0).temperature(np.array([0.0, 1.0, 2.0]))), 4)
    0.7541
    """

    actions: Annotated[float, Bound(1.0), "effective actions"] = 2.0

    def temperature(self, values):
        best = highest(values)
        allowed, ties, nearest, farthest = 0, 0, np.inf, 0.0
        for k in range(values.size):
            gap = best - values[k]
            allowed += 1 if gap < np.inf else 0
            ties += 1 if gap == 0.0 else 0
            if 0.0 < gap < np.inf:
                nearest, farthest = min(nearest, gap), max(farthest, gap)
        if self.actions >= allowed:
            return np.inf
        if self.actions <= ties:
            return 0.0
        return exp(solved(values, best, log(self.actions), nearest, farthest))


def solved(values, best, target, nearest, farthest):
    """Return ln tau at which the entropy of the policy is the target; the gaps are `nearest` to `farthest`."""
    low, at, high = log(nearest) - 8.0, log(farthest), log(farthest) + 20.0
    for _ in range(100):
        scale, total, mean, square = exp(-at), 0.0, 0.0, 0.0
        for k in range(values.size):
            if values[k] > -np.inf:
                x = (values[k] - best) * scale
                weight = exp(x)
                total, mean, square = total + weight, mean + weight * x, square + weight * x * x
        mean = mean / total
        error, slope = log(total) - mean - target, square / total - mean * mean
        low, high = (at, high) if error < 0.0 else (low, at)
        newton = at - error / slope if slope > 0.0 else low
        following = newton if low < newton < high else 0.5 * (low + high)
        if abs(following - at) <= 1e-12:
            return following
        at = following
    return at
