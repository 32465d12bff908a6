"""Rows: the numbers of some runs of some cells, in one canonical order and layout."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from rlsoftmax.canonical import canonical
from rlsoftmax.errors import ArgumentError, did_you_mean, shown
from rlsoftmax.store.data import GREEDY, MEMORY, SNAPSHOT, SUMS, TRIED, VISITS, Array, Failure

Ints = npt.NDArray[np.int64]
_ID = re.compile(r"[0-9a-f]{64}")


@dataclasses.dataclass(frozen=True, eq=False)
class Rows:
    """Some runs of some cells: one row per (cell, run), all with the same bins and snapshots.

    cells: a cell id (64 hex digits) per row.
    runs: int64 [rows], run numbers; no (cell, run) twice.
    edges: int64 [bins + 1], ascending from 0.
    snapshot_steps: int64 [snapshots], ascending; empty when there are none.
    arrays: name -> [rows, ...], names as in `CellData.arrays`; whole numbers become little-endian int64, all others
      float64. "reward" is there whenever there are rows, so a run that is present can be read.
    failures: (cell id, what happened) of runs that have no row.

    Raises:
      ArgumentError: if the parts do not fit each other.
    """

    cells: tuple[str, ...]
    runs: Ints
    edges: Ints
    snapshot_steps: Ints
    arrays: Mapping[str, Array]
    failures: tuple[tuple[str, Failure], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "cells", tuple(map(str, self.cells)))
        object.__setattr__(self, "failures", tuple((str(cell), _plain(failure)) for cell, failure in self.failures))
        for key in ("runs", "edges", "snapshot_steps"):
            object.__setattr__(self, key, _column(key, getattr(self, key)))
        object.__setattr__(self, "arrays", {name: stored(self.arrays[name]) for name in sorted(self.arrays)})
        self._check()

    def _check(self) -> None:
        for cell in {*self.cells, *(cell for cell, _ in self.failures)}:
            if _ID.fullmatch(cell) is None:
                raise ArgumentError(f"cells must be ids of 64 hex digits, got {shown(cell)}.")
        if len(self.cells) != len(self.runs) or np.any(self.runs < 0):
            raise ArgumentError(f"runs must be >= 0, one per row, got {len(self.runs)} for {len(self.cells)} rows.")
        if len(set(zip(self.cells, self.runs.tolist(), strict=True))) < len(self.cells):
            raise ArgumentError("runs must not repeat within a cell.")
        if len(self.edges) < 2 or self.edges[0] != 0 or np.any(np.diff(self.edges) <= 0):
            raise ArgumentError("edges must ascend from 0 and enclose at least one bin.")
        if self.cells and "reward" not in self.arrays:
            raise ArgumentError("arrays must hold the reward of every row.")
        for name, array in self.arrays.items():
            self._check_array(name, array)

    def _check_array(self, name: str, array: Array) -> None:
        bins, snapshots = len(self.edges) - 1, len(self.snapshot_steps)
        expected: tuple[int, ...] | None = (len(self.cells), bins)
        if name == GREEDY or name.startswith(TRIED):
            expected = (len(self.cells),)
        elif name.startswith(SNAPSHOT):
            expected = (len(self.cells), snapshots)
        elif name.startswith(MEMORY) or name == VISITS:
            expected = None  # [rows, ...]: an agent remembers what it likes, and has as many states as it has
        elif name not in SUMS:
            raise ArgumentError(f"no array is called {name!r}.{did_you_mean(name, (*SUMS, GREEDY, VISITS))}")
        if "/" in name and not name.split("/", 1)[1].isidentifier():
            raise ArgumentError(f"arrays must have plain names, got {shown(name)}.")
        if array.shape[:1] != (len(self.cells),) or (expected is not None and array.shape != expected):
            raise ArgumentError(f"{name} must have shape {expected or '[rows, ...]'}, got {array.shape}.")


def stored(array: npt.ArrayLike) -> Array:
    """Return numbers as they are stored: C order, whole numbers and truth values as int64, all others as float64.

    >>> stored(np.array([True, False])).dtype.str, stored(np.float32([0.5])).dtype.str
    ('<i8', '<f8')
    """
    whole = np.asarray(array)
    if whole.dtype.kind not in "biuf":
        raise ArgumentError(f"arrays must hold numbers, got dtype {whole.dtype}.")
    return np.ascontiguousarray(whole, dtype="<f8" if whole.dtype.kind == "f" else "<i8").reshape(whole.shape)


def _plain(failure: Failure) -> Failure:
    """Return the failure without NumPy's numbers, which JSON does not write."""
    run, step, state, action = int(failure.run), int(failure.step), int(failure.state), int(failure.action)
    return Failure(run, step, state, action, str(failure.reason))


def _column(key: str, values: npt.ArrayLike) -> Ints:
    column = np.asarray(values)
    if column.ndim != 1 or (column.size and column.dtype.kind not in "iu"):
        raise ArgumentError(f"{key} must be a row of whole numbers, got shape {column.shape}, dtype {column.dtype}.")
    return np.ascontiguousarray(column, dtype="<i8")


def in_order(rows: Rows) -> Rows:
    """Return the same rows sorted by (cell, run), and failures likewise: equal rows become equal bytes."""
    failures = tuple(sorted(rows.failures, key=lambda pair: (pair[0], dataclasses.astuple(pair[1]))))
    order = order_of(rows.cells, rows.runs)
    if np.array_equal(order, np.arange(len(order))):
        return rows if failures == rows.failures else dataclasses.replace(rows, failures=failures)
    return Rows(
        tuple(rows.cells[row] for row in order.tolist()),
        rows.runs[order],
        rows.edges,
        rows.snapshot_steps,
        {name: array[order] for name, array in rows.arrays.items()},
        failures,
    )


def order_of(cells: Sequence[str], runs: Ints) -> Ints:
    """Return the places of the rows when they are sorted by (cell, run): int64 [rows].

    >>> order_of(["b", "a", "b"], np.array([1, 0, 0])).tolist()
    [1, 2, 0]
    """
    number = numbered(cells)
    return np.lexsort((runs, np.array([number[cell] for cell in cells], dtype=np.int64)))


def numbered(cells: Iterable[str]) -> dict[str, int]:
    """Return the place of each cell among them, in order.

    >>> numbered(["b", "a", "b"])
    {'a': 0, 'b': 1}
    """
    return {cell: index for index, cell in enumerate(sorted(set(cells)))}


def together(batches: Iterable[Rows]) -> list[Rows]:
    """Return the same rows in as few batches as can be stored as one chunk each: same bins, snapshots and arrays.

    A chunk costs an fsync, so what was finished within some seconds is written as one.
    """
    groups: dict[object, list[Rows]] = {}
    for batch in batches:
        shapes = tuple((name, array.dtype.str, array.shape[1:]) for name, array in batch.arrays.items())
        key = (batch.edges.tobytes(), batch.snapshot_steps.tobytes(), shapes)
        groups.setdefault(key, []).append(batch)
    return [_joined(group) for group in groups.values()]


def _joined(batches: list[Rows]) -> Rows:
    return Rows(
        tuple(cell for batch in batches for cell in batch.cells),
        np.concatenate([batch.runs for batch in batches]),
        batches[0].edges,
        batches[0].snapshot_steps,
        {name: np.concatenate([batch.arrays[name] for batch in batches]) for name in batches[0].arrays},
        tuple(failure for batch in batches for failure in batch.failures),
    )


def contents(rows: Rows) -> dict[str, Array]:
    """Return all columns and arrays by the name they are stored under; `cell` counts in the sorted distinct ids."""
    number = {cell: index for index, cell in enumerate(sorted(set(rows.cells)))}
    cell = np.array([number[cell] for cell in rows.cells], dtype="<i8")
    columns = {"cell": cell, "run": rows.runs, "edges": rows.edges, "snapshot_steps": rows.snapshot_steps}
    return columns | dict(rows.arrays)


def described(rows: Rows) -> dict[str, object]:
    """Return the part of the header that is content: ids, failures, and dtype and shape of every array."""
    return {
        "cells": sorted(set(rows.cells)),
        "failures": [[cell, *dataclasses.astuple(failure)] for cell, failure in rows.failures],
        "arrays": {name: [array.dtype.str, list(array.shape)] for name, array in contents(rows).items()},
    }


def name_of_content(rows: Rows) -> str:
    """Return the SHA-256 of rows in order: canonical JSON of `described`, one zero byte, then every array's bytes."""
    sha = hashlib.sha256(canonical(described(rows)).encode() + b"\0")
    for _, array in sorted(contents(rows).items()):
        sha.update(array.data if array.size else b"")
    return sha.hexdigest()
