"""A plan: the cells of a study, how often each is played, and what tells them apart. It decides everything."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from rlsoftmax.canonical import Settled, canonical
from rlsoftmax.component import Bound, Component, build, name_of
from rlsoftmax.engine.patience import TIMEOUT
from rlsoftmax.errors import BadValue, ConfigError, shown
from rlsoftmax.experiment.bins import Ints, Memory, Values, listed
from rlsoftmax.experiment.spec import Experiment, mapping
from rlsoftmax.store.claims import Claim
from rlsoftmax.store.data import Score
from rlsoftmax.store.names import check_name

FORMAT = 1
LEAST = 3  # runs to choose the best on, and to report it on
Document = Mapping[str, Any]
_Some = Annotated[int | Literal["auto"], Bound(1, 4096)]


class Engine(Component):
    """How the work is cut up: it changes how long a study takes, never its numbers."""

    threads: _Some = "auto"
    lanes: Annotated[int | Literal["auto"], Bound(1, 256)] = "auto"
    window: Annotated[int | Literal["auto"], Bound(1, 10**9)] = "auto"  # steps
    debug: bool = False  # compile with bounds checks
    timeout: Annotated[float, Bound(0.0, open=True, infinite=True), "seconds"] = (
        TIMEOUT  # for one answer of a stepped environment
    )


class Fresh(Component):
    """How often the best cells are played once more, by runs that did not choose them; 0 for not at all."""

    report_runs: Annotated[int, Bound(0, 10**9)] = 0


class Evaluate(Component):
    """How the final greedy policy is tried where there is no table; no part of what a cell is."""

    episodes: Annotated[int, Bound(0, 10**6)] = 0  # of each run, in an environment of its own


@dataclasses.dataclass(frozen=True, eq=False)
class PlannedCell:
    """A cell of a plan.

    overrides: swept key -> value, as the user wrote it. chosen: group -> the option that was chosen, such as testbed.
    """

    id: str
    experiment: Experiment
    config: Mapping[str, Any]
    overrides: Mapping[str, Any]
    chosen: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def edges(self) -> Ints:
        """Return the ends of the bins: int64 [bins + 1]."""
        return self.experiment.edges

    @property
    def snapshot_steps(self) -> Ints:
        """Return the steps of the closer look."""
        return self.experiment.snapshot_steps

    @property
    def score(self) -> Score:
        """Return what a run is judged by."""
        return self.experiment.score


@dataclasses.dataclass(frozen=True, eq=False)
class Plan:
    """What will be played.

    axes: the swept keys in the order in which they were given; `beta` if that was swept.
    study: the name the user gave, None for none. results: the folder of all studies.
    command: text that makes this plan again. claims: what is said about the study beforehand; no part of any cell.
    report_runs: how many fresh runs the best cells get, numbered from `runs` on.
    """

    cells: tuple[PlannedCell, ...]
    axes: tuple[str, ...]
    runs: int
    study: str | None = None
    results: str = "results"
    engine: Engine = dataclasses.field(default_factory=Engine)
    evaluate: Evaluate = dataclasses.field(default_factory=Evaluate)
    command: str = ""
    notes: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()
    report_runs: int = 0

    @functools.cached_property
    def name(self) -> str:
        """Return the name of the study's folder."""
        return self.study if self.study is not None else default_name(self)

    @property
    def threads(self) -> int | None:
        """Return how many threads play; None for as many as there are processors."""
        return _number(self.engine.threads)

    @property
    def lanes(self) -> int | None:
        """Return how many runs a block plays side by side; None for what fits the cache."""
        return _number(self.engine.lanes)

    @property
    def window(self) -> int | None:
        """Return the steps of one kernel call; None for what takes a fifth of a second."""
        return _number(self.engine.window)

    @property
    def timeout(self) -> float:
        """Return how many seconds an environment that is stepped may take for one answer."""
        return self.engine.timeout

    @property
    def debug(self) -> bool:
        """Return whether kernels check their indices."""
        return self.engine.debug

    @functools.cached_property
    def keep_memory(self) -> bool:
        """Return whether what the agents remember at the end is kept."""
        return any(cell.experiment.record.memory == Memory.FINAL for cell in self.cells)

    @property
    def looks_inside(self) -> bool:
        """Return whether it is worked out what policies are worth at the snapshots."""
        return any(cell.experiment.record.values == Values.SNAPSHOTS for cell in self.cells)

    @property
    def run_steps(self) -> int:
        """Return how many steps all runs of all cells have."""
        return self.runs * sum(cell.experiment.steps for cell in self.cells)

    def document(self) -> dict[str, Any]:
        """Return what is stored: plain values, all that is needed to read the study and to know what is missing."""
        first = self.cells[0]
        return {
            "format": FORMAT,
            "study": self.name,
            "axes": list(self.axes),
            "runs": self.runs,
            "command": self.command,
            "score": _score(first.score),
            "snapshot_steps": first.snapshot_steps.tolist(),
            "cells": [_entry(cell) for cell in self.cells],
            **({"claims": [claim.plain() for claim in self.claims]} if self.claims else {}),
            **({"report_runs": self.report_runs} if self.report_runs else {}),
        }


def _number(value: int | str) -> int | None:
    return value if isinstance(value, int) else None


def _entry(cell: PlannedCell) -> dict[str, Any]:
    return {
        "id": cell.id,
        "config": cell.config,
        "overrides": cell.overrides,
        "edges": listed(cell.edges),
        "score": _score(cell.score),
    }


@functools.lru_cache(maxsize=256)
def _score(score: Score) -> Settled:
    return Settled({"metric": score.metric, "from": score.start, "to": score.stop})


@dataclasses.dataclass(frozen=True)
class Draft:
    """An experiment, what the user wrote to get it (key -> value), and the option chosen in each group."""

    experiment: Experiment
    given: Mapping[str, Any]
    chosen: Mapping[str, str] = dataclasses.field(default_factory=dict)


def plan_of(
    drafts: Sequence[Draft], axes: Iterable[str], settings: Mapping[str, Any], command: str, swept: Iterable[str] = ()
) -> Plan:
    """Return the plan of some drafts; equal cells collapse, the first stays.

    Args:
      axes: keys that tell the cells apart.
      settings: of the study: study, report_runs, results, engine, evaluate, executor.
      swept: keys with several values in one grid: each must be read by every cell that has it.

    Raises:
      ConfigError: naming a key that nobody reads, or a setting that cannot be.
    """
    check_read(drafts, swept)
    _check_executor(settings.get("executor", "threads"))
    axes = tuple(axes)
    cells: dict[str, PlannedCell] = {}
    for draft in drafts:
        cell = draft.experiment
        given = {key: draft.given[key] for key in axes if key in draft.given}
        cells.setdefault(cell.id, PlannedCell(cell.id, cell, cell.config, given, draft.chosen))
    return Plan(
        cells=tuple(cells.values()),
        axes=axes,
        runs=drafts[0].experiment.runs,
        study=_name(settings.get("study")),
        results=_folder(settings.get("results", "results")),
        engine=build(Engine, mapping("engine", settings.get("engine")), "engine"),
        evaluate=build(Evaluate, mapping("evaluate", settings.get("evaluate")), "evaluate"),
        command=command,
        notes=tuple(dict.fromkeys(note for draft in drafts for note in draft.experiment.notes)),
        report_runs=_report_runs(settings.get("report_runs"), drafts[0].experiment.runs),
    )


def _report_runs(report_runs: Any, runs: int) -> int:
    """Return how many fresh runs the best cells get. Errors: BadValue if there would be no interval."""
    wanted = build(Fresh, {} if report_runs is None else {"report_runs": report_runs}, "").report_runs
    if wanted and min(wanted, runs) < LEAST:
        key, value = ("report_runs", wanted) if wanted < LEAST else ("runs", runs)
        raise BadValue(key, value, f"must be >= {LEAST}: there is no interval under {LEAST} runs")
    return wanted


def _name(study: Any) -> str | None:
    return None if study is None else check_name(study)


def _folder(results: Any) -> str:
    if not isinstance(results, str) or not results or "\0" in results:
        raise BadValue("results", results, "must be the path of a folder")
    return results


def _check_executor(executor: Any) -> None:
    if executor != "threads":
        raise BadValue("executor", executor, "must be threads, the only one so far")


def check_read(drafts: Sequence[Draft], swept: Iterable[str]) -> None:
    """Refuse a key that was given, and that nobody reads: the temperature of a policy that has none.

    A swept key must be read by every cell that has it; one with a single value, by some cell.
    """
    swept = set(swept)
    for key in dict.fromkeys(key for draft in drafts for key in draft.given):
        having = [draft.experiment for draft in drafts if key in draft.given]
        deaf = [cell for cell in having if not _reads(cell, key)]
        if not deaf or (key not in swept and len(deaf) < len(having)):
            continue
        policy = name_of(type(deaf[0].policy))
        grids = " Write a union of grids (docs/concepts.md), one for each policy." if len(deaf) < len(having) else ""
        raise ConfigError(f"{key} is given, but nobody reads it: policy {policy} has no temperature.{grids}")


def _reads(cell: Experiment, key: str) -> bool:
    return cell.tau is not None or key.partition(".")[0] not in ("tau", "beta")


def default_name(plan: Plan) -> str:
    """Return `testbed-sample_average-1f0c5a`: the same cells get the same folder, others another one."""
    digest = hashlib.sha256("".join(sorted(cell.id for cell in plan.cells)).encode()).hexdigest()[:6]
    words = [_words(plan, group) for group in ("env", "agent")]
    return "-".join([*words, digest])


def _words(plan: Plan, group: str) -> str:
    parts = sorted({_label(cell, group) for cell in plan.cells})
    return "+".join(parts)[:30].rstrip("+._-") or group


def _label(cell: PlannedCell, group: str) -> str:
    return cell.chosen.get(group) or str(cell.config[group]["name"])


def check_growth(plan: Plan, documents: Sequence[Document]) -> None:
    """Refuse a plan that neither repeats, nor extends, nor is part of what its folder holds.

    Args:
      documents: the plans that are there.

    Raises:
      ConfigError: naming the key that differs.
    """
    old = {cell["id"]: cell for document in documents for cell in document["cells"]}
    new = {cell.id: _entry(cell) for cell in plan.cells}
    if not old or old.keys() <= new.keys() or new.keys() <= old.keys():
        return
    was, now = (next(mine[key] for key in mine if key not in other) for mine, other in ((old, new), (new, old)))
    raise ConfigError(
        f"{plan.results}/{plan.name} holds another plan ({_difference(was, now)}).\n"
        f"Choose another name (study={plan.name}-2), or keep the old cells in this request to extend it."
    )


def _difference(was: Document, now: Document) -> str:
    a, b = ({**cell["config"], "bins": cell["edges"]} for cell in (was, now))
    differences = list(_differing(a, b, ""))
    key, there, here = differences[0] if differences else ("source of a component", "older", "newer")
    return f"{key}: {shown(there, 40)} there, {shown(here, 40)} here"


def _differing(was: Document, now: Document, prefix: str) -> Iterator[tuple[str, Any, Any]]:
    for key in dict.fromkeys([*was, *now]):
        a, b = was.get(key), now.get(key)
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            yield from _differing(a, b, f"{prefix}{key}.")
        elif canonical(a) != canonical(b):
            yield f"{prefix}{key}", a, b


def parts_of(plan: Plan) -> str:
    """Return, for the header, which options are played: `testbed x sample_average x boltzmann/ucb`."""
    groups = ("env", "agent", "policy")
    return " x ".join("/".join(dict.fromkeys(_label(cell, group) for cell in plan.cells)) for group in groups)
