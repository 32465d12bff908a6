"""What only a process shows: start-up, signals, pipes, exit codes, what is imported. Each start costs 0.4 s."""

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rlsoftmax.store.folder import Folder

PROGRAM = [sys.executable, "-m", "rlsoftmax.cli"]
HEAVY = ("numba", "matplotlib", "scipy", "rich", "jinja2", "gymnasium")
LONG = ("sweep", "tau=0.1,0.2,0.4", "runs=100000", "steps=500", "study=s", "engine.lanes=8")


@pytest.fixture(autouse=True)
def empty(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def start(*words):
    return subprocess.run([*PROGRAM, *words], capture_output=True, text=True, timeout=120, check=False)


@contextlib.contextmanager
def started(*words):
    """Yield a process, which does not outlive the test."""
    with subprocess.Popen([*PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def imported(*words):
    """Return what a command imports besides the standard library."""
    code = "import sys; from rlsoftmax import cli; cli.main(sys.argv[1:]); print('>', *sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=120, check=True)
    return set(done.stderr.rpartition("> ")[2].split())


@pytest.mark.parametrize(
    ("words", "also"),
    [
        (["--help"], ("numpy", "hydra", "yaml")),
        (["runn"], ("numpy", "hydra", "yaml")),
        (["ls"], ("numpy", "hydra", "yaml")),
        (["show", "nope"], ("hydra", "yaml")),
        (["run", "--cfg", "job", "tau=0.1"], ()),
        (["run", "tau=exponetial"], ()),
        (["run", "agent.alpa=0.1"], ()),
    ],
)
def test_a_question_imports_nothing_that_takes_time(words, also):
    assert not imported(*words) & {*HEAVY, *also}


def test_the_program_and_the_module_are_the_same():
    program = Path(sys.executable).parent / "rlsoftmax"
    if not program.exists():
        pytest.skip("not installed with its script")
    said = subprocess.run([program, "ls", "tau"], capture_output=True, text=True, check=True).stdout
    assert said == start("ls", "tau").stdout


def test_exit_codes_of_a_process():
    assert start("run", "tau=exponetial").returncode == 2
    assert start("ls").returncode == 0


def test_the_same_command_in_another_process_continues():
    first = start("run", "runs=2", "steps=20", "study=s")
    assert (first.returncode, first.stderr) == (0, "")
    assert start("run", "runs=2", "steps=20", "study=s").stdout == first.stdout
    assert len(list(Path("results/s/chunks").iterdir())) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_between_windows_and_says_how_to_continue(number):
    with started(*LONG) as process:
        wait_until(lambda: any(Path("results").glob("s/chunks/*.npz")), process)
        process.send_signal(number)
        _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130
    assert complaint == (
        "rlsoftmax: stopped; what was finished is kept. The same command continues:\n  rlsoftmax "
        + " ".join(LONG)
        + "\n"
    )
    present = Folder("results/s").present()
    assert sum(len(runs) for runs in present.values()) > 0
    assert (Path("results/s") / "study.yaml").is_file()
    assert not list(Path("results").rglob("*.tmp"))


def test_a_signal_before_anything_runs_is_one_line():
    with started(*LONG) as process:
        time.sleep(0.15)  # somewhere within the imports; wherever it is, there must be no traceback
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate(timeout=60)
    assert process.returncode in (130, -signal.SIGINT)
    if process.returncode == 130:
        assert complaint.startswith("rlsoftmax: stopped;")
        assert "Traceback" not in complaint


def test_a_closed_pipe_is_no_error():
    command = " ".join([*PROGRAM, "ls", "|", "head", "-1"])
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""


@pytest.mark.parametrize(("encoding", "head"), [("ascii", "- Boltzmann -"), ("latin-1", "\xb7 Boltzmann \xb7")])
def test_a_terminal_that_does_not_know_greek_gets_plainer_letters(encoding, head):
    command, environment = [*PROGRAM, "run", "runs=20", "steps=20"], os.environ | {"PYTHONIOENCODING": encoding}
    done = subprocess.run(command, capture_output=True, encoding=encoding, timeout=120, check=True, env=environment)
    assert head in done.stdout
    assert "####" in done.stdout


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is full")
@pytest.mark.parametrize("words", [["--version"], ["ls", "tau"], ["run", "env=testbed", "runs=2", "steps=5"]])
def test_output_that_cannot_be_written_is_one_line(words):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*PROGRAM, *words], stdout=full, stderr=subprocess.PIPE, text=True, timeout=120, check=False
        )
    assert done.returncode == 1
    assert done.stderr == "rlsoftmax: the answer cannot be written: No space left on device.\n"


def test_closed_streams_are_no_error():
    command = shlex.join([*PROGRAM, "ls", "tau"])
    assert subprocess.run(["sh", "-c", f"{command} >&- 2>&-"], timeout=120, check=False).returncode == 0


def test_a_log_without_a_terminal_has_no_progress_line():
    done = start("run", "runs=2", "steps=20")
    assert done.stderr == ""
    assert "\x1b" not in done.stdout


def test_a_terminal_shows_progress_on_stderr_alone():
    pty = pytest.importorskip("pty")
    master, slave = pty.openpty()
    done = subprocess.run(
        [*PROGRAM, "run", "runs=2", "steps=20"], stdout=subprocess.PIPE, stderr=slave, timeout=120, check=True
    )
    os.close(slave)
    shown = read_all(master)
    assert "2 runs" in shown or "compiling" in shown
    assert b"compiling" not in done.stdout


def test_a_defect_is_a_traceback_and_exit_1():
    code = (
        "import sys; from rlsoftmax import cli; from rlsoftmax.launch import play\n"
        "def broken(*rest): raise KeyError('a defect')\n"
        "play.play = broken\n"
        "sys.exit(cli.main(['run', 'runs=1', 'steps=5']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "KeyError: 'a defect'" in done.stderr


def wait_until(condition, process):
    """Wait, at most a minute, for something that a process does."""
    for _ in range(1200):
        if condition():
            return
        assert process.poll() is None, "it ended by itself"
        time.sleep(0.05)
    raise AssertionError("it did not happen")


def read_all(descriptor):
    """Return what is left in a terminal that nobody writes to any more."""
    os.set_blocking(descriptor, False)
    parts = []
    while True:
        try:
            part = os.read(descriptor, 65536)
        except OSError:
            part = b""
        if not part:
            return b"".join(parts).decode(errors="replace")
        parts.append(part)
