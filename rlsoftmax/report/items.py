"""The cells as the page orders them: conditions, in them groups along the swept number, in these the cells."""

from __future__ import annotations

import dataclasses
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from rlsoftmax.plots import curves, labels, style, table
from rlsoftmax.plots.table import Row
from rlsoftmax.store.data import CellData

OTHERS = "other kinds"


@dataclasses.dataclass(frozen=True, eq=False)
class Item:
    """A cell on the page.

    place: its number on the page, from 0, in the order of the table.
    name: in words, such as `SARSA τ = 1/4`; short: what stands at the end of its curve.
    panel, group: which condition, and which group of the whole page, it belongs to.
    rows: score (`online`, `greedy`) -> what the table says of it.
    color: for a light and for a dark page.
    """

    place: int
    name: str
    short: str
    panel: int
    group: int
    rows: Mapping[str, Row]
    color: tuple[str, str]

    @property
    def cell(self) -> CellData:
        """Return the numbers."""
        return self.row.cell

    @property
    def row(self) -> Row:
        """Return what the table says while learning."""
        return self.rows["online"]


@dataclasses.dataclass(frozen=True, eq=False)
class Group:
    """Items along the swept number, ascending; or all of other kinds."""

    place: int
    label: str
    items: tuple[Item, ...]
    others: bool


@dataclasses.dataclass(frozen=True, eq=False)
class Panel:
    """One condition. best: score -> the item with the highest mean on the axis; None if no run has one."""

    place: int
    where: str
    groups: tuple[Group, ...]
    best: Mapping[str, Item | None]

    @property
    def items(self) -> tuple[Item, ...]:
        """Return all items of this condition."""
        return tuple(item for group in self.groups for item in group.items)

    @property
    def drawn(self) -> tuple[Item, ...]:
        """Return what figures show: all that stand on the axis, and of other kinds the best of each."""
        return tuple(item for item in self.items if not item.row.rival or item.row.leads)


@dataclasses.dataclass(frozen=True, eq=False)
class Items:
    """All cells of the page. axis: the swept number; scores: `online`, and `greedy` where it exists."""

    axis: str | None
    scores: tuple[str, ...]
    panels: tuple[Panel, ...]

    def __iter__(self) -> Iterator[Item]:
        return (item for panel in self.panels for item in panel.items)

    @property
    def groups(self) -> tuple[Group, ...]:
        """Return the groups of all panels."""
        return tuple(group for panel in self.panels for group in panel.groups)

    @property
    def first(self) -> Item:
        """Return what is selected when the page opens: the best of the first condition."""
        best = self.panels[0].best["online"]
        return best if best is not None else self.panels[0].items[0]


def items_of(axis: str | None, tables: Mapping[str, Sequence[Row]], kept: Container[str]) -> Items:
    """Return the cells of a page.

    Args:
      axis: the swept number.
      tables: score -> the rows of all cells, as `plots.table.rows` returns them.
      kept: ids of the cells that are shown.
    """
    by_id = {which: {row.cell.id: row for row in rows} for which, rows in tables.items()}
    shown = [row for row in tables["online"] if row.cell.id in kept]
    keys = list(dict.fromkeys(map(_key, shown)))
    places = {where: at for at, where in enumerate(dict.fromkeys(where for where, *_ in keys))}
    items = [
        Item(
            place=at,
            name=_name(row, axis),
            short=_short(row, axis),
            panel=places[row.where],
            group=keys.index(_key(row)),
            rows={which: by_id[which][row.cell.id] for which in tables},
            color=color,
        )
        for at, (row, color) in enumerate(zip(shown, _colors(shown, axis), strict=True))
    ]
    return Items(axis, tuple(tables), tuple(_panel(where, at, keys, items, tables) for where, at in places.items()))


def _key(row: Row) -> tuple[str, bool, str]:
    """Return what tells groups apart: condition, whether off the axis, group."""
    return row.where, row.rival, "" if row.rival else row.group


def _name(row: Row, axis: str | None) -> str:
    return " ".join(filter(None, (row.where, table.named(row, axis))))


def _short(row: Row, axis: str | None) -> str:
    return table.named(row, axis) if row.value is None or axis is None else f"{labels.key(axis)} = {row.label}"


def _colors(rows: Sequence[Row], axis: str | None) -> list[tuple[str, str]]:
    """Return one colour per row: by its temperature if it has a number, else by its kind."""
    values = [row.value for row in rows if row.value is not None]
    hot = curves.temperatures(values, axis)
    heats = iter(style.page_heat(hot, hot) if values else [])
    others = [row for row in rows if row.value is None]
    kinds = [str(row.cell.config["policy"]["name"]) for row in others]
    if axis is None:  # what is compared are the cells themselves: one colour each
        fixed = iter([style.cycles()[at % len(style.cycles())] for at in range(len(others))])
    else:
        by_kind = dict(zip(dict.fromkeys(kinds), style.places_of(list(dict.fromkeys(kinds))), strict=True))
        fixed = iter([style.cycles()[by_kind[kind]] for kind in kinds])
    return [next(fixed) if row.value is None else next(heats) for row in rows]


def _panel(
    where: str, at: int, keys: Sequence[tuple[str, bool, str]], items: Sequence[Item], scores: Iterable[str]
) -> Panel:
    groups = tuple(
        Group(place, OTHERS if key[1] else key[2], tuple(item for item in items if item.group == place), key[1])
        for place, key in enumerate(keys)
        if key[0] == where
    )
    here = [item for group in groups for item in group.items]
    best = {which: next((item for item in here if item.rows[which].best), None) for which in scores}
    return Panel(at, where, groups, best)
