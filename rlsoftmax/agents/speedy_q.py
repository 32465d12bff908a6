"""Q-learning that trusts its newest change more than its step size does."""

from typing import Annotated

import numpy as np

from rlsoftmax.agents._rows import highest_allowed
from rlsoftmax.agents._steps import StepSize, share
from rlsoftmax.component import Bound, Share
from rlsoftmax.contracts import Agent, highest


class SpeedyQ(Agent):
    """value += a (T(previous) - value) + (1 - a) (T(value) - T(previous)), where T(q) = reward + gamma max q(s').

    `previous` holds what each value was before its last update, and a is 1 / visits, as the proof wants, or alpha.

    Source: Azar, Munos, Ghavamzadeh and Kappen (2011), equation 3, in its asynchronous form.

    >>> value, previous, visits = np.array([[0.0], [4.0]]), np.array([[0.0], [2.0]]), np.array([[2.0], [2.0]])
    >>> SpeedyQ(gamma=0.5).learn(value, previous, visits, 0, 0, 1.0, 1, False)
    >>> value.tolist()
    [[1.5], [4.0]]
    """

    step_size: StepSize = StepSize.VISITS
    alpha: Share = 0.1
    gamma: Share = 0.99
    initial: Annotated[float, Bound(), "reward units"] = 0.0

    def memory(self, states, actions):
        first = np.full((states, actions), self.initial)
        return {"value": first, "previous": first.copy()}

    def learn(self, value, previous, visits, state, action, reward, next_state, terminated):
        here, alpha = value[state, action], share(self.step_size, self.alpha, visits[state, action])
        now, then = reward, reward
        if not terminated:
            now += self.gamma * highest(value[next_state])
            then += self.gamma * highest_allowed(previous[next_state], value[next_state])
        previous[state, action] = here
        value[state, action] = here + alpha * (then - here) + (1.0 - alpha) * (now - then)
