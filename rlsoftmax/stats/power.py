"""How many runs a question needs, and how small an effect the runs at hand could have shown."""

from __future__ import annotations

import numpy as np

from rlsoftmax.errors import ArgumentError
from rlsoftmax.stats.scores import LEAST, check_level
from rlsoftmax.stats.student import t_quantile

MOST = 10**9


def power_of(effect: float, deviation: float, runs: int, level: float = 0.95, paired: bool = True) -> float:
    """Return the chance that `runs` runs show an effect in a two-sided t-test.

    Args:
      effect: true difference in mean score, in units of the score.
      deviation: standard deviation of the paired differences, or of the scores of each cell when unpaired.
      runs: of each cell.
      level: 1 - the chance of a false alarm.
      paired: the cells share their luck.

    Source: Cohen (1988), with the noncentral t distribution.

    >>> round(power_of(0.5, 1.0, 34), 3)
    0.808
    """
    from scipy.special import nctdtr, ndtr

    _check(deviation, level)
    freedom, share = (runs - 1, 1.0) if paired else (2 * runs - 2, 0.5)
    shift, edge = abs(effect) / deviation * np.sqrt(runs * share), float(t_quantile(0.5 + level / 2, freedom))
    if freedom > 1000:  # the normal limit: nctdtr loses digits there
        return float(ndtr(shift - edge) + ndtr(-shift - edge))
    wrong_sign = nctdtr(freedom, shift, -edge) if shift < 8.0 else 0.0  # <= ndtr(-shift) = 6e-16; NaN further out
    return float(1.0 - nctdtr(freedom, shift, edge) + wrong_sign)


def runs_needed(effect: float, deviation: float, power: float = 0.8, level: float = 0.95, paired: bool = True) -> int:
    """Return how many runs of each cell show an effect with the chance `power`.

    Args: as `power_of`.

    Raises:
      ArgumentError: for an effect of 0, which no number of runs can show, or more than 1e9 runs.

    >>> runs_needed(0.5, 1.0), runs_needed(0.5, 1.0, paired=False)
    (34, 64)
    """
    _check(deviation, level)
    check_power(power)
    low, high = LEAST - 1, LEAST
    while power_of(effect, deviation, high, level, paired) < power:
        low, high = high, 2 * high
        if high > MOST:
            raise ArgumentError(f"effect must be large enough for {MOST:.0e} runs to show it, got {effect}.")
    while high - low > 1:
        middle = (low + high) // 2
        enough = power_of(effect, deviation, middle, level, paired) >= power
        low, high = (low, middle) if enough else (middle, high)
    return high


def detectable_effect(
    runs: int, deviation: float, power: float = 0.8, level: float = 0.95, paired: bool = True
) -> float:
    """Return the smallest true difference that `runs` runs would have shown with the chance `power`.

    Args: as `power_of`.

    Raises:
      ArgumentError: under 3 runs.

    >>> round(detectable_effect(34, 1.0), 3)
    0.495
    """
    from scipy.optimize import brentq

    _check(deviation, level)
    check_power(power)
    if runs < LEAST:
        raise ArgumentError(f"runs must be >= {LEAST}, got {runs}.")
    high = 1.0
    while power_of(high, 1.0, runs, level, paired) < power:
        high *= 2.0
    return deviation * float(brentq(lambda effect: power_of(effect, 1.0, runs, level, paired) - power, 0.0, high))


def check_power(power: float) -> None:
    """Refuse a chance that is no share, or not above a false alarm's."""
    if not 0.0 < power < 1.0:
        raise ArgumentError(f"power must be > 0 and < 1, got {power}.")


def _check(deviation: float, level: float) -> None:
    check_level(level)
    if not 0.0 < deviation < np.inf:
        raise ArgumentError(f"deviation must be > 0 and finite, got {deviation}.")
