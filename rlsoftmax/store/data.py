"""The plain data of a study: what was planned, what is there, and the numbers of every run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rlsoftmax.errors import ConfigError, did_you_mean
from rlsoftmax.store.claims import Claim

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

# Sums over the steps of a bin, added inside the loop; together with the memory they are what a digest covers.
SUMS = ("reward", "regret", "optimal", "episodes", "return", "length", "success")
PER_EPISODE = ("return", "length", "success")
MEMORY, SNAPSHOT, GREEDY, VISITS = "memory/", "snapshot/", "score/greedy", "visits"
TRIED = "score/greedy_"  # followed by the number of episodes: the greedy policy was tried, not worked out
INSIDE = ("value_greedy", "value_behaviour", "error_optimal")  # snapshots that are made on request


@dataclasses.dataclass(frozen=True)
class Failure:
    """A run that could not be finished."""

    run: int
    step: int
    state: int
    action: int
    reason: str


@dataclasses.dataclass(frozen=True)
class Score:
    """What a run is judged by: a metric over the steps [start, stop), whose ends are bin edges."""

    metric: str
    start: int
    stop: int


@dataclasses.dataclass(frozen=True)
class CellData:
    """One configuration and the runs that are there.

    id: SHA-256 of the configuration, 64 hex digits.
    config: resolved plain values: env, agent, policy, tau (absent when the policy has none), steps, seed.
    overrides: swept key -> value of this cell, such as {"tau": 0.25} or {"agent": "sarsa", "agent.alpha": 0.1}.
    edges: int64 [bins + 1], the first is 0, the last is `steps`.
    snapshot_steps: int64 [snapshots].
    runs: int64 [n], ascending run numbers that are present (failed runs are not).
    arrays: name -> [n, ...]; names are those of SUMS ([n, bins]), "memory/<array>", "snapshot/<name>" ([n, snapshots]),
      "score/greedy" ([n]) and "visits" ([n, states]). What an environment does not declare is absent.
    """

    id: str
    config: Mapping[str, Any]
    overrides: Mapping[str, Any]
    edges: npt.NDArray[np.int64]
    snapshot_steps: npt.NDArray[np.int64]
    score: Score
    runs: npt.NDArray[np.int64]
    arrays: Mapping[str, Array]
    failures: Sequence[Failure] = ()

    def metric(self, name: str) -> Floats:
        """Return [runs, bins]: means per step; return, length, success per finished episode (NaN where none ended).

        `episodes` is the number that finished in each bin.
        """
        total = self._sum(name)
        if name == "episodes":
            return total
        if name in PER_EPISODE:
            return _ratio(total, self._sum("episodes"))
        return np.asarray(total / np.diff(self.edges))

    def scores(self, which: str = "online") -> Floats:
        """Return [runs]: `online`, the score while learning, or `greedy`, the value of the final greedy policy."""
        if which == "greedy":
            if GREEDY not in self.arrays:
                raise ConfigError(
                    f"cell {self.id[:12]} has no greedy score: its environment does not declare what that needs; "
                    "evaluate.episodes=10 tries the policy where it is stepped."
                )
            return np.asarray(self.arrays[GREEDY], dtype=np.float64)
        if which != "online":
            raise ConfigError(f"no score {which!r}.{did_you_mean(which, ('online', 'greedy'))}")
        return self.mean(self.score.metric, self.score.start, self.score.stop)

    def mean(self, name: str, start: int = 0, stop: int | None = None) -> Floats:
        """Return [runs]: a metric over the steps [start, stop), both bin edges."""
        stop = int(self.edges[-1]) if stop is None else stop
        first, last = np.searchsorted(self.edges, (start, stop))
        total = self._sum(name)[:, first:last].sum(axis=1)
        if name == "episodes":
            return np.asarray(total)
        if name in PER_EPISODE:
            return _ratio(total, self._sum("episodes")[:, first:last].sum(axis=1))
        return np.asarray(total / (stop - start))

    @property
    def metrics(self) -> tuple[str, ...]:
        """Return the names that `metric` accepts."""
        return tuple(name for name in SUMS if name in self.arrays)

    def snapshot(self, name: str) -> Floats:
        """Return [runs, snapshots] at the steps `snapshot_steps`: temperature, entropy or effective_actions.

        With `record.values=snapshots` also value_greedy, value_behaviour and error_optimal, see docs/concepts.md.
        """
        if name in INSIDE and f"{SNAPSHOT}{name}" not in self.arrays:
            raise ConfigError(f"no snapshot {name!r} here; record.values=snapshots makes it, where the truth is known.")
        return self._array(f"{SNAPSHOT}{name}", SNAPSHOT)

    def visits(self) -> Array:
        """Return int64 [runs, states]: the steps that began in each state; counted when `record.values=snapshots`."""
        if VISITS not in self.arrays:
            raise ConfigError("no visits here; record.values=snapshots counts them, where there are states.")
        return self.arrays[VISITS]

    def memory(self, name: str) -> Array:
        """Return [runs, ...]: an array of the final memory; kept when `record.memory=final`."""
        return self._array(f"{MEMORY}{name}", MEMORY)

    def _sum(self, name: str) -> Floats:
        if name not in self.metrics:
            raise ConfigError(f"no metric {name!r} here.{did_you_mean(name, self.metrics)}")
        return np.asarray(self.arrays[name], dtype=np.float64)

    def _array(self, name: str, prefix: str) -> Array:
        if name not in self.arrays:
            known = [key.removeprefix(prefix) for key in self.arrays if key.startswith(prefix)]
            raise ConfigError(
                f"no {prefix[:-1]} {name.removeprefix(prefix)!r} here.{did_you_mean(name.removeprefix(prefix), known)}"
            )
        return self.arrays[name]


@dataclasses.dataclass(frozen=True)
class StudyData:
    """A study as it is on disk or in memory: the cells in the order of the plan.

    axes: the swept keys, in the order in which they were given; `beta` instead of `tau` when that was swept.
    runs: how many runs of each cell were asked for.
    folder: where it is stored, None in memory.
    claims: what is said about it beforehand.
    report_runs: how many fresh runs of the best were asked for, numbered from `runs` on.
    fresh: the cells that have such runs, with those alone; `cells` have the runs [0, runs) alone.
    """

    name: str
    cells: tuple[CellData, ...]
    axes: tuple[str, ...]
    runs: int
    folder: str | None = None
    command: str = ""
    claims: tuple[Claim, ...] = ()
    report_runs: int = 0
    fresh: tuple[CellData, ...] = ()

    @property
    def missing(self) -> int:
        """Return how many runs are planned but not there."""
        return sum(max(self.runs - len(cell.runs) - len(cell.failures), 0) for cell in self.cells)


def _ratio(total: Floats, count: Floats) -> Floats:
    """Divide; NaN where the count is 0: a bin without a finished episode is missing, never 0."""
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0.0)
