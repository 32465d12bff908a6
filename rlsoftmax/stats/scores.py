"""Scores of runs, with or without their run numbers: sorted, aligned, and checked at the door."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeGuard, cast

import numpy as np
import numpy.typing as npt

from rlsoftmax.errors import ArgumentError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# One score per run, or (run numbers, scores): then pairs are found by number and not by position.
Scores = npt.ArrayLike | tuple[npt.ArrayLike, npt.ArrayLike]

LEAST = 3  # no interval under three runs


def by_run(scores: Scores, name: str = "scores") -> tuple[Ints, Floats]:
    """Return (run numbers ascending, their scores); without numbers the runs are 0, 1, 2, ...

    Raises:
      ArgumentError: if the scores are no row of numbers, one is infinite, or a run is there twice. NaN is allowed: the
        run has no score.

    >>> by_run(([2, 0], [0.5, 0.25]))
    (array([0, 2]), array([0.25, 0.5 ]))
    """
    if _numbered(scores):
        numbers, values = np.asarray(scores[0]), _row(scores[1], name)
    else:
        values = _row(cast(npt.ArrayLike, scores), name)
        numbers = np.arange(len(values))
    if numbers.shape != values.shape:
        raise ArgumentError(f"{name} must have one run number per score, got {numbers.size} for {values.size}.")
    order = np.argsort(numbers, kind="stable")
    numbers, values = numbers[order], values[order]
    if np.any(numbers[1:] == numbers[:-1]):
        raise ArgumentError(
            f"{name} must have each run once, got run {numbers[1:][numbers[1:] == numbers[:-1]][0]} twice."
        )
    return numbers, values


def _numbered(scores: Scores) -> TypeGuard[tuple[npt.ArrayLike, npt.ArrayLike]]:
    return isinstance(scores, tuple) and len(scores) == 2 and np.ndim(scores[0]) == 1


def _row(row: npt.ArrayLike, name: str) -> Floats:
    values = np.asarray(row, dtype=np.float64)
    if values.ndim != 1:
        raise ArgumentError(f"{name} must be one number per run, got shape {values.shape}.")
    if np.any(np.isinf(values)):
        raise ArgumentError(f"{name} must be finite or NaN (no score), got {values[np.isinf(values)][0]}.")
    return values


def present(scores: Scores, name: str = "scores") -> tuple[Floats, int]:
    """Return (the scores that are not NaN, ascending; how many were NaN): their order says nothing any more."""
    _, values = by_run(scores, name)
    return np.sort(values[~np.isnan(values)]), int(np.isnan(values).sum())


def table(scores: Sequence[Scores] | Floats) -> Floats:
    """Return [cells, runs], columns by ascending run number, NaN where a cell lacks the run.

    >>> table([([0, 1], [1.0, 2.0]), ([1, 2], [3.0, 4.0])])
    array([[ 1.,  2., nan],
           [nan,  3.,  4.]])
    """
    rows = [by_run(row, f"scores[{number}]") for number, row in enumerate(scores)]
    if not rows:
        raise ArgumentError("scores must hold at least one cell.")
    runs = np.unique(np.concatenate([numbers for numbers, _ in rows]))
    whole = np.full((len(rows), len(runs)), np.nan)
    for row, (numbers, values) in zip(whole, rows, strict=True):
        row[np.searchsorted(runs, numbers)] = values
    return whole


def check_level(level: float) -> None:
    """Refuse a confidence that is not a share: 0.95, not 95."""
    if not 0.0 < level < 1.0:
        raise ArgumentError(f"level must be > 0 and < 1, got {level}.")


def check_least(n: int, name: str = "scores") -> None:
    """Refuse an interval of fewer than three runs: it would say nothing about the next one."""
    if n < LEAST:
        raise ArgumentError(f"{name} must hold at least {LEAST} runs with a number, got {n}.")
