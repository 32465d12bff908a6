"""Where the numbers come from: configuration, command, versions, machine, time, digest."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rlsoftmax.canonical import canonical
from rlsoftmax.plots import scales
from rlsoftmax.store.chunks import read_about
from rlsoftmax.store.data import CellData, StudyData
from rlsoftmax.store.digest import digest

_NOTED = {
    "rlsoftmax": "rlsoftmax", "python": "Python", "numpy": "NumPy", "numba": "numba", "gymnasium": "Gymnasium",
    "machine": "machine",
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Provenance:
    """What a reader needs to make the study again, and to know that it is the same.

    facts: (name, value). shared: what all cells have, as (key, value); differing: key -> the values that occur.
    digests: (12 digits of the cell, runs, SHA-256); digest: of these lines as `rlsoftmax digest` prints them.
    """

    command: str
    facts: tuple[tuple[str, str], ...]
    shared: tuple[tuple[str, str], ...]
    differing: tuple[tuple[str, str], ...]
    digests: tuple[tuple[str, int, str], ...]
    digest: str
    failures: tuple[str, ...]

    def digests_of(self, cells: Iterable[str]) -> list[tuple[str, int, str]]:
        """Return the lines of these cells, given by their whole ids."""
        wanted = {cell[:12] for cell in cells}
        return [line for line in self.digests if line[0] in wanted]


def provenance(study: StudyData) -> Provenance:
    """Return where the numbers of a study come from."""
    digests = tuple((cell.id[:12], len(cell.runs), digest(cell.runs, cell.arrays)) for cell in study.cells)
    lines = "".join(f"{name} {runs} {sha}\n" for name, runs, sha in digests)
    shared, differing = _configuration(study)
    return Provenance(
        study.command, tuple(_facts(study)), shared, differing, digests, hashlib.sha256(lines.encode()).hexdigest(),
        tuple(_failures(study)),
    )  # fmt: skip


def _facts(study: StudyData) -> Iterator[tuple[str, str]]:
    notes = _notes(study)
    for key, name in _NOTED.items():
        if values := dict.fromkeys(str(note[key]) for note in notes if key in note):
            yield name, "; ".join(values)
    seconds = sum(float(note.get("seconds", 0.0)) for note in notes)
    steps = sum(len(cell.runs) * int(cell.edges[-1]) for cell in study.cells)
    cells = f"{len(study.cells)} cell{'s' * (len(study.cells) != 1)}"
    yield "size", f"{cells}, {_runs(study)}, {scales.thousands(steps)} steps"
    if seconds > 0.0:
        yield (
            "time",
            f"{seconds:.3g} s of computing on one core, {scales.thousands(round(steps / seconds))} steps per second",
        )


def _runs(study: StudyData) -> str:
    have, planned = sum(len(cell.runs) for cell in study.cells), study.runs * len(study.cells)
    return f"{scales.thousands(have)} of {scales.thousands(planned)} runs" if have != planned else f"{have} runs"


def _notes(study: StudyData) -> list[Mapping[str, Any]]:
    """Return what was noted beside the chunks; of a study in memory, what this process is."""
    if study.folder is not None:
        return [read_about(path) for path in sorted((Path(study.folder) / "chunks").glob("*.npz"))]
    from rlsoftmax.experiment.execute import about_here  # it was played here, so that the engine is loaded

    return [about_here()]


def _configuration(study: StudyData) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    """Return (key, value) of what all cells share, and (key, values) of what differs."""
    flat = [dict(_flat(cell)) for cell in study.cells]
    keys = dict.fromkeys(key for each in flat for key in each)
    values = {key: list(dict.fromkeys(each[key] for each in flat if key in each)) for key in keys}
    shared = [key for key in keys if len(values[key]) == 1 and all(key in each for each in flat)]
    rest = [(key, _listed(found)) for key, found in values.items() if key not in shared]
    return tuple((key, values[key][0]) for key in shared), tuple(rest)


def _listed(values: list[str], most: int = 40) -> str:
    return ", ".join(values[:most]) + (f" and {len(values) - most} more" if len(values) > most else "")


def _flat(cell: CellData) -> Iterator[tuple[str, str]]:
    yield from _flattened(cell.config, "")
    yield "score", f"{cell.score.metric}, steps {cell.score.start} to {cell.score.stop}"
    yield "bins", str(len(cell.edges) - 1)


def _flattened(node: Mapping[str, Any], above: str) -> Iterator[tuple[str, str]]:
    for key, value in node.items():
        if isinstance(value, Mapping):
            yield from _flattened(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value if isinstance(value, str) else canonical(value)


def _failures(study: StudyData, most: int = 20) -> Iterator[str]:
    every = [(cell, failure) for cell in study.cells for failure in cell.failures]
    for cell, one in every[:most]:
        where = f"run {one.run}, step {one.step}, state {one.state}, action {one.action}"
        yield f"cell {cell.id[:12]}, {where}: {one.reason}"
    if len(every) > most:
        yield f"and {len(every) - most} more"
