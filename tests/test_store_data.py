"""The plain data of a study: per-step and per-episode means, and what is absent is named, never zero."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from rlsoftmax.errors import ConfigError
from rlsoftmax.store.data import CellData, Failure, Score, StudyData


def a_cell(**changes: Any) -> CellData:
    """Two runs, three bins of 10, 10 and 20 steps; run 1 finishes no episode in its second bin."""
    arrays = {
        "reward": np.array([[5.0, 10.0, 30.0], [0.0, 1.0, 2.0]]),
        "episodes": np.array([[1.0, 2.0, 5.0], [1.0, 0.0, 1.0]]),
        "return": np.array([[4.0, 9.0, 31.0], [0.0, 0.0, 3.0]]),
        "snapshot/entropy": np.ones((2, 4)),
        "memory/value": np.ones((2, 3, 2)),
        "score/greedy": np.array([0.5, 0.25]),
    }
    edges, snapshots = np.array([0, 10, 20, 40]), np.array([0, 1, 2, 39])
    cell = CellData("a" * 64, {}, {}, edges, snapshots, Score("reward", 10, 40), np.array([0, 1]), arrays)
    return dataclasses.replace(cell, **changes)


def test_a_metric_is_a_mean_per_step_or_per_finished_episode() -> None:
    cell = a_cell()
    np.testing.assert_array_equal(cell.metric("reward"), [[0.5, 1.0, 1.5], [0.0, 0.1, 0.1]])
    np.testing.assert_array_equal(cell.metric("episodes"), [[1, 2, 5], [1, 0, 1]])
    np.testing.assert_array_equal(cell.metric("return"), [[4.0, 4.5, 6.2], [0.0, np.nan, 3.0]])
    assert cell.metrics == ("reward", "episodes", "return")


def test_a_mean_over_steps_weighs_bins_by_their_steps_and_episodes_by_their_number() -> None:
    cell = a_cell()
    np.testing.assert_array_equal(cell.mean("reward", 10), [40 / 30, 3 / 30])
    np.testing.assert_array_equal(cell.mean("reward", 0, 20), [15 / 20, 1 / 20])
    np.testing.assert_array_equal(cell.mean("return"), [44 / 8, 3 / 2])
    np.testing.assert_array_equal(cell.mean("return", 10, 20), [4.5, np.nan])
    np.testing.assert_array_equal(cell.mean("episodes", 10), [7, 1])


def test_both_scores_are_there() -> None:
    np.testing.assert_array_equal(a_cell().scores(), [40 / 30, 3 / 30])
    np.testing.assert_array_equal(a_cell().scores("greedy"), [0.5, 0.25])
    assert a_cell().snapshot("entropy").shape == (2, 4)
    assert a_cell().memory("value").shape == (2, 3, 2)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda cell: cell.metric("rewards"), "Did you mean 'reward'"),
        (lambda cell: cell.metric("regret"), "no metric 'regret' here"),
        (lambda cell: cell.scores("gredy"), "Did you mean 'greedy'"),
        (lambda cell: cell.snapshot("entrop"), "no snapshot 'entrop' here. Did you mean 'entropy'"),
        (lambda cell: cell.memory("values"), "no memory 'values' here. Did you mean 'value'"),
        (lambda cell: dataclasses.replace(cell, arrays={}).scores("greedy"), "has no greedy score"),
    ],
)
def test_what_is_absent_is_refused_by_name(ask: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        ask(a_cell())


def test_failed_runs_are_not_missing() -> None:
    failure = Failure(2, 17, 0, 0, "reward is nan")
    study = StudyData("here", (a_cell(), a_cell(failures=(failure,))), ("tau",), runs=4)
    assert study.missing == 2 + 1
