"""SARSA that learns along traces."""

from typing import Annotated

import numpy as np

from rlsoftmax.agents._traces import Traces, follow, trace_memory, visit
from rlsoftmax.component import Bound, Share
from rlsoftmax.contracts import Agent


class SarsaLambda(Agent):
    """Move every value along its trace by alpha times the error reward + gamma value(s', a') - value(s, a).

    Traces decay by gamma trace_decay per step and end with the episode. Dutch traces with the correction of the last
    expectation are true online SARSA(lambda), which equals the forward view exactly. Traces at or below `cutoff` are
    forgotten; 0 forgets none, and costs as much per step as there are states and actions seen in the episode.

    Source: Sutton and Barto (2018), sections 12.5 and 12.7; Singh and Sutton (1996); van Seijen et al. (2016).

    >>> agent = SarsaLambda(alpha=0.5, gamma=1.0, trace_decay=0.5)
    >>> mind = agent.memory(2, 1)
    >>> for state in (0, 1):
    ...     agent.learn(**mind, state=state, action=0, reward=state, next_state=1, next_action=0,
    ...                 terminated=state == 1, ended=state == 1)
    >>> mind["value"].tolist()
    [[0.25], [0.5]]
    """

    alpha: Share = 0.1
    gamma: Share = 0.99
    trace_decay: Share = 0.9
    traces: Traces = Traces.REPLACING
    cutoff: Share = 0.001
    initial: Annotated[float, Bound(), "reward units"] = 0.0

    def memory(self, states, actions):
        return {"value": np.full((states, actions), self.initial)} | trace_memory(states, actions)

    def learn(
        self, value, trace, live, count, before, state, action, reward, next_state, next_action, terminated, ended
    ):
        here, ahead = value[state, action], 0.0 if terminated else value[next_state, next_action]
        news = here - before[0] if self.traces == Traces.DUTCH else 0.0
        visit(trace, live, count, state, action, self.traces, self.alpha)
        step = self.alpha * (reward + self.gamma * ahead - here + news)
        follow(value, trace, live, count, step, 0.0 if ended else self.gamma * self.trace_decay, self.cutoff)
        value[state, action] -= self.alpha * news
        before[0] = 0.0 if ended else ahead
