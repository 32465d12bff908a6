"""What was chosen is chosen again."""

from typing import Annotated

import numpy as np

from rlsoftmax.component import Bound, Share
from rlsoftmax.contracts import Agent, highest


class ChoiceKernel(Agent):
    """Rank value(s, a) + habit kernel(s, a), where the kernel is a fading mean of what was chosen in s:

        kernel(s, k) += alpha_choice (1 if k = a, else 0, - kernel(s, k)).

    A negative `habit` alternates. The values learn as in Q-learning.

    Source: Wilson and Collins (2019), model 5 (habit / temperature is their beta_c); Akaishi et al. (2014).

    >>> value, kernel = np.zeros((1, 2)), np.array([[1.0, 0.0]])
    >>> ChoiceKernel(alpha=0.5, alpha_choice=0.5).learn(value, kernel, 0, 1, 1.0, 0, True)
    >>> value, kernel
    (array([[0. , 0.5]]), array([[0.5, 0.5]]))
    """

    alpha: Share = 0.1
    alpha_choice: Share = 0.1
    habit: Annotated[float, Bound(), "reward units"] = 0.5
    gamma: Share = 0.99
    initial: Annotated[float, Bound(), "reward units"] = 0.0

    def memory(self, states, actions):
        return {"value": np.full((states, actions), self.initial), "kernel": np.zeros((states, actions))}

    def rank(self, values, value, kernel, state):
        for k in range(values.size):
            values[k] = value[state, k] + self.habit * kernel[state, k]

    def learn(self, value, kernel, state, action, reward, next_state, terminated):
        target = reward if terminated else reward + self.gamma * highest(value[next_state])
        value[state, action] += self.alpha * (target - value[state, action])
        for k in range(kernel.shape[1]):
            kernel[state, k] += self.alpha_choice * ((1.0 if k == action else 0.0) - kernel[state, k])
