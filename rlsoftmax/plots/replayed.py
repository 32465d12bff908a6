"""Runs that are played again to be looked at: what happens inside one costs no storage, since luck is pure."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from rlsoftmax.errors import ConfigError
from rlsoftmax.plots import grouping, labels
from rlsoftmax.store.data import CellData

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def setup_of(cell: CellData) -> Any:
    """Return a stored cell as the engine plays it.

    Raises:
      ConfigError: if its components are not those that made it, or cannot be found.
    """
    from rlsoftmax.experiment import setups
    from rlsoftmax.experiment.spec import experiment

    again = experiment({**cell.config, "record": {"edges": cell.edges.tolist()}})
    if again.id != cell.id:
        raise ConfigError(f"cell {cell.id[:12]} was made by another version of its components; it cannot be replayed.")
    return setups.setup_of(again)


def checkpoints(steps: int, most: int) -> Ints:
    """Return at most `most` steps, dense at first: 0 and the last are there.

    >>> checkpoints(1000, 5).tolist()
    [0, 4, 30, 176, 999]
    """
    return np.unique(np.geomspace(1.0, steps, most).astype(np.int64)) - 1


@dataclasses.dataclass(frozen=True, eq=False)
class Inside:
    """One run of a bandit, looked at after some steps.

    probability: [looks, actions], of the choice at that step; value: [looks, actions], after it. truth: [actions].
    """

    step: Ints
    temperature: Floats
    probability: Floats
    value: Floats
    truth: Floats


def inside(cell: CellData, run: int, most: int) -> Inside:
    """Play a run of a bandit again and look at most `most` times.

    The compiled loop plays from look to look, the interpreter the steps that are looked at; the bits are the same.
    """
    from rlsoftmax.engine.fuse import fuse
    from rlsoftmax.engine.replay import Watcher, one_run

    setup = setup_of(cell)
    block = one_run(setup, run)
    watcher, fast = Watcher(block), fuse(setup.kind)
    slow, steps, values = watcher.kernel(), checkpoints(setup.steps, most), []
    for step in steps:
        if block.first < step:
            block.play(fast, int(step))
        block.play(slow, int(step) + 1)
        values.append(np.array(block.values()[0, 0]))
    rows = watcher.rows()
    return Inside(steps, rows["temperature"], rows["probability"], np.stack(values), truth(block)[0])


def truth(block: Any) -> Floats:
    """Return [lanes, actions]: the true means of a bandit's arms. ConfigError if it does not declare them."""
    from rlsoftmax.engine.greedy import true_means

    env = block.kind.env
    if not hasattr(env, "expected"):
        raise ConfigError(f"env {labels.word(env.__name__)} does not declare the true means of its arms.")
    return true_means(block)[:, 0]


def mean_policies(cell: CellData, most_runs: int, most: int) -> tuple[Ints, Floats, Floats, int]:
    """Return (steps, mean probabilities [looks, actions], mean true values [actions], runs) of a bandit.

    Arms are ordered by their true value within each run, the best last, before the mean over runs is taken.
    """
    from rlsoftmax.engine.blocks import Block
    from rlsoftmax.engine.fuse import fuse

    setup = setup_of(cell)
    steps, runs = checkpoints(setup.steps, most), cell.runs[:most_runs]
    setup = dataclasses.replace(setup, snapshot_steps=steps)
    block = Block([setup], np.zeros(len(runs), np.int64), np.asarray(runs, np.int64), None)
    block.play(fuse(setup.kind))
    weights = np.moveaxis(block.peek.weights / block.peek.total[:, None], 1, -1)  # [looks, lanes, actions]
    true = truth(block)
    order = np.argsort(true, axis=1, kind="stable")
    ordered = np.take_along_axis(weights, order[None], axis=2)
    return steps, ordered.mean(axis=1), np.take_along_axis(true, order, axis=1).mean(axis=0), len(runs)


def check_bandit(cell: CellData, figure: str) -> None:
    """Refuse what has states: its policy is not one row of probabilities."""
    if not grouping.is_bandit(cell):
        raise ConfigError(f"{figure} shows a bandit, and {grouping.environment(cell)} has states; try kind policy.")


def median_run(cell: CellData, which: str) -> int:
    """Return the number of the run whose score is the median (the lower one of two)."""
    scores = cell.scores(which)
    there = np.flatnonzero(~np.isnan(scores))
    order = there[np.argsort(scores[there], kind="stable")]
    return int(cell.runs[order[(len(order) - 1) // 2]])
