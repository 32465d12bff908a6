"""Axes: steps, and numbers swept on a log scale, where 0 and infinity have places of their own."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rlsoftmax.plots import labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = npt.NDArray[np.float64]
_THIN = "\u2009"  # a narrow space between thousands


@dataclasses.dataclass(frozen=True, eq=False)
class SweptScale:
    """A log2 axis for the values of a swept number. Positions are log2; 0 and infinity stand apart at the ends.

    >>> SweptScale((0.0, 0.25, 0.5, 1.0)).position([0.25, 1.0, 0.0]).tolist()
    [-2.0, 0.0, -3.5]
    """

    values: tuple[float, ...]

    @property
    def _finite(self) -> list[float]:
        return sorted(value for value in self.values if 0.0 < value < math.inf)

    @property
    def low(self) -> float:
        """Return the position of the lowest value that is not 0."""
        return math.log2(self._finite[0]) if self._finite else 0.0

    @property
    def high(self) -> float:
        """Return the position of the highest finite value."""
        return math.log2(self._finite[-1]) if self._finite else 0.0

    @property
    def step(self) -> float:
        """Return the usual distance between neighbours."""
        gaps = np.diff(np.log2(self._finite)) if len(self._finite) > 1 else np.array([1.0])
        return float(np.median(gaps))

    def position(self, values: npt.ArrayLike) -> Floats:
        """Return where values are drawn."""
        values = np.asarray(values, dtype=np.float64)
        inside = (values > 0.0) & (values < math.inf)
        logs = np.log2(np.where(inside, values, 1.0))
        return np.where(inside, logs, np.where(values > 0.0, self.high + 1.5 * self.step, self.low - 1.5 * self.step))

    def dress(self, axes: Axes) -> None:
        """Set the limits of the axis."""
        places = self.position(sorted(self.values))
        margin = 0.6 * self.step
        axes.set_xlim(places[0] - margin, places[-1] + margin)

    def label(self, axes: Axes) -> None:
        """Set as many ticks as fit; the figure was laid out."""
        ends = [value for value in (0.0, math.inf) if value in self.values]
        for most in range(min(len(self.values), 24), 0, -1):
            ticks = self._ticks(max(most, 2))
            places = self.position([*ticks, *ends]).tolist()
            words = [*self._words(ticks), *map(labels.number, ends)]
            if labels.fit(axes, places, words):
                break
        axes.set_xticks(places, words)
        axes.set_xticks([place for place in self.position(self.values) if place not in places], minor=True)

    def _words(self, ticks: list[float]) -> list[str]:
        return [labels.number(tick) if labels.in_octaves(self.values) else labels.decimal(tick) for tick in ticks]

    def _ticks(self, most: int) -> list[float]:
        if not self._finite:
            return []
        if labels.in_octaves(self._finite):
            whole = range(math.ceil(self.low - 1e-9), math.floor(self.high + 1e-9) + 1)
            apart = next(n for n in range(1, 64) if len([k for k in whole if k % n == 0]) <= most)
            return [2.0**k for k in whole if k % apart == 0]
        return _thinned(self._finite, most) if len(self._finite) <= 2 * most else _decades(self._finite, most)


def _thinned(values: list[float], most: int) -> list[float]:
    """Return every n-th of the values themselves, so that at most `most` remain."""
    return values[:: -(-len(values) // most)]


def _decades(values: list[float], most: int) -> list[float]:
    """Return 1, 2, 5 of each decade within the values, or fewer of them."""
    powers = range(math.floor(math.log10(values[0])), math.ceil(math.log10(values[-1])) + 1)
    for digits in ((1, 2, 5), (1, 3), (1,)):
        ticks = [digit * 10.0**power for power in powers for digit in digits]
        inside = [tick for tick in ticks if values[0] <= tick <= values[-1]]
        if 2 <= len(inside) <= most:
            return inside
    return _thinned(inside or values, most)


def steps(axes: Axes, last: int, log: bool) -> None:
    """Make the horizontal axis one of steps; on a log axis they count from 1."""
    axes.set_xlabel("step, log scale" if log else "step")
    if log:
        axes.set_xscale("log")
        axes.set_xlim(1.0, max(last, 2))
    else:
        axes.set_xlim(0.0, last)


def label_steps(axes: Axes) -> None:
    """Set as many ticks of steps as fit; the figure was laid out."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    last = axes.get_xlim()[1]
    most = labels.room(axes, [thousands(round(last))])
    if axes.get_xscale() == "log":
        axes.xaxis.set_major_locator(LogLocator(10.0, numticks=most + 1))
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(min(most, 5), integer=True, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda step, _: thousands(step)))


def thousands(step: float) -> str:
    """Return a count that is read at a glance.

    >>> thousands(20000.0).replace("\\u2009", " "), thousands(2e6)
    ('20 000', '2 M')
    """
    if abs(step) >= 1e6:
        return f"{step / 1e6:.4g} M"
    return f"{step:,.0f}".replace(",", _THIN) if float(step).is_integer() else f"{step:g}"


def limits(values: Iterable[npt.ArrayLike], pad: float = 0.05) -> tuple[float, float]:
    """Return the range of all finite numbers with a margin; (0, 1) if there are none.

    >>> limits([[0.0, 10.0], [float("nan")]])
    (-0.5, 10.5)
    """
    flat = np.concatenate([np.ravel(np.asarray(value, dtype=np.float64)) for value in values] or [np.zeros(0)])
    flat = flat[np.isfinite(flat)]
    if not flat.size:
        return 0.0, 1.0
    low, high = float(flat.min()), float(flat.max())
    margin = pad * (high - low) or 0.5 * max(abs(high), 1.0) * pad
    return low - margin, high + margin
