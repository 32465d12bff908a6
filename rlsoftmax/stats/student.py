"""Student's t: quantiles and tails, and the one interval that is built from them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rlsoftmax.stats.scores import Floats


def t_quantile(share: float, freedom: npt.ArrayLike) -> Floats:
    """Return the quantile of Student's t; shape of `freedom`, the degrees of freedom."""
    from scipy.special import stdtrit  # scipy.stats would take 0.5 s more to import

    return np.asarray(stdtrit(np.asarray(freedom, dtype=np.float64), share))


def two_sided(t: npt.ArrayLike, freedom: npt.ArrayLike) -> Floats:
    """Return P(|T| >= |t|), the two-sided p-value."""
    from scipy.special import stdtr

    return np.asarray(2.0 * stdtr(freedom, -np.abs(t)))


def standard_error(values: Floats, axis: int = -1) -> Any:
    """Return the standard error of the mean of at least two values; exactly 0 when all are equal."""
    spread = np.where(np.ptp(values, axis=axis) == 0.0, 0.0, values.std(axis=axis, ddof=1))
    return spread / np.sqrt(values.shape[axis])
