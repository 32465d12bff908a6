"""One family of errors: each names the key, the rule and the value, and says what to do.

>>> str(BadValue("alpha", 2.0, "must be >= 0 and <= 1"))
'alpha=2.0 must be >= 0 and <= 1.'
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class RlsoftmaxError(Exception):
    """Everything this library raises on purpose."""


class ArgumentError(RlsoftmaxError, ValueError):
    """A function was called with something outside its domain: the message names argument, rule and value."""


class ConfigError(RlsoftmaxError, ValueError):
    """The request cannot be run as it is written; one or two lines say what, where and what to do."""


class BadValue(ConfigError):
    """A key was given a value that breaks its rule."""

    def __init__(self, key: str, value: object, rule: str) -> None:
        self.key, self.value, self.rule = key, value, rule
        super().__init__(f"{key}={shown(value)} {rule}.")

    def below(self, prefix: str) -> BadValue:
        """Return the same complaint about `prefix.key`, the key the user wrote."""
        return BadValue(f"{prefix}.{self.key}" if prefix else self.key, self.value, self.rule)


class RuleError(ConfigError):
    """A rule of a component cannot be linked: the message says which line asks for what."""


class StoreError(RlsoftmaxError):
    """Stored results are damaged, or contradict each other."""


class RunFailure(RlsoftmaxError):
    """A run failed while it was played: the message names cell, run, step, state and action."""


class Interrupted(RlsoftmaxError):
    """The user stopped the program; what was finished is stored, and the same command continues."""


def did_you_mean(word: str, known: Iterable[object]) -> str:
    """Return the closest known word as a hint, and all of them.

    >>> did_you_mean("exponetial", ["constant", "exponential"])
    " Did you mean 'exponential'? Known: constant, exponential."
    """
    names = sorted(map(str, known))
    close = difflib.get_close_matches(str(word), names, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"{hint} Known: {', '.join(names) or 'none'}."


def shown(value: object, most: int = 80) -> str:
    """Return `repr(value)`, shortened to one line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= most else f"{text[: most - 3]}..."
