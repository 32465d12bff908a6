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

from rlsoftmax.plots import grouping, labels, scales, series, style
from rlsoftmax.plots.labels import EndLabel
from rlsoftmax.stats import conditions
from rlsoftmax.store.data import CellData, StudyData

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

SIZE = (7.2, 3.05)  # inches
MOST_CURVES = 6
MOST_BINS = 32  # wider bins, less noise: what is compared is the height of whole curves
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
    notes: tuple[str, ...]


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
        runs=series.runs_of(study),
        sides=tuple(_side(panel, which, metric) for panel in panels[:MOST_PANELS]),
        notes=(_about(study, panels, which), *series.warnings_of(study)),
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
        curves=tuple(_curves(leading, best, metric, panel.values)),
        others=tuple(_others([group for group in shown if group is not leading], which, metric)),
        lines=tuple(line for group in shown for line in _lines(group, panel, which)),
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


def _lines(group: grouping.Group, panel: grouping.Panel, which: str) -> list[series.Line]:
    """Return the score that was asked for; beside `online`, the greedy one where it has the same unit."""
    scores = ["greedy"] if which == "greedy" else ["online"]
    if which == "online" and all(grouping.greedy_fits(cell) for cell in group.cells):
        scores.append("greedy")
    return [series.line(group, panel if name == which else _afresh(panel, name), name) for name in scores]


def _afresh(panel: grouping.Panel, which: str) -> grouping.Panel:
    return dataclasses.replace(panel, standing=conditions.standing(panel.cells, which))


def _curves(group: grouping.Group, best: CellData | None, metric: str, among: Sequence[float]) -> list[series.Curve]:
    """Return some of a group's curves: the best, both ends, and others as evenly between as can be."""
    at = group.cells.index(best) if best in group.cells else 0
    words = dict(zip(among, labels.spelled(among), strict=True))
    return [
        series.curve(group.cells[k], metric, words[group.values[k]], group.values[k], MOST_BINS)
        for k in chosen(len(group.cells), at)
        if metric in group.cells[k].metrics
    ]


def chosen(count: int, best: int, most: int = MOST_CURVES) -> list[int]:
    """Return at most `most` of `count` places: both ends, the best, the rest evenly between.

    >>> chosen(10, 4), chosen(3, 1)
    ([0, 2, 4, 6, 7, 9], [0, 1, 2])
    """
    if count <= most:
        return list(range(count))
    before = max(round((most - 1) * best / (count - 1)), min(best, 1))
    after = min(most - 1 - before, count - 1 - best)
    before = min(most - 1 - after, best)
    left, right = np.linspace(0, best, before + 1), np.linspace(best, count - 1, after + 1)
    return sorted({round(float(place)) for place in (*left, *right, best)})


def _others(groups: Sequence[grouping.Group], which: str, metric: str) -> list[series.Curve]:
    """Return the best curve of each other group."""
    found = []
    for group in groups:
        best = grouping.highest(group.cells, which)
        if best is not None and metric in best.metrics:
            at = group.cells.index(best)
            name = f"{group.label}\n{labels.spelled(group.values)[at]}"
            found.append(series.curve(best, metric, name, group.values[at], MOST_BINS))
    return found


def _about(study: StudyData, panels: Sequence[grouping.Panel], which: str) -> str:
    first = panels[0].cells[0]
    parts = [labels.word(str(first.config[group]["name"])) for group in ("agent", "policy")]
    groups = {str(group.label) for panel in panels for group in panel.groups}
    kinds = " vs ".join(sorted(groups)) if len(groups) in (2, 3) else ", ".join(parts)
    parts_of_note = [
        f"{grouping.environment(first)}, {kinds}: {series.runs_of(study)}",
        "bands and bars: 95 % intervals over runs",
        "shaded: cannot be told from the best (95 %, paired)" if panels[0].standing is not None else "",
        _gaps(panels),
    ]
    return "; ".join(filter(None, parts_of_note)) + "."


def _gaps(panels: Sequence[grouping.Panel]) -> str:
    """Return how much is missing because no episode ended in a bin."""
    shares = [
        float(np.mean(cell.arrays["episodes"] == 0.0))
        for panel in panels
        for cell in panel.cells
        if not grouping.is_bandit(cell) and len(cell.runs)
    ]
    share = float(np.mean(shares)) if shares else 0.0
    return f"{100 * share:.2g} % of all bins have no finished episode and are left out" if share else ""


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
    labels.note(figure, " ".join(numbers.notes), style.ink().muted)
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
    curves = scales.limits(_curve_heights((*side.curves, *side.others)))
    scores = scales.limits(_score_heights(side))
    both = min(curves[0], scores[0]), max(curves[1], scores[1])
    alike = min(curves[1] - curves[0], scores[1] - scores[0]) > _ALIKE * (both[1] - both[0])
    left.set_ylim(*(both if alike else curves))
    right.set_ylim(*(both if alike else scores))


def _curve_heights(curves: Sequence[series.Curve]) -> list[Any]:
    """Return what must be seen: all means, and the bands after the first, noisy third."""
    ends = [end[len(end) // 3 :] for curve in curves for end in (curve.low, curve.high)]
    return [*(curve.mean for curve in curves), *ends]


def _score_heights(side: Side) -> list[Any]:
    points = [point for line in side.lines for point in line.points]
    return [
        *([point.mean, point.low, point.high] for point in points),
        *([reference.mean] for reference in side.references),
    ]


def temperatures(values: Sequence[float], axis: str) -> list[float]:
    """Return what decides the colour: for beta its inverse, so that cold is cold."""
    if axis != "beta":
        return list(values)
    return [math.inf if value == 0.0 else 0.0 if math.isinf(value) else 1.0 / value for value in values]


def _all_values(side: Side) -> tuple[float, ...]:
    return tuple(sorted({point.value for line in side.lines for point in line.points}))


def _draw_curves(axes: Axes, numbers: Temperature, side: Side) -> list[Annotation]:
    values = temperatures(_all_values(side), numbers.axis)
    ends = []
    for curve in side.curves:
        (color,) = style.heat(temperatures([curve.value or 0.0], numbers.axis), values)
        best = any(point.best and point.cell == curve.cell for line in side.lines for point in line.points)
        ends.append(_draw_curve(axes, curve, color, "-", "bold" if best else "normal"))
    for curve in side.others:
        ends.append(_draw_curve(axes, curve, style.ink().text, (0, (4, 1.6)), "normal"))
    scales.steps(axes, numbers.steps, numbers.log_steps)
    axes.set_ylabel(grouping.unit(numbers.metric))
    axes.set_title(" · ".join(filter(None, ("While learning", side.leading, side.where))))
    return labels.at_ends(axes, _headed(ends, numbers.axis))


def _headed(ends: Sequence[EndLabel], axis: str) -> list[EndLabel]:
    """Name the swept number once, at the highest label."""
    highest = max(ends, key=lambda end: end.y if math.isfinite(end.y) else -math.inf, default=None)
    return [
        dataclasses.replace(end, text=f"{labels.key(axis)} = {end.text}") if end is highest else end for end in ends
    ]


def _draw_curve(axes: Axes, curve: series.Curve, color: str, dashes: Any, weight: str) -> EndLabel:
    axes.fill_between(curve.step, curve.low, curve.high, color=color, alpha=0.15, linewidth=0.0)
    (line,) = axes.plot(curve.step, curve.mean, color=color, linestyle=dashes)
    if weight == "bold":
        line.set_linewidth(1.35 * line.get_linewidth())
    there = curve.mean[np.isfinite(curve.mean)]
    return EndLabel(float(there[-1]) if there.size else math.nan, curve.label, color, weight)


def _draw_scores(axes: Axes, numbers: Temperature, side: Side) -> list[Annotation]:
    values = _all_values(side)
    scale = scales.SweptScale(values)
    several = len({line.label for line in side.lines}) > 1
    ends = [*_draw_references(axes, side.references)]
    groups = list(dict.fromkeys(line.label for line in side.lines))
    for line in side.lines:
        color = style.cycle()[groups.index(line.label) % len(style.cycle())] if several else ""
        if line.score == numbers.score:
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
    among = temperatures([point.value for point in line.points], axis)
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
