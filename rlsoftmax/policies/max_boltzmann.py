"""Greedy, but now and then Boltzmann."""

from rlsoftmax.component import Share, Temperature
from rlsoftmax.contracts import Policy
from rlsoftmax.engine.stages import boltzmann


class MaxBoltzmann(Policy):
    """With probability epsilon choose by the Boltzmann policy, else the best action; ties are shared:

        probability(k) = epsilon exp(value(k) / temperature) / Z + (1 - epsilon) (1 if k is best, else 0) / ties.

    Source: Wiering (1999), section 5.2.2 (Max-Boltzmann exploration).

    >>> import numpy as np
    >>> weights = np.array([1.0, 0.5, 0.5])
    >>> MaxBoltzmann(epsilon=0.5).weigh(weights)
    >>> weights
    array([0.75 , 0.125, 0.125])
    """

    temperature: Temperature = 1.0
    epsilon: Share = 0.1
    weigh_lanes = staticmethod(boltzmann)

    def weigh(self, weights):  # after the stage, where a best action weighs exactly 1
        total, ties = 0.0, 0
        for k in range(weights.size):
            total += weights[k]
            ties += 1 if weights[k] == 1.0 else 0
        for k in range(weights.size):
            best = (1.0 - self.epsilon) / ties if weights[k] == 1.0 else 0.0
            weights[k] = self.epsilon * weights[k] / total + best
