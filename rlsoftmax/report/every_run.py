"""What a mean hides: the score of every run as a dot."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from rlsoftmax.plots import curves, labels, scales
from rlsoftmax.report import geometry
from rlsoftmax.report.geometry import Floats, Frame, Scale, Tick
from rlsoftmax.report.items import Item, Panel
from rlsoftmax.report.scores import Dot, dot_of, score_of, title_of

WIDTH, HEIGHT, MOST_COLUMNS = 1080.0, 300.0, 40
_GOLDEN = 0.6180339887498949


@dataclasses.dataclass(frozen=True)
class Column:
    """The scores of an item. text: its name; dots: `d` of all runs; mean: with its interval; median: pixels."""

    item: Item
    text: str
    x: float
    wide: float
    dots: str
    mean: Dot
    median: float


@dataclasses.dataclass(frozen=True, eq=False)
class Runs:
    """A column per item. turned: whether the words under them stand upright; hidden: items left out."""

    score: str
    title: str
    frame: Frame
    x_label: str
    y_ticks: Sequence[Tick]
    columns: Sequence[Column]
    turned: bool
    hidden: int


def runs(panel: Panel, axis: str | None, which: str, most: int) -> Runs:
    """Return every run as a dot: at most `most` per item, evenly by rank; at most 40 items, the best among them."""
    having = [item for item in panel.drawn if math.isfinite(score_of(item, which).mean)]
    best = next((at for at, item in enumerate(having) if item.rows[which].best), 0)
    shown = [having[at] for at in curves.chosen(len(having), best, MOST_COLUMNS)] if having else []
    long = max((geometry.wide(_word(item)) for item in shown), default=0.0)
    wide = (WIDTH - 58.0) / max(len(shown), 1)
    turned = long > wide - 6
    frame = Frame(WIDTH, HEIGHT, 46, 12, 12, min(long + 24, 150) + 14 if turned else 40)
    ranked = [_ascending(item, which) for item in shown]
    y = Scale(scales.limits(ranked), frame.up)
    columns = [
        _column(item, row, which, (frame.left + wide * (at + 0.5), wide), y, most)
        for at, (item, row) in enumerate(zip(shown, ranked, strict=True))
    ]
    title = title_of(panel.items[0].cell, which)
    x_label = labels.key(axis) if axis is not None else ""
    return Runs(which, title, frame, x_label, geometry.ticks(y), columns, turned, len(having) - len(shown))


def _word(item: Item) -> str:
    return f"{item.row.group} {item.row.label}".strip()


def _ascending(item: Item, which: str) -> Floats:
    values = np.sort(item.cell.scores(which))
    return np.asarray(values[~np.isnan(values)])


def _column(item: Item, ranked: Floats, which: str, place: tuple[float, float], y: Scale, most: int) -> Column:
    x, wide = place
    some = ranked[np.unique(np.linspace(0, len(ranked) - 1, most).round().astype(np.int64))]
    aside = min(0.62 * wide, 90.0) * (np.arange(len(some)) * _GOLDEN % 1.0 - 0.5)  # evenly, the same every time
    at = zip((x + aside).tolist(), y(some).tolist(), strict=True)
    dots = "".join(f"M{geometry.pixel(across)} {geometry.pixel(up)}h0" for across, up in at)
    return Column(item, _word(item), x, wide, dots, dot_of(item, which, x, y), float(y(np.median(ranked))))
