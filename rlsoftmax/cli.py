"""rlsoftmax: how an agent's temperature shapes what it learns.

  rlsoftmax run    env=testbed agent=sample_average tau=0.25 runs=1000    one cell
  rlsoftmax sweep  env=frozen_lake agent=q_learning tau=0.05,0.1,0.2      all combinations, in one pass
  rlsoftmax study  NAME [overrides]          experiments/NAME/study.yaml, shipped or your own, or a folder
  rlsoftmax demo                             which temperature is best, on a bandit and on FrozenLake

  rlsoftmax show   STUDY                     the table of a stored study; STUDY is a name below results/ or a folder
  rlsoftmax plot   STUDY [--kind temperature] [--format png,svg,pdf] [--style paper] [--width icml] [--axis beta]
                         [--score greedy] [--out FOLDER]
  rlsoftmax report STUDY                     one page with everything
  rlsoftmax trace  STUDY [tau=0.25] [run=0] [first=0] [last=20]           the steps of one run, as CSV
  rlsoftmax digest STUDY | verify STUDY      what was learned, as SHA-256; whether the files are whole
  rlsoftmax ls     [env|agent|policy|tau|study|results]                   what can be chosen
  rlsoftmax completion [bash|zsh|fish]       how to switch Tab on

tau=0.25 is a temperature, and beta=4 the same one.
Lists: tau=0.1,0.2  'tau=octaves(1/64,8)'  'tau=geomspace(0.05,5,9)'  'agent.alpha=linspace(0.1,0.5,5)'.
The same command continues: only missing cells and runs are played. --with FILE adds your own components.
Hydra's options work: --cfg job, --info, --config-dir, -m, --hydra-help.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from rlsoftmax.errors import ConfigError, Interrupted, RlsoftmaxError, did_you_mean
from rlsoftmax.launch.command import COMMANDS, Line, line_of, one_study, options_of

if TYPE_CHECKING:
    from rlsoftmax.api import Study
    from rlsoftmax.experiment.plan import Plan
    from rlsoftmax.store.data import StudyData

DONE, FAILED, REFUSED, STOPPED = 0, 1, 2, 130
PLOT = {
    "--kind": "temperature",
    "--format": "png,svg",
    "--style": "",
    "--width": "",
    "--axis": "",
    "--score": "",
    "--out": "",
}
DEMOS = ("demo-testbed", "demo-frozen_lake")


class Signals:
    """SIGINT and SIGTERM: while runs are played they set `stop`, which ends them between windows; else, and the second
    time, they interrupt at once.
    """

    def __init__(self) -> None:
        self.stop, self.playing = threading.Event(), False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        if self.stop.is_set() or not self.playing:
            raise KeyboardInterrupt
        self.stop.set()

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Listen; before heavy imports, so that an early Ctrl-C is answered in one line too."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code: 0 done, 1 runs failed or files are damaged, 2 the request cannot be run, 130 stopped.

    A defect of ours is a traceback.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    signals = Signals()
    with signals.installed():
        try:
            return _dispatch(words, signals)
        except (KeyboardInterrupt, Interrupted):
            _complain("stopped; what was finished is kept. The same command continues:\n  " + _typed(words))
            return STOPPED
        except BrokenPipeError:  # rlsoftmax ... | head
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return DONE
        except Exception as error:  # noqa: BLE001 - the place that tells the user's mistakes from ours
            return _explained(error, words)


def _typed(words: Sequence[str]) -> str:
    import shlex

    return shlex.join(["rlsoftmax", *words])


def _explained(error: Exception, words: Sequence[str]) -> int:
    if "query=" in "".join(words):  # Tab on a line that cannot be read yet
        return DONE
    if os.environ.get("RLSOFTMAX_DEBUG") == "1":
        raise error
    if isinstance(error, RlsoftmaxError):
        _complain(str(error))
        return REFUSED if isinstance(error, ValueError) else FAILED
    sentence = None
    if "hydra" in sys.modules:  # else it cannot be about what Hydra read
        from rlsoftmax.launch.explain import explain

        sentence = explain(error)
    if sentence is None:
        raise error
    _complain(sentence)
    return REFUSED


def _complain(sentence: str) -> None:
    """Say what is wrong; what the user typed cannot steer the terminal."""
    plain = "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in sentence)
    print(f"rlsoftmax: {plain}", file=sys.stderr)


def _dispatch(words: list[str], signals: Signals) -> int:
    command, *rest = words or ["--help"]
    if command in ("-h", "--help", "help") or {"-h", "--help"} & set(rest):
        print((__doc__ or "").strip())
        return DONE
    if command == "--version":
        import rlsoftmax

        print(f"rlsoftmax {rlsoftmax.__version__}")
        return DONE
    if command in ("-sc", "--shell-completion"):
        return _complete(words)
    if command in ("run", "sweep", "study"):
        return _play(line_of(command, rest), signals)
    if command not in OTHERS:
        raise ConfigError(f"unknown command {command!r}.{did_you_mean(command, COMMANDS)}")
    return OTHERS[command](rest, signals)


# --- run, sweep, study ----------------------------------------------------------------------------------------------


def _play(line: Line, signals: Signals) -> int:
    from rlsoftmax.launch.app import check_arguments, with_files

    check_arguments(line.arguments)
    with with_files(line.files):
        if line.looks:
            return _look(line)
        from rlsoftmax.launch.request import needs_driver

        if line.chosen_plugins or needs_driver(_request(line)):
            return _drive(line)
        return _run(_plan(line), signals)


def _request(line: Line) -> Any:
    from rlsoftmax.launch.app import is_hydras
    from rlsoftmax.launch.request import Request

    arguments = tuple(argument for argument in line.arguments if not is_hydras(argument))
    return Request(arguments=arguments, config=line.config, folders=line.folders, command=line.text)


def _plan(line: Line) -> Plan:
    from rlsoftmax.launch.play import check_study
    from rlsoftmax.launch.request import planned

    plan = planned(_request(line))
    if not line.several and len(plan.cells) > 1:
        raise ConfigError(f"this is {len(plan.cells)} cells; `rlsoftmax sweep` runs several.")
    check_study(plan)
    return plan


def _run(plan: Plan, signals: Signals) -> int:
    from rlsoftmax.launch.play import play
    from rlsoftmax.launch.progress import progress_line

    print(header(plan), flush=True)
    signals.playing = True
    with progress_line() as on_progress:
        study = play(plan, on_progress, signals.stop)
    signals.playing = False
    return _finish(study, [_write_table(study), Path(study.folder or "") / "study.yaml"])


def header(plan: Plan) -> str:
    """Return what will be played, in one line; and what was decided for the user."""
    from rlsoftmax.experiment.plan import parts_of

    steps = sorted({cell.experiment.steps for cell in plan.cells})
    some = f"{steps[0]}" if len(steps) == 1 else f"{steps[0]}..{steps[-1]}"
    tables = any(hasattr(type(cell.experiment.env), "table") for cell in plan.cells)
    notes = [*plan.notes, *(["played from its table"] if tables else [])]
    about = f" ({'; '.join(notes)})" if notes else ""
    cells = f"{len(plan.cells)} cell{'s' * (len(plan.cells) > 1)}"
    return f"{parts_of(plan)}: {cells} x {plan.runs} runs x {some} steps{about}"


def _finish(study: StudyData, written: Sequence[Path]) -> int:
    """Print the table, the files and the next command; say what failed."""
    print(_table(study))
    folder = Path(study.folder or "")
    chunks = len(list((folder / "chunks").glob("*.npz")))
    names = ", ".join(["plan", f"{chunks} chunk{'s' * (chunks != 1)}", *(file.name for file in written)])
    print(f"\nin {folder}: {names}\nnext: rlsoftmax plot {_short(folder)}")
    return _failures(study)


def _short(folder: Path) -> str:
    return folder.name if folder.parent == Path("results") else str(folder)


def _failures(study: StudyData) -> int:
    failed = [(cell, failure) for cell in study.cells for failure in cell.failures]
    if not failed:
        return DONE
    cell, first = failed[0]
    _complain(
        f"{len(failed)} run{'s' * (len(failed) > 1)} failed; the first: cell {cell.id[:12]}, run {first.run}, "
        f"step {first.step}, state {first.state}, action {first.action}: {first.reason}"
    )
    return FAILED


def _table(study: StudyData) -> str:
    from rlsoftmax.plots import table

    return table.text(study, shutil.get_terminal_size((100, 24)).columns, sys.stdout.isatty())


def _write_table(study: StudyData) -> Path:
    from rlsoftmax.plots import table
    from rlsoftmax.store.durable import write_durably

    path = Path(study.folder or "") / "table.csv"
    write_durably(path, table.csv(study).encode())
    return path


# --- Hydra's own driver ---------------------------------------------------------------------------------------------


def _look(line: Line) -> int:
    from rlsoftmax.launch.app import drive

    drive([*_expanded(line), *line.flags, "--config-name", line.config], line.folders)
    return DONE


def _drive(line: Line) -> int:
    """Let another launcher or sweeper play the study, then show it."""
    from rlsoftmax.api import load
    from rlsoftmax.launch.app import drive
    from rlsoftmax.launch.play import announce
    from rlsoftmax.launch.request import check_plugins

    check_plugins(line.chosen_plugins)
    name, results = line.value("study"), line.value("results") or "results"
    if "hydra/sweeper" not in line.chosen_plugins and line.config == "config":
        plan = _plan(line)
        announce(plan)
        name = plan.name
        print(header(plan), flush=True)
    if name is None:
        raise ConfigError("this sweeper chooses its cells as it goes, so name the study: study=<name>.")
    flags = [flag for flag in line.flags if flag not in ("-m", "--multirun")]
    drive([*_expanded(line), "--multirun", *flags, "--config-name", line.config], line.folders)
    study = load(Path(results) / name).data
    return _finish(study, [_write_table(study)])


def _expanded(line: Line) -> list[str]:
    from rlsoftmax.experiment.shorthand import expand
    from rlsoftmax.places import options

    return [part for argument in line.arguments for part in expand(argument, options("tau"))]


def _complete(words: Sequence[str]) -> int:
    from rlsoftmax.launch.app import drive
    from rlsoftmax.launch.completion import complete

    if "query=" in "".join(words):
        if found := complete(words):
            print(" ".join(found))
        return DONE
    drive(list(words), [])
    return DONE


def _completion(words: Sequence[str], signals: Signals) -> int:
    shell = words[0] if words else Path(os.environ.get("SHELL", "bash")).name
    if shell not in ("bash", "zsh", "fish"):
        raise ConfigError(f"no completion for {shell!r}.{did_you_mean(shell, ('bash', 'zsh', 'fish'))}")
    install = "rlsoftmax -sc install=fish | source" if shell == "fish" else f'eval "$(rlsoftmax -sc install={shell})"'
    print(f"# put this line into the start-up file of {shell}:\n{install}")
    return DONE


# --- stored studies -------------------------------------------------------------------------------------------------


def _load(name: str) -> Study:
    from rlsoftmax.api import load
    from rlsoftmax.places import stored

    if not Path(name).is_dir() and not (Path("results") / name).is_dir():
        raise ConfigError(f"no study {name!r} below results/.{did_you_mean(name, stored())}")
    return load(name)


def _show(words: Sequence[str], signals: Signals) -> int:
    words, _ = options_of("show", words, {})
    study = _load(one_study("show", words)[0]).data
    print(_table(study))
    if study.missing:
        print(f"\n{study.missing} runs are missing; continue with: {study.command or 'the command that began it'}")
    return _failures(study)


def _plot(words: Sequence[str], signals: Signals) -> int:
    from rlsoftmax import plots

    words, chosen = options_of("plot", words, PLOT)
    study = _load(one_study("plot", words)[0]).data
    folder = Path(chosen["--out"] or study.folder or ".")
    look = chosen["--style"], _width(chosen["--width"]), chosen["--axis"] or None, chosen["--score"] or None
    for path in plots.save(study, folder, chosen["--kind"].split(","), chosen["--format"].split(","), *look):
        print(path)
    return DONE


def _width(text: str) -> float | str | None:
    """Return inches, or the name of a page."""
    return float(text) if text.replace(".", "", 1).isdigit() else text or None


def _report(words: Sequence[str], signals: Signals) -> int:
    words, _ = options_of("report", words, {})
    print(_load(one_study("report", words)[0]).report())
    return DONE


def _digest(words: Sequence[str], signals: Signals) -> int:
    words, _ = options_of("digest", words, {})
    for cell, (runs, digest) in _load(one_study("digest", words)[0]).digest().items():
        print(cell[:12], runs, digest)
    return DONE


def _verify(words: Sequence[str], signals: Signals) -> int:
    from rlsoftmax.store.verify import verify

    words, _ = options_of("verify", words, {})
    name = one_study("verify", words)[0]
    folder = Path(name) if Path(name).is_dir() else Path("results") / name
    if not any(folder.glob("plan-*.json")):
        _load(name)
    problems = verify(folder)
    print("\n".join(problems) or f"{folder}: every byte is as it was written.")
    return FAILED if problems else DONE


def _trace(words: Sequence[str], signals: Signals) -> int:
    import csv

    words, _ = options_of("trace", words, {})
    name, keys = one_study("trace", words)
    pairs = dict(word.partition("=")[::2] for word in keys)
    run, first = _whole("run", pairs.pop("run", "0")), _whole("first", pairs.pop("first", "0"))
    last = _whole("last", pairs.pop("last", str(first + 20)))
    study = _load(name)
    cell = study.cell(**pairs) if pairs else study.cells[0]
    rows = cell.trace(run, first, min(last, int(cell.data.edges[-1])))
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(rows.dtype.names or ())
    for row in rows.tolist():
        writer.writerow(" ".join(map(str, part)) if hasattr(part, "__len__") else part for part in row)
    return DONE


def _whole(key: str, text: str) -> int:
    if not text.isdigit():
        raise ConfigError(f"{key}={text} must be a whole number.")
    return int(text)


def _ls(words: Sequence[str], signals: Signals) -> int:
    from rlsoftmax.places import GROUPS, options, stored, studies

    known: dict[str, Callable[[], Sequence[str]]] = {group: lambda g=group: options(g) for group in GROUPS}  # type: ignore[misc]
    known |= {"study": lambda: list(studies()), "results": stored}
    for word in words:
        if word not in known:
            raise ConfigError(f"ls knows no {word!r}.{did_you_mean(word, known)}")
    for group in words or known:
        print(f"{group}: {', '.join(known[group]()) or '(none)'}")
    return DONE


def _demo(words: Sequence[str], signals: Signals) -> int:
    """Play the two studies and draw them."""
    worst = DONE
    for name in DEMOS:
        line = line_of("study", [name, *words])
        worst = max(worst, _play(line, signals))
        folder = Path(line.value("results") or "results") / (line.value("study") or name)
        _plot([str(folder)], signals)
        print()
    return worst


OTHERS: dict[str, Callable[[Sequence[str], Signals], int]] = {
    "plot": _plot, "show": _show, "ls": _ls, "demo": _demo, "trace": _trace, "digest": _digest, "verify": _verify,
    "report": _report, "completion": _completion,
}  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
