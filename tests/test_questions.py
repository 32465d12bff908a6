"""What one asks of a study in Python: answers are those of the statistics on the right cells, refusals help."""

import dataclasses

import numpy as np
import pytest
import scipy.stats
from simulated import ten_arms
from test_stats_warnings import a_cell, a_study

import rlsoftmax as rs
from rlsoftmax.errors import ArgumentError, ConfigError
from rlsoftmax.stats.best import set_of_best
from rlsoftmax.stats.evidence import holm
from rlsoftmax.stats.selection import selection_uncertainty
from rlsoftmax.stats.sensitivity import sensitivity


@pytest.fixture(scope="module")
def study():
    return rs.Study(ten_arms(runs=20, temperatures=(0.0625, 0.25, 1.0, 4.0), epsilons=(0.1, 0.2)))


def of(*cells, axes=("tau",), runs=40):
    return rs.Study(a_study(*cells, axes=axes, runs=runs))


@pytest.fixture
def two_worlds():
    luck = np.random.default_rng(20_261_126).normal(size=12)
    cells = [
        a_cell({"env.slip": slip, "tau": tau}, luck + 100 * slip + (tau if slip else -tau))
        for slip in (0.0, 1.0)
        for tau in (1.0, 2.0, 4.0)
    ]
    return of(*cells, axes=("env.slip", "tau"))


# --- the best ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["online", "greedy"])
def test_the_best_has_the_highest_mean_of_the_score_that_is_asked_for(study, which):
    means = [cell.scores(which).mean() for cell in study]
    assert study.best(which) is study.cells[int(np.argmax(means))]


def test_the_best_among_some_cells(study):
    found = study.best(policy="epsilon_greedy")
    assert found in study.cells[4:]
    assert found.scores().mean() == max(cell.scores().mean() for cell in study.cells[4:])


def test_the_best_is_within_one_condition(two_worlds):
    with pytest.raises(ConfigError, match=r"these cells are of 2; choose one: \*\*\{'env.slip': 0.0\}"):
        two_worlds.best()
    assert two_worlds.best(**{"env.slip": 0.0}).overrides["tau"] == 1.0
    assert two_worlds.best(**{"env.slip": 1.0}).overrides["tau"] == 4.0


def test_of_regret_the_lowest_is_best():
    cells = [a_cell({"tau": tau}, [tau, tau + 0.1, tau + 0.3], metric="regret") for tau in (2.0, 1.0, 3.0)]
    assert of(*cells).best().overrides["tau"] == 1.0
    assert [cell.overrides["tau"] for cell in of(*cells).set_of_best()] == [1.0]
    assert of(*cells).compare({"tau": 2.0}, {"tau": 1.0}).difference == pytest.approx(1.0)  # in the unit of the score


def test_two_runs_have_a_best_but_no_set_of_best():
    cells = [a_cell({"tau": tau}, [tau, tau]) for tau in (1.0, 2.0)]
    assert of(*cells).best().overrides["tau"] == 2.0
    with pytest.raises(ConfigError, match="no cell has 3 runs with a score"):
        of(*cells).set_of_best()


def test_the_best_of_an_unfinished_study_is_among_what_is_there():
    cells = [a_cell({"tau": 1.0}, [1.0, 2.0, 3.0]), dataclasses.replace(a_cell({"tau": 2.0}, []), arrays={})]
    assert of(*cells).best().overrides["tau"] == 1.0
    with pytest.raises(ConfigError, match="no run is there yet"):
        of(cells[1]).best()


def test_the_set_of_best_is_that_of_the_statistics_by_falling_mean(study):
    found = study.set_of_best(level=0.8)
    members = set_of_best([cell.scores() for cell in study], level=0.8).members
    assert {cell.id for cell in found} == {cell.id for cell, member in zip(study, members, strict=True) if member}
    assert found[0] is study.best()
    means = [cell.scores().mean() for cell in found]
    assert means == sorted(means, reverse=True)


# --- comparisons ------------------------------------------------------------------------------------------------------


def test_two_cells_are_compared_run_by_run(study):
    found = study.compare({"tau": 0.25}, {"tau": 4.0})
    x, y = study.cells[1].scores(), study.cells[3].scores()
    expected = scipy.stats.ttest_rel(x, y)
    assert found.difference == pytest.approx((x - y).mean())
    assert found.p == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval()))
    assert study.compare(study.cells[1], study.cells[3].id[:12]) == found


def test_many_are_compared_with_one_and_corrected_by_holm(study):
    found = study.comparisons({"tau": 0.25})
    others = [cell for cell in study if cell is not study.cells[1]]
    assert list(found) == others
    raw = [scipy.stats.ttest_rel(cell.scores(), study.cells[1].scores()).pvalue for cell in others]
    np.testing.assert_allclose([one.p for one in found.values()], holm(raw))
    assert found[study.cells[0]].difference == pytest.approx((study.cells[0].scores() - study.cells[1].scores()).mean())


def test_many_are_those_of_the_same_condition(two_worlds):
    to = two_worlds.cells[4]
    assert [dict(cell.overrides) for cell in two_worlds.comparisons(to)] == [
        {"env.slip": 1.0, "tau": 1.0},
        {"env.slip": 1.0, "tau": 4.0},
    ]


def in_study(seed=0, noise=1.0, steps=40, tau=0.1, runs=5, **rest):
    return rs.run(env="testbed", tau=tau, runs=runs, steps=steps, seed=seed, **{"env.noise": noise}, **rest)


def test_studies_with_the_same_seed_and_world_are_compared_in_pairs():
    a, b = in_study(tau=0.1), in_study(tau=2.0, runs=4)
    found = rs.compare(a, b)
    x, y = a.cells[0].scores()[:4], b.cells[0].scores()
    assert found.p == pytest.approx(scipy.stats.ttest_rel(x, y).pvalue)
    assert (found.n, found.dropped) == (4, 1)


@pytest.mark.parametrize("other", [{"seed": 1}, {"noise": 0.5}])
def test_other_seeds_and_other_worlds_are_compared_by_welch(other):
    a, b = in_study(), in_study(**other, runs=7)
    found = rs.compare(a.cells[0], b)
    expected = scipy.stats.ttest_ind(a.cells[0].scores(), b.cells[0].scores(), equal_var=False)
    assert found.p == pytest.approx(expected.pvalue)
    assert np.isnan(found.pairing_saved)


def test_horizons_that_differ_are_refused_with_two_ways_out():
    short, long = in_study(steps=20), in_study(steps=40)
    with pytest.raises(ConfigError) as caught:
        rs.compare(short, long)
    assert str(caught.value) == (
        "they are judged over steps 0 to 20 and steps 0 to 40, which says nothing: play both with the same steps, "
        "or compare what they share: rs.compare(a, b, steps=20)."
    )
    assert rs.compare(short, long, steps=20).difference == 0.0
    with pytest.raises(ConfigError, match="what they share while learning"):
        rs.compare(short, long, "greedy")


def test_the_same_window_of_different_horizons_may_be_compared():
    short, long = in_study(steps=20), in_study(steps=40, score={"to": 20})
    assert rs.compare(short, long).difference == 0.0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda a, s: rs.compare(a, s), "has 6 cells; give one, such as study.cell(...) or study.best()."),
        (lambda a, s: rs.compare(a, a, "gredy"), "no score 'gredy'. Did you mean 'greedy'?"),
        (lambda a, s: rs.compare(a, a, "greedy", steps=20), "steps=20 cannot be given with the greedy score"),
        (lambda a, s: rs.compare(a, a, steps=41), "steps=41 must be the end of a bin of both; the nearest are [39,"),
        (lambda a, s: rs.compare(a, in_study(score={"metric": "regret"})), "one is judged by reward, the other by"),
        (lambda a, s: s.compare({"tau": 0.2}, {"tau": 4.0}), "no cell fits tau=0.2. tau takes: 0.0625, 0.25"),
        (lambda a, s: s.compare({"policy": "epsilon_greedy"}, {"tau": 4.0}), "2 cells fit policy='epsilon_greedy'"),
        (lambda a, s: s.comparisons({"tua": 4.0}), "no cell fits tua=4.0. Did you mean 'tau'?"),
        (lambda a, s: s.best(tau=0.3), "no cell fits tau=0.3. tau takes:"),
        (lambda a, s: s.best("onlin"), "no score 'onlin'. Did you mean 'online'?"),
        (lambda a, s: s.sensitivity("policy.epsilo"), "no number 'policy.epsilo' was swept here. Did you mean"),
        (lambda a, s: s.two_stage(), "the best cell has no 3 fresh runs; play them: report_runs=20."),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_one_line(study, call, words):
    with pytest.raises(ConfigError) as caught:
        call(in_study(), study)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_under_three_runs_nothing_is_compared():
    with pytest.raises(ArgumentError, match="must hold at least 3 runs"):
        rs.compare(in_study(runs=2), in_study(runs=2, tau=1.0))


# --- how much it matters ----------------------------------------------------------------------------------------------


def test_sensitivity_is_over_the_temperature_unless_another_number_is_meant(study):
    values, rows = [0.0625, 0.25, 1.0, 4.0], [cell.scores() for cell in study.cells[:4]]
    assert study.sensitivity() == sensitivity(values, rows)
    assert study.sensitivity("policy.epsilon", share=0.2) == sensitivity(
        [0.1, 0.2], [c.scores() for c in study.cells[4:]], 0.2
    )


def test_sensitivity_of_several_curves_asks_which():
    luck = np.random.default_rng(20_261_127).normal(size=9)
    cells = [
        a_cell({"tau": tau, "agent.alpha": alpha}, luck + alpha * tau) for tau in (1.0, 2.0) for alpha in (0.1, 0.2)
    ]
    grid = of(*cells, axes=("tau", "agent.alpha"))
    with pytest.raises(ConfigError, match=r"several cells have the same tau; also give agent.alpha\."):
        grid.sensitivity()
    assert grid.sensitivity(**{"agent.alpha": 0.2}) == sensitivity([1.0, 2.0], [cells[1].scores(), cells[3].scores()])


def test_selection_uncertainty_is_that_of_the_statistics(study):
    found = study.selection_uncertainty()
    assert list(found) == list(study.cells)
    assert list(found.values()) == selection_uncertainty([cell.scores() for cell in study]).tolist()
    assert sum(found.values()) == pytest.approx(1.0)


def test_two_stages_name_the_best_by_its_place_in_the_study():
    whole = rs.sweep(env="testbed", tau=[4.0, 0.2], runs=6, report_runs=4, steps=40)
    stages = whole.two_stage()
    assert whole.cells[stages.best] is whole.best()
    assert (stages.chosen.n, stages.fresh.n) == (6, 4)
