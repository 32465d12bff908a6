"""Figures on disk: pictures and the numbers they show, each file whole or not there, none drawn twice."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import rlsoftmax
from rlsoftmax import words
from rlsoftmax.canonical import canonical
from rlsoftmax.errors import ConfigError, did_you_mean
from rlsoftmax.store.data import CellData, StudyData
from rlsoftmax.store.durable import write_durably

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURES = ("png", "svg", "pdf")
# No date and no program: the same numbers give the same bytes.
_METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": "rlsoftmax"},
    "pdf": {"CreationDate": None, "Creator": "rlsoftmax"},
}


@dataclasses.dataclass(frozen=True)
class Request:
    """One figure, as in `plots.draw`."""

    kind: str
    style: str = ""
    width: float | str | None = None
    axis: str | None = None
    score: str | None = None


def write(study: StudyData, folder: Path, requests: Iterable[Request], formats: Sequence[str]) -> list[Path]:
    """Write every figure in every format; all are drawn before the first file is written."""
    for name in formats:
        if name not in (*PICTURES, "json"):
            raise ConfigError(f"no format {name!r}.{did_you_mean(name, (*PICTURES, 'json'))}")
    made = [content for request in requests for content in _contents(study, folder, request, formats)]
    for path, data in made:
        if data is not None:
            write_durably(path, data)
    return [path for path, _ in made]


def _contents(
    study: StudyData, folder: Path, request: Request, formats: Sequence[str]
) -> Iterator[tuple[Path, bytes | None]]:
    """Yield (file, bytes), None for those that are there; the numbers come last, since they vouch for the rest."""
    from rlsoftmax import plots

    if request.kind not in plots.kinds():
        raise ConfigError(f"no figure {request.kind!r}.{did_you_mean(request.kind, plots.kinds())}")
    paths = {name: folder / f"{request.kind}.{name}" for name in sorted(formats, key="json".__eq__)}
    stamp = fingerprint(study, request)
    if all(path.is_file() for path in paths.values()) and _stamp(paths["json"]) == stamp:
        yield from ((path, None) for path in paths.values())
        return
    numbers = plots.plotted(study, request.kind, request.axis, request.score)
    figure = plots.figure_of(request.kind, numbers, request.style, request.width) if len(paths) > 1 else None
    for name, path in paths.items():
        yield (
            path,
            json_of(request.kind, stamp, numbers)
            if figure is None or name == "json"
            else picture(figure, name, request.style),
        )


def picture(figure: Figure, format: str, style: str = "") -> bytes:
    """Return a figure as the bytes of a file: png (300 dpi), svg, or pdf with its fonts inside."""
    from rlsoftmax.plots.style import styled

    buffer = io.BytesIO()
    with styled(style):
        figure.savefig(buffer, format=format, metadata=_METADATA[format])
    return buffer.getvalue()


def json_of(kind: str, stamp: str, numbers: Any) -> bytes:
    """Return what is drawn as JSON: `kind`, `made_from`, `numbers`. NaN is null, infinity is "inf"."""
    from rlsoftmax.plots.series import plain

    document = {"kind": kind, "made_from": stamp, "numbers": plain(numbers)}
    return (json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n").encode()


def _stamp(path: Path) -> str | None:
    try:
        return str(json.loads(path.read_bytes())["made_from"])
    except (OSError, ValueError, KeyError, TypeError):  # not ours, or damaged: it is written again
        return None


def fingerprint(study: StudyData, request: Request) -> str:
    """Return what decides a figure: its request, all numbers of the study, and the code that draws; 64 hex digits."""
    sha = hashlib.sha256(_code().encode())
    about = {"study": study.name, "axes": list(study.axes), "runs": study.runs}
    sha.update(canonical(dataclasses.asdict(request) | about).encode())
    for cell in (*study.cells, *study.fresh):
        for part in _cell(cell):
            sha.update(part)
    return sha.hexdigest()


def _cell(cell: CellData) -> Iterator[bytes]:
    score, failed = dataclasses.asdict(cell.score), [dataclasses.asdict(failure) for failure in cell.failures]
    yield canonical([cell.id, cell.overrides, score, failed]).encode()
    yield from (np.ascontiguousarray(array).tobytes() for array in (cell.edges, cell.snapshot_steps, cell.runs))
    for name in sorted(cell.arrays):
        yield name.encode()
        yield np.ascontiguousarray(cell.arrays[name]).tobytes()


def _code() -> str:
    from importlib.metadata import version

    room = sorted(path for path in Path(__file__).parent.iterdir() if path.suffix in (".py", ".mplstyle"))
    files = [*room, Path(words.__file__)]
    text = "".join(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)
    return f"{rlsoftmax.__version__} {version('matplotlib')} {text}"
