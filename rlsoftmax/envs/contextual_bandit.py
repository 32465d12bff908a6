"""Arms whose means depend on what is seen before the pull."""

from typing import Annotated

from rlsoftmax.component import NONNEGATIVE, Bound, Count
from rlsoftmax.contracts import Environment


class ContextualBandit(Environment):
    """A context, drawn uniformly, is the state; a pull returns N(mean[context, arm], noise^2) and ends the episode.

    Each run draws its means from N(center, spread^2). The greedy score is the mean over the contexts.

    Source: Langford and Zhang (2007); Lattimore and Szepesvári (2020), chapter 18.

    >>> ContextualBandit(contexts=3, arms=2).states
    3
    """

    contexts: Count = 8
    arms: Count = 4
    center: Annotated[float, Bound(), "reward units"] = 0.0
    spread: Annotated[float, NONNEGATIVE, "reward units"] = 1.0
    noise: Annotated[float, NONNEGATIVE, "reward units"] = 1.0

    limit = 1
    suggested_temperature = 0.25

    @property
    def states(self):
        return self.contexts

    @property
    def actions(self):
        return self.arms

    @property
    def value_scale(self):
        return self.spread

    def own(self, luck):
        mean = self.center + self.spread * luck.normal((self.contexts, self.arms))
        return {"mean": mean, "best": mean.max(axis=1)}

    def start(self, mean, uniform):
        return int(uniform * mean.shape[0])

    def step(self, mean, state, action, normal):
        return state, mean[state, action] + self.noise * normal, True

    def regret(self, mean, best, state, action):
        return best[state] - mean[state, action]

    def expected(self, mean):
        return mean
