"""Preferences that follow a critic."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import NONNEGATIVE, Share
from rlsoftmax.contracts import Agent


class ActorCritic(Agent):
    """error = reward + gamma worth(s') - worth(s) moves the critic, worth(s) += beta error, and the actor,

        preference(s, k) += alpha error (1 if k = a, else 0, - probability(k)):

    the gradient of ln probability(a) times the error at temperature 1; at others alpha contains the 1 / temperature.
    With `discounted` the actor's step at time t of an episode is multiplied by gamma^t, as the theorem says and few do.

    Source: Sutton and Barto (2018), section 13.5 (one-step actor-critic).

    >>> preference, worth, fading = np.zeros((1, 2)), np.zeros(1), np.ones(1)
    >>> chances = np.array([0.5, 0.5])
    >>> ActorCritic(alpha=0.5).learn(preference, worth, fading, 0, 1, 1.0, 0, True, True, chances)
    >>> preference, worth
    (array([[-0.25,  0.25]]), array([0.1]))
    """

    alpha: Annotated[float, NONNEGATIVE, "per reward unit"] = 0.1
    beta: Share = 0.1
    gamma: Share = 0.99
    discounted: bool = False

    suggested_temperature = 1.0

    def memory(self, states, actions):
        return {"preference": np.zeros((states, actions)), "worth": np.zeros(states), "fading": np.ones(1)}

    def learn(self, preference, worth, fading, state, action, reward, next_state, terminated, ended, probabilities):
        target = reward if terminated else reward + self.gamma * worth[next_state]
        error = target - worth[state]
        worth[state] += self.beta * error
        step = self.alpha * fading[0] * error
        for k in range(probabilities.size):
            preference[state, k] -= step * probabilities[k]
        preference[state, action] += step
        fading[0] = self.gamma * fading[0] if self.discounted and not ended else 1.0
