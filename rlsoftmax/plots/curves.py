"""Curves over time that several figures share: which cells are shown, in which colours, and with which labels."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rlsoftmax.plots import grouping, labels, series, style
from rlsoftmax.plots.labels import EndLabel
from rlsoftmax.plots.series import Floats
from rlsoftmax.stats.intervals import band
from rlsoftmax.store.data import CellData, StudyData

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_CURVES = 6
STACKED = 5.0  # inches: narrower figures have one panel above the other


@dataclasses.dataclass(frozen=True, eq=False)
class Shown:
    """A cell that is drawn over time. value: its swept number, None for one that has none."""

    cell: CellData
    label: str
    value: float | None
    kind: str
    best: bool = False


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


def of_group(
    group: grouping.Group, panel: grouping.Panel, best: CellData | None, most: int = MOST_CURVES
) -> list[Shown]:
    """Return some cells of a group: the best, both ends, and others as evenly between as can be."""
    words = dict(zip(panel.values, labels.spelled(panel.values), strict=True))
    at = group.cells.index(best) if best in group.cells else 0
    return [
        Shown(group.cells[k], words[group.values[k]], group.values[k], _policy(group.cells[k]), group.cells[k] is best)
        for k in chosen(len(group.cells), at, most)
    ]


def of_study(
    study: StudyData, view: series.View, most: int = MOST_CURVES
) -> tuple[str | None, list[Shown], grouping.Panel]:
    """Return (axis, cells to draw, panel) of the first condition: the best group along the axis, and each rival.

    Where temperature is not what tells them apart, a few cells are all shown, along no axis.
    """
    which = grouping.check_score(study, view.score)
    axis = _axis(study, view, which, most)
    panel = grouping.panels(study, axis, which)[0]
    best = panel.standing.best if panel.standing is not None else grouping.highest(panel.cells, which)
    if axis is None:
        some = _from_best_to_worst(panel.groups, which, most)
        found = [Shown(g.cells[0], _name(g), None, _policy(g.cells[0]), g.cells[0] is best) for g in some]
    else:
        group = next((group for group in panel.groups if best in group.cells), panel.groups[0])
        found = of_group(group, panel, best, most)
    found += [Shown(rival.cell, rival.label, None, _policy(rival.cell)) for rival in panel.rivals[:4]]
    return axis, found, panel


def _axis(study: StudyData, view: series.View, which: str, most: int) -> str | None:
    if view.axis is not None:
        return grouping.temperature_axis(study, view.axis)
    swept = grouping.axes_with_numbers(study)
    if not swept or grouping.is_temperature(swept[0]):
        return swept[0] if swept else None
    panel = grouping.panels(study, swept[0], which)[0]
    return None if len(panel.groups) > 1 and len(panel.cells) <= most else swept[0]


def _from_best_to_worst(groups: Sequence[grouping.Group], which: str, most: int) -> Sequence[grouping.Group]:
    """Return groups of one cell each; of too many the best, the worst, and others evenly by rank between them."""
    if len(groups) <= most:
        return groups
    means = [grouping.mean_score(group.cells[0], which) for group in groups]
    ranked = sorted(range(len(groups)), key=lambda at: -means[at])
    return [groups[ranked[rank]] for rank in chosen(len(groups), 0, most)]


def some_of(shown: Sequence[Shown], panel: grouping.Panel, axis: str | None) -> str:
    """Return which of the cells are drawn, in words, if not all are: one condition, one kind along the axis, or few."""
    what = ", ".join(filter(None, (panel.where, _which(shown, panel.groups, axis))))
    return f"drawn: {what}" if what else ""


def _which(shown: Sequence[Shown], groups: Sequence[grouping.Group], axis: str | None) -> str:
    count = len(groups)
    if axis is None:
        few = f"{len(shown)} of {count} cells, evenly by rank from the best to the worst"
        return few if len(shown) < count else ""
    drawn = next((group for one in shown for group in groups if one.cell in group.cells), None)
    if drawn is None or count == 1:
        return ""
    return f"{drawn.label}, the {'best' if any(one.best for one in shown) else 'first'} of {count}"


def _name(group: grouping.Group) -> str:
    return group.label or labels.word(str(group.cells[0].config["agent"]["name"]))


def _policy(cell: CellData) -> str:
    return str(cell.config["policy"]["name"])


def temperatures(values: Sequence[float], axis: str | None) -> list[float]:
    """Return what decides the colour: for beta its inverse, so that cold is cold."""
    if axis != "beta":
        return list(values)
    return [math.inf if value == 0.0 else 0.0 if math.isinf(value) else 1.0 / value for value in values]


def colors(values: Sequence[float | None], kinds: Sequence[str], axis: str | None, among: Sequence[float]) -> list[str]:
    """Return one colour per curve: by its temperature if it has a value, else by its kind."""
    others = [kind for kind, value in zip(kinds, values, strict=True) if value is None]
    fixed = iter(style.colors_of(others))
    hot = temperatures(among, axis)
    return [next(fixed) if value is None else style.heat(temperatures([value], axis), hot)[0] for value in values]


def snapshots(one: Shown, name: str) -> series.Curve:
    """Return a curve through the snapshots of a cell, mean over runs."""
    values = np.asarray(one.cell.snapshot(name), dtype=np.float64)
    over = band(np.where(np.isfinite(values), values, np.nan))  # infinity has no place on an axis
    return _through_snapshots(one, over.mean, over.low, over.high, over.n)


def temperature_of(one: Shown) -> series.Curve:
    """Return the temperature at the snapshots of a cell: the geometric mean over runs, as temperatures are ratios.

    Runs in which it is 0 or infinite then are left out: these have no place among ratios.
    """
    values = np.asarray(one.cell.snapshot("temperature"), dtype=np.float64)
    there = np.isfinite(values) & (values > 0.0)
    over = band(np.log(np.where(there, values, np.nan)))
    fixed = np.all(values == values[:1], axis=0)  # no run differs: the temperature itself, 0 among them
    mean, low, high = (np.where(fixed, values[0], np.exp(log)) for log in (over.mean, over.low, over.high))
    return _through_snapshots(one, mean, low, high, over.n)


def _through_snapshots(one: Shown, mean: Floats, low: Floats, high: Floats, n: Any) -> series.Curve:
    steps = np.asarray(one.cell.snapshot_steps + float(series.is_log(one.cell.edges)), dtype=np.float64)
    return series.Curve(one.cell.id[:12], one.label, one.value, steps, mean, low, high, n)


def panels(figure: Figure, count: int, sharey: bool = False) -> tuple[bool, list[Axes]]:
    """Return whether the panels stand one above the other, which a narrow figure asks for, and the panels."""
    stacked = figure.get_figwidth() < STACKED
    rows, columns = (count, 1) if stacked else (1, count)
    figure.set_figheight(rows * min(max(0.62 * figure.get_figwidth() / columns, 2.2), 3.6) + 0.55)
    return stacked, list(figure.subplots(rows, columns, squeeze=False, sharey=sharey).flat)


def draw(axes: Axes, curve: series.Curve, color: str, bold: bool = False, dashes: Any = "-") -> EndLabel:
    """Draw a curve with its band, and return the label of its end."""
    axes.fill_between(curve.step, curve.low, curve.high, color=color, alpha=0.15, linewidth=0.0)
    (line,) = axes.plot(curve.step, curve.mean, color=color, linestyle=dashes)
    if bold:
        line.set_linewidth(1.35 * line.get_linewidth())
    there = curve.mean[np.isfinite(curve.mean)]
    return EndLabel(float(there[-1]) if there.size else math.nan, curve.label, color, "bold" if bold else "normal")


def headed(ends: Sequence[EndLabel], axis: str | None, named: Iterable[str]) -> list[EndLabel]:
    """Name the swept number once, at the highest of the labels that are numbers."""
    numbers = [end for end in ends if end.text in set(named) and math.isfinite(end.y)]
    if axis is None or not numbers:
        return list(ends)
    top = max(numbers, key=lambda end: end.y)
    return [dataclasses.replace(end, text=f"{labels.key(axis)} = {end.text}") if end is top else end for end in ends]


def heights(shown: Sequence[series.Curve]) -> list[Any]:
    """Return what must be seen: all means, and the bands after the first, noisy third."""
    ends = [end[len(end) // 3 :] for curve in shown for end in (curve.low, curve.high)]
    return [*(curve.mean for curve in shown), *ends]
