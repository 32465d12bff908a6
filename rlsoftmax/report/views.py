"""A condition as the page draws it, in as much detail as fits; and what was left out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from rlsoftmax.report import every_run, over_time, policies, scores
from rlsoftmax.report.items import Item, Items, Panel
from rlsoftmax.store.data import StudyData


@dataclasses.dataclass(frozen=True)
class Detail:
    """How much of a study is on the page: points of a curve, dots per cell, cells."""

    points: int
    dots: int
    cells: int = 1_000_000

    def bytes(self, cells: int, scores: int) -> int:
        """Return about how large the page of a study will be; measured on studies of 1 to 400 cells."""
        return 60_000 + min(cells, self.cells) * (4200 + 28 * self.points + 15 * self.dots * scores)


@dataclasses.dataclass(frozen=True, eq=False)
class View:
    """A condition as it is drawn: curves, scores, runs, and what was learned."""

    panel: Panel
    on: Item
    learning: over_time.Chart | None
    actions: over_time.Chart | None
    scores: Sequence[scores.Scores]
    runs: Sequence[every_run.Runs]
    learned: policies.Policies
    picture: policies.Picture | None

    @property
    def charts(self) -> list[over_time.Chart]:
        """Return the curves that there are."""
        return [chart for chart in (self.learning, self.actions) if chart is not None]


def view_of(panel: Panel, items: Items, detail: Detail) -> View:
    """Return a condition as it is drawn."""
    on = panel.best["online"] or panel.items[0]
    learned = policies.policies(panel)
    return View(
        panel,
        on,
        over_time.learning(panel, on, detail.points),
        over_time.effective_actions(panel, on),
        [chart for which in items.scores for chart in scores.scores(panel, items, which)],
        [every_run.runs(panel, items.axis, which, detail.dots) for which in items.scores],
        learned,
        policies.picture(learned, on.place),
    )


def left_out(study: StudyData, items: Items, detail: Detail) -> Iterator[str]:
    """Yield what a reader would miss, so that a page never looks more complete than it is."""
    shown = sum(1 for _ in items)
    if shown < len(study.cells):
        yield f"only {shown} of {len(study.cells)} cells are on this page, those with the highest score"
    bins = max(len(item.cell.edges) - 1 for item in items)
    if bins > detail.points:
        yield f"curves are drawn with at most {detail.points} of {bins} bins, neighbours added"
    runs = max(len(item.cell.runs) for item in items)
    if runs > detail.dots:
        yield f"dots are {detail.dots} of {runs} runs, evenly by rank"
