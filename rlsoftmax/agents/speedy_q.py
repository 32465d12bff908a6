"""Q-learning that trusts its newest change more than its step size does."""

from typing import Annotated

import numpy as np

from rlsoftmax.agents._steps import StepSize, share
from rlsoftmax.component import Bound, Share
from rlsoftmax.contracts import Agent, highest


class SpeedyQ(Agent):
    """Follow the newest change of the target T(q) = reward + gamma max q(s') at once, and the old target slowly:

        value(s, a) += alpha (T(previous) - value(s, a)) + (1 - alpha) (T(value) - T(previous)).

    `previous` is the table before the last step, which differs in one entry; alpha is 1 / visits, as the proof wants,
    unless `step_size: fixed`. The proof is for sweeps over all states and actions. Along a path the second term is
    there only when a step leads back to where the last one began; if chance decides that, the last change is no longer
    a fair sample, and the limit is off by some percent (Q-learning's is not).

    Source: Azar, Munos, Ghavamzadeh and Kappen (2011), equation 3, with the tables of MushroomRL's SpeedyQLearning.

    >>> value, visits, last, earlier = np.array([[0.0], [4.0]]), np.full((2, 1), 2.0), np.array([1, 0]), np.array([2.0])
    >>> SpeedyQ(gamma=0.5).learn(value, last, earlier, visits, 0, 0, 1.0, 1, False)
    >>> value.tolist()
    [[1.5], [4.0]]
    """

    step_size: StepSize = StepSize.VISITS
    alpha: Share = 0.1
    gamma: Share = 0.99
    initial: Annotated[float, Bound(), "reward units"] = 0.0

    def memory(self, states, actions):
        value = np.full((states, actions), self.initial)
        return {"value": value, "last": np.zeros(2, np.int64), "earlier": value[0, :1].copy()}

    def learn(self, value, last, earlier, visits, state, action, reward, next_state, terminated):
        here, alpha = value[state, action], share(self.step_size, self.alpha, visits, state, action)
        now, then = reward, reward
        if not terminated:
            now += self.gamma * highest(value[next_state])
            then += self.gamma * highest_before(value[next_state], last[1] if last[0] == next_state else -1, earlier[0])
        value[state, action] = here + alpha * (then - here) + (1.0 - alpha) * (now - then)
        last[0], last[1], earlier[0] = state, action, here


def highest_before(row, changed, earlier):
    """Return the largest entry of a row in which the entry `changed` was `earlier`."""
    best = -np.inf
    for k in range(row.size):
        best = max(best, earlier if k == changed else row[k])
    return best
