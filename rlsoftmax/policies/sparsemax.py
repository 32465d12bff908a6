"""A softmax that gives bad actions no chance at all."""

from rlsoftmax.component import Temperature
from rlsoftmax.contracts import Policy, highest


class Sparsemax(Policy):
    """Choose with probability(k) = max(0, value(k) / temperature - threshold), the closest to value / temperature.

    Exact: whatever lies below the threshold of the rest is left out, until nothing does (Michelot, 1986). Temperature 0
    is greedy with ties shared, infinity is uniform over the allowed actions.

    Source: Martins and Astudillo (2016), equation 2.

    >>> import numpy as np
    >>> weights = np.empty(3)
    >>> Sparsemax().weigh(weights, np.array([1.0, 0.5, -1.0]), 1.0)
    >>> weights
    array([0.75, 0.25, 0.  ])
    """

    temperature: Temperature = 1.0

    def weigh(self, weights, values, temperature):
        best = highest(values)
        scale = min(max(1.0 / temperature, 1e-300), 1e300) if temperature > 0.0 else 1e300
        for k in range(values.size):
            weights[k] = (values[k] - best) * scale
        threshold, before = -1.0, 0  # what the best action alone would need; more actions only raise it
        while True:
            total, left = 0.0, 0
            for k in range(values.size):
                if weights[k] > threshold:
                    total, left = total + weights[k], left + 1
            if left == before:
                break
            threshold, before = (total - 1.0) / left, left
        for k in range(values.size):
            weights[k] = max(weights[k] - threshold, 0.0)
