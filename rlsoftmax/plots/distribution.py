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
from rlsoftmax.store.data import CellData, StudyData

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

SIZE = (7.2, 3.1)  # inches
MOST_DOTS, MOST_RUNS, MOST_BINS = 200, 60, 20
PERCENTILES = (5, 25, 50, 75, 95)
_STACKED = 5.0  # inches
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
        spreads=tuple(_spread(one, which) for one in shown),
        lit=name,
        step=series.places(cell.edges),
        runs=tuple(_runs(cell, metric, which)),
        note=notes.about(
            study,
            "dots: runs (at most 200, evenly by rank); bars: 95\u00a0% intervals of the mean, dashes: medians",
            f"right: runs of {name}, those nearest to percentiles of the score lit",
        ),
    )


def _spread(one: curves.Shown, which: str) -> Spread:
    scores = np.sort(one.cell.scores(which))
    scores = scores[~np.isnan(scores)]
    some = scores[np.unique(np.linspace(0, len(scores) - 1, MOST_DOTS).round().astype(np.int64))]
    value = one.value if one.value is not None else float("nan")
    point = series.point(one.cell, value, one.label, which, best=one.best)
    return Spread(point, one.kind, one.value is not None, some, float(np.median(scores)))


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
    figure.set_figheight(each * shape[0] + 0.6)
    left, right = figure.subplots(*shape)
    _draw_dots(left, numbers)
    ends = _draw_runs(right, numbers)
    labels.note(figure, numbers.note, style.ink().muted)
    labels.lay_out(figure)
    words = [spread.point.label for spread in numbers.spreads]
    if labels.room(left, words) < len(words):
        left.tick_params(axis="x", labelrotation=90)
    scales.label_steps(right)
    labels.settle(figure, ends)


def _draw_dots(axes: Axes, numbers: Distribution) -> None:
    values = [spread.point.value if spread.swept else None for spread in numbers.spreads]
    kinds = [spread.kind for spread in numbers.spreads]
    colors = curves.colors(values, kinds, numbers.axis, numbers.values)
    for at, (spread, color) in enumerate(zip(numbers.spreads, colors, strict=True)):
        aside = 0.62 * (np.arange(len(spread.scores)) * _GOLDEN % 1.0 - 0.5)  # evenly, and the same every time
        axes.scatter(at + aside, spread.scores, s=4, color=color, alpha=0.45, linewidths=0.0, zorder=2)
        ink = style.ink()
        axes.vlines(at, spread.point.low, spread.point.high, color=ink.text, linewidth=1.6, zorder=4)
        axes.scatter([at], [spread.point.mean], s=16, color=ink.text, zorder=4)
        axes.hlines(spread.median, at - 0.36, at + 0.36, color=ink.text, linewidth=1.0, zorder=3)
    axes.set_xticks(np.arange(len(numbers.spreads)), [spread.point.label for spread in numbers.spreads])
    axes.set_xlim(-0.6, len(numbers.spreads) - 0.4)
    axes.set_ylim(*scales.limits(spread.scores for spread in numbers.spreads))
    axes.set_xlabel(labels.key(numbers.axis) if numbers.axis is not None else "")
    greedy = numbers.score == "greedy"
    axes.set_ylabel("value of the final greedy policy" if greedy else grouping.unit(numbers.metric))
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
    axes.set_title(f"Runs of {numbers.lit}")
    return labels.at_ends(axes, ends)


def _limits(numbers: Distribution) -> tuple[float, float]:
    """Show the middle of what runs do; the first bins of single steps are mostly noise."""
    values: Any = np.stack([run.mean for run in numbers.runs]) if numbers.runs else np.zeros((1, 1))
    values = values[np.isfinite(values)]
    return scales.limits([np.quantile(values, [0.01, 0.99])]) if values.size else (0.0, 1.0)
