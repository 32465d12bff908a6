"""Q-learning that learns along traces, as long as it is greedy."""

from typing import Annotated

import numpy as np

from rlsoftmax.agents._traces import Traces, follow, trace_memory, visit
from rlsoftmax.component import Bound, Share
from rlsoftmax.contracts import Agent, highest


class QLambda(Agent):
    """Move every value along its trace by alpha times the error reward + gamma max value(s') - value(s, a).

    Traces decay by gamma trace_decay per step; they end with the episode, and when an action is taken that is not the
    best. Dutch traces with the correction of the last expectation are the true online form. Traces at or below
    `cutoff` are forgotten; 0 forgets none.

    Source: Watkins (1989); Sutton and Barto (2018), section 12.10.

    >>> agent = QLambda(alpha=0.5, gamma=1.0, trace_decay=0.5)
    >>> mind = agent.memory(2, 1)
    >>> for state in (0, 1):
    ...     agent.learn(**mind, state=state, action=0, reward=state, next_state=1, terminated=state == 1,
    ...                 ended=state == 1)
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

    def learn(self, value, trace, live, count, before, state, action, reward, next_state, terminated, ended):
        here, ahead = value[state, action], 0.0 if terminated else highest(value[next_state])
        if here < highest(value[state]):  # what follows says nothing of acting greedily before
            follow(value, trace, live, count, 0.0, 0.0, self.cutoff)
            before[0] = 0.0
        news = here - before[0] if self.traces == Traces.DUTCH else 0.0
        visit(trace, live, count, state, action, self.traces, self.alpha)
        step = self.alpha * (reward + self.gamma * ahead - here + news)
        follow(value, trace, live, count, step, 0.0 if ended else self.gamma * self.trace_decay, self.cutoff)
        value[state, action] -= self.alpha * news
        before[0] = 0.0 if ended else ahead
