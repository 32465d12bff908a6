"""The report: numbers in, one HTML file out. Nothing of it is fetched, and nothing in it can be run but our script.

Names that somebody else chose (studies, agents, files) are text wherever they stand: the template escapes everything,
and the Content-Security-Policy lets no other script run and no request leave.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import hashlib
import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rlsoftmax.errors import ConfigError
from rlsoftmax.plots import grouping, labels, notes, series, table
from rlsoftmax.plots.table import Row
from rlsoftmax.report import appendix, geometry, listing, policies, scores
from rlsoftmax.report.items import Item, Items, items_of
from rlsoftmax.report.provenance import Provenance, provenance
from rlsoftmax.report.verdict import claims
from rlsoftmax.report.views import Detail, View, left_out, view_of
from rlsoftmax.stats.conditions import scored
from rlsoftmax.store.data import StudyData
from rlsoftmax.store.durable import write_durably

FILE = "report.html"
MOST_BYTES = 2_000_000
_TEMPLATES = Path(__file__).parent / "templates"
_SAFE = "!$'()*+,-./:;=?@[]_{}~ "  # what a data link may hold as it is


# The first that fits is taken; a study of some twenty cells is whole with the first, under 300 kB.
DETAILS = (
    Detail(50, 120),
    Detail(25, 60),
    Detail(12, 20),
    Detail(12, 12, 350),
    Detail(12, 12, 150),
    Detail(12, 12, 40),
)


def write(study: StudyData) -> Path:
    """Write the report into the study's folder, or into the current one for a study in memory; return the file.

    Raises:
      ConfigError: if no run is there.
    """
    path = Path(study.folder or ".") / FILE
    write_durably(path, html(study).encode())
    return path


def html(study: StudyData, details: Sequence[Detail] = DETAILS) -> str:
    """Return the report of a study, finished or not, as one self-contained page of at most 2 MB.

    Args:
      details: how much may be shown, from most to least; the first that fits is taken, and the page says what is left
        out.

    Raises:
      ConfigError: if no run is there.
    """
    whole = Whole(study)
    for detail in details:
        if detail.bytes(len(study.cells), len(whole.tables)) <= MOST_BYTES or detail is details[-1]:
            page = _page(whole, detail)
            if len(page.encode()) <= MOST_BYTES:
                return page
    raise ConfigError(f"a report of study {study.name} does not fit into {MOST_BYTES // 10**6} MB.")


@dataclasses.dataclass(frozen=True, eq=False)
class Whole:
    """A study with what is worked out once, however much of it is shown. given: as it was read."""

    given: StudyData

    @functools.cached_property
    def study(self) -> StudyData:
        """Return the study, in which cells without a run are there as missing."""
        return grouping.present(self.given)

    @functools.cached_property
    def axis(self) -> str | None:
        """Return the swept number."""
        return table.main_axis(self.study)

    @functools.cached_property
    def tables(self) -> dict[str, list[Row]]:
        """Return score -> rows, for the scores that there are."""
        greedy = any(grouping.has_score(cell, "greedy") for cell in self.study.cells)
        return {which: table.rows(self.study, which) for which in (grouping.SCORES if greedy else grouping.SCORES[:1])}

    @functools.cached_property
    def provenance(self) -> Provenance:
        """Return where the numbers come from."""
        return provenance(self.given)


def _page(whole: Whole, detail: Detail) -> str:
    study, axis = whole.study, whole.axis
    kept = _kept(whole.tables["online"], detail.cells)
    items = items_of(axis, whole.tables, kept)
    views = [view_of(panel, items, detail) for panel in items.panels]
    shown = listing.listing(study.axes, items)
    script = (_TEMPLATES / "page.js").read_text(encoding="utf-8")
    page: str = _template().render(
        study=study,
        items=items,
        views=views,
        question=_question(axis),
        axis_name=labels.key(axis) if axis is not None else "cell",
        headline=table.headline(study),
        verdicts={which: _verdict(whole, items, which) for which in items.scores},
        warnings={which: notes.warnings(study, which) for which in items.scores},
        claims=claims(study),
        listing=shown,
        evidence=appendix.evidence(items),
        methods=appendix.methods(items),
        provenance=whole.provenance,
        digests=whole.provenance.digests_of(kept),
        figures=_figures(study),
        left_out=list(left_out(study, items, detail)),
        csv=quote(table.csv_of(study.axes, [item.row for item in items]), safe=_SAFE),
        data=quote(_json(study, items, views, shown), safe=_SAFE),
        script=script,
        policy=_policy(script),
    )
    return page


def _kept(rows: Sequence[Row], most: int) -> set[str]:
    """Return the ids of at most so many cells: those with the highest score."""
    means = {row.cell.id: grouping.mean_of(scored(row.cell)[1]) for row in rows}
    return set(sorted(means, key=lambda name: -means[name])[:most])


def _template() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"pixel": geometry.pixel, "sentence": _sentence}
    return environment.get_template("page.html")


def _sentence(text: str) -> str:
    """Return text that begins with a capital; Greek letters are symbols and stay.

    >>> _sentence("best: 1"), _sentence("ε-greedy")
    ('Best: 1', 'ε-greedy')
    """
    return text[:1].upper() + text[1:] if text[:1].isascii() else text


def _policy(script: str) -> str:
    """Return the Content-Security-Policy under which this script, and nothing else, runs."""
    sha = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"default-src 'none'; script-src 'sha256-{sha}'; style-src 'unsafe-inline'; img-src data:"


# --- what is on it ---------------------------------------------------------------------------------------------------


def _question(axis: str | None) -> str:
    if axis in ("tau", "beta"):
        return "Which temperature?"
    return f"Which {labels.key(axis)}?" if axis is not None else "Which cell?"


def _figures(study: StudyData) -> str:
    """Return the command that draws this study for a paper."""
    return f"rlsoftmax plot {shlex.quote(study.name)} --style paper --format pdf"


def _verdict(whole: Whole, items: Items, which: str) -> list[str]:
    """Return what the table says; of a single cell, its score."""
    said = table.verdict(whole.tables[which], whole.axis, which)
    return said if len(whole.study.cells) > 1 else [scores.said(items.first, which), *said]


def _json(study: StudyData, items: Items, views: Sequence[View], shown: listing.Listing) -> str:
    """Return the numbers of the page, four digits each; what the script needs, and what a reader may want."""
    document: Mapping[str, Any] = {
        "study": study.name,
        "axis": items.axis,
        "first": items.first.place,
        "log": next((view.learning.log for view in views if view.learning is not None), True),
        "items": [_item(item, facts) for item, facts in zip(items, shown.facts, strict=True)],
        "groups": [[item.place for item in group.items] for group in items.groups],
        "charts": {chart.key: chart.data for view in views for chart in view.charts},
        "policies": {view.panel.place: policies.data_of(view.learned, view.picture) for view in views},
    }
    return json.dumps(series.plain(document), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _item(item: Item, facts: Sequence[tuple[str, str]]) -> Mapping[str, Any]:
    return {
        "cell": item.cell.id[:12],
        "name": item.name,
        "short": item.short,
        "panel": item.panel,
        "group": item.group,
        "rival": item.row.rival,
        "overrides": item.cell.overrides,
        "facts": facts,
    }
