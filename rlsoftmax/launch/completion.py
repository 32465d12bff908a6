"""Tab completion: Hydra's own, after the command word is taken off the line."""

from __future__ import annotations

import os
from collections.abc import Sequence

from rlsoftmax.experiment.shorthand import expand
from rlsoftmax.launch.command import COMMANDS
from rlsoftmax.places import GROUPS, options, stored, studies

_STORED = ("plot", "show", "trace", "watch", "digest", "verify", "report", "export")


def complete(flags: Sequence[str]) -> list[str]:
    """Return the words that could come next; what Hydra knows is printed by Hydra itself.

    The line so far is in COMP_LINE, as bash gives it.
    """
    _, *words = os.environ.get("COMP_LINE", "").split(" ")
    if len(words) <= 1:
        return list(COMMANDS)
    command, *words = words
    if command in _STORED:
        return stored()
    if command == "ls":
        return [*GROUPS, "study", "results"]
    if command == "study" and len(words) <= 1:
        return list(studies())
    if command in ("run", "sweep", "study"):
        _ask_hydra(words[1:] if command == "study" else words, flags)
    return []


def _ask_hydra(words: Sequence[str], flags: Sequence[str]) -> None:
    from rlsoftmax.launch.app import drive

    *before, last = words
    expanded = [part for word in before for part in expand(word, options("tau"))]
    os.environ["COMP_LINE"] = " ".join(["rlsoftmax", *expanded, last])
    drive(flags, [])
