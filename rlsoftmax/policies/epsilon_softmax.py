"""Boltzmann, but now and then uniform."""

import numpy as np

from rlsoftmax.component import Share, Temperature
from rlsoftmax.contracts import Policy
from rlsoftmax.engine.stages import boltzmann


class EpsilonSoftmax(Policy):
    """With probability epsilon choose uniformly among the allowed actions, else by the Boltzmann policy:

        probability(k) = epsilon / K + (1 - epsilon) exp(value(k) / temperature) / Z.

    Source: the mixture of EXP3, Auer, Cesa-Bianchi, Freund and Schapire (2002), figure 1.

    >>> weights = np.array([1.0, 1.0, 0.0])
    >>> EpsilonSoftmax(epsilon=0.5).weigh(weights, np.array([5.0, 5.0, -5.0]))
    >>> weights.round(4)
    array([0.4167, 0.4167, 0.1667])
    """

    temperature: Temperature = 1.0
    epsilon: Share = 0.1
    weigh_lanes = staticmethod(boltzmann)

    def weigh(self, weights, values):  # after the stage
        total, allowed = 0.0, 0
        for k in range(weights.size):
            total += weights[k]
            allowed += 1 if values[k] > -np.inf else 0
        for k in range(weights.size):
            uniform = self.epsilon / allowed if values[k] > -np.inf else 0.0
            weights[k] = (1.0 - self.epsilon) * weights[k] / total + uniform
