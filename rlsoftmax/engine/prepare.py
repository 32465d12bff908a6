"""Before a kind is played: rehearse rules that are not ours, compile, and say plainly what is wrong."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np
from numba.core.errors import NumbaError

from rlsoftmax.contracts import place
from rlsoftmax.engine.blocks import Block
from rlsoftmax.engine.fuse import fuse, linked
from rlsoftmax.engine.loop import Game
from rlsoftmax.engine.setup import Setup
from rlsoftmax.errors import RuleError

REHEARSED_LANES, REHEARSED_STEPS, REHEARSED_LIMIT = 2, 40, 7


def prepare(setup: Setup, debug: bool = False) -> Callable[[Game], None]:
    """Return the compiled loop of this kind, ready to be called. Raises RuleError in one sentence."""
    kernel = fuse(setup.kind, debug)
    block = Block([setup], np.zeros(1, np.int64), np.zeros(1, np.int64))
    try:
        with np.errstate(all="ignore"):
            kernel(block._game(0))  # no step: only the types matter
    except NumbaError as error:
        raise RuleError(shortened(error, setup)) from error
    return kernel


# --- the compiler's messages ----------------------------------------------------------------------------------------

_PLACE = re.compile(r'File "([^"]+)", line (\d+)')
_NOISE = re.compile(r"\x1b\[[0-9;]*m")


def shortened(error: NumbaError, setup: Setup) -> str:
    """Return `file:line in Class.rule: sentence` of what the compiler could not do."""
    text = _NOISE.sub("", str(error))
    rules = [rule for part in _parts(setup) for rule in type(part).own_rules().values()]
    for file, line in _PLACE.findall(text)[::-1]:
        for rule in rules:
            if _within(rule, file, int(line)):
                return f"{_basename(file)}:{line} in {rule.__qualname__}: {_sentence(text)}."
    return f"{setup.kind}: {_sentence(text)}."


def _sentence(text: str) -> str:
    """Return the first line that says what is wrong, without the compiler's vocabulary."""
    if missing := re.search(r"(?:NameError: )?name '(\w+)' is not defined", text):
        return f"{missing[1]} is not defined"
    if field := re.search(r"Field '(\w+)' was not found in record", text):
        return f"self.{field[1]} is not one of its numbers"
    if unify := re.search(r"Cannot unify (.+?) and (.+?) for '(\w+)", text):
        return f"{unify[3].split('.')[0]} is sometimes {_kind(unify[1])} and sometimes {_kind(unify[2])}"
    if "NRT" in text or "_nrt" in text.lower():
        return "a rule cannot make or return an array; write into the arrays it asks for"
    if call := re.search(r"No implementation of function Function\((.+?)\) found", text):
        return f"{_callee(call[1])} cannot be compiled for these arguments"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    useful = [line for line in lines if not line.startswith(("Failed in", "During:", "File", "<source", "-", "^"))]
    return (useful[0] if useful else "it cannot be compiled").rstrip(".")


def _kind(numba_type: str) -> str:
    if numba_type.startswith(("array", "Array")):
        return "an array"
    return "a number" if re.match(r"(u?int|float|Literal|bool)", numba_type) else numba_type


def _callee(text: str) -> str:
    return text.replace("<built-in function ", "").split(" at ")[0].strip("<>").removeprefix("function ")


def _within(rule: FunctionType, file: str, line: int) -> bool:
    lines = [number for _, _, number in rule.__code__.co_lines() if number]
    return rule.__code__.co_filename.endswith(file) and min(lines) - 1 <= line <= max(lines)


def _basename(file: str) -> str:
    return file.replace("\\", "/").rpartition("/")[2]


def _parts(setup: Setup) -> list[Any]:
    parts: list[Any] = [setup.agent, setup.policy, setup.heat, setup.env]
    return [part for part in parts if part is not None]


# --- rehearsal ------------------------------------------------------------------------------------------------------


class Guarded(np.ndarray[Any, Any]):
    """An array that refuses an index from the end: in a compiled loop it would reach other memory."""

    def __getitem__(self, index: Any) -> Any:
        _check_index(index)
        return super().__getitem__(index)

    def __setitem__(self, index: Any, value: Any) -> None:
        _check_index(index)
        super().__setitem__(index, value)


def _check_index(index: Any) -> None:
    for part in index if isinstance(index, tuple) else (index,):
        if isinstance(part, (int, np.integer)) and part < 0:
            raise IndexError(f"index {part} is below 0")


def rehearse(setup: Setup) -> None:
    """Play 2 lanes for 40 steps in the interpreter, with an end and a cut, so that a wrong rule fails here and not
    in other runs' memory. Raises RuleError with file and line."""
    lanes = np.arange(REHEARSED_LANES)
    block = Block([setup], 0 * lanes, lanes, window=11)
    block.memory = [array.view(Guarded) for array in block.memory]
    try:
        block.play(_with_ends(setup, block), min(REHEARSED_STEPS, setup.steps))
    except Exception as error:  # rules that are not ours may raise anything
        raise RuleError(f"{_where(error, setup)}: {type(error).__name__}: {error}") from error


def _with_ends(setup: Setup, block: Block) -> Callable[[Game], None]:
    """Return the interpreted loop, in which every fifth step ends the episode and a limit cuts it early."""
    if setup.kind.bandit:
        return linked(setup.kind, {})
    move = linked(setup.kind, {}).__globals__["move"]
    calls = [0]

    def ending(*asked: Any) -> Any:
        there, reward, terminated = move(*asked)
        calls[0] += 1
        _check_state(there, setup)
        return there, reward, terminated or calls[0] % (5 * REHEARSED_LANES) < REHEARSED_LANES

    played = linked(setup.kind, {"move": ending})
    return lambda game: played(game._replace(limit=min(game.limit, REHEARSED_LIMIT)))


def _check_state(state: Any, setup: Setup) -> None:
    if not 0 <= state < setup.world.states:
        rule = type(setup.env).own_rules()["step"]
        raise IndexError(f"{place(rule)} returned state {state}, of {setup.world.states}")


def _where(error: Exception, setup: Setup) -> str:
    """Return file:line of the innermost frame that belongs to a rule's file."""
    files = {rule.__code__.co_filename for part in _parts(setup) for rule in type(part).own_rules().values()}
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in files]
    if frames:
        return f"{_basename(frames[-1].filename)}:{frames[-1].lineno} in {frames[-1].name}"
    return str(setup.kind)
