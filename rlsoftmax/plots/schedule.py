"""What does a schedule do? Temperature over time, and below it how many actions the policy then really uses."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from rlsoftmax.errors import ConfigError
from rlsoftmax.plots import curves, labels, notes, scales, series, style
from rlsoftmax.stats.conditions import kind
from rlsoftmax.store.data import SNAPSHOT, StudyData

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

SIZE = (5.5, 4.2)  # inches
_FAR = 1e5  # ratio of temperatures from which an axis counts in tens instead of twos


@dataclasses.dataclass(frozen=True, eq=False)
class ScheduleNumbers:
    """The numbers of the figure: curves of snapshots, over runs, of the policy in the state where each run is."""

    study: str
    axis: str | None
    steps: int
    log_steps: bool
    values: tuple[float, ...]
    kinds: tuple[str, ...]
    best: str
    temperature: tuple[series.Curve, ...]
    effective_actions: tuple[series.Curve, ...]
    note: str


def numbers(study: StudyData, view: series.View) -> ScheduleNumbers:
    """Return what is drawn, as plain numbers."""
    if not any(f"{SNAPSHOT}effective_actions" in cell.arrays for cell in study.cells):
        raise ConfigError(f"study {study.name} has no snapshots; record.snapshots=25 keeps them.")
    study, (axis, shown, panel) = _of_one_agent(study, view)
    shown = [one for one in shown if f"{SNAPSHOT}effective_actions" in one.cell.arrays]
    hot = [one for one in shown if f"{SNAPSHOT}temperature" in one.cell.arrays]
    first = shown[0].cell
    return ScheduleNumbers(
        study=study.name,
        axis=axis,
        steps=int(first.edges[-1]),
        log_steps=series.is_log(first.edges),
        values=panel.values,
        kinds=tuple(one.kind for one in shown),
        best=next((one.cell.id[:12] for one in shown if one.best), ""),
        temperature=tuple(map(curves.temperature_of, hot)),
        effective_actions=tuple(curves.snapshots(one, "effective_actions") for one in shown),
        note=notes.about(
            study,
            curves.some_of(shown, panel, axis),
            "bands: 95\u00a0% intervals over runs",
            "" if all(map(_is_fixed, hot)) else "temperature: geometric mean of those that are neither 0 nor infinite",
            "effective actions: exp of the entropy",
        ),
    )


def _of_one_agent(study: StudyData, view: series.View) -> tuple[StudyData, tuple[Any, ...]]:
    """Return what to draw. Where schedules were swept by name: all those of the best agent and policy, no others."""
    axis, shown, panel = curves.of_study(study, view)
    best = next((one.cell for one in shown if one.best), shown[0].cell)
    same = tuple(cell for cell in study.cells if kind(cell)[:2] == kind(best)[:2])
    if axis is not None or not 1 < len(same) < len(study.cells):
        return study, (axis, shown, panel)
    study = dataclasses.replace(study, cells=same)
    return study, curves.of_study(study, view)


def _is_fixed(one: curves.Shown) -> bool:
    """Return whether the temperature is the same in all runs."""
    values = np.asarray(one.cell.snapshot("temperature"))
    return bool(np.all(values == values[:1]))


# ---------------------------------------------------------------------------------------------------------------------


def draw(figure: Figure, numbers: ScheduleNumbers) -> None:
    """Draw the figure; its height is chosen for its width."""
    figure.set_figheight(min(max(0.76 * figure.get_figwidth(), 3.2), 6.0))
    top, below = figure.subplots(2, 1, sharex=True)
    ends = [_draw_panel(top, numbers, numbers.temperature), _draw_panel(below, numbers, numbers.effective_actions)]
    _limit_temperature(top, numbers)
    top.set_xlabel("")
    top.set_ylabel("temperature τ")
    below.set_ylabel("effective actions")
    low, high = scales.limits(curve.mean for curve in numbers.effective_actions)
    below.set_ylim(min(1.0, low), high)
    top.set_title("The schedule, and what it does")
    labels.note(figure, numbers.note, style.ink().muted)
    labels.lay_out(figure)
    scales.label_steps(below)
    labels.settle(figure, *ends)


def _draw_panel(axes: Axes, numbers: ScheduleNumbers, shown: tuple[series.Curve, ...]) -> list[Annotation]:
    kinds = numbers.kinds[: len(shown)]
    colors = curves.colors([curve.value for curve in shown], kinds, numbers.axis, numbers.values)
    ends = [
        curves.draw(axes, curve, color, curve.cell == numbers.best) for curve, color in zip(shown, colors, strict=True)
    ]
    scales.steps(axes, numbers.steps, numbers.log_steps)
    return labels.at_ends(axes, curves.headed(ends, numbers.axis, [c.label for c in shown if c.value is not None]))


def _limit_temperature(axes: Axes, numbers: ScheduleNumbers) -> None:
    """Take a log axis if temperatures span more than a decade; 0 and infinity have no place there."""
    values = np.concatenate([curve.mean for curve in numbers.temperature] or [np.ones(1)])
    values = values[np.isfinite(values) & (values > 0.0)]
    if values.size and values.max() > 10.0 * values.min():
        axes.set_yscale("log", base=2 if values.max() < _FAR * values.min() else 10)
        axes.set_ylim(values.min() / 1.3, values.max() * 1.3)
        axes.yaxis.set_major_formatter(lambda value, _: labels.number(float(value)))
    elif values.size:
        axes.set_ylim(0.0, 1.1 * values.max())
