"""The cached composer gives what Hydra gives, values and errors alike; grids multiply out and are replaced by keys."""

import itertools
import random

import numpy as np
import pytest

import rlsoftmax as rs
from rlsoftmax.errors import ConfigError
from rlsoftmax.experiment.compose import (
    axis_of_text,
    axis_of_value,
    check_axes,
    grid_of,
    jobs_of,
    label,
    literal,
    replaced,
    varying,
    with_value,
)
from rlsoftmax.launch.explain import explain
from rlsoftmax.launch.plugins import standalone

SHAPES = [
    "steps=5", "steps=1e3", "agent.initial=0.3", "agent.initial=a_b", "agent.initial='x,y'", "agent.initial=null",
    "agent.initial=[1,2]", "agent.initial={a:1}", "agent={initial:0.7}", "agent=q_learning", "tau=exponential",
    "tau=linear", "tau.start=2", "tau.value=3", "+extra=1", "++extra=2", "+agent.more=1", "~seed", "~agent.initial",
    "seed=${steps}", "tau.value=${agent.initial}", "env=bernoulli_bandit", "env.arms=7", "agent.nope=1", "nope=1",
    "agent.initial.deep=1", "tau@env=constant", "study=a b", "+tau@agent.initial=exponential", "agent.initial.start=2",
    "steps=???", "record.bins=7", "record={bins:3}", "env=gymnasium", "env.kwargs={a:1}",
]  # fmt: skip


@pytest.fixture(scope="module")
def compose():
    return standalone("config", ())


def outcome(call):
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - whatever it is, both must raise it
        return type(error).__name__, str(error)


@pytest.mark.parametrize("seed", range(40))
def test_random_overrides_give_what_hydra_gives(compose, seed):
    chosen = random.Random(seed).sample(SHAPES, seed % 5 + 1)
    assert outcome(lambda: compose(chosen)) == outcome(lambda: compose.compose(chosen))


@pytest.mark.parametrize("pair", list(itertools.product(SHAPES[:4], SHAPES[9:14])), ids=str)
def test_the_order_of_overrides_changes_nothing_against_hydra(compose, pair):
    for chosen in (list(pair), list(reversed(pair))):
        assert outcome(lambda chosen=chosen: compose(chosen)) == outcome(lambda chosen=chosen: compose.compose(chosen))


def test_hydra_composes_once_per_choice_of_groups(monkeypatch):
    compose, loads = standalone("config", ()), []
    load = compose.load
    monkeypatch.setattr(compose, "load", lambda overrides: loads.append(overrides) or load(overrides))
    for k in range(50):
        assert compose(["agent=q_learning", f"agent.alpha=0.{k}", f"steps={k}"])["steps"] == k
    assert loads == [["agent=q_learning"]]


def test_a_composed_configuration_is_not_changed_by_the_next(compose):
    first = compose(["agent.initial=1"])
    compose(["agent.initial=2"])
    assert first["agent"]["initial"] == 1


def test_the_chosen_options_are_known(compose):
    overrides = ["env=bernoulli_bandit", "env.arms=3"]
    compose(overrides)
    assert compose.chosen(overrides)["env"] == "bernoulli_bandit"
    assert compose.chosen(overrides)["agent"] == "sample_average"


def test_a_schedule_in_a_field_is_composed(compose):
    (line,) = axis_of_text("agent.alpha=exponential", compose).choices[0].overrides
    config = compose(["agent=q_learning", line, "agent.alpha.start=0.5"])
    assert config["agent"]["alpha"] == {"name": "exponential", "start": 0.5, "end": 0.05, "half_life": 200}


def test_with_value_needs_a_leaf_that_is_there():
    tree = {"a": {"b": 1}, "c": [1]}
    assert with_value(tree, ["a", "b"], 2) == {"a": {"b": 2}, "c": [1]}
    assert tree["a"]["b"] == 1
    assert with_value(tree, ["a"], 2) is None
    assert with_value(tree, ["a", "x"], 2) is None
    assert with_value(tree, ["a", "b", "x"], 2) is None


# --- axes and grids ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argument", "key", "shown", "last"),
    [
        ("tau=0.1,1/4", "tau", [0.1, 0.25], "tau.value=0.25"),
        ("beta=2,3", "beta", [2.0, 3.0], "tau.value=0.3333333333333333"),
        ("beta=49", "beta", [49.0], f"tau.value={1 / 49}"),
        ("agent.alpha=0.1,0.2", "agent.alpha", [0.1, 0.2], "agent.alpha=0.2"),
        ("agent=q_learning,sarsa", "agent", ["q_learning", "sarsa"], "agent=sarsa"),
        ("agent.alpha=exponential", "agent.alpha", ["exponential"], "+tau@agent.alpha=exponential"),
        ("steps=choice(1,2)", "steps", [1, 2], "steps=2"),
        ("steps=range(1,3)", "steps", [1, 2], "steps=2"),
        ("agent=glob(*sarsa)", "agent", ["expected_sarsa", "n_step_sarsa", "sarsa"], "agent=sarsa"),
        ("env.chances=[0.4,0.6]", "env.chances", [[0.4, 0.6]], "env.chances=[0.4,0.6]"),
        ("+extra=1", "extra", [1], "+extra=1"),
        ("~agent.alpha", "agent.alpha", [None], "~agent.alpha"),
        ("~agent.alpha=1,2", "agent.alpha", [None], "~agent.alpha=1,2"),
        ("study='a,b'", "study", ["a,b"], "study='a,b'"),
    ],
)
def test_an_axis_remembers_what_was_typed_and_what_hydra_is_told(compose, argument, key, shown, last):
    axis = axis_of_text(argument, compose)
    assert axis.key == key
    assert [choice.shown for choice in axis.choices] == shown
    assert axis.choices[-1].overrides[-1] == last


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("tau", [0.1, 0.2], [0.1, 0.2]),
        ("tau", np.array([0.1, 0.2]), [0.1, 0.2]),
        ("tau", np.float64(0.5), [0.5]),
        ("tau", "octaves(1/4,1)", [0.25, 0.5, 1.0]),
        ("tau", ["exponential", 0.5, rs.Linear(start=2.0)], ["exponential", 0.5, "linear(start=2.0)"]),
        ("tau", rs.Constant(value=0.5), [0.5]),
        ("tau", float("inf"), [float("inf")]),
        ("beta", [2, 4], [2.0, 4.0]),
        ("agent", [rs.QLearning(alpha=0.5), "sarsa"], ["q_learning(alpha=0.5)", "sarsa"]),
        ("agent", rs.QLearning(alpha=rs.Linear(end=0.0)), ["q_learning(alpha=linear(end=0.0))"]),
        ("steps", range(1, 3), [1, 2]),
        ("engine.debug", True, [True]),
        ("study", None, [None]),
    ],
)
def test_python_values_are_what_they_look_like(compose, key, value, shown):
    assert [choice.shown for choice in axis_of_value(key, value, compose).choices] == shown


def test_a_nested_mapping_sets_its_keys_and_a_list_in_it_is_one_value(compose):
    grid = grid_of({"record": {"bins": 5, "edges": [0, 1, 1000]}}, compose)
    assert [(axis.key, [choice.shown for choice in axis.choices]) for axis in grid] == [
        ("record.bins", [5]),
        ("record.edges", [[0, 1, 1000]]),
    ]


def test_an_empty_list_is_refused(compose):
    with pytest.raises(ConfigError, match=r"tau=\[\] has no values"):
        axis_of_value("tau", [], compose)


def test_jobs_are_all_combinations_the_last_axis_fastest(compose):
    jobs = jobs_of(grid_of({"agent": ["q_learning", "sarsa"], "tau": [0.1, 0.2], "steps": 5}, compose))
    assert [(job.given["agent"], job.given["tau"]) for job in jobs] == [
        ("q_learning", 0.1), ("q_learning", 0.2), ("sarsa", 0.1), ("sarsa", 0.2),
    ]  # fmt: skip
    assert varying(jobs) == ("agent", "tau")


@pytest.mark.parametrize(
    ("argument", "left"),
    [
        ({"tau": 1.0}, ["agent.alpha", "tau"]),
        ({"tau": "exponential"}, ["agent.alpha", "tau"]),
        ({"beta": 1.0}, ["agent.alpha", "beta"]),
        ({"tau.value": 1.0}, ["agent.alpha", "tau.value"]),
        ({"agent": "sarsa"}, ["tau", "agent"]),
        ({"agent.alpha": 0.5}, ["tau", "agent.alpha"]),
        ({"agent.gamma": 0.5}, ["tau", "agent.alpha", "agent.gamma"]),
        ({"env": "chain"}, ["tau", "agent.alpha", "env"]),
    ],
)
def test_an_argument_replaces_its_key_and_the_keys_below_it(compose, argument, left):
    grid = grid_of({"tau": [0.1, 0.2], "agent.alpha": [0.1, 0.2]}, compose)
    assert [axis.key for axis in replaced(grid, grid_of(argument, compose))] == left


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["tau=1", "tau=2"], "tau is given twice; several values are written tau=first,second."),
        (["tau=1", "beta=2"], "tau and beta are two ways to say the same (tau = 1/beta): give one of them."),
        (["seed=1,2"], "seed cannot take several values: runs=... repeats a cell"),
        (["study=a,b"], "study cannot take several values: a study has one."),
        (["runs=1,2"], "runs cannot take several values"),
        (["engine.threads=1,2"], "engine.threads cannot take several values"),
        (["score.from=0,1"], "score.from cannot take several values"),
    ],
)
def test_axes_that_contradict_each_other_are_refused(compose, arguments, words):
    with pytest.raises(ConfigError) as caught:
        check_axes(tuple(axis_of_text(argument, compose) for argument in arguments))
    assert words in str(caught.value)


def test_python_values_in_hydras_language():
    assert literal({"a": [1, 2.5, None, True], "b": "word"}) == "{a:[1,2.5,null,true],b:word}"
    assert literal(float("inf")) == "inf"
    assert literal(np.int64(3)) == "3"


def test_labels_say_what_differs_from_the_defaults():
    assert label(rs.QLearning()) == "q_learning"
    assert label(rs.GradientBandit(baseline="none")) == "gradient_bandit(baseline=none)"
    assert label(rs.Boltzmann(temperature=3.0)) == "boltzmann"
    assert label(rs.Constant()) == "constant"


def test_errors_that_cause_each_other_are_looked_at_once():
    first, second = ValueError("first"), KeyError("second")
    first.__context__, second.__context__ = second, first
    assert explain(first) is None
