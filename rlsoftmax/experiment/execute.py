"""Cells in, chunks out: the only way anything is simulated. Command line, launchers and Python all end here."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import os
import platform
import re
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

import numpy as np

import rlsoftmax
from rlsoftmax.component import is_shipped
from rlsoftmax.engine.blocks import Block, lanes_for, whole_vectors
from rlsoftmax.engine.evaluation import evaluated
from rlsoftmax.engine.harvest import harvest
from rlsoftmax.engine.inside import play_and_look, seen_inside
from rlsoftmax.engine.prepare import prepare, rehearse
from rlsoftmax.engine.replay import locate_failure
from rlsoftmax.engine.setup import Array, Ints, Setup
from rlsoftmax.engine.stepped import Trouble
from rlsoftmax.experiment.ahead import Ahead
from rlsoftmax.experiment.plan import Plan, PlannedCell
from rlsoftmax.experiment.setups import setup_of
from rlsoftmax.store.data import SNAPSHOT, TRIED, Failure
from rlsoftmax.store.folder import Store
from rlsoftmax.store.rows import Rows, numbered

CHUNK_SECONDS, CHUNK_BYTES = 2.0, 16 << 20
IN_ADVANCE = 8  # blocks per thread that wait or run, so that no thread is idle while a chunk is gathered and written


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far an execution is: steps of all runs, finished and failed runs."""

    what: str
    done: int
    total: int
    finished: int
    failed: int


@dataclasses.dataclass(frozen=True)
class Task:
    """A block to play: some runs of cells that share a shape."""

    cells: Sequence[PlannedCell]  # those that the lanes belong to
    setups: Sequence[Setup]
    config: Array
    run: Array
    window: int | None
    debug: bool
    keep_memory: bool
    timeout: float
    episodes: int  # in which the greedy policy is tried, where there is no table

    @property
    def steps(self) -> int:
        """Return how many steps all runs of the block have together."""
        return len(self.run) * self.setups[0].steps


def execute(
    plan: Plan,
    results: Store,
    on_progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Play the runs of the plan that `results` does not have yet, and append them in chunks.

    Rules that are not shipped are rehearsed, then the plan is written, before anything runs. Blocks run on a pool of
    threads; kernels of later kinds compile while earlier ones run.

    Raises:
      Interrupted: when `stop` is set; what was finished is kept.
      RuleError: if a rule cannot be compiled, or fails its rehearsal.
    """
    groups = _groups(plan, results, range(plan.runs))
    _rehearse(groups)
    results.write_plan(plan.document())
    _play_all(plan, groups, results, on_progress, stop)


def execute_fresh(
    plan: Plan,
    chosen: Collection[str],
    results: Store,
    on_progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Play the runs [plan.runs, plan.runs + plan.report_runs) of some cells of a plan that was executed.

    Args:
      chosen: ids of the cells; all other arguments, and errors, as in `execute`.
    """
    some = dataclasses.replace(plan, cells=tuple(cell for cell in plan.cells if cell.id in chosen))
    groups = _groups(some, results, range(plan.runs, plan.runs + plan.report_runs))
    _play_all(some, groups, results, on_progress, stop)


def _play_all(
    plan: Plan,
    groups: list[list[Task]],
    results: Store,
    on_progress: Callable[[Progress], None] | None,
    stop: threading.Event | None,
) -> None:
    if groups:
        stop = stop or threading.Event()
        writer = _Writer(results, on_progress, sum(task.steps for group in groups for task in group))
        try:
            _play(groups, plan, writer, stop)
        finally:
            writer.flush()


def _rehearse(groups: list[list[Task]]) -> None:
    """Try the rules that are not shipped, before anything is written."""
    for group in groups:
        setup = group[0].setups[0]
        if not all(is_shipped(type(part)) for part in setup.parts):
            rehearse(setup)


# --- what is missing ------------------------------------------------------------------------------------------------


def _groups(plan: Plan, results: Store, runs: range) -> list[list[Task]]:
    """Return the blocks to play, one list per kind, in the order of the plan."""
    setups = [setup_of(cell.experiment) for cell in plan.cells]
    groups: dict[tuple[Any, ...], list[int]] = {}
    for c, setup in enumerate(setups):
        groups.setdefault(setup.shape, []).append(c)
    missing = _missing(plan, results, setups, runs)
    tasks = (list(_tasks(plan, setups, group, missing)) for group in groups.values())
    return [group for group in tasks if group]


def _missing(plan: Plan, results: Store, setups: Sequence[Setup], runs: range) -> list[Ints]:
    """Return, for every cell, those of `runs` that are neither there nor known to fail.

    What is asked for now, and was not when they were played, is made by playing again.
    """
    ids = [cell.id for cell in plan.cells]
    have: dict[str, set[int]] = {cell: set(runs.tolist()) for cell, runs in results.present().items()}
    wanted = [_wanted(plan, setup) for setup in setups]
    if any(wanted):
        for (cell, part), names in zip(results.cells(ids, runs.stop, runs.start).items(), wanted, strict=True):
            if not all(any(re.fullmatch(name, known) for known in part.arrays) for name in names):
                have[cell] = set()
    for cell, failures in results.failures().items():
        have.setdefault(cell, set()).update(failure.run for failure in failures)
    every = np.arange(runs.start, runs.stop)
    return [np.setdiff1d(every, list(have[cell])) if have.get(cell) else every for cell in ids]


def _wanted(plan: Plan, setup: Setup) -> tuple[str, ...]:
    """Return the arrays that a plan wants beyond those that are always there, as patterns of their names."""
    memory = ("memory/.*",) if plan.keep_memory else ()
    episodes = plan.evaluate.episodes if setup.kind.stepped else 0
    return (*memory, *(seen_inside(setup) if setup.inside else ()), *((f"{TRIED}{episodes}",) if episodes else ()))


def _tasks(plan: Plan, setups: Sequence[Setup], group: Sequence[int], missing: Sequence[Ints]) -> Iterator[Task]:
    """Cut the missing runs into blocks: the same runs of all cells stay together, so that a problem is built once."""
    cell = np.repeat(group, [len(missing[c]) for c in group])
    run = np.concatenate([missing[c] for c in group])
    width = plan.lanes or _width(setups[group[0]], len(run), _threads(plan, setups[group[0]]))
    order = np.lexsort((run, cell, run // width))
    for first in range(0, len(order), width):
        lanes = order[first : first + width]
        some, config = np.unique(cell[lanes], return_inverse=True)
        own = [plan.cells[c] for c in some.tolist()], [setups[c] for c in some.tolist()], config, run[lanes]
        yield Task(*own, plan.window, plan.debug, plan.keep_memory, plan.timeout, plan.evaluate.episodes)


def _width(setup: Setup, lanes: int, threads: int) -> int:
    """Return the width of a block: as wide as the cache allows, but every thread gets one; and all are equally wide."""
    each = max(-(-lanes // max(-(-lanes // lanes_for(setup)), threads)), 1)
    return each if setup.kind.stepped or setup.kind.chooses else whole_vectors(each)


def _threads(plan: Plan, setup: Setup) -> int:
    """Return how many blocks play at a time; environments in Python take turns anyway, and only hinder each other."""
    return plan.threads or (1 if setup.kind.stepped else os.cpu_count() or 1)


# --- playing --------------------------------------------------------------------------------------------------------


def _play(groups: list[list[Task]], plan: Plan, writer: _Writer, stop: threading.Event) -> None:
    """Compile one kind after the other, and play the blocks of those that are ready."""
    ahead = Ahead([(group[0].cells[0], group[0].setups[0]) for group in groups])
    threads = [_threads(plan, group[0].setups[0]) for group in groups]
    with ThreadPoolExecutor(1) as compiler, ThreadPoolExecutor(max(threads)) as pool:
        kernels = [compiler.submit(_kernel, n, group[0], ahead) for n, group in enumerate(groups)]
        try:
            for kernel, group, wide in zip(kernels, groups, threads, strict=True):
                most = wide if group[0].setups[0].kind.stepped else IN_ADVANCE * wide
                _play_group(group, kernel, pool, most, writer, stop)
        except BaseException:  # also Ctrl-C: the blocks stop between windows, and the error goes on
            stop.set()
            for kernel in kernels:
                kernel.cancel()
            raise
        finally:
            ahead.close()


def _kernel(n: int, task: Task, ahead: Ahead) -> Any:
    ahead.wait(n)
    return prepare(task.setups[0], task.debug)


def _play_group(
    group: list[Task],
    kernel: Future[Any],
    pool: ThreadPoolExecutor,
    most: int,
    writer: _Writer,
    stop: threading.Event,
) -> None:
    """Keep the pool busy with at most so many blocks of one kind, and write what is finished."""
    waiting, running = iter(group), set()
    ready = kernel.result()
    for task in waiting:
        running.add(pool.submit(_finish, task, ready, stop))
        while len(running) >= most:
            running = _collect(running, writer)
    while running:
        running = _collect(running, writer)


def _collect(running: set[Future[_Harvest]], writer: _Writer) -> set[Future[_Harvest]]:
    done, left = wait(running, return_when=FIRST_COMPLETED)
    for future in done:
        writer.add(future.result())
    return left


@dataclasses.dataclass(frozen=True)
class _Harvest:
    task: Task
    arrays: dict[str, Array]
    broken: Array  # bool [lane]
    troubles: Mapping[int, Trouble]  # lane -> what its real environment did wrong
    seconds: float


def _finish(task: Task, kernel: Any, stop: threading.Event) -> _Harvest:
    start = time.perf_counter()
    block = Block(task.setups, task.config, task.run, task.window, task.timeout)
    seen = play_and_look(block, kernel, stop) if task.setups[0].inside else {}
    block.play(kernel, stop=stop)
    arrays = harvest(block, task.keep_memory) | seen
    if task.episodes and block.kind.stepped:
        arrays[f"{TRIED}{task.episodes}"] = evaluated(block, task.episodes)
    broken = block.broken()
    return _Harvest(task, arrays, broken, block.failures, time.perf_counter() - start)


# --- writing --------------------------------------------------------------------------------------------------------


class _Writer:
    """Gathers finished blocks into chunks of at least two seconds of work, or 16 MB.

    Memory stays small, and the last chunk, which is gathered when nothing plays any more, is soon written.
    """

    def __init__(self, results: Store, on_progress: Callable[[Progress], None] | None, total: int) -> None:
        self._results, self._tell, self._total = results, on_progress, total
        self._waiting: list[_Harvest] = []
        self._bytes, self._seconds = 0, 0.0  # of what is waiting
        self._done = self._finished = self._failed = 0

    def add(self, found: _Harvest) -> None:
        """Take a finished block; write a chunk when there is enough."""
        if self._waiting and not _alike(self._waiting[0], found):
            self.flush()
        self._waiting.append(found)
        self._done += found.task.steps
        self._failed += int(found.broken.sum())
        self._finished += int((~found.broken).sum())
        self._bytes += sum(array.nbytes for array in found.arrays.values())
        self._seconds += found.seconds
        if self._bytes >= CHUNK_BYTES or self._seconds >= CHUNK_SECONDS:
            self.flush()
        if self._tell is not None:
            what = str(found.task.setups[0].kind)
            self._tell(Progress(what, self._done, self._total, self._finished, self._failed))

    def flush(self) -> None:
        """Write what is waiting."""
        if self._waiting:
            self._results.append(_rows(self._waiting), _about(self._seconds))
        self._waiting, self._bytes, self._seconds = [], 0, 0.0


def _alike(first: _Harvest, second: _Harvest) -> bool:
    """Return whether two blocks fit into one chunk: the same arrays, bins and snapshots."""
    return first.task.setups[0].shape == second.task.setups[0].shape


def _rows(blocks: list[_Harvest]) -> Rows:
    """Return the rows of all runs that are whole, in order: each number is moved once, from its block to its place."""
    good = [slice(None) if not block.broken.any() else ~block.broken for block in blocks]  # a slice copies nothing
    kept = list(zip(blocks, good, strict=True))
    number = numbered(cell.id for block in blocks for cell in block.task.cells)
    names = list(number)
    cells = np.concatenate([_numbers(block.task, number)[keep] for block, keep in kept])
    runs = np.concatenate([block.task.run[keep] for block, keep in kept])
    order, setup = np.lexsort((runs, cells)), blocks[0].task.setups[0]
    ends = np.cumsum([len(block.task.run[keep]) for block, keep in kept])
    moves = [_stretches(place) for place in np.split(np.argsort(order), ends[:-1])]
    arrays = {name: _placed([block.arrays[name][keep] for block, keep in kept], moves) for name in blocks[0].arrays}
    return Rows(
        cells=tuple([names[n] for n in cells[order].tolist()]),
        runs=runs[order],
        edges=setup.edges,
        snapshot_steps=setup.snapshot_steps
        if any(name.startswith(SNAPSHOT) for name in arrays)
        else setup.snapshot_steps[:0],
        arrays=arrays,
        failures=tuple(failure for block in blocks for failure in _failures(block)),
    )


def _numbers(task: Task, number: Mapping[str, int]) -> Ints:
    """Return the number of the cell that each lane belongs to."""
    return np.array([number[cell.id] for cell in task.cells])[task.config]


def _stretches(place: Array) -> list[tuple[slice, slice]]:
    """Return (rows here, rows there) of every stretch of neighbours: slices move without the interpreter's lock.

    >>> _stretches(np.array([4, 5, 0]))
    [(slice(0, 2, None), slice(4, 6, None)), (slice(2, 3, None), slice(0, 1, None))]
    """
    cuts = [0, *(np.flatnonzero(np.diff(place) != 1) + 1).tolist(), len(place)]
    there = place.tolist()
    return [(slice(a, b), slice(there[a], there[a] + b - a)) for a, b in itertools.pairwise(cuts) if b > a]


def _placed(parts: Sequence[Array], moves: Sequence[Sequence[tuple[slice, slice]]]) -> Array:
    """Return one array that holds the rows of all parts, each where its moves say."""
    whole = np.empty((sum(map(len, parts)), *parts[0].shape[1:]), parts[0].dtype)
    for part, stretches in zip(parts, moves, strict=True):
        for here, there in stretches:
            whole[there] = part[here]
    return whole


def _failures(block: _Harvest) -> Iterator[tuple[str, Failure]]:
    """Yield what went wrong with each run: in its environment, or a number that is not finite, found by replay."""
    for l in np.flatnonzero(block.broken).tolist():
        cell, run = int(block.task.config[l]), int(block.task.run[l])
        if l in block.troubles:
            trouble = block.troubles[l]
            failure = Failure(run, trouble.step, trouble.state, trouble.action, trouble.reason)
        else:
            setup = block.task.setups[cell]
            failure = Failure(run, *locate_failure(setup, run), _reason(setup))
        yield block.task.cells[cell].id, failure


def _reason(setup: Setup) -> str:
    """Return what the compiled loop may have seen."""
    guards = setup.kind.guards_states or setup.kind.guards_actions
    return "a number that is not finite" + (", or a state or action that does not exist" if guards else "")


def _about(seconds: float) -> dict[str, Any]:
    """Return what is noted beside the numbers, but not hashed."""
    return {**about_here(), "seconds": round(seconds, 3)}


@functools.cache
def about_here() -> Mapping[str, str]:
    """Return the versions of what decides how fast, and the machine; the numbers do not depend on them."""
    from importlib.metadata import version

    return {
        "rlsoftmax": rlsoftmax.__version__,
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "numba", "gymnasium")},
        "machine": f"{platform.machine()}, {platform.system()}",
    }
