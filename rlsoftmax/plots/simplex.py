"""Where does a policy of three actions go? Left every temperature of the true values, right the policies that learn."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rlsoftmax.core import entropy, softmax
from rlsoftmax.errors import ConfigError
from rlsoftmax.plots import curves, grouping, labels, notes, replayed, series, style
from rlsoftmax.store.data import StudyData

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE = (7.2, 3.5)  # inches
LOOKS, MOST_RUNS = 40, 500
_STACKED = 5.0  # inches
_CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(0.75)]])  # of actions worst, middle, best
_LEADER = {"arrowstyle": "-", "linewidth": 0.5, "alpha": 0.6, "shrinkB": 3.0, "relpos": (0.0, 0.5)}
Floats = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True, eq=False)
class Path:
    """The mean policy of one cell while it learns: [looks, 3], arms ordered by true value, the best last."""

    cell: str
    label: str
    temperature: float
    step: Floats
    probability: Floats
    target: Floats


@dataclasses.dataclass(frozen=True, eq=False)
class Simplex:
    """The numbers of the figure. truth: [3] true values, mean over runs; path: [points, 3], their policies."""

    study: str
    axis: str
    truth: Floats
    temperature: Floats
    path: Floats
    paths: tuple[Path, ...]
    note: str


def numbers(study: StudyData, view: series.View) -> Simplex:
    """Return what is drawn, as plain numbers."""
    axis = grouping.temperature_axis(study, view.axis)
    if axis not in ("tau", "beta"):
        raise ConfigError(f"simplex needs constant temperatures, and study {study.name} sweeps {axis}.")
    _, shown, panel = curves.of_study(study, dataclasses.replace(view, axis=axis))
    shown = [one for one in shown if one.value is not None and len(one.cell.runs)]
    replayed.check_bandit(shown[0].cell, "simplex")
    found = []
    for one in shown:
        steps, probability, truth, runs = replayed.mean_policies(one.cell, MOST_RUNS, LOOKS)
        if len(truth) != 3:
            raise ConfigError(f"simplex shows three actions, and {grouping.environment(one.cell)} has {len(truth)}.")
        (temperature,) = curves.temperatures([one.value or 0.0], axis)
        target = np.asarray(softmax(truth, tau=temperature))
        found.append(
            Path(
                one.cell.id[:12], one.label, temperature, np.asarray(steps + 1.0, dtype=np.float64), probability, target
            )
        )
    spread = float(np.ptp(truth)) or 1.0
    heats = np.geomspace(spread / 50.0, spread * 50.0, 200)
    return Simplex(
        study=study.name,
        axis=axis,
        truth=truth,
        temperature=heats,
        path=np.asarray(softmax(np.tile(truth, (len(heats), 1)), tau=heats)),
        paths=tuple(found),
        note=notes.about(
            study,
            curves.some_of(shown, panel, axis),
            f"right: mean policy of {runs} runs, open dots: steps 10 and 100, crosses: policies of the true values",
            "grey: equal entropy",
        ),
    )


# ---------------------------------------------------------------------------------------------------------------------


def draw(figure: Figure, numbers: Simplex) -> None:
    """Draw the figure; its height is chosen for its width."""
    stacked = figure.get_figwidth() < _STACKED
    shape = (2, 1) if stacked else (1, 2)
    figure.set_figheight(figure.get_figwidth() / shape[1] * 0.86 * shape[0] + 0.5)
    left, right = figure.subplots(*shape)
    for axes in (left, right):
        _draw_frame(axes)
    _draw_temperatures(left, numbers)
    _draw_learning(right, numbers)
    left.set_title("Every temperature of one truth")
    right.set_title("Learning moves the policy")
    labels.note(figure, numbers.note, style.ink().muted)
    labels.settle(figure)


def places(probability: npt.ArrayLike) -> Floats:
    """Return [..., 2]: where policies of three actions lie in the triangle.

    >>> places([1 / 3, 1 / 3, 1 / 3]).round(3).tolist()
    [0.5, 0.289]
    """
    return np.asarray(np.asarray(probability, dtype=np.float64) @ _CORNERS)


def _draw_frame(axes: Axes) -> None:
    ink = style.ink()
    axes.fill(*_CORNERS.T, facecolor="none", edgecolor=ink.frame, linewidth=1.0)
    grid = np.stack(np.meshgrid(np.linspace(0, 1, 121), np.linspace(0, 1, 121)), axis=-1)
    third = 1.0 - grid.sum(axis=-1)
    inside = third >= -1e-9
    policies = np.concatenate([grid, np.clip(third, 0.0, 1.0)[..., None]], axis=-1)
    policies /= policies.sum(axis=-1, keepdims=True)
    x, y = np.moveaxis(places(policies), -1, 0)
    heights = np.where(inside, entropy(policies), np.nan)
    axes.tricontour(
        x[inside], y[inside], heights[inside], levels=[0.3, 0.6, 0.85, 1.0, 1.07], colors=ink.grid, linewidths=0.8
    )
    for word, corner, (dx, dy) in zip(("worst", "middle", "best"), _CORNERS, ((0, -9), (0, -9), (0, 4)), strict=True):
        axes.annotate(word, corner, xytext=(dx, dy), textcoords="offset points", ha="center",
                      va="bottom" if dy > 0 else "center", color=ink.label)  # fmt: skip
    axes.set_aspect("equal")
    axes.set_xlim(-0.14, 1.14)
    axes.set_ylim(-0.12, 0.98)
    axes.axis("off")


def _colors(temperatures: Sequence[float], numbers: Simplex) -> list[str]:
    return style.heat(list(temperatures), [path.temperature for path in numbers.paths])


def _draw_temperatures(axes: Axes, numbers: Simplex) -> None:
    from matplotlib.collections import LineCollection

    points = places(numbers.path)
    colors = _colors(numbers.temperature[1:].tolist(), numbers)
    axes.add_collection(
        LineCollection(list(np.stack([points[:-1], points[1:]], axis=1)), colors=colors, linewidths=3.5)
    )
    ends = []
    for path in numbers.paths:
        (color,) = _colors([path.temperature], numbers)
        at = places(path.target)
        axes.scatter([at[0]], [at[1]], s=22, color=color, edgecolors=style.ink().page, linewidths=1.0, zorder=4)
        ends.append((at, path.label, color))
    _beside(axes, ends, numbers.axis)


def _beside(axes: Axes, ends: Sequence[tuple[Floats, str, str]], axis: str) -> None:
    """Write labels right of the triangle's edge, level with their points where these are far enough apart."""
    heights = labels.apart([at[1] for at, _, _ in ends], np.full(len(ends), 0.085), -0.02, 0.82)
    for (at, text, color), height in zip(ends, heights, strict=True):
        edge = 1.0 - height / np.sqrt(3.0) if height > 0.0 else 1.0
        words = f"{labels.key(axis)} = {text}" if height == heights.max() else text
        place = (edge + 0.09, float(height))
        axes.annotate(
            words,
            (float(at[0]), float(at[1])),
            xytext=place,
            va="center",
            color=color,
            arrowprops=_LEADER | {"color": color},
        )


def _draw_learning(axes: Axes, numbers: Simplex) -> None:
    ends = []
    for path in numbers.paths:
        (color,) = _colors([path.temperature], numbers)
        points = places(path.probability)
        axes.plot(*points.T, color=color, linewidth=1.6, zorder=3)
        goal = places(path.target)
        axes.scatter([goal[0]], [goal[1]], marker="x", s=20, color=color, linewidths=1.3, zorder=4)
        axes.scatter(
            points[-1:, 0], points[-1:, 1], s=22, color=color, edgecolors=style.ink().page, linewidths=1.0, zorder=5
        )
        for step in (10.0, 100.0):
            if step < path.step[-1]:
                at = points[int(np.argmin(np.abs(path.step - step)))]
                axes.scatter([at[0]], [at[1]], s=10, c=style.ink().page, edgecolors=color, linewidths=0.9, zorder=4)
        ends.append((points[-1], path.label, color))
    _beside(axes, ends, numbers.axis)
