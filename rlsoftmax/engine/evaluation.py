"""The worth of the final greedy policy where there is no table: episodes in environments of their own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rlsoftmax.engine.blocks import Block
from rlsoftmax.engine.patience import watched
from rlsoftmax.engine.setup import Array
from rlsoftmax.engine.stepped import Trouble, one_line
from rlsoftmax.numeric import EVALUATE, random_words, unit

MOST_STEPS = 10_000  # of an episode that nothing else cuts: a greedy policy may go round in circles


def evaluated(block: Block, episodes: int) -> Array:
    """Return [lane]: the mean return of some episodes under each run's greedy policy, undiscounted, ties shared.

    Every run has a fresh environment, seeded with (seed, run) for this purpose, so more episodes begin with the same
    ones. Nothing is learned. A run whose environment goes wrong here has failed, at the step after its last.
    """
    assert block.stepper is not None
    trials = Trials(block, episodes)
    watched(trials.play, block.stepper.patience, trials.give_up)
    return trials.score


class Trials:
    """The episodes of the runs of a block, one run after the other; another thread can go on where one was left."""

    def __init__(self, block: Block, episodes: int) -> None:
        assert block.stepper is not None
        self.block, self.episodes, self.stepper = block, episodes, block.stepper
        self.values, self.score = block.values(), np.full(block.lanes, math.nan)
        self.left = iter([l for l in range(block.lanes) if l not in block.failures])
        self.place = 0, 0  # state and action of the question under way

    def play(self) -> None:
        """Play the episodes of the runs that are left."""
        for l in self.left:
            try:
                self.score[l] = self._mean_return(l)
            except Exception as error:  # noqa: BLE001 - a foreign environment may raise anything
                self._fail(l, one_line(error))

    def _mean_return(self, l: int) -> float:
        env: Any = self.block.setups[self.block.config[l]].env
        luck = Luck(self.block.setups[0].seed, int(self.block.run[l]))
        made, number, total = self._ask(l, env.make), env.numbering(), 0.0
        seed: dict[str, int] = {"seed": luck.seed}
        for _ in range(self.episodes):
            observation, info = self._ask(l, made.reset, **seed)
            seed, over, steps = {}, False, 0
            while not over and steps < MOST_STEPS:
                state = number(observation)
                allowed = info["action_mask"] if self.block.kind.allowed == "own" else None
                action = greedy_action(self.values[l, state], allowed, luck)
                self.place = state, action
                observation, reward, end, cut, info = self._ask(l, made.step, action + env.first_action)
                total, over, steps = total + float(reward), end or cut, steps + 1
        self._ask(l, made.close)
        if not math.isfinite(total):
            raise ValueError(f"the sum of rewards is {total}")
        return total / self.episodes

    def _ask(self, l: int, question: Any, *about: Any, **options: Any) -> Any:
        return self.stepper.patience.ask(l, question, *about, **options)

    def _fail(self, l: int, reason: str) -> None:
        self.stepper.failures[l] = Trouble(
            self.block.steps, *self.place, f"while its greedy policy was tried: {reason}"
        )

    def give_up(self, l: int) -> None:
        """Note that an environment does not answer."""
        self._fail(l, self.stepper.no_answer)


class Luck:
    """The luck of the trials of one run: a seed for its environment, and a number for every tie."""

    def __init__(self, seed: int, run: int) -> None:
        self._key, self._used = (seed, run), 0
        self.seed = int(self._word(0)) >> 32

    def uniform(self) -> float:
        """Return the next uniform number."""
        self._used += 1
        return float(unit(self._word(self._used)))

    def _word(self, number: int) -> Any:
        with np.errstate(over="ignore"):
            return random_words(*self._key, number, EVALUATE)[0]


def greedy_action(values: Array, allowed: Any, luck: Luck) -> int:
    """Return the best of the allowed actions; ties are shared.

    >>> greedy_action(np.array([1.0, 5.0, 3.0]), [True, False, True], Luck(0, 0))
    2
    """
    if allowed is not None:
        values = np.where(np.asarray(allowed, dtype=bool), values, -np.inf)
    best = np.flatnonzero(values == values.max())
    return int(best[0] if len(best) == 1 else best[int(luck.uniform() * len(best))])
