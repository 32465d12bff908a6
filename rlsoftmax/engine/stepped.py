"""Environments that are Python objects: stepped one by one, between the two compiled halves of the loop.

Every run has an environment of its own, seeded once with a number that only depends on (seed, run). What an environment
does wrong (it raises, pays what is not a number, shows what is outside its space) is the failure of its run alone.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from rlsoftmax.engine.loop import Game, Outcome
from rlsoftmax.engine.setup import Array
from rlsoftmax.numeric import WORLD, random_words


@dataclasses.dataclass(frozen=True)
class Trouble:
    """What an environment did wrong, and when: the action it was given in which state."""

    step: int
    state: int
    action: int
    reason: str


class Stepper:
    """The real environments of the lanes of a block.

    worlds: (environment component, run) of every lane; the component has `make`, `numbering`, `first_action`.
    out: where the loop looks for the answers. masks: what is ranked and which actions are allowed, both
    [lane, states, actions], if every run finds out by itself what is allowed.
    """

    def __init__(
        self, worlds: Sequence[tuple[Any, int]], seed: int, out: Outcome, masks: tuple[Array, Array] | None
    ) -> None:
        lanes = len(worlds)
        self.failures: dict[int, Trouble] = {}
        self._masks, self._seen = masks, set[tuple[int, int]]()
        self._made: list[Any] = [None] * lanes
        self._number = [env.numbering() for env, _ in worlds]
        self._shift = [env.first_action for env, _ in worlds]
        self._next, self._first = [0] * lanes, [0] * lanes
        self._reward, self._end, self._cut = [0.0] * lanes, [False] * lanes, [False] * lanes
        for l, (env, run) in enumerate(worlds):
            self._open(l, env, seed_of(seed, run))
        self._alive = [l for l in range(lanes) if l not in self.failures]
        out.told.first[:] = self._first

    def _open(self, l: int, env: Any, seed: int) -> None:
        try:
            self._made[l] = env.make()
            self._reset(l, seed=seed)
        except Exception as error:  # noqa: BLE001 - a foreign environment may raise anything
            self.failures[l] = Trouble(0, 0, 0, one_line(error))

    def ask(self, game: Game, row: int) -> None:
        """Step the environment of every run that has not failed, and write down what each answered."""
        actions, out = game.action.tolist(), game.out
        for l in self._alive:
            try:
                self._step(l, actions[l])
            except Exception as error:  # noqa: BLE001 - a foreign environment may raise anything
                self._fail(l, game, row, one_line(error))
        out.next.state[:], out.reward[:], out.terminated[:] = self._next, self._reward, self._end
        out.told.cut[:], out.told.first[:] = self._cut, self._first

    def _step(self, l: int, action: int) -> None:
        observation, reward, end, cut, info = self._made[l].step(action + self._shift[l])
        state, reward = self._number[l](observation), float(reward)
        if not math.isfinite(reward):
            raise ValueError(f"the reward is {reward}")
        if self._masks is not None:
            self._note_mask(l, state, info, *self._masks)
        self._next[l], self._reward[l], self._end[l], self._cut[l] = state, reward, bool(end), bool(cut)
        if end or cut:
            self._reset(l)

    def _reset(self, l: int, **seed: int) -> None:
        observation, info = self._made[l].reset(**seed)
        self._first[l] = self._number[l](observation)
        if self._masks is not None:
            self._note_mask(l, self._first[l], info, *self._masks)

    def _note_mask(self, l: int, state: int, info: Any, ranked: Array, allowed: Array) -> None:
        """Forbid what the mask forbids in this state, once and for all."""
        mask = np.asarray(info["action_mask"], dtype=bool)
        if (l, state) in self._seen:
            if not np.array_equal(mask, allowed[l, state]):
                raise ValueError("its action mask depends on more than the observation")
            return
        if mask.shape != allowed.shape[2:] or not mask.any():
            raise ValueError(f"its action mask {mask.tolist()} does not allow one of {allowed.shape[2]} actions")
        self._seen.add((l, state))
        allowed[l, state] = mask
        if ranked.shape == allowed.shape:
            ranked[l, state, ~mask] = -np.inf

    def _fail(self, l: int, game: Game, row: int, reason: str) -> None:
        """Leave the run where it is: what its agent does from here on is not looked at."""
        state = int(game.here.state[l])
        self.failures[l] = Trouble(game.first + row, state, int(game.action[l]), reason)
        self._alive = [lane for lane in self._alive if lane != l]
        self._next[l], self._reward[l], self._end[l], self._cut[l] = state, 0.0, False, False

    def close(self) -> None:
        """Let the environments free what they hold."""
        for l in self._alive:
            self._made[l].close()


def seed_of(seed: int, run: int, number: int = 0) -> int:
    """Return the seed of an environment of a run: 32 bits of luck, what every generator accepts."""
    with np.errstate(over="ignore"):
        return int(random_words(seed, run, number, WORLD)[0]) >> 32


def one_line(error: Exception) -> str:
    """Return the kind and the text of an error on one line.

    >>> one_line(ValueError("wrong,\\nvery"))
    'ValueError: wrong, very'
    """
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}".removesuffix(": ")
