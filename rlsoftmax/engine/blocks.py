"""A block: some runs of one kind, played side by side, window by window, until their last step.

A block owns all its arrays, so that memory does not grow with runs, cells or steps, and a run's numbers cannot depend
on which block, thread or window it was in.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from rlsoftmax.component import Component, schema
from rlsoftmax.contracts import Environment, Schedule, asked
from rlsoftmax.engine.betas import new_room
from rlsoftmax.engine.fuse import Kind
from rlsoftmax.engine.kept import Kept
from rlsoftmax.engine.loop import Choice, Game, Late, Outcome, Peek, Place, Told
from rlsoftmax.engine.patience import TIMEOUT, watched
from rlsoftmax.engine.setup import Array, Setup
from rlsoftmax.engine.stepped import Rounds, Stepper, Trouble
from rlsoftmax.errors import Interrupted
from rlsoftmax.numeric import RANK, BuildLuck, LuckOfMany

MOST_LANES, FEWEST_LANES = 448, 16  # on the testbed 224 cost 4 % more per step
MOST_WORLDS = 224  # real environments that are open at a time
VECTOR = 8  # with fewer lanes than fill a vector, stages are five times slower
BLOCK_BYTES = 2 << 20  # what the runs of a block may fill, so that they stay in the second-level cache
MEMORY_BYTES = 64 << 20  # beyond it fewer lanes do; and so much of problems is kept for other configurations
TABLE_BYTES = 1 << 19
WINDOW_SECONDS, STEP_SECONDS = 0.2, 3e-8  # how long a stop may have to wait; one step of one lane, roughly
STEPPED_SECONDS = 2e-5  # one step of a real environment, roughly


@dataclasses.dataclass
class Block:
    """The runs `run[l]` of the configurations `setups[config[l]]`, which share a shape."""

    setups: Sequence[Setup]
    config: Array  # int64 [lane]
    run: Array  # int64 [lane]
    window: int | None = None  # steps per kernel call; None: chosen by size
    timeout: float = TIMEOUT  # seconds for one answer of an environment that is stepped

    def __post_init__(self) -> None:
        first = self.setups[0]
        self.kind, self.world, self.steps = first.kind, first.world, first.steps
        self.lanes, self.first = len(self.run), 0
        self.memory = [self._laid(array) for array in self._arrays()]
        self.start_memory = [None if np.isfinite(array).all() else array.copy() for array in self.memory]
        self.record = np.zeros((len(first.edges) - 1, len(self.kind.quantities), self.lanes))
        self.moving = [_moving(parts) for parts in self._parts]
        self.tables = [self._table(*about) for about in zip(self._parts, self.moving, strict=True)]
        self.place, self.action = new_place(self.lanes), np.zeros(self.lanes, np.int64)
        self.age = None if self.kind.bandit else np.zeros(self.lanes, np.int64)
        self.gain = None if self.kind.bandit else np.zeros(self.lanes)
        actions = self.world.actions
        self.peek = new_peek(len(first.snapshot_steps), actions, self.lanes, self.kind.policy.has_probabilities())
        cut = new_choice(self.kind, actions, 1) if self.kind.looks_ahead else None
        self.late = new_late(self.kind, max(setup.slots for setup in self.setups), actions, self.lanes)
        self.stepper: Stepper | None = None
        now, out = new_choice(self.kind, actions, self.lanes), new_outcome(self.kind, actions, self.lanes)
        self.buffers = now, cut, out

    # --- building ---

    @functools.cached_property
    def rows(self) -> int:
        """Return how many steps a window has."""
        columns = sum(len(_columns(parts[0])) for parts, moving in zip(self._parts, self.moving, strict=True) if moving)
        seconds = STEPPED_SECONDS if self.kind.stepped else STEP_SECONDS
        by_memory = TABLE_BYTES // (8 * len(self.setups) * columns) if columns else self.steps
        return self.window or int(np.clip(min(by_memory, WINDOW_SECONDS / seconds / self.lanes), 32, self.steps))

    def _table(self, parts: Sequence[Component | None], moving: Moving) -> Any:
        """Return the numbers of a part, [row, config]; one row does for all steps if no schedule changes them."""
        return None if parts[0] is None else _tabulate(parts, self.rows + 1 if moving else 1)

    @functools.cached_property
    def _parts(self) -> list[list[Component | None]]:
        """Return what the parameter tables hold: agent, policy, adaptive schedule, environment."""
        return [
            [setup.agent for setup in self.setups],
            [setup.policy for setup in self.setups],
            [setup.heat for setup in self.setups],
            [setup.env for setup in self.setups],
        ]

    def _arrays(self) -> list[Array]:
        """Return the arrays of all runs, [lane, ...], in the order of the kind's names."""
        names = self.kind.names
        if any(setup.remembers_luck for setup in self.setups):
            minds = [self.setups[c].mind(int(r)) for c, r in zip(self.config, self.run, strict=True)]
            arrays = [np.stack([mind[name] for mind in minds]) for name in names.mind]
        else:
            minds = [setup.mind(0) for setup in self.setups]
            arrays = [self._spread([mind[name] for mind in minds]) for name in names.mind]
        return arrays + self._worlds()

    def _spread(self, arrays: Sequence[Array]) -> Array:
        """Return the array of each lane's configuration, [lane, ...]; often all share one, which is then not copied."""
        if all(array is arrays[0] for array in arrays):
            return np.broadcast_to(arrays[0], (self.lanes, *arrays[0].shape))
        return np.stack(arrays)[self.config]

    def _worlds(self) -> list[Array]:
        """Return the arrays that the environment owns, [lane, ...]; each run's problem is built once."""
        if not self.kind.names.world:
            return []
        envs, whose = self.environments()
        lanes = [np.flatnonzero(whose == n) for n in range(len(envs))]
        own = [self._own(env, self.run[where]) for env, where in zip(envs, lanes, strict=True)]
        order = np.argsort(np.concatenate(lanes))
        return [np.concatenate([arrays[name] for arrays in own])[order] for name in self.kind.names.world]

    def environments(self) -> tuple[tuple[Environment, ...], Array]:
        """Return the different environments of the block, and which of them each run has: int64 [lane]."""
        number = {env: n for n, env in enumerate(dict.fromkeys(setup.env for setup in self.setups))}
        return tuple(number), np.array([number[setup.env] for setup in self.setups])[self.config]

    def _own(self, env: Environment, runs: Array) -> dict[str, Array]:
        once, which = np.unique(runs, return_inverse=True)
        arrays = own_arrays(env, self.setups[0].seed, tuple(once.tolist()))
        return {name: array[which] for name, array in arrays.items()}

    def _laid(self, array: Array) -> Array:
        """Lanes last where stages rank (a row of values is a vector load), else first (a run's values share lines)."""
        return np.array(np.moveaxis(array, 0, -1) if self.kind.lanes_last else array, order="C")

    # --- playing ---

    def play(
        self, kernel: Callable[[Game], None], until: int | None = None, stop: threading.Event | None = None
    ) -> Block:
        """Play up to step `until` (default: the last). Raises Interrupted when `stop` is set between two windows."""
        games = self._games(self.steps if until is None else until, stop)
        if self.kind.stepped:
            self._play_worlds(kernel, games)
            return self
        with np.errstate(all="ignore"):  # luck wraps around, and limits divide by zero, on purpose
            for game in games:
                kernel(game)
        return self

    def _games(self, until: int, stop: threading.Event | None) -> Iterator[Game]:
        """Yield what each window up to a step reads and writes."""
        while self.first < until:
            if stop is not None and stop.is_set():
                raise Interrupted("stopped between two windows")
            if self.stepper is not None and not self.stepper.alive:
                self.first = until  # all have failed
                return
            rows = min(self.rows, until - self.first)
            yield self._game(rows)
            self.first += rows

    def _play_worlds(self, kernel: Any, games: Iterator[Game]) -> None:
        """Play with the real environments of these runs; they are made at the first step, and closed at the last."""
        if self.stepper is None:
            envs = [(self.setups[c].env, int(run)) for c, run in zip(self.config, self.run, strict=True)]
            self.stepper = Stepper(envs, self.setups[0].seed, self.buffers[2], self._masks(), self.timeout)
        rounds = Rounds(self.stepper, games, kernel)
        watched(rounds.play, self.stepper.patience, rounds.give_up)
        if self.first >= self.steps:
            watched(self.stepper.close, self.stepper.patience, rounds.give_up)

    def _masks(self) -> tuple[Array, Array] | None:
        """Return what is ranked and which actions are allowed, [lane, ...], if every run finds that out by itself."""
        return (self.memory[0], self._allowed()) if self.kind.allowed == "own" else None

    def _allowed(self) -> Array:
        names = self.kind.names
        return self.memory[(*names.mind, *names.world).index("allowed")]

    def _game(self, rows: int) -> Game:
        steps = np.arange(self.first, self.first + rows + 1, dtype=np.float64)
        for table, moving in zip(self.tables, self.moving, strict=True):
            _fill_schedules(table, moving, steps)
        first = self.setups[0]
        bins = np.searchsorted(first.edges, steps[:-1], side="right") - 1
        return Game(
            seed=np.uint64(first.seed), states=self.world.states, limit=self.world.limit, first=self.first, bin=bins,
            look=self._looks(rows),
            agent=self.tables[0], policy=self.tables[1], heat=self.tables[2], env=self.tables[3], coding=None,
            config=self.config, moves=self._moves, run=self.run, here=self.place, action=self.action,
            age=self.age, gain=self.gain, memory=tuple(self.memory), shared=tuple(self.world.shared.values()),
            record=self.record, peek=self.peek, now=self.buffers[0], cut=self.buffers[1], out=self.buffers[2],
            late=self.late,
        )  # fmt: skip

    @functools.cached_property
    def _moves(self) -> bool:
        """Return whether a temperature changes with the step, by a schedule."""
        return any(name == "temperature" for name, _ in self.moving[1])

    def _looks(self, rows: int) -> Array:
        """Return, for every step of the window and the one after it, the snapshot that is due there, or -1."""
        looks = np.full(rows + 1, -1, np.int64)
        due = self.setups[0].snapshot_steps
        if len(self.peek.total):
            here = (due >= self.first) & (due <= self.first + rows)
            looks[due[here] - self.first] = np.flatnonzero(here)
        return looks

    # --- reading ---

    def sums(self) -> dict[str, Array]:
        """Return the recorded sums: [lane, bin] by name."""
        return {name: np.ascontiguousarray(self.record[:, q].T) for q, name in enumerate(self.kind.quantities)}

    def array(self, name: str) -> Array:
        """Return an array of the runs, [lane, ...]: what they remember, or else what their environments own."""
        return self._lanes_first((*self.kind.names.mind, *self.kind.names.world).index(name))

    def of_world(self, name: str) -> Array:
        """Return an array that the environments own: [lane, ...]."""
        return self._lanes_first(len(self.kind.names.mind) + self.kind.names.world.index(name))

    def _lanes_first(self, index: int) -> Array:
        array = self.memory[index]
        return np.ascontiguousarray(np.moveaxis(array, -1, 0)) if self.kind.lanes_last else array

    def values(self) -> Array:
        """Return what the policy ranks now: [lane, states, actions]."""
        if "rank" in self.kind.agent.own_rules():
            return _ranked(self)
        return self.array(self.kind.names.mind[0])

    def broken(self) -> Array:
        """Return which lanes hold a number that is not finite: bool [lane]."""
        bad = ~np.isfinite(self.record).all(axis=(0, 1))
        axis = -1 if self.kind.lanes_last else 0
        for array, start in zip(self.memory, self.start_memory, strict=True):
            finite = np.isfinite(array)
            if start is not None:
                finite |= ~np.isfinite(start)
            if self.kind.allowed == "own" and array.shape == self._allowed().shape:
                finite |= ~self._allowed()
            bad |= ~finite.all(axis=tuple(i for i in range(array.ndim) if i != axis % array.ndim))
        return np.asarray(bad | np.isin(np.arange(self.lanes), list(self.failures)))

    @property
    def failures(self) -> Mapping[int, Trouble]:
        """Return what went wrong with the real environments: lane -> failure."""
        return self.stepper.failures if self.stepper is not None else {}


def lanes_for(setup: Setup) -> int:
    """Return how many runs of this configuration a block should hold; stages are slow with few, `choose` is not."""
    arrays = setup.mind(0).values()
    size = sum(array.nbytes for array in arrays) + 1
    fewest = 1 if setup.kind.chooses else int(np.clip(MEMORY_BYTES // size, VECTOR, FEWEST_LANES))
    most = MOST_WORLDS if setup.kind.stepped else MOST_LANES
    return whole_vectors(int(np.clip(BLOCK_BYTES // size, fewest, most)))


def whole_vectors(lanes: int) -> int:
    """Return a few lanes more where that fills vectors: those that are left over cost as much as a vector each.

    >>> [whole_vectors(lanes) for lanes in (3, 18, 87)]
    [3, 18, 88]
    """
    return lanes if lanes < 4 * VECTOR else -(-lanes // VECTOR) * VECTOR


def _problems(env: Any, seed: int, runs: tuple[int, ...]) -> Mapping[str, Array]:
    """Return the arrays of some runs of an environment, [run, ...]; all configurations share them."""
    luck = LuckOfMany(seed, runs)
    problems = [env.own(BuildLuck(seed, run, among=luck)) for run in runs]
    return {name: np.stack([problem[name] for problem in problems]) for name in problems[0]}


own_arrays = Kept(_problems, most=32, room=MEMORY_BYTES)


def _ranked(block: Block) -> Array:
    """Ask an agent that ranks something else than its first array, run by run and state by state."""
    agent, world = block.kind.agent, block.world
    rule = agent.own_rules()["rank"]
    names = [name for name in asked(rule) if name not in ("values", "state", "step", "luck")]
    values = np.zeros((block.lanes, world.states, world.actions))
    arrays = {name: block.array(name) for name in names}
    agents = [setup.agent for setup in block.setups]
    table = _tabulate(agents, 1)  # a rule reads the numbers of this step, schedules among them
    _fill_schedules(table, _moving(agents), np.array([float(block.first)]))
    for l in range(block.lanes):
        self = table[0, block.config[l]]
        for state in range(world.states):
            luck = block.setups[0].seed, int(block.run[l]), block.first, RANK
            offered = {"values": values[l, state], "state": state, "step": block.first, "luck": luck}
            offered |= {name: array[l] for name, array in arrays.items()}
            with np.errstate(over="ignore"):  # luck wraps around on purpose
                rule(self, **{name: offered[name] for name in asked(rule)})
    return _finished(getattr(agent, "rank_lanes", None), values)


def _finished(stage: Callable[..., None] | None, values: Array) -> Array:
    """Return what is ranked, [..., actions], after the agent's stage, if it has one."""
    if stage is None:
        return values
    rows = np.ascontiguousarray(values.reshape(-1, values.shape[-1]).T)
    stage(rows, *np.empty((3, rows.shape[1])))
    return rows.T.reshape(values.shape)


# --- parameter tables -----------------------------------------------------------------------------------------------


class Row(np.record):  # type: ignore[misc]  # final in the stubs only
    """What `self` is in the interpreted loop: the numbers of a component, even one that is called `size`."""

    def __getattribute__(self, name: str) -> Any:
        fields = super().__getattribute__("dtype").fields
        return self[name] if name in fields else super().__getattribute__(name)


def _columns(part: Component | None) -> list[tuple[str, type]]:
    """Return the numbers of a component as columns of a table."""
    kinds = {float: np.float64, int: np.int64, bool: np.bool_}
    fields = schema(type(part)).values() if part is not None else ()
    columns = [(f.key, kinds.get(f.kind, np.int64)) for f in fields if issubclass(f.kind, (int, float))]
    return columns or [("nothing", np.float64)]


def _tabulate(parts: Sequence[Component | None], rows: int) -> Any:
    """Return [row, config]: the numbers of each component, repeated for every step of a window."""
    columns = _columns(parts[0])
    once = {id(part): tuple(_number(getattr(part, name, 0.0)) for name, _ in columns) for part in _distinct(parts)}
    row = np.array([once[id(part)] for part in parts], columns).view(np.uint8)  # bytes are repeated faster than records
    table = np.repeat(row[None], rows, axis=0).view(columns)
    return table.view(np.dtype((Row, table.dtype)))


def _distinct(parts: Sequence[Component | None]) -> list[Component | None]:
    """Return each object once: the configurations of a sweep share all parts but one."""
    return list({id(part): part for part in parts}.values())


def _number(value: Any) -> float:
    """Return what stands in a field: a number, that of a schedule that has but one, else 0 until it is filled in."""
    if isinstance(value, Schedule):
        return value.steady or 0.0
    return value if isinstance(value, (int, float)) else 0.0


Moving = Sequence[tuple[str, dict[int, Schedule]]]  # field, and the schedule of each configuration that has one there


def _moving(parts: Sequence[Component | None]) -> Moving:
    """Return the fields whose numbers change from step to step, and how."""
    names = schema(type(parts[0])) if parts[0] is not None else ()
    changing = [name for name in names if any(_changes(getattr(part, name)) for part in _distinct(parts))]
    fields = ((name, enumerate(getattr(part, name) for part in parts)) for name in changing)
    return [(name, {c: value for c, value in values if _changes(value)}) for name, values in fields]


def _changes(value: Any) -> bool:
    return isinstance(value, Schedule) and not value.adaptive and value.steady is None


def _fill_schedules(table: Any, moving: Moving, steps: Array) -> None:
    """Write the values of the schedules among the numbers for these steps."""
    for name, schedules in moving:
        table[name][: len(steps), list(schedules)] = np.stack([value(steps) for value in schedules.values()], axis=1)


# --- buffers --------------------------------------------------------------------------------------------------------


def new_place(lanes: int) -> Place:
    """Return places of runs that nobody has put anywhere yet."""
    return Place(np.zeros(lanes, np.int64), None, None)


def new_choice(kind: Kind, actions: int, lanes: int) -> Choice:
    """Return room for one choice; the temperature of a policy without one is NaN."""
    values, weights = np.zeros((actions, lanes)), np.zeros((0 if kind.chooses else actions, lanes))
    prefers = "prefer" in kind.policy.own_rules() or kind.policy.shapes
    preferences = np.zeros((actions, lanes)) if prefers else None
    temperature, action = np.full(lanes, math.nan), np.zeros(lanes, np.int64)
    many = np.zeros((actions, lanes)) if kind.choice_draws else None
    room = new_room(actions, lanes) if kind.policy.shapes else None
    return Choice(temperature, values, preferences, weights, np.zeros(lanes), action, np.zeros((4, lanes)), many, room)


def new_outcome(kind: Kind, actions: int, lanes: int) -> Outcome:
    """Return room for what a step led to, None for what this kind does not use; a pull is always an end."""

    def room(wanted: bool) -> Array | None:
        return np.zeros(lanes) if wanted else None

    luck, chance, reward = np.zeros((3, lanes))
    terminated, ended = np.ones((2, lanes), np.bool_)
    ahead = kind.looks_ahead
    return Outcome(
        luck, chance, room(kind.uses_normal), reward, room("regret" in kind.quantities),
        new_place(lanes), new_place(lanes), terminated, ended, np.zeros(lanes, np.int64) if ahead else None,
        room(ahead and kind.keeps_temperature), room(ahead and kind.keeps_temperature),
        np.zeros((actions, lanes)) if kind.needs_probabilities else None,
        np.zeros((actions, lanes)) if kind.looks_at_next else None, room(kind.looks_at_next),
        np.zeros(1) if ahead else None,
        np.zeros((actions, lanes)) if kind.outcome_draws else None,
        Told(np.zeros(lanes, np.bool_), np.zeros(lanes, np.int64)) if kind.stepped else None,
    )  # fmt: skip


def new_late(kind: Kind, slots: int, actions: int, lanes: int) -> Late | None:
    """Return room for the pulls whose rewards wait, if any do."""
    if not kind.late:
        return None
    reward, temperature, next_temperature = np.zeros((3, slots, lanes))
    probabilities = np.zeros((slots, actions, lanes)) if kind.needs_probabilities else None
    return Late(np.zeros((slots, lanes), np.int64), reward, temperature, next_temperature, probabilities)


def new_peek(snapshots: int, actions: int, lanes: int, known: bool) -> Peek:
    """Return room for the snapshots; none when the policy has no probabilities."""
    count = snapshots if known else 0
    return Peek(np.zeros((count, actions, lanes)), np.zeros((count, lanes)), np.zeros((count, lanes)))
