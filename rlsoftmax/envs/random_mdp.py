"""A world without any structure."""

from typing import Annotated, Literal

import numpy as np

from rlsoftmax.component import NONNEGATIVE, Bound, Count
from rlsoftmax.contracts import Environment, Transitions
from rlsoftmax.errors import BadValue
from rlsoftmax.numeric import BuildLuck


class RandomMdp(Environment):
    """Every state and action leads to `branches` different states, drawn with everything else: a Garnet problem.

    The chances are the pieces of [0, 1] cut at uniform places; the reward of a state and action is drawn from
    N(0, spread^2). Nothing ends an episode but the limit; it begins in any state, equally likely. `problem` is the
    number of the drawing that all runs share; `own`: every run draws its own, and there is no greedy score.

    Source: Bhatnagar et al. (2009), section 6, after Archibald et al. (1995).

    >>> RandomMdp(size=5).transitions().chance.shape
    (5, 4, 3)
    """

    size: Count = 20
    choices: Count = 4
    branches: Count = 3
    spread: Annotated[float, NONNEGATIVE, "reward units"] = 1.0
    problem: Annotated[int | Literal["own"], Bound(0)] = 0
    limit: Annotated[int, Bound(1), "steps"] = 100

    suggested_temperature = 0.5

    def check(self):
        super().check()
        if self.branches > self.size:
            raise BadValue("branches", self.branches, f"must be <= size={self.size}")

    @property
    def states(self):
        return self.size

    @property
    def actions(self):
        return self.choices

    @property
    def value_scale(self):
        return self.spread

    def own(self, luck):
        return self.drawn(luck) if self.problem == "own" else {}

    def shared(self):
        return {} if self.problem == "own" else self.drawn(BuildLuck(self.problem, 0))

    def drawn(self, luck):
        """Return the arrays of one problem."""
        shape = (self.size, self.choices)
        cuts = np.sort(luck.uniform((*shape, self.branches - 1)), axis=-1)
        after = np.argsort(luck.uniform((*shape, self.size)), axis=-1)[..., : self.branches]
        return {"below": cuts, "after": np.ascontiguousarray(after), "pay": self.spread * luck.normal(shape)}

    def start(self, uniform):
        return int(uniform * self.size)

    def step(self, below, after, pay, state, action, uniform):
        j = 0
        for m in range(below.shape[2]):
            j += 1 if uniform >= below[state, action, m] else 0
        return after[state, action, j], pay[state, action], False

    def transitions(self):
        if self.problem == "own":
            return None
        arrays = self.shared()
        chance = np.diff(arrays["below"], axis=-1, prepend=0.0, append=1.0)
        reward = np.broadcast_to(arrays["pay"][..., None], chance.shape)
        first = np.full(self.size, 1.0 / self.size)
        return Transitions(chance, arrays["after"], reward, np.zeros(chance.shape, np.bool_), first)
