"""Scores over the swept number, the best ringed, with all that cannot be told from it; or of named cells."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from rlsoftmax.plots import grouping, labels, scales
from rlsoftmax.report import geometry
from rlsoftmax.report.geometry import Floats, Frame, Scale, Tick
from rlsoftmax.report.items import Group, Item, Items, Panel
from rlsoftmax.report.over_time import HEIGHT, WIDEST, WIDTH, Label
from rlsoftmax.stats.intervals import Interval
from rlsoftmax.store.data import CellData

_ROW, _LONGEST = 26.0, 220.0  # pixels, where names stand one below the other
_LINE = 14.0  # of text


@dataclasses.dataclass(frozen=True)
class Dot:
    """The score of an item: x and y of its mean, ends of its interval, all in pixels; text: the same in words."""

    item: Item
    x: float
    y: float
    low: float
    high: float
    text: str

    @property
    def bar(self) -> bool:
        """Return whether there is an interval: not under 3 runs."""
        return math.isfinite(self.low)


@dataclasses.dataclass(frozen=True)
class Stretch:
    """Pixels of one value that cannot be told from the best."""

    low: float
    high: float


@dataclasses.dataclass(frozen=True)
class Join:
    """The line through the dots of a group."""

    group: int
    path: str


@dataclasses.dataclass(frozen=True)
class Name:
    """The name of a group, centred at x; y: its foot."""

    group: int
    x: float
    y: float
    text: str

    def touches(self, other: Name) -> bool:
        """Return whether two names lie on each other."""
        room = (geometry.wide(self.text) + geometry.wide(other.text)) / 2.0
        return abs(self.x - other.x) < room and abs(self.y - other.y) < _LINE

    def hides(self, dot: Dot) -> bool:
        """Return whether the name lies on a dot or its interval."""
        high, low = (dot.high, dot.low) if dot.bar else (dot.y, dot.y)
        near = abs(self.x - dot.x) < geometry.wide(self.text) / 2.0 + 4.0
        return near and high - 4.0 < self.y and self.y - _LINE < low + 4.0


@dataclasses.dataclass(frozen=True, eq=False)
class Scores:
    """One picture per score and kind of axis. lying: cells are named, one below the other.

    joins: paths through the dots of a group; rules: lines of other kinds; references: words at their ends; names: of
    groups, above their highest dots.
    """

    score: str
    title: str
    x_label: str
    frame: Frame
    x_ticks: Sequence[Tick]
    dots: Sequence[Dot]
    log: bool = True
    lying: bool = False
    y_ticks: Sequence[Tick] = ()
    joins: Sequence[Join] = ()
    stretches: Sequence[Stretch] = ()
    rules: Sequence[Label] = ()
    references: Sequence[Label] = ()
    names: Sequence[Name] = ()


def scores(panel: Panel, items: Items, which: str) -> list[Scores]:
    """Return the scores of a condition: over the swept number on a log and a linear axis, or one picture of names."""
    values = sorted({item.row.value for item in panel.drawn if item.row.value is not None})
    if items.axis is None or not values:
        return [_named(panel, which)]
    straight = len(values) > 1 and values[-1] < math.inf
    kinds = (True, False) if straight else (True,)
    return [_over_values(panel, items.axis, which, values, log) for log in kinds]


def score_of(item: Item, which: str) -> Interval:
    """Return the score of an item with its interval."""
    return item.rows[which].score


def _over_values(panel: Panel, axis: str, which: str, values: Sequence[float], log: bool) -> Scores:
    on = [item for item in panel.drawn if item.row.value is not None]
    rivals = [item for item in panel.drawn if item.row.value is None and math.isfinite(score_of(item, which).mean)]
    groups = [group for group in panel.groups if not group.others]
    right = min(max((geometry.wide(item.short) for item in rivals), default=0.0) + 14, WIDEST)
    frame = Frame(WIDTH, HEIGHT, 46, max(right, 22), 12 + _LINE * min(len(groups) - 1, 5), 40)
    (x, x_ticks), y = _scale(values, frame, log), Scale(_limits([*on, *rivals], which), frame.up)
    at = dict(zip(values, x.tolist(), strict=True))
    dots = [dot_of(item, which, at[item.row.value], y) for item in on if item.row.value is not None]
    dots = [dot for dot in dots if math.isfinite(dot.y)]
    rules = [Label(item, float(y(score_of(item, which).mean)), item.short) for item in rivals]
    return Scores(
        score=which,
        log=log,
        title=title_of(on[0].cell, which),
        x_label=_axis_label(axis, log),
        frame=frame,
        x_ticks=x_ticks,
        y_ticks=geometry.ticks(y),
        dots=dots,
        joins=[Join(group.place, _path(dots, group.place)) for group in groups],
        stretches=_stretches(dots, which, x) if len(groups) <= 1 else [],
        rules=rules,
        references=_apart(rules, frame),
        names=_names(groups, dots) if len(groups) > 1 else [],
    )


def _scale(values: Sequence[float], frame: Frame, log: bool) -> tuple[Floats, list[Tick]]:
    """Return the pixels of the values, and ticks; on the log axis 0 and infinity stand apart at its ends."""
    scale = scales.SweptScale(tuple(values))
    places = scale.position(values) if log else np.asarray(values)
    margin = 0.5 * scale.step if log else 0.03 * float(np.ptp(places))
    across = Scale((float(places.min()) - margin, float(places.max()) + margin), frame.across)
    x = across(places)
    return x, geometry.swept_ticks(values, x) if log else geometry.ticks(across, 6)


def _limits(shown: Sequence[Item], which: str) -> tuple[float, float]:
    found = [score_of(item, which) for item in shown]
    return scales.limits([[each.mean, each.low, each.high] for each in found])


def dot_of(item: Item, which: str, x: float, y: Scale) -> Dot:
    """Return the score of an item that stands at x."""
    score = score_of(item, which)
    mean, low, high = y([score.mean, score.low, score.high]).tolist()
    return Dot(item, x, mean, low, high, said(item, which))


def said(item: Item, which: str) -> str:
    """Return the score of an item in words: `τ = 1/4: 1.41 ± 0.035, 1000 runs`."""
    score = score_of(item, which)
    half = f" ± {(score.high - score.low) / 2.0:.2g}" if math.isfinite(score.low) else ""
    failed = f", {len(item.cell.failures)} failed" if item.cell.failures else ""
    return f"{item.name}: {score.mean:.4g}{half}, {score.n} run{'s' * (score.n != 1)}{failed}".replace("-", "−")


def title_of(cell: CellData, which: str) -> str:
    """Return what a score is, with the steps it is over."""
    if which == "greedy":
        return "value of the final greedy policy"
    start, stop = scales.thousands(cell.score.start), scales.thousands(cell.score.stop)
    span = f"{stop} steps" if cell.score.start == 0 else f"steps {start} to {stop}"
    return f"{grouping.unit(cell.score.metric)} over {span}"


def _axis_label(axis: str, log: bool) -> str:
    kind = "log scale" if log else "linear scale"
    if axis not in ("tau", "beta"):
        return f"{labels.key(axis)}, {kind}"
    name = {"tau": "temperature τ", "beta": "inverse temperature β"}[axis]
    ends = ("greedy", "uniform") if axis == "tau" else ("uniform", "greedy")
    return f"{ends[0]} ← {name}, {kind} → {ends[1]}"


def _path(dots: Sequence[Dot], group: int) -> str:
    mine = [dot for dot in dots if dot.item.group == group]
    return geometry.path([dot.x for dot in mine], [dot.y for dot in mine])


def _stretches(dots: Sequence[Dot], which: str, x: Floats) -> list[Stretch]:
    """Return the values that cannot be told from the best, each half-way to its neighbours."""
    ends = np.concatenate([x[:1] - 12.0, (x[1:] + x[:-1]) / 2.0, x[-1:] + 12.0])
    at = [int(np.searchsorted(x, dot.x)) for dot in dots if dot.item.rows[which].member]
    return [Stretch(float(ends[k]), float(ends[k + 1])) for k in at]


def _names(groups: Sequence[Group], dots: Sequence[Dot]) -> list[Name]:
    """Return the name of each group, above or below one of its dots, the highest that has room."""
    found: list[Name] = []
    for group in groups:
        mine = sorted((dot for dot in dots if dot.item.group == group.place), key=lambda dot: dot.y)
        others = [dot for dot in dots if dot.item.group != group.place]
        some = [name for dot in mine for name in _beside(dot, group)]
        if some:
            free = (name for name in some if not any(map(name.touches, found)) and not any(map(name.hides, others)))
            found.append(next(free, some[0]))
    return found


def _beside(dot: Dot, group: Group) -> tuple[Name, Name]:
    high, low = (dot.high, dot.low) if dot.bar else (dot.y, dot.y)
    return Name(group.place, dot.x, high - 11.0, group.label), Name(group.place, dot.x, low + 20.0, group.label)


def _apart(words: Sequence[Label], frame: Frame) -> list[Label]:
    if not words:
        return []
    places = labels.apart([word.at for word in words], [_LINE] * len(words), frame.top, frame.up[0])
    return [dataclasses.replace(word, at=float(at)) for word, at in zip(words, places, strict=True)]


def _named(panel: Panel, which: str) -> Scores:
    """Return cells without a number, one below the other."""
    shown = [item for item in panel.drawn if math.isfinite(score_of(item, which).mean)]
    left = min(max((geometry.wide(item.short) for item in shown), default=40.0) + 16, _LONGEST)
    frame = Frame(WIDTH, 52.0 + _ROW * max(len(shown), 1), left, 22, 12, 40)
    x = Scale(_limits(shown, which), frame.across)
    dots = []
    for at, item in enumerate(shown):
        upright = dot_of(item, which, 0.0, x)
        dots.append(dataclasses.replace(upright, x=upright.y, y=frame.top + _ROW * (at + 0.5)))
    title = title_of(panel.items[0].cell, which)
    return Scores(which, title, title, frame, geometry.ticks(x), dots, lying=True)
