"""Schedule, Policy, Agent, Environment: what may stand on a shelf, and what their rules may ask for.

A *rule* is an ordinary method, written for one run with scalars and that run's arrays. It asks, by the names
in its signature, for what it needs; `self` holds the component's numbers. See docs/adding.md.
"""

from __future__ import annotations

import dis
import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from rlsoftmax.component import Component, per_class, schema
from rlsoftmax.errors import RuleError, did_you_mean

Floats = npt.NDArray[np.float64]
Arrays = Mapping[str, npt.NDArray[Any]]

# What the loop offers to each rule, besides the arrays that the component owns.
_PLACE = ("state", "observation", "active")
_LUCK = ("step", "luck")
MANY = ("uniforms", "normals", "gumbels")  # one number per action, drawn for all lanes at once; a rule asks for one law
OFFERED: Mapping[str, tuple[str, ...]] = {
    "learn": (
        *_PLACE, "action", "reward", "next_state", "next_observation", "next_active", "next_action", "terminated",
        "ended", "probabilities", "next_probabilities", "temperature", "next_temperature", "next_worth", "allowed",
        "visits", *_LUCK, *MANY,
    ),
    "softness": ("next_temperature",),
    "rank": ("values", *_PLACE, "visits", *_LUCK),
    "prefer": ("preferences", "values", "temperature", "allowed", "visits", *_PLACE, *_LUCK, *MANY),
    "weigh": ("weights", "values", "temperature", "allowed", "visits", *_PLACE, *_LUCK, *MANY),
    "choose": ("values", "changed", "temperature", "allowed", "visits", *_PLACE, "uniform", *_LUCK, *MANY),
    "temperature": ("values", "visits", "allowed", *_PLACE, "step"),
    "observe": ("state", "action", "reward", "change", "terminated", "ended", "visits", *_LUCK),
    "start": ("uniform", *_LUCK),
    "pull": ("action", "uniform", "normal", "time", *_LUCK, *MANY),
    "step": ("state", "action", "uniform", "normal", "time", *_LUCK, *MANY),
    "regret": ("state", "action", "step"),
    "success": ("reward", "terminated", "next_state"),
}  # fmt: skip
MEMORY_ASKS = ("states", "actions", "limit", "luck")


class _Part(Component):
    """What the four contracts share: the rules they may have."""

    rules: ClassVar[tuple[str, ...]] = ()
    absent: ClassVar[tuple[str, ...]] = ()  # what the class declares or asks for, and this instance does without

    @classmethod
    def own_rules(cls) -> dict[str, FunctionType]:
        """Return the rules this class has, by name."""
        return _own_rules(cls)

    @classmethod
    def takes(cls, key: str, value: Component) -> bool:
        """A number that only rules read may be a schedule."""
        if schema(cls)[key].kind is not float or not isinstance(value, Schedule):
            return super().takes(key, value)
        return key in moving(cls) and not (value.adaptive and key != "temperature")

    def check(self) -> None:
        check_class(type(self))


@per_class
def _own_rules(cls: type[_Part]) -> dict[str, FunctionType]:
    found = ((name, inspect.getattr_static(cls, name, None)) for name in cls.rules)
    return {name: rule for name, rule in found if isinstance(rule, FunctionType)}


class Schedule(_Part):
    """A number that changes with the step, `self(step)`, or with the run, by a rule `temperature`.

    A schedule maps an array of steps (float64, counted from 0) to an array of the same shape. It is never compiled.
    An adaptive schedule has a rule `temperature` instead, and may own `memory` and a rule `observe`.
    """

    rules: ClassVar[tuple[str, ...]] = ("temperature", "observe")

    @property
    def adaptive(self) -> bool:
        """Whether the temperature depends on the run, not on the step alone."""
        return "temperature" in type(self).own_rules()

    @property
    def steady(self) -> float | None:
        """The number that is the same at every step, if the schedule knows one: it is then asked for once."""
        return None

    def __call__(self, step: Floats) -> Floats:
        """Return the value at each step."""
        raise RuleError(f"{type(self).__name__} depends on the run: it has no value at a step.")


class Policy(_Part):
    """How values become the chance of each action: `prefer`, `weigh_lanes`, `weigh` in this order, each optional.

    The loop draws the action from the weights. A policy with a field `temperature` receives the study's tau.
    Instead of all three, `choose` may return the action itself; the policy then has no probabilities. It may ask what
    has `changed`: the only action of this state whose value can be another than at the run's last choice, -1 for any.
    A policy with `shapes`, the names of two arrays of its memory, ranks instead of the values the odds p / (1 - p) of a
    p that is drawn for each action from the beta law of these shapes; it has no probabilities either.
    """

    rules: ClassVar[tuple[str, ...]] = ("prefer", "weigh", "choose", "observe")
    shapes: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def has_probabilities(cls) -> bool:
        """Whether the chance of each action is known before it is drawn."""
        rules = cls.own_rules()
        lucky = (asks(rules.get(name), luck) for name in ("prefer", "weigh") for luck in ("luck", *MANY))
        return "choose" not in rules and not cls.shapes and not any(lucky)

    @classmethod
    def has_temperature(cls) -> bool:
        """Whether the study's tau reaches this policy."""
        return "temperature" in schema(cls)


class Agent(_Part):
    """What is remembered and how it changes: `memory` and the rule `learn`.

    `memory(self, states, actions, ...)` returns the arrays of one run by name. It may also ask for `luck`, and for
    `limit`: the steps after which an episode is cut, None for never, 1 for a bandit. The policy ranks the row of the
    first one that belongs to the state, unless a rule `rank` fills `values`. A stage `rank_lanes` may go over what
    `rank` has filled, as `weigh_lanes` does in a policy.

    A stage `worth_lanes` may say what the next state is worth, as a maximum of its row in the first array that is as
    soft as a rule `softness(self, next_temperature)` returns; `learn` asks for it as `next_worth`.
    """

    rules: ClassVar[tuple[str, ...]] = ("learn", "rank", "softness")
    suggested_temperature: ClassVar[float | None] = None


class Environment(_Part):
    """The world of one run: a bandit has `pull` and `actions`; others `start`, `step`, `states`, `actions`, `limit`.

    `own(self, luck)` returns the arrays of one run, `shared(self)` those that all runs read. `limit`: steps before an
    episode is cut, None for never. Optional rules: `regret`, `success`. Optional for the greedy score: a bandit's
    `expected(self, <its arrays>)`, the mean reward of every arm; `transitions(self)`, the table of an environment with
    states. A shared array `allowed` [states, actions] says which actions exist. Optional: `suggested_temperature`,
    `value_scale`, `reward_range`.
    """

    rules: ClassVar[tuple[str, ...]] = ("pull", "start", "step", "regret", "success")
    suggested_temperature: ClassVar[float | None] = None
    value_scale: ClassVar[float | None] = None  # how far values lie apart, in reward units: what `tau=relative` divides

    @classmethod
    def is_bandit(cls) -> bool:
        """Whether a pull is all there is: one state, every step terminal."""
        return "pull" in cls.own_rules()


class Transitions(NamedTuple):
    """The table of an environment: arrays [states, actions, outcomes], and the chance of each first state [states]."""

    chance: npt.NDArray[Any]
    after: npt.NDArray[Any]
    reward: npt.NDArray[Any]
    final: npt.NDArray[Any]
    first: npt.NDArray[Any]


INDEX_BITS = 2**62 - 1


def from_front(index: int) -> int:
    """Return an index that is not negative, as it is; now the compiler knows, of the next few, too.

    Else it asks at every use whether to count from the end, which is a sixth of a step on a table.

    >>> from_front(3)
    3
    """
    return index & INDEX_BITS


def highest(row: Floats) -> float:
    """Return the largest entry of a row; inside a rule much faster than `row.max()`.

    >>> float(highest(np.array([1.0, 3.0, 2.0])))
    3.0
    """
    best, other = row[0], row[row.size - 1]
    for i in range(1, row.size - 1, 2):
        k = from_front(i)
        best, other = max(best, row[k]), max(other, row[k + 1])
    return max(best, other)  # type: ignore[no-any-return]


def asks(rule: Callable[..., object] | None, name: str) -> bool:
    """Return whether a rule asks for `name`."""
    return rule is not None and name in asked(rule)


@per_class
def asked(rule: Callable[..., object]) -> tuple[str, ...]:
    """Return the names a rule asks for, without `self`."""
    return tuple(inspect.signature(rule).parameters)[1:]


def spares(rule: Callable[..., object], name: str, absent: tuple[str, ...]) -> bool:
    """Return whether a rule does without `name`: it has a default, and an instance says that it is absent."""
    return name in absent and inspect.signature(rule).parameters[name].default is not inspect.Parameter.empty


@per_class
def moving(cls: type[_Part]) -> frozenset[str]:
    """Return the fields that only rules read, so that they may change from step to step."""
    used = frozenset(name for rule in cls.own_rules().values() for name in fields_used(rule))
    others = (getattr(value, "fget", value) for method, value in vars(cls).items() if method not in cls.rules)
    built = frozenset(name for other in others if isinstance(other, FunctionType) for name in fields_used(other))
    return frozenset(key for key in schema(cls) if key == "temperature" or (key in used and key not in built))


@per_class
def check_class(cls: type[_Part]) -> None:
    """Refuse, in one sentence, what would otherwise be a compiler's message or a silent wrong number."""
    for rule in cls.own_rules().values():
        check_code(rule)
        for name in fields_used(rule):
            _check_number(cls, rule, name)
        if changed := [str(i.argval) for i in dis.get_instructions(rule) if i.opname == "STORE_ATTR"]:
            raise RuleError(f"{place(rule)}: {changed[0]} cannot be changed in a rule; what changes is in `memory`.")
    call = vars(cls).get("__call__")
    if issubclass(cls, Schedule) and isinstance(call, FunctionType):
        check_code(call)
        for name in fields_used(call):
            if not hasattr(cls, name) and name not in schema(cls):
                raise RuleError(
                    f"{place(call)}: self.{name} is not one of its numbers.{did_you_mean(name, schema(cls))}"
                )


def _check_number(cls: type[_Part], rule: FunctionType, name: str) -> None:
    """Refuse what `self` is not in a compiled loop: it holds the numbers of the component, and nothing else."""
    field = schema(cls).get(name)
    if field is not None and (field.words or not issubclass(field.kind, (int, float))):
        raise RuleError(
            f"{place(rule)}: self.{name} is not a number; a rule reads numbers, true or false, and IntEnums."
        )
    if field is None and isinstance(inspect.getattr_static(cls, name, None), FunctionType):
        raise RuleError(
            f"{place(rule)}: self.{name} is a method, which a rule cannot call; make it a function outside."
        )
    if field is None:
        numbers = [key for key, known in schema(cls).items() if issubclass(known.kind, (int, float))]
        raise RuleError(f"{place(rule)}: self.{name} is not one of its numbers.{did_you_mean(name, numbers)}")


# Functions whose last bit depends on the CPU; rlsoftmax.numeric has them with the same bits everywhere.
UNSAFE = frozenset(
    """exp exp2 expm1 log log2 log10 log1p power pow float_power sin cos tan sinh cosh tanh arcsin arccos arctan arctan2
    asin acos atan atan2 arcsinh arccosh arctanh hypot cbrt logaddexp logaddexp2 gamma lgamma erf erfc""".split()
)
PORTABLE = {
    "exp": "exp",
    "exp2": "exp2",
    "log": "log",
    "power": "power",
    "pow": "power",
    "sin": "sine",
    "cos": "cosine",
}


def check_code(function: FunctionType) -> None:
    """Refuse random modules, `**`, and functions whose bits differ between machines."""
    for instruction, name, module in _uses(function):
        if module in ("random", "numpy.random") or name in ("numpy.random", "random"):
            raise RuleError(
                f"{place(function)}: uses a random module; ask for `uniform`, `normal` or `luck` instead, "
                "which are the same for any machine, batch and order."
            )
        if module in ("numpy", "math") and name in UNSAFE:
            better = f"`from rlsoftmax import {PORTABLE[name]}`" if name in PORTABLE else "rlsoftmax.numeric"
            raise RuleError(
                f"{place(function)}: {module}.{name} differs between machines in the last bit; use {better}."
            )
        if instruction == "**":
            raise RuleError(
                f"{place(function)}: `**` differs between machines in the last bit; use x * x, "
                "or `from rlsoftmax import power`."
            )


def _uses(function: FunctionType) -> Iterator[tuple[str, str, str]]:
    """Yield (operator, name, module it comes from) of what a function's code mentions."""
    owner: Any = None
    for code in _codes(function.__code__):
        for instruction in dis.get_instructions(code):
            if instruction.opname == "LOAD_GLOBAL":
                owner = function.__globals__.get(instruction.argval)
                yield "", *_origin(owner, instruction.argval)
            elif instruction.opname in ("LOAD_ATTR", "LOAD_METHOD"):
                if isinstance(owner, ModuleType):
                    yield "", str(instruction.argval), owner.__name__
                    owner = getattr(owner, str(instruction.argval), None)
            elif instruction.opname == "BINARY_OP" and instruction.argrepr in ("**", "**="):
                yield "**", "", ""
            elif instruction.opname not in ("PUSH_NULL", "NOP", "CACHE"):
                owner = None


def _origin(value: Any, name: str) -> tuple[str, str]:
    if isinstance(value, ModuleType):
        return value.__name__, ""
    if isinstance(value, np.ufunc):
        return value.__name__, "numpy"
    if isinstance(value, BuiltinFunctionType):
        return value.__name__, str(value.__module__)
    return name, ""


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def fields_used(function: FunctionType) -> list[str]:
    """Return the names x of all `self.x` in a function, in order of appearance."""
    if not function.__code__.co_varnames:
        return []
    me = function.__code__.co_varnames[0]
    code = [i for i in dis.get_instructions(function) if i.opname not in ("CACHE", "NOP")]
    used = [
        str(b.argval)
        for a, b in itertools.pairwise(code)
        if _last(a) == me and b.opname in ("LOAD_ATTR", "LOAD_METHOD")
    ]
    return list(dict.fromkeys(used))


def _last(instruction: dis.Instruction) -> Any:
    """Return what an instruction leaves on top; from Python 3.13 on one may load two variables."""
    value = instruction.argval
    return value[-1] if isinstance(value, tuple) and value else value


def place(function: Any) -> str:
    """Return `file:line in Class.rule`, where an author will look."""
    code = function.__code__
    return spot(code.co_filename, code.co_firstlineno, function.__qualname__)


def spot(path: str, line: int, qualname: str) -> str:
    """Return `file:line in Class.rule`; the functions around a class are left out.

    >>> spot("/home/me/mine.py", 3, "test.<locals>.Mine.learn")
    'mine.py:3 in Mine.learn'
    """
    file = path.replace("\\", "/").rpartition("/")[2]
    return f"{file}:{line} in {qualname.rpartition('<locals>.')[2]}"
