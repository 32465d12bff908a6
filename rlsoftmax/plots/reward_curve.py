"""How do agents learn? The mean over runs of a metric, bin by bin, with its band; for bandits optimal pulls beside."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from rlsoftmax.errors import ConfigError, did_you_mean
from rlsoftmax.plots import curves, grouping, labels, notes, scales, series, style
from rlsoftmax.store.data import StudyData

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

SIZE = (7.2, 3.0)  # inches
MOST_BINS = 60


@dataclasses.dataclass(frozen=True, eq=False)
class Metric:
    """One panel. chance: the height of a uniform policy, where it is known."""

    metric: str
    chance: float | None
    curves: tuple[series.Curve, ...]


@dataclasses.dataclass(frozen=True, eq=False)
class RewardCurve:
    """The numbers of the figure. values: all temperatures, for the colours; kinds: the policy of each curve."""

    study: str
    axis: str | None
    steps: int
    log_steps: bool
    values: tuple[float, ...]
    kinds: tuple[str, ...]
    best: str
    metrics: tuple[Metric, ...]
    note: str


def numbers(study: StudyData, view: series.View) -> RewardCurve:
    """Return what is drawn, as plain numbers."""
    axis, shown, panel = curves.of_study(study, view)
    first = shown[0].cell
    names = _metrics(study, first.metrics, view.metric or first.score.metric)
    return RewardCurve(
        study=study.name,
        axis=axis,
        steps=int(first.edges[-1]),
        log_steps=series.is_log(first.edges),
        values=panel.values,
        kinds=tuple(one.kind for one in shown),
        best=next((one.cell.id[:12] for one in shown if one.best), ""),
        metrics=tuple(_metric(name, shown) for name in names),
        note=notes.about(
            study,
            curves.some_of(shown, panel, axis),
            "bands: 95\u00a0% intervals over runs, bin by bin",
            notes.gaps(study),
        ),
    )


def _metrics(study: StudyData, known: tuple[str, ...], wanted: str) -> list[str]:
    if wanted not in known:
        raise ConfigError(f"no metric {wanted!r} in study {study.name}.{did_you_mean(wanted, known)}")
    return list(dict.fromkeys([wanted, *(name for name in ("optimal",) if name in known)]))


def _metric(name: str, shown: list[curves.Shown]) -> Metric:
    arms = shown[0].cell.config["env"].get("arms")
    chance = 1.0 / arms if name == "optimal" and isinstance(arms, int) else None
    found = [series.curve(one.cell, name, one.label, one.value, MOST_BINS) for one in shown if name in one.cell.metrics]
    return Metric(name, chance, tuple(found))


# ---------------------------------------------------------------------------------------------------------------------


def draw(figure: Figure, numbers: RewardCurve) -> None:
    """Draw the figure; its height is chosen for its width."""
    _, panels = curves.panels(figure, len(numbers.metrics))
    ends = [_draw_metric(axes, numbers, metric) for axes, metric in zip(panels, numbers.metrics, strict=True)]
    labels.note(figure, numbers.note, style.ink().muted)
    labels.lay_out(figure)
    for axes in panels:
        scales.label_steps(axes)
    labels.settle(figure, *ends)


def _draw_metric(axes: Axes, numbers: RewardCurve, metric: Metric) -> list[Annotation]:
    values = [curve.value for curve in metric.curves]
    colors = curves.colors(values, numbers.kinds, numbers.axis, numbers.values)
    ends = []
    for curve, color in zip(metric.curves, colors, strict=True):
        dashes: Any = "-" if curve.value is not None or numbers.axis is None else (0, (4, 1.6))
        ends.append(curves.draw(axes, curve, color, curve.cell == numbers.best, dashes))
    scales.steps(axes, numbers.steps, numbers.log_steps)
    axes.set_ylim(*_limits(metric))
    axes.set_title(grouping.unit(metric.metric).capitalize())
    if metric.metric == "optimal":
        _in_percent(axes)
    if metric.chance is not None:
        axes.axhline(metric.chance, color=style.ink().muted, linewidth=0.9, linestyle=(0, (1, 1.5)), zorder=1)
        ends.append(labels.EndLabel(metric.chance, "chance", style.ink().muted))
    return labels.at_ends(
        axes, curves.headed(ends, numbers.axis, [c.label for c in metric.curves if c.value is not None])
    )


def _limits(metric: Metric) -> tuple[float, float]:
    low, high = scales.limits(curves.heights(metric.curves))
    if metric.metric not in ("optimal", "success"):
        return low, high
    return 0.0, min(max(high, 1.2 * (metric.chance or 0.0), 0.05), 1.0)


def _in_percent(axes: Axes) -> None:
    from matplotlib.ticker import FuncFormatter

    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.0f} %"))
