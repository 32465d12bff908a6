"""What was learned on a map? A ray per action as long as it is likely, cells shaded by how often they are visited."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rlsoftmax.errors import ConfigError
from rlsoftmax.plots import curves, grouping, labels, notes, replayed, series, style
from rlsoftmax.store.data import CellData, StudyData

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE = (7.2, 3.0)  # inches
MOST_MAPS, MOST_RUNS = 3, 5
_SMALL = 2.0  # inches: a map on which the title needs two lines
_LETTERS = 11.0  # of a title, per inch
Floats = npt.NDArray[np.float64]

# Where actions lead, (right, down), for environments whose states are the cells of their map, row by row.
_MOVES = {
    "FrozenLake": ((-1, 0), (0, 1), (1, 0), (0, -1)),
    "CliffWalking": ((0, -1), (1, 0), (0, 1), (-1, 0)),
}


@dataclasses.dataclass(frozen=True, eq=False)
class Map:
    """One cell: its final policy, mean over some runs. probability: [states, 4]; visits: [states], shares."""

    cell: str
    label: str
    score: series.Point
    probability: Floats
    visits: Floats


@dataclasses.dataclass(frozen=True, eq=False)
class Policy:
    """The numbers of the figure. rows: the map, a letter per cell: S start, G goal, H hole, F free, C cliff."""

    study: str
    axis: str | None
    metric: str
    rows: tuple[str, ...]
    moves: tuple[tuple[int, int], ...]
    maps: tuple[Map, ...]
    note: str


def numbers(study: StudyData, view: series.View) -> Policy:
    """Return what is drawn, as plain numbers."""
    which = grouping.check_score(study, view.score)
    axis, shown, panel = curves.of_study(study, view, most=MOST_MAPS)
    shown = [one for one in shown if len(one.cell.runs)][:MOST_MAPS]
    if not shown:
        raise ConfigError(f"study {study.name} has no run yet.")
    rows, moves = map_of(shown[0].cell)
    metric = shown[0].cell.score.metric
    return Policy(
        study=study.name,
        axis=axis,
        metric=metric,
        rows=rows,
        moves=moves,
        maps=tuple(_map(one, which) for one in shown),
        note=notes.about(
            study,
            curves.some_of(shown, panel, axis),
            f"rays: action probabilities of the final policy, mean of {min(MOST_RUNS, len(shown[0].cell.runs))} runs",
            "shade: share of the steps spent there (square root)",
            f"numbers: {'value of the greedy policy' if which == 'greedy' else grouping.unit(metric)}",
        ),
    )


def map_of(cell: CellData) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...]]:
    """Return the map of a cell's environment and where its actions lead. ConfigError if it has none."""
    name = str(cell.config["env"].get("id", ""))
    moves = next((moves for prefix, moves in _MOVES.items() if name.startswith(prefix)), None)
    if moves is None:
        raise ConfigError(f"{grouping.environment(cell)} has no map; FrozenLake and CliffWalking have one.")
    world = replayed.setup_of(cell).env.make().unwrapped
    if hasattr(world, "desc"):
        return tuple("".join(letter.decode() for letter in row) for row in world.desc), moves
    letters = np.where(world._cliff, "C", "F")
    letters[-1, 0], letters[-1, -1] = "S", "G"
    return tuple("".join(row) for row in letters), moves


def _map(one: curves.Shown, which: str) -> Map:
    from rlsoftmax.engine.replay import final_policy

    setup = replayed.setup_of(one.cell)
    states = range(setup.world.states)
    policies = [final_policy(setup, int(run)) for run in one.cell.runs[:MOST_RUNS]]
    probability = np.mean([[policy.probabilities(state) for state in states] for policy in policies], axis=0)
    value = one.value if one.value is not None else float("nan")
    score = series.point(one.cell, value, one.label, which, best=one.best)
    return Map(one.cell.id[:12], one.label, score, probability, occupancy(probability, setup.env.transitions(), 100))


def occupancy(policy: Floats, table: Any, limit: int) -> Floats:
    """Return [states]: the share of an episode's steps (at most `limit`) that a policy spends in each state.

    Args:
      policy: [states, actions].
      table: a `Transitions`.
    """
    chance = policy[:, :, None] * table.chance * ~np.asarray(table.final, dtype=bool)
    flow = np.zeros((len(policy), len(policy)))
    state = np.broadcast_to(np.arange(len(policy))[:, None, None], chance.shape)
    np.add.at(flow, (state, table.after), chance)
    here, total = np.asarray(table.first, dtype=np.float64), np.zeros(len(policy))
    for _ in range(limit):
        total += here
        here = here @ flow
    return np.asarray(total / total.sum())


# ---------------------------------------------------------------------------------------------------------------------


def draw(figure: Figure, numbers: Policy) -> None:
    """Draw the figure, maps side by side if they are square, else one above the other."""
    up, across = len(numbers.rows), len(numbers.rows[0])
    shape = (len(numbers.maps), 1) if across > 2 * up else (1, len(numbers.maps))
    size = figure.get_figwidth() / shape[1]
    after = ": " if size > _SMALL and all(len(_title(numbers, one)) < _LETTERS * size for one in numbers.maps) else "\n"
    figure.set_figheight(
        shape[0] * (size * 0.94 * up / across + 0.32) + (0.5 if after == ": " else 0.7 if size > _SMALL else 0.9)
    )
    most = max(float(one.visits.max()) for one in numbers.maps)
    for axes, one in zip(figure.subplots(*shape, squeeze=False).flat, numbers.maps, strict=True):
        _draw_map(axes, numbers, one, most, "goal" if size > _SMALL else "G")
        axes.set_title(_title(numbers, one, after))
    labels.note(figure, numbers.note, style.ink().muted)
    labels.settle(figure)


def _title(numbers: Policy, one: Map, after: str = ": ") -> str:
    """Return the name of a cell and its score."""
    key = f"{labels.key(numbers.axis)} = " if numbers.axis is not None and one.score.value == one.score.value else ""
    return f"{key}{one.label}{after}{labels.decimal(float(f'{one.score.mean:.3g}'))}"


def _draw_map(axes: Axes, numbers: Policy, one: Map, most: float, goal: str) -> None:
    up, across = len(numbers.rows), len(numbers.rows[0])
    shade = style.yields()(0.62 * np.sqrt(one.visits / most)).reshape(up, across, 4)
    axes.imshow(shade, origin="upper", extent=(0, across, up, 0), aspect="equal")
    for state in range(up * across):
        row, column = divmod(state, across)
        letter = numbers.rows[row][column]
        if letter in "HC":
            axes.fill_between([column, column + 1], row, row + 1, color=style.hole(), linewidth=0.0, zorder=2)
        elif letter == "G":
            axes.text(
                column + 0.5,
                row + 0.5,
                goal,
                ha="center",
                va="center",
                color=style.ink().text,
            )
        else:
            _draw_rays(axes, (column + 0.5, row + 0.5), one.probability[state], numbers.moves)
    for k in range(max(up, across) + 1):
        axes.plot([k, k], [0, up], color=style.ink().page, linewidth=1.6, zorder=3) if k <= across else None
        axes.plot([0, across], [k, k], color=style.ink().page, linewidth=1.6, zorder=3) if k <= up else None
    axes.set_xlim(0, across)
    axes.set_ylim(up, 0)
    axes.axis("off")


def _draw_rays(
    axes: Axes, center: tuple[float, float], probability: Floats, moves: tuple[tuple[int, int], ...]
) -> None:
    """Draw a ray per action, a head on the likeliest unless others are as likely."""
    x, y = center
    top = float(probability.max())
    alone = int((probability > top - 1e-6).sum()) == 1
    for chance, (right, down) in zip(probability, moves, strict=True):
        reach = 0.44 * float(chance)
        if reach < 0.02:
            continue
        end = (x + reach * right, y + reach * down)
        axes.plot([x, end[0]], [y, end[1]], color=style.ink().text, linewidth=1.2, zorder=4, solid_capstyle="butt")
        if alone and chance == top:
            axes.annotate("", end, xytext=center, zorder=4, arrowprops={
                "arrowstyle": "-|>,head_width=0.2,head_length=0.34", "color": style.ink().text, "linewidth": 0.0,
                "shrinkA": 0.0, "shrinkB": 0.0})  # fmt: skip
