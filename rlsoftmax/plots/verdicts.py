"""What became of the claims of a study, in words: one line for each."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rlsoftmax.plots import grouping
from rlsoftmax.plots.table import decimals, spread
from rlsoftmax.stats.verdicts import Verdict, verdicts
from rlsoftmax.store.claims import SCORES, Claim
from rlsoftmax.store.data import StudyData


def lines(study: StudyData, width: int = 100) -> list[str]:
    """Return one line for each claim: the verdict, what was measured, what was expected, and who says so.

    Args:
      width: of the terminal, in columns; a longer line goes on below itself.
    """
    rows = [(one.answer, measured(one), expected(one.claim), reason(one)) for one in verdicts(study)]
    wide = [max((len(row[at]) for row in rows), default=0) for at in range(3)]
    return [line for row in rows for line in _wrapped(row, wide, width)]


def _wrapped(row: Sequence[str], wide: Sequence[int], width: int) -> Iterator[str]:
    head = "  ".join(f"{word:<{most}}" for word, most in zip(row, wide, strict=False))
    room = max(width - len(head) - 2, 30)
    first, *more = textwrap.wrap(row[3], room, break_long_words=False, break_on_hyphens=False)
    yield f"{head}  {first}"
    yield from (f"{'':{len(head)}}  {part}" for part in more)


def measured(verdict: Verdict) -> str:
    """Return the mean and half the width of its 95 % interval: `1.04 ± 0.03`."""
    return "–" if verdict.measured is None else spread(verdict.measured, decimals([verdict.measured]))


def expected(claim: Claim) -> str:
    """Return what was expected, as a range: `expected 1 ± 0.1`.

    >>> expected(Claim("reward", {}, "", above=-0.5, below=1.0))
    'expected > −0.5, < 1'
    """
    if claim.expected is not None:
        text = f"{claim.expected:g} ± {claim.tolerance:g}"
    else:
        ends = (f"{sign} {end:g}" for sign, end in ((">", claim.above), ("<", claim.below)) if end is not None)
        text = ", ".join(ends)
    return f"expected {text}".replace("-", "−")


def reason(verdict: Verdict) -> str:
    """Return the claim in words, with its source; and why nothing was measured, if so."""
    claim = verdict.claim
    why = f" [{verdict.why.rstrip('.')}]" if verdict.why else ""
    return "".join(c if c.isprintable() else " " for c in f"{claim.says or _said(claim)} ({claim.source}){why}")


def _said(claim: Claim) -> str:
    """Return what a claim is about, if it does not say so itself."""
    what = f"{claim.quantity} score" if claim.quantity in SCORES else grouping.unit(claim.quantity)
    when = "" if claim.steps is None else f", steps {claim.steps[0]} to {claim.steps[1]}"
    minus = "" if claim.minus is None else f" minus {_cell(claim.minus)}"
    return f"{what}{when}: {_cell(claim.cell)}{minus}"


def _cell(keys: Mapping[str, Any]) -> str:
    return " ".join(f"{key}={value}" for key, value in keys.items()) or "the cell"
