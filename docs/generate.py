"""Write docs/components.md from what is on the shelves: docstrings, fields with bounds and units, YAML files.

    python docs/generate.py

It lives beside the page, not in the package: the library writes no documentation, and a user does not need this.
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
import math
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from rlsoftmax import shelf
from rlsoftmax.component import Bound, Component, Field, schema
from rlsoftmax.contracts import Agent, Environment, Policy, Schedule, asks
from rlsoftmax.experiment.compose import literal
from rlsoftmax.experiment.spec import metrics
from rlsoftmax.places import shipped

PAGE = Path(__file__).parent / "components.md"
ABOVE = """\
# Components

Everything on the shelves: what it does, its numbers, and where it comes from. `python docs/generate.py` writes this
page from the classes and their YAML files, and a test checks that it is current.

A component is chosen by its name, `agent=q_learning`, and its numbers are set by their keys, `agent.alpha=0.2`;
`rlsoftmax ls` lists the names. Numbers marked ~ are read at every step and may be schedules: `agent.alpha=exponential`.
*Reward units* are the unit of rewards and of values, so of temperatures too; steps count from 0. In formulas s and a
are the state and the action, s' and a' what comes next, k is any action and K their number. A component of your own
takes [two short files](adding.md).
"""
TITLES = {
    "tau": (
        "Schedules: `tau=`",
        "Functions of the step, except those marked *adaptive*, which follow the run. All but these may also stand in "
        "a field marked ~.",
    ),
    "policy": (
        "Policies: `policy=`",
        "How values become the chance of each action. Those that have a temperature read `tau`; the others refuse it.",
    ),
    "agent": (
        "Agents: `agent=`",
        "What is remembered of a run, and how it changes. *Move x towards y* is x += alpha (y - x).",
    ),
    "env": (
        "Environments: `env=`",
        "Where rewards come from. Several names may share a class, with other numbers.",
    ),
}


def page() -> str:
    """Return the text of docs/components.md."""
    parts = [ABOVE, *(_list(group) for group in TITLES)]
    for group, (title, words) in TITLES.items():
        parts += [f"## {title}", textwrap.fill(words, 120)]
        parts += [part for name in shelf.names(group) for part in _section(group, name)]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _list(group: str) -> str:
    names = shelf.names(group)
    links = textwrap.fill(" · ".join(f"[{name}](#{name})" for name in names), 125, break_on_hyphens=False)
    return f"**{TITLES[group][0].partition(':')[0]}** ({len(names)}):\n{links}"


def _section(group: str, name: str) -> Iterator[str]:
    cls = shelf.find(group, name)
    about, source = _docstring(cls)
    yield f"### {name}"
    yield " · ".join(filter(None, (f"*{_of_module(cls)}*", *_facts(cls))))
    yield from about
    if issubclass(cls, Environment):
        yield f"By default: {'; '.join(_of_world(cls()))}."
    yield from _table(group, name, cls)
    yield from _others(group, name)
    yield f"Source: {source}"


def _of_module(cls: type) -> str:
    return str(inspect.getdoc(inspect.getmodule(cls))).splitlines()[0].rstrip(".")


# --- docstrings -----------------------------------------------------------------------------------------------------


def _docstring(cls: type) -> tuple[list[str], str]:
    """Return the paragraphs of a docstring, formulas in blocks, and its source; examples are left out."""
    text = str(inspect.getdoc(cls)).partition("\n>>>")[0]
    paragraphs = [part for part in text.split("\n\n") if part.strip()]
    source = next(part for part in paragraphs if part.startswith("Source: "))
    return [_paragraph(part) for part in paragraphs if part != source], " ".join(source.split()[1:])


def _paragraph(text: str) -> str:
    if text.startswith("    "):
        return f"```text\n{textwrap.dedent(text)}\n```"
    return text.replace("*", "\\*")


# --- facts ----------------------------------------------------------------------------------------------------------


def _facts(cls: type[Component]) -> Iterator[str]:
    """Yield what a user must know before two parts are put together."""
    if issubclass(cls, Schedule) and "temperature" in cls.own_rules():
        yield "adaptive"
    if issubclass(cls, Policy):
        yield "has a temperature" if cls.has_temperature() else ""
        yield "" if cls.has_probabilities() else "has no probabilities"
    if issubclass(cls, Agent):
        yield from _wishes(cls)


def _wishes(cls: type[Agent]) -> Iterator[str]:
    rules = cls.own_rules().values()
    for words, wish in (
        (("next_action", "next_probabilities"), "looks one action ahead"),
        (("probabilities", "next_probabilities"), "needs a policy with probabilities"),
        (("temperature", "next_temperature"), "needs a policy with a temperature"),
    ):
        if any(asks(rule, word) for rule in rules for word in words):
            yield wish
    if cls.suggested_temperature is not None:
        yield f"suggests tau = {cls.suggested_temperature:g}"


def _of_world(env: Any) -> Iterator[str]:
    yield f"a bandit with {env.actions} arms" if env.is_bandit() else f"{env.states} states, {env.actions} actions"
    yield f"recorded: {', '.join(metrics(env))}"
    if env.suggested_temperature is not None:
        yield f"suggests tau = {env.suggested_temperature:g}"
    if env.value_scale is not None:
        yield f"value scale {env.value_scale:g}"


# --- fields ---------------------------------------------------------------------------------------------------------


def _table(group: str, name: str, cls: type[Component]) -> Iterator[str]:
    fields = [field for key, field in schema(cls).items() if not (group == "policy" and key == "temperature")]
    if not fields:
        return
    comments = _comments(shipped("configs") / group / f"{name}.yaml")
    rows = [_row(group, cls, field, comments.get(field.key, "")) for field in fields]
    yield "\n".join(["| key | default | values | unit | meaning |", "|---|---|---|---|---|", *rows])


def _row(group: str, cls: type[Component], field: Field, comment: str) -> str:
    moving = "~" if group != "tau" and _may_move(cls, field) else ""
    written = "" if field.default is dataclasses.MISSING else f"`{_plain(field.default)}`"
    cells = f"`{group}.{field.key}`{moving}", written, _values(field), field.unit, _meaning(comment, field)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _may_move(cls: type[Component], field: Field) -> bool:
    return field.kind is float and cls.takes(field.key, shelf.find("tau", "exponential")())


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else '""' if value == "" else literal(value)


def _values(field: Field) -> str:
    """Return what a field may hold, in words."""
    if issubclass(field.kind, enum.Enum):
        return _either([f"`{member.name.lower()}`" for member in field.kind])
    kinds = {int: "whole number", bool: "`true` or `false`", str: "word", tuple: "list", dict: "keys and values"}
    bounds = " and ".join(_bound(bound) for bound in field.bounds if str(bound) != "finite")
    number = "numbers" if field.kind is tuple and bounds else kinds.get(field.kind, "" if bounds else "number")
    infinite = ["`inf`"] if any(bound.infinite for bound in field.bounds) else []
    words = [f"`{_plain(word)}`" for word in field.words]
    return _either([" ".join(filter(None, (number, bounds))), *infinite, *words])


def _bound(bound: Bound) -> str:
    closed = math.isfinite(bound.low) and math.isfinite(bound.high) and not bound.open
    return f"{bound.low:g} to {bound.high:g}" if closed else str(bound)


def _either(words: list[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def _comments(file: Path) -> dict[str, str]:
    """Return key -> comment of the lines of a YAML file."""
    lines = file.read_text("utf-8").splitlines()
    found = (re.match(r"(\w+):.*?\s#\s*(.*)", line) for line in lines)
    return {match[1]: match[2].strip() for match in found if match}


def _meaning(comment: str, field: Field) -> str:
    """Return what the YAML file says beyond the unit; of a convention, what each choice means."""
    choices = _choices(field.kind) if issubclass(field.kind, enum.Enum) else {}
    if choices:
        return "; ".join(f"`{name}`: {words}" for name, words in choices.items())
    for unit in filter(None, (field.unit, "reward units", "steps")):
        comment = re.sub(rf"^{re.escape(unit)}(, |: |; |$)", "", comment)
    return comment


def _choices(kind: type) -> dict[str, str]:
    """Return member -> the comment behind it, from the source of an enumeration."""
    lines = inspect.getsource(kind).splitlines()
    found = (re.match(r"\s+([A-Z]+) = \d+\s+# (.*)", line) for line in lines)
    return {match[1].lower(): match[2] for match in found if match}


# --- other YAML files of the class ----------------------------------------------------------------------------------


def _others(group: str, name: str) -> Iterator[str]:
    """Yield the other options that use the class, with the numbers in which they differ."""
    usual = _read(shipped("configs") / group / f"{name}.yaml")
    files = sorted((shipped("configs") / group).glob("*.yaml"))
    others = [(file, _read(file)) for file in files if file.stem != name and _read(file)["name"] == name]
    lines = [f"- `{group}={file.stem}`: {_headline(file)}{_difference(values, usual)}" for file, values in others]
    if lines:
        yield "Also:\n" + "\n".join(lines)


def _read(file: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(file.read_text("utf-8")))


def _headline(file: Path) -> str:
    """Return the comment above a YAML file."""
    first = file.read_text("utf-8").splitlines()[0]
    return f"{first.removeprefix('# ')} " if first.startswith("# ") else ""


def _difference(values: dict[str, Any], usual: dict[str, Any]) -> str:
    changed = {key: value for key, value in values.items() if value != usual.get(key)}
    return ", ".join(f"{key} {_plain(value)}" for key, value in changed.items())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
