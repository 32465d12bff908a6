"""A study as a table: for a terminal, a notebook, and a spreadsheet. All three show the same rows."""

from __future__ import annotations

import csv as spreadsheet
import dataclasses
import html as markup
import io
import math
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from rlsoftmax.errors import ArgumentError
from rlsoftmax.frames.spreadsheet import harmless, spelled
from rlsoftmax.plots import grouping, labels, notes, scales, series, style
from rlsoftmax.stats.compare import Comparison, compare
from rlsoftmax.stats.conditions import scored
from rlsoftmax.stats.fresh import on_fresh_runs
from rlsoftmax.stats.intervals import Interval
from rlsoftmax.stats.scores import LEAST
from rlsoftmax.stats.selection import TwoStage
from rlsoftmax.stats.warnings import Caution
from rlsoftmax.store.data import SNAPSHOT, CellData, StudyData

_LONG = 48  # rows of a terminal table; of longer ones, groups are shown by their best cell


@dataclasses.dataclass(frozen=True)
class Row:
    """One cell.

    where: its condition in words. group: what tells it from other groups on the axis. label: its value, or its name.
    value: its swept number; None for a rival, which has none. tried: how many rivals of its kind there are.
    behind: how far its score is below that of the best on the axis, paired where runs are shared; None under 3 of them.
    fresh, fresh_greedy: the score, and the greedy one, on the runs that chose the cell and on fresh ones, if any.
    share: of optimal pulls, or of successful episodes. actions: effective actions at the last snapshot, mean over runs.
    """

    cell: CellData
    where: str
    group: str
    label: str
    value: float | None
    score: Interval
    behind: Comparison | None
    share: float | None
    actions: float | None
    greedy: Interval | None
    best: bool
    member: bool
    rival: bool = False
    leads: bool = False
    tried: int = 1
    fresh: TwoStage | None = None
    fresh_greedy: TwoStage | None = None


def rows(study: StudyData, score: str | None = None) -> list[Row]:
    """Return one row per cell: those on the axis group by group and ascending, then the others.

    Args:
      score: `online` or `greedy`, which decides what is best.

    Raises:
      ConfigError: for an unknown score, or one that the study does not have.
    """
    study = grouping.present(study)
    which = grouping.check_score(study, score)
    axis = main_axis(study)
    found = [row for panel in grouping.panels(study, axis, which) for row in _rows(study, panel, axis, which)]
    return [_with_fresh(row, study, which) for row in found] if study.fresh else found


def main_axis(study: StudyData) -> str | None:
    """Return the swept number that orders the table: the temperature where there is one; None if there is none."""
    return next(iter(grouping.axes_with_numbers(study)), None)


def _rows(study: StudyData, panel: grouping.Panel, axis: str | None, which: str) -> Iterator[Row]:
    best = panel.standing.best if panel.standing is not None else grouping.highest(panel.cells, which)
    members = {cell.id for cell in panel.standing.members} if panel.standing is not None else set()
    on = {cell.id for cell in panel.cells}
    leaders = {rival.cell.id: rival for rival in panel.rivals}
    for group, heading in _headed(panel.groups):
        values = group.values or (None,) * len(group.cells)
        spelled = labels.spelled(group.values) if group.values else [group.label or _kind(cell) for cell in group.cells]
        for cell, value, label in zip(group.cells, values, spelled, strict=True):
            row = _row(cell, panel.where, heading, label, value, best, which)
            yield dataclasses.replace(row, member=cell.id in members)
    for cell in panel.off:
        row = _row(cell, panel.where, "", grouping.rival_name(cell, panel.cells, panel.off), None, best, which)
        rival = leaders.get(cell.id)
        tried = rival.tried if rival is not None else 1
        yield dataclasses.replace(row, best=False, rival=cell.id not in on, leads=rival is not None, tried=tried)


def _with_fresh(row: Row, study: StudyData, which: str) -> Row:
    found = {
        which: on_fresh_runs(study, row.cell, which) for which in grouping.SCORES if row.greedy or which == "online"
    }
    return dataclasses.replace(row, fresh=found.get(which), fresh_greedy=found.get("greedy"))


def _headed(groups: Sequence[grouping.Group]) -> list[tuple[grouping.Group, str]]:
    """Return each group with its heading. Without a swept number, names of two parts or more stand below the first."""
    if any(group.values for group in groups):
        return [(group, group.label) for group in groups]
    heads = list(dict.fromkeys(group.words[0] for group in groups if len(group.words) > 1))
    if len(heads) < 2 or len(heads) == len(groups) or any(len(group.words) < 2 for group in groups):
        return [(group, "") for group in groups]
    ordered = sorted(groups, key=lambda group: heads.index(group.words[0]))
    return [(dataclasses.replace(group, words=group.words[1:]), group.words[0]) for group in ordered]


def _kind(cell: CellData) -> str:
    return labels.word(str(cell.config["agent"]["name"]))


def _row(
    cell: CellData, where: str, group: str, label: str, value: float | None, best: CellData | None, which: str
) -> Row:
    scores = cell.scores(which) if grouping.has_score(cell, which) else np.zeros(0)
    return Row(
        cell=cell,
        where=where,
        group=group,
        label=label,
        value=value,
        score=series.summary(scores),
        behind=_behind(cell, best, which),
        share=_share(cell),
        actions=_actions(cell),
        greedy=series.summary(cell.scores("greedy")) if grouping.has_score(cell, "greedy") else None,
        best=best is not None and cell.id == best.id,
        member=False,
    )


def _behind(cell: CellData, best: CellData | None, which: str) -> Comparison | None:
    """Return the paired difference; None if there is nothing to compare, or too few runs that both have."""
    if best is None or cell.id == best.id or not grouping.has_score(cell, which):
        return None
    try:
        return compare(scored(best, which), scored(cell, which))
    except ArgumentError:  # under 3 shared runs: no interval
        return None


def _share(cell: CellData) -> float | None:
    name = next((name for name in ("optimal", "success") if name in cell.metrics), None)
    if name is None or not len(cell.runs):
        return None
    values = cell.mean(name)
    return float(np.nanmean(np.sort(values))) if not np.all(np.isnan(values)) else None


def _actions(cell: CellData) -> float | None:
    name = f"{SNAPSHOT}effective_actions"
    if name not in cell.arrays or cell.arrays[name].size == 0:
        return None
    last = np.asarray(cell.arrays[name], dtype=np.float64)[:, -1]
    return float(np.sort(last).mean())


# --- a spreadsheet ---------------------------------------------------------------------------------------------------

_COLUMNS: dict[str, Callable[[Row], Any]] = {
    "agent": lambda row: row.cell.config["agent"]["name"],
    "policy": lambda row: row.cell.config["policy"]["name"],
    "runs": lambda row: len(row.cell.runs),
    "failed": lambda row: len(row.cell.failures),
    "metric": lambda row: row.cell.score.metric,
    "score": lambda row: row.score.mean,
    "score_low": lambda row: row.score.low,
    "score_high": lambda row: row.score.high,
    "behind": lambda row: 0.0 if row.best else row.behind and row.behind.difference,
    "behind_low": lambda row: 0.0 if row.best else row.behind and row.behind.low,
    "behind_high": lambda row: 0.0 if row.best else row.behind and row.behind.high,
    "pairing_saved": lambda row: row.behind and row.behind.pairing_saved,
    "fresh_runs": lambda row: row.fresh and row.fresh.fresh.n,
    "fresh": lambda row: row.fresh and row.fresh.fresh.mean,
    "fresh_low": lambda row: row.fresh and row.fresh.fresh.low,
    "fresh_high": lambda row: row.fresh and row.fresh.fresh.high,
    "optimal": lambda row: row.share if "optimal" in row.cell.arrays else None,
    "success": lambda row: row.share if "optimal" not in row.cell.arrays else None,
    "effective_actions": lambda row: row.actions,
    "greedy": lambda row: row.greedy and row.greedy.mean,
    "greedy_low": lambda row: row.greedy and row.greedy.low,
    "greedy_high": lambda row: row.greedy and row.greedy.high,
    "best": lambda row: row.best,
    "in_set_of_best": lambda row: row.member,
}


def csv(study: StudyData, score: str | None = None) -> str:
    """Return one line per cell: its id, one column per swept key, then the columns of docs/results.md.

    Numbers have all their digits; what is not there is empty. Text that a spreadsheet would take for a formula is
    preceded by an apostrophe. Arguments and errors as in `rows`.
    """
    return csv_of(study.axes, rows(study, score))


def csv_of(axes: Sequence[str], every: Sequence[Row]) -> str:
    """Return `csv` of some rows; axes: the swept keys."""
    columns = {key: fill for key, fill in _COLUMNS.items() if key not in axes}
    buffer = io.StringIO()
    writer = spreadsheet.writer(buffer, lineterminator="\n")
    writer.writerow(["cell", *map(harmless, axes), *columns])
    for row in every:
        swept = [row.cell.overrides.get(axis) for axis in axes]
        writer.writerow([row.cell.id, *map(spelled, swept), *(spelled(fill(row)) for fill in columns.values())])
    return buffer.getvalue()


# --- words -----------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Column:
    """A column of the printed table: its head, what it says of a row, and whether it may go where there is no room."""

    head: str
    say: Callable[[Row], str]
    spare: bool = False


def columns(shown: Sequence[Row], which: str) -> list[Column]:
    """Return the columns for which some row has a word."""
    digits = decimals(_scores(shown))
    behind = decimals([row.behind for row in shown if row.behind is not None])
    kept = decimals([row.greedy for row in shown if row.greedy is not None])
    share = "optimal" if any("optimal" in row.cell.arrays for row in shown) else "success"
    every = [
        Column("behind best", lambda row: _difference(row, behind) if len(shown) > 1 else ""),
        Column("greedy policy", lambda row: spread(row.greedy, kept) if row.greedy and which == "online" else ""),
        Column(share, lambda row: "" if row.share is None else f"{100 * row.share:.0f} %", spare=True),
        Column("actions", lambda row: "" if row.actions is None else f"{row.actions:.1f}", spare=True),
    ]
    first = Column("95 % interval", lambda row: spread(row.score, digits))
    return [first, *(column for column in every if any(column.say(row) for row in shown))]


def _scores(here: Iterable[Row]) -> list[Interval]:
    return [row.score for row in here]


def decimals(intervals: Iterable[Interval | Comparison]) -> int:
    """Return how many decimals the intervals call for: half a width has one or two digits."""
    halves = [half for each in intervals if (half := (each.high - each.low) / 2.0) > 0.0]
    if not halves:
        return 3
    usual, least = (math.ceil(-math.log10(half / 1.5)) for half in (float(np.median(halves)), min(halves)))
    return min(max(min(least, usual + 1), 0), 8)


def spread(interval: Interval, digits: int) -> str:
    """Return a mean with half the width of its interval.

    >>> spread(Interval(1.0, 0.9, 1.1, 5), 2), spread(Interval(-1.0, float("nan"), float("nan"), 2), 1)
    ('1.00 ± 0.10', '−1.0')
    """
    if math.isnan(interval.mean):
        return "–"
    mean = _fixed(interval.mean, digits)
    return mean if math.isnan(interval.low) else f"{mean} ± {(interval.high - interval.low) / 2.0:.{digits}f}"


def _difference(row: Row, digits: int) -> str:
    if row.behind is None:
        return "best" if row.best else ""
    half = (row.behind.high - row.behind.low) / 2.0
    near = " ≈" if row.member else ""
    return f"{_fixed(row.behind.difference, digits)} ± {half:.{digits}f}{near}"


def _fixed(number: float, digits: int) -> str:
    text = f"{number:.{digits}f}".replace("-", "−")
    return text.removeprefix("−") if not text.strip("−0.") else text


def headline(study: StudyData) -> str:
    """Return the study in one line: what was played, how often, how long.

    The environments, agents and policies are those of all cells.
    """
    kinds = [
        " / ".join(dict.fromkeys(labels.word(str(cell.config[group]["name"])) for cell in study.cells))
        for group in ("agent", "policy")
    ]
    environments = " / ".join(dict.fromkeys(map(grouping.environment, study.cells)))
    steps = " / ".join(dict.fromkeys(scales.thousands(int(cell.edges[-1])) for cell in study.cells))
    size = f"{len(study.cells)} cells × {notes.runs_of(study)} × {steps} steps"
    return " · ".join([environments, *kinds, size.replace("1 cells", "1 cell") if len(study.cells) == 1 else size])


def summary(study: StudyData, score: str | None = None) -> list[str]:
    """Return what the table says, in sentences: the verdict, then warnings with their next commands.

    Arguments and errors as in `rows`.
    """
    study = grouping.present(study)
    which = grouping.check_score(study, score)
    every = rows(study, which)
    said = verdict(every, main_axis(study), which)
    return said + [_spoken(caution) for caution in notes.warnings(study, which)]


def verdict(every: Sequence[Row], axis: str | None, which: str) -> list[str]:
    """Return in sentences what the rows of a study say: the best, what cannot be told from it, rivals."""
    sentences = []
    for where in dict.fromkeys(row.where for row in every):
        here = [row for row in every if row.where == where]
        sentences += [f"{where}: {text}" if where else text for text in _sentences(here, axis, which)]
    return sentences


def _sentences(here: Sequence[Row], axis: str | None, which: str) -> Iterator[str]:
    best = next((row for row in here if row.best), None)
    if best is None:
        yield "no run is there yet."
        return
    if len(here) > 1:
        yield from _about_best(here, best, axis, which)
    if any(row.score.n < LEAST for row in here):
        yield f"no interval under {LEAST} runs, and no comparison."
    yield from _about_rivals(here)
    yield from _about_greedy(here, axis, which)


def _about_best(here: Sequence[Row], best: Row, axis: str | None, which: str) -> Iterator[str]:
    what = "best" if which == "online" else "best greedy policy"
    yield f"{what}: {named(best, axis)}, {_worth(best.score, best.fresh, decimals(_scores(here)))}."
    others = [row for row in here if row.member and not row.best]
    if best.member:
        told = "; ".join(named(row, axis) for row in others[:6]) + ("; …" if len(others) > 6 else "")
        yield f"cannot be told from it (95 %, paired): {told or 'none of the others'}."
    saved = [row.behind.pairing_saved for row in here if row.behind is not None and not row.rival]
    share = float(np.median(saved)) if saved else math.nan
    if share >= 0.005:
        less = "over 99" if share > 0.99 else f"{100 * share:.0f}"
        yield f"shared luck: these comparisons need {less} % fewer runs than independent ones."
    elif share < 0.005:
        yield "shared luck did not make these comparisons cheaper."


def _worth(score: Interval, stages: TwoStage | None, digits: int) -> str:
    """Return the score of a cell that was chosen: on fresh runs where there are any, and what the choice made of it."""
    if stages is None:
        return f"{spread(score, digits)} (chosen on these runs)"
    more, digits = stages.optimism, decimals([stages.fresh, stages.chosen])
    by = f"{_fixed(more.difference, digits)} ± {(more.high - more.low) / 2.0:.{digits}f}"
    return (
        f"{spread(stages.fresh, digits)} on {stages.fresh.n} fresh runs; {spread(stages.chosen, digits)} on the "
        f"{stages.chosen.n} runs that chose it, a difference of {by}"
    )


def named(row: Row, axis: str | None) -> str:
    """Return a row in words: `SARSA τ = 1/4`."""
    if row.value is None or axis is None:
        return f"{row.group} {row.label}".strip()
    return f"{row.group} {labels.key(axis)} = {row.label}".strip()


def _about_rivals(here: Sequence[Row]) -> Iterator[str]:
    for row in here:
        if row.leads and row.behind is not None:
            difference, low, high = row.behind.difference, row.behind.low, row.behind.high
            digits = decimals(_scores(here))
            word = (
                "cannot be told from it" if low <= 0.0 <= high else "is behind it" if difference > 0.0 else "beats it"
            )
            by = f"{_fixed(abs(difference), digits)} ± {(high - low) / 2.0:.{digits}f}"
            fresh = f" ({spread(row.fresh.fresh, digits)} on {row.fresh.fresh.n} fresh runs)" if row.fresh else ""
            yield f"{row.label} (best of {row.tried}) {word}: {spread(row.score, digits)}, a difference of {by}{fresh}."


def _about_greedy(here: Sequence[Row], axis: str | None, which: str) -> Iterator[str]:
    having = [row for row in here if row.greedy is not None and not row.rival and not math.isnan(row.greedy.mean)]
    if which == "online" and len(having) > 1:
        top = max(having, key=lambda row: row.greedy.mean if row.greedy is not None else -math.inf)
        assert top.greedy is not None
        worth = _worth(top.greedy, top.fresh_greedy, decimals(_scores(here)))
        yield f"best greedy policy afterwards: {named(top, axis)}, {worth}."


def _spoken(caution: Caution) -> str:
    command = f"\n  next: {caution.command}" if caution.command else ""
    return f"warning: {caution.text}{command}"


# --- a terminal ------------------------------------------------------------------------------------------------------


def text(study: StudyData, width: int = 100, color: bool = False, score: str | None = None) -> str:
    """Return the table for a terminal, no line longer than `width` (80 or more).

    Args:
      width: columns of the terminal.
      color: whether it shows colours (ANSI, 24 bit).
      score: as in `rows`.
    """
    study = grouping.present(study)
    which = grouping.check_score(study, score)
    every = rows(study, which)
    shown = _shown(every)
    head = _head(study)
    kept = _fitting(columns(shown, which), shown, head, width)
    lines = [*_wrapped(headline(study), width), ""]
    lines += _lines(shown, kept, main_axis(study), head, width, color)
    lines += ["", *(part for sentence in summary(study, which) for part in _wrapped(sentence, width))]
    return "\n".join(line.rstrip() for line in lines)


def _shown(every: Sequence[Row]) -> list[Row]:
    """Return the rows to print: of rivals the best of each kind; of a long table the best of each group."""
    some = [row for row in every if not row.rival or row.leads]
    if len(some) <= _LONG:
        return some
    tops: dict[tuple[str, str], Row] = {}
    for row in some:
        key = (row.where, row.label if row.rival else row.group)
        if key not in tops or not tops[key].score.mean >= row.score.mean:
            tops[key] = row
    return [dataclasses.replace(row, label=f"{row.group} {row.label}".strip(), group="") for row in tops.values()]


def _head(study: StudyData) -> str:
    axis = main_axis(study)
    return labels.key(axis) if axis is not None else ""


def _fitting(columns: list[Column], shown: Sequence[Row], head: str, width: int) -> list[Column]:
    """Leave out what may go until a bar of 8 fits."""
    kept = list(columns)
    while _bar_width(kept, shown, head, width) < 8 and any(column.spare for column in kept):
        kept.remove([column for column in kept if column.spare][-1])
    return kept


def _bar_width(columns: Sequence[Column], shown: Sequence[Row], head: str, width: int) -> int:
    return min(width - _label_width(shown, head) - 3 - sum(_wide(column, shown) + 2 for column in columns), 36)


def _label_width(shown: Sequence[Row], head: str) -> int:
    return min(max(len(head), *(len(row.label) for row in shown)), 22)


def _wide(column: Column, shown: Sequence[Row]) -> int:
    return max(len(column.head), *(len(column.say(row)) for row in shown))


def _lines(
    shown: Sequence[Row], columns: Sequence[Column], axis: str | None, head: str, width: int, color: bool
) -> Iterator[str]:
    left, bar = _label_width(shown, head), max(_bar_width(columns, shown, head, width), 1)
    metric = shown[0].cell.score.metric
    unit = next((words for words in (grouping.unit(metric), metric) if len(words) <= bar), "")
    yield _dim(
        f"{_cut(head, left):>{left}}  {_cut(unit, bar):<{bar}} "
        + "".join(f"  {column.head:>{_wide(column, shown)}}" for column in columns),
        color,
    )
    bars = _bars(shown)
    heats = style.terminal_heat(*_temperatures(shown, axis))
    above = ("", "", False)
    for row, share, heat in zip(shown, bars, heats, strict=True):
        here = (row.where, row.group, row.rival)
        if here != above and (row.where or row.group or row.rival):
            yield from _heading(row, left, color)
        above = here
        blocks = _painted(f"{_blocks(share, bar):<{bar}}", heat if row.value is not None else "", color)
        cells = "".join(f"  {column.say(row):>{_wide(column, shown)}}" for column in columns)
        line = f"{_cut(row.label, left):>{left}}  {blocks} {cells}"
        yield f"\x1b[1m{line}\x1b[0m" if color and row.best else line


def _heading(row: Row, left: int, color: bool) -> Iterator[str]:
    words = ", ".join(filter(None, (row.where, "best of other kinds" if row.rival else row.group)))
    yield ""
    yield _dim(f"{'':>{left}}  {words}", color)


def _bars(shown: Sequence[Row]) -> list[float]:
    """Return the length of every bar as a share: from 0 where no score is negative, else from below the lowest."""
    means = np.array([row.score.mean for row in shown])
    there = means[np.isfinite(means)]
    if not there.size:
        return [0.0] * len(shown)
    low, high = float(there.min()), float(there.max())
    base = 0.0 if low >= 0.0 else low - 0.02 * (high - low)
    room = high - base
    return [float(np.clip((mean - base) / room, 0.0, 1.0)) if room > 0.0 and mean == mean else 0.0 for mean in means]


def _blocks(share: float, width: int) -> str:
    """Return a bar in eighths of a character.

    >>> _blocks(0.5, 3)
    '█▌'
    """
    eighths = round(share * width * 8)
    return f"{'█' * (eighths // 8)}{' ▏▎▍▌▋▊▉'[eighths % 8]}".rstrip()


def _temperatures(shown: Sequence[Row], axis: str | None) -> tuple[list[float], list[float]]:
    values = [row.value if row.value is not None else 1.0 for row in shown]
    if axis == "beta":
        values = [math.inf if value == 0.0 else 1.0 / value for value in values]
    return values, [value for value, row in zip(values, shown, strict=True) if row.value is not None]


def _painted(blocks: str, heat: str, color: bool) -> str:
    if not color or not heat:
        return blocks
    red, green, blue = (int(heat[at : at + 2], 16) for at in (1, 3, 5))
    return f"\x1b[38;2;{red};{green};{blue}m{blocks}\x1b[39m"


def _dim(line: str, color: bool) -> str:
    return f"\x1b[2m{line}\x1b[0m" if color else line


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else f"{line[: width - 1]}…"


def _wrapped(sentence: str, width: int) -> Iterator[str]:
    """Break sentences where they are too long; a command stays in one piece, to be copied."""
    first, *commands = sentence.split("\n")
    glued = re.sub(r" ([=±×]) | (%)", lambda found: found.group().replace(" ", "\0"), first)  # a number and its sign
    for line in textwrap.wrap(glued, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False):
        yield line.replace("\0", " ")
    yield from commands


# --- a notebook ------------------------------------------------------------------------------------------------------

_CSS = """<style>
.rlsoftmax-table { border-collapse: collapse; font: 13px/1.5 system-ui, sans-serif; font-variant-numeric: tabular-nums }
.rlsoftmax-table caption { text-align: left; padding: 0 0 6px; font-weight: 600 }
.rlsoftmax-table th, .rlsoftmax-table td { padding: 1px 10px; text-align: right; border: 0; white-space: nowrap }
.rlsoftmax-table th { font-weight: 500; opacity: .65; border-bottom: 1px solid #8a919c }
.rlsoftmax-table .bar { text-align: left; min-width: 160px }
.rlsoftmax-table .bar i { display: block; height: 11px; border-radius: 2px; background: #8a919c }
.rlsoftmax-table .best td { font-weight: 700 }
.rlsoftmax-table .member td:first-child { text-decoration: underline dotted }
</style>"""


def html(study: StudyData, score: str | None = None) -> str:
    """Return the table for a notebook: self-contained, every name escaped. Arguments and errors as in `rows`."""
    study = grouping.present(study)
    which = grouping.check_score(study, score)
    shown = _shown(rows(study, which))
    said = columns(shown, which)
    axis = main_axis(study)
    unit = grouping.unit(shown[0].cell.score.metric) if shown else ""
    heads = [_head(study), unit, *(column.head for column in said)]
    heats = style.terminal_heat(*_temperatures(shown, axis))
    body = [_html_row(row, share, heat, said) for row, share, heat in zip(shown, _bars(shown), heats, strict=True)]
    head = "".join(f"<th>{markup.escape(word)}</th>" for word in heads)
    notes = "<br>".join(markup.escape(sentence).replace("\n", "<br>") for sentence in summary(study, which))
    return (
        f'{_CSS}<table class="rlsoftmax-table"><caption>{markup.escape(headline(study))}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table><p>{notes}</p>"
    )


def _html_row(row: Row, share: float, heat: str, columns: Sequence[Column]) -> str:
    label = " ".join(filter(None, (row.where, row.group, row.label)))
    color = f"background:{heat};" if row.value is not None else ""
    bar = f'<td class="bar"><i style="{color}width:{100 * share:.1f}%"></i></td>'
    cells = "".join(f"<td>{markup.escape(column.say(row))}</td>" for column in columns)
    kind = "best" if row.best else "member" if row.member else ""
    return f'<tr class="{kind}"><td>{markup.escape(label)}</td>{bar}{cells}</tr>'
