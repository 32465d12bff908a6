"""A study as a pandas DataFrame or an xarray Dataset. Both are optional: `pip install 'rlsoftmax[frames]'`."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rlsoftmax.errors import ConfigError
from rlsoftmax.frames import columns
from rlsoftmax.store.data import GREEDY, Array, CellData, Floats, StudyData
from rlsoftmax.store.select import value_of

MOST = 2**28  # numbers of a dataset: 2 GB


def frame(study: StudyData, metric: str | None = None) -> Any:
    """Return a pandas DataFrame with the columns of `rlsoftmax.frames.columns`: a row per run, or per bin too.

    Raises:
      ConfigError: if pandas is not installed, or no cell has the metric.
    """
    pandas = library("pandas", "to_frame", "frames")
    return pandas.DataFrame(columns.columns(study, metric))


def dataset(study: StudyData) -> Any:
    """Return an xarray Dataset: every metric over (swept keys, run, step), and both scores over (swept keys, run).

    A coordinate `step` is the end of a bin. A combination of keys that was not played is NaN, and so is a run that is
    not there. A cell without a key (a policy without a temperature) stands at NaN, or at "" among words.

    Raises:
      ConfigError: if xarray is not installed, cells differ in their bins, or the combinations are too many to hold.
    """
    xarray = library("xarray", "to_xarray", "frames")
    cells = [cell for cell in study.cells if len(cell.runs)] or list(study.cells)
    _check_bins(cells)
    grid, edges = _grid(study, cells), cells[0].edges
    scores = ("online", *(("greedy",) if any(GREEDY in cell.arrays for cell in cells) else ()))
    metrics, bins = columns.metrics(study), len(edges) - 1
    grid.check(len(scores) + len(metrics) * bins)
    over = (*study.axes, "run")
    variables = {name: (over, grid.filled([columns.score(cell, name) for cell in cells])) for name in scores}
    variables |= {
        name: ((*over, "step"), grid.filled([columns.over_time(cell, name) for cell in cells])) for name in metrics
    }
    return xarray.Dataset(variables, {**grid.labels, "run": grid.runs, "step": edges[1:]})


@dataclasses.dataclass(frozen=True, eq=False)
class _Grid:
    """All combinations of swept keys and runs. labels: key -> its values. places: of each cell, one index per key."""

    cells: Sequence[CellData]
    labels: Mapping[str, Array]
    places: Sequence[tuple[int, ...]]
    runs: Array

    @property
    def shape(self) -> tuple[int, ...]:
        """Return how many values each key has, and how many runs there are."""
        return (*map(len, self.labels.values()), len(self.runs))

    def check(self, each: int) -> None:
        """Refuse cells without a place of their own, and more than 2 GB when there are `each` numbers per run."""
        if len(set(self.places)) < len(self.places):
            raise ConfigError("two cells of this study have the same values of all swept keys; use to_frame.")
        if (numbers := math.prod(self.shape) * each) > MOST:
            raise ConfigError(
                f"{len(self.cells)} cells were played, but all combinations of their keys are {numbers:.1e} numbers, "
                "too many to hold; use to_frame."
            )

    def filled(self, rows: Sequence[Floats]) -> Floats:
        """Return an array over keys, runs and what each row [runs, ...] has, NaN where nothing is."""
        whole = np.full((*self.shape, *rows[0].shape[1:]), np.nan)
        for cell, place, row in zip(self.cells, self.places, rows, strict=True):
            whole[place][np.searchsorted(self.runs, cell.runs)] = row  # a place is a view of its runs
        return whole


def _grid(study: StudyData, cells: Sequence[CellData]) -> _Grid:
    labels = {axis: _labels([value_of(cell, axis) for cell in cells]) for axis in study.axes}
    places = [tuple(at[number] for _, at in labels.values()) for number in range(len(cells))]
    runs = np.unique(np.concatenate([cell.runs for cell in cells]))
    return _Grid(cells, {axis: different for axis, (different, _) in labels.items()}, places, runs)


def _labels(swept: Sequence[Any]) -> tuple[Array, list[int]]:
    """Return the different values of a key and where each cell stands: numbers ascend, words come as they first did."""
    column = columns.values([str(value) if isinstance(value, (list, dict)) else value for value in swept])
    if column.dtype != object:
        different, at = np.unique(column, return_inverse=True)
        return different, at.tolist()
    words = ["" if value is None else str(value) for value in column]
    order = list(dict.fromkeys(words))
    return np.array(order), [order.index(word) for word in words]


def _check_bins(cells: Sequence[CellData]) -> None:
    if any(not np.array_equal(cell.edges, cells[0].edges) for cell in cells):
        raise ConfigError("the cells of this study differ in their bins, so they share no axis of steps; use to_frame.")


def library(name: str, what: str, extra: str) -> Any:
    """Return a library that users may lack. Errors: ConfigError that says how to get it."""
    if importlib.util.find_spec(name) is None:
        raise ConfigError(f"{what} needs {name}, which is not installed: pip install 'rlsoftmax[{extra}]'.")
    return importlib.import_module(name)
