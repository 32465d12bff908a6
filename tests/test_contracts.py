"""Whatever is on a shelf keeps the contract: this file walks the shelves, so that a new component arrives tested."""

import dataclasses
import enum
import inspect
import math

import cases
import numpy as np
import pytest
import yaml

from rlsoftmax import shelf
from rlsoftmax.component import build, describe, schema
from rlsoftmax.contracts import Policy
from rlsoftmax.engine.fuse import linked
from rlsoftmax.envs.chain import Chain
from rlsoftmax.errors import BadValue, ConfigError
from rlsoftmax.places import shipped

CLASSES = [(group, name) for group in shelf.SHELVES for name in shelf.names(group)]
FILES = sorted(path for group in shelf.SHELVES for path in (shipped("configs") / group).glob("*.yaml"))
EACH_CLASS = pytest.mark.parametrize(("group", "name"), CLASSES, ids=list(map("-".join, CLASSES)))
EACH_FILE = pytest.mark.parametrize("file", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")


def read(file):
    """Return what a YAML file says."""
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def written(group, name):
    """Return (class, the values of its own YAML file)."""
    values = read(shipped("configs") / group / f"{name}.yaml")
    return shelf.find(group, values.pop("name")), values


# --- files ----------------------------------------------------------------------------------------------------------


@EACH_FILE
def test_every_yaml_builds(file):
    values = read(file)
    cls = shelf.find(file.parent.name, values.pop("name"))
    assert isinstance(build(cls, values, file.parent.name), cls)


@EACH_CLASS
def test_the_yaml_named_like_a_class_holds_its_fields_and_defaults(group, name):
    cls, values = written(group, name)
    assert shelf.defaults(cls) == {"name": name} | values
    assert build(cls, values, group) == cls()


@EACH_CLASS
def test_a_class_is_named_like_its_file_and_says_where_it_comes_from(group, name):
    cls = shelf.find(group, name)
    assert shelf.name_of(cls) == name
    assert inspect.getfile(cls).endswith(f"{name}.py")
    text = inspect.getdoc(cls)
    assert "Source:" in text
    assert ">>>" in text
    assert inspect.getmodule(cls).__doc__


def test_the_shelves_are_the_files():
    for group, (folder, _) in shelf.SHELVES.items():
        files = {path.stem for path in (shelf.PACKAGE / folder).glob("[!_]*.py")}
        assert set(shelf.names(group)) == files


@EACH_CLASS
def test_a_component_is_the_same_after_it_was_written_down(group, name):
    cls, values = written(group, name)
    component = build(cls, values, group)
    plain = describe(component)
    assert plain.pop("name") == name
    again = build(cls, plain, group)
    assert again == component
    assert hash(again) == hash(component)


# --- bad values -----------------------------------------------------------------------------------------------------


def bad_values(field):
    """Return values that this field must refuse."""
    wrong = {
        float: ["a word", math.nan, True, [1.0], {}, "1"],
        int: ["a word", 1.5, math.nan, True, math.inf],
        bool: ["yes", 1, 0.0],
        str: [3, True, ["a"], None],
        tuple: [3, "a word", True],
        dict: [3, "a word", [1]],
    }
    found = list(wrong.get(field.kind, ["nonsense", 17, True, None]))
    if field.kind is float and not any(bound.infinite for bound in field.bounds):
        found += [math.inf, -math.inf]
    for bound in field.bounds:
        ends = [bound.low - 1.0, bound.high + 1.0, bound.low if bound.open else math.nan]
        numbers = [number for number in ends if math.isfinite(number)]
        as_field = [[number] for number in numbers] if field.kind is tuple else numbers
        found += [int(number) if field.kind is int else number for number in as_field]
    return [value for value in found if not any(value is word or value == word for word in field.words)]


def fields():
    """Return (group, name, key, bad value) for every field of every class."""
    return [
        pytest.param(group, name, field.key, value, id=f"{group}-{name}-{field.key}-{value!r}")
        for group, name in CLASSES
        for field in schema(shelf.find(group, name)).values()
        for value in bad_values(field)
    ]


@pytest.mark.parametrize(("group", "name", "key", "value"), fields())
def test_a_bad_value_is_refused_with_its_key(group, name, key, value):
    cls, values = written(group, name)
    with pytest.raises(BadValue) as refused:
        build(cls, values | {key: value}, group)
    assert refused.value.key.startswith(f"{group}.")
    assert f"{group}.{key}" in str(refused.value)
    assert "\n" not in str(refused.value)


@EACH_CLASS
def test_an_unknown_key_is_refused_with_the_closest_one(group, name):
    cls, values = written(group, name)
    for key in values:
        with pytest.raises(ConfigError, match=rf"unknown key {group}\.{key}x.*Did you mean '{key}'"):
            build(cls, values | {f"{key}x": 1}, group)
    with pytest.raises(ConfigError, match=rf"unknown key {group}\.qqq\."):
        build(cls, values | {"qqq": 1}, group)


@EACH_CLASS
def test_a_component_cannot_be_changed(group, name):
    component = shelf.find(group, name)()
    for key in schema(type(component)):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(component, key, getattr(component, key))


@EACH_CLASS
def test_every_word_and_convention_of_a_field_is_accepted(group, name):
    cls, values = written(group, name)
    for field in schema(cls).values():
        words = [] if not issubclass(field.kind, enum.Enum) else [member.name.lower() for member in field.kind]
        for word in [*words, *field.words]:
            build(cls, values | {field.key: word}, group)


# --- playing --------------------------------------------------------------------------------------------------------

STEPS = 40
TABLE = Chain(length=2, slip=0.5, limit=3)  # so slippery that any policy sees ends and cuts
ARMS = cases.ARMS


def resolved(group, name):
    """Return the component of the YAML file, `auto` replaced as a study would do it."""
    cls, values = written(group, name)
    return build(cls, {key: 1.0 if value == "auto" else value for key, value in values.items()}, group)


def with_tau(policy, tau=0.5):
    """Return the policy with this temperature, if it takes one."""
    return dataclasses.replace(policy, temperature=tau) if type(policy).has_temperature() else policy


def played(agent, policy, env):
    """Return a block of three runs, played in the interpreter."""
    block = cases.block_of([cases.setup_of(agent, policy, env, steps=STEPS)], cases.lanes_of(cells=1))
    return block.play(linked(block.kind, {}))


def check(block):
    """Check what any kind must leave behind: finite numbers, rewards, episodes that were cut and that ended."""
    assert not block.broken().any()
    sums = {name: sums.sum(axis=1) for name, sums in block.sums().items()}
    assert np.all(sums["reward"] != 0.0)
    if "optimal" in sums:
        assert np.all((sums["optimal"] >= 0.0) & (sums["optimal"] <= STEPS))
        assert np.all(sums["regret"] >= 0.0)
    if "episodes" in sums:
        assert np.all(sums["episodes"] > 0.0)
        assert np.all(sums["length"] <= STEPS)
    if block.kind.env is Chain:
        assert sums["success"].sum() > 0.0
        assert (sums["episodes"] - sums["success"]).sum() > 0.0
    assert np.all(np.isfinite(block.peek.weights).all() and (block.peek.total > 0.0).all())


def pairs():
    """Return (agent, policy) by name."""
    return [(agent, policy) for agent in shelf.names("agent") for policy in shelf.names("policy")]


def attempt(agent, policy, env):
    """Return the played block, or the sentence that says why the parts do not fit."""
    try:
        return played(agent, policy, env)
    except ConfigError as error:
        return str(error)


@pytest.mark.parametrize("env", [ARMS, TABLE], ids=["bandit", "table"])
@pytest.mark.parametrize(("agent", "policy"), pairs(), ids=list(map("-".join, pairs())))
def test_every_agent_plays_with_every_policy_that_fits(agent, policy, env):
    block = attempt(resolved("agent", agent), with_tau(resolved("policy", policy)), env)
    if isinstance(block, str):
        assert block.endswith(".")
        assert "\n" not in block
    else:
        check(block)


def test_every_agent_and_every_policy_fits_somebody():
    def fit(agent, policy):
        parts = resolved("agent", agent), with_tau(resolved("policy", policy))
        return any(cases.fits(*parts, env) for env in (ARMS, TABLE))

    fitting = [pair for pair in pairs() if fit(*pair)]
    assert {agent for agent, _ in fitting} == set(shelf.names("agent"))
    assert {policy for _, policy in fitting} == set(shelf.names("policy"))


@pytest.mark.parametrize("env", [ARMS, TABLE], ids=["bandit", "table"])
@pytest.mark.parametrize("name", shelf.names("tau"))
def test_every_schedule_plays(name, env):
    tau = resolved("tau", name)
    block = played(cases.QLearning(), cases.Boltzmann(temperature=tau), env)
    check(block)
    assert np.all((block.peek.temperature >= 0.0) & ~np.isnan(block.peek.temperature))


@pytest.mark.parametrize("name", shelf.names("tau"))
def test_a_schedule_maps_an_array_of_steps_to_temperatures(name):
    tau = resolved("tau", name)
    if tau.adaptive:
        pytest.skip("depends on the run")
    steps = np.array([0.0, 1.0, 2.0, 10.0, 1e3, 1e6, 1e9])
    values = tau(steps)
    assert values.shape == steps.shape
    assert values.dtype == np.float64
    assert np.all(values >= 0.0)
    assert tau(steps[3:]).tobytes() == values[3:].tobytes()  # one step does not depend on the others


@pytest.mark.parametrize("name", shelf.names("env"))
def test_every_environment_plays(name):
    env = resolved("env", name)
    block = played(cases.QLearning(), cases.Boltzmann(temperature=0.5), env)
    assert not block.broken().any()
    sums = block.sums()
    if "optimal" in sums:
        assert np.all(sums["regret"] >= 0.0)
    assert env.suggested_temperature is None or env.suggested_temperature > 0.0


@pytest.mark.parametrize("name", shelf.names("policy"))
def test_a_policy_with_probabilities_ranks_by_value_alone_and_shares_ties(name):
    policy = with_tau(resolved("policy", name))
    if not policy.has_probabilities():
        pytest.skip("draws by luck of its own")
    block = played(cases.QLearning(), policy, ARMS)
    first = block.peek.weights[0] / block.peek.total[0]  # before the first reward all arms are equal
    np.testing.assert_allclose(first, 1.0 / ARMS.actions, rtol=1e-12)


def test_only_policies_leave_a_field_out_of_their_yaml():
    for group, name in CLASSES:
        cls, values = written(group, name)
        left_out = set(schema(cls)) - set(values)
        assert left_out == ({"temperature"} & set(schema(cls)) if issubclass(cls, Policy) else set())
