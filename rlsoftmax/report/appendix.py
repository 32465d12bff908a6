"""The statistical appendix: every number that stands behind the verdict, cell by cell."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Sequence

import numpy as np

from rlsoftmax.errors import ArgumentError
from rlsoftmax.plots import grouping, labels
from rlsoftmax.report.items import Group, Item, Items, Panel
from rlsoftmax.stats.compare import Comparison, compare, in_pairs
from rlsoftmax.stats.conditions import scored
from rlsoftmax.stats.distribution import distribution
from rlsoftmax.stats.evidence import holm
from rlsoftmax.stats.improvement import paired_improvement
from rlsoftmax.stats.power import detectable_effect
from rlsoftmax.stats.scores import LEAST, Floats, Ints, Scores
from rlsoftmax.stats.selection import selection_uncertainty
from rlsoftmax.stats.sensitivity import sensitivity

Runs = tuple[Ints, Floats]  # run numbers and their scores
HEADS = (
    "cell", "n", "standard deviation", "median", "middle half", "behind the best", "95 % interval", "p (Holm)",
    "best beats it in", "pairing saved", "detectable", "would win",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Evidence:
    """One condition and score: a line per cell on the axis, whose first word names it, and sentences."""

    where: str
    score: str
    heads: tuple[str, ...]
    lines: tuple[tuple[Item, tuple[str, ...]], ...]
    sentences: tuple[str, ...]


def evidence(items: Items) -> list[Evidence]:
    """Return what stands behind the verdict, for every score and condition in which there are enough runs."""
    found = [_evidence(panel, items.axis, which) for which in items.scores for panel in items.panels]
    return [each for each in found if each is not None]


def _evidence(panel: Panel, axis: str | None, which: str) -> Evidence | None:
    shown = [item for item in panel.drawn if item.rows[which].score.n >= LEAST]
    best = panel.best[which]
    if best is None or best not in shown:
        return None
    scores = {item.place: scored(item.cell, which) for item in shown}
    behind = {item.place: _compared(scores[best.place], scores[item.place]) for item in shown if item is not best}
    known = {place: each for place, each in behind.items() if each is not None}
    p = dict(zip(known, holm([each.p for each in known.values()]).tolist(), strict=True)) if known else {}
    wins = _wins([scores[item.place] for item in shown])
    words = [
        _words(item, (scores[item.place], scores[best.place]), known.get(item.place), p.get(item.place), win)
        for item, win in zip(shown, wins, strict=True)
    ]
    kept = [at for at in range(len(HEADS)) if any(line[at] for line in words)]
    lines = tuple((item, tuple(line[at] for at in kept)) for item, line in zip(shown, words, strict=True))
    flat = [text for group in panel.groups if not group.others and (text := _sensitivity(group, axis, which))]
    return Evidence(panel.where, which, tuple(HEADS[at] for at in kept), lines, tuple(flat))


def _compared(best: Scores, other: Scores) -> Comparison | None:
    try:
        return compare(best, other)
    except ArgumentError:  # under 3 shared runs
        return None


def _wins(scores: Sequence[Scores]) -> list[float]:
    try:
        return [float(share) for share in selection_uncertainty(scores)]
    except ArgumentError:  # under 3 runs are shared by all
        return [math.nan] * len(scores)


def _words(
    item: Item, pair: tuple[Runs, Runs], behind: Comparison | None, p: float | None, win: float
) -> tuple[str, ...]:
    """Return the words of HEADS. pair: the scores of the item and of the best."""
    own, best = pair
    shape, spread = distribution(own), float(np.nanstd(own[1], ddof=1))
    first = (item.name, str(shape.n), _number(spread), _number(shape.median), _range(shape.low, shape.high))
    if behind is None or p is None:
        return (*first, "best" if own is best else "–", "", "", "", "", "", _share(win))
    x, y, _ = in_pairs(best, own)
    deviation = float(np.std(x - y, ddof=1))
    return (
        *first, _number(behind.difference), _range(behind.low, behind.high), _chance(p),
        _share(paired_improvement(x, y).mean), _share(behind.pairing_saved),
        _number(deviation * _detectable(behind.n)) if deviation > 0.0 else "0", _share(win),
    )  # fmt: skip


@functools.cache
def _detectable(runs: int) -> float:
    """Return the smallest difference, in standard deviations, that so many runs would show with a chance of 80 %."""
    return detectable_effect(runs, 1.0)


def _sensitivity(group: Group, axis: str | None, which: str) -> str:
    """Return how wide the range of good values is; nothing where the axis has no logarithm."""
    having = [item for item in group.items if item.row.value is not None and item.rows[which].score.n >= LEAST]
    if axis is None or len(having) < LEAST:
        return ""
    try:
        flat = sensitivity([item.row.value or 0.0 for item in having], [scored(item.cell, which) for item in having])
    except ArgumentError:
        return ""
    name = f"{group.label}: " if group.label else ""
    key, low, high = labels.key(axis), labels.number(flat.low), labels.number(flat.high)
    return (
        f"{name}within {100 * flat.share:.0f} % of the best mean from {key} = {low} to {high} "
        f"({flat.width:.1f} octaves); one who picks {key} at random on this axis gets {_number(flat.area.mean)} "
        f"({_range(flat.area.low, flat.area.high)})."
    )


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3g}".replace("-", "−")


def _range(low: float, high: float) -> str:
    return f"{_number(low)} to {_number(high)}"


def _share(value: float) -> str:
    return "–" if math.isnan(value) else f"{round(100 * value)} %".replace("-", "−")


def _chance(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _chosen_on(items: Items) -> str:
    if any(item.row.fresh for item in items):
        return "the runs shown here and played again on fresh ones: the score on those is the one to report."
    return "the same runs that its score is reported on, so that score is too high on average."


def methods(items: Items) -> list[str]:
    """Return how the numbers were made, in sentences that hold for this study."""
    counts = sorted({len(item.cell.runs) for item in items})
    some = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    first = items.first.cell
    episodes = not grouping.is_bandit(first)
    return [
        f"Each cell has {some} runs. Intervals are over runs, never over steps: Student's t, 95 %; none under {LEAST} "
        "runs.",
        "Run i of every cell has the same luck, so cells are compared in pairs, run by run. “Pairing saved” is the "
        "share of runs that sharing luck made unnecessary.",
        "“Cannot be told from the best” is screening with common random numbers (Nelson, Swann, Goldsman and Song, "
        "2001): paired t, Bonferroni over the others; the truly best cell is kept with at least 95 %.",
        f"The best was chosen on {_chosen_on(items)} “Would win” is how often a cell has the highest mean when the "
        "runs are drawn again (2000 resamples).",
        "“Detectable” is the true difference from the best that so many runs would have shown with a chance of 80 %. "
        "“Best beats it in” is the share of runs in which the best scored higher with the same luck, a tie being half.",
        *(["A bin in which no episode ended is missing, never 0."] if episodes else []),
    ]
