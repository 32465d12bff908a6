"""No exploration."""

from rlsoftmax.contracts import Policy, highest


class Greedy(Policy):
    """Choose the action of the highest value; ties are shared.

    Source: Sutton and Barto (2018), section 2.2.

    >>> import numpy as np
    >>> weights = np.empty(3)
    >>> Greedy().weigh(weights, np.array([2.0, 1.0, 2.0]))
    >>> weights
    array([1., 0., 1.])
    """

    def weigh(self, weights, values):
        best = highest(values)
        for k in range(values.size):
            weights[k] = 1.0 if values[k] == best else 0.0
