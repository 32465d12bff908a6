"""Warnings as data: what a reader must know beside a number. Terminal, figures and report show the same."""

from __future__ import annotations

import dataclasses
import math
import shlex
from collections.abc import Iterator, Sequence

import numpy as np

from rlsoftmax import words
from rlsoftmax.errors import ArgumentError
from rlsoftmax.stats.command import changed
from rlsoftmax.stats.compare import in_pairs
from rlsoftmax.stats.conditions import Condition, Standing, conditions, kind, standing
from rlsoftmax.stats.distribution import distribution
from rlsoftmax.stats.fresh import on_fresh_runs, winners
from rlsoftmax.stats.grid import legal, next_values
from rlsoftmax.stats.power import runs_needed
from rlsoftmax.stats.scores import LEAST
from rlsoftmax.store.data import GREEDY, CellData, StudyData
from rlsoftmax.store.select import value_of

FEW = 10  # runs: under this an interval rests on near-normal scores more than on numbers
_MOST_RUNS = 100_000  # more is no advice


@dataclasses.dataclass(frozen=True)
class Caution:
    """One warning.

    kind: missing, failed, few_runs, edge, noise, chosen, skew or two_bests.
    text: one sentence.
    command: what to type about it; empty if there is nothing to type.
    """

    kind: str
    text: str
    command: str = ""


def cautions(study: StudyData, which: str = "online", level: float = 0.95) -> tuple[Caution, ...]:
    """Return all warnings about the numbers of a study, the most basic first.

    Args:
      study: with what is there.
      which: the score that is looked at, `online` or `greedy`.
      level: confidence of the set of best.
    """
    found = [*_missing(study), *_failed(study), *_few_runs(study)]
    groups = conditions(study)
    for group in groups:
        place = f"{words.cell(group.where)}: " if len(groups) > 1 else ""
        now = standing(group.cells, which, level)
        if now is not None:
            found += [dataclasses.replace(one, text=place + one.text) for one in _about(study, group, now, level)]
    return tuple(found)


def _about(study: StudyData, group: Condition, now: Standing, level: float) -> Iterator[Caution]:
    yield from _edge(study, now)
    yield from _noise(study, now)
    yield from _chosen(study, now)
    yield from _skew(study, now)
    yield from _two_bests(group, level)


def _missing(study: StudyData) -> Iterator[Caution]:
    if study.missing:
        text = f"{study.missing} of {study.runs * len(study.cells)} runs are missing; the same command continues."
        yield Caution("missing", text, study.command)
    elif lost := _missing_fresh(study):
        text = f"{lost} of {study.report_runs} fresh runs of a best cell are missing; the same command continues."
        yield Caution("missing", text, study.command)


def _missing_fresh(study: StudyData) -> int:
    """Return how many fresh runs the best cell with the fewest still lacks."""
    if not study.report_runs:
        return 0
    there = {cell.id: len(cell.runs) + len(cell.failures) for cell in study.fresh}
    return max((study.report_runs - there.get(cell.id, 0) for cell in winners(study)), default=0)


def _failed(study: StudyData) -> Iterator[Caution]:
    failed = [failure for cell in (*study.cells, *study.fresh) for failure in cell.failures]
    if failed:
        planned = study.runs * len(study.cells) + sum(len(cell.runs) + len(cell.failures) for cell in study.fresh)
        text = (
            f"{len(failed)} of {planned} runs failed and are in no number; the first: {failed[0].reason.rstrip('.')}."
        )
        yield Caution("failed", text)


def _few_runs(study: StudyData) -> Iterator[Caution]:
    least = min((len(cell.runs) for cell in study.cells), default=FEW)
    if least < FEW:
        text = f"only {_runs(least)} of a cell: intervals are wide, and right only if scores are near normal."
        yield Caution("few_runs", text, changed(study.command, "runs", [30]))


def _runs(n: int) -> str:
    return "1 run" if n == 1 else f"{n} runs"


def _edge(study: StudyData, now: Standing) -> Iterator[Caution]:
    """The best cell is the first or last along a swept number: the grid ends too early."""
    for axis in study.axes:
        values = _line(now.cells, now.best, axis)
        mine = value_on(now.best, axis)
        on = next_values(values, at=mine) if mine is not None and len(values) >= 3 else []
        if mine is not None and (more := legal(now.best.config, axis, on) if on else []):
            here, *further = words.spelled([mine, *more])
            name, grid = words.key(axis), sorted([*values, *more])
            text = f"the best {name}, {here}, is at the edge of its grid, which goes on with {' and '.join(further)}."
            yield Caution("edge", text, _wider(study, now.best, axis, grid))


def _wider(study: StudyData, best: CellData, axis: str, grid: Sequence[float]) -> str:
    """Return the command that plays a wider grid, and all that is there already.

    In a union of grids other kinds do not have the key: then it plays the kind of the best alone, as another study.
    """
    if set(study.axes) <= best.overrides.keys() | {axis}:
        return changed(study.command, axis, grid)
    keys = {axis, "tau"} if axis == "beta" else {axis}
    kin = [cell for cell in study.cells if kind(cell) == kind(best)]
    command = study.command
    for key in (key for key in study.axes if key not in keys and key.partition(".")[0] != "env"):
        if held := list(dict.fromkeys(value for cell in kin if (value := value_of(cell, key)) is not None)):
            command = changed(command, key, held)
    command = changed(command, axis, grid)
    return changed(command, "study", [f"{study.name}-wider"]) if study.folder else command


def _named(cell: CellData, among: Sequence[CellData]) -> str:
    """Return a cell in words, without the condition that all of them share."""
    mine, *others = ({k: v for k, v in one.overrides.items() if k.partition(".")[0] != "env"} for one in (cell, *among))
    return words.cell(mine, others)


def _line(cells: Sequence[CellData], best: CellData, axis: str) -> list[float]:
    """Return the values of the axis among the cells that differ from the best in nothing else, ascending."""
    keys = {axis, "tau"} if axis == "beta" else {axis}
    rest = {key: value for key, value in best.overrides.items() if key not in keys}
    line = [cell for cell in cells if {k: v for k, v in cell.overrides.items() if k not in keys} == rest]
    return sorted({value for cell in line if (value := value_on(cell, axis)) is not None})


def value_on(cell: CellData, axis: str) -> float | None:
    """Return a cell's number on a swept axis, None if it has none there; on `beta` that is 1 / tau.

    A tau of 0 is a beta of infinity, and the other way round.
    """
    if axis == "beta" and axis not in cell.overrides:
        tau = value_on(cell, "tau")
        return None if tau is None else math.inf if tau == 0.0 else 1.0 / tau
    value = cell.overrides.get(axis)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _noise(study: StudyData, now: Standing) -> Iterator[Caution]:
    """Several cells may be the best: no winner is called."""
    members = np.flatnonzero(now.result.members)
    if len(members) > 1:
        some = "; ".join(_named(now.cells[at], now.cells) for at in members[:4]) + ("; ..." if len(members) > 4 else "")
        text = f"{len(members)} of {len(now.cells)} cells cannot be told from the best ({some}): no winner among them."
        yield Caution("noise", text, _enough_runs(study, now, members.tolist()))


def _enough_runs(study: StudyData, now: Standing, members: Sequence[int]) -> str:
    """Return the command with as many runs as would tell the best from the next, if these differ as they seem to."""
    rivals = [at for at in members if at != now.result.best]
    rival = max(rivals, key=lambda at: now.result.behind[at].mean)
    x, y, _ = in_pairs(now.scores[now.result.best], now.scores[rival])
    try:
        runs = runs_needed(float(np.mean(x - y)), float(np.std(x - y, ddof=1)) if len(x) > 1 else 0.0)
    except ArgumentError:  # no difference at all, or no spread
        return ""
    return changed(study.command, "runs", [runs]) if study.runs < runs <= _MOST_RUNS else ""


def _chosen(study: StudyData, now: Standing) -> Iterator[Caution]:
    if len(now.cells) > 1 and on_fresh_runs(study, now.best, now.which) is None:
        text = f"the best of {len(now.cells)} cells was chosen on these runs: its score is too high on average."
        yield Caution("chosen", text, _with_fresh_runs(study))


def _with_fresh_runs(study: StudyData) -> str:
    """Return the command that plays the best once more; none if that was asked for, and they are still to be played."""
    return "" if study.report_runs else changed(study.command, "report_runs", [max(study.runs, LEAST)])


def _skew(study: StudyData, now: Standing) -> Iterator[Caution]:
    shape = distribution(now.best.scores(now.which))
    if shape.skewed or shape.bimodal:
        word = "in two heaps" if shape.bimodal else "skewed"
        text = (
            f"scores of {_named(now.best, now.cells) or 'the cell'} are {word}: median {shape.median:.4g}, "
            f"middle half {shape.low:.4g} to {shape.high:.4g}, mean {shape.mean:.4g}; look at all runs."
        )
        yield Caution("skew", text, f"rlsoftmax plot {shlex.quote(study.name)} --kind distribution")


def _two_bests(group: Condition, level: float) -> Iterator[Caution]:
    """While learning and afterwards, different cells are best, and not by noise."""
    if not all(GREEDY in cell.arrays for cell in group.cells):
        return
    online, greedy = standing(group.cells, "online", level), standing(group.cells, "greedy", level)
    if online and greedy and not (_among(online.best, greedy) and _among(greedy.best, online)):
        text = (
            f"best while learning is {_named(online.best, group.cells)}, "
            f"best for the greedy policy afterwards {_named(greedy.best, group.cells)}."
        )
        yield Caution("two_bests", text)


def _among(cell: CellData, these: Standing) -> bool:
    return cell.id in {member.id for member in these.members}
