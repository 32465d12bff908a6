"""Draws from a Boltzmann policy: by inverse CDF, by Gumbel noise, without replacement, relaxed, or from a table.

Everything takes its luck as an argument: a `numpy.random.Generator` as `rng`, or uniform numbers `u` in [0, 1).
An action of weight zero is never drawn.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from rlsoftmax.core.dense import hardmax, softmax
from rlsoftmax.core.gaps import Rows, Weighed, lay_out, real, weigh, whole_number
from rlsoftmax.core.layout import Axis
from rlsoftmax.errors import ArgumentError, shown

Array = npt.NDArray[Any]
Size = int | tuple[int, ...]
SMALLEST = np.finfo(np.float64).smallest_subnormal
HALF_A_GRID_STEP = 2.0**-54  # what a uniform number of 0 stands for; 0 itself would be infinite noise


def sample(
    x: npt.ArrayLike,
    tau: npt.ArrayLike | None = None,
    axis: Axis = -1,
    *,
    u: npt.ArrayLike | None = None,
    rng: np.random.Generator | None = None,
    size: Size = (),
    where: npt.ArrayLike | None = None,
    log_prior: npt.ArrayLike | None = None,
) -> Any:
    """Return actions drawn from softmax(x, tau=tau), as indices along `axis`.

    Args:
      x, tau, axis, where, log_prior: as `softmax`; several axes are counted as one, in C order.
      u: uniform numbers in [0, 1), broadcast with the rows; their shape is the shape of the result.
      rng: draws one uniform number per result instead.
      size: with rng, shape of the draws of each row, in front of the rows.

    Returns:
      int64, shape of x without `axis` (or of u, or `size` in front of it).

    Raises:
      ArgumentError: as `softmax`, for rows that are NaN or empty, and unless exactly one of u and rng is given.

    Source: inverse CDF on the weights before division (Devroye, 1986, III.2): one uniform number per draw.

    >>> sample([0.0, 0.0, -np.inf], u=[0.2, 0.9])
    array([0, 1])
    """
    rows = lay_out(x, axis, tau=tau, where=where, log_prior=log_prior)
    weighed = _drawable(rows)
    luck = _luck(u, rng, rows.layout.batch, size)
    if luck.ndim and rows.layout.rows == 1:
        return _from_row(weighed.weight[0], luck)
    batch = np.broadcast_shapes(rows.layout.batch, luck.shape)
    row = np.broadcast_to(np.arange(rows.layout.rows).reshape(rows.layout.batch), batch)
    drawn = _from_rows(weighed.weight[row.ravel()], np.broadcast_to(luck, batch).ravel()).reshape(batch)
    return drawn if drawn.ndim else drawn[()]


def _from_row(weight: Array, luck: Array) -> Array:
    """Many draws from one row."""
    cumulative = np.add.accumulate(weight)
    drawn = np.searchsorted(cumulative, luck * cumulative[-1], side="right")  # the first that exceeds
    last = np.flatnonzero(weight)[-1]  # u * total may round up to the total
    return np.asarray(np.minimum(drawn, last), np.int64)


def _from_rows(weight: Array, luck: Array) -> Array:
    """One draw from each row."""
    cumulative = np.add.accumulate(weight, axis=1)
    threshold = luck[:, None] * cumulative[:, -1:]
    drawn = np.add.reduce(cumulative <= threshold, axis=1, dtype=np.int64)
    last = weight.shape[1] - 1 - np.argmax(weight[:, ::-1] > 0.0, axis=1)
    return np.asarray(np.minimum(drawn, last))


def _drawable(rows: Rows) -> Weighed:
    """Return weights from which something can be drawn in every row."""
    weighed = weigh(rows)
    if np.any(weighed.empty):
        raise ArgumentError("x has a row with no allowed entry: every entry is -inf or masked, nothing can be drawn.")
    if not np.all(weighed.total > 0.0):
        raise ArgumentError("x must not have NaN in a row to draw from.")
    return weighed


def _luck(u: npt.ArrayLike | None, rng: np.random.Generator | None, shape: tuple[int, ...], size: Size) -> Array:
    """Return uniform numbers in [0, 1), given or drawn."""
    if (u is None) == (rng is None):
        raise ArgumentError("exactly one of u and rng must be given.")
    if rng is not None:
        return np.asarray(rng.random((*_front(size), *shape)))
    luck = real("u", u).astype(np.float64)  # type: ignore[arg-type]
    if not np.all((luck >= 0.0) & (luck < 1.0)):
        raise ArgumentError(f"u must be >= 0 and < 1, got {shown(u)}.")
    return luck


def _front(size: Size) -> tuple[int, ...]:
    """Return the shape that is asked for in front of the rows."""
    given = size if isinstance(size, Iterable) and not isinstance(size, str) else (size,)
    return tuple(whole_number("size", one, 0) for one in given)


def _exponential(u: npt.ArrayLike | None, rng: np.random.Generator | None, shape: tuple[int, ...], size: Size) -> Array:
    """Return standard exponential numbers; Gumbel noise is minus their logarithm."""
    if rng is not None and u is None:
        return np.maximum(rng.standard_exponential((*_front(size), *shape)), SMALLEST)
    return np.maximum(-np.log1p(-_luck(u, rng, shape, size)), HALF_A_GRID_STEP)


def _perturbed(rows: Rows, u: npt.ArrayLike | None, rng: np.random.Generator | None, size: Size) -> Array:
    """Return exponents plus Gumbel noise, [draws..., K]; axes of a row last."""
    weighed = _drawable(rows)
    shape = (*rows.layout.batch, rows.layout.entries)
    if u is not None:
        u = _axes_last(real("u", u), rows)
    noise = _exponential(u, rng, shape, size)
    perturbed: Array = weighed.exponent.reshape(shape) - np.log(noise)
    return perturbed


def _axes_last(u: Array, rows: Rows) -> Array:
    """Return numbers given in the shape of x as [..., K]."""
    axes, reduced = rows.layout.axes, rows.layout.reduced
    if u.ndim < len(axes) or tuple(u.shape[axis] for axis in axes) != reduced:
        raise ArgumentError(f"u must have the shape of x, draws in front, got {u.shape}.")
    moved = np.moveaxis(u, axes, range(-len(axes), 0))
    return moved.reshape(*moved.shape[: moved.ndim - len(axes)], rows.layout.entries)


def gumbel_max(
    x: npt.ArrayLike,
    tau: npt.ArrayLike | None = None,
    axis: Axis = -1,
    *,
    u: npt.ArrayLike | None = None,
    rng: np.random.Generator | None = None,
    size: Size = (),
    where: npt.ArrayLike | None = None,
) -> Any:
    """Return actions drawn from softmax(x, tau=tau) as the argmax of x / tau plus Gumbel noise.

    Args:
      u: one uniform number in [0, 1) per entry of x (and in front of it, per draw); otherwise as `sample`, which needs
        one number per draw and is many times faster. Noise shared between policies couples their actions.

    Returns, errors: as `sample`.

    Source: Gumbel (1954); Maddison, Tarlow & Minka (2014).

    >>> int(gumbel_max([5.0, 5.0, 1.0], 0.0, u=[0.5, 0.1, 0.0]))
    1
    """
    rows = lay_out(x, axis, tau=tau, where=where)
    drawn = np.argmax(_perturbed(rows, u, rng, size), axis=-1)
    return drawn if drawn.ndim else drawn[()]


def gumbel_top_k(
    x: npt.ArrayLike,
    k: int,
    tau: npt.ArrayLike | None = None,
    axis: Axis = -1,
    *,
    u: npt.ArrayLike | None = None,
    rng: np.random.Generator | None = None,
    size: Size = (),
    where: npt.ArrayLike | None = None,
) -> Any:
    """Return k different actions in the order in which sampling without replacement would draw them.

    Args:
      k: 1 up to the number of actions that can be chosen in every row; otherwise as `gumbel_max`.

    Returns:
      int64, the shape of `gumbel_max` and k.

    Source: Kool, van Hoof & Welling (2019); Plackett-Luce.

    >>> gumbel_top_k([0.0, 0.0, 0.0, -np.inf], 2, u=[0.5, 0.1, 0.9, 0.0])
    array([1, 0])
    """
    rows = lay_out(x, axis, tau=tau, where=where)
    perturbed = _perturbed(rows, u, rng, size)
    possible = np.add.reduce(perturbed > -np.inf, axis=-1)
    k = whole_number("k", k, 1)
    if not k <= np.min(possible, initial=perturbed.shape[-1]):
        most = np.min(possible, initial=perturbed.shape[-1])
        raise ArgumentError(f"k must be <= {most}, the actions that can be chosen in every row, got {k!r}.")
    return np.argsort(-perturbed, axis=-1, kind="stable")[..., :k]


def gumbel_softmax(
    x: npt.ArrayLike,
    tau: npt.ArrayLike | None = None,
    *,
    u: npt.ArrayLike | None = None,
    rng: np.random.Generator | None = None,
    size: Size = (),
    where: npt.ArrayLike | None = None,
) -> Any:
    """Return softmax((x + Gumbel noise) / tau): a relaxed draw from softmax(x), one-hot at tau = 0.

    Args:
      x: logits, the last axis is the action.
      tau: temperature of the relaxation (not of the policy), a number or one per row.
      u, rng, size, where: as `gumbel_max`.

    Returns:
      Shape of x (`size` in front): entries >= 0 that sum to one.

    Source: Jang, Gu & Poole (2017), equation 2; Maddison, Mnih & Teh (2017).

    >>> gumbel_softmax([0.0, 0.0], 0.0, u=[0.5, 0.1])
    array([0., 1.])
    """
    return softmax(_perturbed(lay_out(x, -1, where=where), u, rng, size), tau=1.0 if tau is None else tau)


def straight_through(
    x: npt.ArrayLike,
    tau: npt.ArrayLike | None = None,
    *,
    u: npt.ArrayLike | None = None,
    rng: np.random.Generator | None = None,
    size: Size = (),
    where: npt.ArrayLike | None = None,
) -> tuple[Any, Any]:
    """Return a one-hot draw from softmax(x) and the relaxed one of the same noise.

    Use the first forward, and differentiate the second.

    Args: as `gumbel_softmax`.

    Source: Bengio, Leonard & Courville (2013); Jang, Gu & Poole (2017), section 2.2.

    >>> straight_through([0.0, 0.0], 1.0, u=[0.5, 0.75])
    (array([1., 0.]), array([0.66666667, 0.33333333]))
    """
    perturbed = _perturbed(lay_out(x, -1, where=where), u, rng, size)
    return hardmax(perturbed), softmax(perturbed, tau=1.0 if tau is None else tau)


class CategoricalTable:
    """Draws from fixed probabilities in constant time per draw, whatever K: the alias method.

    Args:
      weights: shape [K], >= 0 and finite, not all 0; they need not sum to one.

    Source: Walker (1977); Vose (1991).

    >>> table = CategoricalTable([1.0, 0.0, 3.0])
    >>> table.draw(u=[0.0, 0.3, 0.5, 0.9])
    array([0, 2, 2, 2])
    """

    def __init__(self, weights: npt.ArrayLike) -> None:
        w = real("weights", weights).astype(np.float64)
        if w.ndim != 1 or not np.all((w >= 0.0) & (w < np.inf)) or not np.any(w > 0.0):
            raise ArgumentError(f"weights must be one row, >= 0, finite, not all 0, got {shown(weights)}.")
        self.keep, self.alias = _alias(w / w.max())

    @classmethod
    def of(
        cls, values: npt.ArrayLike, tau: npt.ArrayLike | None = None, *, where: npt.ArrayLike | None = None
    ) -> CategoricalTable:
        """Return the table of softmax(values, tau=tau) for one row of values."""
        return cls(softmax(values, tau=tau, where=where))

    def draw(self, size: Size = (), *, u: npt.ArrayLike | None = None, rng: np.random.Generator | None = None) -> Any:
        """Return indices, int64: `size` of them with rng, or one for each u (its leading digits choose the column)."""
        scaled = _luck(u, rng, (), size) * len(self.keep)
        column = np.minimum(scaled.astype(np.int64), len(self.keep) - 1)
        fraction = scaled - column if rng is None else rng.random(scaled.shape)
        return np.where(fraction < self.keep[column], column, self.alias[column])[()]


def _alias(weight: Array) -> tuple[Array, Array]:
    """Return, for each column, the share that keeps its own index, and the index that has the rest."""
    count = len(weight)
    share = (weight / (weight.sum() / count)).tolist()
    keep, alias = [1.0] * count, list(range(count))
    small = [i for i, s in enumerate(share) if s < 1.0]
    large = [i for i, s in enumerate(share) if s >= 1.0]
    while small and large:
        poor, rich = small.pop(), large[-1]
        keep[poor], alias[poor] = share[poor], rich
        share[rich] -= 1.0 - share[poor]
        if share[rich] < 1.0:
            small.append(large.pop())
    for poor in small:  # rounding left them without a partner; what has weight 0 must still not be drawn
        if weight[poor] == 0.0:
            keep[poor], alias[poor] = 0.0, int(np.argmax(weight))
    return np.array(keep), np.array(alias, np.int64)
