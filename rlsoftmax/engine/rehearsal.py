"""Try rules that are not ours in the interpreter, with guarded arrays, before they run compiled among other runs.

In a compiled loop an index out of range or a weight that nobody filled is no error but a wrong number, or another
run's memory. Here it is a sentence with file and line.
"""

from __future__ import annotations

import math
import re
import traceback
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

import numpy as np

from rlsoftmax.component import schema
from rlsoftmax.contracts import Schedule, place, spot
from rlsoftmax.engine.blocks import Block
from rlsoftmax.engine.fuse import linked
from rlsoftmax.engine.loop import Choice, Game
from rlsoftmax.engine.setup import Array, Setup
from rlsoftmax.errors import ConfigError, RuleError, shown

LANES, STEPS, LIMIT, WINDOW = 2, 40, 7, 11
EVERY = 5  # an episode is ended at every fifth step of a lane


def rehearse(setup: Setup) -> None:
    """Play 2 lanes for 40 steps in the interpreter, with ends and cuts. Raises RuleError with file and line."""
    lanes = np.arange(LANES)
    try:
        for part, key, schedule in schedules_of(setup):
            check_schedule(schedule, schema(type(part))[key].bounds, key, setup.steps)
        block = Block([setup], 0 * lanes, lanes, WINDOW)
        block.memory = [guarded(array) for array in block.memory]
        block.play(_watched(setup, block), min(STEPS, setup.steps))
    except ConfigError:
        raise
    except Exception as error:  # rules that are not ours may raise anything
        raise RuleError(f"{_where(error, setup)}: {_sentence(error)}.") from error


def _watched(setup: Setup, block: Block) -> Callable[[Game], None]:
    """Return the interpreted loop, with guarded arrays, checked rules, and episodes that end early."""
    names = linked(setup.kind, {}).__globals__
    played = linked(setup.kind, _hooks(setup, block, names))
    shared = tuple(map(read_only, setup.world.shared.values()))

    def kernel(game: Game) -> None:
        choices: dict[str, Any] = {"now": _guarded_choice(game.now), "cut": _guarded_choice(game.cut)}
        played(game._replace(limit=min(game.limit, LIMIT), shared=shared, **choices))

    return kernel


# --- arrays that say no ---------------------------------------------------------------------------------------------


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


def guarded(array: Array) -> Array:
    """Return the same array, guarded."""
    return array.view(Guarded)


def _guarded_choice(choice: Choice | None) -> Choice | None:
    """Return the buffers of a choice, guarded; those that the kind does not use are not there."""
    if choice is None:
        return None
    return Choice(*(guarded(part) if isinstance(part, np.ndarray) else part for part in choice))


def read_only(array: Array) -> Array:
    """Return the same array, guarded and not to be written."""
    view = array.view(Guarded)
    view.flags.writeable = False
    return view


# --- rules that are watched -----------------------------------------------------------------------------------------


def _hooks(setup: Setup, block: Block, names: dict[str, Any]) -> dict[str, Any]:
    """Return checked versions of the rules, by the names that the loop calls them."""
    has = {name: rule for part in setup.parts for name, rule in type(part).own_rules().items()}
    states, actions, box = setup.world.states, setup.world.actions, not setup.kind.has_states
    is_state, is_action = _whole_below(states, "a state"), _whole_below(actions, "an action")
    hooks: dict[str, Any] = {"learn": _learning(names["learn"], has["learn"], block)}
    for rule, name, check in (
        ("pull", "pull", _is_number),
        ("choose", "decide", is_action),
        ("temperature", "heat", _is_temperature),
        ("regret", "lose", _is_number),
        ("start", "start", _is_anything if box else is_state),
    ):
        if rule in has:
            hooks[name] = _returning(names[name], has[rule], check)
    for rule, word, check in (("rank", "values", _are_numbers), ("prefer", "preferences", _are_numbers)):
        if rule in has:
            hooks[rule] = _filling(names[rule], has[rule], word, check)
    if "weigh" in has:
        hooks["weigh"] = _filling(names["weigh"], has["weigh"], "weights", _are_weights, not names["WEIGHS_LANES"])
    if "step" in has:
        hooks["move"] = _ending(names["move"], has["step"], None if box else is_state)
    return hooks


def _returning(bound: Any, rule: FunctionType, check: Callable[[Any], str]) -> Any:
    """Return the rule, its answer checked, which may not write into what it is shown.

    check: an answer -> what is wrong with it, or nothing.
    """

    def called(self: Any, game: Any, lane: Any, *asked: Any) -> Any:
        answer = bound(self, game, lane, *(read_only(a) if isinstance(a, np.ndarray) else a for a in asked))
        _complain(rule, check(answer))
        return answer

    return called


def _filling(bound: Any, rule: FunctionType, word: str, check: Callable[[Any], str], all_of_it: bool = True) -> Any:
    """Return a rule that fills an array, checked: it must fill all of it, unless a stage has filled it before."""

    def called(self: Any, game: Any, lane: Any, into: Any, *asked: Any) -> None:
        if all_of_it:
            into[:] = np.nan
        values = (read_only(asked[0]), *asked[1:]) if word != "values" else asked
        _complain(rule, _is_nothing(bound(self, game, lane, into, *values)))
        if wrong := check(into):
            _complain(rule, f"fills {word} with {shown(into.tolist())}: {wrong}")

    return called


def _ending(bound: Any, rule: FunctionType, check: Callable[[Any], str] | None) -> Any:
    """Return `step`, checked, in which every fifth step of a lane ends the episode. check: what a state must be."""
    calls, wanted = [0], "(reward, terminated)" if check is None else "(next state, reward, terminated)"

    def called(*asked: Any) -> Any:
        answer = bound(*asked)
        calls[0] += 1
        ends = calls[0] % (EVERY * LANES) < LANES
        if not isinstance(answer, tuple) or len(answer) != wanted.count(",") + 1:
            _complain(rule, f"returns {_shown(answer)}, not {wanted}")
        *there, reward, terminated = answer
        _complain(rule, check(there[0]) if check else "")
        _complain(rule, _is_number(reward))
        return (*there, reward, bool(terminated or ends))

    return called


def _learning(bound: Any, rule: FunctionType, block: Block) -> Any:
    """Return `learn`, checked: it returns nothing, and leaves finite numbers behind."""

    def called(*asked: Any) -> None:
        _complain(rule, _is_nothing(bound(*asked)))
        _complain(rule, "leaves a number in its memory that is not finite" if block.broken().any() else "")

    return called


def _shown(answer: Any) -> str:
    """Return an answer as plain Python shows it; a guarded array cannot show itself."""
    return shown(answer.tolist() if isinstance(answer, (np.ndarray, np.generic)) else answer)


def _complain(rule: FunctionType, wrong: str) -> None:
    if wrong:
        raise RuleError(f"{place(rule)}: {wrong}.")


# --- what may be wrong with an answer -------------------------------------------------------------------------------


def _is_anything(answer: Any) -> str:
    return ""


def _is_nothing(answer: Any) -> str:
    return "" if answer is None else "returns something; it changes the arrays that it asks for"


def _is_number(answer: Any) -> str:
    number = isinstance(answer, (bool, int, float, np.number, np.bool_)) and math.isfinite(answer)
    return "" if number else f"returns {_shown(answer)}, not a finite number"


def _is_temperature(answer: Any) -> str:
    number = isinstance(answer, (bool, int, float, np.number)) and answer >= 0.0
    return "" if number else f"returns {_shown(answer)}; a temperature is a number >= 0"


def _whole_below(count: int, what: str) -> Callable[[Any], str]:
    def check(answer: Any) -> str:
        fine = isinstance(answer, (int, np.integer)) and 0 <= answer < count
        return "" if fine else f"returns {_shown(answer)}, not {what} in 0..{count - 1}"

    return check


def _are_numbers(row: Array) -> str:
    return "an entry is missing or NaN" if np.isnan(row).any() else ""


def _are_weights(row: Array) -> str:
    if np.isnan(row).any():
        return "an entry is missing or NaN"
    if (row < 0.0).any() or np.isinf(row).any():
        return "a weight is >= 0 and finite"
    return "" if row.sum() > 0.0 else "one of them must be above 0"


# --- schedules ------------------------------------------------------------------------------------------------------


def schedules_of(setup: Setup) -> Iterator[tuple[Any, str, Schedule]]:
    """Yield (component, field, schedule) of every number that changes with the step."""
    for part in setup.parts:
        for key in schema(type(part)):
            value = getattr(part, key)
            if isinstance(value, Schedule) and not value.adaptive:
                yield part, key, value


def check_schedule(schedule: Schedule, bounds: Any, key: str, steps: int) -> None:
    """Refuse a schedule whose values are no array of numbers, or outside what the field `key` may hold."""
    at = np.unique(np.append(np.arange(min(STEPS, steps)), [steps - 1, steps])).astype(np.float64)
    with np.errstate(all="ignore"):
        values = schedule(at)
    call = type(schedule).__call__
    if not isinstance(values, np.ndarray) or values.shape != at.shape or values.dtype.kind not in "fiu":
        raise RuleError(f"{place(call)}: returns {_shown(values)}, not an array of one number per step, like `step`.")
    for bound in bounds:
        wrong = np.flatnonzero([number not in bound for number in values.tolist()])
        if wrong.size:
            number, step = values[wrong[0]], at[wrong[0]]
            raise RuleError(f"{place(call)}: returns {number} at step {step:.0f}; {key} must be {bound}.")


# --- sentences ------------------------------------------------------------------------------------------------------


def _where(error: Exception, setup: Setup) -> str:
    """Return the place of the innermost frame that belongs to a file of the components, or the kind."""
    parts = [*setup.parts, *(schedule for _, _, schedule in schedules_of(setup))]
    methods = [function for part in parts for function in vars(type(part)).values()]
    files = {method.__code__.co_filename for method in methods if isinstance(method, FunctionType)} - {"<string>"}
    found = str(setup.kind)
    for frame, line in traceback.walk_tb(error.__traceback__):
        code = frame.f_code
        found = spot(code.co_filename, line, code.co_qualname) if code.co_filename in files else found
    return found


def _sentence(error: Exception) -> str:
    """Return what an exception says, in our words where its own are about NumPy's insides."""
    text = " ".join(str(error).split()).rstrip(".")
    if missing := re.search(r"'(?:numpy\.)?record' object has no attribute '(\w+)'", text):
        return f"self.{missing[1]} is not one of its numbers"
    if "read-only" in text:
        return "writes into an array that it may only read"
    if "more than one element is ambiguous" in text:
        return "asks whether an array is true; a rule gets numbers, a schedule an array of steps"
    return text if text and not isinstance(error, (KeyError, AssertionError)) else f"{type(error).__name__} {text}"
