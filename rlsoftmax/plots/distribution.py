"""What hides behind a mean? The score of every run as a dot, and the runs of the best cell with some of them lit.

Source: Tanaka and Mahmood (2026) for highlighting the runs nearest to percentiles instead of averaging them.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rlsoftmax.errors import ConfigError
from rlsoftmax.plots import curves, grouping, labels, notes, scales, series, style
from rlsoftmax.stats.conditions import kind
from rlsoftmax.store.data import CellData, StudyData

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

SIZE = (7.2, 3.1)  # inches
MOST_DOTS, MOST_RUNS, MOST_BINS = 200, 60, 20
PERCENTILES = (5, 25, 50, 75, 95)
_STACKED = 5.0  # inches
_NAMES, _LIT = 44, 11  # characters that fit below the dots, and into a title
_GOLDEN = 0.6180339887498949
Floats = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True, eq=False)
class Spread:
    """The scores of one cell: all of them ascending, or evenly chosen ones of many; with what sums them up."""

    point: series.Point
    kind: str
    swept: bool
    scores: Floats
    median: float


@dataclasses.dataclass(frozen=True, eq=False)
class Run:
    """One run over time. percentile: of its score among all runs, None for a faint one."""

    run: int
    percentile: int | None
    mean: Floats


@dataclasses.dataclass(frozen=True, eq=False)
class Distribution:
    """The numbers of the figure."""

    study: str
    axis: str | None
    score: str
    metric: str
    steps: int
    log_steps: bool
    values: tuple[float, ...]
    spreads: tuple[Spread, ...]
    lit: str
    step: Floats
    runs: tuple[Run, ...]
    note: str


def numbers(study: StudyData, view: series.View) -> Distribution:
    """Return what is drawn, as plain numbers."""
    which = grouping.check_score(study, view.score)
    axis, shown, panel = curves.of_study(study, view, most=12)
    shown = [one for one in shown if grouping.has_score(one.cell, which) and (axis is None or one.value is not None)]
    if not shown:
        raise ConfigError(f"study {study.name} has no scored run.")
    telling = grouping.telling([kind(one.cell) for one in shown])
    lit = next((one for one in shown if one.best), shown[0])
    cell = series.coarse(lit.cell, MOST_BINS)
    metric = view.metric or cell.score.metric
    name = f"{labels.key(axis)} = {lit.label}" if axis is not None and lit.value is not None else lit.label
    return Distribution(
        study=study.name,
        axis=axis,
        score=which,
        metric=metric,
        steps=int(cell.edges[-1]),
        log_steps=series.is_log(cell.edges),
        values=panel.values,
        spreads=tuple(_spread(one, which, telling) for one in shown),
        lit=name,
        step=series.places(cell.edges),
        runs=tuple(_runs(cell, metric, which)),
        note=notes.about(
            study,
            curves.some_of(shown, panel, axis),
            "dots: runs (at most 200, evenly by rank); bars: 95\u00a0% intervals of the mean, dashes: medians",
            f"right: runs of {name}, those nearest to percentiles of the score lit",
        ),
    )


def _spread(one: curves.Shown, which: str, telling: int) -> Spread:
    scores = np.sort(one.cell.scores(which))
    scores = scores[~np.isnan(scores)]
    some = scores[np.unique(np.linspace(0, len(scores) - 1, MOST_DOTS).round().astype(np.int64))]
    value = one.value if one.value is not None else float("nan")
    point = series.point(one.cell, value, one.label, which, best=one.best)
    return Spread(point, kind(one.cell)[telling], one.value is not None, some, float(np.median(scores)))


def _runs(cell: CellData, metric: str, which: str) -> list[Run]:
    """Return the runs nearest to each percentile, and faint ones evenly by rank."""
    scores, values = cell.scores(which), cell.metric(metric)
    order = np.argsort(scores, kind="stable")[: np.count_nonzero(~np.isnan(scores))]
    lit = {int(order[round(p / 100 * (len(order) - 1))]): p for p in PERCENTILES} if len(order) else {}
    faint = order[np.unique(np.linspace(0, len(order) - 1, MOST_RUNS).round().astype(np.int64))]
    places = [*(int(at) for at in faint if int(at) not in lit), *lit]
    return [Run(int(cell.runs[at]), lit.get(at), np.asarray(values[at])) for at in places]


# ---------------------------------------------------------------------------------------------------------------------


def draw(figure: Figure, numbers: Distribution) -> None:
    """Draw the figure; its height is chosen for its width."""
    stacked = figure.get_figwidth() < _STACKED
    shape = (2, 1) if stacked else (1, 2)
    each = min(max(0.31 * figure.get_figwidth() * (2 if stacked else 1), 2.2), 3.4)
    lying = _has_long_names(numbers)
    each = max(each, 0.22 * len(numbers.spreads) + 0.7) if lying else each
    figure.set_figheight(each * shape[0] + 0.6)
    left, right = figure.subplots(*shape)
    (_draw_rows if lying else _draw_columns)(left, numbers)
    ends = _draw_runs(right, numbers)
    labels.note(figure, numbers.note, style.ink().muted)
    labels.lay_out(figure)
    words = [spread.point.label for spread in numbers.spreads]
    if not lying and labels.room(left, words) < len(words):
        left.tick_params(axis="x", labelrotation=90)
    scales.label_steps(right)
    labels.settle(figure, ends)


def _has_long_names(numbers: Distribution) -> bool:
    """Return whether the cells are called by names that do not fit below their dots."""
    return numbers.axis is None and sum(len(spread.point.label) + 2 for spread in numbers.spreads) > _NAMES


def _colors(numbers: Distribution) -> list[str]:
    kinds = [spread.kind for spread in numbers.spreads]
    if not any(spread.swept for spread in numbers.spreads):
        return style.colors_by(kinds)
    values = [spread.point.value if spread.swept else None for spread in numbers.spreads]
    return curves.colors(values, kinds, numbers.axis, numbers.values)


def _aside(spread: Spread) -> Floats:
    """Return how far each dot moves out of the line, evenly, and the same every time."""
    return np.asarray(0.62 * (np.arange(len(spread.scores)) * _GOLDEN % 1.0 - 0.5))


def _draw_rows(axes: Axes, numbers: Distribution) -> None:
    """Draw every run, cells below each other."""
    ink = style.ink()
    for at, (spread, color) in enumerate(zip(numbers.spreads, _colors(numbers), strict=True)):
        axes.scatter(spread.scores, at + _aside(spread), s=4, color=color, alpha=0.45, linewidths=0.0, zorder=2)
        axes.hlines(at, spread.point.low, spread.point.high, color=ink.text, linewidth=1.6, zorder=4)
        axes.scatter([spread.point.mean], [at], s=16, color=ink.text, zorder=4)
        axes.vlines(spread.median, at - 0.36, at + 0.36, color=ink.text, linewidth=1.0, zorder=3)
    axes.set_yticks(np.arange(len(numbers.spreads)), [spread.point.label for spread in numbers.spreads])
    axes.set_ylim(len(numbers.spreads) - 0.4, -0.6)
    axes.set_xlim(*scales.limits(spread.scores for spread in numbers.spreads))
    axes.grid(False, axis="y")
    axes.grid(True, axis="x")
    axes.locator_params(axis="x", nbins=3)
    axes.set_xlabel(_quantity(numbers))
    axes.set_title("Every run")


def _quantity(numbers: Distribution) -> str:
    return "value of the final greedy policy" if numbers.score == "greedy" else grouping.unit(numbers.metric)


def _draw_columns(axes: Axes, numbers: Distribution) -> None:
    """Draw every run, cells beside each other."""
    for at, (spread, color) in enumerate(zip(numbers.spreads, _colors(numbers), strict=True)):
        axes.scatter(at + _aside(spread), spread.scores, s=4, color=color, alpha=0.45, linewidths=0.0, zorder=2)
        ink = style.ink()
        axes.vlines(at, spread.point.low, spread.point.high, color=ink.text, linewidth=1.6, zorder=4)
        axes.scatter([at], [spread.point.mean], s=16, color=ink.text, zorder=4)
        axes.hlines(spread.median, at - 0.36, at + 0.36, color=ink.text, linewidth=1.0, zorder=3)
    axes.set_xticks(np.arange(len(numbers.spreads)), [spread.point.label for spread in numbers.spreads])
    axes.set_xlim(-0.6, len(numbers.spreads) - 0.4)
    axes.set_ylim(*scales.limits(spread.scores for spread in numbers.spreads))
    axes.set_xlabel(labels.key(numbers.axis) if numbers.axis is not None else "")
    axes.set_ylabel(_quantity(numbers))
    axes.set_title("Every run")


def _draw_runs(axes: Axes, numbers: Distribution) -> list[Annotation]:
    ink, ends = style.ink(), []
    lit = style.heat([0.1, 0.3, 1.0, 3.0, 10.0], [0.1, 10.0])
    for run in numbers.runs:
        if run.percentile is None:
            axes.plot(numbers.step, run.mean, color=ink.muted, linewidth=0.5, alpha=0.3)
            continue
        color = lit[PERCENTILES.index(run.percentile)]
        axes.plot(numbers.step, run.mean, color=color, linewidth=1.4, zorder=3)
        there = run.mean[np.isfinite(run.mean)]
        last = float(there[-1]) if there.size else float("nan")
        ends.append(labels.EndLabel(last, f"{run.percentile} %" if run.percentile != 50 else "median", color))
    scales.steps(axes, numbers.steps, numbers.log_steps)
    axes.set_ylim(*_limits(numbers))
    axes.set_ylabel(grouping.unit(numbers.metric))
    axes.set_title(f"Runs of {numbers.lit if len(numbers.lit) <= _LIT else 'the best'}")
    return labels.at_ends(axes, ends)


def _limits(numbers: Distribution) -> tuple[float, float]:
    """Show the middle of what runs do; the first bins of single steps are mostly noise."""
    values: Any = np.stack([run.mean for run in numbers.runs]) if numbers.runs else np.zeros((1, 1))
    values = values[np.isfinite(values)]
    return scales.limits([np.quantile(values, [0.01, 0.99])]) if values.size else (0.0, 1.0)
