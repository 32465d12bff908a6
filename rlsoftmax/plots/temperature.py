"""Which temperature is best? Left the curves while learning, right the score of every temperature.

Definitions: research of Patterson et al. (2024), section 4 (sensitivity curves with intervals), with the set of best of
Nelson et al. (2001) instead of a bare maximum.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rlsoftmax.plots import curves, grouping, labels, notes, scales, series, style
from rlsoftmax.plots.labels import EndLabel
from rlsoftmax.stats import conditions
from rlsoftmax.store.data import CellData, StudyData

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

SIZE = (7.2, 3.05)  # inches
MOST_BINS, FEW_BINS, FEW_RUNS = 32, 16, 50  # wider bins, less noise: what is compared is the height of whole curves
MOST_GROUPS = 4
MOST_PANELS = 4
_ALIKE = 0.6  # share of the common range that both panels must use
_STACKED = 5.0  # inches: narrower figures have one panel above the other


@dataclasses.dataclass(frozen=True, eq=False)
class Side:
    """One condition: curves over time, scores over temperature, the best of other kinds.

    temperatures: of `curves`, for their colours.
    """

    where: str
    leading: str
    best: str
    curves: tuple[series.Curve, ...]
    others: tuple[series.Curve, ...]
    lines: tuple[series.Line, ...]
    references: tuple[series.Reference, ...]
    hidden: int


@dataclasses.dataclass(frozen=True, eq=False)
class Temperature:
    """The numbers of the figure."""

    study: str
    axis: str
    score: str
    metric: str
    steps: int
    window: tuple[int, int]
    log_steps: bool
    runs: str
    sides: tuple[Side, ...]
    note: str


def numbers(study: StudyData, view: series.View) -> Temperature:
    """Return what is drawn, as plain numbers."""
    axis = grouping.temperature_axis(study, view.axis)
    which = grouping.check_score(study, view.score)
    panels = grouping.panels(study, axis, which)
    first = panels[0].cells[0]
    metric = view.metric or first.score.metric
    return Temperature(
        study=study.name,
        axis=axis,
        score=which,
        metric=metric,
        steps=int(first.edges[-1]),
        window=(first.score.start, first.score.stop),
        log_steps=series.is_log(first.edges),
        runs=notes.runs_of(study),
        sides=tuple(_side(panel, which, metric) for panel in panels[:MOST_PANELS]),
        note=_about(study, panels, which),
    )


def _side(panel: grouping.Panel, which: str, metric: str) -> Side:
    best = panel.standing.best if panel.standing is not None else None
    groups = sorted(panel.groups, key=lambda group: _height(group, which), reverse=True)
    shown = [group for group in panel.groups if group in groups[:MOST_GROUPS]]
    leading = next((group for group in shown if best in group.cells), shown[0])
    return Side(
        where=panel.where,
        leading=leading.label if len(shown) > 1 else "",
        best=_named(leading, best, len(shown)),
        curves=tuple(_curves(leading, panel, best, metric)),
        others=tuple(_others([group for group in shown if group is not leading and len(shown) == 2], which, metric)),
        lines=tuple(line for group in shown for line in _lines(group, panel, which, len(shown))),
        references=tuple(
            series.reference(rival, which) for rival in panel.rivals if grouping.has_score(rival.cell, which)
        ),
        hidden=len(panel.groups) - len(shown),
    )


def _height(group: grouping.Group, which: str) -> float:
    best = grouping.highest(group.cells, which)
    return -math.inf if best is None else grouping.mean_of(best.scores(which))


def _named(group: grouping.Group, best: CellData | None, shown: int) -> str:
    if best is None or best not in group.cells:
        return ""
    value = labels.spelled(group.values)[group.cells.index(best)]
    return f"{value}, {group.label}" if group.label and shown > 1 else value


def _lines(group: grouping.Group, panel: grouping.Panel, which: str, groups: int) -> list[series.Line]:
    """Return the score that was asked for; beside `online`, where there is room, the greedy one of the same unit."""
    scores = ["greedy"] if which == "greedy" else ["online"]
    if which == "online" and groups <= 2 and all(grouping.greedy_fits(cell) for cell in group.cells):
        scores.append("greedy")
    return [series.line(group, panel if name == which else _afresh(panel, name), name) for name in scores]


def _afresh(panel: grouping.Panel, which: str) -> grouping.Panel:
    return dataclasses.replace(panel, standing=conditions.standing(panel.cells, which))


def _curves(group: grouping.Group, panel: grouping.Panel, best: CellData | None, metric: str) -> list[series.Curve]:
    return [
        series.curve(shown.cell, metric, shown.label, shown.value, _bins(shown.cell))
        for shown in curves.of_group(group, panel, best)
        if metric in shown.cell.metrics
    ]


def _bins(cell: CellData) -> int:
    return MOST_BINS if len(cell.runs) >= FEW_RUNS else FEW_BINS


def _others(groups: Sequence[grouping.Group], which: str, metric: str) -> list[series.Curve]:
    """Return the best curve of each other group."""
    found = []
    for group in groups:
        best = grouping.highest(group.cells, which)
        if best is not None and metric in best.metrics:
            at = group.cells.index(best)
            name = f"{group.label}\n{labels.spelled(group.values)[at]}"
            found.append(series.curve(best, metric, name, group.values[at], _bins(best)))
    return found


def _about(study: StudyData, panels: Sequence[grouping.Panel], which: str) -> str:
    most = max(len(panel.groups) for panel in panels)
    return notes.about(
        study,
        notes.INTERVALS,
        f"shaded: {notes.MEMBERS}" if panels[0].standing is not None else "",
        f"the {MOST_GROUPS} best of {most} groups are shown" if most > MOST_GROUPS else "",
        f"{MOST_PANELS} of {len(panels)} conditions are shown" if len(panels) > MOST_PANELS else "",
        notes.gaps(study),
        notes.worth(study, panels[0].standing.best, which) if panels[0].standing is not None else "",
        best_by=which,
    )


# ---------------------------------------------------------------------------------------------------------------------


def draw(figure: Figure, numbers: Temperature) -> None:
    """Draw the figure; its height is chosen for its width."""
    stacked = figure.get_figwidth() < _STACKED
    rows = len(numbers.sides)
    shape = (2 * rows, 1) if stacked else (rows, 2)
    figure.set_figheight(_height_of(figure, shape))
    grid: Any = np.reshape(figure.subplots(*shape, squeeze=False), (rows, 2))
    columns = []
    for side, (left, right) in zip(numbers.sides, grid, strict=True):
        _set_limits(left, right, side)
        columns += [_draw_curves(left, numbers, side), _draw_scores(right, numbers, side)]
    labels.note(figure, numbers.note, style.ink().muted)
    labels.lay_out(figure)
    for side, (left, right) in zip(numbers.sides, grid, strict=True):
        scales.label_steps(left)
        scales.SweptScale(_all_values(side)).label(right)
        right.set_xlabel(_axis_label(numbers.axis, labels.width(right)))
    labels.settle(figure, *columns)


def _height_of(figure: Figure, shape: tuple[int, int]) -> float:
    rows, columns = shape
    each = figure.get_figwidth() / columns * 0.62
    return rows * max(min(each, 3.4), 2.1) + 0.55


def _set_limits(left: Axes, right: Axes, side: Side) -> None:
    """Give both panels the same heights, unless one would then be nearly empty."""
    times = scales.limits(curves.heights((*side.curves, *side.others)))
    scores = scales.limits(_score_heights(side))
    both = min(times[0], scores[0]), max(times[1], scores[1])
    alike = min(times[1] - times[0], scores[1] - scores[0]) > _ALIKE * (both[1] - both[0])
    left.set_ylim(*(both if alike else times))
    right.set_ylim(*(both if alike else scores))


def _score_heights(side: Side) -> list[Any]:
    points = [point for line in side.lines for point in line.points]
    return [
        *([point.mean, point.low, point.high] for point in points),
        *([reference.mean] for reference in side.references),
    ]


def _all_values(side: Side) -> tuple[float, ...]:
    return tuple(sorted({point.value for line in side.lines for point in line.points}))


def _draw_curves(axes: Axes, numbers: Temperature, side: Side) -> list[Annotation]:
    hot = curves.temperatures(_all_values(side), numbers.axis)
    best = next((point.cell for point in _scored(side, numbers.score) if point.best), None)
    ends = []
    for curve in side.curves:
        (color,) = style.heat(curves.temperatures([curve.value or 0.0], numbers.axis), hot)
        ends.append(curves.draw(axes, curve, color, bold=curve.cell == best))
    for curve in side.others:
        ends.append(curves.draw(axes, curve, style.ink().text, dashes=(0, (4, 1.6))))
    scales.steps(axes, numbers.steps, numbers.log_steps)
    axes.set_ylabel(grouping.unit(numbers.metric))
    axes.set_title(" · ".join(filter(None, ("While learning", side.leading, side.where))))
    return labels.at_ends(axes, curves.headed(ends, numbers.axis, [curve.label for curve in side.curves]))


def _scored(side: Side, which: str) -> list[series.Point]:
    return [point for line in side.lines if line.score == which for point in line.points]


def _draw_scores(axes: Axes, numbers: Temperature, side: Side) -> list[Annotation]:
    values = _all_values(side)
    scale = scales.SweptScale(values)
    several = len({line.label for line in side.lines}) > 1
    ends = [*_draw_references(axes, side.references)]
    groups = list(dict.fromkeys(line.label for line in side.lines))
    for line in side.lines:
        color = style.cycle()[groups.index(line.label) % len(style.cycle())] if several else ""
        if line.score == numbers.score and (len(groups) <= 2 or any(point.best for point in line.points)):
            _shade(axes, scale, line, color)
        ends.append(_draw_line(axes, scale, line, numbers.axis, color))
    scale.dress(axes)
    axes.set_xlabel(_axis_label(numbers.axis, math.inf))
    axes.set_ylabel(_score_label(numbers))
    axes.set_title(f"Best: {labels.key(numbers.axis)} = {side.best}" if side.best else "Score")
    return labels.at_ends(axes, [end for end in ends if end.text])


def _axis_label(axis: str, room: float) -> str:
    """Return the label of the axis; short if there is no room, in points, for the long one."""
    if axis not in ("tau", "beta"):
        return f"{labels.key(axis)}, log scale"
    word = {"tau": "temperature τ", "beta": "inverse temperature β"}[axis]
    ends = ("greedy", "uniform") if axis == "tau" else ("uniform", "greedy")
    whole = f"{ends[0]}  ←  {word}  →  {ends[1]}"
    return whole if 4.0 * len(whole) < room else f"{ends[0]} ← {labels.key(axis)} → {ends[1]}"


def _score_label(numbers: Temperature) -> str:
    start, stop = numbers.window
    if numbers.score == "greedy":
        return "value of the final greedy policy"
    over = (
        f"{scales.thousands(stop)} steps"
        if start == 0
        else f"steps {scales.thousands(start)} to {scales.thousands(stop)}"
    )
    return f"mean over {over}"


def _shade(axes: Axes, scale: scales.SweptScale, line: series.Line, color: str) -> None:
    """Shade the values that cannot be told from the best, each half-way to its neighbours."""
    places = scale.position([point.value for point in line.points])
    middles = (places[1:] + places[:-1]) / 2.0
    edges = [places[:1] - 0.5 * scale.step, middles, places[-1:] + 0.5 * scale.step]
    look = {"color": color, "alpha": 0.1} if color else {"color": style.ink().shade}
    for point, (low, high) in zip(line.points, itertools.pairwise(np.concatenate(edges)), strict=True):
        if point.member:
            axes.axvspan(low, high, linewidth=0.0, zorder=0, **look)


def _draw_references(axes: Axes, references: Sequence[series.Reference]) -> list[EndLabel]:
    ends = []
    for reference, color in zip(references, style.colors_of([one.kind for one in references]), strict=True):
        axes.axhline(reference.mean, color=color, linewidth=1.1, linestyle=(0, (5, 2)), zorder=1.5)
        ends.append(EndLabel(reference.mean, reference.label, color))
    return ends


def _draw_line(axes: Axes, scale: scales.SweptScale, line: series.Line, axis: str, color: str) -> EndLabel:
    """Draw the points of a line in their temperatures' colours, or in the line's own when there are several groups."""
    ink, greedy = style.ink(), line.score == "greedy"
    places = scale.position([point.value for point in line.points])
    means = np.array([point.mean for point in line.points])
    among = curves.temperatures([point.value for point in line.points], axis)
    colors = [color] * len(places) if color else style.heat(among, among)
    _connect(axes, scale, line, color or ink.frame)
    low, high = ([getattr(point, end) for point in line.points] for end in ("low", "high"))
    axes.vlines(places, low, high, colors=colors, linewidth=1.5, zorder=2.5)
    face = [ink.page] * len(places) if greedy else colors
    axes.scatter(places, means, s=13, c=face, edgecolors=colors, linewidths=1.0, zorder=3)
    rings = [at for at, point in enumerate(line.points) if point.best]
    axes.scatter(places[rings], means[rings], s=80, c="none", edgecolors=ink.text, linewidths=1.2, zorder=4)
    return EndLabel(float(means[-1]) if len(means) else math.nan, _line_label(line), color or ink.label)


def _line_label(line: series.Line) -> str:
    """Name the line and its highest point."""
    top = line.top.label if line.top is not None else ""
    if not line.label:
        return {"online": "while learning:\nbest", "greedy": "greedy policy\nafterwards:"}[line.score] + f" {top}"
    return f"{line.label}:\n{top}" if line.score == "online" else f"{line.label},\ngreedy: {top}"


def _connect(axes: Axes, scale: scales.SweptScale, line: series.Line, color: str) -> None:
    """Join the points that have a place on the scale; 0 and infinity are joined by dots."""
    inside = [point for point in line.points if 0.0 < point.value < math.inf]
    places = scale.position([point.value for point in inside])
    dashes: Any = (0, (3, 1.5)) if line.score == "greedy" else "-"
    axes.plot(places, [point.mean for point in inside], color=color, linewidth=1.2, linestyle=dashes, zorder=2)
    for ends in (line.points[:2], line.points[-2:]):
        if len(ends) == 2 and any(point.value in (0.0, math.inf) for point in ends):
            at = scale.position([point.value for point in ends])
            axes.plot(at, [point.mean for point in ends], color=color, linewidth=1.0, linestyle=":", zorder=2)
