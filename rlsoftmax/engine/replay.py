"""Luck is pure, so any run can be played again: step by step for a trace, to its end for the final policy."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from rlsoftmax.engine.blocks import Block
from rlsoftmax.engine.fuse import fuse, linked
from rlsoftmax.engine.loop import Game
from rlsoftmax.engine.setup import Array, Setup
from rlsoftmax.errors import ArgumentError, RunFailure

TRACE = np.dtype(
    [
        ("run", np.int64), ("step", np.int64), ("episode", np.int64), ("state", np.int64), ("action", np.int64),
        ("reward", np.float64), ("next_state", np.int64), ("terminated", np.bool_), ("ended", np.bool_),
        ("temperature", np.float64),
    ]
)  # fmt: skip


def one_run(setup: Setup, run: int, window: int | None = None) -> Block:
    """Return a block that holds this run alone."""
    return Block([setup], np.zeros(1, np.int64), np.array([run], np.int64), window)


def trace(setup: Setup, run: int, first: int = 0, last: int | None = None) -> npt.NDArray[Any]:
    """Return the steps [first, last) of a run as a structured array: TRACE and `probability` [actions].

    The steps before `first` are played by the compiled loop, the others one by one in the interpreter; the bits are
    the same. Where the environment of a stepped run fails, the rows end. `temperature` is NaN for a policy without one,
    `probability` NaN where it is not known before the draw.
    """
    last = setup.steps if last is None else last
    if not 0 <= first <= last <= setup.steps:
        raise ArgumentError(f"first={first}, last={last} must be steps of a run of {setup.steps}, in order.")
    block = one_run(setup, run)
    if first > 0:
        block.play(fuse(setup.kind), first)
    watcher = Watcher(block)
    block.play(watcher.kernel(), last)
    rows = watcher.rows()
    return rows[rows["step"] < block.failures[0].step] if block.failures else rows


class Watcher:
    """Notes every step that the interpreted loop plays with one lane."""

    def __init__(self, block: Block) -> None:
        self.block = block
        self.notes: list[tuple[Any, ...]] = []
        quantities = block.kind.quantities
        self.episode = int(block.record[:, quantities.index("episodes")].sum()) if "episodes" in quantities else 0
        self.state, self.temperature, self.probability = 0, math.nan, np.zeros(block.world.actions)

    def kernel(self) -> Callable[[Game], None]:
        """Return the interpreted loop that tells this watcher of every step."""
        kind = self.block.kind
        names: dict[str, Any] = linked(kind, {}).__globals__
        play, keep = names["play_lanes"], names["keep_record"]

        def play_and_note(game: Game, row: int) -> bool:
            self.choice(game)
            return bool(play(game, row))

        def keep_and_note(game: Game, row: int) -> None:
            keep(game, row)
            self.step(game, row)

        return linked(kind, {"play_lanes": play_and_note, "keep_record": keep_and_note})

    def choice(self, game: Game) -> None:
        """Keep what was decided, before the next choice overwrites it."""
        self.state, self.temperature = int(game.here.state[0]), float(game.now.temperature[0])
        known = self.block.kind.policy.has_probabilities()
        self.probability = game.now.weights[:, 0] / game.now.total[0] if known else self.probability * math.nan

    def step(self, game: Game, row: int) -> None:
        """Add the step that was just played."""
        out, bandit = game.out, self.block.kind.bandit
        there, terminated = (0, True) if bandit else (int(out.next.state[0]), bool(out.terminated[0]))
        ended = bandit or bool(out.ended[0])
        when = int(game.run[0]), game.first + row, self.episode
        what = self.state, int(game.action[0]), float(out.reward[0]), there, terminated, ended
        self.notes.append((*when, *what, self.temperature, self.probability))
        self.episode += ended

    def rows(self) -> npt.NDArray[Any]:
        """Return what was noted."""
        dtype = np.dtype([*TRACE.descr, ("probability", np.float64, (self.block.world.actions,))])
        return np.array(self.notes, dtype=dtype)


@dataclasses.dataclass(frozen=True)
class FinalPolicy:
    """The policy of a run after its last step: it acts, and no longer learns.

    Observations and actions are those of the real environment where there is one, else numbers of states and actions.
    """

    values: Array  # [states, actions]: what is ranked
    weights: Array  # [states, actions]: what is drawn from
    number: Callable[[Any], int] = int  # of an observation
    first_action: int = 0  # what the environment calls action 0

    def probabilities(self, observation: Any) -> Array:
        """Return the chance of each action: [actions]."""
        row = self.weights[self.number(observation)]
        return np.asarray(row / row.sum())

    def act(self, observation: Any, rng: np.random.Generator) -> int:
        """Return an action drawn with this generator."""
        below = np.cumsum(self.weights[self.number(observation)])
        return int(np.searchsorted(below[:-1], rng.random() * below[-1], side="right")) + self.first_action


def final_values(setup: Setup, run: int) -> Array:
    """Play a run to its end and return what the policy ranks: [states, actions]. Errors: RunFailure."""
    block = one_run(setup, run).play(fuse(setup.kind))
    if block.failures:
        trouble = block.failures[0]
        raise RunFailure(f"run {run} failed at step {trouble.step}: {trouble.reason}.")
    return np.asarray(block.values()[0])


def final_policy(setup: Setup, run: int) -> FinalPolicy:
    """Play a run to its end and return its policy, with the temperature of the step after the last.

    Raises:
      RunFailure: if its environment fails on the way.
    """
    if not setup.kind.policy.has_probabilities():
        raise ArgumentError(f"{setup.kind.policy.__name__} draws by luck of its own: it has no probabilities.")
    block = one_run(setup, run).play(fuse(setup.kind))
    if block.failures:
        trouble = block.failures[0]
        where = f"step {trouble.step}, state {trouble.state}, action {trouble.action}"
        raise RunFailure(f"run {run} failed at {where}, so it has no final policy: {trouble.reason}.")
    choose = linked(block.kind, {}).__globals__["choose"]
    weights = np.stack([_weights_at(block, choose, state) for state in range(block.world.states)])
    env: Any = setup.env
    real = (env.numbering(), env.first_action) if hasattr(env, "numbering") else ()
    return FinalPolicy(block.values()[0], weights, *real)


def _weights_at(block: Block, choose: Callable[..., None], state: int) -> Array:
    """Ask the policy in the interpreter, as if the run were in this state now."""
    game = block._game(0)
    game.here.state[0] = state
    with np.errstate(all="ignore"):
        choose(game, 0, 0, game.here, np.full(1, 0.5), game.now, 0)
    return np.array(game.now.weights[:, 0])


def locate_failure(setup: Setup, run: int) -> tuple[int, int, int]:
    """Return (step, state, action) at which a run first holds a number that is not finite."""
    block, before = one_run(setup, run, window=256), 0
    kernel = fuse(setup.kind)
    while block.first < setup.steps and not block.broken().any():
        before = block.first
        block.play(kernel, min(before + 256, setup.steps))
    block = one_run(setup, run).play(kernel, before)
    watcher = Watcher(block)
    plain = watcher.kernel()
    while block.first < setup.steps and not block.broken().any():
        block.play(plain, block.first + 1)
    step, state, action = watcher.notes[-1][1], watcher.notes[-1][3], watcher.notes[-1][4]
    return step, state, action
