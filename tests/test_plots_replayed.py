"""Figures of what happens inside runs: drawn from runs that are played again, and equal to them."""

from __future__ import annotations

import numpy as np
import pytest
from test_plots import texts_of

import rlsoftmax as rs
from rlsoftmax import plots
from rlsoftmax.core import softmax
from rlsoftmax.errors import ConfigError
from rlsoftmax.plots import replayed
from rlsoftmax.plots.policy import occupancy


@pytest.fixture(scope="module")
def bandit():
    """Return a study of three arms."""
    return rs.sweep(
        env="gaussian_bandit", agent="sample_average", tau=[0.125, 0.5, 2.0], runs=6, steps=60, **{"env.arms": 3}
    )


@pytest.fixture(scope="module")
def lake():
    """Return a study of a small lake."""
    return rs.sweep(env="frozen_lake", agent="q_learning", tau=[0.0625, 0.5], runs=3, steps=300)


LOOKS = [("", None), ("dark", "icml"), ("paper", "neurips"), ("slides", None)]


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize(("kind", "study"), [("anatomy", "bandit"), ("simplex", "bandit"), ("policy", "lake")])
def test_no_text_touches_another_or_leaves_the_figure(kind, study, look, request):
    figure = plots.draw(request.getfixturevalue(study).data, kind, style=look[0], width=look[1])
    found = texts_of(figure)
    assert len(found) > 4
    for at, (words, box) in enumerate(found):
        assert min(box.x0, box.y0, figure.bbox.x1 - box.x1, figure.bbox.y1 - box.y1) > -1, words
        for others, other in found[:at]:
            assert not box.padded(-0.7).overlaps(other.padded(-0.7)), (words, others)


def test_what_is_seen_inside_a_run_is_its_trace(bandit):
    cell = bandit.cells[1]
    seen = replayed.inside(cell.data, 4, most=25)
    trace = cell.trace(run=4)
    np.testing.assert_array_equal(seen.probability, trace["probability"][seen.step])
    np.testing.assert_array_equal(seen.temperature, trace["temperature"][seen.step])
    values, count = np.zeros(3), np.zeros(3)
    for row in trace:
        count[row["action"]] += 1
        values[row["action"]] += (row["reward"] - values[row["action"]]) / count[row["action"]]
    np.testing.assert_allclose(seen.value[-1], values, rtol=1e-12)


def test_the_anatomy_is_that_of_the_run_with_the_median_score(bandit):
    numbers = plots.plotted(bandit.data, "anatomy")
    cell = next(cell for cell in bandit.cells if cell.id.startswith(numbers.cell))
    scores = cell.scores()
    assert sorted(scores)[2] == scores[list(cell.runs).index(numbers.run)]
    assert np.all(np.diff(numbers.truth) >= 0.0)


def test_mean_policies_are_means_of_traces_with_the_best_arm_last(bandit):
    cell = bandit.cells[0]
    steps, probability, truth, runs = replayed.mean_policies(cell.data, 6, most=10)
    assert runs == 6
    np.testing.assert_allclose(probability.sum(axis=1), 1.0)
    orders = [np.argsort(replayed.inside(cell.data, run, 2).truth) for run in range(6)]
    last = np.mean([cell.trace(run=run)["probability"][steps[-1]][orders[run]] for run in range(6)], axis=0)
    np.testing.assert_allclose(probability[-1], last, rtol=1e-9)
    assert np.all(np.diff(truth) > 0.0)


def test_the_path_of_temperatures_ends_uniform_and_greedy(bandit):
    numbers = plots.plotted(bandit.data, "simplex")
    np.testing.assert_allclose(numbers.path[0], [0.0, 0.0, 1.0], atol=1e-6)
    np.testing.assert_allclose(numbers.path[-1], 1 / 3, atol=0.02)
    np.testing.assert_allclose(numbers.paths[1].target, softmax(numbers.truth, tau=0.5))


def test_a_map_shows_the_final_policies_of_its_runs(lake):
    numbers = plots.plotted(lake.data, "policy")
    assert numbers.rows == ("SFFF", "FHFH", "FFFH", "HFFG")
    expected = np.mean([lake.cells[0].policy(run=run).probabilities(9) for run in range(3)], axis=0)
    np.testing.assert_allclose(numbers.maps[0].probability[9], expected)
    assert numbers.maps[0].visits.sum() == pytest.approx(1.0)
    assert numbers.maps[0].visits[0] > 0.05  # the start


def test_occupancy_counts_the_steps_of_a_walk():
    """Two states in a row, then the end: each is visited once."""

    class Table:
        chance = np.ones((3, 1, 1))
        after = np.array([1, 2, 2])[:, None, None]
        final = np.array([False, True, True])[:, None, None]
        first = np.array([1.0, 0.0, 0.0])

    np.testing.assert_array_equal(occupancy(np.ones((3, 1)), Table, 50), [0.5, 0.5, 0.0])


@pytest.mark.parametrize(
    ("kind", "study", "words"),
    [
        ("anatomy", "lake", "anatomy shows a bandit, and FrozenLake-v1 has states; try kind policy."),
        ("simplex", "lake", "simplex shows a bandit"),
        ("policy", "bandit", "gaussian bandit has no map"),
    ],
)
def test_a_figure_that_does_not_fit_says_so(kind, study, words, request):
    with pytest.raises(ConfigError, match=words):
        plots.draw(request.getfixturevalue(study).data, kind)


def test_simplex_needs_three_actions():
    study = rs.sweep(env="gaussian_bandit", agent="sample_average", tau=[0.5, 1.0], runs=3, steps=5, **{"env.arms": 4})
    with pytest.raises(ConfigError, match="three actions, and gaussian bandit has 4"):
        plots.draw(study.data, "simplex")


def test_a_cell_of_another_version_is_not_replayed(bandit):
    import dataclasses

    other = dataclasses.replace(bandit.cells[0].data, id="0" * 64)
    with pytest.raises(ConfigError, match="cannot be replayed"):
        replayed.setup_of(other)


def test_a_real_tiny_study_is_drawn_and_written_whole(lake, tmp_path):
    paths = plots.save(lake.data, tmp_path, ["temperature", "policy", "wrong_tau"], ["svg", "pdf", "png"])
    assert all(path.stat().st_size > 500 for path in paths)
    assert lake.table().count("±") > 4
