"""Greedy, but now and then uniform."""

import numpy as np

from rlsoftmax.component import Share
from rlsoftmax.contracts import Policy, highest


class EpsilonGreedy(Policy):
    """Choose uniformly among the allowed actions with probability epsilon, else the best:

        probability(k) = epsilon / K + (1 - epsilon) (1 if k is best, else 0) / ties.

    Source: Sutton and Barto (2018), section 2.2.

    >>> weights = np.empty(4)
    >>> EpsilonGreedy(epsilon=0.4).weigh(weights, np.array([2.0, 1.0, 0.0, 1.0]))
    >>> weights.round(3)
    array([0.7, 0.1, 0.1, 0.1])
    """

    epsilon: Share = 0.1

    def weigh(self, weights, values):
        best, ties, allowed = highest(values), 0, 0
        for k in range(values.size):
            ties += 1 if values[k] == best else 0
            allowed += 1 if values[k] > -np.inf else 0
        for k in range(values.size):
            uniform = self.epsilon / allowed if values[k] > -np.inf else 0.0
            weights[k] = uniform + ((1.0 - self.epsilon) / ties if values[k] == best else 0.0)
