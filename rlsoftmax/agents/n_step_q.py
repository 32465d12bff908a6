"""Q-learning that looks n rewards back."""

from typing import Annotated

import numpy as np

from rlsoftmax.agents._past import past_memory, remember, settle
from rlsoftmax.component import Bound, Count, Share
from rlsoftmax.contracts import Agent, highest


class NStepQ(Agent):
    """Move value(s, a) towards the next n rewards, discounted, plus gamma^n max value of the state then reached.

    At the end of an episode all waiting steps are settled; where it was cut, they count the value of that state. What
    the policy explored within the n steps is not corrected for.

    Source: Peng and Williams (1996); Mnih et al. (2016), algorithm S2 (one-actor form).

    >>> agent = NStepQ(n=2, alpha=1.0, gamma=0.5)
    >>> past = agent.memory(3, 1)
    >>> past["value"][2] = 4.0
    >>> agent.learn(**past, state=0, action=0, reward=1.0, next_state=1, terminated=False, ended=False)
    >>> agent.learn(**past, state=1, action=0, reward=2.0, next_state=2, terminated=False, ended=False)
    >>> past["value"].tolist()
    [[3.0], [0.0], [4.0]]
    """

    n: Count = 3
    alpha: Share = 0.1
    gamma: Share = 0.99
    initial: Annotated[float, Bound(), "reward units"] = 0.0

    def memory(self, states, actions):
        return {"value": np.full((states, actions), self.initial)} | past_memory(self.n)

    def learn(self, value, past, gain, discount, held, state, action, reward, next_state, terminated, ended):
        ahead = 0.0 if terminated else highest(value[next_state])
        remember(past, gain, discount, held, state, action, reward, self.gamma)
        settle(value, past, gain, discount, held, self.alpha, ahead, ended)
