"""Plain values become an experiment, or one sentence that names the key, the rule and the value."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rlsoftmax as rs
from rlsoftmax.component import Component
from rlsoftmax.errors import ConfigError
from rlsoftmax.experiment import spec
from rlsoftmax.experiment.bins import Record, edges, snapshot_steps
from rlsoftmax.experiment.spec import experiment, metrics

PLAIN = {
    "env": {"name": "gaussian_bandit"},
    "agent": {"name": "sample_average"},
    "policy": {"name": "boltzmann"},
    "tau": {"name": "constant", "value": 0.25},
    "steps": 1000,
    "seed": 0,
}
CHAIN = {"env": {"name": "chain"}, "agent": {"name": "q_learning"}}


def made(**changes):
    return experiment({**PLAIN, **changes})


def test_everything_is_typed_and_filled_in():
    cell = made(runs=7)
    assert cell.config == {
        "env": {
            **{"name": "gaussian_bandit", "arms": 10, "center": 0.0, "spread": 1.0, "noise": 1.0},
            **{"delay": 0, "batch": 1},
        },
        "agent": {"name": "sample_average", "initial": 0.0},
        "policy": {"name": "boltzmann"},
        "tau": {"name": "constant", "value": 0.25},
        "steps": 1000,
        "seed": 0,
    }
    assert (cell.runs, cell.steps, cell.score.metric, cell.score.start, cell.score.stop) == (7, 1000, "reward", 0, 1000)
    assert cell.policy == rs.Boltzmann(temperature=rs.Constant(value=0.25))


def test_defaults_of_the_study():
    cell = experiment({key: PLAIN[key] for key in ("env", "agent", "policy", "tau")})
    assert (cell.steps, cell.runs, cell.seed) == (1000, 100, 0)


def test_a_policy_without_temperature_has_no_tau():
    cell = made(policy={"name": "ucb"}, tau={"name": "nonsense"})
    assert cell.tau is None
    assert "tau" not in cell.config


@pytest.mark.parametrize(
    ("changes", "temperature", "note"),
    [
        ({}, 0.25, "tau auto = 0.25, which env gaussian_bandit suggests"),
        ({"agent": {"name": "gradient_bandit"}}, 1.0, "tau auto = 1, which agent gradient_bandit suggests"),
        ({"tau": "auto"}, 0.25, "tau auto = 0.25, which env gaussian_bandit suggests"),
    ],
)
def test_auto_is_what_the_agent_or_else_the_environment_suggests(changes, temperature, note):
    cell = made(**{"tau": {"name": "constant", "value": "auto"}, **changes})
    assert cell.tau == rs.Constant(value=temperature)
    assert cell.notes == (note,)
    assert cell.id == made(**{**changes, "tau": temperature}).id


def test_auto_without_a_suggestion_is_refused():
    class Silent(rs.Environment):
        actions = 2

        def pull(self, action):
            return 0.0

    lookup = {"gaussian_bandit": Silent}.get
    with pytest.raises(ConfigError) as caught:
        experiment({**PLAIN, "tau": "auto"}, spec.Workshop(lambda group, name: lookup(name) or spec.find(group, name)))
    assert "neither agent sample_average nor env silent suggests a temperature; give one, such as tau=0.1" in str(
        caught.value
    )


@pytest.mark.parametrize(
    ("env", "scale"),
    [
        ({"name": "chain"}, 10.0),  # its prize
        ({"name": "chain", "prize": 3.0}, 3.0),
        ({"name": "gaussian_bandit", "spread": 2.0}, 2.0),
        ({"name": "gridworld"}, 100.0),  # the cliff
        ({"name": "table_bandit", "means": [1.0, 5.0]}, 4.0),
    ],
)
def test_a_relative_temperature_is_a_share_of_the_scale_that_the_environment_declares(env, scale):
    cell = made(env=env, tau={"name": "relative", "fraction": 0.25})
    assert cell.tau == rs.Relative(fraction=0.25, scale=scale)
    assert cell.config["tau"] == {"name": "relative", "fraction": 0.25, "scale": scale}  # what was played
    assert cell.tau(np.arange(3.0)).tolist() == [0.25 * scale] * 3
    assert cell.notes == (f"tau.scale auto = {scale:g}, the value scale of env {env['name']}",)
    written = made(env=env, tau={"name": "relative", "fraction": 0.25, "scale": scale})
    assert (written.id, written.notes) == (cell.id, ())


@pytest.mark.parametrize(
    ("env", "words"),
    [
        (
            {"name": "gymnasium", "id": "FrozenLake-v1"},
            "tau.scale=auto: env FrozenLake-v1 declares no value scale; give one, such as tau.scale=1, or a temp",
        ),
        ({"name": "chain", "prize": -1.0}, "tau.scale=auto: the value scale of env chain is -1 and must be > 0; give"),
        ({"name": "gaussian_bandit", "spread": 0.0}, "the value scale of env gaussian_bandit is 0 and must be > 0"),
    ],
)
def test_a_relative_temperature_needs_a_scale(env, words):
    with pytest.raises(ConfigError) as caught:
        made(env=env, tau={"name": "relative"})
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert made(env=env, tau={"name": "relative", "scale": 2.0}).tau == rs.Relative(scale=2.0)


@pytest.mark.parametrize(("name", "key"), [("relative", "scale"), ("constant", "value")])
def test_only_a_temperature_is_suggested(name, key):
    with pytest.raises(ConfigError, match=rf"agent.alpha.{key}='auto' must be a number: only a temperature"):
        made(env={"name": "chain"}, agent={"name": "q_learning", "alpha": {"name": name}})


@pytest.mark.parametrize("value", [{"name": "exponential", "start": 0.5}, "exponential"])
def test_a_field_may_hold_a_schedule(value):
    cell = made(**CHAIN | {"agent": {"name": "q_learning", "alpha": value}})
    start = value["start"] if isinstance(value, dict) else 1.0
    assert cell.agent == rs.QLearning(alpha=rs.Exponential(start=start))
    assert cell.config["agent"]["alpha"]["name"] == "exponential"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"colour": 1}, "unknown key colour. Known: agent"),
        ({"temperature": 1}, "temperature is not a key, because other tools use the word both ways"),
        ({"policy": {"name": "boltzmann", "temperature": 1}}, "policy.temperature is not a key"),
        ({"tau": {"name": "constant", "temperature": 1}}, "tau.temperature is not a key"),
        ({"tau": {"name": "constant", "value": -0.5}}, "tau.value=-0.5 must be >= 0."),
        ({"tau": {"name": "constant", "value": math.nan}}, "tau.value=nan must be a number or auto."),
        (
            {"tau": "exponential"},
            "tau: exponential is chosen in the list of defaults, as `- override tau: exponential`.",
        ),
        ({"tau": None}, "tau=None does not name a component. Known: constant"),
        ({"env": {"arms": 3}}, "env={'arms': 3} does not name a component."),
        ({"env": {"name": "testbad"}}, "no env 'testbad'. Known: adversarial_bandit, bernoulli_bandit"),
        ({"env": {"name": "gaussian_bandit", "amrs": 3}}, "unknown key env.amrs. Did you mean 'arms'?"),
        ({"env": {"name": "gaussian_bandit", "arms": 2.5}}, "env.arms=2.5 must be a whole number."),
        ({"env": {"name": "gaussian_bandit", "noise": "loud"}}, "env.noise='loud' must be a number."),
        ({"env": {"name": "gaussian_bandit", "noise": math.inf}}, "env.noise=inf must be a finite number."),
        ({"env": {"name": "gaussian_bandit", "arms": {"name": "linear"}}}, "env.arms='linear' must be a plain value"),
        (
            {"agent": {"name": "q_learning", "initial": "linear"}},
            "agent.initial='linear' must be a number: it is read only",
        ),
        (
            {"agent": {"name": "q_learning", "alpha": {"name": "count_based"}}},
            "agent.alpha='count_based' must be a number",
        ),
        (
            {"agent": {"name": "q_learning", "alpha": {"name": "linear", "steps": 0}}},
            "agent.alpha.steps=0.0 must be > 0",
        ),
        ({"policy": {"name": "ucb", "temperature": 1}}, "policy.temperature is not a key"),
        ({"policy": {"name": "boltzmann", "c": 1}}, "unknown key policy.c. Known: none."),
        ({"steps": 0}, "steps=0 must be >= 1 and <= 9007199254740992."),
        ({"steps": True}, "steps=True must be a whole number."),
        ({"runs": "many"}, "runs='many' must be a whole number."),
        ({"seed": -1}, "seed=-1 must be >= 0 and <= 18446744073709551615."),
        ({"record": 3}, "record=3 must be keys and values."),
        ({"record": {"bin": 3}}, "unknown key record.bin. Did you mean 'bins'?"),
        ({"record": {"bins": 0}}, "record.bins=0 must be >= 1 and <= 10000."),
        ({"record": {"spacing": "wide"}}, "record.spacing='wide' must be one of: auto, log, linear."),
        ({"record": {"snapshots": 26}}, "record.snapshots=26 must be >= 0 and <= 25."),
        ({"record": {"memory": "all"}}, "record.memory='all' must be one of: none, final."),
        ({"record": {"edges": [0, 10]}}, "record.edges=[0, 10] must end at steps=1000."),
        (
            {"record": {"edges": [0, 5, 5, 1000]}},
            "record.edges=[0, 5, 5, 1000] must be whole numbers that ascend from 0.",
        ),
        ({"record": {"edges": [0, 1.5, 1000]}}, "must be whole numbers that ascend from 0."),
        ({"record": {"edges": [1, 1000]}}, "must be whole numbers that ascend from 0."),
        ({"score": {"metrik": "reward"}}, "unknown key score.metrik. Did you mean 'metric'?"),
        (
            {"score": {"metric": "wealth"}},
            "score.metric='wealth': there is no such metric. Known: optimal, regret, reward.",
        ),
        ({"score": {"metric": "return"}}, "score.metric='return': env gaussian_bandit does not declare it."),
        ({"score": {"from": 55}}, "score.from=55 must be the edge of a bin; the nearest are 53 and 56"),
        ({"score": {"from": 1.5}}, "score.from=1.5 must be a whole number."),
        ({"score": {"to": 1001}}, "score.to=1001 must be >= 0 and <= 1000."),
        ({"score": {"from": 10, "to": 10}}, "score.to=10 must be > score.from=10."),
    ],
)
def test_what_cannot_be_run_is_refused(changes, words):
    with pytest.raises(ConfigError) as caught:
        made(**changes)
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


class Blind(rs.Policy):
    """Draws by its own luck: no probabilities, no temperature."""

    def weigh(self, weights, values, luck):
        weights[:] = luck


class Heated(rs.Agent):
    def learn(self, value, state, action, temperature):
        value[state, action] += temperature


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("gradient_bandit", "agent gradient_bandit learns from the policy's probabilities, and policy blind has none"),
        ("expected_sarsa", "agent expected_sarsa learns from the policy's probabilities, and policy blind has none"),
        ("heated", "agent heated learns from the temperature, and policy blind has none"),
    ],
)
def test_parts_that_do_not_fit_are_refused_by_name(agent, words):
    classes = {"blind": Blind, "heated": Heated}
    config = {**PLAIN, "agent": {"name": agent}, "policy": {"name": "blind"}}
    with pytest.raises(ConfigError) as caught:
        experiment(config, spec.Workshop(lambda group, name: classes.get(name) or spec.find(group, name)))
    assert words in str(caught.value)


# --- identity ---------------------------------------------------------------------------------------------------------


def test_the_identity_is_pinned():
    """A change here makes every stored result a stranger: raise NUMBERS, and say so in the changelog."""
    assert made().id == "497ebbbdbf6d2aa4e4db5d6b5a816f57b57b8c928be1ef6957406aee6f10e214"


@pytest.mark.parametrize(
    "changes",
    [
        {"runs": 5},
        {"score": {"metric": "regret"}},
        {"record": {"snapshots": 3}},
        {"record": {"memory": "final"}},
        {"record": {"spacing": "log"}},
        {"study": "named", "results": "elsewhere", "engine": {"threads": 1}, "executor": "threads", "claims": []},
        {"tau": 0.25},
        {"env": {"name": "gaussian_bandit", "spread": 1, "arms": 10}},
    ],
)
def test_what_does_not_change_the_numbers_does_not_change_the_cell(changes):
    assert made(**changes).id == made().id


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 1},
        {"steps": 999},
        {"tau": 0.5},
        {"record": {"bins": 99}},
        {"env": {"name": "gaussian_bandit", "noise": 2.0}},
        {"agent": {"name": "sample_average", "initial": 1.0}},
        {"policy": {"name": "max_boltzmann"}},
        {"tau": {"name": "constant", "value": math.inf}},
    ],
)
def test_what_changes_the_numbers_changes_the_cell(changes):
    assert made(**changes).id != made().id


def test_the_source_of_a_part_that_is_not_shipped_is_a_part_of_the_cell(monkeypatch):
    lookup = {"blind": Blind}
    cells = []
    for text in ("one", "two"):
        monkeypatch.setattr(spec, "source_of", lambda cls, text=text: text if cls is Blind else None)
        config = {**PLAIN, "policy": {"name": "blind"}}
        cells.append(experiment(config, spec.Workshop(lambda group, name: lookup.get(name) or spec.find(group, name))))
        assert (cells[-1].sources, len(cells[-1].id)) == ({"Blind": text}, 64)  # both are looked at once, and kept
    assert len({cell.id for cell in cells}) == 2


def test_plain_values_can_be_stored_as_json():
    text = json.dumps(made(**CHAIN | {"agent": {"name": "q_learning", "alpha": "linear"}}).config)
    assert experiment(json.loads(text)).id == made(**CHAIN | {"agent": {"name": "q_learning", "alpha": "linear"}}).id


# --- metrics and bins -------------------------------------------------------------------------------------------------


def test_what_an_environment_does_not_declare_is_absent():
    assert metrics(rs.GaussianBandit()) == ("reward", "regret", "optimal")
    assert metrics(rs.Chain()) == ("reward", "episodes", "return", "length", "success")
    lake = rs.Gymnasium(id="FrozenLake-v1", success_when="positive_reward")
    assert "success" in metrics(lake)
    assert "success" not in metrics(rs.Gymnasium(id="FrozenLake-v1"))


def test_episodes_are_judged_by_their_return():
    assert made(**CHAIN).score.metric == "return"
    assert made(**CHAIN, score={"metric": "reward", "from": 500}).score.start == 500


@given(st.integers(1, 10**12), st.integers(1, 300), st.booleans())
def test_edges_ascend_from_0_to_the_last_step(steps, bins, log):
    found = edges(steps, Record(bins=bins), bandit=log)
    assert found.dtype == np.int64
    assert (found[0], found[-1], len(found)) == (0, steps, min(bins, steps) + 1)
    assert np.all(np.diff(found) > 0)
    widths = np.diff(found)
    if not log:
        assert widths.max() - widths.min() <= 1
    elif len(widths) > 2:  # ratios fall until bins are one step wide, and are equal from there on up to rounding
        wide = found[1:][np.flatnonzero(widths > 1)]
        assert np.all(np.abs(np.diff(np.log(wide))[:-1] - np.diff(np.log(wide))[1:]) <= 3.0 / wide[:-2])


@given(st.integers(1, 10**12), st.integers(0, 25), st.booleans())
def test_snapshots_are_few_and_hold_the_last_step(steps, count, log):
    found = snapshot_steps(steps, Record(snapshots=count), bandit=log)
    assert len(found) == min(count, steps)
    assert np.all(np.diff(found) > 0)
    if count:
        assert found[-1] == steps - 1
    if min(count, steps) > 1:
        assert found[0] == 0


def test_edges_of_ones_own_are_taken():
    cell = made(record={"edges": [0, 1, 10, 1000]}, score={"from": 1, "to": 10})
    assert cell.edges.tolist() == [0, 1, 10, 1000]
    assert (cell.score.start, cell.score.stop) == (1, 10)


def test_edges_are_shared_and_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        made().edges[0] = 1


def test_parts_in_fields_are_found():
    agent = rs.QLearning(alpha=rs.Linear())
    assert list(spec.classes_of(agent)) == [rs.QLearning, rs.Linear]
    assert issubclass(rs.Linear, Component)
