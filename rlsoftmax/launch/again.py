"""The file results/<study>/study.yaml: readable, and `rlsoftmax study results/<study>` plays it again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from rlsoftmax.canonical import canonical
from rlsoftmax.component import describe
from rlsoftmax.errors import ConfigError
from rlsoftmax.experiment.claims import check_claim
from rlsoftmax.experiment.compose import literal
from rlsoftmax.experiment.plan import Plan, PlannedCell
from rlsoftmax.places import GROUPS
from rlsoftmax.shelf import defaults, find
from rlsoftmax.store.durable import write_durably
from rlsoftmax.store.select import fitting

Flat = dict[str, Any]  # key with dots -> value; the key of a group -> the name of its component


def study_file(plan: Plan, folder: Path) -> None:
    """Write study.yaml beside the plan; an equal file is left alone. Errors: StoreError."""
    text = study_text(plan)
    path = folder / "study.yaml"
    if not path.exists() or path.read_text(encoding="utf-8", errors="replace") != text:
        write_durably(path, text.encode())


def study_text(plan: Plan) -> str:
    """Return the study as a configuration: what all cells share, and a grid for each combination of components."""
    cells = [_flat_cell(cell) for cell in plan.cells]
    shared = {key: value for key, value in cells[0].items() if all(_same(cell, key, value) for cell in cells)}
    kinds: dict[tuple[str, ...], list[Flat]] = {}
    for cell in cells:
        left = {key: value for key, value in cell.items() if key not in shared}
        kinds.setdefault(tuple(left), []).append(left)
    grids = [grid for kind in kinds.values() for grid in _grids(kind)]
    claims = _claims(plan, [{key: value for key, value in cell.items() if key not in shared} for cell in cells])
    body = _body(shared) | _of_study(plan) | ({"grids": grids} if grids != [{}] else {}) | claims
    head = [f"# {' '.join(plan.command.split())}"] if plan.command else []
    again = f"# Play it again: rlsoftmax study {Path(plan.results) / plan.name}"
    return "\n".join([*head, again, "", _dump(body)])


def _flat_cell(cell: PlannedCell) -> Flat:
    """Return what a cell is made of, by key; `tau` or `beta` is the number, where it is one."""
    flat: Flat = {}
    for group in GROUPS:
        if group in cell.config:
            _flatten(group, cell.config[group], flat)
    if flat.get("tau") == "constant":
        flat["tau"] = flat.pop("tau.value")
    if "beta" in cell.overrides:
        flat.pop("tau")
        flat["beta"] = cell.overrides["beta"]
    return flat | {"steps": cell.config["steps"], "seed": cell.config["seed"]}


def _flatten(key: str, plain: Mapping[str, Any], flat: Flat) -> None:
    flat[key] = plain["name"]
    for inner, value in plain.items():
        if isinstance(value, Mapping) and "name" in value:  # a schedule in a field
            _flatten(f"{key}.{inner}", value, flat)
        elif inner != "name":
            flat[f"{key}.{inner}"] = value


def _same(cell: Flat, key: str, value: Any) -> bool:
    return key in cell and canonical(cell[key]) == canonical(value)


def _grids(kind: Sequence[Flat]) -> list[Flat]:
    """Return one grid if the cells are all combinations of their values, else one for each group of components."""
    names = [key for key in kind[0] if key in GROUPS and not _is_number(kind[0][key])]
    parts: dict[str, list[Flat]] = {}
    for cell in kind:
        parts.setdefault(canonical([cell[name] for name in names]), []).append(cell)
    return [grid for cells in parts.values() for grid in _product(cells)]


def _product(cells: Sequence[Flat]) -> list[Flat]:
    values = {key: list({canonical(cell[key]): cell[key] for cell in cells}.values()) for key in cells[0]}
    if math.prod(map(len, values.values())) == len(cells):
        return [_without_defaults({key: _listed(several) for key, several in values.items()})]
    return [_without_defaults({key: _listed([value]) for key, value in cell.items()}) for cell in cells]


def _listed(values: Sequence[Any]) -> Any:
    return values[0] if len(values) == 1 and _is_number(values[0]) else ",".join(map(literal, values))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _without_defaults(grid: Flat) -> Flat:
    """Leave out what the option of a component says anyway."""
    usual: Flat = {}
    for group in GROUPS:
        if isinstance(grid.get(group), str) and grid[group] in _options(group):
            fields = defaults(find(group, grid[group]))
            usual |= {f"{group}.{key}": _listed([value]) for key, value in fields.items()}
    return {key: value for key, value in grid.items() if key not in usual or usual[key] != value}


def _options(group: str) -> list[str]:
    from rlsoftmax.shelf import names

    return names(group)


def _body(shared: Flat) -> dict[str, Any]:
    """Return what all cells share: options in the list of defaults, values below their groups."""
    chosen = [{f"override {group}": shared[group]} for group in GROUPS if isinstance(shared.get(group), str)]
    heat = _constant(shared)
    body: dict[str, Any] = {"defaults": ["config", *chosen, *heat, "_self_"]}
    for key, value in shared.items():
        if key == "tau" and _is_number(value):
            body["tau"] = {"value": value}
        elif key == "beta" or key in GROUPS:
            continue
        elif "." in key:
            _put(body, key.split("."), value, shared)
        else:
            body[key] = value
    return body


def _constant(shared: Flat) -> list[dict[str, str]]:
    return [{"override tau": "constant"}] if _is_number(shared.get("tau")) else []


def _put(body: dict[str, Any], path: Sequence[str], value: Any, shared: Flat) -> None:
    for word in path[:-1]:
        body = body.setdefault(word, {})
    name = {"name": value} if isinstance(value, str) and f"{'.'.join(path)}" in _scheduled(shared) else value
    body[path[-1]] = name


def _scheduled(shared: Flat) -> set[str]:
    """Return the fields that hold a schedule: keys with keys below them."""
    return {key.rpartition(".")[0] for key in shared if key.count(".") > 1}


def _of_study(plan: Plan) -> dict[str, Any]:
    first = plan.cells[0]
    record = {key: value for key, value in describe(first.experiment.record).items() if key != "name"}
    score = {"metric": first.score.metric, "from": first.score.start, "to": first.score.stop}
    same = all(cell.score == first.score for cell in plan.cells)
    return (
        {"runs": plan.runs}
        | ({"report_runs": plan.report_runs} if plan.report_runs else {})
        | {"record": record}
        | ({"score": score} if same else {})
        | ({"evaluate": {"episodes": plan.evaluate.episodes}} if plan.evaluate.episodes else {})
    )


def _claims(plan: Plan, cells: Sequence[Flat]) -> dict[str, Any]:
    """Return the claims that are about these cells; what a changed study does not play would be refused again.

    Args:
      cells: what tells each cell from the others.
    """
    found = []
    for claim in plan.claims:
        try:
            check_claim("claim", claim, plan.cells, plan.axes)
        except ConfigError:
            continue
        plain = claim.plain()
        found.append(plain | {key: _named(plain[key], plan, cells) for key in ("cell", "minus") if key in plain})
    return {"claims": found} if found else {}


def _named(keys: Flat, plan: Plan, cells: Sequence[Flat]) -> Flat:
    """Return keys that fit the same cell in this file, where a component has its own name: not that of an option."""
    (meant,) = fitting(plan.cells, keys)
    alike = [cell for cell in cells if all(_same(cell, key, value) for key, value in keys.items())]
    mine = cells[plan.cells.index(meant)]
    return keys if alike == [mine] else mine


def _dump(value: Mapping[str, Any]) -> str:
    return str(yaml.safe_dump(value, sort_keys=False, default_flow_style=None, width=110, allow_unicode=True))
