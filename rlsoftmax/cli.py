"""rlsoftmax: how an agent's temperature shapes what it learns.

  rlsoftmax run    env=testbed agent=sample_average tau=0.25 runs=1000    one cell
  rlsoftmax sweep  env=frozen_lake agent=q_learning tau=0.05,0.1,0.2      all combinations, in one pass
  rlsoftmax study  NAME [overrides]          experiments/NAME/study.yaml, shipped or your own, or a folder
  rlsoftmax demo                             which temperature is best, on a bandit and on FrozenLake

  rlsoftmax show   STUDY                     the table of a stored study; STUDY is a name below results/ or a folder
  rlsoftmax plot   STUDY [--kind temperature] [--format png,svg,pdf] [--style paper] [--width icml] [--axis beta]
                         [--score greedy] [--out FOLDER]
  rlsoftmax report STUDY [--open]            report.html: one page with everything, for any browser
  rlsoftmax export STUDY [--format csv|json|parquet] [--metric reward] [--out FILE]     one row per run, or per bin
  rlsoftmax trace  STUDY [tau=0.25] [run=0] [first=0] [last=20]           the steps of one run, as CSV
  rlsoftmax watch  STUDY [tau=0.25] [run=0] [--out FILE.gif]              the greedy policy, moving (Gymnasium)
  rlsoftmax digest STUDY | verify STUDY      what was learned, as SHA-256; whether the files are whole
  rlsoftmax ls     [env|agent|policy|tau|study|results]                   what can be chosen
  rlsoftmax completion [bash|zsh|fish]       how to switch Tab on

tau=0.25 is a temperature, and beta=4 the same one.
Lists: tau=0.1,0.2  'tau=octaves(1/64,8)'  'tau=geomspace(0.05,5,9)'  'agent.alpha=linspace(0.1,0.5,5)'.
'tau=pilot(9)' proposes a list: short pilot runs find where the policy turns from greedy to uniform.
The same command continues: only missing cells and runs are played. --with FILE adds your own components.
Hydra's options work: --cfg job, --info, --config-dir, -m, --hydra-help.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlsoftmax import answers
from rlsoftmax.answers import Answer
from rlsoftmax.errors import ConfigError, Interrupted, RlsoftmaxError, did_you_mean
from rlsoftmax.launch.command import COMMANDS, Line, line_of
from rlsoftmax.launch.letters import use_plainer_letters
from rlsoftmax.launch.signals import Signals

if TYPE_CHECKING:
    from rlsoftmax.experiment.plan import Plan
    from rlsoftmax.store.data import StudyData

DONE, FAILED, REFUSED, STOPPED = 0, 1, 2, 130
DEMOS = ("demo-testbed", "demo-frozen_lake")


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code: 0 done, 1 runs failed or files are damaged, 2 the request cannot be run, 130 stopped.

    A defect of ours is a traceback.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    signals = Signals()
    use_plainer_letters()
    with signals.installed():
        try:
            code = _dispatch(words, signals)
            sys.stdout.flush()  # what cannot be written is said here, and not by the interpreter as it ends
            return code
        except (KeyboardInterrupt, Interrupted):
            _complain("stopped; what was finished is kept. The same command continues:\n  " + _typed(words))
            return STOPPED
        except BrokenPipeError:  # rlsoftmax ... | head
            _drop_output()
            return DONE
        except Exception as error:  # noqa: BLE001 - the place that tells the user's mistakes from ours
            return _explained(error, words)


def _drop_output() -> None:
    """Let what is still to be written vanish: nobody reads it any more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
    if isinstance(error, OSError) and error.filename is None:  # a stream, no file
        _drop_output()
        _complain(f"the answer cannot be written: {error.strerror}.")
        return FAILED
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
    if command == "demo":
        return _demo(rest, signals)
    if command not in COMMANDS:
        raise ConfigError(f"unknown command {command!r}.{did_you_mean(command, COMMANDS)}")
    return _answer(getattr(answers, command), rest)


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
    if not any(len(cell.runs) for cell in study.cells) and (complaint := answers.failures(study)):
        _complain(complaint)  # there is nothing to tabulate
        return FAILED
    return _finish(study, [_write_table(study), Path(study.folder or "") / "study.yaml"])


def header(plan: Plan) -> str:
    """Return what will be played, in one line; what was decided for the user, and what would be faster."""
    from rlsoftmax.experiment.hints import hints
    from rlsoftmax.experiment.plan import parts_of

    steps = sorted({cell.experiment.steps for cell in plan.cells})
    some = f"{steps[0]}" if len(steps) == 1 else f"{steps[0]}..{steps[-1]}"
    ways = dict.fromkeys(way for cell in plan.cells if (way := _way(cell.experiment.env)))
    notes = [*plan.notes, *ways, *hints(plan.cells)]
    about = f" ({'; '.join(notes)})" if notes else ""
    cells = f"{len(plan.cells)} cell{'s' * (len(plan.cells) > 1)}"
    fresh = f", then {plan.report_runs} fresh runs of the best" if plan.report_runs and len(plan.cells) > 1 else ""
    return f"{parts_of(plan)}: {cells} x {plan.runs} runs x {some} steps{fresh}{about}"


def _way(env: Any) -> str:
    """Return how an environment of Gymnasium is played, and why."""
    way = getattr(env, "way", "")
    return "played from its table" if way == "table" else f"stepped: {env.reason}" if way == "stepped" else ""


def _finish(study: StudyData, written: Sequence[Path]) -> int:
    """Print the table, the files and the next command; say what failed."""
    print(answers.table(study))
    folder = Path(study.folder or "")
    chunks = len(list((folder / "chunks").glob("*.npz")))
    names = ", ".join(["plan", f"{chunks} chunk{'s' * (chunks != 1)}", *(file.name for file in written)])
    print(f"\nin {folder}: {names}\nnext: rlsoftmax plot {_short(folder)}")
    if told := answers.verdicts(study):
        print(told)
    if complaint := answers.failures(study):
        _complain(complaint)
    return FAILED if complaint else DONE


def _short(folder: Path) -> str:
    return folder.name if folder.parent == Path("results") else str(folder)


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
    from rlsoftmax.launch.play import announce, play
    from rlsoftmax.launch.request import check_plugins

    check_plugins(line.chosen_plugins)
    name, results, plan = line.value("study"), line.value("results") or "results", None
    if "hydra/sweeper" not in line.chosen_plugins and line.config == "config":
        plan = _plan(line)
        announce(plan)
        name = plan.name
        print(header(plan), flush=True)
    if name is None:
        raise ConfigError("this sweeper chooses its cells as it goes, so name the study: study=<name>.")
    if plan is None and line.value("report_runs") not in (None, "0"):
        raise ConfigError("report_runs needs to know all cells beforehand, and here Hydra's plugins choose them.")
    flags = [flag for flag in line.flags if flag not in ("-m", "--multirun")]
    drive([*_expanded(line), "--multirun", *flags, "--config-name", line.config], line.folders)
    study = play(plan) if plan is not None and plan.report_runs else load(Path(results) / name).data
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


# --- everything else ------------------------------------------------------------------------------------------------


def _answer(question: Callable[[Sequence[str]], Answer], words: Sequence[str]) -> int:
    answer = question(words)
    if answer.text:
        print(answer.text)
    if answer.complaint:
        _complain(answer.complaint)
    return answer.code


def _demo(words: Sequence[str], signals: Signals) -> int:
    """Play the two studies and draw them."""
    worst = DONE
    for name in DEMOS:
        line = line_of("study", [name, *words])
        worst = max(worst, _play(line, signals))
        folder = Path(line.value("results") or "results") / (line.value("study") or name)
        _answer(answers.plot, [str(folder)])
        print()
    return worst


if __name__ == "__main__":
    sys.exit(main())
