"""The best cell is reported on fresh runs: played once the best is known, kept apart, and right on average."""

import dataclasses
import threading
from pathlib import Path

import numpy as np
import pytest
from command_line import ok, plans, refused
from scipy.stats import binom
from test_stats_warnings import a_cell, a_study

import rlsoftmax as rs
from rlsoftmax.errors import ConfigError, Interrupted
from rlsoftmax.launch import play as playing
from rlsoftmax.launch.request import Request, planned
from rlsoftmax.stats.fresh import on_fresh_runs, winners
from rlsoftmax.store.folder import Folder
from rlsoftmax.store.read import read_study

SMALL = {"env": "testbed", "agent": "sample_average", "steps": 20}
TAUS = [0.1, 0.3, 1.0]


@pytest.fixture(autouse=True)
def empty(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def sweep(runs, report_runs=0, tau=TAUS, **rest):
    return rs.sweep(tau=tau, runs=runs, report_runs=report_runs, **SMALL, **rest)


def numbers(study):
    """Return {cell id: run numbers} of the fresh runs."""
    return {cell.id: cell.runs.tolist() for cell in study.data.fresh}


# --- what is played ---------------------------------------------------------------------------------------------------


def test_the_best_gets_runs_after_all_others_and_nobody_else_does():
    study = sweep(8, 5)
    chosen = {study.best("online").id, study.best("greedy").id}
    assert numbers(study) == {key: [8, 9, 10, 11, 12] for key in chosen}
    assert [cell.runs.tolist() for cell in study] == [list(range(8))] * 3


def test_the_other_runs_are_the_same_bits_with_and_without_fresh_ones():
    with_them, without, more = sweep(8, 5), sweep(8), sweep(13)
    assert with_them.digest() == without.digest()
    for cell in with_them.data.fresh:
        there = next(other.data for other in more if other.id == cell.id)
        for name, array in cell.arrays.items():
            np.testing.assert_array_equal(array, there.arrays[name][8:], err_msg=name)


def test_every_condition_and_every_kind_has_its_best():
    cells = [
        a_cell({"env.noise": noise, "policy": policy, "number": at}, [10 * noise + at * sign + k for k in range(4)])
        for noise in (1.0, 2.0)
        for policy, sign in (("a", 1), ("b", -1))
        for at in (1, 2)
    ]
    cells = [dataclasses.replace(cell, config={"policy": {"name": cell.overrides["policy"]}}) for cell in cells]
    lone = dataclasses.replace(
        a_cell({"env.noise": 1.0, "policy": "c"}, [0.0, 0.1, 0.2]), config={"policy": {"name": "c"}}
    )
    found = winners(a_study(*cells, lone, axes=("env.noise", "policy", "number"), runs=4))
    assert [dict(cell.overrides) for cell in found] == [
        {"env.noise": noise, "policy": policy, "number": number}
        for noise in (1.0, 2.0)
        for policy, number in (("a", 2), ("b", 1))
    ]


def test_nothing_is_chosen_from_one_cell_or_from_too_few_runs():
    assert winners(a_study(a_cell({}, [1.0, 2.0, 3.0]), axes=())) == ()
    assert winners(a_study(a_cell({"tau": 1.0}, [1.0, 2.0]), a_cell({"tau": 2.0}, [1.0, 2.0]))) == ()
    assert rs.run(tau=0.1, runs=4, report_runs=5, **SMALL).data.fresh == ()


def test_less_regret_is_what_is_best():
    cells = [a_cell({"tau": tau}, [tau, tau + 0.1, tau + 0.2], metric="regret") for tau in (1.0, 2.0)]
    assert [cell.overrides["tau"] for cell in winners(a_study(*cells))] == [1.0]


# --- what is kept -----------------------------------------------------------------------------------------------------


def test_the_same_command_has_nothing_to_do_and_the_study_is_read_back():
    first = sweep(8, 5, study="s")
    files = sorted(Path("results/s").rglob("*"))
    again = sweep(8, 5, study="s")
    assert sorted(Path("results/s").rglob("*")) == files
    loaded = rs.load("s")
    assert numbers(first) == numbers(again) == numbers(loaded)
    assert loaded.digest() == first.digest()
    assert repr(loaded) == repr(first)


def test_a_request_gets_its_own_runs_whatever_else_is_stored():
    sweep(8, 5, study="s")
    more = sweep(20, study="s")
    assert {len(cell.runs) for cell in more} == {20}
    assert more.data.fresh == ()
    fewer = sweep(6, 4, study="s")
    assert {len(cell.runs) for cell in fewer} == {6}
    assert set(map(tuple, numbers(fewer).values())) == {(6, 7, 8, 9)}
    assert more.digest() == sweep(20).digest()
    loaded = rs.load("s")
    assert ({len(cell.runs) for cell in loaded}, loaded.data.fresh) == ({20}, ())


def test_what_was_fresh_for_another_best_stays_out_of_every_number():
    sweep(8, 5, tau=[0.01, 3.0], study="s")
    wider = sweep(8, 5, tau=[0.01, 3.0, 0.3], study="s")
    assert {len(cell.runs) for cell in wider} == {8}
    assert wider.best().id in numbers(wider)
    assert wider.digest() == sweep(8, tau=[0.01, 3.0, 0.3]).digest()


def test_the_plan_knows_of_fresh_runs_only_where_they_were_asked_for():
    sweep(8, study="plain")
    sweep(8, 0, study="zero")
    assert "report_runs" not in plans("plain")[0]
    assert plans("zero")[0].keys() == plans("plain")[0].keys()
    sweep(8, 5, study="more")
    assert plans("more")[0]["report_runs"] == 5
    assert [cell["id"] for cell in plans("more")[0]["cells"]] == [cell["id"] for cell in plans("plain")[0]["cells"]]


def test_memory_asked_for_later_is_there_although_the_fresh_runs_have_none():
    sweep(8, 5, study="s")
    kept = sweep(8, study="s", record={"memory": "final"})
    assert {cell.memory("value").shape for cell in kept} == {(8, 1, 10)}


def test_a_study_that_was_stopped_before_its_fresh_runs_says_so_and_goes_on():
    request = Request(settings={**SMALL, "tau": TAUS, "runs": 8, "report_runs": 5, "study": "s"}, command="rs.sweep()")
    plan = planned(request)
    store = Folder(playing.folder_of(plan))
    playing._execute(plan, store, None, None)
    half = read_study(store.path)
    assert (half.report_runs, half.fresh) == (5, ())
    assert "5 of 5 fresh runs of a best cell are missing" in repr(rs.load("s"))
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        playing.play(plan, stop=stop)
    assert set(map(len, numbers(sweep(8, 5, study="s")).values())) == {5}


def test_study_yaml_plays_fresh_runs_again():
    sweep(8, 5, study="s")
    text = Path("results/s/study.yaml").read_text()
    assert "report_runs: 5\n" in text
    ok("study", "results/s", "results=other")
    assert read_study("other/s").fresh[0].runs.tolist() == [8, 9, 10, 11, 12]


def test_failed_fresh_runs_are_counted_and_not_played_again():
    study = sweep(8, 5, study="s").data
    lost = dataclasses.replace(
        study.fresh[0], runs=study.fresh[0].runs[:2], failures=(rs_failure(10), rs_failure(11), rs_failure(12)),
        arrays={name: array[:2] for name, array in study.fresh[0].arrays.items()},
    )  # fmt: skip
    broken = dataclasses.replace(study, fresh=(lost, *study.fresh[1:]))
    assert "3 of 34 runs failed and are in no number" in rs.Study(broken).table()


def rs_failure(run):
    from rlsoftmax.store.data import Failure

    return Failure(run, 0, 0, 0, "no reason")


# --- what is said -----------------------------------------------------------------------------------------------------


def test_both_numbers_and_their_difference_are_said():
    study = sweep(8, 50)
    best = study.best()
    stages = on_fresh_runs(study.data, best.data)
    fresh = next(cell for cell in study.data.fresh if cell.id == best.id)
    assert stages.chosen.mean == pytest.approx(best.scores().mean())
    assert stages.fresh.mean == pytest.approx(fresh.scores().mean())
    assert stages.optimism.difference == pytest.approx(best.scores().mean() - fresh.scores().mean())
    text = " ".join(study.table().split())
    assert "on 50 fresh runs;" in text
    assert "on the 8 runs that chose it, a difference of" in text
    assert "chosen on these runs" not in text
    assert "chosen on these runs" in sweep(8).table()


def test_the_command_line_says_what_will_be_played_and_the_spreadsheet_has_the_numbers():
    text = ok("sweep", "tau=0.1,0.3", "steps=20", "runs=8", "report_runs=5", "study=s")
    assert "2 cells x 8 runs x 20 steps, then 5 fresh runs of the best" in text.splitlines()[0]
    rows = [line.split(",") for line in Path("results/s/table.csv").read_text().splitlines()]
    column = rows[0].index("fresh_runs")
    assert "5" in {row[column] for row in rows[1:]}


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("report_runs=2", "report_runs=2 must be >= 3: there is no interval under 3 runs."),
        ("report_runs=-1", "report_runs=-1 must be >= 0"),
        ("report_runs=many", "report_runs='many' must be a whole number"),
        ("report_runs=5 runs=2", "runs=2 must be >= 3: there is no interval under 3 runs."),
        ("report_runs=5,6", "report_runs cannot take several values: a study has one."),
        ("reportruns=5", "Did you mean 'report_runs'?"),
    ],
)
def test_fresh_runs_that_cannot_be_are_refused(words, answer):
    assert answer in refused("sweep", "tau=0.1,0.3", "steps=20", *words.split())


def test_python_refuses_the_same():
    with pytest.raises(ConfigError, match="report_runs=2 must be >= 3"):
        sweep(8, 2)


# --- what it is worth -------------------------------------------------------------------------------------------------


def test_fresh_runs_are_right_on_average_and_the_runs_that_chose_are_not():
    """2000 studies of 8 cells that are all worth 0, with shared luck. False alarms: 1e-6 for each of two claims."""
    studies, cells, runs, fresh = 2000, 8, 5, 5
    rng = np.random.default_rng(20_261_125)
    luck = rng.normal(size=(studies, 1, runs + fresh)) + rng.normal(size=(studies, cells, runs + fresh))
    found = []
    for scores in luck:
        study = a_study(*(a_cell({"tau": float(at + 1)}, row[:runs]) for at, row in enumerate(scores)), runs=runs)
        (best,) = winners(study)
        row = scores[study.cells.index(best)]
        late = a_cell(best.overrides, row[runs:], first=runs)
        found.append(on_fresh_runs(dataclasses.replace(study, report_runs=fresh, fresh=(late,)), best))
    means = np.array([[stages.chosen.mean, stages.fresh.mean] for stages in found])
    z = means.mean(axis=0) / np.sqrt(2.0 / 5 / studies)  # a score has variance 2
    assert abs(z[1]) < 4.9
    assert z[0] > 20.0
    covered = sum(0.0 in stages.fresh for stages in found)
    assert binom.ppf(5e-7, studies, 0.95) <= covered <= binom.ppf(1 - 5e-7, studies, 0.95)


def test_a_real_study_of_equal_cells_is_right_on_average():
    """Greedy play from different first values is worth the same: all arms have mean 0. False alarm 1e-6."""
    study = rs.sweep(
        env=rs.BernoulliBandit(chances=(0.5, 0.5)), agent="sample_average", steps=5, tau=[0.1, 0.2, 0.4, 0.8, 1.6],
        runs=200, report_runs=2000,
    )  # fmt: skip
    stages = on_fresh_runs(study.data, study.best().data)
    assert abs(stages.fresh.mean - 0.5) < 4.9 * np.sqrt(0.25 / 5 / 2000)
    assert stages.fresh.n == 2000
