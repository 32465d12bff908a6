"""What figures are made of, as plain numbers: curves over steps, points over a swept number, and their notes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rlsoftmax.plots import grouping, labels
from rlsoftmax.stats.intervals import Interval, band, interval
from rlsoftmax.stats.scores import LEAST
from rlsoftmax.store.data import SUMS, CellData

Floats = npt.NDArray[np.float64]
MOST = 400  # points of a series: more is not seen, and makes a file slow


@dataclasses.dataclass(frozen=True)
class View:
    """What the caller asked for; None is the figure's own choice.

    axis: the swept key along which to draw, such as beta. score: online or greedy. metric: of curves.
    """

    axis: str | None = None
    score: str | None = None
    metric: str | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class Curve:
    """A metric over time, the mean over runs with its band; NaN where no run has a number.

    step: [points], where each bin is drawn: on a log axis the geometric middle of its steps, which count from 1 there.
    n: [points], how many runs have a number in that bin.
    """

    cell: str
    label: str
    value: float | None
    step: Floats
    mean: Floats
    low: Floats
    high: Floats
    n: npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Point:
    """The score of one cell: mean over n runs, with its interval (NaN under 3 runs)."""

    cell: str
    label: str
    value: float
    mean: float
    low: float
    high: float
    n: int
    failed: int
    best: bool
    member: bool


@dataclasses.dataclass(frozen=True)
class Line:
    """Points along the swept number, of one group and one kind of score. highest: the value with the highest mean."""

    label: str
    score: str
    points: tuple[Point, ...]
    highest: float | None

    @property
    def top(self) -> Point | None:
        """Return the highest point of this line."""
        return next((point for point in self.points if point.value == self.highest), None)


@dataclasses.dataclass(frozen=True)
class Reference:
    """The best cell of another kind, out of `tried`."""

    cell: str
    kind: str
    label: str
    mean: float
    low: float
    high: float
    n: int
    tried: int


def coarse(cell: CellData, most: int = MOST) -> CellData:
    """Return the cell with at most `most` bins: neighbours are added, so that every number stays exact."""
    starts = _starts(cell.edges, most)
    if len(starts) == len(cell.edges) - 1:
        return cell
    sums = {
        name: np.add.reduceat(array, starts, axis=1) if name in SUMS and len(array) else array
        for name, array in cell.arrays.items()
    }
    return dataclasses.replace(cell, edges=np.append(cell.edges[starts], cell.edges[-1]), arrays=sums)


def _starts(edges: npt.NDArray[np.int64], most: int) -> npt.NDArray[np.int64]:
    """Return which bins begin a coarser one: of equal widths, or of equal ratios where bins get wider with time."""
    bins = len(edges) - 1
    if bins <= most:
        return np.arange(bins)
    if not is_log(edges):
        return np.arange(0, bins, -(-bins // most))
    wanted = np.geomspace(1.0, edges[-1], most)[:-1]  # of edges after the first, so that the first bin stays alone
    return np.unique(np.append(0, np.searchsorted(edges[:-1], wanted)))


def curve(cell: CellData, metric: str, label: str = "", value: float | None = None, most: int = MOST) -> Curve:
    """Return a metric of a cell over time, at most `most` points."""
    cell = coarse(cell, most)
    over = band(cell.metric(metric)) if len(cell.runs) else band(np.full((1, len(cell.edges) - 1), np.nan))
    return Curve(cell.id[:12], label, value, places(cell.edges), over.mean, over.low, over.high, over.n)


def is_log(edges: npt.ArrayLike) -> bool:
    """Return whether bins get wider with time, so that a log axis shows each of them.

    >>> is_log([0, 1, 3, 8, 21]), is_log([0, 250, 500, 750])
    (True, False)
    """
    widths = np.diff(edges)
    return bool(widths[-1] > 2 * widths[0])


def places(edges: npt.NDArray[np.int64]) -> Floats:
    """Return [bins], where to draw each bin: the middle of its steps on the axis that fits the bins.

    >>> places(np.array([0, 1, 4, 16])).round(2).tolist()
    [1.0, 2.83, 8.94]
    """
    if is_log(edges):
        return np.asarray(np.sqrt((edges[:-1] + 1.0) * edges[1:]))
    return np.asarray((edges[:-1] + edges[1:]) / 2.0)


def summary(scores: Floats) -> Interval:
    """Return the interval of the mean over runs; its ends are NaN under 3 runs."""
    there = scores[~np.isnan(scores)]
    if len(there) >= LEAST:
        return interval(there)
    mean = float(there.mean()) if len(there) else math.nan
    return Interval(mean, math.nan, math.nan, len(there))


def point(cell: CellData, value: float, label: str, which: str, best: bool = False, member: bool = False) -> Point:
    """Return the score of a cell that stands at `value`."""
    over, failed = summary(cell.scores(which)), len(cell.failures)
    return Point(cell.id[:12], label, value, over.mean, over.low, over.high, over.n, failed, best, member)


def line(group: grouping.Group, panel: grouping.Panel, which: str) -> Line:
    """Return the scores of a group along its values."""
    now = panel.standing
    best = now.best.id if now is not None else None
    members = {cell.id for cell in now.members} if now is not None else set()
    spelled = labels.spelled(panel.values)
    words = dict(zip(panel.values, spelled, strict=True))
    points = tuple(
        point(cell, value, words[value], which, cell.id == best, cell.id in members)
        for value, cell in zip(group.values, group.cells, strict=True)
        if grouping.has_score(cell, which)
    )
    top = grouping.highest(group.cells, which)
    highest = None if top is None else group.values[group.cells.index(top)]
    return Line(group.label, which, points, highest)


def reference(rival: grouping.Rival, which: str) -> Reference:
    """Return the score of the best of another kind."""
    over = summary(rival.cell.scores(which))
    kind = str(rival.cell.config["policy"]["name"])
    return Reference(rival.cell.id[:12], kind, rival.label, over.mean, over.low, over.high, over.n, rival.tried)


def plain(thing: Any) -> Any:
    """Return dataclasses and arrays as plain values for JSON: NaN is null, infinity is "inf".

    >>> plain(Reference("ab", "ucb", "UCB 1", 1.5, float("nan"), float("inf"), 2, 1))["low"] is None
    True
    """
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        return {field.name: plain(getattr(thing, field.name)) for field in dataclasses.fields(thing)}
    if isinstance(thing, np.ndarray):
        return plain(thing.tolist())
    if isinstance(thing, Mapping):
        return {str(key): plain(inner) for key, inner in thing.items()}
    if isinstance(thing, Sequence) and not isinstance(thing, str):
        return [plain(inner) for inner in thing]
    if isinstance(thing, (float, np.floating)):
        return None if math.isnan(thing) else {math.inf: "inf", -math.inf: "-inf"}.get(float(thing), float(thing))
    return thing.item() if isinstance(thing, np.generic) else thing
