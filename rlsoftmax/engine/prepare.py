"""Compile a kind before it is played, and say in one sentence what the compiler could not do."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from types import FunctionType

import numpy as np
from numba.core.errors import NumbaError, NumbaExperimentalFeatureWarning

from rlsoftmax.contracts import place, spot
from rlsoftmax.engine.blocks import Block
from rlsoftmax.engine.fuse import fuse
from rlsoftmax.engine.inside import BEHAVIOUR, behaviour, seen_inside
from rlsoftmax.engine.link import callees
from rlsoftmax.engine.loop import Game
from rlsoftmax.engine.rehearsal import rehearse
from rlsoftmax.engine.setup import Setup
from rlsoftmax.errors import RuleError

__all__ = ["prepare", "rehearse", "shortened"]

# Equal rules of two classes share a kernel; that one class has more fields than the other is nothing to warn about.
warnings.filterwarnings("ignore", "Record.*has been considered a subtype", NumbaExperimentalFeatureWarning)


def prepare(setup: Setup, debug: bool = False) -> Callable[[Game], None]:
    """Return the compiled loop of this kind, ready to be called. Raises RuleError in one sentence."""
    kernel = fuse(setup.kind, debug)
    block = Block([setup], np.zeros(1, np.int64), np.zeros(1, np.int64))
    try:
        with np.errstate(all="ignore"):
            kernel(block._game(0))  # no step: only the types matter
            if BEHAVIOUR in (seen_inside(setup) if setup.inside else ()):
                behaviour(block)
    except NumbaError as error:
        raise RuleError(shortened(error, setup)) from error
    return kernel


def shortened(error: NumbaError, setup: Setup) -> str:
    """Return `file:line in Class.rule: sentence` of what the compiler could not do."""
    text = _COLOURS.sub("", str(error))
    return f"{_where(text, setup)}: {_sentence(text)}."


# --- where ----------------------------------------------------------------------------------------------------------

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_PLACE = re.compile(r"\bat (\S[^\n]*?) \((\d+)\)$", re.MULTILINE)
_FUNCTION = re.compile(r"<function (\S+) at 0x")


def _where(text: str, setup: Setup) -> str:
    """Return the innermost place that an author wrote: the compiler's message goes from the inside to the outside."""
    written = list(_written(setup))
    for path, line in _PLACE.findall(text):
        for function in written:
            if function.__code__.co_filename == path and int(line) in _lines(function):
                return spot(path, int(line), function.__qualname__)
    for qualname in _FUNCTION.findall(text):
        for function in written:
            if function.__qualname__ == qualname:
                return place(function)
    return str(setup.kind)


def _written(setup: Setup) -> Iterator[FunctionType]:
    """Yield the rules of a kind and every function they reach, except this library's own."""
    waiting = [rule for part in setup.parts for rule in type(part).own_rules().values()]
    seen: set[FunctionType] = set()
    while waiting:
        function = waiting.pop()
        if function not in seen:
            seen.add(function)
            waiting += callees(function).values()
            if not str(function.__module__).startswith("rlsoftmax.engine"):
                yield function


def _lines(function: FunctionType) -> range:
    lines = [number for _, _, number in function.__code__.co_lines() if number]
    return range(min(lines), max(lines) + 1)


# --- what -----------------------------------------------------------------------------------------------------------

MAKES = "zeros ones empty full arange array asarray copy linspace zeros_like ones_like empty_like full_like".split()


def _sentence(text: str) -> str:
    """Return what is wrong, without the compiler's vocabulary."""
    if missing := re.search(r"(?:NameError: )?name '(\w+)' is not defined", text):
        return f"{missing[1]} is not defined"
    if field := re.search(r"Field '(\w+)' was not found in record", text):
        return f"self.{field[1]} is not one of its numbers"
    if unify := re.search(r"Cannot unify (.+?) and (.+?) for '(\w+)", text):
        kinds = sorted(map(_kind, unify.groups()[:2]))  # in which order they are met, depends on the Python
        return f"{unify[3]} is sometimes {kinds[0]} and sometimes {kinds[1]}"
    if methods := re.findall(r"BoundFunction\(\(<class 'numba[^']*Array'>, '(\w+)'\)", text):
        way = "loop over its numbers, or `from rlsoftmax import highest`"
        return f".{methods[-1]}() of an array cannot be compiled in a rule; {way}"
    called = re.search(r"No implementation of function Function\((.+?)\) found", text)
    if called and _name(called[1]) in MAKES:
        return f"np.{_name(called[1])} makes an array, which a rule cannot; ask for one that `memory` returns"
    if "NRT required" in text:
        return "makes a list or an array, which a rule cannot; loop over the numbers, or ask for an array of `memory`"
    if "Only accept returning of array" in text:
        return "returns an array; it must fill one that it asks for"
    if called:
        return f"{_name(called[1])} cannot be compiled for these arguments"
    return _first_line(text)


def _kind(numba_type: str) -> str:
    if numba_type.startswith(("array", "Array")):
        return "an array"
    return "a number" if re.match(r"(u?int|float|Literal|bool)", numba_type) else numba_type


def _name(text: str) -> str:
    """Return the name in `<built-in function zeros>` or `<function mine at 0x...>`."""
    return text.replace("<built-in function ", "").split(" at ")[0].strip("<>").removeprefix("function ")


def _first_line(text: str) -> str:
    lines = (line.strip() for line in text.splitlines())
    noise = ("Failed in", "During:", "File", "<source", "- ", "^", ">>>")
    return next((line.rstrip(".") for line in lines if line and not line.startswith(noise)), "it cannot be compiled")
