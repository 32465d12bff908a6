"""A plan is played: into its folder, or into memory; what it asked for comes back as a study."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlsoftmax.errors import StoreError
from rlsoftmax.experiment.plan import Plan, check_growth
from rlsoftmax.launch.again import study_file
from rlsoftmax.stats.fresh import winners
from rlsoftmax.store.data import StudyData
from rlsoftmax.store.folder import Folder, Memory, Store
from rlsoftmax.store.read import study_of

if TYPE_CHECKING:
    from rlsoftmax.experiment.execute import Progress

OnProgress = Callable[["Progress"], None]


def folder_of(plan: Plan) -> Path:
    """Return where the study of a plan is kept."""
    return Path(plan.results) / plan.name


def check_study(plan: Plan) -> None:
    """Refuse a plan that contradicts what its folder holds. Errors: ConfigError naming the key that differs."""
    check_growth(plan, Folder(folder_of(plan)).plans())


def play(plan: Plan, on_progress: OnProgress | None = None, stop: threading.Event | None = None) -> StudyData:
    """Play what is missing in the folder of the plan, and return what the plan asks for.

    Raises:
      Interrupted: when `stop` is set; what was finished is kept.
    """
    folder = folder_of(plan)
    store = Folder(folder)
    try:
        return _played(plan, store, str(folder), on_progress, stop)
    finally:
        if any(store.plan_files()):
            study_file(plan, folder)


def play_part(plan: Plan) -> StudyData:
    """Play some cells of a study whose whole plan may be there already; then it is not written again."""
    store = _Part(folder_of(plan))
    _execute(plan, store, None, None)
    return _asked_for(plan, store, str(store.path))


def announce(plan: Plan) -> None:
    """Write a plan before its parts are played elsewhere, unless what is there covers it."""
    _Part(folder_of(plan)).write_plan(plan.document())


class _Part(Folder):
    """A folder in which a plan that another one covers is not written: that one knows what was swept."""

    def write_plan(self, document: Mapping[str, Any]) -> Path:
        """Write the plan, unless all its runs are in one that is there."""
        wanted = {cell["id"] for cell in document["cells"]}
        for other in self.plans():
            enough = all(document.get(key, 0) <= other.get(key, 0) for key in ("runs", "report_runs"))
            if wanted <= {cell["id"] for cell in other["cells"]} and enough:
                return self.path
        return super().write_plan(document)


def play_in_memory(plan: Plan, on_progress: OnProgress | None = None) -> StudyData:
    """Play a plan and keep nothing but the returned study."""
    return _played(plan, Memory(), None, on_progress, None)


def _played(
    plan: Plan, store: Store, folder: str | None, on_progress: OnProgress | None, stop: threading.Event | None
) -> StudyData:
    """Play what is missing, then fresh runs of the cells that are now known to be the best, if they were asked for."""
    _execute(plan, store, on_progress, stop)
    study = _asked_for(plan, store, folder)
    chosen = {cell.id for cell in winners(study)} if plan.report_runs else set()
    if not chosen:
        return study
    from rlsoftmax.experiment.execute import execute_fresh

    execute_fresh(plan, chosen, store, on_progress, stop)
    return _asked_for(plan, store, folder)


def _execute(plan: Plan, store: Store, on_progress: OnProgress | None, stop: threading.Event | None) -> None:
    from rlsoftmax.experiment.execute import execute  # numba is loaded when there is something to compute

    execute(plan, store, on_progress, stop)


def _asked_for(plan: Plan, store: Store, folder: str | None) -> StudyData:
    """Return the cells of the plan with runs [0, plan.runs) and fresh ones, of all that the store holds."""
    study = study_of(store, folder, (plan.runs, plan.report_runs))
    if study is None:
        raise StoreError(f"nothing is stored in {folder}.")
    found = {cell.id: cell for cell in study.cells}
    cells = tuple(found[cell.id] for cell in plan.cells)
    fresh = tuple(cell for cell in study.fresh if cell.id in {planned.id for planned in plan.cells})
    return dataclasses.replace(
        study, cells=cells, axes=plan.axes, command=plan.command, claims=plan.claims, fresh=fresh
    )
