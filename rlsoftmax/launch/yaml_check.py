"""YAML is data: no code, no settings of Hydra, no file that grows when it is read. Checked before Hydra sees it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NoReturn

import yaml

from rlsoftmax.errors import ConfigError

MOST_BYTES, MOST_VALUES, MOST_DEPTH = 1_000_000, 20_000, 50
HYDRA_KEYS = ("launcher", "sweeper", "verbose")  # what a user's file may say below `hydra:`
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def check_yaml(text: str, path: Path) -> None:
    """Refuse a file that is not plain data.

    Raises:
      ConfigError: naming file and line.
    """
    root = _parsed(text, path)
    if root is None:
        return
    if not isinstance(root, yaml.MappingNode):
        _refuse(path, root, "expected lines of the form `key: value`.")
    if _Sizes(path).of(root) > MOST_VALUES:
        raise ConfigError(f"{path}: more than {MOST_VALUES} values once its aliases are expanded.")
    for key, value in root.value:
        if key.value == "hydra":
            _check_hydra(value, path)


def _parsed(text: str, path: Path) -> yaml.Node | None:
    """Return the nodes; the depth is known before anything recurses."""
    depth = 0
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MOST_DEPTH:
                line = _line(event.start_mark)
                raise ConfigError(f"{path}:{line}: nested more than {MOST_DEPTH} levels deep.")
        node: yaml.Node | None = yaml.compose(text, Loader=_LOADER)
        return node
    except yaml.MarkedYAMLError as error:
        line = _line(error.problem_mark)
        raise ConfigError(f"{path}:{line}: not valid YAML: {error.problem}.") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML: {' '.join(str(error).split())}.") from None


class _Sizes:
    """Counts the values of the expanded tree without expanding it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[int, float] = {}

    def of(self, node: yaml.Node) -> float:
        """Return how many values a node stands for; infinite for one that contains itself."""
        if id(node) not in self._known:
            self._known[id(node)] = math.inf
            self._known[id(node)] = 1 + sum(self.of(child) for child in self._children(node))
        return self._known[id(node)]

    def _children(self, node: yaml.Node) -> list[yaml.Node]:
        if isinstance(node, yaml.SequenceNode):
            return list(node.value)
        if not isinstance(node, yaml.MappingNode):
            return []
        self._check_keys(node)
        return [part for pair in node.value for part in pair]

    def _check_keys(self, node: yaml.MappingNode) -> None:
        names = [str(key.value) for key, _ in node.value]
        for name, (key, _) in zip(names, node.value, strict=True):
            if name == "_target_" or "@hydra" in name:
                _refuse(self.path, key, f"{name} is not used here; components are chosen by name.")
            if names.count(name) > 1:
                _refuse(self.path, key, f"{name} is given twice.")


def _check_hydra(node: yaml.Node, path: Path) -> None:
    for key, value in _pairs(node, path, "hydra"):
        if key.value not in HYDRA_KEYS:
            _refuse(path, key, f"hydra.{key.value} cannot be set; only {', '.join(HYDRA_KEYS)} can.")
        if key.value != "verbose":
            for inner, params in _pairs(value, path, f"hydra.{key.value}"):
                if inner.value == "params":
                    _pairs(params, path, f"hydra.{key.value}.params")


def _pairs(node: yaml.Node, path: Path, name: str) -> list[tuple[Any, Any]]:
    if not isinstance(node, yaml.MappingNode):
        _refuse(path, node, f"{name} must be lines of the form `key: value`.")
    return list(node.value)


def _refuse(path: Path, node: yaml.Node, why: str) -> NoReturn:
    raise ConfigError(f"{path}:{_line(node.start_mark)}: {why}")


def _line(mark: Any) -> int:
    return mark.line + 1 if mark is not None else 1
