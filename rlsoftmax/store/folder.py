"""Where rows and plans are kept: a folder on disk, or memory for a study without a name. Both answer alike."""

from __future__ import annotations

import hashlib
import itertools
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rlsoftmax.canonical import canonical
from rlsoftmax.errors import StoreError
from rlsoftmax.store.chunks import Index, read_chunk, read_index, write_chunk
from rlsoftmax.store.data import Failure
from rlsoftmax.store.durable import write_durably
from rlsoftmax.store.merge import Part, empty, merge, split
from rlsoftmax.store.rows import Ints, Rows, in_order

PLAN_FORMAT = 1


class Store(ABC):
    """What a study can be written to and read from. Everything that is appended stays as it is."""

    @abstractmethod
    def write_plan(self, document: Mapping[str, Any]) -> Path | None:
        """Keep a plan, once; return its file."""

    @abstractmethod
    def plans(self) -> list[dict[str, Any]]:
        """Return all plans, the oldest first."""

    @abstractmethod
    def append(self, rows: Rows, about: Mapping[str, Any]) -> Path | None:
        """Keep rows; `about` notes versions, machine and wall seconds. Return the file."""

    @abstractmethod
    def indexes(self) -> Iterator[tuple[str, Index]]:
        """Yield (source, which runs it holds) in the order of their names."""

    @abstractmethod
    def rows(self, source: str) -> Rows:
        """Return all that one source holds."""

    def present(self) -> dict[str, Ints]:
        """Return cell id -> int64 [n], ascending, the runs that have rows; only headers are read."""
        found: dict[str, list[Ints]] = {}
        for _, index in self.indexes():
            for cell, runs in index.runs.items():
                found.setdefault(cell, []).append(runs)
        return {cell: np.unique(np.concatenate(runs)) for cell, runs in found.items()}

    def failures(self) -> dict[str, tuple[Failure, ...]]:
        """Return cell id -> its failed runs, ascending; a run that succeeded later is no failure any more."""
        failed: dict[str, dict[int, Failure]] = {}
        for _, index in self.indexes():
            for cell, failure in index.failures:
                failed.setdefault(cell, {}).setdefault(failure.run, failure)
        present = self.present() if failed else {}
        left = {
            cell: tuple(failures[run] for run in sorted(failures) if run not in present.get(cell, ()))
            for cell, failures in failed.items()
        }
        return {cell: failures for cell, failures in left.items() if failures}

    def cells(self, ids: Iterable[str], runs: int | None = None, first: int = 0) -> dict[str, Part]:
        """Return cell id -> all its rows, merged; runs ascending, only those in [first, runs) when asked.

        A cell without rows is there with no runs and no arrays. See `merge` for arrays that only some chunks have.

        Raises:
          StoreError: naming the file or files, if one is damaged or two contradict each other.
        """
        found: dict[str, list[Part]] = {cell: [] for cell in ids}
        for source, index in self.indexes():
            wanted = [cell for cell, has in index.runs.items() if cell in found and _within(has, first, runs)]
            for part in split(source, self.rows(source), runs, first) if wanted else ():
                if part.cell in found:
                    found[part.cell].append(part)
        return {cell: merge(parts) if parts else empty(cell) for cell, parts in found.items()}


def _within(runs: Ints, first: int, below: int | None) -> bool:
    """Return whether some of these ascending runs lie in [first, below)."""
    at = int(np.searchsorted(runs, first))
    return at < len(runs) and (below is None or bool(runs[at] < below))


class Folder(Store):
    """A study on disk: `plan-<digest>.json` and `chunks/<sha256>.npz`, each written whole or not at all.

    Any number of processes may write at the same time; files of a killed writer are ignored.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._known: dict[str, Index] = {}  # chunks never change, so a header is read once

    def write_plan(self, document: Mapping[str, Any]) -> Path:
        """Write the plan durably and return its file; the same plan again changes nothing.

        The order in which plans came is noted in the file, outside the digest.
        """
        text = canonical(document)
        path = self.path / f"plan-{hashlib.sha256(text.encode()).hexdigest()}.json"
        if not _readable(path):
            order = len(list(self.plan_files()))
            write_durably(path, canonical({**document, "order": order}).encode())
        return path

    def plan_files(self) -> Iterator[Path]:
        """Yield the files of all plans, by name."""
        yield from sorted(self.path.glob("plan-*.json"))

    def plans(self) -> list[dict[str, Any]]:
        """Return all plans, the oldest first. StoreError names a damaged file."""
        ordered = sorted((read_plan(path) for path in self.plan_files()), key=lambda pair: pair[0])
        return [document for _, document in ordered]

    def append(self, rows: Rows, about: Mapping[str, Any]) -> Path:
        """Write a chunk durably and return its file; equal rows give the same file."""
        return write_chunk(self.path, rows, about)

    def chunk_files(self) -> Iterator[Path]:
        """Yield the files of all chunks, by name."""
        yield from sorted((self.path / "chunks").glob("[0-9a-f]*.npz"))

    def indexes(self) -> Iterator[tuple[str, Index]]:
        """Yield (file, which runs it holds). StoreError names a damaged file."""
        for path in self.chunk_files():
            if path.name not in self._known:
                self._known[path.name] = read_index(path)
            yield str(path), self._known[path.name]

    def rows(self, source: str) -> Rows:
        """Return what a chunk holds, every byte checked."""
        return read_chunk(Path(source))

    def set_aside_damaged(self) -> list[Path]:
        """Rename every damaged chunk to `<name>.damaged` and return the new names; its runs are then missing again."""
        moved = []
        for path in self.chunk_files():
            try:
                read_chunk(path)
            except StoreError:
                moved.append(path.rename(path.with_suffix(".npz.damaged")))
                self._known.pop(path.name, None)
        return moved


def read_plan(path: Path) -> tuple[int, dict[str, Any]]:
    """Return (order, document) of a plan file.

    Raises:
      StoreError: naming the file, if it is damaged, renamed, or written by a newer version.
    """
    try:
        document = dict(json.loads(path.read_bytes()))
        order = int(document.pop("order"))
        format = int(document["format"])
        name = hashlib.sha256(canonical(document).encode()).hexdigest()
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise StoreError(f"{path}: the plan is damaged ({' '.join(str(error).split())}).") from error
    if format > PLAN_FORMAT:
        raise StoreError(f"{path}: written by a newer rlsoftmax (format {format} > {PLAN_FORMAT}); update to read it.")
    if path.name != f"plan-{name}.json":
        raise StoreError(f"{path}: the plan is damaged (its name is not the SHA-256 of its content).")
    return order, document


def _readable(path: Path) -> bool:
    try:
        return path.exists() and bool(read_plan(path))
    except StoreError:
        return False


class Memory(Store):
    """A study without a name: nothing is written, nothing stays."""

    def __init__(self) -> None:
        self._plans: list[str] = []  # canonical JSON
        self._rows: dict[str, Rows] = {}
        self._number = itertools.count()  # drawn atomically: several threads append

    def write_plan(self, document: Mapping[str, Any]) -> None:
        """Keep the plan, once."""
        text = canonical(document)
        if text not in self._plans:
            self._plans.append(text)

    def plans(self) -> list[dict[str, Any]]:
        """Return all plans, the oldest first."""
        return [json.loads(text) for text in self._plans]

    def append(self, rows: Rows, about: Mapping[str, Any]) -> None:
        """Keep the rows."""
        self._rows[f"memory-{next(self._number):08d}"] = in_order(rows)

    def indexes(self) -> Iterator[tuple[str, Index]]:
        """Yield (source, which runs it holds)."""
        for source, rows in list(self._rows.items()):
            runs = {part.cell: part.runs for part in split(source, rows, None)}
            yield source, Index(runs, rows.failures)

    def rows(self, source: str) -> Rows:
        """Return one batch of rows."""
        return self._rows[source]
