"""Names to classes: the files of the shelves, installed packages, files given with --with, objects of a notebook.

A shipped component is found by its file name, and only that file is imported.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import importlib
import inspect
import linecache
import os
import re
import sys
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from rlsoftmax.component import Component, describe, is_shipped, name_of, per_class, schema
from rlsoftmax.contracts import Agent, Environment, Policy, Schedule
from rlsoftmax.errors import ConfigError, did_you_mean
from rlsoftmax.places import PACKAGE

SHELVES: dict[str, tuple[str, type[Component]]] = {
    "env": ("envs", Environment),
    "agent": ("agents", Agent),
    "policy": ("policies", Policy),
    "tau": ("schedules", Schedule),
}
WITH = "RLSOFTMAX_WITH"  # paths of component files; worker processes inherit it

_BROUGHT: dict[str, dict[str, type[Component]]] = {group: {} for group in SHELVES}
_TEXTS: dict[type, str] = {}  # class -> the text of its file as it was executed, whatever the file says by now


def names(group: str) -> list[str]:
    """Return the names of all components on a shelf, shipped ones first."""
    files = sorted((PACKAGE / SHELVES[group][0]).glob("[!_]*.py"))
    return list(dict.fromkeys([*(file.stem for file in files), *_BROUGHT[group]]))


def find(group: str, name: str) -> type[Component]:
    """Return the class of a component; of the shipped ones only its file is imported.

    Raises:
      ConfigError: with the closest name, if there is none.
    """
    own = _BROUGHT[group].get(name) if isinstance(name, str) else None
    return own if own is not None else _shipped(group, str(name))


@functools.cache
def _shipped(group: str, name: str) -> type[Component]:
    if name not in names(group):
        raise ConfigError(f"no {group} {name!r}.{did_you_mean(name, names(group))}")
    folder, base = SHELVES[group]
    return _classes(importlib.import_module(f"rlsoftmax.{folder}.{name}"), base)[name]


def _classes(module: ModuleType, base: type[Component]) -> dict[str, type[Component]]:
    return {
        name_of(cls): cls
        for cls in list(vars(module).values())
        if inspect.isclass(cls) and issubclass(cls, base) and cls.__module__ == module.__name__
    }


def bring(module: ModuleType) -> None:
    """Put every component class of a module on its shelf.

    Raises:
      ConfigError: if a name is taken: what is shipped, or comes from elsewhere, cannot be replaced.
    """
    for group, (_, base) in SHELVES.items():
        for name, cls in _classes(module, base).items():
            other = _BROUGHT[group].get(name)
            if (name in names(group) and other is None) or (other and _origin(other) != module.__file__):
                raise ConfigError(f"{module.__file__}: {group} {name!r} exists already; rename {cls.__name__}.")
            _BROUGHT[group][name] = cls


def brought() -> list[tuple[str, type[Component]]]:
    """Return (group, class) of every component that was brought."""
    return [(group, cls) for group, classes in _BROUGHT.items() for cls in classes.values()]


def bring_all() -> None:
    """Bring installed packages (entry points of the group `rlsoftmax`) and the files that RLSOFTMAX_WITH names."""
    _bring_installed()
    for path in filter(None, os.environ.get(WITH, "").split(os.pathsep)):
        load_file(path)


@functools.cache
def _bring_installed() -> None:
    for point in entry_points(group="rlsoftmax"):
        bring(point.load())


def load_file(path: str | Path) -> ModuleType:
    """Execute a file of components and put them on their shelves; the same text is executed once.

    Raises:
      ConfigError: naming the file, if it is not there or fails.
    """
    file = Path(path).resolve()
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else str(error)
        raise ConfigError(f"--with {path}: {reason}.") from None
    module = _module(str(file), text)
    bring(module)
    return module


@functools.cache
def _module(path: str, text: str) -> ModuleType:
    """Return the module of a text. It is in sys.modules while it is executed, so that annotations resolve.

    Its name is made of the file's name alone: compiled loops remember the modules of their rules by name.
    """
    name = f"rlsoftmax_with_{re.sub(r'[^A-Za-z0-9_]', '_', Path(path).stem)}"
    module = ModuleType(name)
    module.__file__ = path
    sys.modules[name] = module
    linecache.checkcache(path)
    try:
        exec(compile(text, path, "exec"), vars(module))  # noqa: S102 - the user named this file on the command line
        for _, base in SHELVES.values():
            for cls in _classes(module, base).values():
                _TEXTS[cls] = text
                schema(cls)  # now: another file of this name may take its place in sys.modules
    except Exception as error:
        del sys.modules[name]
        raise ConfigError(f"--with {path}{_line_of(error, path)}: {type(error).__name__}: {_first(error)}") from error
    return module


def _line_of(error: Exception, path: str) -> str:
    """Return `:line` of the last place in the file that the error went through."""
    lines = [error.lineno] if isinstance(error, SyntaxError) else []
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            lines.append(trace.tb_lineno)
        trace = trace.tb_next
    return f":{lines[-1]}" if lines and lines[-1] else ""


def _first(error: Exception) -> str:
    text = " ".join(str(error.msg if isinstance(error, SyntaxError) else error).split())
    return text if text.endswith(".") else f"{text}."


@per_class
def source_of(cls: type) -> str | None:
    """Return the normalised source of a component that is not shipped, None of one that is.

    It is the text of its module and of its own base classes' modules, without comments, blank lines and docstrings:
    what decides whether stored results were made by this very component.
    """
    if is_shipped(cls):
        return None
    own = [base for base in reversed(cls.__mro__) if issubclass(base, Component) and not is_shipped(base)]
    return "\n".join(dict.fromkeys(_normalised(_text(base)) for base in own))


def _text(cls: type) -> str:
    module = sys.modules.get(cls.__module__)
    if cls in _TEXTS:
        return _TEXTS[cls]
    whole = module if cls.__module__ != "__main__" and module is not None else cls
    for part in (whole, cls):  # a notebook has no module's text, but that of its cells
        try:
            return inspect.getsource(part)
        except (OSError, TypeError):
            continue
    raise ConfigError(
        f"the source of {cls.__name__} cannot be found, so its results could not be told from those of "
        "another version; define it in a file."
    )


def _normalised(text: str) -> str:
    tree = ast.parse(inspect.cleandoc(f"\n{text}"))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and ast.get_docstring(
            node, clean=False
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def _origin(cls: type[Component]) -> str | None:
    """Return the file in which a class was defined."""
    rules = (value for value in vars(cls).values() if inspect.isfunction(value) and value.__module__ == cls.__module__)
    files = [rule.__globals__.get("__file__") for rule in rules]
    return files[0] if files else getattr(sys.modules.get(cls.__module__), "__file__", None)


def class_named(word: str) -> type[Component]:
    """Return the component class of this name, such as `QLearning`, from whatever shelf it is on.

    Raises:
      AttributeError: if there is none; what Python expects of a missing attribute.
    """
    for group in SHELVES:
        name = name_of(type(word, (), {})) if word.isidentifier() else ""
        if name in names(group) and find(group, name).__name__ == word:
            return find(group, name)
    raise AttributeError(f"module 'rlsoftmax' has no attribute {word!r}")


def class_names() -> list[str]:
    """Return the names of all component classes; nothing is imported, so acronyms are read from the files."""
    return sorted(
        {
            name
            for folder, _ in SHELVES.values()
            for file in (PACKAGE / folder).glob("[!_]*.py")
            for name in _defined(file)
        }
    )


@functools.cache
def _defined(file: Path) -> tuple[str, ...]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    return tuple(name for name in found if name_of(type(name, (), {})) == file.stem)


def defaults(cls: type[Component]) -> dict[str, Any]:
    """Return what the YAML file of a component says: its name and the default of every field; `???` is a must.

    A policy's temperature is not there: that is the study's tau.
    """
    fields = {key: field.default for key, field in schema(cls).items()}
    if issubclass(cls, Policy):
        fields.pop("temperature", None)
    return {"name": name_of(cls)} | {key: _written(value) for key, value in fields.items()}


def _written(value: Any) -> Any:
    if value is dataclasses.MISSING:
        return "???"
    if isinstance(value, Component):
        return describe(value)
    return value.name.lower() if hasattr(value, "name") and hasattr(value, "value") else _listed(value)


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
