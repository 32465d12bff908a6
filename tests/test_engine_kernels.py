"""Kernels on disk: found again, never mixed up, compiled again when anything that decides them has changed."""

import enum
import hashlib
import json
import logging
import os
import shutil
import subprocess
import sys
import types
from pathlib import Path

import cases
import numpy as np
import pytest
from cases import block_of, lanes_of

from rlsoftmax.engine import kernels, link
from rlsoftmax.engine.fuse import linked
from rlsoftmax.engine.link import compiled, fingerprint
from rlsoftmax.errors import RuleError

# --- fingerprints ---------------------------------------------------------------------------------------------------


def made(text, name="f", **names):
    """Return the function `name` that this text defines; `names` are its globals."""
    space = {"__name__": "somewhere", "np": np, **names}
    exec(text, space)
    return space[name]


class Word(enum.IntEnum):
    ONE = 1


class OtherWord(enum.IntEnum):
    ONE = 2


OtherWord.__name__ = OtherWord.__qualname__ = "Word"
HERE, THERE = types.ModuleType("numbers_of_mine"), types.ModuleType("numbers_of_mine")
HERE.rate, THERE.rate = 1.0, 2.0
CLOSURE = "def outer(c):\n    def f(x):\n        return x + c\n    return f\nf = outer({})"
HELPED = "def inner(x):\n    return x + {}\ndef helper(x):\n    return inner(x)\ndef f(x):\n    return helper(x)"

CHANGES = {
    "a constant in the code": (made("def f(x): return x + 1.0"), made("def f(x): return x + 2.0")),
    "the type of a constant": (made("def f(x): return x + 1"), made("def f(x): return x + 1.0")),
    "the sign of zero": (made("def f(x): return x * 0.0"), made("def f(x): return x * -0.0")),
    "an operator": (made("def f(x, y): return x + y"), made("def f(x, y): return x - y")),
    "a default": (made("def f(x, y=1.0): return x + y"), made("def f(x, y=2.0): return x + y")),
    "a default after a star": (made("def f(x, *, y=1.0): return x + y"), made("def f(x, *, y=2.0): return x + y")),
    "a closure cell": (made(CLOSURE.format(1.0)), made(CLOSURE.format(2.0))),
    "a function in a closure cell": (made(CLOSURE.format("len")), made(CLOSURE.format("max"))),
    "a helper of a helper": (made(HELPED.format(1.0)), made(HELPED.format(2.0))),
    "a number outside": (made("def f(x): return x + c", c=1.0), made("def f(x): return x + c", c=2.0)),
    "the bytes of an array": (
        made("def f(x): return x + c[500]", c=np.zeros(1000)),
        made("def f(x): return x + c[500]", c=np.eye(1, 1000, 500)[0]),
    ),
    "the shape of an array": (
        made("def f(x): return c[0, 0]", c=np.zeros((2, 3))),
        made("def f(x): return c[0, 0]", c=np.zeros((3, 2))),
    ),
    "the type of an array": (
        made("def f(x): return c[0]", c=np.zeros(2)),
        made("def f(x): return c[0]", c=np.zeros(2, np.int64)),
    ),
    "a number in a tuple": (made("def f(x): return c[1]", c=(1, 2.0)), made("def f(x): return c[1]", c=(1, 3.0))),
    "a member of an enumeration": (
        made("def f(x): return W.ONE", W=Word),
        made("def f(x): return W.ONE", W=OtherWord),
    ),
    "a number in a module": (made("def f(x): return m.rate", m=HERE), made("def f(x): return m.rate", m=THERE)),
    "which function of NumPy": (made("def f(x): return np.floor(x)"), made("def f(x): return np.ceil(x)")),
    "a function inside": (
        made("def f(x):\n    def g(y): return y + 1.0\n    return g(x)"),
        made("def f(x):\n    def g(y): return y + 2.0\n    return g(x)"),
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_gives_another_fingerprint(what):
    before, after = CHANGES[what]
    assert fingerprint(before) != fingerprint(after)


def test_the_same_text_gives_the_same_fingerprint():
    for text in ("def f(x, y=1.0): return x + y", CLOSURE.format(1.0), HELPED.format(1.0)):
        assert fingerprint(made(text)) == fingerprint(made(f"# moved down\n\n{text}"))


def test_how_it_is_compiled_is_part_of_the_fingerprint():
    function = made("def f(x): return x")
    assert len({fingerprint(function, options) for options in ("", "[] False", "[] True", "['g'] False")}) == 4


def test_every_rule_of_every_kind_of_the_cover_has_a_kernel_of_its_own():
    kinds = {case.setups[0].kind for case in cases.cover()}
    assert len({fingerprint(linked(kind, {})) for kind in kinds}) == len(kinds)


def test_the_cells_of_a_study_share_one_kernel():
    for case in cases.cover():
        first, second = (fingerprint(linked(setup.kind, {})) for setup in case.setups)
        assert first == second


@pytest.mark.parametrize(
    ("value", "word"),
    [({"a": 1}, "dict"), ([1, 2], "list"), (object(), "object"), (np.array([None]), "ndarray"), ({1}, "set")],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_hashed_is_refused_by_name(value, word):
    with pytest.raises(RuleError, match=rf"in f uses a {word}, which cannot be compiled"):
        fingerprint(made("def f(x): return c", c=value))


def test_a_function_behind_a_module_is_refused():
    mine = types.ModuleType("mine")
    mine.helper = made("def helper(x): return x", "helper")
    with pytest.raises(RuleError, match=r"reaches mine.helper through its module; write `from mine import helper`"):
        fingerprint(made("def f(x): return m.helper(x)", m=mine))


def test_every_compile_option_of_the_engine_is_in_the_fingerprint(monkeypatch):
    """The options are written in link.py, so the bytes of that file are part of every fingerprint."""
    function = made("def f(x): return x")
    before = fingerprint(function)
    assert hashlib.sha256(Path(link.__file__).read_bytes()).hexdigest() == link.HERE
    monkeypatch.setattr(link, "HERE", "another file")
    assert fingerprint(function) != before


# --- files ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder for kernels, and a process that has compiled nothing yet."""
    monkeypatch.setenv(kernels.FOLDER, str(tmp_path))
    monkeypatch.setattr(link, "_ready", {})
    monkeypatch.setattr(kernels.KernelCache, "noted", False)
    return tmp_path


def again(monkeypatch, number):
    """Compile x + number as a new process would; return the dispatcher, called once."""
    monkeypatch.setattr(link, "_ready", {})
    function = compiled(made(f"def f(x): return x + {number}"))
    assert function(1.0) == 1.0 + number
    return function


def hits(function):
    """Return how often a dispatcher found its kernel on disk."""
    return sum(function.stats.cache_hits.values())


@pytest.mark.compiled
def test_a_kernel_is_kept_and_found_again(folder, monkeypatch):
    assert hits(again(monkeypatch, 1.0)) == 0
    assert hits(again(monkeypatch, 1.0)) == 1
    assert hits(again(monkeypatch, 2.0)) == 0
    assert len(list(folder.iterdir())) == 2


def cut(content, other):
    return content[: len(content) // 2]


def emptied(content, other):
    return b""


def flipped(content, other):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def swapped(content, other):
    return other


def renamed_inside(content, other):
    return other[: kernels.CHECK] + content[kernels.CHECK : 2 * kernels.CHECK] + other[2 * kernels.CHECK :]


@pytest.mark.compiled
@pytest.mark.parametrize("damage", [cut, emptied, flipped, swapped, renamed_inside])
def test_a_damaged_kernel_is_compiled_again(folder, monkeypatch, caplog, damage):
    again(monkeypatch, 1.0)
    (file,) = folder.glob("*.kernel")
    again(monkeypatch, 2.0)
    (other,) = set(folder.glob("*.kernel")) - {file}
    file.write_bytes(damage(file.read_bytes(), other.read_bytes()))
    with caplog.at_level(logging.WARNING, "rlsoftmax"):
        assert hits(again(monkeypatch, 1.0)) == 0
    assert [record.message for record in caplog.records] == ["a kept kernel was damaged and is compiled again"]
    assert hits(again(monkeypatch, 1.0)) == 1  # and the file is whole again


@pytest.mark.compiled
def test_a_folder_that_cannot_be_written_is_no_error_and_is_noted_once(folder, monkeypatch, caplog):
    (folder / "file").write_text("not a folder")
    monkeypatch.setenv(kernels.FOLDER, str(folder / "file" / "below"))
    with caplog.at_level(logging.WARNING, "rlsoftmax"):
        again(monkeypatch, 1.0)
        again(monkeypatch, 2.0)
    assert len(caplog.records) == 1
    assert "compiled loops are not kept" in caplog.text
    assert kernels.FOLDER in caplog.text


@pytest.mark.compiled
def test_no_half_written_file_is_left(folder, monkeypatch):
    def fail(source, target):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    again(monkeypatch, 1.0)
    assert list(folder.iterdir()) == []


def test_the_folder_of_a_user_is_below_the_cache(monkeypatch, tmp_path):
    monkeypatch.delenv(kernels.FOLDER, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert kernels.folder().parent == tmp_path / "rlsoftmax"


# --- processes ------------------------------------------------------------------------------------------------------


def player(names, folder, **environment):
    """Start a process that plays these cases; it prints their bits and whether the kernels were found on disk."""
    command = [sys.executable, __file__, *names]
    environment = os.environ | {kernels.FOLDER: str(folder)} | environment
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def said(process):
    """Return what the process printed."""
    out, error = process.communicate()
    assert process.returncode == 0, error[-2000:]
    return json.loads(out)


Q, EXPECTED = "q_learning-epsilon_greedy-chain", "expected_sarsa-boltzmann-count_based-chain"
OTHER = "expected_sarsa-greedy-chain"
WAIT = "KERNELS_WAIT"  # a folder in which the processes of the test wait for each other


def expected(*names):
    """Return what a right process says of these cases, apart from the hits."""
    return {str(case): cases.hash_of(cases.expected_bits(case)) for case in cases.cover() if str(case) in names}


@pytest.fixture(scope="module")
def compiled_at_once(tmp_path_factory):
    """What two processes said that compiled two kinds at once and saved them at the same moment; and their folder."""
    folder, waiting = tmp_path_factory.mktemp("kernels"), tmp_path_factory.mktemp("wait")
    pair = [player(names, folder, **{WAIT: str(waiting)}) for names in ([Q, EXPECTED], [EXPECTED, Q])]
    return [said(process) for process in pair], folder


@pytest.mark.compiled
def test_two_processes_that_compile_at_once_do_not_mix_their_kernels(compiled_at_once):
    """Each compiles one kind and then loads the kernel of the other; numba's own index gave them the wrong one."""
    said_by_both, folder = compiled_at_once
    assert said_by_both == [{"bits": expected(Q, EXPECTED), "hits": 1, "compiler": True}] * 2
    assert len(list(folder.iterdir())) == 2


@pytest.mark.compiled
def test_a_later_process_finds_the_kernels_and_does_not_load_the_compiler(compiled_at_once):
    found = said(player([Q, EXPECTED], compiled_at_once[1]))
    assert found == {"bits": expected(Q, EXPECTED), "hits": 2, "compiler": False}


@pytest.mark.compiled
def test_a_process_that_has_loaded_a_kernel_can_compile_another(compiled_at_once, tmp_path):
    folder = shutil.copytree(compiled_at_once[1], tmp_path / "kernels")
    found = said(player([Q, OTHER], folder))
    assert found == {"bits": expected(Q, OTHER), "hits": 1, "compiler": True}


def wait_for_the_other(folder, number):
    """Return when two processes have come to their save of this number."""
    (folder / f"{number}-{os.getpid()}").touch()
    while len(list(folder.glob(f"{number}-*"))) < 2:
        pass


def play(names, folder):
    """Play cases in this process, as `player` asks it to."""
    original, saves = os.replace, iter(range(100))

    def replace(source, target):
        if folder:
            wait_for_the_other(Path(folder), next(saves))
        original(source, target)

    os.replace = replace
    found, count = {}, 0
    for name in names:
        case = next(case for case in cases.cover() if str(case) == name)
        kernel = cases.fuse(case.setups[0].kind)
        found[name] = cases.hash_of(cases.bits(block_of(case.setups, lanes_of()).play(kernel)))
        count += hits(kernel)
    compiler = "numba.np.arraymath" in sys.modules  # all that numba knows of NumPy, and with it SciPy
    sys.stdout.write(json.dumps({"bits": found, "hits": count, "compiler": compiler}))


if __name__ == "__main__":
    play(sys.argv[1:], os.environ.get(WAIT))
