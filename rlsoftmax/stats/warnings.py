"""Warnings as data: what a reader must know beside a number. Terminal, figures and report show the same."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Caution:
    """One warning.

    kind: few_runs, edge, noise, skew, two_bests, chosen or missing.
    text: one sentence.
    command: what to type about it; empty if there is nothing to type.
    """

    kind: str
    text: str
    command: str = ""
