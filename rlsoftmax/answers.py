"""What the commands about stored studies answer: text, which cli.py prints. Each function is a command."""

from __future__ import annotations

import csv
import dataclasses
import io
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rlsoftmax.errors import ConfigError, did_you_mean
from rlsoftmax.launch.command import one_study, options_of, take
from rlsoftmax.places import GROUPS, options, stored, studies

if TYPE_CHECKING:
    from rlsoftmax.store.data import StudyData
    from rlsoftmax.study import Cell, Study

_LOOK = ("--style", "--width", "--axis", "--score", "--out")
_EXPORT = dict.fromkeys(("--format", "--metric", "--out"), "")
_PLOT = {"--kind": "", "--format": "png,svg"} | dict.fromkeys(_LOOK, "")


@dataclasses.dataclass(frozen=True)
class Answer:
    """Text for stdout, a complaint for stderr, and the exit code."""

    text: str
    code: int = 0
    complaint: str = ""


def _load(name: str) -> Study:
    from rlsoftmax.api import load

    if not Path(name).is_dir() and not (Path("results") / name).is_dir():
        raise ConfigError(f"no study {name!r} below results/.{did_you_mean(name, stored())}")
    return load(name)


def _only(verb: str, words: Sequence[str]) -> str:
    """Return the study of a command without options."""
    return _alone(verb, options_of(verb, words, {})[0])


def _alone(verb: str, words: Sequence[str], options: Iterable[str] = ()) -> str:
    """Return the study of a command that takes nothing beside it but options. Errors: ConfigError for another word."""
    name, rest = one_study(verb, words)
    if rest:
        known = did_you_mean(rest[0], options) if options else ""
        raise ConfigError(f"{verb} takes one study{' and options' if options else ''}, not {rest[0]!r}.{known}")
    return name


def table(study: StudyData) -> str:
    """Return the table of a study, as wide and as colourful as the terminal."""
    from rlsoftmax.plots import table as tables

    return tables.text(study, shutil.get_terminal_size((100, 24)).columns, sys.stdout.isatty())


def verdicts(study: StudyData) -> str:
    """Return what became of the claims of a study, one line each, below a blank one; nothing if it has none."""
    if not study.claims:
        return ""
    from rlsoftmax.plots import verdicts as found

    head = f"what was claimed, and what {study.runs} runs say (95 % each):"
    return "\n".join(["", head, *found.lines(study, shutil.get_terminal_size((100, 24)).columns)])


def failures(study: StudyData) -> str:
    """Return how many runs failed and where the first one did; nothing if none."""
    failed = [(cell, failure) for cell in (*study.cells, *study.fresh) for failure in cell.failures]
    if not failed:
        return ""
    cell, first = failed[0]
    return (
        f"{len(failed)} run{'s' * (len(failed) > 1)} failed; the first: cell {cell.id[:12]}, run {first.run}, "
        f"step {first.step}, state {first.state}, action {first.action}: {first.reason}"
    )


def show(words: Sequence[str]) -> Answer:
    """Return the table of a stored study, and what is missing."""
    study = _load(_only("show", words)).data
    complaint = failures(study)
    again = study.command or "the command that began it"
    missing = f"\n\n{study.missing} runs are missing; continue with: {again}" if study.missing else ""
    told = f"\n{text}" if (text := verdicts(study)) else ""
    return Answer(table(study) + told + missing, 1 if complaint else 0, complaint)


def plot(words: Sequence[str]) -> Answer:
    """Write figures; return their files, one a line."""
    from rlsoftmax import plots

    words, chosen = options_of("plot", words, _PLOT)
    study = _load(_alone("plot", words, _PLOT)).data
    folder = Path(chosen["--out"] or study.folder or ".")
    look = chosen["--style"], _width(chosen["--width"]), chosen["--axis"] or None, chosen["--score"] or None
    kinds = filter(None, chosen["--kind"].split(","))
    files = plots.save(study, folder, kinds, chosen["--format"].split(","), *look)
    return Answer("\n".join(map(str, files)))


def _width(text: str) -> float | str | None:
    """Return inches, or the name of a page."""
    return float(text) if text.replace(".", "", 1).isdigit() else text or None


def report(words: Sequence[str]) -> Answer:
    """Write the report, and show it in a browser if asked to; return its file."""
    import webbrowser

    rest, _ = options_of("report", words, {}, ("--open",))
    name = _alone("report", [word for word in rest if word != "--open"], ("--open",))
    study = _load(name)
    path = study.report()
    shown = "--open" not in rest or webbrowser.open(path.resolve().as_uri())
    return Answer(str(path), 0, failures(study.data) if shown else "no browser was found; open the file yourself.")


def export(words: Sequence[str]) -> Answer:
    """Return the runs of a study as text, or write them to a file and return its name."""
    from rlsoftmax.frames.export import exported
    from rlsoftmax.store.durable import write_durably

    words, chosen = options_of("export", words, _EXPORT)
    name = _alone("export", words, _EXPORT)
    format, file = chosen["--format"] or _suffix(chosen["--out"]) or "csv", chosen["--out"]
    if format == "parquet" and not file:
        raise ConfigError("a parquet file is not text: say where it goes, such as --out runs.parquet.")
    data = exported(_load(name).data, format, chosen["--metric"] or None)
    if not file:
        return Answer(data.decode().rstrip("\n"))
    write_durably(Path(file), data)
    return Answer(file)


def _suffix(file: str) -> str:
    """Return the format that the name of a file says."""
    return Path(file).suffix.removeprefix(".").lower()


def digest(words: Sequence[str]) -> Answer:
    """Return one line per cell: id, runs, SHA-256."""
    found = _load(_only("digest", words)).digest()
    return Answer("\n".join(f"{cell[:12]} {runs} {sha}" for cell, (runs, sha) in found.items()))


def verify(words: Sequence[str]) -> Answer:
    """Return what is wrong with the files of a study, one line per problem."""
    from rlsoftmax.store.verify import verify as problems_of

    name = _only("verify", words)
    folder = Path(name) if Path(name).is_dir() else Path("results") / name
    if not any(folder.glob("plan-*.json")):
        _load(name)
    problems = problems_of(folder)
    return Answer("\n".join(problems) or f"{folder}: every byte is as it was written.", 1 if problems else 0)


def trace(words: Sequence[str]) -> Answer:
    """Return the steps of a run as CSV."""
    name, keys = one_study("trace", options_of("trace", _brought(words), {})[0])
    pairs = dict(word.partition("=")[::2] for word in keys)
    run, first = _whole("run", pairs.pop("run", "0")), _whole("first", pairs.pop("first", "0"))
    last = _whole("last", pairs.pop("last", str(first + 20)))
    study = _load(name)
    cell = study.cell(**pairs) if pairs else study.cells[0]
    rows = cell.trace(run, first, min(last, int(cell.data.edges[-1])))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(rows.dtype.names or ())
    for row in rows.tolist():
        writer.writerow(" ".join(map(str, part)) if hasattr(part, "__len__") else part for part in row)
    return Answer(text.getvalue().rstrip("\n"))


def watch(words: Sequence[str]) -> Answer:
    """Write a GIF of the greedy policy of a run; return its file, and how the episodes went."""
    from rlsoftmax.stats.conditions import label
    from rlsoftmax.store.durable import write_durably

    words, chosen = options_of("watch", _brought(words), {"--out": ""})
    name, keys = one_study("watch", words)
    pairs = dict(word.partition("=")[::2] for word in keys)
    run, study = _whole("run", pairs.pop("run", "0")), _load(name)
    cell = study.cell(**pairs) if pairs else _best_afterwards(study)
    path = _gif(chosen["--out"], Path(study.data.folder or ".") / f"watch-{cell.id[:12]}-{run}.gif")
    film = cell.film(run)
    write_durably(path, film.gif())
    each = ", ".join(f"{total:g}" for total in film.returns) + (" (cut)" if film.cut else "")
    what = " ".join(filter(None, (f"run {run}", label(cell.overrides))))
    return Answer(f"{what}, greedy: {len(film.returns)} episode{'s' * (len(film.returns) > 1)}, returns {each}\n{path}")


def _brought(words: Sequence[str]) -> list[str]:
    """Bring the components of files given with --with, which a replay needs; return the other words."""
    from rlsoftmax.shelf import bring_all, load_file

    rest, files = take(words, "--with")
    bring_all()
    for file in files:
        load_file(file)
    return rest


def _best_afterwards(study: Study) -> Cell:
    """Return the cell with the best greedy policy, or else the best while learning."""
    greedy = all("score/greedy" in cell.data.arrays for cell in study.cells)
    return study.best("greedy" if greedy else "online")


def _gif(wanted: str, usual: Path) -> Path:
    path = usual if not wanted else Path(wanted) / usual.name if Path(wanted).is_dir() else Path(wanted)
    if path.suffix.lower() != ".gif":
        raise ConfigError(f"--out {wanted}: the name of the file must end in .gif.")
    return path


def _whole(key: str, text: str) -> int:
    if not text.isdigit():
        raise ConfigError(f"{key}={text} must be a whole number.")
    return int(text)


def ls(words: Sequence[str]) -> Answer:
    """Return what can be chosen, one line per group."""
    words, _ = options_of("ls", words, {})
    known: dict[str, Callable[[], Sequence[str]]] = {group: _options(group) for group in GROUPS}
    known |= {"study": lambda: list(studies()), "results": stored}
    for word in words:
        if word not in known:
            raise ConfigError(f"ls knows no {word!r}.{did_you_mean(word, known)}")
    return Answer("\n".join(f"{group}: {', '.join(known[group]()) or '(none)'}" for group in words or known))


def _options(group: str) -> Callable[[], Sequence[str]]:
    return lambda: options(group)


def completion(words: Sequence[str]) -> Answer:
    """Return how to switch Tab on."""
    shell = words[0] if words else Path(os.environ.get("SHELL", "bash")).name
    if shell not in ("bash", "zsh", "fish"):
        raise ConfigError(f"no completion for {shell!r}.{did_you_mean(shell, ('bash', 'zsh', 'fish'))}")
    install = "rlsoftmax -sc install=fish | source" if shell == "fish" else f'eval "$(rlsoftmax -sc install={shell})"'
    return Answer(f"# put this line into the start-up file of {shell}:\n{install}")
