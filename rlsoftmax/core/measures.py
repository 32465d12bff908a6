"""What a distribution is worth knowing for: entropies, divergences, ratios, thermodynamics.

Each measure of probabilities has a twin `..._of` for softmax policies, which starts from the values and stays accurate
where probabilities round to 0 or 1. Units are nats.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rlsoftmax.core.gaps import Weighed, lay_out, real, weigh
from rlsoftmax.core.layout import Axis, Layout, layout
from rlsoftmax.core.sums import row_sum
from rlsoftmax.errors import ArgumentError

Array = npt.NDArray[Any]


def entropy(probabilities: npt.ArrayLike, axis: Axis = -1) -> Any:
    """Return -sum(p log p) in nats.

    Args:
      probabilities: non-negative, summing to one along `axis`.

    Returns:
      Shape without `axis`: 0 for a greedy policy, ln K for the uniform one.

    Raises:
      ArgumentError: if an entry is negative.

    Source: Shannon (1948).

    >>> float(entropy([0.5, 0.5, 0.0]) / np.log(2))
    1.0
    """
    p, plan = _rows_of("probabilities", probabilities, axis)
    return plan.restore_each(_entropy(p))


def effective_actions(probabilities: npt.ArrayLike, axis: Axis = -1) -> Any:
    """Return how many actions a policy really uses: exp(entropy).

    Args, errors: as `entropy`.

    Returns:
      Shape without `axis`: 1 for a greedy policy, K for the uniform one.

    Source: Hill (1973), diversity of order 1.

    >>> float(effective_actions([0.5, 0.5, 0.0]))
    2.0
    """
    p, plan = _rows_of("probabilities", probabilities, axis)
    return plan.restore_each(np.exp(_entropy(p)))


def _entropy(p: Array) -> Array:
    with np.errstate(all="ignore"):
        return -row_sum(np.where(p == 0.0, 0.0, p * np.log(p))) + 0.0


def entropy_of(
    values: npt.ArrayLike, axis: Axis = -1, *, tau: npt.ArrayLike | None = None, where: npt.ArrayLike | None = None
) -> Any:
    """Return the entropy of softmax(values, tau=tau) in nats.

    Args, errors: as `softmax`; NaN where nothing is allowed.

    Source: H = log(sum w) - sum(p y) with exponents y <= 0: both terms have one sign, so H is accurate near 0 too.

    >>> float(entropy_of([40.0, 0.0]))
    1.7418252446695514e-16
    """
    rows = lay_out(values, axis, tau=tau, where=where)
    return rows.restore_each(_weighed_entropy(weigh(rows)))


def effective_actions_of(
    values: npt.ArrayLike, axis: Axis = -1, *, tau: npt.ArrayLike | None = None, where: npt.ArrayLike | None = None
) -> Any:
    """Return exp(entropy) of softmax(values, tau=tau): how many actions the policy really uses.

    Args, errors: as `softmax`; NaN where nothing is allowed.

    >>> effective_actions_of([[2.0, 2.0, 1.0]] * 2, tau=[0.0, np.inf])
    array([2., 3.])
    """
    rows = lay_out(values, axis, tau=tau, where=where)
    return rows.restore_each(np.exp(_weighed_entropy(weigh(rows))))


def _weighed_entropy(weighed: Weighed) -> Array:
    with np.errstate(all="ignore"):
        spread = row_sum(np.where(weighed.weight == 0.0, 0.0, weighed.weight * -weighed.exponent)) / weighed.total
        return np.where(weighed.empty, np.nan, weighed.log_total + spread)


def _rows_of(name: str, probabilities: npt.ArrayLike, axis: Axis) -> tuple[Array, Layout]:
    """Return probabilities as float64 (or longdouble) rows, checked."""
    array = real(name, probabilities)
    plan = layout(array.shape, axis)
    p = plan.to_rows(array)
    p = p if p.dtype == np.longdouble else p.astype(np.float64)
    if np.any(p < 0.0):
        raise ArgumentError(f"{name} must be >= 0, got {float(p[p < 0.0][0])!r}.")
    return p, plan
