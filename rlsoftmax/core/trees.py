"""Boltzmann draws from very many actions in O(log K): sum trees, and softmax by decisions on the way down a tree.

Plain Python and NumPy: for experiments with K up to a million and as the definition of the compiled twin in `engine`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rlsoftmax.core.gaps import real
from rlsoftmax.errors import ArgumentError, shown

Array = npt.NDArray[Any]
CHILDREN = 8
FAR = 600.0  # exponents beyond +-600 of the reference are rebuilt
COST = 2000  # entries rebuilt in the time of one proposal


class BoltzmannTree:
    """The policy softmax(values, tau) over K actions, kept as a tree of sums with eight children per node.

    A node is always the sum of its children, added in order: no error accumulates, whatever was updated before. When
    the temperature falls, draws stay exact without touching the tree: it proposes an action at the temperature it was
    built at, and accepts it with probability exp((value - bound)(1 / tau - 1 / tau_built)); it is built again when the
    proposals that were wasted have cost as much as building.

    Args:
      values: shape [K], finite or -inf, at least one finite.
      tau: temperature, 0 < tau <= infinity (0 is for `hardmax`).

    Source: Wong & Easton (1980), sum trees; rejection: von Neumann (1951).

    >>> tree = BoltzmannTree([0.0, np.log(3.0), -np.inf])
    >>> tree.update(0, np.log(9.0))
    >>> float(round(tree.probability(1), 9)), tree.draw(u=0.9)
    (0.25, 1)
    """

    def __init__(self, values: npt.ArrayLike, tau: float = 1.0) -> None:
        self.values = np.array(real("values", values), dtype=np.float64)
        if self.values.ndim != 1 or not np.all(self.values < np.inf) or not np.any(self.values > -np.inf):
            raise ArgumentError(f"values must be one row, finite or -inf, one of them finite, got {shown(values)}.")
        self._tau = _temperature(tau)
        self._levels = _empty_levels(len(self.values))
        self._reference = self._bound = 0.0  # the value of weight 1, and one that no value exceeds
        self._built_at, self._wasted = self._tau, 0
        self._build()

    @property
    def tau(self) -> float:
        """The temperature; setting it costs nothing when it falls, and builds the tree again when it rises."""
        return self._tau

    @tau.setter
    def tau(self, tau: float) -> None:
        self._tau = _temperature(tau)
        if self._tau > self._built_at:
            self._build()

    def update(self, action: int, value: float) -> None:
        """Change one value, in O(log K). Errors: ArgumentError unless the value is finite or -inf."""
        if not value < np.inf:
            raise ArgumentError(f"value must be finite or -inf, got {value!r}.")
        place = range(len(self.values))[action]
        self.values[place] = value
        if (value - self._reference) / self._built_at > FAR:
            self._build()
            return
        self._bound = max(self._bound, value)
        self._levels[0][place] = self._weight(value)
        for children, parents in zip(self._levels, self._levels[1:], strict=False):
            place //= CHILDREN
            parents[place] = _sum(children[CHILDREN * place : CHILDREN * place + CHILDREN].tolist())
        if not self._levels[-1][0] > 0.0 or self._levels[-1][0] < 1e-200:
            self._build()

    def draw(self, *, u: float | None = None, rng: np.random.Generator | None = None) -> int:
        """Return an action, by one uniform number u in [0, 1) (which needs the tree built at tau) or a generator."""
        if (u is None) == (rng is None):
            raise ArgumentError("exactly one of u and rng must be given.")
        if rng is None:
            self._settle()
            return self._descend(float(u))  # type: ignore[arg-type]
        return self._draw(rng)

    def sample(self, count: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """Return `count` independent draws."""
        return np.array([self._draw(rng) for _ in range(count)], dtype=np.int64)

    def probability(self, action: int) -> float:
        """Return the probability of one action."""
        self._settle()
        return float(self._levels[0][: len(self.values)][action] / self._levels[-1][0])

    def log_partition(self) -> float:
        """Return logsumexp(values / tau)."""
        self._settle()
        return float(self._reference / self._tau + np.log(self._levels[-1][0]))

    def _draw(self, rng: np.random.Generator) -> int:
        slope = 1.0 / self._tau - 1.0 / self._built_at
        if not slope < 1e300:
            self._build()
            slope = 0.0
        while True:
            action = self._descend(rng.random())
            if slope == 0.0 or -rng.standard_exponential() < (self.values[action] - self._bound) * slope:
                return action
            self._wasted += 1
            if self._wasted * COST > len(self.values):
                self._build()
                slope = 0.0

    def _descend(self, u: float) -> int:
        place, target = 0, u * float(self._levels[-1][0])
        for level in reversed(self._levels[:-1]):
            first = CHILDREN * place
            place = first + _choose(level[first : first + CHILDREN].tolist(), target)
            target -= _sum(level[first:place].tolist())
        return place

    def _settle(self) -> None:
        if self._tau != self._built_at:
            self._build()

    def _build(self) -> None:
        """Compute all weights at tau, relative to the best value, and all sums."""
        self._built_at, self._wasted = self._tau, 0
        self._reference = self._bound = float(self.values.max())
        if self._reference == -np.inf:
            raise ArgumentError("values must not all be -inf: nothing can be drawn.")
        with np.errstate(all="ignore"):
            exponent = np.where(self.values == self._reference, 0.0, (self.values - self._reference) / self._tau)
        weights = np.where(self.values == -np.inf, 0.0, np.exp(np.where(self.values == -np.inf, -np.inf, exponent)))
        self._levels[0][: len(weights)] = weights
        for children, parents in zip(self._levels, self._levels[1:], strict=False):
            parents[: len(children) // CHILDREN] = _sums(children.reshape(-1, CHILDREN))

    def _weight(self, value: float) -> float:
        if value == -np.inf:
            return 0.0
        with np.errstate(under="ignore"):
            return float(np.exp((value - self._reference) / self._built_at))


def _temperature(tau: float) -> float:
    if not tau > 0.0:
        raise ArgumentError(f"tau must be > 0 (hardmax answers 0), got {tau!r}.")
    return float(tau)


def _empty_levels(count: int) -> list[Array]:
    """Return zeros for the leaves and each level above, padded to whole families; the last is the root."""
    levels = [np.zeros(-(-count // CHILDREN) * CHILDREN)]
    while len(levels[-1]) > 1:
        above = len(levels[-1]) // CHILDREN
        levels.append(np.zeros(1 if above == 1 else -(-above // CHILDREN) * CHILDREN))
    return levels


def _sums(families: Array) -> Array:
    """Return the sum of each family, added in order as `_sum` does."""
    total = families[:, 0].copy()
    for child in range(1, CHILDREN):
        total += families[:, child]
    return total


def _sum(family: list[float]) -> float:
    total = 0.0
    for weight in family:
        total += weight
    return total


def _choose(family: list[float], target: float) -> int:
    """Return the first child whose running sum exceeds the target; if rounding left none, the last that weighs."""
    running, last = 0.0, 0
    for child, weight in enumerate(family):
        running += weight
        if running > target:
            return child
        if weight > 0.0:
            last = child
    return last
