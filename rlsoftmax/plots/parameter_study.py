"""Which parameter, which method? The score of every kind of agent against its own swept number, on one log axis.

Source: Sutton and Barto (2018), figure 2.6, with the intervals and the runners-up that it lacks.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rlsoftmax.errors import ConfigError
from rlsoftmax.plots import grouping, labels, notes, scales, series, style
from rlsoftmax.stats.conditions import conditions
from rlsoftmax.store.data import CellData, StudyData

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
SIZE = (5.5, 3.5)  # inches


@dataclasses.dataclass(frozen=True, eq=False)
class Method:
    """A kind of agent along its own number `key`; where several cells share a value, the best of them stands for it."""

    kind: str
    label: str
    key: str
    points: tuple[series.Point, ...]
    alone: bool


@dataclasses.dataclass(frozen=True, eq=False)
class ParameterStudy:
    """The numbers of the figure."""

    study: str
    score: str
    metric: str
    steps: int
    methods: tuple[Method, ...]
    note: str


def numbers(study: StudyData, view: series.View) -> ParameterStudy:
    """Return what is drawn, as plain numbers."""
    which = grouping.check_score(study, view.score)
    whole = conditions(study)
    methods = tuple(_methods(whole[0].cells, which))
    if not methods:
        raise ConfigError(f"study {study.name} sweeps no number; such as agent.alpha=0.1,0.2,0.4.")
    first = whole[0].cells[0]
    return ParameterStudy(
        study=study.name,
        score=which,
        metric=first.score.metric,
        steps=int(first.edges[-1]),
        methods=methods,
        note=notes.about(
            study,
            "bands: 95\u00a0% intervals over runs; dots: the best of each, chosen on these runs",
            "" if all(method.alone for method in methods) else "other swept numbers: the best of them at each point",
            f"the first of {len(whole)} conditions" if len(whole) > 1 else "",
            best_by=which,
        ),
    )


def _methods(cells: Sequence[CellData], which: str) -> Iterator[Method]:
    kinds = grouping.kinds(cells)
    for name, (parts, group) in zip(grouping.short_names(list(kinds)), kinds.items(), strict=True):
        scored = [cell for cell in group if grouping.has_score(cell, which)]
        key = _key(scored)
        if key is not None:
            yield _method(name, parts[0] if style.is_kept(parts[0]) else parts[1], key, scored, which)


def _key(cells: Sequence[CellData]) -> str | None:
    """Return the swept key with the most numbers among these cells; None if there are not two."""
    keys = list(dict.fromkeys(key for cell in cells for key in cell.overrides if not key.startswith("env")))
    counts = {key: len({grouping.number_on(cell, key) for cell in cells} - {None, 0.0, math.inf}) for key in keys}
    best = max(counts, key=lambda key: counts[key], default=None)
    return best if best is not None and counts[best] > 1 else None


def _method(name: str, kind: str, key: str, cells: Sequence[CellData], which: str) -> Method:
    groups: dict[float, list[CellData]] = {}
    for cell in cells:
        value = grouping.number_on(cell, key)
        if value is not None and 0.0 < value < math.inf:
            groups.setdefault(value, []).append(cell)
    tops = {value: top for value in sorted(groups) if (top := grouping.highest(groups[value], which)) is not None}
    best = grouping.highest(list(tops.values()), which)
    words = labels.spelled(list(tops))
    points = tuple(
        series.point(cell, value, word, which, best=cell is best)
        for (value, cell), word in zip(tops.items(), words, strict=True)
    )
    return Method(kind, name, key, points, all(len(group) == 1 for group in groups.values()))


# ---------------------------------------------------------------------------------------------------------------------


def draw(figure: Figure, numbers: ParameterStudy) -> None:
    """Draw the figure; its height is chosen for its width."""
    figure.set_figheight(min(max(0.62 * figure.get_figwidth(), 2.9), 5.2))
    axes = figure.subplots()
    scale = scales.SweptScale(tuple(sorted({p.value for method in numbers.methods for p in method.points})))
    colors = style.colors_of([method.kind for method in numbers.methods])
    plain = next((method for method in numbers.methods if method.kind == "boltzmann"), None)
    scale.dress(axes)
    axes.set_ylim(*_limits(numbers))
    ends = [
        _draw_method(axes, scale, method, color, method is plain)
        for method, color in zip(numbers.methods, colors, strict=True)
    ]
    axes.set_xlabel(f"{', '.join(dict.fromkeys(labels.key(method.key) for method in numbers.methods))}, log scale")
    axes.set_ylabel(_unit(numbers))
    axes.set_title("Parameter study")
    labels.note(figure, numbers.note, style.ink().muted)
    labels.lay_out(figure)
    scale.label(axes)
    labels.settle(figure, labels.at_ends(axes, ends))


def _unit(numbers: ParameterStudy) -> str:
    if numbers.score == "greedy":
        return "value of the final greedy policy"
    return f"{grouping.unit(numbers.metric)}, {scales.thousands(numbers.steps)} steps"


def _draw_method(axes: Axes, scale: scales.SweptScale, method: Method, color: str, bold: bool) -> labels.EndLabel:
    """Draw a line with its band; a dot and a dotted level lead from its best point to its name."""
    places = scale.position([point.value for point in method.points])
    mean, low, high = (np.array([getattr(p, end) for p in method.points]) for end in ("mean", "low", "high"))
    axes.fill_between(places, low, high, color=color, alpha=0.13, linewidth=0.0)
    axes.plot(places, mean, color=color, linewidth=2.3 if bold else 1.5)
    at = next(at for at, point in enumerate(method.points) if point.best)
    page = style.ink().page
    axes.scatter([places[at]], [mean[at]], s=38, c=color, edgecolors=page, linewidths=1.2, zorder=3)
    axes.hlines(mean[at], places[at], axes.get_xlim()[1], color=color, linewidth=0.7, linestyle=(0, (1, 2)))
    words = f"{method.label}\n{labels.key(method.key)} = {method.points[at].label}"
    return labels.EndLabel(float(mean[at]), words, color, "bold" if bold else "normal")


def _limits(numbers: ParameterStudy) -> tuple[float, float]:
    """Cut what is far below: the differences between the best are what the figure is for."""
    means = [np.array([point.mean for point in method.points]) for method in numbers.methods]
    low, high = scales.limits(means)
    tops: Any = [row.max() for row in means]
    floor = max(tops) - max(4.0 * (max(tops) - min(tops)), 0.5 * (max(tops) - low))
    return max(low, floor), high
