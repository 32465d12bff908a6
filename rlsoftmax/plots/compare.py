"""Which agent, where? The best cell of every kind in every condition, with intervals; over several studies as well."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from rlsoftmax.errors import ConfigError
from rlsoftmax.plots import grouping, labels, notes, scales, series, style
from rlsoftmax.stats.conditions import Condition, conditions, standing
from rlsoftmax.store.data import CellData, StudyData

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE = (5.5, 3.0)  # inches
_ROW, _HEAD, _NOTE = 2.0, 6.5, 5.0  # font sizes
MOST_PLACES = 8


@dataclasses.dataclass(frozen=True, eq=False)
class Place:
    """One condition of one study: its kinds, the best cell of each, highest first."""

    name: str
    metric: str
    points: tuple[series.Point, ...]
    kinds: tuple[str, ...]  # of each point: its policy, or what else tells the cells apart, for the colour


@dataclasses.dataclass(frozen=True, eq=False)
class Compare:
    """The numbers of the figure."""

    score: str
    places: tuple[Place, ...]
    note: str


def numbers(study: StudyData, view: series.View) -> Compare:
    """Return what is drawn, as plain numbers."""
    return of_studies([study], view)


def of_studies(studies: Sequence[StudyData], view: series.View) -> Compare:
    """Return the numbers of several studies, one after the other."""
    which = grouping.check_score(studies[0], view.score)
    every = [(study, condition) for study in studies for condition in conditions(study)]
    places = [place for study, condition in every for place in _places(study, condition, which, len(every) > 1)]
    if not places:
        raise ConfigError(f"study {studies[0].name} has no scored run.")
    return Compare(
        which,
        tuple(places[:MOST_PLACES]),
        " ".join(
            notes.about(
                study,
                "bars: 95\u00a0% intervals over runs",
                "each kind with its best numbers, chosen on these runs" if _chosen(study) else "",
                f"bold: {notes.MEMBERS}",
                f"{MOST_PLACES} of {len(places)} conditions are shown" if len(places) > MOST_PLACES else "",
            )
            for study in studies
        ),
    )


def _places(study: StudyData, condition: Condition, which: str, several: bool) -> Iterator[Place]:
    kinds = grouping.kinds(condition.cells)
    names = dict(zip(kinds, grouping.short_names(list(kinds)), strict=True))
    tops = {kind: best for kind, group in kinds.items() if (best := grouping.highest(group, which)) is not None}
    if not tops:
        return
    members = _members(list(tops.values()), which)
    points = [
        series.point(cell, 0.0, _name(names[kind], cell, kinds[kind]), which, member=cell.id in members)
        for kind, cell in tops.items()
    ]
    order = np.argsort([-point.mean for point in points], kind="stable")
    where = ", ".join(f"{labels.key(key)} {labels.value(value)}" for key, value in condition.where.items())
    environment = grouping.environment(condition.cells[0])
    yield Place(
        name=", ".join(filter(None, (environment, where))) if several else environment,
        metric=condition.cells[0].score.metric,
        points=tuple(points[at] for at in order),
        kinds=tuple(list(tops)[at][grouping.telling(tops)] for at in order),
    )


def _chosen(study: StudyData) -> bool:
    """Return whether some kind has several cells, of which the best is shown."""
    return any(len(group) > 1 for condition in conditions(study) for group in grouping.kinds(condition.cells).values())


def _members(cells: Sequence[CellData], which: str) -> set[str]:
    now = standing(cells, which) if len(cells) > 1 else None
    return {cell.id for cell in now.members} if now is not None else set()


def _name(kind: str, cell: CellData, kin: Sequence[CellData]) -> str:
    return " ".join([kind, *grouping.varied(cell, kin)])


# ---------------------------------------------------------------------------------------------------------------------


def draw(figure: Figure, numbers: Compare) -> None:
    """Draw the figure, as high as it has rows."""
    counts = [len(place.points) for place in numbers.places]
    import matplotlib

    size = matplotlib.rcParams["font.size"] / 72.0
    figure.set_figheight(size * (sum(_ROW * count + _HEAD for count in counts) + _NOTE))
    grid = figure.subplots(len(counts), 1, squeeze=False, height_ratios=[_ROW * count for count in counts])
    for axes, place in zip(grid[:, 0], numbers.places, strict=True):
        _draw_place(axes, place, numbers.score)
    labels.note(figure, numbers.note, style.ink().muted)
    labels.settle(figure)


def _draw_place(axes: Axes, place: Place, which: str) -> None:
    heights = -np.arange(len(place.points), dtype=np.float64)
    colors = style.colors_by(place.kinds)
    for point, height, color in zip(place.points, heights, colors, strict=True):
        axes.hlines(height, point.low, point.high, color=color, linewidth=2.2)
        axes.scatter([point.mean], [height], s=26, color=color, zorder=3)
    axes.set_yticks(heights, [point.label for point in place.points])
    for text, point in zip(axes.get_yticklabels(), place.points, strict=True):
        text.set_fontweight("bold" if point.member else "normal")
    axes.set_ylim(heights[-1] - 0.6, 0.6)
    axes.set_xlim(*scales.limits([[p.mean, p.low, p.high] for p in place.points]))
    axes.grid(False)
    axes.grid(True, axis="x")
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", nbins=5)
    axes.set_title(place.name)
    axes.set_xlabel("value of the final greedy policy" if which == "greedy" else grouping.unit(place.metric))
