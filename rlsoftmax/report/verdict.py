"""What became of the claims that a study makes, such as the numbers of a book; nothing for a study that makes none."""

from __future__ import annotations

import dataclasses

from rlsoftmax.plots import verdicts as words
from rlsoftmax.stats.verdicts import verdicts
from rlsoftmax.store.data import StudyData


@dataclasses.dataclass(frozen=True)
class Line:
    """A claim. answer: holds, fails, or cannot be told; then what was measured, what was expected, and who says so."""

    answer: str
    measured: str
    expected: str
    reason: str


def claims(study: StudyData) -> list[Line]:
    """Return one line per claim of the study, in their order."""
    return [
        Line(one.answer, words.measured(one), words.expected(one.claim), words.reason(one)) for one in verdicts(study)
    ]
