"""How much it matters to hit the best value of a swept number, such as the temperature."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rlsoftmax.errors import ArgumentError
from rlsoftmax.stats.intervals import Interval, interval
from rlsoftmax.stats.scores import Floats, Scores, check_least, table


@dataclasses.dataclass(frozen=True)
class Sensitivity:
    """How flat the curve of mean score over a swept number is; the axis is logarithmic, base 2.

    area: mean height of the curve over its axis, an interval over runs: the score of one who picks at random.
    best: the value with the highest mean.
    low, high: around `best` all means are within `share` of the best (linear in between on the log axis).
    width: log2(high / low), octaves.
    """

    area: Interval
    best: float
    low: float
    high: float
    width: float
    share: float = 0.05


def sensitivity(values: npt.ArrayLike, scores: Sequence[Scores] | Floats, share: float = 0.05) -> Sensitivity:
    """Return area and width of a sensitivity curve.

    Args:
      values: [cells], the swept number, any order; 0 and infinity have no place on a log axis and are left out.
      scores: one row per cell, as for `set_of_best`; only runs that all of them have are used.
      share: how far below the best still counts, as a share of |best|.

    Raises:
      ArgumentError: if fewer than 2 values are positive and finite, one repeats, or fewer than 3 runs are shared.

    Source: Patterson et al. (2024), section 4.

    >>> sensitivity([1, 2, 4], [[0.0, 1.0, 2.0], [10.0, 11.0, 12.0], [10.0, 10.0, 11.5]]).width
    1.0550000000000002
    """
    x, rows = _on_axis(values, scores)
    per_run = np.trapezoid(rows, x, axis=0) / (x[-1] - x[0])
    means = np.sort(rows, axis=1).mean(axis=1)
    best = int(np.argmax(means))
    floor = means[best] - share * abs(means[best])
    low, high = _reach(x[best::-1], means[best::-1], floor), _reach(x[best:], means[best:], floor)
    return Sensitivity(
        interval(per_run), float(np.exp2(x[best])), float(np.exp2(low)), float(np.exp2(high)), high - low, share
    )


def _on_axis(values: npt.ArrayLike, scores: Sequence[Scores] | Floats) -> tuple[Floats, Floats]:
    """Return (log2 of the values ascending, their rows of the runs that all have)."""
    numbers, rows = np.asarray(values, dtype=np.float64), table(scores)
    if numbers.shape != (len(rows),):
        raise ArgumentError(f"values must be one per row of scores, got shape {numbers.shape} for {len(rows)}.")
    kept = np.flatnonzero((numbers > 0.0) & np.isfinite(numbers))
    kept = kept[np.argsort(numbers[kept], kind="stable")]
    x = np.log2(numbers[kept])
    if len(kept) < 2 or np.any(np.diff(x) == 0.0):
        raise ArgumentError(f"values must hold at least 2 different positive finite numbers, got {numbers.tolist()}.")
    rows = rows[kept]
    rows = rows[:, ~np.isnan(rows).any(axis=0)]
    check_least(rows.shape[1], "scores of all cells together")
    return x, rows


def _reach(x: Floats, means: Floats, floor: float) -> float:
    """Return how far from x[0], going outwards, the curve stays at or above the floor."""
    under = np.flatnonzero(means < floor)
    if not under.size:
        return float(x[-1])
    after, before = under[0], under[0] - 1
    along = (means[before] - floor) / (means[before] - means[after])
    return float(x[before] + along * (x[after] - x[before]))
