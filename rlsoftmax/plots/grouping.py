"""Which cells stand on the temperature axis, which beside it as references, and what each is called.

A *panel* is one condition (the swept keys of the environment). Its *groups* differ in anything but the swept number;
*rivals* are cells that do not have that number, one per kind, the best of those that were tried.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from rlsoftmax.canonical import canonical
from rlsoftmax.errors import ConfigError, did_you_mean
from rlsoftmax.plots import labels
from rlsoftmax.stats.conditions import Standing, conditions, kind, scored, standing
from rlsoftmax.stats.warnings import value_on
from rlsoftmax.store.data import GREEDY, CellData, StudyData

SCORES = ("online", "greedy")
_NAMES = ("agent", "policy", "tau", "beta")  # swept keys that name a part
_UNITS = {
    "reward": "average reward",
    "return": "return per episode",
    "length": "steps per episode",
    "success": "success per episode",
    "regret": "regret per step",
    "optimal": "share of optimal pulls",
    "episodes": "finished episodes",
}


@dataclasses.dataclass(frozen=True, eq=False)
class Group:
    """Cells that differ in the swept number only, ascending; words: what tells this group from the others."""

    words: tuple[str, ...]
    values: tuple[float, ...]
    cells: tuple[CellData, ...]

    @property
    def label(self) -> str:
        """Return the words in one."""
        return " ".join(self.words)


@dataclasses.dataclass(frozen=True, eq=False)
class Rival:
    """The best cell of another kind, out of `tried`."""

    label: str
    cell: CellData
    tried: int


@dataclasses.dataclass(frozen=True, eq=False)
class Panel:
    """One condition, as it is drawn and listed.

    where: the condition in words, empty if there is only one. off: all cells that do not stand on the axis.
    standing: which cells on the axis may be the best.
    """

    where: str
    groups: tuple[Group, ...]
    off: tuple[CellData, ...]
    rivals: tuple[Rival, ...]
    standing: Standing | None

    @property
    def cells(self) -> tuple[CellData, ...]:
        """Return the cells on the axis."""
        return tuple(cell for group in self.groups for cell in group.cells)

    @property
    def values(self) -> tuple[float, ...]:
        """Return all different values on the axis, ascending."""
        return tuple(sorted({value for group in self.groups for value in group.values}))


def present(study: StudyData) -> StudyData:
    """Return the study with empty arrays for cells of which nothing is there yet: they are drawn as missing.

    Raises:
      ConfigError: if that is all of them.
    """
    there = next((cell for cell in study.cells if len(cell.runs)), None)
    if there is None:
        raise ConfigError(f"study {study.name} has no finished run{_why(study)}.")
    return dataclasses.replace(study, cells=tuple(cell if cell.arrays else _bare(cell, there) for cell in study.cells))


def _why(study: StudyData) -> str:
    failed = [failure for cell in study.cells for failure in cell.failures]
    if failed:
        return f": {len(failed)} failed, the first: {failed[0].reason.rstrip('.')}"
    return " yet; the command that made it continues it"


def _bare(cell: CellData, like: CellData) -> CellData:
    bins = len(cell.edges) - 1
    empty = {name: np.empty((0, bins)) for name in like.metrics}
    return dataclasses.replace(cell, arrays=empty | ({GREEDY: np.empty(0)} if GREEDY in like.arrays else {}))


def panels(study: StudyData, axis: str | None = None, which: str = "online") -> tuple[Panel, ...]:
    """Return the panels of a study.

    Args:
      axis: the swept number: `tau`, `beta`, `agent.alpha`, ...; None for the cells as they are, one group per kind.
      which: the score that decides what is best.
    """
    whole = conditions(study)
    return tuple(
        _panel(condition.cells, axis, which, _where(condition.where) if len(whole) > 1 else "") for condition in whole
    )


def _panel(cells: Sequence[CellData], axis: str | None, which: str, where: str) -> Panel:
    on = list(cells) if axis is None else _on(cells, axis)
    there = {cell.id for cell in on}
    off = [cell for cell in cells if cell.id not in there]
    return Panel(where, _groups(on, axis), tuple(off), tuple(_rivals(off, on, which)), _standing(on, which))


def _on(cells: Sequence[CellData], axis: str) -> list[CellData]:
    """Return the cells of kinds in which the number was swept; if there is no such kind, all that have the number."""
    having = [cell for cell in cells if number_on(cell, axis) is not None]
    swept = [names for names, group in kinds(having).items() if len({number_on(cell, axis) for cell in group}) > 1]
    return [cell for cell in having if not swept or kind(cell) in swept]


def _standing(cells: Sequence[CellData], which: str) -> Standing | None:
    having = [cell for cell in cells if which == "online" or GREEDY in cell.arrays]
    return standing(having, which)


def _where(keys: Mapping[str, Any]) -> str:
    return ", ".join(f"{labels.key(key)} {labels.value(value)}" for key, value in keys.items())


def number_on(cell: CellData, axis: str) -> float | None:
    """Return where a cell stands on an axis, None if it has no number there; tau and beta stand for each other."""
    if axis == "tau" and axis not in cell.overrides and "beta" in cell.overrides:
        beta = value_on(cell, "beta")
        return None if beta is None else math.inf if beta == 0.0 else 1.0 / beta
    return value_on(cell, axis)


def temperature_axis(study: StudyData, wanted: str | None = None) -> str:
    """Return the swept key that is a temperature: `beta` or `tau` as it was swept, else a number of the schedule.

    Args:
      wanted: `tau` or `beta`, to draw one as the other; or another swept key.

    Raises:
      ConfigError: if there is none.
    """
    swept = [axis for axis in axes_with_numbers(study) if is_temperature(axis)]
    if wanted is not None:
        known = [
            *dict.fromkeys([*axes_with_numbers(study), *(("tau", "beta") if swept[:1] in (["tau"], ["beta"]) else ())])
        ]
        if wanted not in known:
            raise ConfigError(f"no axis {wanted!r} in study {study.name}.{did_you_mean(wanted, known)}")
        return wanted
    if not swept:
        raise ConfigError(
            f"study {study.name} does not sweep the temperature; "
            f"{'sweep tau, such as tau=0.1,0.2,0.4' if not axes_with_numbers(study) else 'try parameter_study'}."
        )
    return swept[0]


def is_temperature(axis: str) -> bool:
    """Return whether a swept key is a temperature, or a number of its schedule."""
    return axis in ("beta", "tau") or axis.startswith("tau.")


def usual_kind(study: StudyData) -> str:
    """Return the kind of figure to look at first: along the temperature or another number, by name, or over time."""
    swept = axes_with_numbers(study)
    if any(map(is_temperature, swept)):
        return "temperature"
    if swept:
        return "parameter_study"
    return "compare" if len(kinds(study.cells)) > 1 else "reward_curve"


def axes_with_numbers(study: StudyData) -> list[str]:
    """Return the swept keys with two or more different numbers: beta before tau before the others."""
    first = ("beta", "tau", *(axis for axis in study.axes if axis.startswith("tau.")))
    ordered = dict.fromkeys([*(axis for axis in first if axis in study.axes), *study.axes])
    return [axis for axis in ordered if len({value_on(cell, axis) for cell in study.cells} - {None}) > 1]


def _groups(cells: Sequence[CellData], axis: str | None) -> tuple[Group, ...]:
    keys = {axis, "tau", "beta"} if axis in ("tau", "beta") else {axis}
    found: dict[str, list[CellData]] = {}
    for cell in cells:
        found.setdefault(_rest(cell, keys), []).append(cell)
    words = _told_apart(list(found.values()), keys)
    return tuple(_group(some, group, axis) for some, group in zip(words, found.values(), strict=True))


def _rest(cell: CellData, keys: Iterable[str | None]) -> str:
    rest = {key: value for key, value in cell.overrides.items() if key not in keys and not _of_env(key)}
    return canonical(rest | {"kind": kind(cell)})


def _of_env(key: str) -> bool:
    return key.partition(".")[0] == "env"


def _group(words: Sequence[str], cells: Sequence[CellData], axis: str | None) -> Group:
    numbers = [number_on(cell, axis) if axis is not None else None for cell in cells]
    order = sorted(range(len(cells)), key=lambda at: numbers[at] if numbers[at] is not None else at)  # type: ignore[return-value,arg-type]
    return Group(
        tuple(words),
        tuple(number for at in order if (number := numbers[at]) is not None),
        tuple(cells[at] for at in order),
    )


def _told_apart(groups: Sequence[Sequence[CellData]], keys: Iterable[str | None]) -> list[list[str]]:
    """Return words for each group: the parts and the swept values in which they differ; `keys` are the axis."""
    cells = [group[0] for group in groups]
    parts = [kind(cell) for cell in cells]
    differing = [at for at in range(3) if len({part[at] for part in parts}) > 1]
    numbers = [key for key in _differing(cells) if key not in {*keys, *_NAMES}]
    return [
        [*(labels.word(part[at]) for at in differing if part[at]), *_values(cell, numbers)]
        for cell, part in zip(cells, parts, strict=True)
    ]


def _differing(cells: Sequence[CellData]) -> list[str]:
    """Return the swept keys, but those of the environment, that do not have the same value in all cells."""
    every = dict.fromkeys(key for cell in cells for key in cell.overrides if not _of_env(key))
    return [key for key in every if len({canonical(cell.overrides.get(key)) for cell in cells}) > 1]


def _values(cell: CellData, keys: Iterable[str]) -> Iterator[str]:
    for key in keys:
        if key in cell.overrides:
            yield f"{labels.key(key)} {labels.value(cell.overrides[key])}"


def _rivals(cells: Sequence[CellData], among: Sequence[CellData], which: str) -> Iterator[Rival]:
    for group in kinds(cells).values():
        best = highest(group, which)
        if best is not None:
            yield Rival(rival_name(best, among, group), best, len(group))


def kinds(cells: Iterable[CellData]) -> dict[tuple[str, ...], list[CellData]]:
    """Return the cells by the names of their (agent, policy, tau)."""
    found: dict[tuple[str, ...], list[CellData]] = {}
    for cell in cells:
        found.setdefault(kind(cell), []).append(cell)
    return found


def telling(kinds: Iterable[tuple[str, ...]]) -> int:
    """Return which part decides the colour: the policy if policies differ, else the agent, else the schedule."""
    return next((part for part in (1, 0, 2) if len({kind[part] for kind in kinds}) > 1), 1)


def varied(cell: CellData, kin: Sequence[CellData]) -> list[str]:
    """Return what was swept among cells of one kind, as this cell has it: `α 0.1`."""
    return list(_values(cell, [key for key in _differing(kin) if key not in ("agent", "policy")]))


def short_names(kinds: Sequence[tuple[str, ...]]) -> list[str]:
    """Return a name for each (agent, policy, tau): what most do not have; else its policy, or agent if policies agree.

    >>> short_names([("a", "boltzmann", "constant"), ("a", "boltzmann", "exponential"), ("b", "boltzmann", "constant")])
    ['a', 'a exponential', 'b']
    >>> short_names([("a", "greedy", ""), ("b", "ucb", "")])
    ['a greedy', 'b UCB']
    >>> short_names([("a", "boltzmann", "linear"), ("a", "boltzmann", "power"), ("a", "ucb", "")])
    ['Boltzmann linear', 'Boltzmann power', 'UCB']
    """
    usual = [_most([name for name in column if name]) for column in zip(*kinds, strict=True)]
    alike = len({policy for _, policy, _ in kinds}) == 1 and len({agent for agent, _, _ in kinds}) > 1
    found = []
    for agent, policy, tau in kinds:
        words = [name for name, common in ((agent, usual[0]), (policy, usual[1])) if name != common]
        words = words or [agent if alike else policy]
        words += [tau] if tau and tau != usual[2] else []
        found.append(" ".join(map(labels.word, words)))
    return found


def _most(names: Sequence[str]) -> str:
    """Return the name that is there more often than any other; empty if there is none."""
    ranked = sorted(set(names), key=names.count, reverse=True)
    return ranked[0] if ranked and (len(ranked) == 1 or names.count(ranked[0]) > names.count(ranked[1])) else ""


def rival_name(cell: CellData, among: Sequence[CellData], off: Sequence[CellData]) -> str:
    """Return a cell of another kind in words: the parts that the cells on the axis do not have, and what was swept.

    Args:
      among: the cells on the axis. off: those that are not; of them, its own kind tells which numbers were swept.
    """
    mine = kind(cell)
    kin = kinds(off)[mine]
    known = {name for other in among for name in kind(other)}
    numbers = [key for key in _differing(kin) if key not in _NAMES and key in cell.overrides]
    values = [labels.value(cell.overrides[key]) for key in numbers] if len(numbers) == 1 else _values(cell, numbers)
    new = [labels.word(name) for name in mine if name and name not in known]
    return " ".join([*(new or [labels.word(mine[1])]), *values])


def highest(cells: Sequence[CellData], which: str) -> CellData | None:
    """Return the cell with the highest mean score, None if no run has one. Regret counts as its negative."""
    means = [mean_score(cell, which) for cell in cells]
    top = int(np.argmax(means)) if means else 0
    return cells[top] if means and means[top] > -math.inf else None


def mean_score(cell: CellData, which: str) -> float:
    """Return the mean score, higher is better; -infinity if no run has one."""
    return mean_of(scored(cell, which)[1]) if has_score(cell, which) else -math.inf


def has_score(cell: CellData, which: str) -> bool:
    """Return whether a run of the cell has this score."""
    if which == "greedy" and GREEDY not in cell.arrays:
        return False
    return len(cell.runs) > 0 and not np.all(np.isnan(cell.scores(which)))


def mean_of(values: labels.Floats) -> float:
    """Return the mean of the numbers that are there; the order of the runs leaves no trace."""
    there = np.sort(values[~np.isnan(values)])
    return float(there.mean()) if len(there) else -math.inf


def check_score(study: StudyData, which: str | None) -> str:
    """Return the score to draw: as asked, else `online`. Errors: ConfigError if no cell has it."""
    which = "online" if which is None else which
    if which not in SCORES:
        raise ConfigError(f"no score {which!r}.{did_you_mean(which, SCORES)}")
    if which == "greedy" and not any(GREEDY in cell.arrays for cell in study.cells):
        raise ConfigError(f"study {study.name} has no greedy score: its environment does not declare what that needs.")
    return which


def unit(metric: str) -> str:
    """Return what a metric is called on an axis."""
    return _UNITS.get(metric, labels.word(metric))


def is_bandit(cell: CellData) -> bool:
    """Return whether a pull is all there is: nothing is counted per episode."""
    return "episodes" not in cell.arrays


def greedy_fits(cell: CellData) -> bool:
    """Return whether the greedy score is in the unit of the online score: then they share an axis."""
    return GREEDY in cell.arrays and cell.score.metric == ("reward" if is_bandit(cell) else "return")


def environment(cell: CellData) -> str:
    """Return the environment in words: the id of Gymnasium's, else its own name."""
    env = cell.config["env"]
    return labels.plain(env["id"]) if isinstance(env.get("id"), str) else labels.word(str(env["name"]))
