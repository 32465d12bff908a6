"""What is wrong with a stored study, one line per problem."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path

from rlsoftmax.errors import StoreError
from rlsoftmax.store.chunks import read_chunk
from rlsoftmax.store.folder import Folder, read_plan
from rlsoftmax.store.merge import Part, merge, split
from rlsoftmax.store.rows import Rows

Edges = Mapping[str, list[int]]


def verify(folder: Path | str) -> list[str]:
    """Return the problems of a study: damaged plans and chunks, chunks that contradict each other, rows without a plan.

    Every byte is read. Files that a killed writer left behind are no problem.
    """
    store, problems = Folder(folder), list[str]()
    edges, pairs = dict[str, list[int]](), dict[tuple[str, int], list[Path]]()
    for path in store.plan_files():
        try:
            edges |= {str(cell["id"]): list(cell["edges"]) for cell in read_plan(path)[1]["cells"]}
        except StoreError as error:
            problems.append(str(error))
        except (KeyError, TypeError) as error:
            problems.append(f"{path}: the plan is not as format 1 says ({error!r}).")
    for path in store.chunk_files():
        try:
            rows = read_chunk(path)
        except StoreError as error:
            problems.append(str(error))
            continue
        problems.extend(_unplanned(path, rows, edges))
        for pair in zip(rows.cells, rows.runs.tolist(), strict=True):
            pairs.setdefault(pair, []).append(path)
    return [*problems, *_contradictions(pairs)]


def _unplanned(path: Path, rows: Rows, edges: Edges) -> Iterator[str]:
    cells, bins = sorted(set(rows.cells)), rows.edges.tolist()
    strangers = [cell for cell in cells if cell not in edges]
    if strangers:
        yield f"{path}: no plan knows cell {strangers[0][:12]} ({len(strangers)} such cells in this chunk)."
    others = [cell for cell in cells if edges.get(cell, bins) != bins]
    if others:
        yield f"{path}: cell {others[0][:12]} has other bins than its plan ({len(others)} such cells in this chunk)."


def _contradictions(pairs: Mapping[tuple[str, int], list[Path]]) -> Iterator[str]:
    """Yield the first disagreement of each two chunks that share a run; only such chunks are read again."""
    meeting = {two for paths in pairs.values() if len(paths) > 1 for two in itertools.combinations(paths, 2)}
    for one, other in sorted(meeting):
        try:
            _compare(one, other)
        except StoreError as error:
            yield str(error)


def _compare(one: Path, other: Path) -> None:
    parts: dict[str, list[Part]] = {}
    for path in (one, other):
        for part in split(str(path), read_chunk(path)):
            parts.setdefault(part.cell, []).append(part)
    for both in parts.values():
        merge(both)
