"""Q-learning that weighs each next action by its chance of being the best."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import POSITIVE, Bound, Share
from rlsoftmax.contracts import Agent


class WeightedQ(Agent):
    """Move value(s, a) towards reward + gamma value(s', b), where b is the best of one normal draw per action of s'.

    The draw of an action has its value as the mean and the standard error of its targets as the spread, so that b is
    each action with the chance that it is the best: the mean of the target is the weighted estimator, between the
    maximum (which is too high) and the double estimator (too low). Before two updates the spread is `doubt`.

    Source: D'Eramo, Nuara and Restelli (2016), equation 5, one draw instead of the integral.

    >>> value, mean, scatter, trust = np.zeros((4, 1, 1))
    >>> WeightedQ(alpha=0.5).learn(value, mean, scatter, trust, value + 1.0, 0, 0, 2.0, 0, True, np.zeros(1))
    >>> value, mean, trust
    (array([[1.]]), array([[2.]]), array([[0.25]]))
    """

    alpha: Share = 0.1
    gamma: Share = 0.99
    doubt: Annotated[float, POSITIVE, "reward units"] = 1.0
    initial: Annotated[float, Bound(), "reward units"] = 0.0

    def memory(self, states, actions):
        target_mean, scatter, trust = np.zeros((3, states, actions))  # of the targets; trust: sum of squared shares
        return {
            "value": np.full((states, actions), self.initial),
            "target_mean": target_mean,
            "scatter": scatter,
            "trust": trust,
        }

    def learn(self, value, target_mean, scatter, trust, visits, state, action, reward, next_state, terminated, normals):
        target = reward
        if not terminated:
            best, chosen = -np.inf, -np.inf
            for k in range(value.shape[1]):
                n, spread = visits[next_state, k], self.doubt
                if n > 1.0:
                    spread = np.sqrt(scatter[next_state, k] / (n - 1.0) * trust[next_state, k])
                draw = value[next_state, k] + spread * normals[k]
                if draw > best:
                    best, chosen = draw, value[next_state, k]
            target += self.gamma * chosen
        surprise = target - target_mean[state, action]
        target_mean[state, action] += surprise / visits[state, action]
        scatter[state, action] += surprise * (target - target_mean[state, action])
        trust[state, action] = (1.0 - self.alpha) * (1.0 - self.alpha) * trust[state, action] + self.alpha * self.alpha
        value[state, action] += self.alpha * (target - value[state, action])
