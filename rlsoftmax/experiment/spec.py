"""A plain configuration becomes a typed Experiment: the parts are built, checked, and found to fit each other."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any

import numpy as np

from rlsoftmax.canonical import canonical
from rlsoftmax.component import (
    Bound,
    Component,
    Seed,
    build,
    check_keys,
    checked,
    describe,
    name_of,
    schema,
)
from rlsoftmax.contracts import Agent, Environment, Policy, Schedule, asks
from rlsoftmax.errors import BadValue, ConfigError, did_you_mean, shown
from rlsoftmax.experiment import bins
from rlsoftmax.experiment.bins import Ints, Record
from rlsoftmax.experiment.ranges import check_ranges
from rlsoftmax.experiment.shorthand import refuse_key
from rlsoftmax.places import GROUPS
from rlsoftmax.shelf import find, names, source_of
from rlsoftmax.store.data import SUMS, Score

NUMBERS = 3  # raised whenever the bits of a shipped component or of the loop change: then every cell is a new one

SCIENCE = (*GROUPS, "steps", "seed", "score", "record", "runs")
ABOUT = (
    "study",
    "report_runs",
    "results",
    "engine",
    "evaluate",
    "executor",
    "grids",
    "claims",
    "question",
)  # of the study, not of its numbers
Lookup = Callable[[str, str], type[Component]]


RUNS, STEPPED_RUNS = 100, 10  # what `runs: auto` means, and for an environment that is stepped in Python


class Numbers(Component):
    """The whole numbers of an experiment, with their bounds."""

    steps: Annotated[int, Bound(1, 2**53)] = 1000
    runs: Annotated[int, Bound(1, 10**9)] = RUNS
    seed: Seed = 0


@dataclasses.dataclass(frozen=True, eq=False)
class Experiment:
    """One cell, ready to be played. `tau` is None when the policy has no temperature; else the policy holds it too.

    notes: what was decided for the user, such as an `auto` temperature and why.
    sources: class name -> normalised source of every part that is not shipped.
    """

    env: Environment
    agent: Agent
    policy: Policy
    tau: Schedule | None
    steps: int
    seed: int
    runs: int
    record: Record
    score: Score
    notes: tuple[str, ...] = ()

    @functools.cached_property
    def edges(self) -> Ints:
        """Return the ends of the bins: int64 [bins + 1]."""
        return bins.edges(self.steps, self.record, self.env.is_bandit())

    @functools.cached_property
    def snapshot_steps(self) -> Ints:
        """Return the steps of the closer look: int64 [at most 25]."""
        return bins.snapshot_steps(self.steps, self.record, self.env.is_bandit())

    @functools.cached_property
    def config(self) -> dict[str, Any]:
        """Return plain values, names first: what is stored with the cell. No tau where no temperature is read."""
        policy = {key: value for key, value in describe(self.policy).items() if key != "temperature"}
        heat = {} if self.tau is None else {"tau": self.tau.described}
        parts = {"env": self.env.described, "agent": self.agent.described, "policy": policy} | heat
        return parts | {"steps": self.steps, "seed": self.seed}

    @functools.cached_property
    def sources(self) -> dict[str, str]:
        """Return class name -> normalised source of every part, fields included, that is not shipped."""
        found = {cls.__name__: source_of(cls) for cls in classes_of(self.env, self.agent, self.policy)}
        return {name: text for name, text in found.items() if text is not None}

    @functools.cached_property
    def id(self) -> str:
        """Return the identity of the cell: SHA-256, 64 hex digits. Runs, score and snapshots are no part of it."""
        bits = {"edges": bins.listed(self.edges), "numbers": NUMBERS, "sources": self.sources}
        return hashlib.sha256(canonical(self.config | bits).encode()).hexdigest()


def classes_of(*parts: Component) -> Iterable[type[Component]]:
    """Yield the classes of components and of the components in their fields."""
    for part in parts:
        yield type(part)
        inner = (getattr(part, key) for key in schema(type(part)))
        yield from classes_of(*(value for value in inner if isinstance(value, Component)))


class Workshop:
    """Builds components. Cells that share a part of their configuration share the component: it is checked once.

    lookup: (group, name) -> class.
    """

    def __init__(self, lookup: Lookup = find) -> None:
        self.lookup = lookup
        self._made: dict[tuple[str, int], tuple[Any, Any]] = {}

    def __call__(self, group: str, values: Any) -> Any:
        """Return the component of these very values: the same object gives the same component."""
        known, part = self._made.get((group, id(values)), (None, None))
        if known is not values or part is None:
            part = _part(group, values, self.lookup)
            self._made[group, id(values)] = values, part
        return part


def experiment(config: Mapping[str, Any], workshop: Workshop | None = None) -> Experiment:
    """Return the experiment of a plain configuration.

    Args:
      config: env, agent, policy, tau, steps, runs, seed, score, record; keys of the study are ignored.
      workshop: what builds the components; objects from Python come with their own.

    Raises:
      ConfigError: naming key, rule and value, for anything that cannot be run.
    """
    for key in config:
        refuse_key(key)
    check_keys(config, (*SCIENCE, *ABOUT), "")
    workshop = workshop or Workshop()
    parts = {group: workshop(group, config.get(group)) for group in ("env", "agent", "policy")}
    tau, notes = _tau(config.get("tau"), parts, workshop.lookup)
    if tau is not None:
        parts["policy"] = dataclasses.replace(parts["policy"], temperature=tau)
    _check_fit(parts["agent"], parts["policy"])
    given = {key: config[key] for key in ("steps", "runs", "seed") if key in config}
    if given.get("runs", "auto") == "auto":
        given["runs"] = STEPPED_RUNS if getattr(parts["env"], "way", "") == "stepped" else RUNS
    numbers = build(Numbers, given, "")
    record = build(Record, mapping("record", config.get("record")), "record")
    env: Any = parts["env"]
    ends = bins.edges(numbers.steps, record, env.is_bandit())
    for group, part in parts.items():
        check_ranges(part, group, ends)
    score = _score(mapping("score", config.get("score")), env, ends)
    return Experiment(
        **parts,
        tau=tau, steps=numbers.steps, seed=numbers.seed, runs=numbers.runs, record=record, score=score, notes=notes,
    )  # fmt: skip


def mapping(key: str, values: Any) -> dict[str, Any]:
    """Return the keys and values of a part of a configuration; null has none. Errors: BadValue."""
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise BadValue(key, values, "must be keys and values")
    return dict(values)


def _part(group: str, values: Any, lookup: Lookup) -> Any:
    """Return a component from its name and fields; a field may hold a schedule."""
    if isinstance(values, str):
        raise ConfigError(f"{group}: {values} is chosen in the list of defaults, as `- override {group}: {values}`.")
    if not isinstance(values, Mapping) or "name" not in values:
        raise ConfigError(f"{group}={shown(values)} does not name a component.{did_you_mean('', names(group))}")
    values = dict(values)
    cls = lookup(group, values.pop("name"))
    for key in values:
        refuse_key(f"{group}.{key}")
    fields = {key: _field(cls, group, key, value, lookup) for key, value in values.items()}
    if issubclass(cls, Policy) and "temperature" in schema(cls):
        check_keys(fields, [key for key in schema(cls) if key != "temperature"], group)
    return build(cls, fields, group)


def _field(cls: type[Component], group: str, key: str, value: Any, lookup: Lookup) -> Any:
    """Return the value of a field; {name: ...} or the name of a schedule becomes a schedule."""
    field = schema(cls).get(key)
    if field is None or field.kind is dict or value in field.words:
        return value
    if isinstance(value, str) and field.kind is float and value in names("tau"):
        value = {"name": value}
    if not isinstance(value, Mapping) or "name" not in value:
        return value
    if field.kind is not float:
        raise BadValue(f"{group}.{key}", value["name"], "must be a plain value: it cannot change with the step")
    values = dict(value)
    schedule = build(lookup("tau", values.pop("name")), values, f"{group}.{key}")
    if left := _left_open(schedule):
        raise BadValue(f"{group}.{key}.{left[0]}", "auto", "must be a number: only a temperature is suggested")
    if not cls.takes(key, schedule):
        what = (
            "the schedule depends on the run"
            if getattr(schedule, "adaptive", False)
            else "it is read only at the start"
        )
        raise BadValue(f"{group}.{key}", name_of(type(schedule)), f"must be a number: {what}")
    return schedule


def _tau(values: Any, parts: Mapping[str, Any], lookup: Lookup) -> tuple[Schedule | None, tuple[str, ...]]:
    """Return the schedule of the temperature, if the policy has one, and why it was chosen."""
    if not parts["policy"].has_temperature():
        return None, ()
    if isinstance(values, (int, float)) or values == "auto":
        values = {"name": "constant", "value": values}
    schedule, notes = _part("tau", values, lookup), []
    for key in _left_open(schedule):
        number, note = _AUTO[key](parts["agent"], parts["env"])
        schedule = dataclasses.replace(schedule, **{key: number})
        notes.append(note)
    return schedule, tuple(notes)


def _left_open(schedule: Component) -> list[str]:
    """Return the fields that are still `auto`."""
    return [key for key in schema(type(schedule)) if key in _AUTO and getattr(schedule, key) == "auto"]


def _suggested(agent: Agent, env: Any) -> tuple[float, str]:
    """Return the temperature that the agent, or else the environment, suggests, and a sentence that says so."""
    for group, part in (("agent", agent), ("env", env)):
        temperature = part.suggested_temperature
        if temperature is not None:
            return float(temperature), f"tau auto = {temperature:g}, which {group} {_named(part)} suggests"
    _ = env.actions  # an environment that cannot be made says so first
    raise ConfigError(
        f"tau.value=auto: neither agent {_named(agent)} nor env {_named(env)} suggests a temperature; "
        "give one, such as tau=0.1, or several: 'tau=octaves(1/64,8)'."
    )


def _value_scale(agent: Agent, env: Any) -> tuple[float, str]:
    """Return the scale of the values that the environment declares, and a sentence that says so."""
    scale = env.value_scale
    if scale is None:
        _ = env.actions
        raise ConfigError(
            f"tau.scale=auto: env {_named(env)} declares no value scale; give one, such as tau.scale=1, "
            "or a temperature: tau=0.1."
        )
    if not 0.0 < scale < math.inf:
        raise ConfigError(
            f"tau.scale=auto: the value scale of env {_named(env)} is {scale:g} and must be > 0; "
            "give one, such as tau.scale=1."
        )
    return float(scale), f"tau.scale auto = {scale:g}, the value scale of env {_named(env)}"


_AUTO = {"value": _suggested, "scale": _value_scale}  # field of a schedule -> what `auto` stands for there


def _named(part: Component) -> str:
    identity = getattr(part, "id", None)  # a Gymnasium environment is known by its own name
    return str(identity) if isinstance(identity, str) else name_of(type(part))


def _check_fit(agent: Agent, policy: Policy) -> None:
    """Refuse an agent that asks for what the policy does not have."""
    rules = type(agent).own_rules().values()
    for words, has, what in (
        (("probabilities", "next_probabilities"), policy.has_probabilities(), "the policy's probabilities"),
        (("temperature", "next_temperature"), policy.has_temperature(), "the temperature"),
    ):
        if not has and any(asks(rule, word) for rule in rules for word in words):
            raise ConfigError(
                f"agent {_named(agent)} learns from {what}, and policy {_named(policy)} has none; "
                "choose another policy, such as policy=boltzmann."
            )


def metrics(env: Environment) -> tuple[str, ...]:
    """Return what is recorded in an environment; what it does not declare is not there."""
    rules = type(env).own_rules()
    regret = ("regret", "optimal") if "regret" in rules else ()
    episodes = () if env.is_bandit() else ("episodes", "return", "length")
    success = ("success",) if "success" in rules and not env.is_bandit() else ()
    return tuple(name for name in ("reward", *regret, *episodes, *success) if name not in env.absent)


def _score(values: Mapping[str, Any], env: Environment, ends: Ints) -> Score:
    """Return what a run is judged by. Its ends are bin edges: else the score would not be what it says."""
    check_keys(values, ("metric", "from", "to"), "score")
    metric = values.get("metric")
    metric = ("reward" if env.is_bandit() else "return") if metric in (None, "auto") else metric
    if metric not in metrics(env):
        known = did_you_mean(str(metric), metrics(env))
        where = f"env {_named(env)} does not declare it" if metric in SUMS else "there is no such metric"
        raise ConfigError(f"score.metric={shown(metric)}: {where}.{known}")
    first = _edge("score.from", values.get("from"), 0, ends)
    last = _edge("score.to", values.get("to"), int(ends[-1]), ends)
    if first >= last:
        raise BadValue("score.to", last, f"must be > score.from={first}")
    return Score(str(metric), first, last)


def _edge(key: str, value: Any, default: int, ends: Ints) -> int:
    if value is None:
        return default
    bound = Bound(0, int(ends[-1]))
    step = int(checked(value, dataclasses.replace(schema(Numbers)["steps"], key=key, bounds=(bound,))))
    place = int(np.searchsorted(ends, step))
    if ends[place] != step:
        near = f"{ends[place - 1]} and {ends[place]}"
        raise BadValue(key, step, f"must be the edge of a bin; the nearest are {near} (record.edges can name others)")
    return step
