"""What are the policies worth while they learn? Exactly: the greedy one, and beside it the one that acts."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from rlsoftmax.errors import ConfigError
from rlsoftmax.plots import curves, grouping, labels, notes, scales, series, style
from rlsoftmax.store.data import SNAPSHOT, StudyData

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

SIZE = (7.2, 3.0)  # inches
_NAMES = ("value_greedy", "value_behaviour")
_TITLES = {"value_greedy": "The greedy policy", "value_behaviour": "The policy that acts"}


@dataclasses.dataclass(frozen=True, eq=False)
class Values:
    """The numbers of the figure: curves of exact values, mean over runs, at the snapshots; a policy may have one."""

    study: str
    axis: str | None
    steps: int
    log_steps: bool
    unit: str
    values: tuple[float, ...]
    kinds: tuple[str, ...]
    best: str
    value_greedy: tuple[series.Curve, ...]
    value_behaviour: tuple[series.Curve, ...]
    note: str


def numbers(study: StudyData, view: series.View) -> Values:
    """Return what is drawn, as plain numbers."""
    axis, shown, panel = curves.of_study(study, view)
    shown = [one for one in shown if f"{SNAPSHOT}value_greedy" in one.cell.arrays]
    if not shown:
        raise ConfigError(f"study {study.name} has no values of policies; record.values=snapshots makes them.")
    first = shown[0].cell
    found = {
        name: tuple(curves.snapshots(one, name) for one in shown if f"{SNAPSHOT}{name}" in one.cell.arrays)
        for name in _NAMES
    }
    return Values(
        study=study.name,
        axis=axis,
        steps=int(first.edges[-1]),
        log_steps=series.is_log(first.edges),
        unit="expected reward" if grouping.is_bandit(first) else "expected return",
        values=panel.values,
        kinds=tuple(one.kind for one in shown),
        best=next((one.cell.id[:12] for one in shown if one.best), ""),
        **found,
        note=notes.about(
            study,
            curves.some_of(shown, panel, axis),
            "exact values of the policies at that step",
            "bands: 95\u00a0% intervals over runs",
        ),
    )


# ---------------------------------------------------------------------------------------------------------------------


def draw(figure: Figure, numbers: Values) -> None:
    """Draw the figure: two panels on one scale, one above the other where there is little room."""
    names = [name for name in _NAMES if getattr(numbers, name)]
    stacked, panels = curves.panels(figure, len(names), sharey=True)
    ends = [_draw_panel(axes, numbers, name) for axes, name in zip(panels, names, strict=True)]
    for axes in panels if stacked else panels[:1]:
        axes.set_ylabel(numbers.unit)
    labels.note(figure, numbers.note, style.ink().muted)
    labels.lay_out(figure)
    for axes in panels:
        scales.label_steps(axes)
    labels.settle(figure, *ends)


def _draw_panel(axes: Axes, numbers: Values, name: str) -> list[Annotation]:
    shown: tuple[series.Curve, ...] = getattr(numbers, name)
    colors = curves.colors([curve.value for curve in shown], numbers.kinds[: len(shown)], numbers.axis, numbers.values)
    ends = [
        curves.draw(axes, curve, color, curve.cell == numbers.best) for curve, color in zip(shown, colors, strict=True)
    ]
    scales.steps(axes, numbers.steps, numbers.log_steps)
    every = [curve.mean for each in _NAMES for curve in getattr(numbers, each)]
    axes.set_ylim(*scales.limits(np.asarray(mean) for mean in every))
    axes.set_title(_TITLES[name])
    return labels.at_ends(axes, curves.headed(ends, numbers.axis, [c.label for c in shown if c.value is not None]))
