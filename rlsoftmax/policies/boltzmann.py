"""Boltzmann exploration."""

from rlsoftmax.component import Temperature
from rlsoftmax.contracts import Policy
from rlsoftmax.engine.stages import boltzmann


class Boltzmann(Policy):
    """Choose with probability(k) = exp(value(k) / temperature) / Z, where Z makes the sum one.

    Temperature 0 is greedy with ties shared, infinity is uniform over the allowed actions.

    Source: Sutton and Barto (1998), equation 2.9; Luce (1959).

    >>> Boltzmann(temperature=0.5).temperature
    0.5
    """

    temperature: Temperature = 1.0
    weigh_lanes = staticmethod(boltzmann)
