"""How a grid of numbers goes on beyond its ends, as far as the key allows it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from rlsoftmax.component import Field, schema
from rlsoftmax.errors import ConfigError
from rlsoftmax.shelf import SHELVES, find


def next_values(values: Sequence[float], at: float) -> list[float]:
    """Return the two numbers that continue an ascending grid beyond its end `at`; none if `at` is no end.

    A grid of equal ratios continues in ratios, any other in steps, never to 0 or below. Nothing follows 0 or infinity.

    >>> next_values([0.25, 0.5, 1.0, 2.0], at=2.0), next_values([0.25, 0.5, 1.0, 2.0], at=0.25)
    ([4.0, 8.0], [0.125, 0.0625])
    """
    if at not in (values[0], values[-1]) or at in (0.0, math.inf):
        return []
    outwards = [v for v in (values if at == values[-1] else values[::-1]) if 0.0 < v < math.inf]
    if len(outwards) < 2:
        return []
    before, last = outwards[-2:]
    if np.allclose(np.diff(np.log(outwards)), math.log(last / before), rtol=0.2):
        return [_clean(last * last / before), _clean(last * (last / before) ** 2)]
    return [
        _clean(value) for value in (2 * last - before, 3 * last - 2 * before) if value > 1e-9 * last
    ]  # no rounded 0


def _clean(value: float) -> float:
    """Return 0.4 for 0.4000000000000001: nobody has played these values yet. Powers of two stay what they are."""
    return value if math.frexp(value)[0] == 0.5 else float(f"{value:.6g}")


def legal(config: Mapping[str, Any], key: str, values: Iterable[float]) -> list[float]:
    """Return the values that a key such as `agent.alpha` may have; all, if its component is not known here.

    >>> legal({"agent": {"name": "q_learning"}}, "agent.alpha", [0.5, 1.0, 2.0])
    [0.5, 1.0]
    """
    field = _field(config, key)
    return list(values) if field is None else [value for value in values if _fits(value, field)]


def _field(config: Mapping[str, Any], key: str) -> Field | None:
    group, _, name = key.partition(".")
    chosen = config.get(group)
    if group not in SHELVES or not isinstance(chosen, Mapping):
        return None
    try:
        return schema(find(group, str(chosen.get("name")))).get(name)
    except ConfigError:  # it came with the run, and is not here
        return None


def _fits(value: float, field: Field) -> bool:
    whole = field.kind is not int or float(value).is_integer()
    return whole and all(value in bound for bound in field.bounds)
