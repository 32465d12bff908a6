"""A study read back from its plans and chunks, and from nothing else."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rlsoftmax.component import build
from rlsoftmax.errors import ConfigError, StoreError
from rlsoftmax.store.claims import Claim
from rlsoftmax.store.data import CellData, Failure, Score, StudyData
from rlsoftmax.store.folder import Folder, Store
from rlsoftmax.store.merge import Part


def read_study(folder: Path | str) -> StudyData:
    """Return the study in a folder: the union of its plans, with the runs that are there.

    Cells come in the order in which plans first named them, axes likewise; `runs` is the most that a plan asked for,
    `report_runs` the most that was asked for with it; name, command, scores and claims are those of the newest plan
    that has them.

    Raises:
      ConfigError: if no plan is there. StoreError: naming the file, if one is damaged or two contradict each other.
    """
    store = Folder(folder)
    study = study_of(store, str(folder))
    if study is None:
        raise ConfigError(f"no study in {folder}: no plan-*.json is there.")
    return study


def study_of(store: Store, folder: str | None = None, asked: tuple[int, int] | None = None) -> StudyData | None:
    """Return what a store holds as a study; None if it has no plan yet.

    Args:
      asked: (runs, report_runs), instead of those of the plans.
    """
    plans = store.plans()
    if not plans:
        return None
    try:
        return _union(store, plans, folder, asked or _most(plans))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StoreError(f"a plan of {folder or 'the study'} is not as format 1 says ({error!r}).") from error


def _most(plans: list[dict[str, Any]]) -> tuple[int, int]:
    """Return the most runs that a plan asked for, and the most fresh runs after those."""
    runs = max(int(plan["runs"]) for plan in plans)
    return runs, max(int(plan.get("report_runs", 0)) for plan in plans if plan["runs"] == runs)


def _union(store: Store, plans: list[dict[str, Any]], folder: str | None, asked: tuple[int, int]) -> StudyData:
    cells = {
        cell["id"]: cell for plan in plans for cell in plan["cells"]
    }  # the place of the first, the word of the last
    runs, report_runs = asked
    return StudyData(
        name=str(plans[-1]["study"]),
        cells=_cells(store, cells, 0, runs),
        axes=tuple(dict.fromkeys(str(axis) for plan in plans for axis in plan["axes"])),
        runs=runs,
        folder=folder,
        command=str(plans[-1]["command"]),
        claims=tuple(build(Claim, with_infinity(claim), "claims") for claim in _claims(plans)),
        report_runs=report_runs,
        fresh=_fresh(store, cells, runs, report_runs),
    )


def _fresh(store: Store, cells: Mapping[str, Mapping[str, Any]], runs: int, report_runs: int) -> tuple[CellData, ...]:
    """Return the cells that have fresh runs, with those alone."""
    found = _cells(store, cells, runs, runs + report_runs) if report_runs else ()
    return tuple(cell for cell in found if len(cell.runs) or cell.failures)


def _cells(store: Store, cells: Mapping[str, Mapping[str, Any]], first: int, last: int) -> tuple[CellData, ...]:
    """Return the cells with their runs in [first, last)."""
    parts, failed = store.cells(cells, last, first), store.failures()
    failures = {
        name: tuple(failure for failure in failed.get(name, ()) if first <= failure.run < last) for name in cells
    }
    return tuple(_cell(cell, parts[name], failures[name]) for name, cell in cells.items())


def _claims(plans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return next((plan["claims"] for plan in reversed(plans) if "claims" in plan), [])


def _cell(cell: Mapping[str, Any], part: Part, failures: tuple[Failure, ...]) -> CellData:
    edges, score = np.array(cell["edges"], dtype=np.int64), cell["score"]
    if len(part.runs) and not np.array_equal(part.edges, edges):
        raise StoreError(f"plan and chunks disagree about the bins of cell {cell['id'][:12]}.")
    return CellData(
        id=cell["id"],
        config=with_infinity(cell["config"]),
        overrides=with_infinity(cell["overrides"]),
        edges=edges,
        snapshot_steps=part.snapshot_steps,
        score=Score(str(score["metric"]), int(score["from"]), int(score["to"])),
        runs=part.runs,
        arrays=part.arrays,
        failures=failures,
    )


def with_infinity(value: Any) -> Any:
    """Return plain values with "inf" and "-inf" as the numbers they stand for: JSON has no other way to write them.

    >>> with_infinity({"tau": "inf", "agent": "sarsa"})
    {'tau': inf, 'agent': 'sarsa'}
    """
    if isinstance(value, dict):
        return {key: with_infinity(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [with_infinity(inner) for inner in value]
    return {"inf": math.inf, "-inf": -math.inf}.get(value, value) if isinstance(value, str) else value
