"""The words of a command line, taken apart. Nothing is imported that takes time: a typo is answered at once."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from rlsoftmax.errors import ConfigError, did_you_mean

COMMANDS = (
    "run", "sweep", "study", "plot", "show", "ls", "demo", "trace", "watch", "digest", "verify", "report", "export",
    "completion",
)  # fmt: skip
FLAGS = {
    "--cfg", "-c", "--resolve", "--package", "-p", "--run", "-r", "--multirun", "-m", "--config-name", "-cn",
    "--info", "-i", "--help", "-h", "--hydra-help", "--version", "--shell-completion", "-sc",
}  # fmt: skip
OURS = ("--with", "--config-dir", "-cd")
LOOK = ("--cfg", "-c", "--info", "-i", "--hydra-help", "--shell-completion", "-sc")  # show, and run nothing
MANY = ("-m", "--multirun")
_WITH_VALUE = {"--cfg", "-c", "--package", "-p", "--config-name", "-cn", "--info", "-i", "--shell-completion", "-sc"}
_CFG, _INFO = ("job", "hydra", "all"), ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath")
_CHOICES = {"--cfg": _CFG, "-c": _CFG, "--info": _INFO, "-i": _INFO}
_OUR_PLUGINS = {"hydra/sweeper": "grid", "hydra/launcher": "fused"}


@dataclasses.dataclass(frozen=True)
class Line:
    """A command line of run, sweep or study.

    arguments: the overrides. flags: options of Hydra with their values. config: the primary configuration.
    folders: where else options are. files: brought by --with. text: the line itself, to be typed again.
    """

    verb: str
    arguments: tuple[str, ...]
    flags: tuple[str, ...]
    config: str
    folders: tuple[Path, ...]
    files: tuple[str, ...]
    text: str

    @property
    def looks(self) -> bool:
        """Return whether Hydra is only asked to show something."""
        return any(flag.partition("=")[0] in LOOK for flag in self.flags)

    @property
    def several(self) -> bool:
        """Return whether more than one cell is meant."""
        return self.verb != "run" or any(flag in MANY for flag in self.flags)

    @property
    def chosen_plugins(self) -> dict[str, str]:
        """Return the launcher and the sweeper of others that were chosen here."""
        pairs = (argument.lstrip("+~").partition("=") for argument in self.arguments)
        return {key: name for key, _, name in pairs if key in _OUR_PLUGINS and name != _OUR_PLUGINS[key]}

    def value(self, key: str) -> str | None:
        """Return what the line says about a key."""
        return next((a.partition("=")[2] for a in self.arguments if a.partition("=")[0] == key), None)


def line_of(verb: str, words: Sequence[str]) -> Line:
    """Return the parts of a line of run, sweep or study.

    Raises:
      ConfigError: for an option that nobody knows, one without its value, or a study that is not there.
    """
    rest, files = take(words, "--with")
    rest, folders = take(rest, "--config-dir", "-cd")
    rest, names = take(rest, "--config-name", "-cn")
    config, paths = (names[-1] if names else "config"), [Path(folder) for folder in folders]
    if verb == "study":
        folder, rest = _study(rest)
        paths, config = [folder, *paths], config if names else "study"
        if not any(word.startswith("study=") for word in rest):
            rest = [*rest, f"study={folder.name}"]
    arguments, flags = _split(rest)
    text = shlex.join(["rlsoftmax", verb, *words])
    return Line(verb, tuple(arguments), tuple(flags), config, tuple(paths), tuple(files), text)


def _study(words: Sequence[str]) -> tuple[Path, list[str]]:
    from rlsoftmax.places import study_folder

    if not words or "=" in words[0] or words[0].startswith("-"):
        raise ConfigError("which study? rlsoftmax study <name> [overrides]; `rlsoftmax ls study` lists them.")
    return study_folder(words[0]), list(words[1:])


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return (overrides, flags with their values)."""
    arguments, flags = list[str](), list[str]()
    iterator = iter(words)
    for word in iterator:
        name, equals, _ = word.partition("=")
        if not word.startswith("-"):
            _check_override(word)
            arguments.append(word)
            continue
        if name not in FLAGS:
            raise ConfigError(
                f"unknown option {name}.{did_you_mean(name, [f for f in FLAGS | set(OURS) if f[:2] == '--'])}"
            )
        flags.append(word)
        if name in _WITH_VALUE and not equals:
            flags.append(_following(name, iterator))
        _check_choice(name, flags[-1])
    return arguments, flags


def _following(name: str, words: object) -> str:
    value = next(words, "")  # type: ignore[call-overload]
    if not value:
        raise ConfigError(f"{name} needs a value.")
    return str(value)


def _check_choice(name: str, last: str) -> None:
    value = last.partition("=")[2] if last.startswith("-") else last
    if name in _CHOICES and value not in _CHOICES[name]:
        raise ConfigError(f"{name} knows no {value!r}.{did_you_mean(value, _CHOICES[name])}")


def _check_override(word: str) -> None:
    if "=" not in word and not word.startswith("~"):
        raise ConfigError(f"{word!r} is not of the form key=value.{_group_hint(word)}")


def _group_hint(word: str) -> str:
    from rlsoftmax.places import GROUPS, options

    if word in GROUPS:
        return f" Choose one: {word}={options(word)[0]}."
    groups = [group for group in GROUPS if word in options(group)]
    return f" Did you mean {groups[0]}={word}?" if groups else ""


def take(words: Sequence[str], *options: str) -> tuple[list[str], list[str]]:
    """Return the words without these options, and the values of the options: `--with x` or `--with=x`.

    >>> take(["tau=1", "--with", "a.py", "--with=b.py"], "--with")
    (['tau=1'], ['a.py', 'b.py'])
    """
    rest, taken, iterator = list[str](), list[str](), iter(words)
    for word in iterator:
        option, equals, value = word.partition("=")
        if option not in options:
            rest.append(word)
            continue
        value = value if equals else next(iterator, "")
        if not value:
            raise ConfigError(f"{option} needs a value.")
        taken.append(value)
    return rest, taken


def options_of(
    verb: str, words: Sequence[str], known: Mapping[str, str], flags: Collection[str] = ()
) -> tuple[list[str], dict[str, str]]:
    """Return (other words, option -> value) of a command with options of its own.

    Args:
      known: option -> its value when it is not given.
      flags: options without a value; those that are given stay among the other words.

    Raises:
      ConfigError: for an option that the command does not have.
    """
    values = dict(known)
    rest = list(words)
    for option in known:
        rest, given = take(rest, option)
        values[option] = given[-1] if given else known[option]
    for word in rest:
        if word.startswith("-") and word not in flags:
            name = word.partition("=")[0]
            raise ConfigError(f"{verb} has no option {name}.{did_you_mean(name, [*known, *flags])}")
    return rest, values


def one_study(verb: str, words: Collection[str]) -> tuple[str, list[str]]:
    """Return the study that a command is about, and the words after it."""
    name, *rest = words or [""]
    if not name or "=" in name:
        raise ConfigError(f"which study? rlsoftmax {verb} <name or folder>; `rlsoftmax ls results` lists them.")
    return name, rest
