"""A chunk: one immutable file of rows, named by its content, in which every flipped bit is noticed.

The file is an ordinary uncompressed .npz (`numpy.load(path)["reward"]` works) with a JSON header.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import math
import struct
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rlsoftmax.canonical import canonical
from rlsoftmax.errors import StoreError
from rlsoftmax.store.data import Array, Failure
from rlsoftmax.store.durable import write_durably
from rlsoftmax.store.rows import Ints, Rows, contents, described, in_order, name_of_content

FORMAT, KIND, HEADER = 1, "rlsoftmax chunk", "header.json"
COLUMNS = ("cell", "run", "edges", "snapshot_steps")
_DAMAGE = (
    zipfile.BadZipFile, EOFError, OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, struct.error,
    OverflowError,
    RuntimeError,  # zipfile: encrypted, not implemented; json: nested too deeply
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Index:
    """Which runs a chunk holds: cell id -> ascending run numbers; and its failures."""

    runs: Mapping[str, Ints]
    failures: tuple[tuple[str, Failure], ...]


def write_chunk(folder: Path, rows: Rows, about: Mapping[str, Any]) -> Path:
    """Store rows durably as `folder/chunks/<sha256>.npz` and return the path.

    Args:
      folder: of the study.
      rows: in any order; the same rows give the same name.
      about: plain values that are kept but are not part of the name: versions, machine, wall seconds.

    Raises:
      StoreError: if the system refuses to write. ArgumentError, ConfigError: if rows or about are not plain numbers.

    A file of that name is left alone when it is whole and replaced when it is damaged, so writing again repairs.
    """
    rows = in_order(rows)
    path = Path(folder) / "chunks" / f"{name_of_content(rows)}.npz"
    if not _whole(path):
        write_durably(path, _packed(rows, about))
    return path


def _whole(path: Path) -> bool:
    try:
        return path.exists() and bool(read_chunk(path))
    except StoreError:
        return False


def _packed(rows: Rows, about: Mapping[str, Any]) -> memoryview:
    header = canonical({"kind": KIND, "format": FORMAT, "about": about} | described(rows))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_entry(HEADER), header)
        for name, array in contents(rows).items():
            with archive.open(_entry(f"{name}.npy"), "w", force_zip64=True) as file:
                file.write(_prefix(array.dtype.str, array.shape))
                file.write(array.data if array.size else b"")
    return buffer.getbuffer()  # not a copy: a chunk may be 64 MB


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.create_system, entry.external_attr = 3, 0o644 << 16  # the same bytes on every system
    return entry


def _prefix(dtype: str, shape: tuple[int, ...]) -> bytes:
    """Return the only header of a .npy array of ours: it is compared, never parsed, so no object can be unpickled.

    Source: numpy.lib.format, version 1.0.
    """
    text = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape!r}, }}"
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode("ascii")


def read_chunk(path: Path) -> Rows:
    """Return all rows of a chunk; every byte is checked against the checksums and the name.

    Raises:
      StoreError: naming the file, if it is damaged, renamed, not ours, or written by a newer version.
    """
    with _opened(path) as (archive, header):
        arrays = {name: _array(archive, name, *about) for name, about in header["arrays"].items()}
        cell, run, edges, snapshot_steps = (arrays.pop(name) for name in COLUMNS)
        cells = tuple(header["cells"][number] for number in cell.tolist())
        rows = in_order(Rows(cells, run, edges, snapshot_steps, arrays, _failures(header)))
        if name_of_content(rows) != path.stem:
            raise ValueError("its name is not the SHA-256 of its content")
    return rows


def read_index(path: Path) -> Index:
    """Return which runs a chunk holds, reading little of it; the arrays are not checked.

    Raises:
      StoreError: naming the file, if the part that is read is damaged.
    """
    with _opened(path) as (archive, header):
        cell, run = (_array(archive, name, *header["arrays"][name]) for name in ("cell", "run"))
        runs = {str(name): np.sort(run[cell == number]) for number, name in enumerate(header["cells"])}
        return Index(runs, _failures(header))


def read_about(path: Path) -> dict[str, Any]:
    """Return what was noted beside the rows: versions, machine, wall seconds."""
    with _opened(path) as (_, header):
        return dict(header["about"])


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[zipfile.ZipFile, dict[str, Any]]]:
    try:
        with zipfile.ZipFile(path) as archive:
            _check_sizes(archive, path.stat().st_size)
            yield archive, _header(archive)
    except StoreError as error:
        raise StoreError(f"{path}: {error}") from None
    except (FileNotFoundError, PermissionError) as error:
        raise StoreError(f"cannot read {path}: {error.strerror}.") from error
    except _DAMAGE as error:
        raise StoreError(
            f"{path}: the chunk is damaged ({' '.join(str(error).split()) or type(error).__name__}); "
            "move it away and run the same command again to make its runs anew."
        ) from error


def _check_sizes(archive: zipfile.ZipFile, size: int) -> None:
    """Nothing is allocated before it is known to be no larger than the file: no zip bomb."""
    entries = archive.infolist()
    if any(e.compress_type != zipfile.ZIP_STORED or e.compress_size != e.file_size for e in entries):
        raise ValueError("an entry is compressed")
    if sum(e.file_size for e in entries) > size or len({e.filename for e in entries}) < len(entries):
        raise ValueError("its entries overlap")


def _header(archive: zipfile.ZipFile) -> dict[str, Any]:
    header = json.loads(archive.read(HEADER))
    if header["kind"] != KIND:
        raise ValueError("it is not a chunk of rlsoftmax")
    if header["format"] > FORMAT:
        raise StoreError(f"written by a newer rlsoftmax (format {header['format']} > {FORMAT}); update to read it.")
    if {f"{name}.npy" for name in header["arrays"]} | {HEADER} != set(archive.namelist()):
        raise ValueError("its entries are not those of its header")
    return dict(header)


def _array(archive: zipfile.ZipFile, name: str, dtype: str, shape: list[int]) -> Array:
    """Read one array. The result is read-only: it is a view of the bytes."""
    if dtype not in ("<f8", "<i8") or not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError(f"{name} has dtype {dtype!r} and shape {shape}")
    prefix = _prefix(dtype, tuple(shape))
    if archive.getinfo(f"{name}.npy").file_size != len(prefix) + 8 * math.prod(shape):
        raise ValueError(f"{name} has another size than its header says")
    data = archive.read(f"{name}.npy")
    if not data.startswith(prefix):
        raise ValueError(f"{name} has another header than expected")
    return np.frombuffer(data, dtype=dtype, offset=len(prefix)).reshape(shape)


def _failures(header: Mapping[str, Any]) -> tuple[tuple[str, Failure], ...]:
    return tuple(
        (str(cell), Failure(int(run), int(step), int(state), int(action), str(reason)))
        for cell, run, step, state, action, reason in header["failures"]
    )
