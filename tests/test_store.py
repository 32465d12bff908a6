"""Stored studies: what is written comes back, and what is damaged, torn or contradictory is noticed by name."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import io
import json
import math
import os
import shutil
import subprocess
import sys
import textwrap
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsoftmax.canonical import canonical
from rlsoftmax.errors import ArgumentError, ConfigError, StoreError
from rlsoftmax.store import durable
from rlsoftmax.store.chunks import FORMAT, _prefix, read_about, read_chunk, read_index, write_chunk
from rlsoftmax.store.data import Failure
from rlsoftmax.store.digest import digest
from rlsoftmax.store.folder import Folder, Memory, Store, read_plan
from rlsoftmax.store.merge import agree
from rlsoftmax.store.names import check_name
from rlsoftmax.store.read import read_study, study_of, with_infinity
from rlsoftmax.store.rows import Rows, in_order, name_of_content, together
from rlsoftmax.store.verify import verify

A, B, C = ("a" * 64, "b" * 64, "c" * 64)
ABOUT = {"rlsoftmax": "0.1.0", "machine": "here", "seconds": 0.5}
EDGES = np.array([0, 10, 20])
LOST = Failure(run=9, step=17, state=3, action=1, reason="reward is nan")


def some_rows(pairs: Sequence[tuple[str, int]], **arrays: Any) -> Rows:
    """Rows whose numbers are a function of (cell, run), as those of a real engine are."""
    base = np.array([100.0 * ord(cell[0]) + run for cell, run in pairs])
    runs = np.array([run for _, run in pairs], dtype=np.int64)
    reward = base[:, None] + np.array([0.25, 0.5])
    return Rows(tuple(cell for cell, _ in pairs), runs, EDGES, np.array([], dtype=int), {"reward": reward} | arrays)


def pairs_of(cells: Sequence[str], runs: Sequence[int]) -> list[tuple[str, int]]:
    return [(cell, run) for cell in cells for run in runs]


def full_rows(pairs: Sequence[tuple[str, int]]) -> Rows:
    rows = some_rows(pairs)
    entropy = rows.runs[:, None] + np.array([0.1, 0.2, 0.3])
    visits = (
        np.arange(len(pairs) * 4).reshape(-1, 2, 2)
        if len(pairs) == 1
        else rows.runs[:, None, None] + np.eye(2, dtype=int)
    )
    arrays = {
        **rows.arrays,
        "memory/value": rows.runs[:, None, None] * np.ones((1, 2, 2)),
        "memory/visits": visits.astype(np.int32),
        "snapshot/entropy": entropy,
        "score/greedy": rows.runs + 0.5,
    }
    return dataclasses.replace(rows, arrays=arrays, snapshot_steps=np.array([0, 5, 19]))


def assert_same(one: Rows, other: Rows) -> None:
    assert one.cells == other.cells
    assert one.failures == other.failures
    for key in ("runs", "edges", "snapshot_steps"):
        np.testing.assert_array_equal(getattr(one, key), getattr(other, key))
    assert list(one.arrays) == list(other.arrays)
    for name, array in one.arrays.items():
        assert array.dtype == other.arrays[name].dtype
        assert array.tobytes() == other.arrays[name].tobytes()
        assert array.shape == other.arrays[name].shape


def plan(
    cells: Mapping[str, Any], runs: int = 3, axes: Sequence[str] = ("tau",), study: str = "here"
) -> dict[str, Any]:
    score = {"metric": "reward", "from": 0, "to": 20}
    return {
        "format": 1, "study": "here", "axes": list(axes), "runs": runs, "command": "rlsoftmax sweep tau=1,2",
        "score": score, "snapshot_steps": [],
        "cells": [
            {"id": name, "config": {"env": {"name": "testbed"}, "steps": 20, "tau": {"name": "constant", "value": tau}},
             "overrides": {"tau": tau}, "edges": EDGES.tolist(), "score": score}
            for name, tau in cells.items()
        ],
    }  # fmt: skip


# --- one chunk -----------------------------------------------------------------------------------------------------


def test_a_chunk_comes_back_as_it_was(tmp_path: Path) -> None:
    rows = dataclasses.replace(full_rows(pairs_of([A, B], [0, 1, 2])), failures=((A, LOST),))
    path = write_chunk(tmp_path, rows, ABOUT)
    assert_same(read_chunk(path), rows)
    assert read_about(path) == ABOUT
    assert read_chunk(path).arrays["memory/visits"].dtype == np.int64
    index = read_index(path)
    assert {cell: runs.tolist() for cell, runs in index.runs.items()} == {A: [0, 1, 2], B: [0, 1, 2]}
    assert index.failures == ((A, LOST),)


def test_numpy_alone_reads_a_chunk(tmp_path: Path) -> None:
    rows = full_rows(pairs_of([A], [0, 1]))
    with np.load(write_chunk(tmp_path, rows, ABOUT), allow_pickle=False) as chunk:
        np.testing.assert_array_equal(chunk["reward"], rows.arrays["reward"])
        np.testing.assert_array_equal(chunk["memory/value"], rows.arrays["memory/value"])
        assert json.loads(chunk["header.json"])["format"] == FORMAT


@given(order=st.permutations(range(6)), names=st.permutations(["reward", "memory/value", "memory/visits"]))
@settings(max_examples=25, deadline=None)
def test_equal_rows_in_another_order_are_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], names: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("order")
    rows = full_rows(pairs_of([A, B], [0, 1, 2]))
    shuffled = Rows(
        tuple(rows.cells[i] for i in order), rows.runs[order], rows.edges, rows.snapshot_steps,
        {name: rows.arrays[name][order] for name in names},
    )  # fmt: skip
    straight = dataclasses.replace(rows, arrays={name: rows.arrays[name] for name in sorted(names)})
    one, other = write_chunk(folder / "one", straight, ABOUT), write_chunk(folder / "other", shuffled, ABOUT)
    assert one.name == other.name
    assert one.read_bytes() == other.read_bytes()


@given(order=st.permutations(range(4)))
@settings(max_examples=10, deadline=None)
def test_equal_failures_in_another_order_are_the_same_chunk(order: list[int]) -> None:
    failures = [(cell, dataclasses.replace(LOST, run=run)) for cell in (A, B) for run in (3, 7)]
    rows = some_rows([(A, 0)])
    shuffled = dataclasses.replace(rows, failures=tuple(failures[i] for i in order))
    assert in_order(shuffled).failures == tuple(failures)
    assert name_of_content(in_order(shuffled)) == name_of_content(dataclasses.replace(rows, failures=tuple(failures)))


def test_the_name_covers_numbers_and_not_what_is_noted_beside_them(tmp_path: Path) -> None:
    rows = full_rows(pairs_of([A], [0, 1]))
    name = write_chunk(tmp_path / "0", rows, ABOUT).name
    assert write_chunk(tmp_path / "1", rows, {"seconds": 7.0}).name == name
    nudged = rows.arrays["reward"].copy()
    nudged[1, 1] = np.nextafter(nudged[1, 1], 2e9)
    others = [
        dataclasses.replace(rows, arrays={**rows.arrays, "reward": nudged}),
        dataclasses.replace(rows, runs=np.array([0, 2])),
        dataclasses.replace(rows, cells=(A, B)),
        dataclasses.replace(rows, edges=np.array([0, 11, 20])),
        dataclasses.replace(rows, snapshot_steps=np.array([0, 6, 19])),
        dataclasses.replace(rows, failures=((B, LOST),)),
        dataclasses.replace(rows, arrays={k.replace("value", "table"): v for k, v in rows.arrays.items()}),
    ]
    names = {name, *(write_chunk(tmp_path / "2", other, ABOUT).name for other in others)}
    assert len(names) == 1 + len(others)


def test_the_name_of_a_chunk_never_changes() -> None:
    """A golden name: a change of layout would orphan every stored study; raise FORMAT instead."""
    rows = full_rows(pairs_of([A, B], [0, 1]))
    header = {
        "arrays": {
            "cell": ["<i8", [4]], "run": ["<i8", [4]], "edges": ["<i8", [3]], "snapshot_steps": ["<i8", [3]],
            "reward": ["<f8", [4, 2]], "memory/value": ["<f8", [4, 2, 2]], "memory/visits": ["<i8", [4, 2, 2]],
            "snapshot/entropy": ["<f8", [4, 3]], "score/greedy": ["<f8", [4]],
        },
        "cells": [A, B], "failures": [],
    }  # fmt: skip
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode() + b"\0"
    columns = {"cell": np.array([0, 0, 1, 1]), "run": rows.runs, "edges": EDGES, "snapshot_steps": rows.snapshot_steps}
    for _, array in sorted((columns | dict(rows.arrays)).items()):
        text += array.astype("<f8" if array.dtype.kind == "f" else "<i8").tobytes()
    assert name_of_content(in_order(rows)) == hashlib.sha256(text).hexdigest()


def test_the_bytes_of_a_chunk_know_no_clock_and_no_machine(tmp_path: Path) -> None:
    with zipfile.ZipFile(write_chunk(tmp_path, full_rows(pairs_of([A, B], [0, 1])), ABOUT)) as archive:
        notes = {(e.date_time, e.create_system, e.external_attr, e.comment, e.flag_bits) for e in archive.infolist()}
    assert notes == {((1980, 1, 1, 0, 0, 0), 3, 0o644 << 16, b"", 0)}


def test_writing_again_changes_nothing_and_repairs_a_damaged_file(tmp_path: Path) -> None:
    rows = full_rows(pairs_of([A], [0, 1]))
    path = write_chunk(tmp_path, rows, ABOUT)
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    assert write_chunk(tmp_path, rows, {"seconds": 99.0}) == path
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    path.write_bytes(before[0][:-200])
    assert write_chunk(tmp_path, rows, ABOUT) == path
    assert_same(read_chunk(path), rows)


def flipped(path: Path, step: int = 1) -> Iterator[None]:
    """Flip one bit of the file after the other."""
    data = path.read_bytes()
    with path.open("r+b", buffering=0) as file:
        for position in range(0, 8 * len(data), step):
            at, bit = divmod(position, 8)
            file.seek(at)
            file.write(bytes([data[at] ^ 1 << bit]))
            yield
            file.seek(at)
            file.write(data[at : at + 1])


def message_of(read: Callable[[], None]) -> str:
    """Return the message of the StoreError, or nothing if all was well."""
    try:
        read()
    except StoreError as error:
        return str(error)
    return ""


def test_every_flipped_bit_is_noticed_or_harmless(tmp_path: Path) -> None:
    none = np.array([], dtype=int)
    rows = Rows((A,), np.array([3]), np.array([0, 4]), none, {"reward": np.array([[1.5]])}, ((B, LOST),))
    path = write_chunk(tmp_path, rows, {})
    messages = [message_of(lambda: assert_same(read_chunk(path), rows)) for _ in flipped(path)]
    noticed = list(filter(None, messages))
    assert all(path.name in message and "\n" not in message for message in noticed)
    assert len(noticed) > 0.7 * len(messages)  # the rest are dates, permissions and versions of a zip entry


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    path = write_chunk(tmp_path, some_rows([(A, 0)]), {})
    data = path.read_bytes()
    for size in range(len(data)):
        path.write_bytes(data[:size])
        with pytest.raises(StoreError, match=path.name):
            read_chunk(path)


def test_the_index_notices_flips_in_what_it_reads(tmp_path: Path) -> None:
    path = write_chunk(tmp_path, some_rows([(A, 3), (B, 4)]), {})

    def read() -> None:
        assert {cell: runs.tolist() for cell, runs in read_index(path).runs.items()} == {A: [3], B: [4]}

    messages = list(filter(None, (message_of(read) for _ in flipped(path, step=7))))
    assert messages
    assert all(path.name in message for message in messages)


def test_a_renamed_chunk_is_refused(tmp_path: Path) -> None:
    path = write_chunk(tmp_path, some_rows([(A, 0)]), {})
    other = path.rename(path.with_name("0" * 64 + ".npz"))
    with pytest.raises(StoreError, match=r"0000\.npz.*not the SHA-256"):
        read_chunk(other)


def packed(entries: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def entries_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (os.environ["RLSOFTMAX_TEST_BOMB"],))


def pickled_array() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array([Bomb()], dtype=object), allow_pickle=True)
    return buffer.getvalue()


def test_a_pickled_array_is_never_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RLSOFTMAX_TEST_BOMB", str(tmp_path / "exploded"))
    path = write_chunk(tmp_path, some_rows([(A, 0)]), {})
    entries = entries_of(path)
    header = json.loads(entries["header.json"])
    for dtype, shape in [("|O", [1]), ("<f8", [1, 2]), ("<f8", [(len(pickled_array()) - 128) // 8])]:
        header["arrays"]["reward"] = [dtype, shape]
        path.write_bytes(packed(entries | {"reward.npy": pickled_array(), "header.json": json.dumps(header).encode()}))
        with pytest.raises(StoreError, match=path.name):
            read_chunk(path)
    assert not (tmp_path / "exploded").exists()


def hostile(entries: dict[str, bytes]) -> dict[str, bytes]:
    """Files that a stranger could send."""
    header = json.loads(entries["header.json"])

    def with_header(**changes: Any) -> bytes:
        return packed(entries | {"header.json": json.dumps(header | changes).encode()})

    def with_array(name: str, about: Any) -> bytes:
        return with_header(arrays=header["arrays"] | {name: about})

    return {
        "empty": b"",
        "not a zip": b"reward\n1.0\n",
        "compressed": packed(entries, zipfile.ZIP_DEFLATED),
        "no header": packed({k: v for k, v in entries.items() if k != "header.json"}),
        "header is no JSON": packed(entries | {"header.json": b"{"}),
        "header is no text": packed(entries | {"header.json": b"\xff\xfe"}),
        "header is a list": packed(entries | {"header.json": b"[1]"}),
        "header nests deeply": packed(entries | {"header.json": b"[" * 200_000}),
        "another kind": with_header(kind="weights"),
        "format is a word": with_header(format="one"),
        "arrays is a list": with_header(arrays=[1]),
        "array without shape": with_array("reward", ["<f8"]),
        "huge": with_array("reward", ["<f8", [2**40, 2**20]]),
        "negative": with_array("reward", ["<f8", [-1, -2]]),
        "truth as a size": with_array("reward", ["<f8", [True, 2]]),
        "an entry more": packed(entries | {"more.npy": b""}),
        "an entry less": packed({k: v for k, v in entries.items() if k != "run.npy"}),
        "cells that are none": with_header(cells=["../../etc"]),
        "cells too few": with_header(cells=[]),
        "failures are words": with_header(failures=[["x"]]),
        "other ids": with_header(cells=[B]),
        "another shape": with_array("reward", ["<f8", [2, 1]]),
    }


def test_files_from_strangers_are_refused_by_name(tmp_path: Path) -> None:
    path = write_chunk(tmp_path, some_rows([(A, 0)]), {})
    for case, data in hostile(entries_of(path)).items():
        path.write_bytes(data)
        with pytest.raises(StoreError) as caught:
            read_chunk(path)
        assert path.name in str(caught.value), case
        assert "\n" not in str(caught.value), case


def test_a_chunk_with_an_entry_twice_is_refused(tmp_path: Path) -> None:
    path = write_chunk(tmp_path, some_rows([(A, 0)]), {})
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("run.npy", b"")
    with pytest.raises(StoreError, match="overlap"):
        read_chunk(path)


def test_a_chunk_that_vanished_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot read .*0\.npz: No such file"):
        read_chunk(tmp_path / "0.npz")


def test_a_newer_format_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = write_chunk(tmp_path, some_rows([(A, 0)]), {})
    entries = entries_of(path)
    header = json.loads(entries["header.json"]) | {"format": FORMAT + 1}
    path.write_bytes(packed(entries | {"header.json": json.dumps(header).encode()}))
    for read in (read_chunk, read_index):
        with pytest.raises(StoreError, match=r"newer rlsoftmax \(format 2 > 1\); update"):
            read(path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cells": ("no id", A)}, "64 hex digits"),
        ({"cells": (A,)}, "one per row"),
        ({"runs": np.array([0, -1])}, ">= 0"),
        ({"runs": np.array([1, 1])}, "must not repeat"),
        ({"runs": np.array([0.0, 1.0])}, "whole numbers"),
        ({"edges": np.array([0])}, "at least one bin"),
        ({"edges": np.array([1, 10, 20])}, "ascend from 0"),
        ({"edges": np.array([0, 10, 10])}, "ascend from 0"),
        ({"arrays": {}}, "reward"),
        ({"arrays": {"reward": np.ones((2, 3))}}, r"reward must have shape \(2, 2\)"),
        ({"arrays": {"reward": np.ones((2, 2), dtype=object)}}, "must hold numbers"),
        ({"arrays": {"reward": np.ones((2, 2)), "memory/value": np.float64(1.0)}}, "memory/value must have shape"),
        ({"arrays": {"reward": np.ones((2, 2)), "memory/../x": np.ones(2)}}, "plain names"),
        ({"arrays": {"reward": np.ones((2, 2)), "rewards": np.ones((2, 2))}}, "Did you mean 'reward'"),
        ({"arrays": {"reward": np.ones((2, 2)), "snapshot/entropy": np.ones((2, 1))}}, "snapshot/entropy"),
        ({"arrays": {"reward": np.ones((2, 2)), "score/greedy": np.ones((2, 1))}}, "score/greedy"),
    ],
)
def test_rows_that_do_not_fit_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        dataclasses.replace(some_rows([(A, 0), (A, 1)]), **changes)


def test_batches_of_one_kind_become_one_chunk_and_others_stay_apart() -> None:
    small, other = some_rows(pairs_of([A], range(3))), full_rows(pairs_of([B], range(2)))
    more = dataclasses.replace(some_rows(pairs_of([B, C], range(4))), failures=((A, LOST),))
    coarse = Rows((C,), np.array([9]), np.array([0, 20]), np.array([], dtype=int), {"reward": np.ones((1, 1))})
    found = together([small, other, more, coarse])
    assert [len(rows.cells) for rows in found] == [11, 2, 1]
    assert found[0].failures == ((A, LOST),)
    assert_same(in_order(found[0]), in_order(together([more, small])[0]))
    assert together([]) == []


def test_numbers_of_numpy_are_stored_as_numbers(tmp_path: Path) -> None:
    failure = Failure(np.int64(9), np.int32(17), np.int64(3), np.int8(1), np.str_("reward is nan"))  # type: ignore[arg-type]
    rows = dataclasses.replace(some_rows([(np.str_(A), 0)]), failures=((A, failure),))
    assert read_chunk(write_chunk(tmp_path, rows, {})).failures == ((A, LOST),)


def test_bins_may_be_one_step_wide(tmp_path: Path) -> None:
    rows = dataclasses.replace(some_rows([(A, 0)]), edges=np.array([0, 1, 2]))
    assert read_chunk(write_chunk(tmp_path, rows, {})).edges.tolist() == [0, 1, 2]


@pytest.mark.parametrize("shape", [(0,), (7,), (1000000, 3), (2, 2, 2, 2)])
def test_arrays_begin_with_the_header_that_numpy_reads(shape: tuple[int, ...]) -> None:
    prefix = _prefix("<f8", shape)
    file = io.BytesIO(prefix)
    assert np.lib.format.read_magic(file) == (1, 0)
    assert np.lib.format.read_array_header_1_0(file) == (shape, False, np.dtype("<f8"))
    assert file.tell() == len(prefix)
    assert len(prefix) % 64 == 0  # so that a view of the file is aligned


# --- writing through crashes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_a_writer_killed_before_the_rename_leaves_the_old_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    store = Folder(tmp_path)
    store.write_plan(plan({A: 1.0}))
    store.append(some_rows([(A, 0)]), {})
    script = f"""
        import os, signal
        import tests.test_store as t
        from rlsoftmax.store.folder import Folder
        os.{moment} = lambda *args: os.kill(os.getpid(), signal.SIGKILL)
        Folder({str(tmp_path)!r}).append(t.some_rows([(t.A, 1)]), {{}})
    """
    root = Path(__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], cwd=root, timeout=60, check=False)
    assert done.returncode == -9
    left = sorted(path.suffix for path in (tmp_path / "chunks").iterdir())
    assert left == [".npz", ".tmp"]
    fresh = Folder(tmp_path)
    assert fresh.present()[A].tolist() == [0]
    assert verify(tmp_path) == []
    fresh.append(some_rows([(A, 1)]), {})
    assert fresh.present()[A].tolist() == [0, 1]


CRASHES = """
import os, shutil, sys
import rlsoftmax.store.durable as durable
import tests.test_store as t
from rlsoftmax.store.folder import Folder
from rlsoftmax.store.verify import verify

left = 0

def counted(name):
    real = getattr(os, name)
    def call(*args, **rest):
        global left
        left -= 1
        if left == 0:
            os._exit(9)  # as a kill: nothing is tidied up
        return real(*args, **rest)
    return call

def half(path, data):
    with open(path, "xb") as file:
        file.write(data[: len(data) // 2])
    os._exit(9)

def work(folder, done):
    store = Folder(folder)
    steps = [lambda: store.write_plan(t.plan({t.A: 1.0}))]
    steps += [lambda r=r: store.append(t.some_rows([(t.A, r)]), {}) for r in range(2)]
    for step in steps:
        step()
        os.write(done, b".")  # acknowledged

def crash(folder, at):
    global left
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        if at > 0:
            left = at
            for name in ("open", "fsync", "replace", "mkdir"):
                setattr(os, name, counted(name))
        else:
            real, calls = durable._write_and_sync, []
            def write_half_of_one(path, data):
                calls.append(path)
                (half if len(calls) == -at else real)(path, data)
            durable._write_and_sync = write_half_of_one
        work(folder, write)
        os._exit(0)
    os.close(write)
    _, status = os.waitpid(child, 0)
    acknowledged = len(os.read(read, 100))
    os.close(read)
    return os.waitstatus_to_exitcode(status), acknowledged

for sign in (1, -1):
    at, code = 0, 9
    while code:
        at += sign
        folder = os.path.join(sys.argv[1], f"crash{at}")
        code, acknowledged = crash(folder, at)
        there = Folder(folder)
        state = len(there.plans()) + len(there.present().get(t.A, ()))
        assert acknowledged <= state <= acknowledged + 1, (at, acknowledged, state)
        assert verify(folder) == [], (at, verify(folder))
        read, write = os.pipe()
        work(folder, write)
        assert sorted(p.name for p in there.chunk_files()) == sorted(p.name for p in Folder(folder).chunk_files())
        assert Folder(folder).present()[t.A].tolist() == [0, 1] and len(there.plans()) == 1, at
    print(abs(at) - 1)
"""


def test_a_kill_at_every_file_operation_loses_nothing_acknowledged_and_work_goes_on(tmp_path: Path) -> None:
    """Exhaustive, as SQLite does it: the k-th operation never happens, or the k-th file is written by half."""
    command, root = [sys.executable, "-c", CRASHES, str(tmp_path)], Path(__file__).parent.parent
    done = subprocess.run(command, cwd=root, timeout=120, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    operations, files = map(int, done.stdout.split())
    assert operations >= 15
    assert files == 3


def test_a_refused_write_leaves_nothing_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    (tmp_path / "chunks").mkdir()
    with pytest.raises(StoreError, match=r"cannot write .*npz: No space left on device"):
        Folder(tmp_path).append(some_rows([(A, 0)]), {})
    assert list((tmp_path / "chunks").iterdir()) == []


def test_an_interrupted_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        Folder(tmp_path).append(some_rows([(A, 0)]), {})
    assert list((tmp_path / "chunks").iterdir()) == []


def test_file_then_name_are_made_durable_in_that_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "chunks").mkdir()
    calls: list[str] = []
    fsync, replace = os.fsync, os.replace

    def noted_fsync(descriptor: int) -> None:
        calls.append("folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "file")
        fsync(descriptor)

    def noted_replace(source: Any, target: Any) -> None:
        calls.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    Folder(tmp_path).append(some_rows([(A, 0)]), {})
    if os.path.exists("/proc/self/fd"):
        assert calls == ["file", "rename", "folder"]


@pytest.mark.parametrize(("number", "possible"), [(errno.EINVAL, True), (errno.EACCES, True), (errno.EIO, False)])
def test_a_folder_that_cannot_be_synced_is_passed_over_but_a_broken_disk_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, possible: bool
) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    if possible:
        assert durable.sync_folder(tmp_path) is False
    else:
        with pytest.raises(OSError, match=os.strerror(number)):
            durable.sync_folder(tmp_path)


def test_a_folder_that_cannot_be_opened_is_passed_over_as_on_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Any, flags: int) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    assert durable.sync_folder(tmp_path) is False


def test_writers_of_the_same_and_of_other_rows_do_not_disturb_each_other(tmp_path: Path) -> None:
    errors: list[BaseException] = []

    def write(first: int) -> None:
        try:
            for run in range(12):
                Folder(tmp_path).append(some_rows([(A, run), (B, first + run)]), {"writer": first})
        except BaseException as error:  # noqa: BLE001 - handed to the main thread
            errors.append(error)

    writers = [threading.Thread(target=write, args=(first,)) for first in (0, 0, 6, 50)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert errors == []
    store = Folder(tmp_path)
    store.write_plan(plan({A: 1.0, B: 2.0}))
    assert store.present()[B].tolist() == [*range(18), *range(50, 62)]
    assert verify(tmp_path) == []
    assert [p for p in (tmp_path / "chunks").iterdir() if p.suffix != ".npz"] == []


def test_two_processes_write_one_study(tmp_path: Path) -> None:
    script = """
        import sys
        import tests.test_store as t
        from rlsoftmax.store.folder import Folder
        store = Folder(sys.argv[1])
        store.write_plan(t.plan({t.A: 1.0, t.B: 2.0}, runs=40))
        for run in range(40):
            store.append(t.some_rows([(t.A, run), (t.B, run)]), {"writer": sys.argv[2]})
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path)]
    root = Path(__file__).parent.parent
    writers = [subprocess.Popen([*command, str(number)], cwd=root) for number in range(2)]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    assert verify(tmp_path) == []
    study = read_study(tmp_path)
    assert [cell.runs.tolist() for cell in study.cells] == [list(range(40))] * 2
    assert len(list((tmp_path / "chunks").glob("*.npz"))) == 40


# --- many chunks ---------------------------------------------------------------------------------------------------


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return Folder(tmp_path) if request.param == "folder" else Memory()


def test_an_extension_adds_runs_and_keeps_the_old_ones(store: Store) -> None:
    store.append(some_rows(pairs_of([A, B], range(3))), {})
    store.append(some_rows(pairs_of([A, B], range(3, 7))), {})
    store.append(some_rows(pairs_of([B], range(7, 9))), {})
    assert {cell: runs.tolist() for cell, runs in store.present().items()} == {A: list(range(7)), B: list(range(9))}
    whole = some_rows(pairs_of([A, B], range(9)))
    for runs, expected in [(None, (7, 9)), (5, (5, 5)), (8, (7, 8)), (0, (0, 0))]:
        cells = store.cells([A, B], runs)
        for name, count in zip((A, B), expected, strict=True):
            rows = [i for i, cell in enumerate(whole.cells) if cell == name][:count]
            assert cells[name].runs.tolist() == list(range(count))
            if count:
                np.testing.assert_array_equal(cells[name].arrays["reward"], whole.arrays["reward"][rows])


def test_a_cell_without_rows_is_empty(store: Store) -> None:
    cell = store.cells([C])[C]
    assert (cell.runs.tolist(), dict(cell.arrays)) == ([], {})
    assert store.present() == {}
    assert store.failures() == {}
    assert store.plans() == []


@given(
    batches=st.lists(st.sets(st.tuples(st.sampled_from([A, B, C]), st.integers(0, 6)), min_size=1), max_size=6),
    below=st.none() | st.integers(0, 8),
)
@settings(max_examples=60, deadline=None)
def test_any_overlapping_batches_give_each_run_once(batches: list[set[tuple[str, int]]], below: int | None) -> None:
    store = Memory()
    for batch in batches:
        store.append(full_rows(sorted(batch)) if len(batch) > 1 else some_rows(sorted(batch)), {})
    wanted = {pair for batch in batches for pair in batch if below is None or pair[1] < below}
    for name, cell in store.cells([A, B, C], below).items():
        runs = sorted(run for owner, run in wanted if owner == name)
        assert cell.runs.tolist() == runs
        if runs:
            expected = some_rows([(name, run) for run in runs])
            np.testing.assert_array_equal(cell.arrays["reward"], expected.arrays["reward"])


def test_arrays_made_later_are_filled_in_and_kept_only_when_every_run_has_them(store: Store) -> None:
    store.append(some_rows(pairs_of([A], range(4))), {})
    store.append(full_rows(pairs_of([A], range(2))), {})
    partly, first_two = store.cells([A])[A], store.cells([A], 2)[A]
    assert set(partly.arrays) == {"reward"}
    assert partly.snapshot_steps.tolist() == []
    assert set(first_two.arrays) == set(full_rows([(A, 0), (A, 1)]).arrays)
    assert first_two.snapshot_steps.tolist() == [0, 5, 19]
    store.append(full_rows(pairs_of([A], range(2, 4))), {})
    whole, expected = store.cells([A])[A], full_rows(pairs_of([A], range(4)))
    for name, array in expected.arrays.items():
        np.testing.assert_array_equal(whole.arrays[name], array)


def test_of_several_choices_of_snapshots_the_finest_that_all_runs_have_is_read(store: Store) -> None:
    coarse = full_rows(pairs_of([A], range(4)))
    fine = dataclasses.replace(
        coarse,
        snapshot_steps=np.array([0, 1, 2, 3]),
        arrays=coarse.arrays | {"snapshot/entropy": coarse.runs[:, None] * np.ones(4)},
    )
    half = Rows(fine.cells[:2], fine.runs[:2], EDGES, fine.snapshot_steps, {k: v[:2] for k, v in fine.arrays.items()})
    store.append(coarse, {})
    store.append(half, {})
    assert store.cells([A])[A].arrays["snapshot/entropy"].shape == (4, 3)
    assert store.cells([A], 2)[A].arrays["snapshot/entropy"].shape == (2, 4)
    store.append(fine, {})
    assert store.cells([A])[A].arrays["snapshot/entropy"].shape == (4, 4)


def changed(rows: Rows, name: str, by: float) -> Rows:
    array = rows.arrays[name].copy()
    array[-1] += np.asarray(by, dtype=array.dtype)
    return dataclasses.replace(rows, arrays=rows.arrays | {name: array})


@pytest.mark.parametrize(
    ("name", "by", "agrees"),
    [
        ("reward", 1e-10, False),
        ("memory/value", 1e-15, False),
        ("memory/visits", 1, False),
        ("snapshot/entropy", 1e-13, True),
        ("snapshot/entropy", 1e-9, False),
        ("score/greedy", 1e-13, True),
        ("score/greedy", 1e-9, False),
    ],
)
def test_overlapping_runs_must_agree(tmp_path: Path, name: str, by: float, agrees: bool) -> None:
    rows = full_rows(pairs_of([A, B], range(2)))
    store = Folder(tmp_path)
    store.write_plan(plan({A: 1.0, B: 2.0}))
    paths = [store.append(rows, {}), store.append(changed(rows, name, by), {})]
    assert paths[0] != paths[1]
    if agrees:
        assert verify(tmp_path) == []
        assert store.cells([B])[B].runs.tolist() == [0, 1]
        return
    (problem,) = verify(tmp_path)
    with pytest.raises(StoreError) as caught:
        store.cells([A, B])
    for text in (problem, str(caught.value)):
        assert all(path.name in text for path in paths)
        assert f"{name} of cell {B[:12]}, run 1; one was made by other code" in text
    assert store.cells([A])[A].runs.tolist() == [0, 1]  # the other cell is fine


def test_signed_zeros_and_nans_are_compared_by_their_bits() -> None:
    assert not agree("reward", np.array([[0.0]]), np.array([[-0.0]])).any()
    assert agree("reward", np.array([[np.nan]]), np.array([[np.nan]])).all()
    assert agree("snapshot/temperature", np.array([[np.inf, np.nan]]), np.array([[np.inf, np.nan]])).all()
    assert not agree("snapshot/temperature", np.array([[np.inf]]), np.array([[1.0]])).any()


def test_other_bins_or_shapes_for_a_run_are_a_contradiction(tmp_path: Path) -> None:
    store = Folder(tmp_path)
    rows = full_rows(pairs_of([A], range(2)))
    store.append(rows, {})
    store.append(dataclasses.replace(rows, edges=np.array([0, 5, 20])), {})
    with pytest.raises(StoreError, match="disagree about the bins"):
        store.cells([A])
    other = Memory()
    other.append(rows, {})
    other.append(dataclasses.replace(rows, arrays=rows.arrays | {"memory/value": np.ones((2, 5))}), {})
    with pytest.raises(StoreError, match="disagree about memory/value"):
        other.cells([A])


def test_failures_are_kept_until_the_run_succeeds(store: Store) -> None:
    first = dataclasses.replace(some_rows(pairs_of([A], range(2))), failures=((A, LOST), (B, LOST)))
    store.append(first, {})
    none = Rows((), np.array([], dtype=int), EDGES, np.array([], dtype=int), {}, ((C, LOST),))
    store.append(none, {})
    assert store.failures() == {A: (LOST,), B: (LOST,), C: (LOST,)}
    store.append(some_rows([(A, 9)]), {})
    assert store.failures() == {B: (LOST,), C: (LOST,)}
    assert store.present()[A].tolist() == [0, 1, 9]
    assert C not in store.present()


def test_a_header_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import rlsoftmax.store.folder as module

    store = Folder(tmp_path)
    store.append(some_rows([(A, 0)]), {})
    store.present()
    monkeypatch.setattr(module, "read_index", lambda path: pytest.fail(f"{path} is read again"))
    assert store.present()[A].tolist() == [0]


def test_a_damaged_chunk_is_named_and_can_be_set_aside(tmp_path: Path) -> None:
    store = Folder(tmp_path)
    store.write_plan(plan({A: 1.0}))
    store.append(some_rows([(A, 0)]), {})
    path = store.append(some_rows([(A, 1)]), {})
    data = bytearray(path.read_bytes())
    data[data.index(np.float64(9701.25).tobytes())] ^= 1
    path.write_bytes(data)
    (problem,) = verify(tmp_path)
    assert path.name in problem
    with pytest.raises(StoreError, match=path.name):
        Folder(tmp_path).cells([A])
    assert [moved.name for moved in store.set_aside_damaged()] == [f"{path.name}.damaged"]
    assert store.present()[A].tolist() == [0]
    assert verify(tmp_path) == []


# --- plans and studies ---------------------------------------------------------------------------------------------


def test_plans_come_back_oldest_first_and_once(store: Store) -> None:
    documents = [plan({A: tau}, runs=runs) for tau, runs in [(1.0, 3), (2.0, 3), (math.inf, 9), (1.0, 5)]]
    for document in [*documents, documents[0]]:
        store.write_plan(document)
    assert store.plans() == [json.loads(canonical(document)) for document in documents]


def test_a_plan_file_is_named_by_its_canonical_json(tmp_path: Path) -> None:
    path = Folder(tmp_path / "study").write_plan(plan({A: 1.0}))
    text = json.dumps(plan({A: 1.0}), sort_keys=True, separators=(",", ":"))
    assert path.name == f"plan-{hashlib.sha256(text.encode()).hexdigest()}.json"
    assert read_plan(path) == (0, plan({A: 1.0}))


def test_a_damaged_plan_is_noticed_and_repaired_by_writing_it_again(tmp_path: Path) -> None:
    store = Folder(tmp_path)
    path = store.write_plan(plan({A: 1.0}))
    good = path.read_bytes()
    for bad in [b"", good[:-1], good.replace(b"testbed", b"testbad"), b"[1]", b"[" * 100_000, b"\xff", b'{"order":0}']:
        path.write_bytes(bad)
        (problem,) = verify(tmp_path)
        assert path.name in problem
        assert "\n" not in problem
        with pytest.raises(StoreError, match=path.name):
            store.plans()
    assert store.write_plan(plan({A: 1.0})) == path
    assert path.read_bytes().replace(b'"order":1', b'"order":0') == good


def test_a_newer_plan_is_refused(tmp_path: Path) -> None:
    Folder(tmp_path).write_plan(plan({A: 1.0}) | {"format": 2})
    with pytest.raises(StoreError, match=r"newer rlsoftmax \(format 2 > 1\)"):
        read_study(tmp_path)


def test_a_plan_of_another_shape_is_refused_in_one_line(tmp_path: Path) -> None:
    good = plan({A: 1.0})
    for number, bad in enumerate([{"cells": None}, {"cells": [{}]}, {"runs": "many"}, {"axes": 3}]):
        Folder(tmp_path / str(number)).write_plan(good | bad)
        with pytest.raises(StoreError, match="not as format 1 says"):
            read_study(tmp_path / str(number))
    assert "not as format 1 says" in verify(tmp_path / "0")[0]


def test_rows_without_a_plan_are_a_problem(tmp_path: Path) -> None:
    store = Folder(tmp_path)
    store.write_plan(plan({A: 1.0}))
    path = store.append(some_rows(pairs_of([A, B], range(2))), {})
    (problem,) = verify(tmp_path)
    assert path.name in problem
    assert f"no plan knows cell {B[:12]}" in problem


def test_other_bins_than_planned_are_a_problem(tmp_path: Path) -> None:
    store = Folder(tmp_path)
    store.write_plan(plan({A: 1.0}))
    path = store.append(dataclasses.replace(some_rows([(A, 0)]), edges=np.array([0, 5, 20])), {})
    (problem,) = verify(tmp_path)
    assert path.name in problem
    with pytest.raises(StoreError, match="plan and chunks disagree"):
        read_study(tmp_path)


def test_a_study_is_the_union_of_its_plans(tmp_path: Path) -> None:
    store = Folder(tmp_path)
    store.write_plan(plan({B: 2.0, A: 1.0}, runs=3))
    store.write_plan(plan({C: math.inf, A: 1.0}, runs=5, axes=["agent", "tau"]))
    lost = dataclasses.replace(LOST, run=4)
    store.append(dataclasses.replace(full_rows(pairs_of([A, B], range(3))), failures=((C, lost),)), {})
    study = read_study(tmp_path)
    assert [cell.id for cell in study.cells] == [B, A, C]
    assert study.axes == ("tau", "agent")
    assert (study.name, study.runs, study.folder) == ("here", 5, str(tmp_path))
    assert study.cells[2].overrides == {"tau": math.inf}
    assert study.cells[2].config["tau"]["value"] == math.inf
    assert study.cells[2].failures == (lost,)
    assert study.missing == 2 + 2 + 4
    reward = study.cells[1].metric("reward")
    np.testing.assert_array_equal(reward, some_rows(pairs_of([A], range(3))).arrays["reward"] / 10.0)


def test_infinity_is_found_wherever_it_is_written() -> None:
    plain = {"tau": "inf", "deep": [{"low": "-inf"}, 1.0, "infinite", True], "none": None}
    assert with_infinity(plain) == {"tau": math.inf, "deep": [{"low": -math.inf}, 1.0, "infinite", True], "none": None}


def test_a_study_in_memory_reads_like_one_on_disk(tmp_path: Path) -> None:
    stores: list[Store] = [Memory(), Folder(tmp_path)]
    studies = []
    for store in stores:
        store.write_plan(plan({A: 1.0, B: math.inf}))
        store.append(full_rows(pairs_of([A, B], range(3))), {})
        studies.append(study_of(store))
    memory, disk = studies
    assert memory is not None
    assert disk is not None
    for one, other in zip(memory.cells, disk.cells, strict=True):
        assert (one.config, one.overrides, one.score) == (other.config, other.overrides, other.score)
        assert digest(one.runs, one.arrays) == digest(other.runs, other.arrays)


def test_a_moved_study_reads_the_same(tmp_path: Path) -> None:
    store = Folder(tmp_path / "here")
    for tau in (3.0, 1.0, 2.0):
        store.write_plan(plan({f"{int(tau)}" * 64: tau}))
    shutil.copytree(tmp_path / "here", tmp_path / "there", copy_function=shutil.copyfile)  # other dates, other order
    assert [cell.overrides["tau"] for cell in read_study(tmp_path / "there").cells] == [3.0, 1.0, 2.0]


def test_no_study_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no study in"):
        read_study(tmp_path / "nothing")
    assert study_of(Memory()) is None
    assert not (tmp_path / "nothing").exists()


# --- digest and names ----------------------------------------------------------------------------------------------


def test_the_digest_is_the_hash_of_what_the_loop_computed() -> None:
    rows = full_rows(pairs_of([A], [4, 2]))
    expected = hashlib.sha256(np.array([2, 4], dtype="<i8").tobytes())
    for name, dtype in [("memory/value", "<f8"), ("memory/visits", "<i8"), ("reward", "<f8")]:
        expected.update(name.encode() + b"\0" + rows.arrays[name][::-1].astype(dtype).tobytes())
    assert digest(rows.runs, rows.arrays) == expected.hexdigest()


def test_the_digest_leaves_out_snapshots_and_greedy_scores_and_nothing_else() -> None:
    rows = full_rows(pairs_of([A], [0, 1]))
    base = digest(rows.runs, rows.arrays)
    for name in rows.arrays:
        outside = name.startswith("snapshot/") or name == "score/greedy"
        assert (digest(rows.runs, changed(rows, name, 1).arrays) == base) == outside
    assert digest(rows.runs + 1, rows.arrays) != base


@given(order=st.permutations(range(5)))
def test_the_digest_does_not_depend_on_the_order_of_runs(order: list[int]) -> None:
    rows = full_rows(pairs_of([A], range(5)))
    shuffled = {name: array[order] for name, array in reversed(rows.arrays.items())}
    assert digest(rows.runs[order], shuffled) == digest(rows.runs, rows.arrays)


def test_the_digest_does_not_depend_on_byte_order_or_memory_layout() -> None:
    value = np.arange(12.0).reshape(2, 2, 3)
    base = digest([0, 1], {"memory/value": value})
    assert digest([0, 1], {"memory/value": np.asfortranarray(value)}) == base
    assert digest([0, 1], {"memory/value": value.astype(">f8")}) == base
    assert digest([0, 1], {"memory/value": np.ascontiguousarray(value[:, ::-1])[:, ::-1]}) == base


@pytest.mark.parametrize("name", ["a", "testbed-ucb_1+2", "9.npz", "x" * 81])
def test_good_names_pass(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", ".hidden", "-x", "../x", "a/b", "a b", "a\n", "ä", "x" * 82, "a\0", "$$", None])
def test_bad_names_are_refused_in_one_line(name: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        check_name(name)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200
