"""Boltzmann exploration: configured, swept, measured and plotted.

>>> import rlsoftmax as rs
>>> rs.octaves(1 / 4, 2)
[0.25, 0.5, 1.0, 2.0]
"""

from __future__ import annotations

import importlib
from typing import Any

from rlsoftmax.errors import ConfigError, RlsoftmaxError

__version__ = "0.1.0"

_LAZY = {
    "api": ("run", "sweep", "load", "compare"),
    "study": ("Study", "Cell"),
    "experiment.shorthand": ("octaves", "linspace", "geomspace", "pilot"),
    "contracts": ("Agent", "Environment", "Policy", "Schedule", "highest"),
    "component": ("Bound", "Count", "NonNegative", "Number", "Positive", "Share", "Temperature"),
    "numeric": ("exp", "exp2", "log", "power", "sine", "cosine", "another_uniform", "another_normal"),
}
_HOME = {name: module for module, names in _LAZY.items() for name in names}

__all__ = ["ConfigError", "RlsoftmaxError", "__version__", *sorted(_HOME)]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used; a component, `rs.QLearning`, comes from its shelf."""
    if name in _HOME:
        value = getattr(importlib.import_module(f"rlsoftmax.{_HOME[name]}"), name)
    elif name[:1].isupper():
        from rlsoftmax.shelf import class_named

        value = class_named(name)
    else:
        raise AttributeError(f"module 'rlsoftmax' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    from rlsoftmax.shelf import class_names

    return sorted({*globals(), *_HOME, *class_names()})
