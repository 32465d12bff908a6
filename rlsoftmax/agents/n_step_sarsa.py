"""SARSA that looks n rewards back."""

from typing import Annotated

import numpy as np

from rlsoftmax.agents._past import past_memory, remember, settle
from rlsoftmax.component import Bound, Count, Share
from rlsoftmax.contracts import Agent


class NStepSarsa(Agent):
    """Move value(s, a) towards the next n rewards, discounted, plus gamma^n value(s', a') of the action taken then.

    At the end of an episode all waiting steps are settled; where it was cut, they count what the policy would have done
    there.

    Source: Sutton and Barto (2018), section 7.2.

    >>> agent = NStepSarsa(n=2, alpha=1.0, gamma=0.5)
    >>> past = agent.memory(2, 1)
    >>> agent.learn(**past, state=0, action=0, reward=1.0, next_state=1, next_action=0, terminated=False, ended=False)
    >>> agent.learn(**past, state=1, action=0, reward=2.0, next_state=1, next_action=0, terminated=True, ended=True)
    >>> past["value"].tolist()
    [[2.0], [2.0]]
    """

    n: Count = 3
    alpha: Share = 0.1
    gamma: Share = 0.99
    initial: Annotated[float, Bound(), "reward units"] = 0.0

    def memory(self, states, actions):
        return {"value": np.full((states, actions), self.initial)} | past_memory(self.n)

    def learn(
        self, value, past, gain, discount, held, state, action, reward, next_state, next_action, terminated, ended
    ):
        ahead = 0.0 if terminated else value[next_state, next_action]
        remember(past, gain, discount, held, state, action, reward, self.gamma)
        settle(value, past, gain, discount, held, self.alpha, ahead, ended)
