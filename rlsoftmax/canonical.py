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

    A plan says the same keys and bins for every cell; what is `Settled` is written once, which `json` cannot.

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


class SettledRow(list[Any]):
    """A list that nobody changes any more: its text is made once.

    >>> canonical([SettledRow([1, 2])] * 2)
    '[[1,2],[1,2]]'
    """

    @functools.cached_property
    def text(self) -> str:
        """Return it as canonical JSON."""
        return _row(self)


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
    return "{" + ",".join([f"{said}{canonical(values[key])}" for key, said in _in_order(*values)]) + "}"


@functools.lru_cache(4096, typed=True)  # 1 and True are equal, but are written differently
def _in_order(*keys: Any) -> list[tuple[Any, str]]:
    """Return each key and how it is written, sorted."""
    return sorted(((key, f"{quoted(str(key))}:") for key in keys), key=lambda pair: str(pair[0]))


def _row(values: Sequence[Any]) -> str:
    return "[" + ",".join(map(canonical, values)) + "]"


_WRITERS: dict[type, Callable[[Any], str]] = {
    str: quoted,
    bool: {False: "false", True: "true"}.__getitem__,
    int: int.__repr__,
    float: _real,
    type(None): lambda _: "null",
    list: _row,
    tuple: _row,
    Settled: operator.attrgetter("text"),
    SettledRow: operator.attrgetter("text"),
    dict: _named,
    Mapping: _named,
}
