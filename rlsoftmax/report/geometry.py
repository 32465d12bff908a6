"""Where things stand in a picture: scales from numbers to pixels, round ticks, paths; no drawing library."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rlsoftmax.plots import labels, scales

Floats = npt.NDArray[np.float64]
_LETTER = 6.4  # pixels of a usual letter


@dataclasses.dataclass(frozen=True)
class Frame:
    """The rectangle of the data within a picture of `width` x `height` pixels; pixels count down from the top."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float

    @property
    def across(self) -> tuple[float, float]:
        """Return the pixels of the left and the right end."""
        return self.left, self.width - self.right

    @property
    def up(self) -> tuple[float, float]:
        """Return the pixels of the low and the high end."""
        return self.height - self.bottom, self.top


@dataclasses.dataclass(frozen=True)
class Scale:
    """From numbers in [low, high] to pixels.

    >>> Scale((1.0, 100.0), (0.0, 200.0), log=True)([1.0, 10.0, 100.0]).tolist()
    [0.0, 100.0, 200.0]
    """

    ends: tuple[float, float]
    pixels: tuple[float, float]
    log: bool = False

    def __call__(self, values: npt.ArrayLike) -> Floats:
        """Return pixels, of the shape of the values."""
        numbers, low, high = np.asarray(values, dtype=np.float64), *self.ends
        if self.log:
            numbers, low, high = np.log(np.maximum(numbers, low)), math.log(low), math.log(high)
        start, stop = self.pixels
        return np.asarray(start + (numbers - low) / ((high - low) or 1.0) * (stop - start))


@dataclasses.dataclass(frozen=True)
class Tick:
    """A number on an axis. at: pixels."""

    at: float
    text: str


def ticks(scale: Scale, most: int = 5) -> list[Tick]:
    """Return round numbers inside a linear scale."""
    step = round_step(scale.ends[1] - scale.ends[0], most)
    first, last = math.ceil(scale.ends[0] / step - 1e-9), math.floor(scale.ends[1] / step + 1e-9)
    numbers = [step * k for k in range(first, last + 1)]
    return [Tick(at, f"{number:.6g}".replace("-", "−")) for at, number in zip(scale(numbers), numbers, strict=True)]


def round_step(span: float, most: int) -> float:
    """Return 1, 2 or 5 times a power of ten that divides a span into at most `most` parts.

    >>> round_step(1.7, 5), round_step(1000, 5)
    (0.5, 200.0)
    """
    if not span > 0.0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(span / most))
    return float(next(digit * power for digit in (1.0, 2.0, 5.0, 10.0) if span / (digit * power) <= most))


def step_ticks(scale: Scale) -> list[Tick]:
    """Return ticks of an axis of steps: powers of ten on a log scale, round numbers else."""
    last = scale.ends[1]
    if not scale.log:
        step = max(round_step(last - scale.ends[0], 4), 1.0)
        numbers = [step * k for k in range(int(last / step + 1e-9) + 1)]
    else:
        numbers = [10.0**k for k in range(int(math.log10(last) + 1e-9) + 1)]
    return [Tick(at, scales.thousands(number)) for at, number in zip(scale(numbers), numbers, strict=True)]


def swept_ticks(values: Sequence[float], places: Floats) -> list[Tick]:
    """Return as many of the ascending values as fit, whole octaves first; 0 and infinity always."""
    kept = [at for at, value in enumerate(values) if not labels.in_octaves(values) or _is_whole(value)]
    words = dict(zip(kept, labels.spelled([values[at] for at in kept]), strict=True))
    for every in range(1, len(kept) + 1):
        some = [at for n, at in enumerate(kept) if n % every == 0 or not 0.0 < values[at] < math.inf]
        found = [Tick(float(places[at]), words[at]) for at in some]
        if _fit(found):
            return found
    return found


def _is_whole(value: float) -> bool:
    return not 0.0 < value < math.inf or math.log2(value).is_integer()


def _fit(some: Sequence[Tick]) -> bool:
    gaps = ((b.at - a.at, (wide(a.text) + wide(b.text)) / 2.0) for a, b in itertools.pairwise(some))
    return all(gap > room + 8.0 for gap, room in gaps)


def wide(text: str) -> float:
    """Return about how many pixels a text takes."""
    return _LETTER * len(text)


def path(x: npt.ArrayLike, y: npt.ArrayLike) -> str:
    """Return the `d` of a line; it breaks where a number is missing.

    >>> path([0, 1, 2, 3], [5, 6.04, float("nan"), 8])
    'M0 5L1 6M3 8'
    """
    text, pen = [], "M"
    for a, b in zip(np.asarray(x, float).tolist(), np.asarray(y, float).tolist(), strict=True):
        if math.isfinite(a) and math.isfinite(b):
            text.append(f"{pen}{pixel(a)} {pixel(b)}")
            pen = "L"
        else:
            pen = "M"
    return "".join(text)


def ribbon(x: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike) -> str:
    """Return the `d` of the area between two lines, where both have numbers."""
    x, low, high = (np.asarray(each, dtype=np.float64) for each in (x, low, high))
    there = np.isfinite(low) & np.isfinite(high)
    if there.sum() < 2:
        return ""
    across = np.concatenate([x[there], x[there][::-1]])
    return path(across, np.concatenate([high[there], low[there][::-1]])) + "Z"


def pixel(number: float) -> str:
    """Return a tenth of a pixel as text.

    >>> pixel(3.0), pixel(0.25), pixel(-0.01)
    ('3', '0.2', '0')
    """
    text = f"{number:.1f}"
    return "0" if text == "-0.0" else text.removesuffix(".0")


def short(numbers: Floats | Sequence[float]) -> list[float | None]:
    """Return numbers with four digits; None for what is not there.

    >>> short([0.123456, float("nan"), 1000.0])
    [0.1235, None, 1000]
    """
    return [_short(number) for number in np.asarray(numbers, dtype=np.float64).tolist()]


def _short(number: float) -> float | None:
    if not math.isfinite(number):
        return None
    rounded = float(f"{number:.4g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded
