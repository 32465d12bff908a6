"""Curves over steps: how a score comes about, and how many actions a policy really uses."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from rlsoftmax.plots import curves, grouping, labels, scales, series
from rlsoftmax.report import geometry
from rlsoftmax.report.geometry import Floats, Frame, Scale, Tick, short
from rlsoftmax.report.items import Item, Panel
from rlsoftmax.stats.intervals import band
from rlsoftmax.store.data import SNAPSHOT, CellData

WIDTH, HEIGHT, WIDEST = 540.0, 340.0, 150.0  # pixels: of a picture, and of the labels at the ends of its lines


@dataclasses.dataclass(frozen=True, eq=False)
class Grid:
    """Where the points of a curve stand: each is about the steps [first, last), at `log` or `linear` on the axis."""

    first: Floats
    last: Floats
    log: Floats
    linear: Floats


@dataclasses.dataclass(frozen=True, eq=False)
class Series:
    """A curve: mean over runs and half of its interval, NaN where there is none."""

    item: Item
    grid: Grid
    mean: Floats
    half: Floats


@dataclasses.dataclass(frozen=True)
class Line:
    """A curve as it is drawn at first."""

    item: Item
    path: str


@dataclasses.dataclass(frozen=True)
class Label:
    """A word at the right end of a line, or a line at this height. at: pixels."""

    item: Item
    at: float
    text: str


@dataclasses.dataclass(frozen=True, eq=False)
class Chart:
    """Curves over steps, complete without a program; the script moves its lines by `data`.

    key: its name in the data of the page. on: the selected item, area: its band. log: whether the axis of steps is.
    """

    key: str
    title: str
    frame: Frame
    log: bool
    y_ticks: Sequence[Tick]
    log_ticks: Sequence[Tick]
    linear_ticks: Sequence[Tick]
    lines: Sequence[Line]
    ends: Sequence[Label]
    on: Item
    area: str
    data: dict[str, Any]


def learning(panel: Panel, on: Item, most: int) -> Chart | None:
    """Return the curves of the score's metric, at most `most` points each; None if no cell has it."""
    metric, found, grids = on.cell.score.metric, [], dict[bytes, Grid]()
    for item in panel.drawn:
        if metric in item.cell.metrics and len(item.cell.runs):
            cell = series.coarse(item.cell, most)
            over = band(cell.metric(metric))
            grid = grids.setdefault(cell.edges.tobytes(), _bins(cell))
            found.append(Series(item, grid, over.mean, over.high - over.mean))
    return _chart(f"learning-{panel.place}", f"{grouping.unit(metric)} while learning", found, on) if found else None


def effective_actions(panel: Panel, on: Item) -> Chart | None:
    """Return exp(entropy) of the policy where snapshots were taken; None if no cell has it."""
    found, grids = [], dict[bytes, Grid]()
    for item in panel.drawn:
        if item.cell.arrays.get(f"{SNAPSHOT}effective_actions", np.zeros(0)).size:
            steps = np.asarray(item.cell.snapshot_steps, dtype=np.float64)
            over = band(item.cell.snapshot("effective_actions"))
            grid = grids.setdefault(steps.tobytes(), Grid(steps, steps + 1.0, steps + 1.0, steps))
            found.append(Series(item, grid, over.mean, over.high - over.mean))
    return _chart(f"actions-{panel.place}", "actions really used: exp(entropy)", found, on) if found else None


def _bins(cell: CellData) -> Grid:
    edges = np.asarray(cell.edges, dtype=np.float64)
    return Grid(edges[:-1], edges[1:], np.sqrt((edges[:-1] + 1.0) * edges[1:]), (edges[:-1] + edges[1:]) / 2.0)


def _chart(key: str, title: str, found: Sequence[Series], wanted: Item) -> Chart:
    chosen = next((each for each in found if each.item is wanted), found[0])
    words = max(geometry.wide(_word(each.item)) for each in found)
    frame = Frame(WIDTH, HEIGHT, 46, min(words + 14, WIDEST), 12, 40)
    steps, log, heights = (
        max(each.grid.last[-1] for each in found),
        series.is_log(chosen.item.cell.edges),
        _limits(found),
    )
    x, y = {kind: _steps(frame, steps, kind) for kind in (True, False)}, Scale(heights, frame.up)
    places = {id(each.grid): x[log](each.grid.log if log else each.grid.linear) for each in found}
    low, high = y(chosen.mean - chosen.half), y(chosen.mean + chosen.half)
    return Chart(
        key=key,
        title=title,
        frame=frame,
        log=log,
        y_ticks=geometry.ticks(y),
        log_ticks=geometry.step_ticks(x[True]),
        linear_ticks=geometry.step_ticks(x[False]),
        lines=[Line(each.item, geometry.path(places[id(each.grid)], y(each.mean))) for each in found],
        ends=_ends(found, chosen.item, y, frame),
        on=chosen.item,
        area=geometry.ribbon(places[id(chosen.grid)], low, high),
        data=_data(found, frame, steps, heights),
    )


def _steps(frame: Frame, last: float, log: bool) -> Scale:
    """Return a scale of steps; on a log scale they count from 1."""
    return Scale((1.0, max(last, 2.0)) if log else (0.0, last), frame.across, log)


def _limits(found: Sequence[Series]) -> tuple[float, float]:
    """Show all means, and the bands after the first, noisy third."""
    ends = [each.mean + sign * each.half for each in found for sign in (-1.0, 1.0)]
    return scales.limits([*(each.mean for each in found), *(end[len(end) // 3 :] for end in ends)])


def _ends(found: Sequence[Series], on: Item, y: Scale, frame: Frame) -> list[Label]:
    """Return labels at the ends of some lines of the selected group, and of other kinds; none overlap."""
    mine = [each for each in found if each.item.group == on.group]
    kept = [mine[at] for at in curves.chosen(len(mine), [each.item for each in mine].index(on))]
    kept += [each for each in found if each.item.row.rival and each not in kept]
    last = [each.mean[np.isfinite(each.mean)] for each in kept]
    wanted = [float(y(mean[-1])) if mean.size else frame.up[0] for mean in last]
    places = labels.apart(wanted, [14.0] * len(kept), frame.top, frame.up[0])
    return [Label(each.item, float(at), _word(each.item)) for each, at in zip(kept, places, strict=True)]


def _word(item: Item) -> str:
    """Return what tells a line from the others of its group, whose name is in the menu."""
    row = item.row
    return row.label if row.value is None and not row.rival else item.short


def _data(found: Sequence[Series], frame: Frame, steps: float, heights: tuple[float, float]) -> dict[str, Any]:
    """Return what the script moves lines by: the frame in pixels, ends of the axes, and the numbers."""
    grids = list({id(each.grid): each.grid for each in found}.values())
    return {
        "frame": [*frame.across, *frame.up],
        "steps": int(steps),
        "heights": list(heights),
        "grids": [
            {field.name: short(getattr(grid, field.name)) for field in dataclasses.fields(grid)} for grid in grids
        ],
        "series": {
            each.item.place: {"grid": grids.index(each.grid), "mean": short(each.mean), "half": short(each.half)}
            for each in found
        },
    }
