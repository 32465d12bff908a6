"""A plan decides which cells a study has, what tells them apart, and whether it may continue what is there."""

import dataclasses

import pytest

from rlsoftmax.errors import ConfigError
from rlsoftmax.experiment.plan import Draft, check_growth, default_name, parts_of, plan_of
from rlsoftmax.experiment.spec import experiment
from rlsoftmax.store.data import Score
from rlsoftmax.store.folder import Memory
from rlsoftmax.store.read import study_of

PLAIN = {
    "env": {"name": "gaussian_bandit"},
    "agent": {"name": "sample_average"},
    "policy": {"name": "boltzmann"},
    "steps": 50,
    "runs": 3,
}
UCB = {"policy": {"name": "ucb"}}


def draft(given=(), **changes):
    chosen = {"env": "testbed", "agent": "sample_average", "policy": changes.get("policy", PLAIN["policy"])["name"]}
    return Draft(experiment({**PLAIN, "tau": 0.25, **changes}), dict(given), chosen)


def temperatures(*values, **changes):
    drafts = [draft({"tau": value}, tau=value, **changes) for value in values]
    return plan_of(drafts, ("tau",), {}, "the command", ("tau",))


def test_cells_keep_their_order_and_what_was_typed():
    plan = temperatures(0.5, 0.25, 1.0)
    assert [dict(cell.overrides) for cell in plan.cells] == [{"tau": 0.5}, {"tau": 0.25}, {"tau": 1.0}]
    assert (plan.axes, plan.runs, plan.run_steps) == (("tau",), 3, 3 * 3 * 50)


def test_equal_cells_collapse():
    assert [cell.overrides["tau"] for cell in temperatures(0.5, 0.25, 0.5).cells] == [0.5, 0.25]


def test_only_swept_keys_are_overrides():
    plan = plan_of([draft({"tau": 0.5, "steps": 50}, tau=0.5)], (), {}, "")
    assert dict(plan.cells[0].overrides) == {}


def test_the_name_is_that_of_the_cells():
    plan = temperatures(0.5, 0.25)
    assert default_name(plan).startswith("testbed-sample_average-")
    assert len(default_name(plan).rpartition("-")[2]) == 6
    assert plan.name == temperatures(0.25, 0.5).name, "the order of cells does not count"
    assert plan.name == dataclasses.replace(plan, runs=1000).name, "runs do not count"
    assert plan.name != temperatures(0.5, 0.125).name
    assert dataclasses.replace(plan, study="mine").name == "mine"


def test_the_header_names_the_options():
    plan = plan_of([draft(), draft(**UCB)], (), {}, "")
    assert parts_of(plan) == "testbed x sample_average x boltzmann/ucb"


def test_settings_of_the_study():
    settings = {"study": "mine", "results": "out", "engine": {"threads": 2, "lanes": "auto"}, "executor": "threads"}
    plan = plan_of([draft()], (), settings, "")
    assert (plan.study, plan.results, plan.threads, plan.lanes, plan.window, plan.debug) == (
        "mine", "out", 2, None, None, False,
    )  # fmt: skip
    assert not plan.keep_memory
    assert plan_of([draft(record={"memory": "final"})], (), {}, "").keep_memory


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"study": "../out"}, "study='../out' must be"),
        ({"study": 3}, "study=3 must be"),
        ({"results": ""}, "results='' must be the path of a folder."),
        ({"results": None}, "results=None must be the path of a folder."),
        ({"engine": {"threads": 0}}, "engine.threads=0 must be >= 1 and <= 4096."),
        ({"engine": {"thread": 1}}, "unknown key engine.thread. Did you mean 'threads'?"),
        ({"engine": 0.5}, "engine=0.5 must be keys and values."),
        ({"engine": {"debug": 1}}, "engine.debug=1 must be true or false."),
        ({"executor": "slurm"}, "executor='slurm' must be threads, the only one so far."),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, words):
    with pytest.raises(ConfigError) as caught:
        plan_of([draft()], (), settings, "")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("drafts", "swept", "refused"),
    [
        ([draft({"tau": 0.1}, **UCB)], (), "tau is given, but nobody reads it: policy ucb has no temperature."),
        ([draft({"beta": 2.0}, **UCB)], (), "beta is given, but nobody reads it"),
        ([draft({"tau.start": 2.0}, **UCB)], (), "tau.start is given, but nobody reads it"),
        ([draft({"tau": 0.1}), draft({"tau": 0.1}, **UCB)], ("tau",), "Write a union of grids"),
        ([draft({"tau": 0.1}), draft({"tau": 0.1}, **UCB)], (), None),
        ([draft({"tau": 0.1}), draft({}, **UCB)], ("tau",), None),
        ([draft({"agent": "sample_average"}, **UCB)], ("agent",), None),
    ],
)
def test_a_key_that_nobody_reads_is_refused(drafts, swept, refused):
    if refused is None:
        assert plan_of(drafts, (), {}, "", swept).cells
        return
    with pytest.raises(ConfigError) as caught:
        plan_of(drafts, (), {}, "", swept)
    assert refused in str(caught.value)


def test_the_document_is_what_the_store_reads():
    plan = dataclasses.replace(temperatures(0.5, 0.25), study="mine")
    store = Memory()
    store.write_plan(plan.document())
    study = study_of(store)
    assert (study.name, study.axes, study.runs, study.command) == ("mine", ("tau",), 3, "the command")
    assert [cell.id for cell in study.cells] == [cell.id for cell in plan.cells]
    assert study.cells[0].overrides == {"tau": 0.5}
    assert study.cells[0].score == Score("reward", 0, 50)
    assert study.cells[0].config["tau"]["value"] == 0.5
    assert study.missing == 6


def test_infinity_survives_the_document():
    store = Memory()
    store.write_plan(temperatures(float("inf")).document())
    assert study_of(store).cells[0].overrides == {"tau": float("inf")}


@pytest.mark.parametrize("old", [(0.5, 0.25), (0.25, 0.5), (0.5,), (0.5, 0.25, 1.0), ()])
def test_an_equal_a_smaller_and_a_larger_plan_continue(old):
    check_growth(temperatures(0.5, 0.25), [temperatures(*old).document()] if old else [])


def test_more_runs_continue():
    check_growth(dataclasses.replace(temperatures(0.5), runs=10), [temperatures(0.5).document()])


@pytest.mark.parametrize(
    ("new", "words"),
    [
        (temperatures(0.5, 0.125), "tau.value: 0.25 there, 0.125 here"),
        (
            temperatures(0.5, 0.25, agent={"name": "sample_average", "initial": 1.0}),
            "agent.initial: 0.0 there, 1.0 here",
        ),
        (temperatures(0.5, 0.25, agent={"name": "sarsa"}), "agent.name: 'sample_average' there, 'sarsa' here"),
        (temperatures(0.5, 0.25, steps=60), "steps: 50 there, 60 here"),
        (temperatures(0.5, 0.25, record={"bins": 5}), "bins: [0, 1, 2"),
    ],
)
def test_a_plan_that_diverges_is_refused_naming_the_key(new, words):
    plan = dataclasses.replace(new, study="mine")
    with pytest.raises(ConfigError) as caught:
        check_growth(plan, [temperatures(0.5, 0.25).document()])
    first, second = str(caught.value).splitlines()
    assert first.startswith("results/mine holds another plan (")
    assert words in first
    assert second == "Choose another name (study=mine-2), or keep the old cells in this request to extend it."


def test_growth_is_judged_against_the_union_of_the_old_plans():
    old = [temperatures(0.5).document(), temperatures(0.5, 0.25).document()]
    check_growth(temperatures(0.5, 0.25, 1.0), old)
    with pytest.raises(ConfigError):
        check_growth(temperatures(0.5, 1.0), old)
