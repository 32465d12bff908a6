"""A study as one long table: a row per run, or per run and bin. Frames and exported files are made of these columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from rlsoftmax.errors import ConfigError, did_you_mean
from rlsoftmax.store.data import GREEDY, SUMS, Array, CellData, Floats, StudyData
from rlsoftmax.store.select import value_of


def columns(study: StudyData, metric: str | None = None) -> dict[str, Array]:
    """Return name -> [rows]; cells in the order of the study, runs ascending.

    Args:
      metric: such as `reward`: then a row per bin too. None: a row per run, with its scores.

    Returns:
      `cell` (12 digits of the id), one column per swept key, `run`, and either `online` and, where some cell has it,
      `greedy`; or `step`, the end of the bin (how many steps were done), and the metric. Keys whose values are all
      numbers are numbers, NaN where a cell has no such key; others are Python values, None where it has none. NaN is
      a number that is not there: no finished episode, or not declared. A run that failed has no row.

    Raises:
      ConfigError: if no cell has the metric.
    """
    _check(study, metric)
    rows = np.array([len(cell.runs) * (len(cell.edges) - 1 if metric else 1) for cell in study.cells])
    found = {"cell": np.repeat(_objects(cell.id[:12] for cell in study.cells), rows)}
    for axis in study.axes:
        found[axis] = np.repeat(values([value_of(cell, axis) for cell in study.cells]), rows)
    own = [_scores(cell) if metric is None else _bins(cell, metric) for cell in study.cells]
    names = dict.fromkeys(name for part in own for name in part)
    return found | {name: np.concatenate([_part(part, name) for part in own]) for name in names}


def _check(study: StudyData, metric: str | None) -> None:
    known = metrics(study)
    if metric is not None and metric not in known:
        raise ConfigError(f"no metric {metric!r} in study {study.name}.{did_you_mean(metric, known)}")


def metrics(study: StudyData) -> list[str]:
    """Return the metrics that some cell has."""
    return [name for name in SUMS if any(name in cell.metrics for cell in study.cells)]


def values(swept: Sequence[Any]) -> Array:
    """Return [cells] values of a key: numbers, if they all are; None is then NaN.

    >>> values([1, 2]), values([0.5, None]), values([0.5, "linear"])
    (array([1, 2]), array([0.5, nan]), array([0.5, 'linear'], dtype=object))
    """
    there = [value for value in swept if value is not None]
    if there and all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in there):
        return np.array([np.nan if value is None else value for value in swept])
    return _objects(swept)


def _objects(things: Iterable[Any]) -> Array:
    """Return an array of whatever it is; a list stays one thing."""
    listed = list(things)
    column = np.empty(len(listed), dtype=object)
    for at, thing in enumerate(listed):
        column[at] = thing
    return column


def _scores(cell: CellData) -> dict[str, Array]:
    return {"run": cell.runs, "online": score(cell, "online")} | (
        {"greedy": score(cell, "greedy")} if _has(cell) else {}
    )


def _has(cell: CellData) -> bool:
    return GREEDY in cell.arrays


def score(cell: CellData, which: str) -> Floats:
    """Return [runs]: a score, NaN if the cell does not have it."""
    there = _has(cell) if which == "greedy" else cell.score.metric in cell.metrics
    return cell.scores(which) if there else np.full(len(cell.runs), np.nan)


def _bins(cell: CellData, metric: str) -> dict[str, Array]:
    bins = len(cell.edges) - 1
    steps = np.tile(cell.edges[1:], len(cell.runs))
    return {"run": np.repeat(cell.runs, bins), "step": steps, metric: over_time(cell, metric).ravel()}


def over_time(cell: CellData, metric: str) -> Floats:
    """Return [runs, bins]: a metric, NaN if the cell does not have it."""
    return cell.metric(metric) if metric in cell.metrics else np.full((len(cell.runs), len(cell.edges) - 1), np.nan)


def _part(part: Mapping[str, Array], name: str) -> Array:
    return part[name] if name in part else np.full(len(part["run"]), np.nan)
