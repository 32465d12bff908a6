"""What does a wrong temperature cost? The loss against the best one, over how far off it is."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

import numpy as np

from rlsoftmax.errors import ConfigError
from rlsoftmax.plots import grouping, labels, notes, scales, series, style
from rlsoftmax.stats.conditions import standing
from rlsoftmax.store.data import StudyData

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE = (5.5, 3.3)  # inches
MOST_GROUPS = 6


@dataclasses.dataclass(frozen=True, eq=False)
class Loss:
    """One group: how much less than its best each temperature gives, paired.

    ratio: temperature / best temperature. loss, low, high: in the unit of the score, or in shares of it if `relative`.
    """

    label: str
    best: str
    ratio: tuple[float, ...]
    loss: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclasses.dataclass(frozen=True, eq=False)
class WrongTau:
    """The numbers of the figure. relative: losses are shares of the best score, which is positive everywhere."""

    study: str
    axis: str
    score: str
    metric: str
    relative: bool
    losses: tuple[Loss, ...]
    note: str


def numbers(study: StudyData, view: series.View) -> WrongTau:
    """Return what is drawn, as plain numbers."""
    axis = grouping.temperature_axis(study, view.axis)
    which = grouping.check_score(study, view.score)
    panels = grouping.panels(study, axis, which)
    cells = [cell for panel in panels for cell in panel.cells if grouping.has_score(cell, which)]
    found = [
        loss
        for panel in panels
        for group in panel.groups
        if (loss := _loss(group, which, " ".join(filter(None, (panel.where, group.label))))) is not None
    ]
    if not found:
        raise ConfigError(f"study {study.name} has fewer than 3 runs of each cell: nothing can be compared.")
    hidden = len(found) - MOST_GROUPS
    found = sorted(found, key=lambda pair: -pair[1])[:MOST_GROUPS]
    tops = [scale for _, scale in found]
    relative = all(scale > 0.0 for scale in tops) and cells[0].score.metric != "regret"
    return WrongTau(
        study=study.name,
        axis=axis,
        score=which,
        metric=cells[0].score.metric,
        relative=relative,
        losses=tuple(_shared(loss, scale) if relative else loss for loss, scale in found),
        note=notes.about(
            study,
            "bars: 95\u00a0% intervals of the paired difference to the best, chosen on these runs",
            f"the {MOST_GROUPS} best groups, {hidden} more are not shown" if hidden > 0 else "",
            best_by=which,
        ),
    )


def _loss(group: grouping.Group, which: str, label: str) -> tuple[Loss, float] | None:
    """Return the losses of a group and the score of its best; None if there is no comparison."""
    now = standing([cell for cell in group.cells if grouping.has_score(cell, which)], which)
    if now is None:
        return None
    values = dict(zip((cell.id for cell in group.cells), group.values, strict=True))
    best = values[now.best.id]
    if not 0.0 < best < math.inf:
        return None
    rows = [
        (values[cell.id] / best, -behind.mean, -behind.high, -behind.low)
        for cell, behind in zip(now.cells, now.result.behind, strict=True)
        if 0.0 < values[cell.id] < math.inf
    ]
    ratio, loss, low, high = (tuple(column) for column in zip(*sorted(rows), strict=True))
    word = labels.spelled(group.values)[group.values.index(best)]
    return Loss(label, word, ratio, loss, low, high), grouping.mean_of(now.best.scores(which))


def _shared(loss: Loss, scale: float) -> Loss:
    shares = {name: tuple(number / scale for number in getattr(loss, name)) for name in ("loss", "low", "high")}
    return Loss(loss.label, loss.best, loss.ratio, **shares)


# ---------------------------------------------------------------------------------------------------------------------


def draw(figure: Figure, numbers: WrongTau) -> None:
    """Draw the figure; its height is chosen for its width."""
    figure.set_figheight(min(max(0.6 * figure.get_figwidth(), 2.7), 5.0))
    axes = figure.subplots()
    scale = scales.SweptScale(tuple(sorted({ratio for loss in numbers.losses for ratio in loss.ratio})))
    colors = style.cycle() * len(numbers.losses)
    ends = [
        _draw_loss(axes, scale, loss, color if len(numbers.losses) > 1 else style.ink().accent, numbers.axis)
        for loss, color in zip(numbers.losses, colors, strict=False)
    ]
    axes.axhline(0.0, color=style.ink().frame, linewidth=0.8, zorder=1)
    scale.dress(axes)
    low, high = scales.limits(np.array([loss.loss, loss.high]) for loss in numbers.losses)
    axes.set_ylim(high, min(low, -0.03 * high))  # losses go down
    axes.set_xlabel(f"{labels.key(numbers.axis)} / best {labels.key(numbers.axis)}, log scale")
    axes.set_ylabel(_unit(numbers))
    axes.set_title("The cost of a wrong temperature")
    if numbers.relative:
        _in_percent(axes)
    labels.note(figure, numbers.note, style.ink().muted)
    labels.lay_out(figure)
    scale.label(axes)
    labels.settle(figure, labels.at_ends(axes, ends))


def _unit(numbers: WrongTau) -> str:
    score = "greedy score" if numbers.score == "greedy" else grouping.unit(numbers.metric)
    return f"loss, share of {score}" if numbers.relative else f"loss, {score}"


def _in_percent(axes: Axes) -> None:
    from matplotlib.ticker import FuncFormatter

    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.0f} %".replace("-", "−")))


def _draw_loss(axes: Axes, scale: scales.SweptScale, loss: Loss, color: str, axis: str) -> labels.EndLabel:
    places = scale.position(loss.ratio)
    axes.plot(places, loss.loss, color=color, marker="o", markersize=3.6)
    axes.vlines(places, loss.low, loss.high, color=color, linewidth=1.5)
    words = f"{loss.label}\n" if loss.label else ""
    return labels.EndLabel(loss.loss[-1], f"{words}best {labels.key(axis)} = {loss.best}", color)
