"""Words and numbers on figures: spelled alike on axis, line and table, escaped, and never on top of each other."""

from __future__ import annotations

import dataclasses
import math
import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rlsoftmax.words import decimal, in_octaves, key, number, plain, spelled, value, word

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

__all__ = [
    "EndLabel", "Floats", "apart", "at_ends", "decimal", "fit", "in_octaves", "key", "lay_out", "note", "number",
    "plain", "room", "settle", "spelled", "value", "width", "word",
]  # fmt: skip

Floats = npt.NDArray[np.float64]

_NEAR, _FAR, _UNSEEN = 4.0, 10.0, 2.0  # points between line and label, without and with a leader; no leader below
_LEADER = {"arrowstyle": "-", "linewidth": 0.6, "alpha": 0.7, "shrinkA": 1.0, "shrinkB": 1.0, "relpos": (0.0, 0.5)}
_NARROW = {"/": 0.34, ".": 0.32, "\u2009": 0.2}  # widths of characters in font sizes; digits have 0.64


@dataclasses.dataclass(frozen=True)
class EndLabel:
    """What to write at the right end of a line that ends at height `y`."""

    y: float
    text: str
    color: str
    weight: str = "normal"


def at_ends(axes: Axes, labels: Iterable[EndLabel]) -> list[Annotation]:
    """Write labels beside the right edge of the axes; `settle` then pushes them apart."""
    return [
        axes.annotate(
            label.text, (1.0, label.y), xycoords=("axes fraction", "data"), xytext=(_NEAR, 0.0),
            textcoords="offset points", va="center", ha="left", color=label.color, fontweight=label.weight,
            annotation_clip=False, linespacing=1.05, arrowprops=_LEADER | {"color": label.color},
        )
        for label in labels
        if math.isfinite(label.y)
    ]  # fmt: skip


def lay_out(figure: Figure) -> None:
    """Give every part its place, so that widths and heights can be measured."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)


def settle(figure: Figure, *columns: Sequence[Annotation]) -> None:
    """Lay the figure out, and move the labels of each column apart, each as little as possible.

    The boxes are measured as they will be drawn, so that no label touches the next one. Afterwards the layout is fixed:
    what is saved is what was measured.
    """
    lay_out(figure)
    for column in columns:
        if column:
            _part(column)
    for axes in figure.axes:
        _keep_ticks(axes.xaxis)
        _keep_ticks(axes.yaxis)
    lay_out(figure)
    figure.set_layout_engine("none")


def _keep_ticks(axis: Any) -> None:
    """Fix the places of the ticks: matplotlib would choose others where another style is in force."""
    from matplotlib.ticker import FixedLocator

    axis.set_major_locator(FixedLocator(axis.get_majorticklocs()))
    axis.set_minor_locator(FixedLocator(axis.get_minorticklocs()))


def width(axes: Axes) -> float:
    """Return the width of the axes in points; the figure was laid out."""
    return float(axes.get_window_extent().width * 72.0 / axes.figure.dpi)


def room(axes: Axes, texts: Iterable[str]) -> int:
    """Return how many tick labels as wide as the widest of these fit under the axes; the figure was laid out."""
    return max(int(width(axes) / (max(_wide(axes, text) for text in texts) + _gap(axes))), 2)


def fit(axes: Axes, places: Sequence[float], texts: Sequence[str]) -> bool:
    """Return whether tick labels at these places (of a linear axis) do not touch; the figure was laid out."""
    low, high = axes.get_xlim()
    order = np.argsort(places)
    points = np.asarray(places)[order] / (high - low) * width(axes)
    halves = np.array([_wide(axes, texts[at]) for at in order]) / 2.0
    return bool(np.all(np.diff(points) >= halves[1:] + halves[:-1] + _gap(axes)))


def _wide(axes: Axes, text: str) -> float:
    """Return about how many points a tick label is wide."""
    return _gap(axes) * 2.0 * sum(_NARROW.get(character, 0.64) for character in text)


def _gap(axes: Axes) -> float:
    return float(axes.xaxis.get_major_ticks()[0].label1.get_fontsize()) / 2.0


def _part(column: Sequence[Any]) -> None:
    axes: Any = column[0].axes
    points = 72.0 / axes.figure.dpi
    for label in column:
        label.arrow_patch.set_visible(False)  # the box of the words alone
    heights = np.array([label.get_tightbbox().height * points for label in column])
    ends = axes.transData.transform([(0.0, label.xy[1]) for label in column])[:, 1] * points
    frame = axes.get_window_extent()
    places = apart(ends, heights + 0.6, frame.y0 * points, frame.y1 * points)
    moves = places - ends
    far = bool(np.any(np.abs(moves) > _UNSEEN))
    for label, move in zip(column, moves, strict=True):
        label.set_position((_FAR if far else _NEAR, move))
        label.arrow_patch.set_visible(far)


def apart(wanted: npt.ArrayLike, heights: npt.ArrayLike, low: float, high: float) -> Floats:
    """Return the places of boxes on a line: none overlap, and the sum of squared moves is the smallest.

    Args:
      wanted: [n] centres, any order.
      heights: [n] of the boxes.
      low, high: where the centres should stay; exceeded only if there is no room.

    Source: isotonic regression by pooling adjacent violators, Barlow et al. (1972), on centres minus the room below.

    >>> apart([1.0, 1.0, 9.0], [2.0, 2.0, 2.0], 0.0, 10.0)
    array([0., 2., 9.])
    """
    wanted, heights = np.asarray(wanted, dtype=np.float64), np.asarray(heights, dtype=np.float64)
    order = np.argsort(wanted, kind="stable")
    tall = heights[order]
    room = np.concatenate([[0.0], np.cumsum((tall[1:] + tall[:-1]) / 2.0)])
    blocks: list[list[float]] = []  # sum and number of those that move together
    for place in wanted[order] - room:
        blocks.append([place, 1.0])
        while len(blocks) > 1 and blocks[-2][0] * blocks[-1][1] >= blocks[-1][0] * blocks[-2][1]:
            total, count = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += count
    free = np.concatenate([np.full(int(count), total / count) for total, count in blocks])
    places = np.empty(len(wanted))
    places[order] = np.clip(free, low, max(high - room[-1], low)) + room
    return places


def note(figure: Figure, text: str, color: str) -> None:
    """Write the one muted line under a figure, broken where the figure ends."""
    import matplotlib

    size = 0.88 * matplotlib.rcParams["font.size"]
    characters = int(figure.get_figwidth() * 72.0 / (0.53 * size))
    lines = "\n".join(textwrap.wrap(text, max(characters, 20)))
    figure.supxlabel(lines, x=0.012, ha="left", fontsize=size, color=color, linespacing=1.25)
