"""Between softmax and sparsemax."""

import numpy as np

from rlsoftmax.component import Temperature
from rlsoftmax.contracts import Policy, highest


class Entmax15(Policy):
    """Choose with probability(k) = max(0, value(k) / (2 temperature) - threshold)^2: alpha-entmax with alpha = 3/2.

    The threshold comes from Newton steps that can only leave actions out, and from the quadratic of the actions that
    are left as soon as they agree with it, so it is exact. Temperature 0 is greedy with ties shared, infinity is
    uniform over the allowed actions.

    Source: Peters, Niculae and Martins (2019), equations 10 and 13.

    >>> weights = np.empty(3)
    >>> Entmax15().weigh(weights, np.array([1.0, 1.0, -9.0]), 1.0)
    >>> weights.round(12)
    array([0.5, 0.5, 0. ])
    """

    temperature: Temperature = 1.0

    def weigh(self, weights, values, temperature):
        best = highest(values)
        scale = min(max(0.5 / temperature, 1e-300), 1e300) if temperature > 0.0 else 1e300
        for k in range(values.size):
            weights[k] = (values[k] - best) * scale
        threshold = threshold_of(weights)
        for k in range(values.size):
            root = max(weights[k] - threshold, 0.0)
            weights[k] = root * root


def threshold_of(x):
    """Return t such that the sum of max(0, x - t)^2 is 1; the largest x is 0."""
    t = -1.0
    for _ in range(100):
        n, mean, lowest = 0.0, 0.0, 0.0
        for k in range(x.size):
            if x[k] > t:
                n, mean, lowest = n + 1.0, mean + x[k], min(lowest, x[k])
        mean, spread, excess = mean / n, 0.0, 0.0
        for k in range(x.size):
            if x[k] > t:
                spread += (x[k] - mean) * (x[k] - mean)
                excess += (x[k] - t) * (x[k] - t)
        exact = mean - np.sqrt(max(1.0 - spread, 0.0) / n)
        if spread <= 1.0 and t <= exact < lowest:
            return exact
        step = (excess - 1.0) / (2.0 * n * (mean - t))
        if step <= 0.0:
            return t
        t += step
    return t
