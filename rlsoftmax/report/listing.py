"""The table of the page: what each cell says in each column, as text to read and as a number to sort by."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence

from rlsoftmax.plots import grouping, labels, table
from rlsoftmax.plots.table import Row
from rlsoftmax.report.items import Item, Items
from rlsoftmax.stats.warnings import value_on


@dataclasses.dataclass(frozen=True)
class Field:
    """What a row says in a column. number: decides the order; NaN comes last."""

    text: str
    number: float


@dataclasses.dataclass(frozen=True)
class Listing:
    """The table. fields: one row per item, in the order of the page."""

    heads: tuple[str, ...]
    rows: tuple[tuple[Item, tuple[Field, ...]], ...]

    @property
    def facts(self) -> list[list[tuple[str, str]]]:
        """Return per item what the table says of it, without its name and without what is empty."""
        return [
            [(head, field.text) for head, field in zip(self.heads[1:], fields[1:], strict=True) if field.text]
            for _, fields in self.rows
        ]


_NUMBERS: Mapping[str, Callable[[Row], float | None]] = {
    "95 % interval": lambda row: row.score.mean,
    "behind best": lambda row: 0.0 if row.best else None if row.behind is None else row.behind.difference,
    "greedy policy": lambda row: None if row.greedy is None else row.greedy.mean,
    "optimal": lambda row: row.share,
    "success": lambda row: row.share,
    "actions": lambda row: row.actions,
}


def listing(axes: Sequence[str], items: Items) -> Listing:
    """Return the table: a row per cell, columns for which some cell has a word; axes: the swept keys."""
    every = list(items)
    unit = grouping.unit(items.first.cell.score.metric)
    heads, columns = ["cell"], [[Field(item.name, float(item.place)) for item in every]]
    for axis in axes:
        if axis != items.axis and len({value_on(item.cell, axis) for item in every} - {None}) > 1:
            heads.append(labels.key(axis))
            columns.append([_swept(item, axis) for item in every])
    for column in table.columns([item.row for item in every], "online"):
        heads.append(unit if column.head == "95 % interval" else column.head)
        columns.append([_said(item.row, column) for item in every])
        if column.head == "greedy policy" and len(every) > 1:
            heads.append("behind best, greedy")
            columns.append(_behind_greedy(every))
    if any(item.row.fresh for item in every):
        heads.append("on fresh runs")
        columns.append([_fresh(item.row) for item in every])
    heads.append("runs")
    columns.append([_runs(item.row) for item in every])
    return Listing(tuple(heads), tuple(zip(every, zip(*columns, strict=True), strict=True)))


def _fresh(row: Row) -> Field:
    if row.fresh is None:
        return Field("", math.nan)
    again = row.fresh.fresh
    return Field(f"{table.spread(again, table.decimals([again]))} ({again.n})", again.mean)


def _behind_greedy(every: Sequence[Item]) -> list[Field]:
    rows = [item.rows["greedy"] for item in every]
    column = next(column for column in table.columns(rows, "greedy") if column.head == "behind best")
    return [_said(row, column) for row in rows]


def _swept(item: Item, axis: str) -> Field:
    value = value_on(item.cell, axis)
    return Field("", math.nan) if value is None else Field(labels.number(value), value)


def _said(row: Row, column: table.Column) -> Field:
    number = _NUMBERS[column.head](row)
    return Field(column.say(row), math.nan if number is None else float(number))


def _runs(row: Row) -> Field:
    failed = len(row.cell.failures)
    text = f"{len(row.cell.runs)}" + (f" ({failed} failed)" if failed else "")
    return Field(text, float(len(row.cell.runs)))
