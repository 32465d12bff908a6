"""What is written to: terminals and pipes that do not know every letter get plainer ones, instead of an error."""

from __future__ import annotations

import codecs
import io
import os
import sys

PLAINER = "rlsoftmax.plainer"
WORDS = {
    "τ": "tau", "β": "beta", "ε": "epsilon", "±": "+-", "×": "x", "·": "-", "−": "-", "≈": "~", "…": "...", "→": "->",
    "\u00a0": " ",
}  # fmt: skip
WORDS |= dict.fromkeys("█▉▊▋▌", "#") | dict.fromkeys("▍▎▏", " ")  # bars


def plainer(error: UnicodeError) -> tuple[str, int]:
    """Return what is written instead of the letters that an encoding does not have, and where to go on."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(WORDS.get(letter, "?") for letter in error.object[error.start : error.end]), error.end


def use_plainer_letters() -> None:
    """Let the standard streams write letters that their encoding does not have in others; what is closed takes all."""
    codecs.register_error(PLAINER, plainer)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - as long as the process
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=PLAINER)
