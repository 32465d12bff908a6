"""Plain values as text: equal values become equal bytes, which are hashed, compared and stored."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from rlsoftmax.errors import ConfigError, shown


def canonical(value: Any) -> str:
    """Return JSON that is the same for equal values, whatever the order of their keys; infinity is written "inf".

    A plan says the same keys and bins for every cell; those are written once and remembered, which `json` cannot.

    Raises:
      ConfigError: for what is neither number, word, list nor keys and values.
      ValueError: for NaN.

    >>> canonical({"b": 1.0, "a": math.inf})
    '{"a":"inf","b":1.0}'
    """
    return _WRITERS.get(type(value), _derived)(value)


class Settled(dict[str, Any]):
    """Keys and values that nobody changes any more: their text is made once, however many cells say them.

    >>> canonical([Settled(a=1)] * 2)
    '[{"a":1},{"a":1}]'
    """

    @functools.cached_property
    def text(self) -> str:
        """Return them as canonical JSON."""
        return _named(self)


def _derived(value: Any) -> str:
    """Write what is a number, word or the like by inheritance."""
    for kind, write in _WRITERS.items():
        if isinstance(value, kind):
            return write(value)
    raise ConfigError(f"{shown(value)} is not a plain value (number, word, list or keys and values).")


def _real(number: float) -> str:
    if number - number == 0.0:
        return float.__repr__(number)
    if math.isnan(number):
        raise ValueError("NaN is not a plain value")
    return '"inf"' if number > 0 else '"-inf"'


def _named(values: Mapping[Any, Any]) -> str:
    text = values if set(map(type, values)) == _WORDS else {str(key): value for key, value in values.items()}
    return "{" + ",".join([f"{_key(key)}:{canonical(text[key])}" for key in sorted(text)]) + "}"


def _row(values: Sequence[Any]) -> str:
    if set(map(type, values)) == _INTEGERS:
        return _integers(tuple(values))
    return "[" + ",".join(map(canonical, values)) + "]"


_WORDS = {str}
_INTEGERS = {int}  # and no bool among them: True and 1 are written differently, but are equal
_key = functools.lru_cache(4096)(quoted)


@functools.lru_cache(64)
def _integers(row: tuple[int, ...]) -> str:
    return "[" + ",".join(map(str, row)) + "]"


_WRITERS: dict[type, Callable[[Any], str]] = {
    str: quoted,
    bool: {False: "false", True: "true"}.__getitem__,
    int: int.__repr__,
    float: _real,
    type(None): lambda _: "null",
    list: _row,
    tuple: _row,
    Settled: operator.attrgetter("text"),
    dict: _named,
    Mapping: _named,
}
