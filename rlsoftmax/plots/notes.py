"""The one muted line of every figure: what was played, how many runs, what bands mean, what is missing."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

import numpy as np

from rlsoftmax.plots import grouping, labels
from rlsoftmax.stats.fresh import on_fresh_runs
from rlsoftmax.stats.scores import LEAST
from rlsoftmax.stats.warnings import Caution, cautions
from rlsoftmax.store.data import CellData, StudyData

INTERVALS = "bands and bars: 95\u00a0% intervals over runs"
_BASIC, _OF_THE_AXIS = ("missing", "failed", "few_runs"), ("edge", "skew")  # kinds of warnings
MEMBERS = "cannot be told from the best (95\u00a0%, paired)"


def about(study: StudyData, *parts: str, best_by: str = "") -> str:
    """Return the line: what was played and how often, then the parts that are not empty, then warnings.

    Args:
      best_by: the score by which the figure calls a cell the best on its axis; empty if it does not.
    """
    whole = [f"{played(study)}: {runs_of(study)}", *parts]
    return " ".join(["; ".join(filter(None, whole)) + ".", *_warnings(study, best_by)])


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


def warnings(study: StudyData, score: str | None = None) -> list[Caution]:
    """Return the warnings that terminal, figures and report share: what a verdict does not say anyway.

    They are about the cells on the axis: the edge of its grid matters even if a rival is better.

    Args:
      score: `online` or `greedy`, which decides what is best.
    """
    study = grouping.present(study)
    which = grouping.check_score(study, score)
    axis = next(iter(grouping.axes_with_numbers(study)), None)
    on = [cell for panel in grouping.panels(study, axis, which) for cell in panel.cells]
    scored = tuple(cell for cell in on if which == "online" or grouping.has_score(cell, which))
    basic = [one for one in cautions(study) if one.kind in _BASIC and (one.kind != "few_runs" or _intervals(study))]
    about = cautions(dataclasses.replace(study, cells=scored), which) if scored else ()
    return basic + [one for one in about if one.kind in _OF_THE_AXIS]


def _intervals(study: StudyData) -> bool:
    """Return whether every cell has an interval: if not, that is said, and not that intervals are wide."""
    return all(len(cell.runs) >= LEAST for cell in study.cells)


def _warnings(study: StudyData, best_by: str) -> Iterator[str]:
    """Yield what a reader of a figure must know; what to do about it, behind a semicolon, is for the terminal."""
    for one in warnings(study, best_by or None):
        if one.kind in _BASIC or (best_by and one.kind == "edge"):
            text = one.text.partition(";")[0].rstrip(".")
            yield f"{text[:1].upper()}{text[1:]}."
    if not _intervals(study):
        yield f"No interval under {LEAST} runs."


def worth(study: StudyData, best: CellData | None, which: str) -> str:
    """Return on which runs the score of a best cell rests, in words."""
    if best is None or len(study.cells) < 2:
        return ""
    stages = on_fresh_runs(study, best, which)
    if stages is None:
        return "the best was chosen on these runs"
    half = (stages.fresh.high - stages.fresh.low) / 2.0
    digits = max(math.ceil(-math.log10(half / 1.5)), 0) if half > 0.0 else 3
    return f"the best scored {stages.fresh.mean:.{digits}f} ± {half:.{digits}f} on {stages.fresh.n} fresh runs"


def gaps(study: StudyData) -> str:
    """Return how many bins are missing because no episode ended in them."""
    shares = [
        float(np.mean(cell.arrays["episodes"] == 0.0))
        for cell in study.cells
        if not grouping.is_bandit(cell) and len(cell.runs)
    ]
    share = float(np.mean(shares)) if shares else 0.0
    return f"{100 * share:.2g} % of all bins have no finished episode and are left out" if share else ""
