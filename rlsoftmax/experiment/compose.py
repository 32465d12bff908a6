"""Overrides in, plain configurations out. Hydra composes once per choice of groups; values are then set on the result.

Anything that is not `key=value` on an existing key (`+x`, `~x`, a group, an interpolation, a dictionary, two overrides
of one key) goes to Hydra itself, so the answer and the error messages are always Hydra's.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

import numpy as np
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override, OverrideType
from omegaconf import DictConfig, OmegaConf

from rlsoftmax.component import Component, name_of, schema
from rlsoftmax.errors import ConfigError, did_you_mean
from rlsoftmax.experiment import shorthand
from rlsoftmax.places import GROUPS

Plain = dict[str, Any]
_DECIMAL = re.compile(r"[+-]?\d+\.\d+")
ONE_VALUE = (
    "study",
    "runs",
    "report_runs",
    "results",
    "executor",
    "engine",
    "evaluate",
    "record.memory",
    "record.values",
    "score",
)


class Composer:
    """Overrides to a plain configuration, remembering what Hydra composed.

    load: composes in full, as Hydra does. options: the names that `group=` accepts; none if the key is no group.
    """

    def __init__(self, load: Callable[[list[str]], DictConfig], options: Callable[[str], list[str]]) -> None:
        self.load, self._find_options = load, options
        self._parser = OverridesParser.create()
        self._parsed: dict[str, Override] = {}
        self._bases: dict[tuple[str, ...], Plain | None] = {}
        self._unfinished: set[tuple[str, ...]] = set()  # choices that leave a value to be given
        self._options: dict[str, list[str]] = {}
        self._chosen: dict[tuple[str, ...], dict[str, str]] = {}
        self._master: DictConfig | None = None

    def __call__(self, overrides: Sequence[str], objects: Mapping[str, Plain] | None = None) -> Plain:
        """Return the configuration; `objects` replace whole groups before single values are set.

        Raises:
          what Hydra and OmegaConf raise; launch/explain.py turns it into a sentence.
        """
        choices, plain = self._split(overrides)
        self._check_objects(choices, objects or {})
        base = self._base(choices)
        if base is not None and objects:
            base = base | dict(objects)
        for override in plain:
            path, before = override.key_or_group.split("."), base
            base = None if base is None else with_value(base, path, override.value())
            if base is None and before is not None and path[0] in (objects or {}):
                raise ConfigError(f"unknown key {'.'.join(path)}.{did_you_mean(path[-1], _keys(before, path[0]))}")
        if base is not None and not (choices in self._unfinished and "???" in str(base)):
            return base
        if objects:
            raise ConfigError(
                f"{', '.join(overrides)}: Hydra cannot set this beside objects; say it in their constructors."
            )
        return self.compose(list(overrides))

    def _check_objects(self, choices: Sequence[str], objects: Mapping[str, Plain]) -> None:
        """Refuse what Hydra would set on a group that an object replaces."""
        for text in choices:
            override = self.parse(text)
            if (override.package or override.key_or_group).partition(".")[0] in objects:
                raise ConfigError(f"{text.lstrip('+')}: give this to the object when you build it.")

    @property
    def master(self) -> DictConfig:
        """Return the primary configuration without overrides, Hydra's own settings included."""
        if self._master is None:
            self._master = self.load([])
        return self._master

    def chosen(self, overrides: Sequence[str]) -> Mapping[str, str]:
        """Return the option chosen in each group by overrides that were composed before, such as env: testbed."""
        return self._chosen.get(self._split(overrides)[0]) or self._chosen.get(tuple(overrides), {})

    def _split(self, overrides: Sequence[str]) -> tuple[tuple[str, ...], list[Override]]:
        """Return what Hydra must compose, and the values that can be set on the result."""
        parsed = [self.parse(text) for text in overrides]
        keys = [o.key_or_group for o in parsed]
        plain = [o for o in parsed if self._is_plain(o)] if len(set(keys)) == len(keys) else []
        return tuple(str(o.input_line) for o in parsed if o not in plain), plain

    def _base(self, choices: tuple[str, ...]) -> Plain | None:
        """Return the configuration of these choices; None if values cannot simply be set: it refers to itself."""
        if choices not in self._bases:
            config = self.compose(list(choices), resolve=False)
            self._bases[choices] = None if "${" in str(config) else config
            if "???" in str(config):
                self._unfinished.add(choices)
        return self._bases[choices]

    def compose(self, overrides: list[str], resolve: bool = True) -> Plain:
        """Return what Hydra composes, without Hydra's own settings."""
        config = self.load(overrides)
        choices = config.hydra.runtime.choices
        self._chosen[tuple(overrides)] = {group: str(choices[group]) for group in GROUPS if group in choices}
        config = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
        plain = OmegaConf.to_container(config, resolve=resolve, throw_on_missing=resolve)
        return {str(key): value for key, value in plain.items()} if isinstance(plain, dict) else {}

    def parse(self, text: str) -> Override:
        """Return Hydra's reading of an override."""
        if text not in self._parsed:
            self._parsed[text] = self._parser.parse_overrides([text])[0]  # which says what it could not read
        return self._parsed[text]

    def options(self, group: str) -> list[str]:
        """Return the names that `group=` accepts; none if the key is no group."""
        if group not in self._options:
            self._options[group] = self._find_options(group)
        return self._options[group]

    def _is_plain(self, override: Override) -> bool:
        value = override.value()
        return (
            override.type == OverrideType.CHANGE
            and override.package is None
            and not self.options(override.key_or_group)
            and isinstance(value, (int, float, str))
            and "${" not in str(value)
            and value != "???"
        )


def _keys(config: Plain, group: str) -> list[str]:
    return [key for key in config[group] if key != "name"]


def with_value(tree: Plain, path: Sequence[str], value: Any) -> Plain | None:
    """Return a copy of the tree with one leaf replaced, sharing the rest; None when there is no such leaf.

    >>> with_value({"agent": {"alpha": 0.1}, "steps": 5}, ["agent", "alpha"], 0.2)
    {'agent': {'alpha': 0.2}, 'steps': 5}
    """
    head, *rest = path
    if not isinstance(tree, Mapping) or head not in tree:
        return None
    if not rest:
        return None if isinstance(tree[head], (Mapping, list)) else {**tree, head: value}
    branch = with_value(tree[head], rest, value)
    return None if branch is None else {**tree, head: branch}


@dataclasses.dataclass(frozen=True)
class Choice:
    """One value of an axis: what the user wrote, and what it means to the composer."""

    shown: Any
    overrides: tuple[str, ...]
    objects: Mapping[str, Component] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Axis:
    """A key and the values it takes."""

    key: str
    choices: tuple[Choice, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the keys it decides: beta decides tau."""
        return ("tau",) if self.key == "beta" else (self.key,)

    @property
    def piloted(self) -> int | None:
        """Return how many values a pilot is to propose in the place of the only choice; None if all are given."""
        return shorthand.piloted(self.choices[0].shown) if self.key == "tau" else None

    @property
    def count(self) -> int:
        """Return how many values the key takes."""
        return self.piloted or len(self.choices)


Grid = tuple[Axis, ...]


@dataclasses.dataclass(frozen=True)
class Job:
    """One point of a grid: what is composed, and what the user wrote for each key."""

    overrides: tuple[str, ...]
    objects: Mapping[str, Component]
    given: Mapping[str, Any]


def axis_of_text(argument: str, composer: Composer) -> Axis:
    """Return what `key=values` means.

    Raises:
      ConfigError, or what Hydra raises, if it cannot be read.
    """
    *fixed, last = shorthand.expand(argument, composer.options("tau"))
    key = argument.partition("=")[0].lstrip("+~").partition("@")[0]
    override = composer.parse(last)
    if override.type == OverrideType.DEL:
        return Axis(key, (Choice(None, (last,)),))
    words = _words(override, composer)
    shown = [_read(composer, word) for word in words]
    unnamed = any(value is None or isinstance(value, (int, float)) for value in shown)
    if unnamed and (names := composer.options(override.key_or_group)):
        kinds = "a number or a name" if key == "tau" else "a name"
        raise ConfigError(f"{argument}: {key} takes {kinds}: {', '.join(names)}.")
    if key == "beta":
        shown = [float(beta) for beta in shorthand.betas(argument.partition("=")[2])]
    head = override.get_key_element()
    pairs = zip(shown, words, strict=True)
    return Axis(key, tuple(Choice(value, (*fixed, f"{head}={word}")) for value, word in pairs))


def _words(override: Override, composer: Composer) -> list[str]:
    """Return the values of an override as Hydra would write them, one by one."""
    if not override.is_sweep_override():
        return [str(override.input_line).partition("=")[2]]
    value: Any = override.value()
    if isinstance(value, Glob):
        names = [str(name) for name in value.filter(composer.options(override.key_or_group))]
        if not names:
            raise ConfigError(f"{override.input_line}: nothing is called so.")
        return names
    return [str(word) for word in override.sweep_string_iterator()]


def _read(composer: Composer, word: str) -> Any:
    if _DECIMAL.fullmatch(word):
        return float(word)  # 30 times faster than Hydra's grammar, and the same
    value = composer.parse(f"key={word}").value() if word else None
    return str(value) if not isinstance(value, (int, float, str, list, dict, type(None))) else value


def axis_of_value(key: str, value: Any, composer: Composer) -> Axis:
    """Return what a Python value means: a list is several values, a text is read as on the command line."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    several = list(value) if isinstance(value, (list, tuple, range)) else [value]
    parts = [_axis_of_one(key, one, composer) for one in several]
    if not parts:
        raise ConfigError(f"{key}=[] has no values.")
    return Axis(key, tuple(choice for part in parts for choice in part.choices))


def _axis_of_one(key: str, value: Any, composer: Composer) -> Axis:
    if isinstance(value, Component):
        return Axis(key, (Choice(label(value), (), {key: value}),))
    if isinstance(value, type):
        raise ConfigError(f"{key}={value.__name__} is a class; build one: {key}={value.__name__}(...).")
    return axis_of_text(f"{key}={literal(value)}", composer)


def label(part: Component) -> Any:
    """Return how an object is called in a table: its name and what differs from the defaults; a constant its number.

    >>> from rlsoftmax.agents.q_learning import QLearning
    >>> label(QLearning(alpha=0.5))
    'q_learning(alpha=0.5)'
    """
    fields = [key for key, field in schema(type(part)).items() if getattr(part, key) != field.default]
    if name_of(type(part)) == "constant" and fields == ["value"]:
        return getattr(part, "value")  # noqa: B009 - not every component has one
    inner = [f"{key}={_brief(getattr(part, key))}" for key in fields if key != "temperature"]
    return f"{name_of(type(part))}({', '.join(inner)})" if inner else name_of(type(part))


def _brief(value: Any) -> str:
    return str(label(value)) if isinstance(value, Component) else literal(value)


def literal(value: Any) -> str:
    """Return a Python value in Hydra's language.

    >>> literal([0.1, None, {"a": True}])
    '[0.1,null,{a:true}]'
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Enum):
        value = value.name.lower()
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else str(value)
    if isinstance(value, (list, tuple)):
        return f"[{','.join(map(literal, value))}]"
    if isinstance(value, Mapping):
        return f"{{{','.join(f'{key}:{literal(inner)}' for key, inner in value.items())}}}"
    return str(value)


def constants(temperatures: Iterable[float]) -> Axis:
    """Return the axis of these temperatures."""
    texts = [repr(float(temperature)) for temperature in temperatures]
    return Axis("tau", tuple(Choice(float(text), ("tau=constant", f"tau.value={text}")) for text in texts))


def grid_of(settings: Mapping[str, Any], composer: Composer) -> Grid:
    """Return the axes of keys and values, from Python or from a study's file. A nested mapping sets its keys."""
    pairs = [pair for key, value in settings.items() for pair in _flat(str(key), value)]
    return tuple(axis_of_value(key, value, composer) for key, value in pairs)


def _flat(key: str, value: Any) -> Iterable[tuple[str, Any]]:
    if not isinstance(value, Mapping) or "name" in value:
        yield key, value
        return
    for inner, part in value.items():  # below a key, a list is one value
        yield from _flat(f"{key}.{inner}", literal(part) if isinstance(part, (list, tuple)) else part)


def check_axes(axes: Grid) -> None:
    """Refuse a key that is given twice, and several values where there can be one."""
    decided = [name for axis in axes for name in axis.names]
    for name in decided:
        if decided.count(name) > 1:
            twice = [axis.key for axis in axes if name in axis.names]
            if len(set(twice)) > 1:
                raise ConfigError("tau and beta are two ways to say the same (tau = 1/beta): give one of them.")
            raise ConfigError(f"{name} is given twice; several values are written {name}=first,second.")
    for axis in axes:
        if len(axis.choices) > 1 and any(map(shorthand.piloted, [choice.shown for choice in axis.choices])):
            raise ConfigError(f"{axis.key}: a pilot proposes the whole list; give it alone, as tau=pilot(9).")
        if len(axis.choices) > 1 and axis.key == "seed":
            raise ConfigError("seed cannot take several values: runs=... repeats a cell, each run with its own luck.")
        if len(axis.choices) > 1 and (axis.key in ONE_VALUE or axis.key.partition(".")[0] in ONE_VALUE):
            raise ConfigError(f"{axis.key} cannot take several values: a study has one.")


def replaced(grid: Grid, arguments: Grid) -> Grid:
    """Return the grid of a study with the user's arguments: each replaces its key and the keys below it."""
    names = {name for axis in arguments for name in axis.names}
    kept = [axis for axis in grid if not any(_covers(name, axis) for name in names)]
    return (*kept, *arguments)


def _covers(name: str, axis: Axis) -> bool:
    return any(f"{own}.".startswith(f"{name}.") for own in axis.names) or (name == "tau.value" and "tau" in axis.names)


def jobs_of(grid: Grid) -> list[Job]:
    """Return all combinations of the values of a grid, the last axis fastest."""
    check_axes(grid)
    return [_job(grid, choices) for choices in itertools.product(*(axis.choices for axis in grid))]


def _job(grid: Grid, choices: Sequence[Choice]) -> Job:
    overrides = tuple(text for choice in choices for text in choice.overrides)
    objects = {key: value for choice in choices for key, value in choice.objects.items()}
    given = {axis.key: choice.shown for axis, choice in zip(grid, choices, strict=True)}
    return Job(overrides, objects, given)


def varying(jobs: Collection[Job]) -> tuple[str, ...]:
    """Return the keys whose values tell the jobs apart, in the order in which they were first given."""
    keys = dict.fromkeys(key for job in jobs for key in job.given)
    absent = object()
    return tuple(key for key in keys if len({str(job.given.get(key, absent)) for job in jobs}) > 1)
