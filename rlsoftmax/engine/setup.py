"""What the engine is given: the parts of one configuration, and what they look like in memory."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from rlsoftmax.component import Component
from rlsoftmax.contracts import MEMORY_ASKS, Agent, Environment, Policy, Schedule, Transitions, asked
from rlsoftmax.engine.fit import check_env, check_kind, check_memory, check_names
from rlsoftmax.engine.fuse import Kind, Names
from rlsoftmax.errors import RuleError
from rlsoftmax.numeric import MEMORY, BuildLuck

Array = npt.NDArray[Any]
Ints = npt.NDArray[np.int64]
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

    @property
    def heat(self) -> Schedule | None:
        """Return the schedule, if it is adaptive: a rule of the run."""
        return self.tau if isinstance(self.tau, Schedule) and self.tau.adaptive else None

    @functools.cached_property
    def world(self) -> World:
        """Return the sizes and arrays of the environment."""
        return world_of(self.env, self.seed)

    @functools.cached_property
    def kind(self) -> Kind:
        """Return what this configuration shares its compiled loop with."""
        world = self.world
        check_names([(owner, name) for owner, name, *_ in self._minds], (*world.own, *world.shared))
        names = [name for _, name, *_ in self._minds]
        heat = type(self.heat) if self.heat is not None else None
        visits = ("visits",) if self.inside or self._asks("visits") else ()
        layout = Names((*names, *visits), world.own, tuple(world.shared))
        absent = tuple(getattr(self.env, "absent", ()))
        kind = Kind(
            type(self.agent), type(self.policy), heat, type(self.env), layout, world.states > 0, absent,
            stepped=is_stepped(self.env), late=self.slots > 1, varies=self._varies,
        )  # fmt: skip
        check_kind(kind)
        return kind

    @functools.cached_property
    def _minds(self) -> tuple[tuple[str, str, tuple[int, ...], str], ...]:
        """Return (class, name, shape, dtype) of every array that one run remembers; looked at once."""
        found = []
        for part in filter(None, self.parts().values()):
            arrays = mind_arrays(part, self.world, None)
            if part is self.agent:
                check_memory(self.agent, arrays, self.world.states, self.world.actions)
            found += [(type(part).__name__, name, array.shape, array.dtype.str) for name, array in arrays.items()]
        return tuple(found)

    @property
    def slots(self) -> int:
        """Return how many pulls may wait for their rewards to be seen; 1 when each is seen at once."""
        return getattr(self.env, "delay", 0) + getattr(self.env, "batch", 1) if self.env.is_bandit() else 1

    @property
    def _varies(self) -> bool:
        """Whether the table `allowed` of a bandit has a row for each step."""
        allowed = self.world.shared.get("allowed")
        return allowed is not None and self.env.is_bandit() and len(allowed) > 1

    @functools.cached_property
    def shape(self) -> tuple[Any, ...]:
        """Return what must be equal for two configurations to share a block."""
        world = self.world
        same_world = self.env if world.shared else type(self.env)
        times = (self.steps, self.edges.tobytes(), self.snapshot_steps.tobytes())
        sizes = (world.states, world.actions, world.limit, world.own_shapes)
        return (self.kind, self._minds, self.inside, same_world, *sizes, self.seed, *times)

    def parts(self) -> dict[str, Component | None]:
        """Return who may remember something, in the order of the arrays."""
        return {"agent": self.agent, "policy": self.policy, "heat": self.heat}

    def mind(self, run: int) -> dict[str, Array]:
        """Return the arrays of one run, fresh: agent, policy, schedule, visits; forbidden actions rank -infinity."""
        luck = BuildLuck(self.seed, run, MEMORY)
        parts = [part for part in self.parts().values() if part is not None]
        arrays = {name: array for part in parts for name, array in mind_arrays(part, self.world, luck).items()}
        first = next(iter(arrays), None)
        allowed = self.world.shared.get("allowed")
        if allowed is not None and first is not None and arrays[first].shape == allowed.shape:
            arrays[first] = np.where(allowed, arrays[first], -np.inf)
        if "visits" in self.kind.names.mind:
            arrays["visits"] = np.zeros((self.world.states, self.world.actions))
        return arrays

    @property
    def remembers_luck(self) -> bool:
        """Whether the first memory differs between runs."""
        memories = (getattr(part, "memory", None) for part in self.parts().values())
        return any(memory is not None and "luck" in asked(memory.__func__) for memory in memories)

    def _asks(self, name: str) -> bool:
        parts = [part for part in self.parts().values() if part is not None]
        return any(name in asked(rule) for part in parts for rule in type(part).own_rules().values())  # type: ignore[attr-defined]


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
