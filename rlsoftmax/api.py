"""What a notebook uses: run, sweep, load, and a Study with its methods. No state, no files unless a study is named.

>>> study = sweep(env="testbed", agent="sample_average", tau=[0.1, 0.4], runs=3, steps=20)
>>> study.cell(tau=0.4).metric("reward").shape
(3, 20)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlsoftmax.errors import ConfigError
from rlsoftmax.experiment.plan import Plan
from rlsoftmax.store.data import CellData
from rlsoftmax.study import Cell, Study

if TYPE_CHECKING:
    from rlsoftmax.stats.compare import Comparison

Grid = Mapping[str, Any]


def run(*overrides: str, study: str | None = None, results: str | None = None, **groups: Any) -> Study:
    """Return the study of one cell. Arguments as in `sweep`.

    Raises:
      ConfigError: if the request cannot be run, or is more than one cell.
    """
    plan = _plan("run", overrides, (), study, results, groups)
    if len(plan.cells) != 1:
        raise ConfigError(f"this is {len(plan.cells)} cells; rs.sweep runs several.")
    return _played(plan)


def sweep(
    *overrides: str | Sequence[Grid], study: str | None = None, results: str | None = None, **groups: Any
) -> Study:
    """Return the study of all combinations of everything that is a list.

    Args:
      overrides: as on the command line, `"agent.alpha=0.1,0.2"`; or one list of grids, whose union is the study.
      study: its name; then it is kept in `results/<study>` and continued there. Else it stays in memory.
      groups: env, agent, policy, tau, beta, steps, runs, ...: a name, a number, a component, or a list of them.
        Keys with a dot are written `**{"agent.alpha": [0.1, 0.2]}` or `record={"bins": 50}`.

    Raises:
      ConfigError: in one or two lines, if the request cannot be run.

    >>> sweep("agent.alpha=0.1,0.2", agent="q_learning", tau=1.0, runs=2, steps=5).axes
    ('agent.alpha',)
    """
    grids = tuple(grid for part in overrides if not isinstance(part, str) for grid in part)
    texts = tuple(part for part in overrides if isinstance(part, str))
    return _played(_plan("sweep", texts, grids, study, results, groups))


def load(folder: str | Path) -> Study:
    """Return a stored study, finished or not. Errors: ConfigError if there is none, StoreError if it is damaged."""
    from rlsoftmax.store.read import read_study

    path = Path(folder)
    if not path.is_dir() and (Path("results") / path).is_dir():
        path = Path("results") / path
    return Study(read_study(path))


def compare(
    a: Cell | Study, b: Cell | Study, which: str = "online", steps: int | None = None, level: float = 0.95
) -> Comparison:
    """Return how much higher a scores than b, also of different studies.

    Paired by run where seed and environment are the same, since then run i had the same luck in both; else by Welch.

    Args:
      a, b: cells; a study of one cell stands for it.
      which: `online` or `greedy`.
      steps: compare the online metric over the first so many steps, the end of a bin of both.
      level: confidence, a share.

    Raises:
      ConfigError: if a study has several cells, or the two are judged by different metrics or steps: it names the ways
        out. ArgumentError: under 3 runs.

    >>> short, long = (run(tau=0.1, steps=steps, runs=3) for steps in (20, 40))
    >>> compare(short, long, steps=20).difference
    0.0
    """
    from rlsoftmax.stats.across import compare_cells

    return compare_cells(_only(a), _only(b), which, steps, level)


def _only(what: Cell | Study) -> CellData:
    """Return the cell that is meant."""
    if isinstance(what, Study) and len(what) != 1:
        raise ConfigError(
            f"study {what.name} has {len(what)} cells; give one, such as study.cell(...) or study.best()."
        )
    return what.data.cells[0] if isinstance(what, Study) else what.data


def _plan(
    verb: str,
    texts: Sequence[str],
    grids: Sequence[Grid],
    study: str | None,
    results: str | None,
    groups: Mapping[str, Any],
) -> Plan:
    from rlsoftmax.launch.request import Request, planned

    names = {key: value for key, value in (("study", study), ("results", results)) if value is not None}
    command = _command(verb, [*texts, *([list(grids)] if grids else [])], {**groups, **names})
    return planned(
        Request(arguments=tuple(texts), settings={**groups, **names}, grids=tuple(grids) or None, command=command)
    )


def _command(verb: str, values: Sequence[Any], groups: Mapping[str, Any]) -> str:
    simple = [f"{key}={value!r}" for key, value in groups.items() if key.isidentifier()]
    dotted = {key: value for key, value in groups.items() if not key.isidentifier()}
    return f"rs.{verb}({', '.join([*map(repr, values), *simple, *([f'**{dotted!r}'] if dotted else [])])})"


def _played(plan: Plan) -> Study:
    from rlsoftmax.launch.play import check_study, play, play_in_memory

    if plan.study is None:
        return Study(play_in_memory(plan), plan)
    check_study(plan)
    return Study(play(plan), plan)
