"""Merging what several chunks say about one cell; where they overlap they must agree."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from rlsoftmax.errors import StoreError
from rlsoftmax.store.data import GREEDY, SNAPSHOT, TRIED, Array
from rlsoftmax.store.rows import Ints, Rows

LOOSE = 1e-12  # snapshots and greedy scores are made outside the loop, with NumPy's own exp: not bit for bit


@dataclasses.dataclass(frozen=True, eq=False)
class Part:
    """What one chunk, or all of them, hold of one cell: runs ascending, arrays [runs, ...]; source: the file's name."""

    cell: str
    source: str
    runs: Ints
    edges: Ints
    snapshot_steps: Ints
    arrays: Mapping[str, Array]


def empty(cell: str) -> Part:
    """Return a cell of which nothing is there."""
    none = np.empty(0, dtype=np.int64)
    return Part(cell, "", none, none, none, {})


def split(source: str, rows: Rows, below: int | None = None, first: int = 0) -> Iterator[Part]:
    """Yield the part of every cell, only runs in [first, below) when asked: rows are in order, so it is a slice."""
    cells = np.array(rows.cells)
    names, starts = np.unique(cells, return_index=True)
    for name, start, stop in zip(names, starts, np.append(starts, len(cells))[1:], strict=True):
        runs = rows.runs[start:stop]
        end = stop if below is None else start + int(np.searchsorted(runs, below))
        begin = start + int(np.searchsorted(runs, first))
        if end > begin:
            arrays = {key: array[begin:end] for key, array in rows.arrays.items()}
            yield Part(str(name), source, rows.runs[begin:end], rows.edges, rows.snapshot_steps, arrays)


def merge(parts: Sequence[Part]) -> Part:
    """Return one part with all runs of a cell.

    An array is filled run by run from the parts that have it, and kept only if then every run has it. Of several
    choices of snapshot steps that every run has, the one with the most arrays is taken, then the most steps. A greedy
    policy that was tried, not worked out, has the score of its most episodes.

    Raises:
      StoreError: naming both files, if two parts disagree about a run.
    """
    runs = np.unique(np.concatenate([part.runs for part in parts]))
    for part in parts:
        if not np.array_equal(part.edges, parts[0].edges):
            raise StoreError(f"{parts[0].source} and {part.source} disagree about the bins of cell {part.cell[:12]}.")
    steps = _snapshot_steps(parts, runs)
    arrays = {}
    for name in sorted({name for part in parts for name in part.arrays}):
        whole = _gathered(name, [part for part in parts if name in part.arrays and _usable(name, part, steps)], runs)
        if whole is not None:
            arrays[name] = whole
    tried = [name for name in arrays if name.startswith(TRIED)]
    if tried:  # more episodes say more
        arrays[GREEDY] = arrays[max(tried, key=lambda name: int(name.removeprefix(TRIED)))]
    return Part(parts[0].cell, "", runs, parts[0].edges, steps, arrays)


def _snapshot_steps(parts: Sequence[Part], runs: Ints) -> Ints:
    """Return the snapshot steps that all runs have: those with the most numbers; none if there are none."""
    found: dict[tuple[int, ...], list[Part]] = {}
    for part in parts:
        found.setdefault(tuple(part.snapshot_steps.tolist()), []).append(part)
    whole = [steps for steps, having in found.items() if _all_have(having, runs)]
    told = {steps: set.union(*({*part.arrays} for part in found[steps])) for steps in whole}
    kinds = {steps: sum(name.startswith(SNAPSHOT) for name in told[steps]) for steps in whole}
    best = min(whole, key=lambda steps: (-kinds[steps], -len(steps), steps), default=())
    return np.array(best, dtype=np.int64)


def _all_have(parts: Sequence[Part], runs: Ints) -> bool:
    return len(np.unique(np.concatenate([part.runs for part in parts]))) == len(runs)


def _usable(name: str, part: Part, steps: Ints) -> bool:
    return not name.startswith(SNAPSHOT) or (len(steps) > 0 and np.array_equal(part.snapshot_steps, steps))


def _gathered(name: str, parts: Sequence[Part], runs: Ints) -> Array | None:
    """Return [runs, ...] filled from the parts, or None if some run is in none of them."""
    if not parts:
        return None
    first = parts[0].arrays[name]
    whole = np.empty((len(runs), *first.shape[1:]), dtype=first.dtype)
    owner = np.full(len(runs), -1)
    for number, part in enumerate(parts):
        array, at = part.arrays[name], np.searchsorted(runs, part.runs)
        if (array.dtype, array.shape[1:]) != (first.dtype, first.shape[1:]):
            raise _disagreement(name, parts[0], part, part.runs)
        again = np.flatnonzero(owner[at] >= 0)
        wrong = again[~agree(name, whole[at[again]], array[again])]
        if wrong.size:
            raise _disagreement(name, parts[owner[at[wrong[0]]]], part, part.runs[wrong])
        whole[at], owner[at] = array, number
    return whole if np.all(owner >= 0) else None


def agree(name: str, a: Array, b: Array) -> npt.NDArray[np.bool_]:
    """Return [rows]: whether two recordings of the same runs agree.

    Sums and memory agree bit for bit (so a NaN agrees with the same NaN); snapshots and greedy scores to
    1e-12 + 1e-12 |b|.

    >>> agree("snapshot/entropy", np.array([[1.0]]), np.array([[1.0 + 1e-13]]))
    array([ True])
    """
    if name.startswith((SNAPSHOT, GREEDY)):
        same = np.isclose(a, b, rtol=LOOSE, atol=LOOSE, equal_nan=True)
    else:
        same = a.view("<i8") == b.view("<i8")
    return np.asarray(same.all(axis=tuple(range(1, same.ndim))))


def _disagreement(name: str, a: Part, b: Part, runs: Ints) -> StoreError:
    more = f" and {len(runs) - 1} more runs" if len(runs) > 1 else ""
    return StoreError(
        f"{a.source} and {b.source} disagree about {name} of cell {a.cell[:12]}, run {runs[0]}{more}; "
        "one was made by other code or on a broken machine."
    )
