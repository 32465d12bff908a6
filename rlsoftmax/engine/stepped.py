"""Environments that are Python objects: stepped one by one, between the two compiled halves of the loop.

Every run has an environment of its own, seeded once with a number that only depends on (seed, run). What an environment
does wrong (it raises, pays what is not a number, shows what is outside its space, does not answer) is the failure of
its run alone.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from time import monotonic
from typing import Any

import numpy as np

from rlsoftmax.engine.loop import Game, Outcome
from rlsoftmax.engine.patience import Patience
from rlsoftmax.engine.setup import Array
from rlsoftmax.numeric import WORLD, random_words


@dataclasses.dataclass(frozen=True)
class Trouble:
    """What an environment did wrong, and when: the action it was given in which state."""

    step: int
    state: int
    action: int
    reason: str


# What an environment said to an action: next state, reward, end, cut, first state of the next episode, masks; a plain
# tuple, since a class costs a microsecond more per step.
Answer = tuple[int, float, bool, bool, int, list[tuple[int, Any]]]


class Stepper:
    """The real environments of the lanes of a block.

    worlds: (environment component, run) of every lane; the component has `make`, `numbering`, `first_action`.
    out: where the loop looks for the answers. masks: what is ranked and which actions are allowed, both
    [lane, states, actions], if every run finds out by itself what is allowed. patience: seconds for one answer.
    """

    def __init__(
        self,
        worlds: Sequence[tuple[Any, int]],
        seed: int,
        out: Outcome,
        masks: tuple[Array, Array] | None,
        patience: float,
    ) -> None:
        lanes = len(worlds)
        self.failures: dict[int, Trouble] = {}
        self.patience = Patience(patience)
        self._out, self._masks, self._seen = out, masks, set[tuple[int, int]]()
        self._made: list[Any] = [None] * lanes
        self._number = [env.numbering() for env, _ in worlds]
        self._shift = [env.first_action for env, _ in worlds]
        self._next, self._first = [0] * lanes, [0] * lanes
        self._reward, self._end, self._cut = [0.0] * lanes, [False] * lanes, [False] * lanes
        self._worlds, self._seeds = worlds, [seed_of(seed, run) for _, run in worlds]
        self._alive: list[int] = []
        self._left: Iterator[int] = iter(range(lanes))  # lanes whose turn is still to come
        self._opened = self._closing = False

    @property
    def alive(self) -> bool:
        """Whether there is a run that has not failed; before the environments are made, that is not known."""
        return bool(self._alive) or not self._opened

    def open(self) -> None:
        """Make and seed the environments; where a thread was left waiting, another goes on with the next one."""
        if self._opened:
            return
        for l in self._left:
            self._note_first(l, self._asked(self._begun, l))
        self._out.told.first[:] = self._first
        self._opened = True

    def turn(self) -> None:
        """Let every run that has not failed have its turn again."""
        self._left = iter(self._alive)

    def ask(self, game: Game, row: int) -> None:
        """Step the environments whose turn is still to come, and write down what all of them answered."""
        actions, out, patience, step = game.action.tolist(), game.out, self.patience, self._step
        for l in self._left:
            answer: Any
            patience.waiting = ticket = [l], monotonic()  # as in `_asked`, without the call
            try:
                answer = step(l, actions[l])
            except Exception as error:  # noqa: BLE001 - a foreign environment may raise anything
                answer = error
            patience.over(ticket)
            if type(answer) is tuple:
                self._next[l], self._reward[l], self._end[l], self._cut[l], self._first[l], masks = answer
                answer = self._masked(l, masks) if masks else None
            if answer is not None:
                self._fail(l, one_line(answer), game, row)
        out.next.state[:], out.reward[:], out.terminated[:] = self._next, self._reward, self._end
        out.told.cut[:], out.told.first[:] = self._cut, self._first

    def _asked(self, question: Callable[..., Any], *about: Any) -> Any:
        """Return what foreign code answers, or the exception it raised."""
        try:
            return self.patience.ask(about[0], question, *about)
        except Exception as error:  # noqa: BLE001 - a foreign environment may raise anything
            return error

    # --- foreign code: nothing is written down here, since a thread that was given up may still come back -------------

    def _begun(self, l: int) -> tuple[Any, int, list[tuple[int, Any]]]:
        made = self._worlds[l][0].make()
        return made, *self._reset(l, made, seed=self._seeds[l])

    def _step(self, l: int, action: int) -> Answer:
        observation, reward, end, cut, info = self._made[l].step(action + self._shift[l])
        state, reward = self._number[l](observation), float(reward)
        if not math.isfinite(reward):
            raise ValueError(f"the reward is {reward}")
        masks = [(state, info["action_mask"])] if self._masks is not None else []
        if not (end or cut):
            return state, reward, False, False, 0, masks
        first, more = self._reset(l, self._made[l])
        return state, reward, bool(end), bool(cut), first, masks + more

    def _reset(self, l: int, made: Any, **seed: int) -> tuple[int, list[tuple[int, Any]]]:
        observation, info = made.reset(**seed)
        state = self._number[l](observation)
        return state, [(state, info["action_mask"])] if self._masks is not None else []

    # --- writing down -------------------------------------------------------------------------------------------------

    def _note_first(self, l: int, answer: Any) -> None:
        if not isinstance(answer, Exception):
            self._made[l], self._first[l], masks = answer
            answer = self._masked(l, masks)
        if answer is None:
            self._alive.append(l)
        else:
            self.failures[l] = Trouble(0, 0, 0, one_line(answer))

    def _masked(self, l: int, masks: list[tuple[int, Any]]) -> Exception | None:
        """Forbid what the masks forbid in their states, once and for all; return what is wrong with them."""
        try:
            for state, mask in masks:
                self._forbid(l, state, np.asarray(mask, dtype=bool))
        except (ValueError, TypeError) as error:
            return error
        return None

    def _forbid(self, l: int, state: int, mask: Array) -> None:
        assert self._masks is not None
        ranked, allowed = self._masks
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

    def _fail(self, l: int, reason: str, game: Game, row: int) -> None:
        """Leave the run where it is: what its agent does from here on is not looked at."""
        state = int(game.here.state[l])
        self.failures[l] = Trouble(game.first + row, state, int(game.action[l]), reason)
        self._alive = [lane for lane in self._alive if lane != l]
        self._next[l], self._reward[l], self._end[l], self._cut[l] = state, 0.0, False, False

    def give_up(self, l: int, game: Game | None, row: int) -> None:
        """Note that the environment of a run does not answer; the thread that waits for it has been left behind."""
        if self._closing:
            return  # its numbers are complete
        if game is None:
            self.failures[l] = Trouble(0, 0, 0, self.no_answer)
        else:
            self._fail(l, self.no_answer, game, row)

    @property
    def no_answer(self) -> str:
        """Return the reason of a failure."""
        return f"it did not answer for {self.patience.seconds:g} s and was left behind (engine.timeout)"

    def close(self) -> None:
        """Let the environments free what they hold."""
        self._closing = True
        while self._alive:
            self._asked(self._close, self._alive.pop())

    def _close(self, l: int) -> None:
        self._made[l].close()


class Rounds:
    """The windows of a block with real environments, row by row; another thread can go on where one was left behind.

    games: one for each window. act, react: the two halves of the loop.
    """

    def __init__(self, stepper: Stepper, games: Iterator[Game], kernel: Any) -> None:
        self.stepper, self.games = stepper, games
        self.act, self.react = kernel.__globals__["act"], kernel.__globals__["react"]
        self.game: Game | None = None
        self.row = 0

    def play(self) -> None:
        """Play what is left of the windows. Raises Interrupted from `games`."""
        with np.errstate(all="ignore"):  # a thread begins without it
            self.stepper.open()
            while self.game is not None or self._begin_window():
                assert self.game is not None
                self.stepper.ask(self.game, self.row)
                self.react(self.game, self.row)
                self._begin_row(self.game, self.row + 1)

    def _begin_window(self) -> bool:
        game = next(self.games, None)
        if game is not None:
            self._begin_row(game, 0)
        return game is not None

    def _begin_row(self, game: Game, row: int) -> None:
        if row == game.bin.size:
            self.game = None
            return
        self.act(game, row)
        self.stepper.turn()
        self.game, self.row = game, row

    def give_up(self, l: int) -> None:
        """Note that the environment of a run does not answer."""
        self.stepper.give_up(l, self.game, self.row)


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
