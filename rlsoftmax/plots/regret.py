"""How much is lost by exploring? Cumulative pseudo-regret over linear and logarithmic time, and the end of each run.

Source: Lai and Robbins (1985): no consistent method beats C ln t for long, C the sum of gap / KL over the other arms.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rlsoftmax.errors import ConfigError
from rlsoftmax.plots import curves, labels, notes, scales, series, style
from rlsoftmax.stats.intervals import band
from rlsoftmax.store.data import CellData, StudyData

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

SIZE = (7.2, 3.0)  # inches
SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
_STACKED = 5.0  # inches
Floats = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True, eq=False)
class Regret:
    """The numbers of the figure.

    curves: cumulative pseudo-regret at the end of each bin. finals: per curve the quantiles SHARES of its last value
    over runs. slope: C of Lai and Robbins, None unless all runs have the same known arms.
    """

    study: str
    axis: str | None
    steps: int
    values: tuple[float, ...]
    kinds: tuple[str, ...]
    best: str
    curves: tuple[series.Curve, ...]
    finals: tuple[Floats, ...]
    slope: float | None
    note: str


def numbers(study: StudyData, view: series.View) -> Regret:
    """Return what is drawn, as plain numbers."""
    if not any("regret" in cell.arrays for cell in study.cells):
        raise ConfigError(f"study {study.name} has no regret: its environment does not declare one.")
    axis, shown, panel = curves.of_study(study, view)
    shown = [one for one in shown if "regret" in one.cell.arrays and len(one.cell.runs)]
    slope = lai_robbins(shown[0].cell)
    return Regret(
        study=study.name,
        axis=axis,
        steps=int(shown[0].cell.edges[-1]),
        values=panel.values,
        kinds=tuple(one.kind for one in shown),
        best=next((one.cell.id[:12] for one in shown if one.best), ""),
        curves=tuple(_curve(one) for one in shown),
        finals=tuple(np.quantile(np.sort(_cumulated(one.cell)[:, -1]), SHARES) for one in shown),
        slope=slope,
        note=notes.about(
            study,
            curves.some_of(shown, panel, axis),
            "bands: 95\u00a0% intervals over runs",
            "right: thick half of the runs, thin 90\u00a0%, dash the median, dot the mean",
            f"dashed: slope of Lai and Robbins, {slope:.3g} ln t, asymptotic" if slope is not None else "",
        ),
    )


def _cumulated(cell: CellData) -> Floats:
    return np.cumsum(np.asarray(cell.arrays["regret"], dtype=np.float64), axis=1)


def _curve(one: curves.Shown) -> series.Curve:
    cell = series.coarse(one.cell)
    over = band(_cumulated(cell))
    steps = np.asarray(cell.edges[1:], dtype=np.float64)
    return series.Curve(cell.id[:12], one.label, one.value, steps, over.mean, over.low, over.high, over.n)


def lai_robbins(cell: CellData) -> float | None:
    """Return the sum of gap / KL(mean, best) over the arms that are not best; None if the arms are not known.

    Known are the arms of a Bernoulli bandit whose `chances` are given.
    """
    chances = cell.config["env"].get("chances")
    if cell.config["env"]["name"] != "bernoulli_bandit" or chances is None:
        return None
    best = max(chances)
    return float(sum((best - chance) / _divergence(chance, best) for chance in chances if chance < best))


def _divergence(p: float, q: float) -> float:
    """Return the Kullback-Leibler divergence of two Bernoulli distributions, p < q."""
    if q == 1.0:
        return math.inf
    first = p * math.log(p / q) if p > 0.0 else 0.0
    return first + (1.0 - p) * math.log((1.0 - p) / (1.0 - q))


# ---------------------------------------------------------------------------------------------------------------------


def draw(figure: Figure, numbers: Regret) -> None:
    """Draw the figure; its height is chosen for its width."""
    stacked = figure.get_figwidth() < _STACKED
    shape: Any = {"nrows": 3, "ncols": 1} if stacked else {"nrows": 1, "ncols": 3, "width_ratios": [1.0, 1.0, 0.75]}
    each = min(max((0.6 if stacked else 0.36) * figure.get_figwidth(), 2.0), 3.4)
    figure.set_figheight(each * shape["nrows"] + 0.6)
    linear, log, final = figure.subplots(**shape)
    colors = curves.colors([one.value for one in numbers.curves], numbers.kinds, numbers.axis, numbers.values)
    for axes, is_log in ((linear, False), (log, True)):
        _draw_time(axes, numbers, colors, is_log)
    linear.set_ylabel("cumulative pseudo-regret")
    ends = _draw_finals(final, numbers, colors)
    labels.note(figure, numbers.note, style.ink().muted)
    labels.lay_out(figure)
    scales.label_steps(linear)
    scales.label_steps(log)
    labels.settle(figure, ends)


def _draw_time(axes: Axes, numbers: Regret, colors: Sequence[str], log: bool) -> None:
    for curve, color in zip(numbers.curves, colors, strict=True):
        curves.draw(axes, curve, color, curve.cell == numbers.best)
    if numbers.slope is not None:
        steps = np.geomspace(1.0, numbers.steps, 60)
        axes.plot(steps, numbers.slope * np.log(steps), color=style.ink().text, linewidth=1.0, linestyle=(0, (4, 2)))
    scales.steps(axes, numbers.steps, log)
    axes.set_ylim(0.0, scales.limits(curve.mean for curve in numbers.curves)[1])
    axes.set_title("Logarithmic time" if log else "Linear time")


def _draw_finals(axes: Axes, numbers: Regret, colors: Sequence[str]) -> list[Annotation]:
    """Draw where runs end, on a log axis if they differ much: a tail that is cut cannot be seen."""
    ends = []
    for at, (curve, final, color) in enumerate(zip(numbers.curves, numbers.finals, colors, strict=True)):
        axes.vlines(at, final[0], final[-1], color=color, linewidth=1.2)
        axes.vlines(at, final[1], final[-2], color=color, linewidth=5.0)
        axes.hlines(final[2], at - 0.32, at + 0.32, color=style.ink().text, linewidth=1.2, zorder=3)
        page = style.ink().page
        axes.scatter([at], [curve.mean[-1]], s=16, c=page, edgecolors=color, linewidths=1.2, zorder=4)
        ends.append(labels.EndLabel(float(curve.mean[-1]), curve.label, color))
    whole = np.concatenate([*numbers.finals, [curve.mean[-1] for curve in numbers.curves]])
    if whole.min() > 0.0 and whole.max() > 20.0 * whole.min():
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(lambda value, _: scales.thousands(float(value)))
        axes.set_ylim(whole.min() / 1.3, whole.max() * 1.3)
    else:
        axes.set_ylim(*scales.limits([whole]))
    axes.set_xlim(-0.7, len(colors) - 0.3)
    axes.set_xticks([])
    axes.set_title("At the end, per run")
    named = [curve.label for curve in numbers.curves if curve.value is not None]
    return labels.at_ends(axes, curves.headed(ends, numbers.axis, named))
