"""Softmax of what does not fit or has not arrived: a running maximum and sum, and the attention sum made with them.

Sources: Milakov & Gimelshein (2018), online softmax; Rabe & Staats (2021), Dao et al. (2022), blocked attention.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from rlsoftmax.core.gaps import boolean, lay_out, number, real, whole_number
from rlsoftmax.core.precise import weigh_precisely
from rlsoftmax.core.temperature import Scale, scale
from rlsoftmax.errors import ArgumentError

Array = npt.NDArray[Any]


@dataclasses.dataclass(frozen=True)
class SoftmaxState:
    """What is remembered of the values seen so far: enough to tell the probability of each, and to go on.

    States are immutable; `update` and `merge` return new ones. Any chunking and any order of merging gives the same
    sum to an ulp or two: it is kept in extended precision where the machine has it (x86), because it is rescaled
    whenever the maximum grows.

    >>> state = SoftmaxState.empty(tau=2.0).update([1.0, 2.0]).update([5.0])
    >>> state.probability([1.0, 2.0, 5.0]).round(4)
    array([0.0996, 0.1643, 0.7361])
    """

    maximum: Array  # [...], -inf before anything is seen
    total: Array  # [...], longdouble: sum of exp((x - maximum) / tau)
    count: Array  # [...], int64: how many were seen and allowed
    scale: Scale

    @classmethod
    def empty(cls, shape: tuple[int, ...] = (), tau: npt.ArrayLike | None = None) -> SoftmaxState:
        """Return the state before anything is seen; `shape` is that of the rows, tau a number or one per row."""
        size = scale(tau)
        shape = np.broadcast_shapes(shape, size.size.shape)
        return cls(np.full(shape, -np.inf), np.zeros(shape, np.longdouble), np.zeros(shape, np.int64), size)

    def update(self, x: npt.ArrayLike, where: npt.ArrayLike | None = None) -> SoftmaxState:
        """Return the state after the chunk x, shape [..., any number]; `where` as in `softmax`."""
        rows = lay_out(x, -1, tau=self.scale.size, where=where)
        weighed, _ = weigh_precisely(rows)
        total = weighed.ties.astype(np.longdouble) + weighed.rest
        maximum, total = weighed.best + rows.offset, np.where(weighed.empty, 0.0, total)
        count = np.add.reduce(weighed.allowed, axis=1, dtype=np.int64)
        batch = rows.layout.batch
        return self.merge(SoftmaxState(maximum.reshape(batch), total.reshape(batch), count.reshape(batch), self.scale))

    def merge(self, other: SoftmaxState) -> SoftmaxState:
        """Return the state after what both have seen. Errors: ArgumentError if their temperatures differ."""
        if not np.array_equal(self.scale.size, other.scale.size):
            raise ArgumentError("states of different temperatures cannot be merged.")
        maximum = np.maximum(self.maximum, other.maximum)
        total = self._rescaled(maximum) + other._rescaled(maximum)
        return SoftmaxState(maximum, total, np.asarray(self.count + other.count), self.scale)

    def finalize(self) -> Any:
        """Return logsumexp(x / tau) of everything seen; -inf if nothing."""
        with np.errstate(all="ignore"):
            best = np.where(self.maximum == 0.0, 0.0, self.scale(self.maximum))
            best = np.where(self.scale.flat & (self.total > 0.0), 0.0, best)
            log_sum = np.where(self.total == 0.0, -np.inf, best + np.log1p(self.total - 1.0))
        return log_sum.astype(np.float64)[()]

    def probability(self, x: npt.ArrayLike, where: npt.ArrayLike | None = None) -> Any:
        """Return the probabilities of the values x, shape [..., any number], among everything seen."""
        values = real("x", x).astype(np.float64)
        allowed = (values > -np.inf) | np.isnan(values)
        allowed = allowed if where is None else allowed & boolean("where", where)
        with np.errstate(all="ignore"):
            gap = np.where(allowed, values, -np.inf).astype(np.longdouble) - self.maximum[..., None]
            weight = _exp(gap, _last_axis(self.scale), values == self.maximum[..., None])
            return np.where(allowed, (weight / self.total[..., None]).astype(np.float64), 0.0)

    def _rescaled(self, maximum: Array) -> Array:
        """Return the total relative to a larger maximum."""
        with np.errstate(all="ignore"):
            gap = self.maximum.astype(np.longdouble) - maximum
            factor = _exp(gap, self.scale, self.maximum == maximum)
            return np.where(self.total == 0.0, self.total, self.total * factor)


def _last_axis(size: Scale) -> Scale:
    return size if size.size.ndim == 0 else Scale(size.size[..., None], size.inverse, size.negative[..., None])


def _exp(gap: Array, size: Scale, tied: Array) -> Array:
    """Return exp(gap / tau), with the limits as values."""
    return np.where(tied | size.flat, np.where(gap == -np.inf, np.where(tied, 1.0, 0.0), 1.0), np.exp(size(gap)))


def softmax_weighted_sum(
    q: npt.ArrayLike,
    k: npt.ArrayLike,
    v: npt.ArrayLike,
    tau: float = 1.0,
    *,
    where: npt.ArrayLike | None = None,
    block: int = 512,
) -> Any:
    """Return softmax(q k' / tau) v, the attention sum, without ever holding all the weights.

    Args:
      q: queries [..., n, d]; k: keys [..., m, d]; v: finite values [..., m, e].
      tau: temperature >= 0 (attention uses sqrt(d)).
      where: boolean, broadcast with [..., n, m]: True where a query may look at a key.
      block: keys handled at a time; memory grows with n * block.

    Returns:
      Shape [..., n, e]; NaN for a query that may look at nothing.

    Raises:
      ArgumentError: for shapes that do not fit.

    Source: Dao et al. (2022), algorithm 1.

    >>> softmax_weighted_sum([[1.0]], [[0.0], [np.log(3.0)]], [[0.0], [4.0]])
    array([[3.]])
    """
    return softmax_weighted_sum_and_state(q, k, v, tau, where=where, block=block)[0]


def softmax_weighted_sum_and_state(
    q: npt.ArrayLike,
    k: npt.ArrayLike,
    v: npt.ArrayLike,
    tau: float = 1.0,
    *,
    where: npt.ArrayLike | None = None,
    block: int = 512,
) -> tuple[Any, Any, Any]:
    """Return `softmax_weighted_sum` with the maximum and the sum of each query, [..., n]: what its gradient needs.

    >>> output, maximum, total = softmax_weighted_sum_and_state([[1.0]], [[0.0], [0.0]], [[0.0], [4.0]])
    >>> output, maximum, total
    (array([[2.]]), array([0.]), array([2.]))
    """
    sums = _Sums(q, k, v, tau, where, block)
    output, maximum, total = sums.start()
    for keys in sums.blocks():
        score = sums.score(keys)
        most = np.maximum(maximum, np.maximum.reduce(score, axis=-1, initial=-np.inf))
        with np.errstate(all="ignore"):
            factor = sums.exp(maximum - most, maximum == most)
            weight = sums.exp(score - most[..., None], score == most[..., None])
            weight = np.where(score == -np.inf, 0.0, weight)
            output = output * factor[..., None] + weight @ sums.v[..., keys, :]
            total = total * factor + np.add.reduce(weight, axis=-1)
        maximum = most
    with np.errstate(all="ignore"):
        return output / total[..., None], maximum, total


def softmax_weighted_sum_vjp(
    q: npt.ArrayLike,
    k: npt.ArrayLike,
    v: npt.ArrayLike,
    cotangent: npt.ArrayLike,
    state: tuple[npt.ArrayLike, npt.ArrayLike, npt.ArrayLike],
    tau: float = 1.0,
    *,
    where: npt.ArrayLike | None = None,
    block: int = 512,
) -> tuple[Any, Any, Any]:
    """Return the gradients of sum(cotangent * softmax_weighted_sum(q, k, v)) in q, k and v.

    Args:
      cotangent: shape [..., n, e].
      state: what `softmax_weighted_sum_and_state` returned; weights are computed again from it, block by block.
      q, k, v, tau, where, block: as there. At tau = 0 the gradients in q and k are 0.

    Returns:
      Shapes of q, k and v, which must have the same leading dimensions.

    Source: Dao et al. (2022), appendix B.4.

    >>> q, k, v = [[1.0]], [[0.0], [0.0]], [[0.0], [4.0]]
    >>> softmax_weighted_sum_vjp(q, k, v, [[1.0]], softmax_weighted_sum_and_state(q, k, v))[0]
    array([[0.]])
    """
    sums = _Sums(q, k, v, tau, where, block)
    output, maximum, total = _state_of(state, sums)
    given = real("cotangent", cotangent).astype(np.float64)
    try:
        given = np.broadcast_to(given, output.shape)
    except ValueError:
        raise ArgumentError(f"cotangent must have the shape {output.shape}, got {given.shape}.") from None
    mean = np.add.reduce(given * output, axis=-1, keepdims=True)
    to_q, to_k, to_v = np.zeros(sums.q.shape), np.zeros(sums.k.shape), np.zeros(sums.v.shape)
    slope = 0.0 if tau == 0.0 else 1.0 / tau
    for keys in sums.blocks():
        score = sums.score(keys)
        with np.errstate(all="ignore"):
            weight = sums.exp(score - maximum[..., None], score == maximum[..., None]) / total[..., None]
        weight = np.where((score == -np.inf) | (total[..., None] == 0.0), 0.0, weight)
        change = weight * (given @ np.swapaxes(sums.v[..., keys, :], -1, -2) - mean) * slope
        change = np.where(weight == 0.0, 0.0, change)
        to_q += change @ sums.k[..., keys, :]
        to_k[..., keys, :] += np.swapaxes(change, -1, -2) @ sums.q
        to_v[..., keys, :] += np.swapaxes(weight, -1, -2) @ given
    return to_q, to_k, to_v


def _state_of(state: tuple[npt.ArrayLike, npt.ArrayLike, npt.ArrayLike], sums: _Sums) -> list[Array]:
    parts = [real("state", part).astype(np.float64) for part in (state if isinstance(state, (tuple, list)) else ())]
    shapes, wanted = [part.shape for part in parts], [part.shape for part in sums.start()]
    if shapes != wanted:
        raise ArgumentError(f"state must have the shapes {wanted}, got {shapes}.")
    return parts


class _Sums:
    """The checked arguments of an attention sum."""

    def __init__(
        self, q: npt.ArrayLike, k: npt.ArrayLike, v: npt.ArrayLike, tau: float, where: npt.ArrayLike | None, block: int
    ) -> None:
        arrays = {name: real(name, x).astype(np.float64) for name, x in (("q", q), ("k", k), ("v", v))}
        self.q, self.k, self.v = arrays.values()
        shapes = f"got {self.q.shape}, {self.k.shape} and {self.v.shape}"
        if min(a.ndim for a in arrays.values()) < 2 or self.q.shape[-1] != self.k.shape[-1]:
            raise ArgumentError(f"q, k and v must have shapes [..., n, d], [..., m, d] and [..., m, e], {shapes}.")
        if self.k.shape[-2] != self.v.shape[-2]:
            raise ArgumentError(f"k and v must have as many rows, {shapes}.")
        self.scale, self.block = scale(number("tau", tau)), whole_number("block", block, 1)
        self.where = None if where is None else np.atleast_1d(boolean("where", where))

    def start(self) -> tuple[Array, Array, Array]:
        batch = np.broadcast_shapes(self.q.shape[:-2], self.k.shape[:-2], self.v.shape[:-2])
        queries = (*batch, self.q.shape[-2])
        return np.zeros((*queries, self.v.shape[-1])), np.full(queries, -np.inf), np.zeros(queries)

    def blocks(self) -> list[slice]:
        return [slice(i, i + self.block) for i in range(0, self.k.shape[-2], self.block)]

    def score(self, keys: slice) -> Array:
        """Return q k' of a block, [..., n, block], -inf where masked."""
        score: Array = self.q @ np.swapaxes(self.k[..., keys, :], -1, -2)
        if self.where is None:
            return score
        columns = self.where if self.where.shape[-1] == 1 else self.where[..., keys]
        return np.where(columns, score, -np.inf)

    def exp(self, gap: Array, tied: Array) -> Array:
        return _exp(gap, self.scale, tied)
