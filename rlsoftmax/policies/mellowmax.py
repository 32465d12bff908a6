"""The policy of maximum entropy whose mean value is the mellowmax."""

from rlsoftmax.component import Temperature
from rlsoftmax.contracts import Policy
from rlsoftmax.engine.stages import mellowmax


class Mellowmax(Policy):
    """Choose in proportion to exp(beta value), where beta makes the policy's mean value the mellowmax of the values:

        sum of probability(a) value(a) = ln(mean of exp(omega value)) / omega,   omega = 1 / temperature.

    Of all policies with that mean value it has the most entropy; beta lies between 0 and omega and depends on the
    values. Temperature 0 is greedy with ties shared, infinity is uniform over the allowed actions.

    Source: Asadi and Littman (2017), section 5 (Newton's method instead of Brent's, and no fallback to uniform).

    >>> Mellowmax(temperature=0.5).temperature
    0.5
    """

    temperature: Temperature = 1.0
    weigh_lanes = staticmethod(mellowmax)
