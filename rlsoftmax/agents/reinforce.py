"""Preferences that follow whole episodes."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import NONNEGATIVE, Bound, Share
from rlsoftmax.contracts import Agent


class Reinforce(Agent):
    """At the end of an episode, for each of its steps in order, with G = the discounted rewards from there on:

        preference(s, k) += alpha (G - baseline(s)) (1 if k = a, else 0, - probability(k)),
        baseline(s)      += beta (G - baseline(s)).

    That is the gradient of the expected return at temperature 1; at others alpha contains the 1 / temperature. beta 0
    leaves the baseline out. Where an episode was cut, or after `longest` steps, G counts the baseline of that state;
    null is the environment's limit, or 1000 where it has none.
    With `discounted` the step at time t is multiplied by gamma^t, as the theorem says and few do.

    Source: Williams (1992); Sutton and Barto (2018), section 13.4.

    >>> agent = Reinforce(alpha=0.5)
    >>> mind, chances = agent.memory(1, 2, limit=1), np.array([0.5, 0.5])
    >>> agent.learn(**mind, state=0, action=1, reward=1.0, next_state=0, terminated=True, ended=True,
    ...             probabilities=chances)
    >>> mind["preference"]
    array([[-0.25,  0.25]])
    """

    alpha: Annotated[float, NONNEGATIVE, "per reward unit"] = 0.1
    beta: Share = 0.1
    gamma: Share = 0.99
    discounted: bool = False
    longest: Annotated[int | None, Bound(1), "steps"] = None

    suggested_temperature = 1.0

    def memory(self, states, actions, limit):
        most = min((steps for steps in (self.longest, limit) if steps is not None), default=1000)
        return {
            "preference": np.zeros((states, actions)),
            "baseline": np.zeros(states),
            "past": np.zeros((most, 2), np.int64),
            "gain": np.zeros(most),
            "chances": np.zeros((most, actions)),
            "held": np.zeros(1, np.int64),
        }

    def learn(
        self, preference, baseline, past, gain, chances, held, state, action, reward, next_state, terminated, ended,
        probabilities,
    ):  # fmt: skip
        last = held[0]
        past[last, 0], past[last, 1], gain[last] = state, action, reward
        for k in range(probabilities.size):
            chances[last, k] = probabilities[k]
        held[0] = last + 1
        if ended or held[0] == gain.size:
            total_up(gain, held[0], self.gamma, 0.0 if terminated else baseline[next_state])
            fading = 1.0
            for i in range(held[0]):
                s, a = past[i, 0], past[i, 1]
                error = gain[i] - baseline[s]
                baseline[s] += self.beta * error
                for k in range(probabilities.size):
                    preference[s, k] -= self.alpha * fading * error * chances[i, k]
                preference[s, a] += self.alpha * fading * error
                fading = self.gamma * fading if self.discounted else 1.0
            held[0] = 0


def total_up(gain, steps, gamma, ahead):
    """Turn the rewards of the steps into the discounted sums from each step on; `ahead` is worth what follows."""
    for i in range(steps - 1, -1, -1):
        ahead = gain[i] + gamma * ahead
        gain[i] = ahead
