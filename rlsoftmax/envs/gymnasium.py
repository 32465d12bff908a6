"""Environments of Gymnasium: played from their public table, or else stepped."""

import dataclasses
import functools
import importlib
import json
import math
import operator
from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import Annotated, Any, NamedTuple

import numpy as np

from rlsoftmax.canonical import canonical
from rlsoftmax.component import Bound
from rlsoftmax.contracts import Environment, Transitions, from_front
from rlsoftmax.errors import BadValue, ConfigError, did_you_mean
from rlsoftmax.numeric import BuildLuck

PLAIN_WRAPPERS = ("TimeLimit", "OrderEnforcing", "PassiveEnvChecker")
TRIAL_STEPS = 1000  # real steps that must agree with the table before it is used
NEVER = 2.0  # a uniform number is never as large: nothing comes after the last outcome
MOST_STATES = 1 << 24  # of a stepped environment: a table of values has to fit the memory
SUGGESTED = {
    "FrozenLake-v1": 1 / 64,
    "FrozenLake8x8-v1": 1 / 64,
    "CliffWalking-v1": 1.0,
    "CliffWalkingSlippery-v1": 1.0,
    "Taxi-v4": 0.25,
    "Blackjack-v1": 0.25,
}


class Mask(IntEnum):
    """Which actions are allowed."""

    NONE = 0  # all
    INFO = 1  # those of the environment's advisory `action_mask`


class Success(IntEnum):
    """When an episode counts as a success."""

    NONE = 0  # never said: there is no such curve
    TERMINATED = 1  # it ended before the limit
    POSITIVE_REWARD = 2  # its last reward is positive


class Gymnasium(Environment):
    """A Gymnasium environment with discrete observations and actions, from its table `P` or stepped (`way`).

    A public table is played with the same outcome for the same uniform, in P's own order with its duplicates. It is
    used only if the made environment has no wrapper that could change it, and 1000 real steps agree with it. Any other
    environment is stepped: one environment and one seed per run, observations (Discrete, or Tuple, Dict,
    MultiDiscrete, MultiBinary of them) numbered as the digits of a state. Runs of different cells are then paired by
    the seed alone. `max_episode_steps`: null takes the environment's own limit.

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
    def source(self):
        return source_of(self.id, canonical(self.kwargs), self.max_episode_steps)

    @property
    def way(self):
        """How it is played: `table` or `stepped`."""
        return "stepped" if self.source.table is None else "table"

    @property
    def reason(self):
        """Why it is stepped; nothing where there is a table."""
        return self.source.reason

    @property
    def table(self):
        if self.source.table is None:
            raise ConfigError(f"{self.id} has no table: {self.reason}.")
        return self.source.table

    @property
    def states(self):
        return self.source.states

    @property
    def actions(self):
        return self.source.actions

    @property
    def limit(self):  # a stepped environment cuts its episodes itself
        return None if self.source.table is None else self.source.table.limit

    @property
    def suggested_temperature(self):
        return SUGGESTED.get(self.id)

    @property
    def absent(self):
        return () if self.success_when else ("success",)

    def own(self, luck):
        if self.way == "table" or self.mask == Mask.NONE:
            return {}
        if not self.source.has_mask:
            raise BadValue("mask", "info", f"needs an environment with an action mask, and {self.id} has none")
        return {"allowed": np.ones((self.states, self.actions), np.bool_)}  # each run finds out what is not

    def shared(self):
        if self.way == "stepped":
            return {}
        table = self.table
        arrays = {name: getattr(table, name) for name in ("below", "first", "first_below")} | flat(table)
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
        _, actions, outcomes = below.shape
        i = (state * actions + action) * outcomes
        for m in range(outcomes - 1):
            i += 1 if uniform >= below[state, action, m] else 0
        i = from_front(i)
        return after[i], reward[i], final[i]

    def success(self, reward, terminated):
        if self.success_when == Success.POSITIVE_REWARD:
            return reward > 0.0
        return terminated

    def transitions(self):
        if self.way == "stepped":
            return None
        table = self.table
        return Transitions(table.chance, table.after, table.reward, table.final, table.start_chance)

    def make(self):
        """Return a fresh environment to be stepped; what it answers is checked by whoever steps it."""
        return made_environment(self.id, self.kwargs, self.max_episode_steps, disable_env_checker=True)

    def drawn(self):
        """Return a fresh environment whose `render` returns frames. Raises ConfigError in one line."""
        return drawn_environment(self.id, self.kwargs, self.max_episode_steps)

    def numbering(self):
        """Return the function that turns an observation into the number of a state."""
        return numbering(self.source.space)[1]

    @property
    def first_action(self):
        return self.source.first_action


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


class Source(NamedTuple):
    """What is known of an environment before it is played."""

    table: Table | None
    reason: str  # why there is no table
    states: int
    actions: int
    first_action: int
    space: Any  # of the observations
    has_mask: bool


@functools.cache
def source_of(name: str, kwargs: str, limit: int | None) -> Source:
    """Return how an environment can be played; equal environments are made once. Raises ConfigError in one line."""
    made = made_environment(name, json.loads(kwargs), limit)
    check_discrete(name, made)
    table, reason = None, without_table(made)
    if not reason:
        unwrapped = made.unwrapped
        table = read_table(unwrapped.P, unwrapped.initial_state_distrib, limit or made.spec.max_episode_steps)
        if reason := beyond(table):
            table = None
        elif step := first_disagreement(made, table):
            table, reason = None, f"real step {step} differs from what its P says"
    states, actions = numbering(made.observation_space)[0], made.action_space
    has_mask = table is None and shows_mask(name, json.loads(kwargs), limit)
    return Source(table, reason, states, int(actions.n), int(actions.start), made.observation_space, has_mask)


def check_discrete(name: str, made: Any) -> None:
    """Refuse what no table of values can hold, and say what can be played."""
    spaces = importlib.import_module("gymnasium.spaces")
    try:
        states = numbering(made.observation_space)[0]
    except TypeError as error:
        raise ConfigError(
            f"{name} observes {error}: only Discrete, or Tuple, Dict, MultiDiscrete, MultiBinary of them, can be "
            "played; register it with a wrapper that rounds (gymnasium.wrappers.TransformObservation)."
        ) from None
    if states > MOST_STATES:
        raise ConfigError(f"{name} has {states} states, and a table of values holds at most {MOST_STATES}.")
    if not isinstance(made.action_space, spaces.Discrete):
        raise ConfigError(f"{name} acts in {made.action_space}: only Discrete actions can be chosen among.")


def shows_mask(name: str, kwargs: dict[str, Any], limit: int | None) -> bool:
    """Return whether the first `info` has an action mask."""
    try:
        return "action_mask" in made_environment(name, kwargs, limit, disable_env_checker=True).reset(seed=0)[1]
    except Exception:  # noqa: BLE001 - an environment that cannot be reset fails in its runs, one by one
        return False


def numbering(space: Any) -> tuple[int, Callable[[Any], int]]:
    """Return how many observations a discrete space has, and the number of each; parts count like digits, last fastest.

    Raises TypeError for another space; the function raises ValueError outside the space.

    >>> from gymnasium.spaces import Discrete, Tuple
    >>> count, number = numbering(Tuple((Discrete(3), Discrete(4, start=1))))
    >>> count, number((2, 1))
    (12, 8)
    """
    spaces = importlib.import_module("gymnasium.spaces")
    if isinstance(space, spaces.Discrete):
        return int(space.n), functools.partial(digit, int(space.n), int(space.start))
    if isinstance(space, spaces.MultiDiscrete):
        sizes, starts = np.ravel(space.nvec).tolist(), np.ravel(space.start).tolist()
        return math.prod(sizes), functools.partial(digits, sizes, starts)
    if isinstance(space, spaces.MultiBinary):
        sizes = [2] * math.prod(space.shape)
        return math.prod(sizes), functools.partial(digits, sizes, [0] * len(sizes))
    if isinstance(space, (spaces.Tuple, spaces.Dict)):
        parts = space.spaces if isinstance(space, spaces.Dict) else dict(enumerate(space.spaces))
        inner = {key: numbering(part) for key, part in parts.items()}
        return math.prod(count for count, _ in inner.values()), functools.partial(joined, inner)
    raise TypeError(type(space).__name__ + str(list(space.shape or ())))


def digit(size: int, start: int, observation: Any) -> int:
    """Return the number of an observation of a Discrete space."""
    number = operator.index(observation) - start
    if not 0 <= number < size:
        raise ValueError(f"the observation {observation} is outside Discrete({size}, start={start})")
    return number


def digits(sizes: list[int], starts: list[int], observation: Any) -> int:
    """Return the number of an observation that is an array of whole numbers."""
    number = 0
    for size, start, one in zip(sizes, starts, np.ravel(observation).tolist(), strict=True):
        number = number * size + digit(size, start, one)
    return number


def joined(parts: dict[Any, tuple[int, Callable[[Any], int]]], observation: Any) -> int:
    """Return the number of an observation that has parts."""
    if len(observation) != len(parts):
        raise ValueError(f"the observation {observation} does not have {len(parts)} parts")
    number = 0
    for key, (size, numbered) in parts.items():
        number = number * size + numbered(observation[key])
    return number


def made_environment(name: str, kwargs: dict[str, Any], limit: int | None, **options: bool) -> Any:
    """Return gymnasium.make(name, ...), or a ConfigError in one line when it cannot be made."""
    gymnasium = importlib.import_module("gymnasium")
    known = sorted(gymnasium.registry)
    if name not in gymnasium.registry:
        raise ConfigError(f"env.id={name!r} is not registered in Gymnasium.{did_you_mean_id(name, known)}")
    try:
        return gymnasium.make(name, max_episode_steps=limit, **options, **kwargs)
    except Exception as error:  # a foreign environment may raise anything
        text = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise ConfigError(f"env.id={name!r} cannot be made: {text[:200]}") from error


def drawn_environment(name: str, kwargs: dict[str, Any], limit: int | None) -> Any:
    """Return an environment that draws frames, after the first one; or a ConfigError in one line."""
    missing = importlib.import_module("gymnasium.error").DependencyNotInstalled
    modes = made_environment(name, kwargs, limit).metadata.get("render_modes", [])
    if "rgb_array" not in modes:
        raise ConfigError(f"{name} draws no frames: of its render modes ({', '.join(modes)}) none is rgb_array.")
    made = made_environment(name, {**kwargs, "render_mode": "rgb_array"}, limit, disable_env_checker=True)
    try:
        made.reset(seed=0)
        made.render()
    except missing as error:
        command = " ".join(str(error).split()).replace("`", "").replace("run pip", "run: pip")
        raise ConfigError(f"the frames of {name} cannot be drawn: {command}.") from None
    return made


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


def flat(table: Table) -> dict[str, Any]:
    """Return what an outcome leads to, [outcomes of all states and actions]: one index finds all three."""
    return {name: getattr(table, name).ravel() for name in ("after", "reward", "final")}


def beyond(table: Table) -> str:
    """Return which state a table names that it does not have, or nothing."""
    states, named = len(table.after), np.append(table.after, table.first)
    wrong = named[(named < 0) | (named >= states)]
    return f"its P names state {wrong[0]}, and has {states}" if wrong.size else ""


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
    there, reward, final = rule(None, table.below, **flat(table), state=state, action=action, uniform=uniform)
    return int(there), float(reward), bool(final)


def allowed_in(env: Gymnasium) -> Any:
    """Return which actions each state allows: bool [states, actions], from the environment's own `action_mask`."""
    unwrapped = made_environment(env.id, env.kwargs, env.max_episode_steps).unwrapped
    if not hasattr(unwrapped, "action_mask"):
        raise BadValue("mask", "info", f"needs an environment with an action mask, and {env.id} has none")
    return np.array([np.asarray(unwrapped.action_mask(state), dtype=bool) for state in range(env.states)])
