"""The one muted line of every figure: what was played, how many runs, what bands mean, what is missing."""

from __future__ import annotations

import numpy as np

from rlsoftmax.plots import grouping, labels
from rlsoftmax.stats.scores import LEAST
from rlsoftmax.store.data import StudyData

INTERVALS = "bands and bars: 95\u00a0% intervals over runs"
MEMBERS = "cannot be told from the best (95\u00a0%, paired)"


def about(study: StudyData, *parts: str) -> str:
    """Return the line: what was played and how often, then the parts that are not empty, then what is missing."""
    whole = [f"{played(study)}: {runs_of(study)}", *parts]
    return " ".join(["; ".join(filter(None, whole)) + ".", *warnings_of(study)])


def played(study: StudyData) -> str:
    """Return environments, agents and policies in words."""
    names = [
        dict.fromkeys(labels.word(str(cell.config[group]["name"])) for cell in study.cells)
        for group in ("agent", "policy")
    ]
    environments = dict.fromkeys(map(grouping.environment, study.cells))
    return ", ".join(" / ".join(list(some)[:4]) for some in (environments, *names))


def runs_of(study: StudyData) -> str:
    """Return how many runs the cells have, in words."""
    counts = sorted({len(cell.runs) for cell in study.cells})
    some = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return "1 run" if some == "1" else f"{some} runs"


def warnings_of(study: StudyData) -> list[str]:
    """Return what a reader of a figure must know: how many runs are missing or failed, that there are too few."""
    failed = [failure for cell in study.cells for failure in cell.failures]
    least = min((len(cell.runs) for cell in study.cells), default=0)
    planned = study.runs * len(study.cells)
    found = [
        f"{study.missing} of {planned} runs are missing." if study.missing else "",
        f"{len(failed)} of {planned} runs failed and are in no number." if failed else "",
        f"No interval under {LEAST} runs." if least < LEAST else "",
    ]
    return [text for text in found if text]


def gaps(study: StudyData) -> str:
    """Return how many bins are missing because no episode ended in them."""
    shares = [
        float(np.mean(cell.arrays["episodes"] == 0.0))
        for cell in study.cells
        if not grouping.is_bandit(cell) and len(cell.runs)
    ]
    share = float(np.mean(shares)) if shares else 0.0
    return f"{100 * share:.2g} % of all bins have no finished episode and are left out" if share else ""
