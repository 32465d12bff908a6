"""Resampling runs with a fixed seed: the same runs give the same numbers, in whatever order they come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from rlsoftmax.errors import ArgumentError
from rlsoftmax.stats.scores import Floats, Scores, check_least, present

RESAMPLES = 9999
_SEED = 20_010_601
_BLOCK = 2_000_000  # numbers held at a time: 16 MB

# A list of rows, one per environment (or [environments, runs]); or a single row.
Strata = Sequence[Scores] | Scores


def generator() -> np.random.Generator:
    """Return a generator in the state in which every resampling starts."""
    return np.random.default_rng(_SEED)


def blocks(n: int, resamples: int = RESAMPLES) -> Iterator[int]:
    """Yield sizes that sum to `resamples`, each with at most 2 million numbers when a resample has n."""
    size = max(1, _BLOCK // max(n, 1))
    yield from (min(size, resamples - start) for start in range(0, resamples, size))


def counts(n: int, size: int, rng: np.random.Generator) -> Floats:
    """Return [size, n]: how often each of n runs is drawn in n draws with replacement."""
    drawn = rng.integers(0, n, (size, n)) + n * np.arange(size)[:, None]
    return np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n).astype(np.float64)


def strata(scores: Strata, name: str = "scores") -> list[Floats]:
    """Return one row of ascending scores per environment, NaN dropped; a tuple is one row, (run numbers, scores).

    >>> strata([[2.0, 1.0, 3.0], [0.0, 0.5, float("nan"), 0.25]])[1]
    array([0.  , 0.25, 0.5 ])
    """
    whole: Any = scores
    single = isinstance(whole, tuple) or (len(whole) > 0 and np.ndim(whole[0]) == 0)
    rows = [present(row, f"{name}[{number}]")[0] for number, row in enumerate([whole] if single else whole)]
    if not rows:
        raise ArgumentError(f"{name} must hold at least one environment.")
    for number, row in enumerate(rows):
        check_least(len(row), f"{name}[{number}]")
    return rows
