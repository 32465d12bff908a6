"""Finding cells by what they are made of: by swept keys, and by keys of the configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from rlsoftmax.canonical import canonical
from rlsoftmax.errors import did_you_mean


class Configured(Protocol):
    """A cell, planned or played."""

    @property
    def config(self) -> Mapping[str, Any]:
        """Return the resolved configuration."""

    @property
    def overrides(self) -> Mapping[str, Any]:
        """Return swept key -> value."""


C = TypeVar("C", bound=Configured)


def value_of(cell: Configured, key: str) -> Any:
    """Return what a cell has for a key, None if it has no such key.

    As swept, else as configured; a group is the name of its component, tau the number of a constant.
    """
    if key in cell.overrides:
        return cell.overrides[key]
    node: Any = cell.config
    for word in key.split("."):
        if not isinstance(node, Mapping) or word not in node:
            return None
        node = node[word]
    if isinstance(node, Mapping) and "name" in node:
        return node["value"] if key == "tau" and node["name"] == "constant" else node["name"]
    return node


def fitting(cells: Iterable[C], keys: Mapping[str, Any]) -> list[C]:
    """Return the cells that have all these values."""
    return [cell for cell in cells if all(_has(cell, key, value) for key, value in keys.items())]


def _has(cell: Configured, key: str, value: Any) -> bool:
    found = value_of(cell, key)
    return found is not None and bool(found == value or str(found) == str(value))


def telling(cells: Sequence[Configured], axes: Iterable[str]) -> str:
    """Return which of the swept keys tell these cells apart: `tau or agent.alpha`; empty if none does."""
    return " or ".join(key for key in axes if len({canonical(cell.overrides.get(key)) for cell in cells}) > 1)


def hint(cells: Sequence[Configured], keys: Mapping[str, Any], axes: Iterable[str]) -> str:
    """Return what to write instead of keys that no cell fits: the closest key, or the values that one takes."""
    for key, value in keys.items():
        values = list(dict.fromkeys(str(found) for cell in cells if (found := value_of(cell, key)) is not None))
        if not values:
            return did_you_mean(key, axes)
        if str(value) not in values:
            return f" {key} takes: {', '.join(values[:20])}."
    return f" It has {len(cells)} cells."
