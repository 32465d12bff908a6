"""What the engine is given: the parts of one configuration, and what they look like in memory."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from rlsoftmax.component import Component, per_class
from rlsoftmax.contracts import MEMORY_ASKS, Agent, Environment, Policy, Schedule, Transitions, asked
from rlsoftmax.engine.fit import check_env, check_kind, check_memory, check_names
from rlsoftmax.engine.fuse import Kind, Names, asks_for
from rlsoftmax.engine.kept import Kept
from rlsoftmax.errors import RuleError
from rlsoftmax.numeric import MEMORY, BuildLuck

Array = npt.NDArray[Any]
Ints = npt.NDArray[np.int64]
Minds = tuple[tuple[str, str, tuple[int, ...], str], ...]  # class, name, shape, dtype of each array of a run
FOREVER = 1 << 60


@dataclasses.dataclass(frozen=True)
class World:
    """What an environment looks like: sizes, arrays that all runs read, names of those that each run owns."""

    states: int
    actions: int
    limit: int
    shared: Mapping[str, Array]
    own: tuple[str, ...]
    own_shapes: tuple[Any, ...]  # shape and type of each of them
    transitions: Transitions | None
    bandit: bool

    @property
    def longest(self) -> int | None:
        """Return how many steps an episode can have; None where nothing cuts it."""
        return 1 if self.bandit else None if self.limit >= FOREVER else self.limit


@dataclasses.dataclass(frozen=True)
class Setup:
    """One configuration as the engine plays it. The policy holds its temperature: a schedule or a number."""

    agent: Agent
    policy: Policy
    env: Environment
    seed: int
    steps: int
    edges: Ints  # [bins + 1]
    snapshot_steps: Ints
    inside: bool = False  # whether runs are looked into: values at the snapshots, visits

    @property
    def tau(self) -> Schedule | float | None:
        """Return what stands in the policy's field `temperature`, if it has one."""
        return getattr(self.policy, "temperature", None)

    @functools.cached_property  # asked for every block
    def heat(self) -> Schedule | None:
        """Return the schedule, if it is adaptive: a rule of the run."""
        tau = self.tau
        return tau if isinstance(tau, Schedule) and tau.adaptive else None

    @functools.cached_property
    def world(self) -> World:
        """Return the sizes and arrays of the environment."""
        return world_of(self.env, self.seed)

    @property
    def kind(self) -> Kind:
        """Return what this configuration shares its compiled loop with."""
        return self._fitted[0]

    @property
    def _minds(self) -> Minds:
        """Return what every array is that one run remembers."""
        return self._fitted[1]

    @functools.cached_property
    def _fitted(self) -> tuple[Kind, Minds]:
        classes: Any = type(self.policy), type(self.heat) if self.heat is not None else None
        return fitted(self.agent, self.minds, *classes, self.env, self.seed, self.inside)

    @functools.cached_property
    def slots(self) -> int:
        """Return how many pulls may wait for their rewards to be seen; 1 when each is seen at once."""
        return slots_of(self.env)

    @functools.cached_property
    def shape(self) -> tuple[Any, ...]:
        """Return what must be equal for two configurations to share a block."""
        world = self.world
        same_world = self.env if world.shared else type(self.env)
        times = (self.steps, self.edges.tobytes(), self.snapshot_steps.tobytes())
        sizes = (world.states, world.actions, world.limit, world.own_shapes)
        return (self.kind, self._minds, self.inside, same_world, *sizes, self.seed, *times)

    @property
    def parts(self) -> tuple[Agent | Policy | Schedule | Environment, ...]:
        """Return whose rules are played: agent, policy, adaptive schedule if there is one, environment."""
        return tuple(part for part in (self.agent, self.policy, self.heat, self.env) if part is not None)

    @functools.cached_property  # asked for every run
    def minds(self) -> tuple[Component, ...]:
        """Return who remembers something, in the order of the arrays: agent, policy, adaptive schedule."""
        parts = self.agent, self.policy, self.heat
        return tuple([part for part in parts if part is not None and hasattr(part, "memory")])

    def mind(self, run: int) -> Mapping[str, Array]:
        """Return the first arrays of one run, read-only: agent, policy, schedule, visits."""
        return first_arrays(
            self.minds, self.env, self.seed, run if self.remembers_luck else 0, "visits" in self.kind.names.mind
        )

    @functools.cached_property
    def remembers_luck(self) -> bool:
        """Whether the first memory differs between runs."""
        return any("luck" in asked(type(part).memory) for part in self.minds)  # type: ignore[attr-defined]


# --- looked at once, for all configurations that share it ------------------------------------------------------------


@functools.lru_cache(maxsize=256)
def fitted(
    agent: Agent,
    minds: tuple[Component, ...],
    policy: type[Policy],
    heat: type[Schedule] | None,
    env: Environment,
    seed: int,
    inside: bool,
) -> tuple[Kind, Minds]:
    """Return the kind, and what every array is that one run remembers; most cells of a sweep ask the same."""
    own, world = minds_of(agent, env, seed), world_of(env, seed)
    check_memory(agent, {name: shape for _, name, shape, _ in own}, world.states, world.actions)
    found = own + tuple(mind for part in minds if part is not agent for mind in minds_of(part, env, seed))
    return kind_of(type(agent), policy, heat, env, seed, found, inside, (*env.absent, *agent.absent)), found


@per_class
def kind_of(
    agent: type[Agent],
    policy: type[Policy],
    heat: type[Schedule] | None,
    env: Environment,
    seed: int,
    minds: Minds,
    inside: bool,
    absent: tuple[str, ...],
) -> Kind:
    """Return what shares a compiled loop. Raises RuleError where the parts do not fit."""
    world, parts = world_of(env, seed), [part for part in (agent, policy, heat) if part is not None]
    check_names([(owner, name) for owner, name, *_ in minds], (*world.own, *world.shared))
    visits = ("visits",) if inside or any(asks_for(part, "visits", absent) for part in parts) else ()
    layout = Names((*(name for _, name, *_ in minds), *visits), world.own, tuple(world.shared))
    allowed = world.shared.get("allowed")
    varies = allowed is not None and env.is_bandit() and len(allowed) > 1  # a row for each step
    kind = Kind(
        agent, policy, heat, type(env), layout, world.states > 0, absent,
        stepped=is_stepped(env), late=slots_of(env) > 1, varies=varies,
    )  # fmt: skip
    check_kind(kind)
    return kind


def slots_of(env: Environment) -> int:
    """Return how many pulls may wait for their rewards to be seen."""
    return getattr(env, "delay", 0) + getattr(env, "batch", 1) if env.is_bandit() else 1


@functools.lru_cache(maxsize=256)
def minds_of(part: Component, env: Environment, seed: int) -> Minds:
    """Return (class, name, shape, dtype) of every array that a part wants one run to remember."""
    arrays = mind_arrays(part, world_of(env, seed), None)
    return tuple((type(part).__name__, name, array.shape, array.dtype.str) for name, array in arrays.items())


def _first_arrays(
    minds: tuple[Component, ...], env: Environment, seed: int, run: int, visits: bool
) -> Mapping[str, Array]:
    """Return the arrays that one run begins with, read-only; forbidden actions rank -infinity."""
    world, luck = world_of(env, seed), BuildLuck(seed, run, MEMORY)
    arrays = {name: array for part in minds for name, array in mind_arrays(part, world, luck).items()}
    first, allowed = next(iter(arrays), ""), world.shared.get("allowed")
    if allowed is not None and first and arrays[first].shape == allowed.shape:
        arrays[first] = np.where(allowed, arrays[first], -np.inf)
    if visits:
        arrays["visits"] = np.zeros((world.states, world.actions))
    return arrays


first_arrays = Kept(_first_arrays, most=256, room=64 << 20)


def mind_arrays(part: Component, world: World, luck: BuildLuck | None) -> dict[str, Array]:
    """Return the arrays that an agent, a policy or a schedule wants one run to remember."""
    memory = getattr(part, "memory", None)
    if memory is None:
        return {}
    values = world.states, world.actions, world.longest, luck or BuildLuck(0, 0, MEMORY)
    wanted, offered = asked(memory.__func__), dict(zip(MEMORY_ASKS, values, strict=True))
    if unknown := [name for name in wanted if name not in offered]:
        raise RuleError(f"{type(part).__name__}.memory asks for {unknown[0]!r}; on offer are {', '.join(offered)}.")
    arrays = memory(**{name: offered[name] for name in wanted})
    return {name: np.array(array, dtype=_plain_dtype(array)) for name, array in arrays.items()}


def _plain_dtype(array: Array) -> type:
    """Memory is float64 or int64, so that equal kinds have equal types."""
    return np.float64 if np.asarray(array).dtype.kind == "f" else np.int64


def is_stepped(env: Environment) -> bool:
    """Return whether an environment is a Python object that is stepped, not rules that are compiled."""
    return getattr(env, "way", "table") == "stepped"


@functools.lru_cache(maxsize=256)
def world_of(env: Environment, seed: int) -> World:
    """Return the sizes and arrays of an environment; equal environments are looked at once."""
    check_env(env)
    shared = {name: np.ascontiguousarray(array) for name, array in _shared(env).items()}
    own = {name: np.asarray(array) for name, array in _own(env, seed).items()}
    own_shapes = tuple((array.shape, array.dtype.str) for array in own.values())
    limit: Any = getattr(env, "limit", None)
    states = 1 if env.is_bandit() else int(getattr(env, "states", 0))
    table = env.transitions() if hasattr(env, "transitions") else None
    limit, actions = FOREVER if limit is None else int(limit), int(env.actions)  # type: ignore[attr-defined]
    return World(states, actions, limit, shared, tuple(own), own_shapes, table, env.is_bandit())


def _own(env: Environment, seed: int) -> Mapping[str, Array]:
    return env.own(BuildLuck(seed, 0)) if hasattr(env, "own") else {}


def _shared(env: Environment) -> Mapping[str, Array]:
    return env.shared() if hasattr(env, "shared") else {}
