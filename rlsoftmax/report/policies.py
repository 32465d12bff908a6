"""What was learned: the final policies, made again by playing some runs once more, since luck is pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rlsoftmax.errors import ConfigError, RlsoftmaxError
from rlsoftmax.plots import curves, labels, replayed
from rlsoftmax.plots import policy as maps
from rlsoftmax.report.geometry import Floats, short
from rlsoftmax.report.items import Item, Panel

MOST_ARMS, MOST_STATES, MOST_POLICIES = 40, 60, 60
_PATIENCE = 5
_STEPS = 2e7  # that may be played again for a page: half a second
_RUNS_OF_ARMS, _RUNS_OF_STATES = 200, 5


@dataclasses.dataclass(frozen=True, eq=False)
class Learned:
    """The final policy of an item, mean over `runs` runs.

    probability: [rows, actions]; rows are states, one for a bandit, whose actions stand by true value, the best first.
    beside: of a bandit the true means [actions], mean over runs; of a map the share of steps in each state; else empty.
    """

    probability: Floats
    beside: Floats
    runs: int


@dataclasses.dataclass(frozen=True, eq=False)
class Policies:
    """The final policies of a condition. kind: `arms`, `map` or `states`; empty if there is none to show.

    rows, moves: of a map, as in `plots.policy`. missing: place of an item -> why its policy cannot be shown.
    """

    kind: str
    rows: tuple[str, ...]
    moves: tuple[tuple[int, int], ...]
    learned: Mapping[int, Learned]
    missing: Mapping[int, str]


def policies(panel: Panel) -> Policies:
    """Return the final policies of what a condition shows; nothing is raised, reasons are kept."""
    found: dict[int, Learned] = {}
    missing = {item.place: f"Only {MOST_POLICIES} final policies are on this page." for item in panel.drawn}
    world = Policies("", (), (), found, missing)
    for tried, item in enumerate(_some(panel)):
        try:
            world = world if found else dataclasses.replace(_world(item), learned=found, missing=missing)
            found[item.place] = _LOOKS[world.kind](item, panel)
            del missing[item.place]
        except RlsoftmaxError as error:
            missing[item.place] = str(error)[:1].upper() + str(error)[1:]
            if tried == _PATIENCE and not found:  # what holds for these holds for all
                missing |= dict.fromkeys(missing, missing[item.place])
                break
    return world if found else dataclasses.replace(world, kind="")


def _some(panel: Panel) -> list[Item]:
    """Return at most MOST_POLICIES items, the best among them."""
    best = panel.drawn.index(panel.best["online"]) if panel.best["online"] is not None else 0
    return [panel.drawn[at] for at in curves.chosen(len(panel.drawn), best, MOST_POLICIES)]


def _world(item: Item) -> Policies:
    """Return how the policies of an environment are shown, with none yet."""
    setup = replayed.setup_of(item.cell)
    if setup.kind.stepped:
        raise ConfigError("Runs of a stepped environment are not played again for a page.")
    if setup.kind.bandit and setup.world.states == 1:
        return Policies("arms", (), (), {}, {})
    try:
        return Policies("map", *maps.map_of(item.cell), {}, {})
    except ConfigError:  # it has no map: its states are listed
        return Policies("states", (), (), {}, {})


def _arms(item: Item, panel: Panel) -> Learned:
    setup = replayed.setup_of(item.cell)
    if not setup.kind.policy.has_probabilities():
        name = labels.word(str(item.cell.config["policy"]["name"]))
        raise ConfigError(f"There are no probabilities: {name} chooses by itself.")
    actions = setup.world.actions
    if actions > MOST_ARMS:
        raise ConfigError(f"There are {actions} arms, too many to draw.")
    runs = _affordable(item, panel, _RUNS_OF_ARMS)
    _, mean, truth, n = replayed.mean_policies(item.cell, runs, 2)
    return Learned(mean[-1:, ::-1], truth[::-1], n)


def _map(item: Item, panel: Panel) -> Learned:
    setup = replayed.setup_of(item.cell)
    learned = _final(item, panel, setup)
    return dataclasses.replace(learned, beside=maps.occupancy(learned.probability, setup.env.transitions(), 100))


def _states(item: Item, panel: Panel) -> Learned:
    setup = replayed.setup_of(item.cell)
    if setup.world.states > MOST_STATES:
        raise ConfigError(f"There are {setup.world.states} states and no map: too many to draw.")
    return _final(item, panel, setup)


def _final(item: Item, panel: Panel, setup: Any) -> Learned:
    from rlsoftmax.engine.replay import final_policy

    some = item.cell.runs[: _affordable(item, panel, _RUNS_OF_STATES)]
    if not len(some):
        raise ConfigError("No run is there yet.")
    final = [final_policy(setup, int(run)) for run in some]
    states = range(setup.world.states)
    probability = np.mean([[each.probabilities(state) for state in states] for each in final], axis=0)
    return Learned(probability, np.zeros(0), len(some))


_LOOKS: dict[str, Callable[[Item, Panel], Learned]] = {"arms": _arms, "map": _map, "states": _states}


def _affordable(item: Item, panel: Panel, most: int) -> int:
    """Return how many runs may be played again, so that the page is made in a moment."""
    steps = int(item.cell.edges[-1])
    cells = min(len(panel.drawn), MOST_POLICIES)
    runs = int(_STEPS / (steps * cells))
    if runs < 1:
        raise ConfigError(f"Too long to be played again for a page: {cells} runs of {steps} steps.")
    return min(runs, most, len(item.cell.runs))


# --- pictures --------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Mark:
    """A rectangle that says a probability or a share. what: of it in words; empty for a place without one."""

    x: float
    y: float
    wide: float
    high: float
    share: float
    what: str


@dataclasses.dataclass(frozen=True)
class Picture:
    """A final policy as it is drawn at first. rays: `d` of the lines of a map; holes: what cannot be entered."""

    kind: str
    width: float
    height: float
    marks: Sequence[Mark]
    rays: str
    holes: Sequence[Mark]
    words: Sequence[tuple[float, float, str]]


def picture(found: Policies, place: int) -> Picture | None:
    """Return the picture of an item's policy, or of another's if it has none; None if nobody has one."""
    if not found.learned:
        return None
    learned = found.learned.get(place) or next(iter(found.learned.values()))
    return {"arms": _draw_arms, "map": _draw_map, "states": _draw_states}[found.kind](found, learned)


def _draw_arms(found: Policies, learned: Learned) -> Picture:
    shares, wide = learned.probability[0], 480.0 / len(learned.beside)
    marks = [
        Mark(46 + wide * at, 40, wide - min(6, wide * 0.2), 240, float(share), f"{truth:.2f}".replace("-", "−"))
        for at, (share, truth) in enumerate(zip(shares, learned.beside, strict=True))
    ]
    return Picture("arms", 540, 330, marks, "", (), [(286, 324, "arms by their true mean reward, the best first")])


def _draw_map(found: Policies, learned: Learned) -> Picture:
    up, across = len(found.rows), len(found.rows[0])
    size = min(540.0 / across, 380.0 / up)
    letters = [letter for row in found.rows for letter in row]
    top = float(learned.beside.max()) or 1.0
    marks = [
        Mark(size * (at % across), size * (at // across), size, size, float(np.sqrt(share / top)), f"state {at}")
        for at, share in enumerate(learned.beside)
    ]
    holes = [mark for mark, letter in zip(marks, letters, strict=True) if letter in "HC"]
    words = [
        (mark.x + size / 2, mark.y + size / 2 + 4, "goal" if size > 34 else "G")
        for mark, letter in zip(marks, letters, strict=True)
        if letter == "G"
    ]
    return Picture("map", size * across, size * up, marks, rays(found, learned, size), holes, words)


def rays(found: Policies, learned: Learned, size: float) -> str:
    """Return the `d` of a ray per action and state, as long as the action is likely; none from holes and goals."""
    across = len(found.rows[0])
    parts = []
    for state, chances in enumerate(learned.probability):
        row, column = divmod(state, across)
        if found.rows[row][column] in "HCG":
            continue
        for chance, (right, down) in zip(chances.tolist(), found.moves, strict=True):
            if chance >= 0.02:
                reach = 0.44 * size * chance
                parts.append(
                    f"M{size * (column + 0.5):.1f} {size * (row + 0.5):.1f}l{reach * right:.1f} {reach * down:.1f}"
                )
    return "".join(parts)


def _draw_states(found: Policies, learned: Learned) -> Picture:
    states, actions = learned.probability.shape
    wide, high = min(480.0 / states, 60.0), min(240.0 / actions, 60.0)
    marks = [
        Mark(
            46 + wide * s, 12 + high * a, wide - 1, high - 1, float(learned.probability[s, a]), f"state {s}, action {a}"
        )
        for s in range(states)
        for a in range(actions)
    ]
    bottom = 12 + high * actions
    words = [(38.0, 12 + high * (a + 0.5) + 4, str(a)) for a in range(actions)]
    words += [(46 + wide * states / 2, bottom + 18, f"states 0 to {states - 1}; one row per action")]
    return Picture("states", 540, bottom + 26, marks, "", (), words)


def data_of(found: Policies, drawn: Picture | None) -> dict[str, Any]:
    """Return what the script needs to show the policy of another item."""
    return {
        "kind": found.kind,
        "rows": found.rows,
        "moves": found.moves,
        "size": drawn.width / len(found.rows[0]) if drawn is not None and found.rows else 0,
        "missing": found.missing,
        "learned": {
            place: {"p": [short(row) for row in each.probability], "beside": short(each.beside), "runs": each.runs}
            for place, each in found.learned.items()
        },
    }
