"""Small decision problems that are drawn: random transitions, rewards and ends, known as a table."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import Bound
from rlsoftmax.contracts import Environment, Transitions


class Drawn(Environment):
    """Five states, three actions, two outcomes each (or one, if `sure`), some of which end the episode."""

    number: Annotated[int, Bound(0)] = 0
    sure: bool = False
    spread: float = 1.0
    limit: int | None = 6
    states, actions = 5, 3

    def shared(self):
        rng = np.random.default_rng(self.number)
        chance = np.ones((5, 3)) if self.sure else rng.uniform(0.1, 0.9, (5, 3))
        arrays = {"chance": np.stack([chance, 1.0 - chance], axis=-1), "after": rng.integers(0, 5, (5, 3, 2))}
        return arrays | {"pay": self.spread * rng.normal(size=(5, 3, 2)), "final": rng.random((5, 3, 2)) < 0.2}

    def start(self, uniform):
        return 0 if uniform < 0.75 else 3

    def step(self, chance, after, pay, final, state, action, uniform):
        j = 0 if uniform < chance[state, action, 0] else 1
        return after[state, action, j], pay[state, action, j], final[state, action, j]

    def transitions(self):
        arrays, first = self.shared(), np.array([0.75, 0.0, 0.0, 0.25, 0.0])
        return Transitions(arrays["chance"], arrays["after"], arrays["pay"], arrays["final"], first)


def backed_up(table, value, state, action, gamma=1.0):
    """Return the mean of reward + gamma value(next state), as the book writes it."""
    total = 0.0
    for j in range(table.chance.shape[2]):
        ahead = 0.0 if table.final[state, action, j] else value[table.after[state, action, j]]
        total += table.chance[state, action, j] * (table.reward[state, action, j] + gamma * ahead)
    return total


def value_iteration(table, gamma, allowed=None, ahead=max):
    """Return the values of all states and actions that no backup changes. ahead: row of values -> value of the state.

    allowed: bool [states, actions], if not all actions are.
    """
    states, actions, _ = table.chance.shape
    value, change = [0.0] * states, 1.0
    while change > 1e-13:
        rows = [[backed_up(table, value, s, a, gamma) for a in range(actions)] for s in range(states)]
        open_to = [[v for a, v in enumerate(row) if allowed is None or allowed[s, a]] for s, row in enumerate(rows)]
        best = [ahead(row) for row in open_to]
        value, change = best, max(abs(b - v) for b, v in zip(best, value, strict=True))
    return np.array(rows)
