"""Where do two swept numbers do well together? The score on their grid, the set of best outlined."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rlsoftmax.errors import ConfigError
from rlsoftmax.plots import grouping, labels, notes, series, style
from rlsoftmax.store.data import CellData, StudyData

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE = (5.5, 3.9)  # inches
Floats = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True, eq=False)
class Heatmap:
    """The numbers of the figure. score, member: [len(y), len(x)]; NaN where a cell is not there.

    best: (row, column), None if there is no comparison.
    """

    study: str
    which: str
    metric: str
    x_key: str
    y_key: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    score: Floats
    low: Floats
    high: Floats
    n: npt.NDArray[np.int64]
    member: npt.NDArray[np.bool_]
    best: tuple[int, int] | None
    note: str


def numbers(study: StudyData, view: series.View) -> Heatmap:
    """Return what is drawn, as plain numbers."""
    which = grouping.check_score(study, view.score)
    x_key, y_key = _axes(study, view.axis)
    panels = grouping.panels(study, x_key, which)
    panel = panels[0]
    places = {cell.id: (grouping.number_on(cell, x_key), grouping.number_on(cell, y_key)) for cell in panel.cells}
    on = [cell for cell in panel.cells if places[cell.id][1] is not None and grouping.has_score(cell, which)]
    if not on:
        raise ConfigError(f"study {study.name} has no scored cell with both {x_key} and {y_key}.")
    x, y = (tuple(sorted({places[cell.id][at] for cell in on})) for at in (0, 1))  # type: ignore[type-var]
    table: dict[tuple[int, int], CellData] = {}
    for cell in on:
        across, up = places[cell.id]
        at = (y.index(up), x.index(across))
        table[at] = cell if at not in table else grouping.highest([table[at], cell], which) or cell
    best = panel.standing.best.id if panel.standing is not None else None
    members = {cell.id for cell in panel.standing.members} if panel.standing is not None else set()
    return Heatmap(
        study=study.name, which=which, metric=on[0].score.metric, x_key=x_key, y_key=y_key, x=x, y=y,  # type: ignore[arg-type]
        **_grids(table, (len(y), len(x)), which, members),
        best=next((at for at, cell in table.items() if cell.id == best), None),
        note=_note(study, len(panels), len(on) > len(table), which),
    )  # fmt: skip


def _axes(study: StudyData, wanted: str | None) -> tuple[str, str]:
    swept = [key for key in grouping.axes_with_numbers(study) if not key.startswith("env.")]
    if wanted is not None:
        wanted = grouping.temperature_axis(study, wanted)
        swept = [wanted, *(key for key in swept if key != wanted and {key, wanted} != {"tau", "beta"})]
    if len(swept) < 2:
        raise ConfigError(
            f"study {study.name} does not sweep two numbers; such as 'tau=octaves(1/64,1)' agent.alpha=0.1,0.5."
        )
    return swept[0], swept[1]


def _grids(
    table: dict[tuple[int, int], CellData], shape: tuple[int, int], which: str, members: set[str]
) -> dict[str, Any]:
    grids = {name: np.full(shape, np.nan) for name in ("score", "low", "high")}
    n, member = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=bool)
    for at, cell in table.items():
        over = series.summary(cell.scores(which))
        grids["score"][at], grids["low"][at], grids["high"][at], n[at] = over.mean, over.low, over.high, over.n
        member[at] = cell.id in members
    return {**grids, "n": n, "member": member}


def _note(study: StudyData, panels: int, several: bool, which: str) -> str:
    return notes.about(
        study,
        f"outlined: {notes.MEMBERS}",
        "other swept keys: the best of them in each cell" if several else "",
        f"the first of {panels} conditions" if panels > 1 else "",
        best_by=which,
    )


# ---------------------------------------------------------------------------------------------------------------------


def draw(figure: Figure, numbers: Heatmap) -> None:
    """Draw the figure; its height is chosen for its width."""
    from matplotlib.ticker import MaxNLocator

    figure.set_figheight(min(max(0.68 * figure.get_figwidth(), 2.8), 5.5))
    axes = figure.subplots()
    mesh = axes.pcolormesh(numbers.score, cmap=style.yields(), edgecolors=style.ink().page, linewidth=0.4)
    _outline(axes, numbers.member)
    if numbers.best is not None:
        row, column = numbers.best
        axes.scatter([column + 0.5], [row + 0.5], s=42, c="none", edgecolors=style.ink().page, linewidths=2.6, zorder=5)
        axes.scatter(
            [column + 0.5], [row + 0.5], s=42, c="none", edgecolors=style.ink().accent, linewidths=1.4, zorder=6
        )
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    bar = figure.colorbar(mesh, ax=axes, pad=0.02, aspect=28)
    bar.outline.set_visible(False)
    bar.set_label(_unit(numbers))
    bar.locator = MaxNLocator(5)
    bar.update_ticks()
    axes.set_xlabel(f"{_name(numbers.x_key)}, log scale")
    axes.set_ylabel(_name(numbers.y_key))
    axes.set_title(_title(numbers))
    labels.note(figure, numbers.note, style.ink().muted)
    labels.lay_out(figure)
    _ticks(axes, numbers)
    labels.settle(figure)


def _name(key: str) -> str:
    return {"tau": "temperature τ", "beta": "inverse temperature β", "agent.alpha": "step size α"}.get(
        key, labels.key(key)
    )


def _unit(numbers: Heatmap) -> str:
    return "value of the final greedy policy" if numbers.which == "greedy" else grouping.unit(numbers.metric)


def _title(numbers: Heatmap) -> str:
    if numbers.best is None:
        return "Score"
    row, column = numbers.best
    words = labels.spelled(numbers.x)[column], labels.spelled(numbers.y)[row]
    return f"Best: {labels.key(numbers.x_key)} = {words[0]}, {labels.key(numbers.y_key)} = {words[1]}"


def _ticks(axes: Axes, numbers: Heatmap) -> None:
    words = labels.spelled(numbers.x)
    some = slice(0, None, -(-len(words) // labels.room(axes, words)))
    axes.set_xticks(np.arange(len(words))[some] + 0.5, words[some])
    axes.set_yticks(np.arange(len(numbers.y)) + 0.5, labels.spelled(numbers.y))
    axes.tick_params(length=0.0)


def _outline(axes: Axes, member: npt.NDArray[np.bool_]) -> None:
    """Draw the border between cells that are in the set of best and cells that are not."""
    padded = np.pad(member, 1)
    segments: list[Sequence[tuple[int, int]]] = []
    for row, column in np.argwhere(padded[1:-1, 1:] != padded[1:-1, :-1]):
        segments.append(((column, row), (column, row + 1)))
    for row, column in np.argwhere(padded[1:, 1:-1] != padded[:-1, 1:-1]):
        segments.append(((column, row), (column + 1, row)))
    for start, end in segments:
        axes.plot(*zip(start, end, strict=True), color=style.ink().accent, linewidth=1.8, zorder=4, clip_on=False)
