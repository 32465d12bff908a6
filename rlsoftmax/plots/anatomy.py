"""What happens inside a run? One run of a bandit: temperature, effective actions, probabilities, values, the truth."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rlsoftmax.core import effective_actions
from rlsoftmax.errors import ConfigError
from rlsoftmax.plots import curves, grouping, labels, notes, replayed, scales, series, style
from rlsoftmax.store.data import StudyData

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

SIZE = (5.5, 5.4)  # inches
LOOKS = 240
Floats = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True, eq=False)
class Anatomy:
    """The numbers of the figure. Columns of probability and value are ordered by the true value, the best last.

    step: [looks], counted from 1. temperature: NaN for a policy without one. arm: [actions], the number of each.
    """

    study: str
    cell: str
    run: int
    name: str
    step: Floats
    temperature: Floats
    effective_actions: Floats
    probability: Floats
    value: Floats
    truth: Floats
    arm: npt.NDArray[np.int64]
    note: str


def numbers(study: StudyData, view: series.View) -> Anatomy:
    """Return what is drawn, as plain numbers."""
    which = grouping.check_score(study, view.score)
    axis, shown, panel = curves.of_study(study, view)
    one = next((one for one in shown if one.best), shown[0])
    replayed.check_bandit(one.cell, "anatomy")
    if not grouping.has_score(one.cell, which):
        raise ConfigError(f"study {study.name} has no run of {one.label} yet.")
    run = replayed.median_run(one.cell, which)
    seen = replayed.inside(one.cell, run, LOOKS)
    order = np.argsort(seen.truth, kind="stable")
    name = f"{labels.key(axis)} = {one.label}" if axis is not None and one.value is not None else one.label
    kind = curves.some_of([one], panel, axis) if axis is not None else ""
    what = ", ".join(filter(None, (notes.played(study), kind, name)))
    return Anatomy(
        study=study.name,
        cell=one.cell.id[:12],
        run=run,
        name=name,
        step=np.asarray(seen.step + 1.0, dtype=np.float64),
        temperature=seen.temperature,
        effective_actions=np.asarray(effective_actions(seen.probability)),
        probability=seen.probability[:, order],
        value=seen.value[:, order],
        truth=seen.truth[order],
        arm=order,
        note=f"{what}, run {run}: the one with the median score. Darkest: the best arm.",
    )


# ---------------------------------------------------------------------------------------------------------------------


def draw(figure: Figure, numbers: Anatomy) -> None:
    """Draw the figure; its height is chosen for its width."""
    figure.set_figheight(min(max(1.0 * figure.get_figwidth(), 4.6), 7.5))
    heat, width, chance, value = figure.subplots(4, 1, sharex=True, height_ratios=[0.55, 0.55, 1.2, 1.3])
    _draw_temperature(heat, numbers)
    width.plot(numbers.step, numbers.effective_actions, color=style.ink().text)
    width.set_ylim(0.0, 1.06 * max(2.0, float(np.nanmax(numbers.effective_actions))))
    width.set_ylabel("effective\nactions")
    ends = [_draw_probabilities(chance, numbers), _draw_values(value, numbers)]
    heat.set_title(f"Inside one run, {numbers.name}")
    scales.steps(value, int(numbers.step[-1]), log=True)
    for axes in (heat, width, chance):
        axes.tick_params(axis="x", which="both", labelbottom=False)
    labels.note(figure, numbers.note, style.ink().muted)
    labels.lay_out(figure)
    scales.label_steps(value)
    labels.settle(figure, *ends)


def _draw_temperature(axes: Axes, numbers: Anatomy) -> None:
    finite = numbers.temperature[np.isfinite(numbers.temperature)]
    axes.plot(numbers.step, numbers.temperature, color=style.ink().accent, linewidth=2.0)
    axes.set_ylim(0.0, 1.12 * float(finite.max()) if finite.size and finite.max() > 0.0 else 1.0)
    axes.set_ylabel("τ")


def _draw_probabilities(axes: Axes, numbers: Anatomy) -> list[Annotation]:
    count = len(numbers.truth)
    colors = style.arms(count)
    axes.stackplot(numbers.step, numbers.probability.T, colors=colors, linewidth=0.0)
    axes.set_ylim(0.0, 1.0)
    axes.set_yticks([0.0, 0.5, 1.0])
    axes.set_ylabel("probability")
    axes.grid(False)
    last = numbers.probability[-1]
    middles = np.cumsum(last) - last / 2.0
    ends = [
        labels.EndLabel(float(middles[at]), f"arm {numbers.arm[at]}", colors[at])
        for at in range(count)
        if last[at] > 0.12
    ]
    return labels.at_ends(axes, ends)


def _draw_values(axes: Axes, numbers: Anatomy) -> list[Annotation]:
    count = len(numbers.truth)
    colors = style.arms(count)
    ends = []
    for at, color in enumerate(colors):
        axes.plot(numbers.step, numbers.value[:, at], color=color, linewidth=2.0 if at == count - 1 else 1.1)
        axes.axhline(numbers.truth[at], color=color, linewidth=0.9, linestyle=(0, (4, 2)))
        if at >= count - 5:
            weight, words = "bold" if at == count - 1 else "normal", f"{numbers.truth[at]:.2f}".replace("-", "−")
            ends.append(labels.EndLabel(float(numbers.truth[at]), words, color, weight))
    late = numbers.value[len(numbers.value) // 2 :]
    axes.set_ylim(*scales.limits([numbers.truth[-5:], np.quantile(late, [0.02, 0.98])], pad=0.08))
    axes.set_ylabel("value, dashed: true")
    return labels.at_ends(axes, ends)
