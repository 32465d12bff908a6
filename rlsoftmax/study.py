"""A study and its cells: what `run`, `sweep` and `load` return, with what one asks of them."""

from __future__ import annotations

import dataclasses
import functools
import html
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rlsoftmax.component import Component
from rlsoftmax.errors import ConfigError
from rlsoftmax.experiment.plan import Plan, PlannedCell
from rlsoftmax.experiment.spec import experiment
from rlsoftmax.stats import questions
from rlsoftmax.stats.compare import Comparison, compare
from rlsoftmax.store.data import Array, CellData, Floats, StudyData
from rlsoftmax.store.select import fitting, hint, telling

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rlsoftmax.engine.replay import FinalPolicy
    from rlsoftmax.plots.film import Film
    from rlsoftmax.stats.selection import TwoStage
    from rlsoftmax.stats.sensitivity import Sensitivity
    from rlsoftmax.stats.verdicts import Verdict


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Cell:
    """One configuration of a study and its runs."""

    data: CellData
    planned: PlannedCell | None = None

    @property
    def id(self) -> str:
        """Return the SHA-256 of what the cell is: 64 hex digits."""
        return self.data.id

    @property
    def config(self) -> Mapping[str, Any]:
        """Return the resolved configuration: env, agent, policy, tau, steps, seed."""
        return self.data.config

    @property
    def overrides(self) -> Mapping[str, Any]:
        """Return the swept keys and their values here."""
        return self.data.overrides

    @property
    def runs(self) -> Array:
        """Return the numbers of the runs that are there: int64 [n], ascending."""
        return self.data.runs

    def metric(self, name: str) -> Floats:
        """Return [runs, bins]; see `CellData.metric`."""
        return self.data.metric(name)

    def scores(self, which: str = "online") -> Floats:
        """Return [runs]: the `online` or the `greedy` score."""
        return self.data.scores(which)

    def memory(self, name: str) -> Array:
        """Return [runs, ...]: what the agents remembered at the end; kept when `record.memory=final`."""
        return self.data.memory(name)

    def snapshot(self, name: str) -> Floats:
        """Return [runs, snapshots]: temperature, entropy, effective_actions, ...; see `CellData.snapshot`."""
        return self.data.snapshot(name)

    def visits(self) -> Array:
        """Return int64 [runs, states]: the steps that began in each state; counted when `record.values=snapshots`."""
        return self.data.visits()

    def trace(self, run: int, first: int = 0, last: int | None = None) -> Array:
        """Return the steps [first, last) of a run, played again, as a structured array."""
        from rlsoftmax.engine import replay
        from rlsoftmax.experiment.setups import setup_of

        return replay.trace(setup_of(self._planned.experiment), self._known(run), first, last)

    def policy(self, run: int) -> FinalPolicy:
        """Return the policy of a run after its last step: `.probabilities(observation)`, `.act(observation, rng)`."""
        from rlsoftmax.engine import replay
        from rlsoftmax.experiment.setups import setup_of

        return replay.final_policy(setup_of(self._planned.experiment), self._known(run))

    def film(self, run: int = 0) -> Film:
        """Return the greedy policy of a run after its last step, filmed in the real environment; `.gif()` is a file."""
        from rlsoftmax.engine import replay
        from rlsoftmax.experiment.setups import setup_of
        from rlsoftmax.plots.film import check_filmed, film

        cell = self._planned.experiment
        check_filmed(cell.env)
        return film(cell.env, replay.final_values(setup_of(cell), self._known(run)), cell.seed, run)

    def _known(self, run: int) -> int:
        if run not in self.runs and run not in [failure.run for failure in self.data.failures]:
            raise ConfigError(f"run={run} is not there; {len(self.runs)} runs are.")
        return int(run)

    @functools.cached_property
    def _planned(self) -> PlannedCell:
        """Return what can be played again. A stored cell is built anew, and must be the same."""
        if self.planned is not None:
            return self.planned
        again = experiment({**self.config, "record": {"edges": self.data.edges.tolist()}})
        if again.id != self.id:
            raise ConfigError(
                f"cell {self.id[:12]} was made by another version of its components; it cannot be replayed."
            )
        return PlannedCell(again.id, again, again.config, self.overrides)

    def __repr__(self) -> str:
        swept = " ".join(f"{key}={value}" for key, value in self.overrides.items())
        return f"<Cell {self.id[:12]} {swept} runs={len(self.runs)}>"


OneCell = Cell | Mapping[str, Any] | str  # itself, keys and values that it alone has, or the first digits of its id


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Study:
    """Cells that were run together; what `run`, `sweep` and `load` return."""

    data: StudyData
    plan: Plan | None = None

    @property
    def name(self) -> str:
        """Return the name, which is that of its folder."""
        return self.data.name

    @property
    def axes(self) -> tuple[str, ...]:
        """Return the swept keys."""
        return self.data.axes

    @functools.cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Return all cells in the order of the plan."""
        planned = {cell.id: cell for cell in self.plan.cells} if self.plan is not None else {}
        return tuple(Cell(cell, planned.get(cell.id)) for cell in self.data.cells)

    def __iter__(self) -> Iterator[Cell]:
        return iter(self.cells)

    def __len__(self) -> int:
        return len(self.data.cells)

    def cell(self, id: str | None = None, /, **keys: Any) -> Cell:
        """Return the one cell with these values: `study.cell(tau=0.25)`, `study.cell(**{"agent.alpha": 0.1})`.

        Args:
          id: instead, the first digits of its id.

        Raises:
          ConfigError: if none fits, or several.
        """
        wanted = _all_spelled(keys)
        found = [cell for cell in fitting(self.cells, wanted) if cell.id.startswith(id or "")]
        if len(found) == 1:
            return found[0]
        asked = id or ", ".join(f"{key}={value!r}" for key, value in keys.items())
        if found:
            more = telling(found, self.axes) or "the first digits of its id"
            raise ConfigError(f"{len(found)} cells {f'fit {asked}; also' if asked else 'are there;'} give {more}.")
        raise ConfigError(f"no cell fits {asked}.{hint(self.cells, wanted, self.axes)}")

    @property
    def edges(self) -> Array:
        """Return the ends of the bins: int64 [bins + 1]. Errors: ConfigError if cells differ in them."""
        return self._common("edges", [cell.edges for cell in self.data.cells])

    @property
    def snapshot_steps(self) -> Array:
        """Return the steps of the closer look: int64. Errors: ConfigError if cells differ in them."""
        return self._common("snapshot_steps", [cell.snapshot_steps for cell in self.data.cells])

    def _common(self, key: str, rows: Sequence[Array]) -> Array:
        if any(not np.array_equal(row, rows[0]) for row in rows):
            raise ConfigError(f"the cells of this study differ in {key}; ask a cell: study.cells[0].data.{key}.")
        return rows[0]

    def digest(self) -> dict[str, tuple[int, str]]:
        """Return cell id -> (runs, SHA-256 of what was learned): equal on every machine."""
        from rlsoftmax.store.digest import digest

        return {cell.id: (len(cell.runs), digest(cell.runs, cell.arrays)) for cell in self.data.cells}

    def table(self, width: int = 100) -> str:
        """Return the study as text: a bar, the score with its interval, and how far behind the best."""
        from rlsoftmax.plots import table

        return table.text(self.data, width)

    def best(self, which: str = "online", **where: Any) -> Cell:
        """Return the cell with the highest mean score within one condition; of regret it is the lowest.

        Args:
          which: `online`, while learning, or `greedy`, the value of what was learned.
          where: only cells that have these values: `policy="ucb"`. Needed where keys of the environment were swept.

        Raises:
          ConfigError: if no cell fits, they are of several conditions, or one does not have the score.
        """
        return self._own(questions.best(self.data, which, _all_spelled(where)))

    def set_of_best(self, which: str = "online", level: float = 0.95, **where: Any) -> tuple[Cell, ...]:
        """Return the cells that cannot be told from the best within one condition: the best, then by falling mean.

        The truly best cell is among them with confidence `level`; see `rlsoftmax.stats.best`. Other arguments, and
        errors, as in `best`.
        """
        now = questions.standing_of(self.data, which, level, _all_spelled(where))
        order = sorted(now.members, key=lambda cell: -now.behind(cell).mean)
        return tuple(map(self._own, order))

    def compare(self, a: OneCell, b: OneCell, which: str = "online", level: float = 0.95) -> Comparison:
        """Return how much higher a scores than b, run by run: they share their luck.

        Args:
          a, b: cells, or what tells them: `study.compare({"tau": 0.25}, {"tau": 1.0})`, or the first digits of an id.

        Raises:
          ConfigError: if one is no single cell. ArgumentError: under 3 runs that both have.
        """
        x, y = (self._one(cell) for cell in (a, b))
        return compare((x.runs, x.scores(which)), (y.runs, y.scores(which)), level=level)

    def comparisons(
        self, to: OneCell, which: str = "online", level: float = 0.95, **where: Any
    ) -> dict[Cell, Comparison]:
        """Return how much higher every other cell of the condition scores than `to`, p-values corrected by Holm.

        Arguments and errors as in `compare` and `best`; see `rlsoftmax.stats.questions.comparisons`.
        """
        found = questions.comparisons(self.data, self._one(to).data, which, level, _all_spelled(where))
        return {self._own(cell): one for cell, one in found}

    def two_stage(self, which: str = "online", **where: Any) -> TwoStage:
        """Return what the best cell scored on the runs that chose it, and on fresh ones (`report_runs=m`).

        Arguments and errors as in `best`; also ConfigError if there are no fresh runs.
        """
        return questions.two_stage_of(self.data, which, _all_spelled(where))

    def selection_uncertainty(self, which: str = "online", **where: Any) -> dict[Cell, float]:
        """Return how often each cell of a condition would win if the study were run again; arguments as in `best`."""
        return {self._own(cell): share for cell, share in questions.selection_of(self.data, which, _all_spelled(where))}

    def sensitivity(
        self, axis: str | None = None, which: str = "online", share: float = 0.05, **where: Any
    ) -> Sensitivity:
        """Return how flat the curve over a swept number is; see `rlsoftmax.stats.questions.sensitivity_of`."""
        return questions.sensitivity_of(self.data, axis, which, share, _all_spelled(where))

    def _own(self, cell: CellData) -> Cell:
        return next(own for own in self.cells if own.data is cell)

    def _one(self, what: OneCell) -> Cell:
        if isinstance(what, Cell):
            return what
        return self.cell(what) if isinstance(what, str) else self.cell(**what)

    def verdicts(self, level: float = 0.95) -> tuple[Verdict, ...]:
        """Return what became of the claims of the study; see `rlsoftmax.stats.verdicts`."""
        from rlsoftmax.stats.verdicts import verdicts

        return verdicts(self.data, level)

    def plot(
        self,
        kind: str | None = None,
        style: str = "",
        width: float | str | None = None,
        axis: str | None = None,
        score: str | None = None,
    ) -> Figure:
        """Return a matplotlib figure; arguments and errors as in `rlsoftmax.plots.draw`."""
        from rlsoftmax import plots

        return plots.draw(self.data, kind, style, width, axis, score)

    def to_frame(self, metric: str | None = None) -> Any:
        """Return a pandas DataFrame, one row per cell and run, or per bin too; see `rlsoftmax.frames.labelled`."""
        from rlsoftmax.frames import labelled

        return labelled.frame(self.data, metric)

    def to_xarray(self) -> Any:
        """Return an xarray Dataset over the swept keys, run and step; see `rlsoftmax.frames.labelled`."""
        from rlsoftmax.frames import labelled

        return labelled.dataset(self.data)

    def report(self) -> Path:
        """Write report.html into the study's folder (the current one for a study in memory) and return its path."""
        from rlsoftmax.report import page

        return page.write(self.data)

    def __repr__(self) -> str:
        return self.table()

    def _repr_html_(self) -> str:
        from rlsoftmax.plots import table

        return table.html(self.data) + _picture(self)


def _all_spelled(where: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _spelled(value) for key, value in where.items()}


def _spelled(value: Any) -> Any:
    """Return how a value is called in a table: an object by its name."""
    if not isinstance(value, Component):
        return value
    from rlsoftmax.experiment.compose import label

    return label(value)


def _picture(study: Study) -> str:
    """Return the figure as an SVG, or a sentence why there is none."""
    from rlsoftmax.plots.files import picture

    try:
        text = picture(study.plot(), "svg").decode()
    except ConfigError as error:
        return f"<p>{html.escape(str(error))}</p>"
    return text[text.index("<svg") :]
