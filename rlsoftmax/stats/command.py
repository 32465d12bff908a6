"""The command that made a study, with one thing changed: what a warning tells a user to type."""

from __future__ import annotations

import ast
import itertools
import math
import shlex
from collections.abc import Sequence
from typing import TypeGuard


def changed(command: str, key: str, values: Sequence[float | str]) -> str:
    """Return a command with other values for a key; empty if there is no command that can be read.

    Args:
      command: a command line, or a call in Python, `rs.sweep(...)`.
      key: such as `runs`, `tau` or `agent.alpha`; what the command says about it is replaced.
      values: one or more numbers or names; a number is read back as the same number.

    >>> changed("rlsoftmax sweep 'tau=octaves(1/4,4)' runs=5", "runs", [30])
    "rlsoftmax sweep 'tau=octaves(1/4,4)' runs=30"
    >>> changed("rlsoftmax sweep tau=1,2", "tau", [0.5, 1.0, 2.0, 4.0])
    "rlsoftmax sweep 'tau=octaves(1/2,4)'"
    >>> changed("rs.sweep(env='testbed', tau=[1, 2], runs=5)", "tau", [4.0, 8.0])
    "rs.sweep(env='testbed', runs=5, tau=[4.0, 8.0])"
    """
    try:
        return _call(command, key, values) if command.startswith("rs.") else _line(command, key, values)
    except (ValueError, SyntaxError):  # an object without a text form, or an open quote
        return ""


def _line(command: str, key: str, values: Sequence[float | str]) -> str:
    words = shlex.split(command)
    others = [word for word in words if not word.startswith(f"{key}=")]
    return shlex.join([*others, _override(key, values)]) if words else ""


def _override(key: str, values: Sequence[float | str]) -> str:
    if _are_octaves(values):
        return f"{key}=octaves({_power_of_two(values[0])},{_power_of_two(values[-1])})"
    return f"{key}={','.join(_typed(value) if isinstance(value, float) else str(value) for value in values)}"


def _are_octaves(values: Sequence[float | str]) -> TypeGuard[Sequence[float]]:
    """Return whether these are more than three powers of two, each the double of the one before."""
    numbers = [value for value in values if isinstance(value, float) and 0.0 < value < math.inf]
    doubled = all(b == 2.0 * a for a, b in itertools.pairwise(numbers))
    return len(values) == len(numbers) > 3 and doubled and math.frexp(numbers[0])[0] == 0.5


def _power_of_two(value: float) -> str:
    return f"{value:.0f}" if value >= 1.0 else f"1/{1.0 / value:.0f}"


def _typed(value: float) -> str:
    """Return a number as one types it: the same number, since another one would be another cell."""
    short = f"{value:.15g}"
    return short if float(short) == value else repr(value)


def _call(command: str, key: str, values: Sequence[float | str]) -> str:
    call = ast.parse(command, mode="eval").body
    if not isinstance(call, ast.Call):
        raise ValueError("not a call")
    call.args = [arg for arg in call.args if not _says(arg, key)]
    call.keywords = [keyword for keyword in call.keywords if keyword.arg != key]
    for keyword in call.keywords:
        if keyword.arg is None and isinstance(keyword.value, ast.Dict):  # **{"agent.alpha": ...}
            _forget(keyword.value, key)
    call.keywords = [k for k in call.keywords if k.arg or not isinstance(k.value, ast.Dict) or k.value.keys]
    if key.isidentifier():
        numbers = [_shortest(value) for value in values]
        text = repr(numbers[0] if len(numbers) == 1 else numbers)
        call.keywords.append(ast.keyword(key, ast.parse(text, mode="eval").body))
    else:
        call.args.append(ast.Constant(_override(key, values)))
    return ast.unparse(call)


def _shortest(value: float | str) -> float | str:
    """Return a value whose `repr` can be typed: infinity is a word."""
    return value if not isinstance(value, float) or math.isfinite(value) else f"{value:g}"


def _says(arg: ast.expr, key: str) -> bool:
    return isinstance(arg, ast.Constant) and isinstance(arg.value, str) and arg.value.startswith(f"{key}=")


def _forget(values: ast.Dict, key: str) -> None:
    kept = [
        (name, value)
        for name, value in zip(values.keys, values.values, strict=True)
        if not (isinstance(name, ast.Constant) and name.value == key)
    ]
    values.keys, values.values = [name for name, _ in kept], [value for _, value in kept]
