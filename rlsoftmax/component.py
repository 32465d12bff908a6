"""A component is a frozen dataclass whose annotations are its schema: type, bounds and unit of every field.

>>> class Cooling(Component):
...     start: Annotated[float, POSITIVE, "reward units"] = 1.0
>>> Cooling(start=2)
Cooling(start=2.0)
>>> Cooling(start=-1)
Traceback (most recent call last):
...
rlsoftmax.errors.BadValue: start=-1.0 must be > 0.
"""

from __future__ import annotations

import copy
import dataclasses
import enum
import functools
import math
import re
import types
from collections.abc import Callable, Iterable, Mapping
from typing import (
    Annotated,
    Any,
    ClassVar,
    Literal,
    TypeVar,
    Union,
    cast,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

from rlsoftmax.canonical import Settled
from rlsoftmax.errors import BadValue, ConfigError, did_you_mean

F = TypeVar("F", bound=Callable[..., Any])


def per_class(function: F) -> F:
    """Return `functools.cache` of a function of a class, typed (mypy looks at the hash of instances instead)."""
    return cast(F, functools.cache(function))


@dataclasses.dataclass(frozen=True)
class Bound:
    """An interval of numbers. `open`: the low end is excluded; `infinite`: infinity itself is a legal value."""

    low: float = -math.inf
    high: float = math.inf
    open: bool = False
    infinite: bool = False

    def __contains__(self, value: float) -> bool:
        if math.isinf(value) and not self.infinite:
            return False
        return (value > self.low if self.open else value >= self.low) and value <= self.high

    def __str__(self) -> str:
        low = "" if self.low == -math.inf else f"{'> ' if self.open else '>= '}{_end(self.low)}"
        high = "" if self.high == math.inf else f"<= {_end(self.high)}"
        return " and ".join(filter(None, (low, high))) or "finite"


def _end(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:g}"


NONNEGATIVE, POSITIVE = Bound(0.0), Bound(0.0, open=True)

Number = Annotated[float, Bound()]
Positive = Annotated[float, POSITIVE]
NonNegative = Annotated[float, NONNEGATIVE]
Share = Annotated[float, Bound(0.0, 1.0)]
Temperature = Annotated[float, Bound(0.0, infinite=True), "reward units"]
Count = Annotated[int, Bound(1)]
Seed = Annotated[int, Bound(0, 2**64 - 1)]


@dataclasses.dataclass(frozen=True)
class Field:
    """What one field of a component may hold."""

    key: str
    kind: type
    words: tuple[object, ...]  # literals that are also allowed, such as "auto" or None
    bounds: tuple[Bound, ...]
    unit: str
    default: Any  # dataclasses.MISSING when there is none


@dataclass_transform(frozen_default=True)
class Component:
    """Subclasses become frozen dataclasses that check their own fields. Errors: BadValue."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        dataclasses.dataclass(frozen=True, eq=False)(cls)

    def __post_init__(self) -> None:
        for key, field in schema(type(self)).items():
            value = getattr(self, key)
            if not (isinstance(value, Component) and self.takes(key, value)):
                value = checked(value, field)
            object.__setattr__(self, key, value)
        self.check()

    def check(self) -> None:
        """Check what concerns several fields; raise BadValue."""

    @classmethod
    def takes(cls, key: str, value: Component) -> bool:
        """Return whether a component may stand where the number `key` is expected."""
        return isinstance(value, schema(cls)[key].kind)

    @functools.cached_property
    def described(self) -> Settled:
        """Return the component as plain values, its name first: what is stored of it."""
        return Settled(describe(self))

    @property
    def identity(self) -> str:
        """Return what equal components share: their plain values as canonical JSON."""
        return self.described.text

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.identity == other.identity

    @functools.cached_property
    def _hash(self) -> int:
        return hash((type(self), self.identity))

    def __hash__(self) -> int:
        return self._hash


C = TypeVar("C", bound=Component)


@per_class
def name_of(cls: type) -> str:
    """Return the name used in YAML and for the file.

    >>> [name_of(type(name, (), {})) for name in ("SampleAverage", "QLearning")]
    ['sample_average', 'q_learning']
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", cls.__name__).lower()


def is_shipped(cls: type) -> bool:
    """Return whether a class came with this library."""
    return cls.__module__.partition(".")[0] == "rlsoftmax"


@per_class
def schema(cls: type) -> dict[str, Field]:
    """Return the fields of a component class, read from its annotations."""
    hints = get_type_hints(cls, include_extras=True)
    return {f.name: _field(f.name, hints[f.name], _default(f)) for f in dataclasses.fields(cls)}


def _default(field: dataclasses.Field[Any]) -> Any:
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def _field(key: str, hint: Any, default: Any) -> Field:
    hint, *about = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    choices = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    words: list[object] = []
    kinds: list[type] = []
    for choice in choices:
        if get_origin(choice) is Literal:
            words.extend(get_args(choice))
        elif choice is type(None):
            words.append(None)
        elif get_origin(choice) is Annotated:
            kind, *inner = get_args(choice)
            kinds.append(kind)
            about.extend(inner)
        else:
            kinds.append(get_origin(choice) or choice)
    bounds = tuple(a for a in about if isinstance(a, Bound))
    unit = next((a for a in about if isinstance(a, str)), "")
    return Field(key, kinds[0] if kinds else str, tuple(words), bounds, unit, default)


def checked(value: Any, field: Field) -> Any:
    """Return the value in the field's type, or raise BadValue."""
    if any(value is word or (type(value) is type(word) and value == word) for word in field.words):
        return value
    kind = field.kind
    if kind is float:
        value = _as_float(value)
    elif kind is int and type(value) is float and value.is_integer():  # steps=1e6
        value = int(value)
    elif issubclass(kind, enum.Enum):
        return _as_enum(value, field)
    elif kind is tuple and isinstance(value, (list, tuple)):
        value = tuple(value)
    elif kind is dict and isinstance(value, Mapping):
        value = copy.deepcopy(dict(value))
    _check_type(value, field)
    for bound in field.bounds:
        for number in value if kind is tuple else (value,):
            if number not in bound:
                raise BadValue(field.key, value, f"must be {bound}")
    return value


def _as_float(value: Any) -> Any:
    if type(value) is int:
        return float(value)
    return math.inf if value == "inf" else value  # JSON has no other way to write it


def _as_enum(value: Any, field: Field) -> Any:
    """A convention is written as a lower-case name in YAML."""
    if isinstance(value, field.kind):
        return value
    members: dict[str, Any] = {name.lower(): member for name, member in field.kind.__members__.items()}  # type: ignore[attr-defined]
    if isinstance(value, str) and value in members:
        return members[value]
    raise BadValue(field.key, value, f"must be one of: {', '.join(members)}")


def _check_type(value: Any, field: Field) -> None:
    kind: Any = field.kind
    words = "".join(f" or {word}" for word in field.words)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        names = {
            float: "a number",
            int: "a whole number",
            bool: "true or false",
            str: "a word",
            dict: "keys and values",
        }
        raise BadValue(field.key, value, f"must be {names.get(kind, kind.__name__)}{words}")
    if kind is float and (math.isnan(value) or (math.isinf(value) and not any(b.infinite for b in field.bounds))):
        finite = "" if any(b.infinite for b in field.bounds) else "finite "
        raise BadValue(field.key, value, f"must be a {finite}number{words}")


def check_keys(keys: Iterable[str], known: Iterable[str], where: str) -> None:
    """Refuse a key that is not a field, with the closest one that is."""
    known = list(known)
    for key in keys:
        if key not in known:
            raise ConfigError(f"unknown key {where}.{key}.{did_you_mean(key, known)}".replace("key .", "key "))


def build(cls: type[C], values: Mapping[str, Any], where: str) -> C:
    """Return the component with these values; errors name `where.key`."""
    fields = schema(cls)
    check_keys(values, fields, where)
    for key, field in fields.items():
        if key not in values and field.default is dataclasses.MISSING:
            raise ConfigError(f"missing key {where}.{key}.")
    try:
        return cls(**values)
    except BadValue as error:
        raise error.below(where) from None


def describe(component: Component) -> dict[str, Any]:
    """Return the component as plain values, its name first: what YAML says and what is stored."""
    return {"name": name_of(type(component))} | {
        key: _plain(getattr(component, key)) for key in schema(type(component))
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Component):
        return describe(value)
    if isinstance(value, enum.Enum):
        return value.name.lower()
    if isinstance(value, tuple):
        return list(value)
    return value
