"""Environments of Gymnasium that publish their transitions."""

import dataclasses
import functools
import importlib
import json
from collections.abc import Iterator
from enum import IntEnum
from typing import Annotated, Any, NamedTuple

import numpy as np

from rlsoftmax.component import Bound, canonical
from rlsoftmax.contracts import Environment, Transitions
from rlsoftmax.errors import BadValue, ConfigError, did_you_mean
from rlsoftmax.numeric import BuildLuck

PLAIN_WRAPPERS = ("TimeLimit", "OrderEnforcing", "PassiveEnvChecker")
TRIAL_STEPS = 1000  # real steps that must agree with the table before it is used
NEVER = 2.0  # a uniform number is never as large: nothing comes after the last outcome
SUGGESTED = {"FrozenLake-v1": 1 / 64, "FrozenLake8x8-v1": 1 / 64, "CliffWalking-v1": 1.0, "Taxi-v4": 0.25}


class Mask(IntEnum):
    """Which actions are allowed."""

    NONE = 0  # all
    INFO = 1  # those of the environment's advisory `action_mask`


class Success(IntEnum):
    """When an episode counts as a success."""

    NONE = 0  # not declared: then there is no such curve
    TERMINATED = 1
    POSITIVE_REWARD = 2


class Gymnasium(Environment):
    """A Gymnasium environment with a public table `P`, played from the table: the same outcome for the same uniform.

    The table keeps P's own order and duplicates. It is used only if the made environment has no wrapper that could
    change it, and 1000 real steps agree with it. `max_episode_steps`: null takes the environment's own limit.

    Source: Towers et al. (2024), Gymnasium; its toy-text environments.

    >>> lake = Gymnasium(id="FrozenLake-v1", kwargs={"map_name": "4x4"})
    >>> lake.states, lake.actions, lake.limit
    (16, 4, 100)
    """

    id: str = "FrozenLake-v1"
    kwargs: dict[str, Any] = dataclasses.field(default_factory=dict)
    max_episode_steps: Annotated[int | None, Bound(1)] = None
    mask: Mask = Mask.NONE
    success_when: Success = Success.NONE

    def check(self):
        super().check()
        if ":" in self.id:
            raise BadValue("id", self.id, "must be a registered name; a --with file may call gymnasium.register")

    @property
    def table(self):
        return table_of(self.id, canonical(self.kwargs), self.max_episode_steps)

    @property
    def states(self):
        return self.table.below.shape[0]

    @property
    def actions(self):
        return self.table.below.shape[1]

    @property
    def limit(self):
        return self.table.limit

    @property
    def suggested_temperature(self):
        return SUGGESTED.get(self.id)

    @property
    def absent(self):
        return () if self.success_when else ("success",)

    def shared(self):
        table = self.table
        names = "below", "after", "reward", "final", "first", "first_below"
        arrays = {name: getattr(table, name) for name in names}
        return arrays | ({"allowed": allowed_in(self)} if self.mask == Mask.INFO else {})

    def start(self, first, first_below, uniform):
        low, high = 0, first.size - 1
        while low < high:
            middle = (low + high) // 2
            if uniform >= first_below[middle]:
                low = middle + 1
            else:
                high = middle
        return first[low]

    def step(self, below, after, reward, final, state, action, uniform):
        j = 0
        for m in range(below.shape[2] - 1):
            j += 1 if uniform >= below[state, action, m] else 0
        return after[state, action, j], reward[state, action, j], final[state, action, j]

    def success(self, reward, terminated):
        if self.success_when == Success.POSITIVE_REWARD:
            return reward > 0.0
        return terminated

    def transitions(self):
        table = self.table
        return Transitions(table.chance, table.after, table.reward, table.final, table.start_chance)


class Table(NamedTuple):
    """P as arrays [states, actions, outcomes]; outcomes that are not there have chance 0."""

    below: Any  # cumulative chance: outcome j happens when the uniform is not below the first j entries
    chance: Any
    after: Any
    reward: Any
    final: Any
    first: Any  # states in which an episode may begin
    first_below: Any  # their cumulative chance
    start_chance: Any  # [states]
    limit: Any


@functools.cache
def table_of(name: str, kwargs: str, limit: int | None) -> Table:
    """Return the table of an environment; equal environments are made once. Raises ConfigError in one line."""
    made = made_environment(name, json.loads(kwargs), limit)
    unwrapped = made.unwrapped
    if reason := without_table(made):
        raise ConfigError(f"{name} has no table: {reason}; only environments with a public table P can be run so far.")
    table = read_table(unwrapped.P, unwrapped.initial_state_distrib, limit or made.spec.max_episode_steps)
    if step := first_disagreement(made, table):
        raise ConfigError(f"{name} has no table: real step {step} differs from what its P says.")
    return table


def made_environment(name: str, kwargs: dict[str, Any], limit: int | None) -> Any:
    """Return gymnasium.make(name, ...), or a ConfigError in one line when it cannot be made."""
    gymnasium = importlib.import_module("gymnasium")
    known = sorted(gymnasium.registry)
    if name not in gymnasium.registry:
        raise ConfigError(f"env.id={name!r} is not registered in Gymnasium.{did_you_mean_id(name, known)}")
    try:
        return gymnasium.make(name, max_episode_steps=limit, **kwargs)
    except Exception as error:  # a foreign environment may raise anything
        text = " ".join(str(error).split()) or type(error).__name__
        raise ConfigError(f"env.id={name!r} cannot be made: {text[:200]}") from error


def did_you_mean_id(name: str, known: list[str]) -> str:
    """Return the closest registered name, the newest version first."""
    stem = name.rpartition("-v")[0] or name
    versions = [other for other in known if other.rpartition("-v")[0].lower() == stem.lower()]
    if versions:
        return f" Did you mean {versions[-1]!r}?"
    return did_you_mean(name, known).partition(" Known")[0]


def without_table(made: Any) -> str:
    """Return why an environment cannot be a table, or nothing."""
    spaces = importlib.import_module("gymnasium.spaces")
    outer, layers = made, []
    while outer is not made.unwrapped:
        layers.append(type(outer).__name__)
        outer = outer.env
    if strange := [layer for layer in layers if layer not in PLAIN_WRAPPERS]:
        return f"the wrapper {strange[0]} may change what happens"
    for space, what in ((made.observation_space, "observations"), (made.action_space, "actions")):
        if not isinstance(space, spaces.Discrete):
            return f"its {what} are {type(space).__name__}, not Discrete"
    if not hasattr(made.unwrapped, "P") or not hasattr(made.unwrapped, "initial_state_distrib"):
        return "it does not publish its transitions"
    return ""


def read_table(outcomes: Any, start_chance: Any, limit: int | None) -> Table:
    """Return P as arrays, in its own order; merging equal outcomes would change what a uniform leads to."""
    shape = (
        len(outcomes),
        len(outcomes[0]),
        max(len(rows) for actions in outcomes.values() for rows in actions.values()),
    )
    below, chance, reward = np.full(shape, NEVER), np.zeros(shape), np.zeros(shape)
    after, final = np.zeros(shape, np.int64), np.zeros(shape, np.bool_)
    for state, action, rows in every_entry(outcomes):
        below[state, action, : len(rows)] = np.cumsum([row[0] for row in rows])
        below[state, action, len(rows) - 1] = NEVER
        for j, row in enumerate(rows):
            chance[state, action, j], after[state, action, j] = row[0], row[1]
            reward[state, action, j], final[state, action, j] = row[2], row[3]
    start = np.asarray(start_chance, dtype=np.float64)
    first = np.flatnonzero(start)
    return Table(below, chance, after, reward, final, first, np.cumsum(start)[first], start, limit)


def every_entry(outcomes: Any) -> Iterator[tuple[int, int, Any]]:
    """Yield state, action and their outcomes."""
    for state in range(len(outcomes)):
        for action in range(len(outcomes[state])):
            yield state, action, outcomes[state][action]


class Uniforms:
    """Stands in for the generator of an environment and hands out given uniforms."""

    def __init__(self, numbers: Any) -> None:
        self.numbers, self.used = numbers, 0

    @property
    def ahead(self) -> float:
        """Return the number that comes next, without using it."""
        return float(self.numbers[self.used])

    def random(self) -> float:
        """Return the next number."""
        self.used += 1
        return float(self.numbers[self.used - 1])


def first_disagreement(made: Any, table: Table, steps: int = TRIAL_STEPS) -> int:
    """Play the real environment and the table with the same uniforms; return the first step that differs, or 0."""
    luck = BuildLuck(0, 0)
    uniforms, choices = Uniforms(luck.uniform(4 * steps)), luck.uniform(steps) * table.below.shape[1]
    step, state, over = 0, 0, True
    try:
        made.reset(seed=0)
        made.unwrapped.np_random = uniforms
        for step, choice in enumerate(choices, 1):
            expected = first_state(table, uniforms.ahead) if over else state
            state = int(made.reset()[0]) if over else state
            outcome = outcome_of(table, state, int(choice), uniforms.ahead)
            there, reward, terminated, truncated, _ = made.step(int(choice))
            if state != expected or (int(there), float(reward), bool(terminated)) != outcome:
                return step
            state, over = int(there), terminated or truncated
    except Exception:  # noqa: BLE001 - a foreign environment that does not work with given luck is no table
        return max(step, 1)
    return 0


def first_state(table: Table, uniform: float) -> int:
    """Return the state in which an episode begins, by the rule that the loop uses."""
    rule: Any = Gymnasium.start
    return int(rule(None, table.first, table.first_below, uniform))


def outcome_of(table: Table, state: int, action: int, uniform: float) -> tuple[int, float, bool]:
    """Return (next state, reward, terminated), by the rule that the loop uses."""
    rule: Any = Gymnasium.step
    there, reward, final = rule(None, table.below, table.after, table.reward, table.final, state, action, uniform)
    return int(there), float(reward), bool(final)


def allowed_in(env: Gymnasium) -> Any:
    """Return which actions each state allows: bool [states, actions], from the environment's own `action_mask`."""
    unwrapped = made_environment(env.id, env.kwargs, env.max_episode_steps).unwrapped
    if not hasattr(unwrapped, "action_mask"):
        raise BadValue("mask", "info", f"needs an environment with an action mask, and {env.id} has none")
    return np.array([np.asarray(unwrapped.action_mask(state), dtype=bool) for state in range(env.states)])
