"""What a distribution is worth knowing for: entropies, divergences, ratios, thermodynamics.

Each measure of probabilities has a twin `..._of` for softmax policies, which starts from the values and stays accurate
where probabilities round to 0 or 1. Units are nats.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from rlsoftmax.core.gaps import Rows, Weighed, lay_out, number, real, weigh
from rlsoftmax.core.layout import Axis, Layout, layout
from rlsoftmax.core.logsums import log_sum
from rlsoftmax.core.sums import row_sum
from rlsoftmax.errors import ArgumentError

Array = npt.NDArray[Any]


def entropy(probabilities: npt.ArrayLike, axis: Axis = -1) -> Any:
    """Return -sum(p log p) in nats.

    Args:
      probabilities: non-negative, summing to one along `axis`.

    Returns:
      Shape without `axis`: 0 for a greedy policy, ln K for the uniform one.

    Raises:
      ArgumentError: if an entry is negative.

    Source: Shannon (1948).

    >>> float(entropy([0.5, 0.5, 0.0]) / np.log(2))
    1.0
    """
    p, plan = _rows_of("probabilities", probabilities, axis)
    return plan.restore_each(_entropy(p))


def effective_actions(probabilities: npt.ArrayLike, axis: Axis = -1) -> Any:
    """Return how many actions a policy really uses: exp(entropy).

    Args, errors: as `entropy`.

    Returns:
      Shape without `axis`: 1 for a greedy policy, K for the uniform one.

    Source: Hill (1973), diversity of order 1.

    >>> float(effective_actions([0.5, 0.5, 0.0]))
    2.0
    """
    p, plan = _rows_of("probabilities", probabilities, axis)
    return plan.restore_each(np.exp(_entropy(p)))


def _entropy(p: Array) -> Array:
    with np.errstate(all="ignore"):
        surprise = np.log(p)
        surprise *= p
        np.copyto(surprise, 0.0, where=p == 0.0)
        return -row_sum(surprise) + 0.0


def entropy_of(
    values: npt.ArrayLike, axis: Axis = -1, *, tau: npt.ArrayLike | None = None, where: npt.ArrayLike | None = None
) -> Any:
    """Return the entropy of softmax(values, tau=tau) in nats.

    Args, errors: as `softmax`; NaN where nothing is allowed.

    Source: H = log(sum w) - sum(p y) with exponents y <= 0: both terms have one sign, so H is accurate near 0 too.

    >>> float(entropy_of([40.0, 0.0]))
    1.7418252446695514e-16
    """
    rows = lay_out(values, axis, tau=tau, where=where)
    return rows.restore_each(_weighed_entropy(weigh(rows)))


def effective_actions_of(
    values: npt.ArrayLike, axis: Axis = -1, *, tau: npt.ArrayLike | None = None, where: npt.ArrayLike | None = None
) -> Any:
    """Return exp(entropy) of softmax(values, tau=tau): how many actions the policy really uses.

    Args, errors: as `softmax`; NaN where nothing is allowed.

    >>> effective_actions_of([[2.0, 2.0, 1.0]] * 2, tau=[0.0, np.inf])
    array([2., 3.])
    """
    rows = lay_out(values, axis, tau=tau, where=where)
    return rows.restore_each(np.exp(_weighed_entropy(weigh(rows))))


def _weighed_entropy(weighed: Weighed) -> Array:
    with np.errstate(all="ignore"):
        spread = row_sum(np.where(weighed.weight == 0.0, 0.0, weighed.weight * -weighed.exponent)) / weighed.total
        return np.where(weighed.empty, np.nan, weighed.log_total + spread)


def cross_entropy(probabilities: npt.ArrayLike, others: npt.ArrayLike, axis: Axis = -1) -> Any:
    """Return -sum(p log q) in nats: infinite where q is 0 and p is not.

    Args:
      probabilities, others: p and q, non-negative, broadcast against each other, summing to one along `axis`.

    Raises:
      ArgumentError: if an entry is negative.

    >>> float(cross_entropy([0.5, 0.5], [1.0, 0.0]))
    inf
    """
    p, q, plan = _two_rows_of(probabilities, others, axis)
    with np.errstate(all="ignore"):
        return plan.restore_each(-row_sum(np.where(p == 0.0, 0.0, p * np.log(q))) + 0.0)


def cross_entropy_of(
    values: npt.ArrayLike,
    others: npt.ArrayLike,
    axis: Axis = -1,
    *,
    tau: npt.ArrayLike | None = None,
    tau_others: npt.ArrayLike | None = None,
    where: npt.ArrayLike | None = None,
) -> Any:
    """Return the cross-entropy of softmax(others) under softmax(values), in nats.

    Args:
      values, others: broadcast against each other; tau is that of both unless `tau_others` is given.

    >>> round(float(cross_entropy_of([0.0, 0.0], [0.0, -800.0])), 9)
    400.0
    """
    pair = _pair(values, others, axis, tau, tau_others, where)
    with np.errstate(all="ignore"):
        terms = np.where(pair.p == 0.0, 0.0, pair.p * -pair.others.log_probability)
        return pair.restore_each(row_sum(terms))


def kl(probabilities: npt.ArrayLike, others: npt.ArrayLike, axis: Axis = -1) -> Any:
    """Return the Kullback-Leibler divergence sum(p log(p / q)) in nats; never negative.

    Args, errors: as `cross_entropy`.

    Source: Kullback & Leibler (1951), summed as p * (exp(t) - 1 - t), t = log(q / p): no term is negative.

    >>> float(kl([0.5, 0.5], [0.5, 0.5]))
    0.0
    """
    p, q, plan = _two_rows_of(probabilities, others, axis)
    with np.errstate(all="ignore"):
        return plan.restore_each(_divergence(p, q, _log_ratio(q, p)))


def kl_of(
    values: npt.ArrayLike,
    others: npt.ArrayLike,
    axis: Axis = -1,
    *,
    tau: npt.ArrayLike | None = None,
    tau_others: npt.ArrayLike | None = None,
    where: npt.ArrayLike | None = None,
) -> Any:
    """Return the Kullback-Leibler divergence from softmax(others) to softmax(values), in nats; never negative.

    Args: as `cross_entropy_of`.

    >>> round(float(kl_of([0.0, 0.0], [0.0, -800.0])), 3)
    399.307
    >>> f"{float(kl_of([0.0, 0.0], [0.0, 1e-9])):.6g}"
    '1.25e-19'
    """
    pair = _pair(values, others, axis, tau, tau_others, where)
    with np.errstate(all="ignore"):
        return pair.restore_each(_divergence(pair.p, pair.q, pair.log_ratio))


def jensen_shannon(probabilities: npt.ArrayLike, others: npt.ArrayLike, axis: Axis = -1) -> Any:
    """Return the Jensen-Shannon divergence in nats: the mean divergence of both from their mixture, 0 to ln 2.

    Args, errors: as `cross_entropy`.

    Source: Lin (1991).

    >>> float(jensen_shannon([1.0, 0.0], [0.0, 1.0]) / np.log(2))
    1.0
    """
    p, q, plan = _two_rows_of(probabilities, others, axis)
    with np.errstate(all="ignore"):
        return plan.restore_each(_from_mixture(p, q, _log_ratio(q, p)))


def jensen_shannon_of(
    values: npt.ArrayLike,
    others: npt.ArrayLike,
    axis: Axis = -1,
    *,
    tau: npt.ArrayLike | None = None,
    tau_others: npt.ArrayLike | None = None,
    where: npt.ArrayLike | None = None,
) -> Any:
    """Return the Jensen-Shannon divergence of softmax(values) and softmax(others), in nats.

    Args: as `cross_entropy_of`.

    >>> round(float(jensen_shannon_of([0.0, 900.0], [900.0, 0.0]) / np.log(2)), 9)
    1.0
    """
    pair = _pair(values, others, axis, tau, tau_others, where)
    with np.errstate(all="ignore"):
        return pair.restore_each(_from_mixture(pair.p, pair.q, pair.log_ratio))


def _divergence(p: Array, q: Array, log_ratio: Array) -> Array:
    near = p * excess(log_ratio)
    far = np.where(p == 0.0, q, q - p - p * log_ratio)
    return row_sum(np.where((np.abs(log_ratio) <= 1.0) & (p > 0.0), near, far))


def _from_mixture(p: Array, q: Array, log_ratio: Array) -> Array:
    to_p, to_q = np.expm1(log_ratio) * 0.5, np.expm1(-log_ratio) * 0.5
    near = p * _excess_log(to_p) + q * _excess_log(to_q)
    middle = 0.5 * (p + q)
    far = _log_term(p, middle) + _log_term(q, middle)
    terms = np.where((np.abs(log_ratio) <= 1.0) & (p > 0.0) & (q > 0.0), near, far)
    return 0.5 * row_sum(terms)


def _log_term(p: Array, middle: Array) -> Array:
    return np.where(p == 0.0, 0.0, p * (np.log(p) - np.log(middle)))


def excess(t: Array) -> Array:
    """Return exp(t) - 1 - t without cancellation: its series where |t| is small.

    >>> float(excess(np.array(2.0**-30)) * 2.0**61)
    1.0000000003104408
    """
    series = np.full_like(t, 1.0)
    for n in range(14, 2, -1):
        series = 1.0 + series * t / n
    return np.where(np.abs(t) < 0.5, 0.5 * t * t * series, np.expm1(t) - t)


def _excess_log(r: Array) -> Array:
    """Return r - log(1 + r) without cancellation."""
    return excess(np.log1p(r))  # exp(log1p(r)) - 1 = r


def _log_ratio(q: Array, p: Array) -> Array:
    """Return log(q / p), accurate where they are nearly equal."""
    return np.where(np.abs(q - p) < 0.5 * p, np.log1p((q - p) / p), np.log(q) - np.log(p))


def renyi_entropy(probabilities: npt.ArrayLike, order: float, axis: Axis = -1) -> Any:
    """Return log(sum(p ** order)) / (1 - order) in nats.

    Args:
      order: >= 0; 0 counts the possible actions, 1 is Shannon's entropy, infinity is -log of the largest.

    Raises:
      ArgumentError: if an entry or the order is negative.

    Source: Renyi (1961).

    >>> round(float(renyi_entropy([0.5, 0.25, 0.25], 2.0)), 6)
    0.980829
    """
    p, plan = _rows_of("probabilities", probabilities, axis)
    with np.errstate(all="ignore"):
        return plan.restore_each(_renyi(p, np.log(p), _order(order)))


def renyi_entropy_of(
    values: npt.ArrayLike,
    order: float,
    axis: Axis = -1,
    *,
    tau: npt.ArrayLike | None = None,
    where: npt.ArrayLike | None = None,
) -> Any:
    """Return the Renyi entropy of softmax(values, tau=tau); NaN where nothing is allowed.

    >>> round(float(renyi_entropy_of([0.0, 0.0, -800.0], 0.0)), 6)
    1.098612
    """
    rows = lay_out(values, axis, tau=tau, where=where)
    weighed = weigh(rows)
    with np.errstate(all="ignore"):
        value = _renyi(weighed.probability, weighed.log_probability, _order(order))
    return rows.restore_each(np.where(weighed.empty, np.nan, value))


def tsallis_entropy(probabilities: npt.ArrayLike, order: float, axis: Axis = -1) -> Any:
    """Return (1 - sum(p ** order)) / (order - 1).

    Args:
      order: >= 0; 0 counts the possible actions less one, 1 is Shannon's entropy, 2 is the Gini index.

    Raises:
      ArgumentError: if an entry or the order is negative.

    Source: Tsallis (1988), with k = 1.

    >>> float(tsallis_entropy([0.5, 0.25, 0.25], 2.0))
    0.625
    """
    p, plan = _rows_of("probabilities", probabilities, axis)
    with np.errstate(all="ignore"):
        return plan.restore_each(_tsallis(p, np.log(p), _order(order)))


def tsallis_entropy_of(
    values: npt.ArrayLike,
    order: float,
    axis: Axis = -1,
    *,
    tau: npt.ArrayLike | None = None,
    where: npt.ArrayLike | None = None,
) -> Any:
    """Return the Tsallis entropy of softmax(values, tau=tau); NaN where nothing is allowed.

    >>> f"{float(tsallis_entropy_of([40.0, 0.0], 2.0)):.6g}"
    '8.49671e-18'
    """
    rows = lay_out(values, axis, tau=tau, where=where)
    weighed = weigh(rows)
    with np.errstate(all="ignore"):
        value = _tsallis(weighed.probability, weighed.log_probability, _order(order))
    return rows.restore_each(np.where(weighed.empty, np.nan, value))


def _renyi(p: Array, log_p: Array, order: float) -> Array:
    possible = log_p > -np.inf
    if order == np.inf:
        return -np.maximum.reduce(log_p, axis=1, keepdims=True, initial=-np.inf) + 0.0
    if order == 1.0:
        return -row_sum(np.where(p == 0.0, 0.0, p * log_p)) + 0.0
    change = row_sum(np.where(p == 0.0, 0.0, p * np.expm1((order - 1.0) * log_p)))
    most = np.maximum.reduce(log_p, axis=1, keepdims=True, initial=-np.inf)
    power = np.log(row_sum(np.where(possible, np.exp(order * (log_p - most)), 0.0))) + order * most
    least = np.minimum.reduce(np.where(possible, log_p, 0.0), axis=1, keepdims=True, initial=0.0)
    near = np.abs((order - 1.0) * least) < 0.5
    value = np.where(near, np.log1p(change), power) / (1.0 - order)
    return np.where(np.isnan(most), np.nan, value)


def _tsallis(p: Array, log_p: Array, order: float) -> Array:
    if order == 1.0:
        return -row_sum(np.where(p == 0.0, 0.0, p * log_p)) + 0.0
    change = (order - 1.0) * log_p
    terms = np.where(np.abs(change) < 1.0, p * np.expm1(change), np.exp(order * log_p) - p)
    terms = np.where(log_p == -np.inf, 0.0, terms)
    return np.zeros((len(p), 1)) if order == np.inf else -row_sum(terms) / (order - 1.0) + 0.0


def _order(order: float) -> float:
    if not (size := number("order", order)) >= 0.0:
        raise ArgumentError(f"order must be >= 0, got {order!r}.")
    return size


def log_importance_ratio(
    values: npt.ArrayLike,
    others: npt.ArrayLike,
    axis: Axis = -1,
    *,
    tau: npt.ArrayLike | None = None,
    tau_others: npt.ArrayLike | None = None,
    where: npt.ArrayLike | None = None,
) -> Any:
    """Return log(pi(a) / mu(a)) for pi = softmax(values) and mu = softmax(others), for every action.

    Args:
      values, others: of the policy learned about and of the one that acted, broadcast against each other.
      tau: that of both unless `tau_others` is given.

    Returns:
      The broadcast shape; -inf where pi never acts (also where neither does), inf where only mu never does.

    >>> log_importance_ratio([0.0, 0.0], [0.0, np.log(3)]).round(6)
    array([ 0.693147, -0.405465])
    """
    pair = _pair(values, others, axis, tau, tau_others, where)
    return pair.restore(-pair.log_ratio)


def importance_ratio(
    values: npt.ArrayLike,
    others: npt.ArrayLike,
    axis: Axis = -1,
    *,
    tau: npt.ArrayLike | None = None,
    tau_others: npt.ArrayLike | None = None,
    where: npt.ArrayLike | None = None,
) -> Any:
    """Return pi(a) / mu(a), the exponential of `log_importance_ratio`; the same arguments.

    >>> importance_ratio([0.0, 0.0], [0.0, np.log(3)]).round(6)
    array([2.      , 0.666667])
    """
    pair = _pair(values, others, axis, tau, tau_others, where)
    with np.errstate(all="ignore"):
        return pair.restore(np.exp(-pair.log_ratio))


@dataclasses.dataclass(frozen=True)
class _Pair:
    """Two softmax policies over the same actions."""

    rows: Rows
    weighed: Weighed
    others: Weighed

    @property
    def p(self) -> Array:
        return self.weighed.probability

    @property
    def q(self) -> Array:
        return self.others.probability

    @property
    def log_ratio(self) -> Array:
        """log(q / p); the difference of the log sums is taken as one logarithm, so equal policies give exactly 0."""
        with np.errstate(all="ignore"):
            gap = self.others.exponent - self.weighed.exponent
            change = row_sum(np.where(self.p == 0.0, 0.0, self.p * np.expm1(gap)))
            change += row_sum(np.where(self.p == 0.0, self.others.weight, 0.0)) / self.weighed.total
            log_change = self.others.log_total - self.weighed.log_total
            ratio = gap - np.where(np.abs(change) < 0.5, np.log1p(change), log_change)
        never = ~self.weighed.allowed
        return np.where(never, np.inf, ratio)

    def restore(self, rows: Array) -> Any:
        empty = self.weighed.empty | self.others.empty
        return self.rows.restore(np.where(empty, np.nan, rows))

    def restore_each(self, one_per_row: Array) -> Any:
        empty = self.weighed.empty | self.others.empty
        return self.rows.restore_each(np.where(empty, np.nan, one_per_row))


def _pair(
    values: npt.ArrayLike,
    others: npt.ArrayLike,
    axis: Axis,
    tau: npt.ArrayLike | None,
    tau_others: npt.ArrayLike | None,
    where: npt.ArrayLike | None,
) -> _Pair:
    x, y = _broadcast("values", values, "others", others)
    tau = 1.0 if tau is None else tau
    first, second = _broadcast("tau", tau, "tau_others", tau if tau_others is None else tau_others)
    rows = lay_out(x, axis, tau=first, where=where)
    return _Pair(rows, weigh(rows), weigh(lay_out(y, axis, tau=second, where=where)))


def _broadcast(name: str, a: npt.ArrayLike, other: str, b: npt.ArrayLike) -> list[Array]:
    try:
        return list(np.broadcast_arrays(real(name, a), real(other, b)))
    except ValueError as error:
        raise ArgumentError(f"{name} and {other} do not fit: {error}") from None


def _two_rows_of(probabilities: npt.ArrayLike, others: npt.ArrayLike, axis: Axis) -> tuple[Array, Array, Layout]:
    first, second = _broadcast("probabilities", probabilities, "others", others)
    p, plan = _rows_of("probabilities", first, axis)
    return p, _rows_of("others", second, axis)[0], plan


@dataclasses.dataclass(frozen=True)
class Thermodynamics:
    """The canonical ensemble whose states are the actions, with energy = -value. One number per row each."""

    log_partition: Any  # log Z = log(sum(exp(x / (k tau))))
    free_energy: Any  # F = -k tau log Z
    mean_energy: Any  # U = -sum(p x)
    entropy: Any  # S = k H, so that F = U - tau S
    heat_capacity: Any  # C = dU / dtau = k Var(x / (k tau))


def thermodynamics(
    x: npt.ArrayLike, tau: npt.ArrayLike, k: float = 1.0, *, axis: Axis = -1, where: npt.ArrayLike | None = None
) -> Thermodynamics:
    """Return partition function, free energy, mean energy, entropy and heat capacity of a Boltzmann policy.

    Args:
      x: values; **energy is minus value**, so that the best action is the ground state.
      tau: absolute temperature >= 0, a number or one per row; at 0 the ground state.
      k: Boltzmann's constant > 0, in units of x per unit of tau; probabilities are softmax(x, tau=k * tau).

    Raises:
      ArgumentError: as `softmax`, and unless k > 0.

    Source: Gibbs (1902); F = U - tau S.

    >>> state = thermodynamics([0.0, -1.0], tau=0.5)
    >>> float(state.free_energy), float(state.mean_energy - 0.5 * state.entropy)
    (-0.06346400552148625, -0.06346400552148626)
    """
    if not 0.0 < (k := number("k", k)) < np.inf:
        raise ArgumentError(f"k must be > 0 and finite, got {k!r}.")
    rows = lay_out(x, axis, tau=real("tau", tau) * k, where=where)
    weighed = weigh(rows)
    with np.errstate(all="ignore"):
        size = rows.scale.tau
        entropy = _weighed_entropy(weighed)
        free = -(weighed.best + rows.offset) - np.where(weighed.log_total == 0.0, 0.0, size * weighed.log_total)
        gap = np.where(weighed.weight == 0.0, 0.0, rows.values - weighed.best)
        energy = -(weighed.best + rows.offset) - row_sum(weighed.probability * np.where(gap == gap, gap, 0.0))
    parts = (log_sum(rows, weighed), free, energy, k * entropy, k * variance_of_exponent(weighed))
    return Thermodynamics(*(rows.restore_each(np.where(weighed.empty, np.nan, part)) for part in parts))


def variance_of_exponent(weighed: Weighed) -> Array:
    """Return [rows, 1], the variance of x / tau under the policy."""
    with np.errstate(all="ignore"):
        y = np.where(weighed.weight == 0.0, 0.0, weighed.exponent)
        mean = row_sum(weighed.probability * y)
        return row_sum(weighed.probability * np.square(np.where(weighed.weight == 0.0, 0.0, y - mean)))


def _rows_of(name: str, probabilities: npt.ArrayLike, axis: Axis) -> tuple[Array, Layout]:
    """Return probabilities as float64 (or longdouble) rows, checked."""
    array = real(name, probabilities)
    plan = layout(array.shape, axis)
    p = plan.to_rows(array)
    p = p if p.dtype == np.longdouble else p.astype(np.float64, copy=False)
    if np.any(p < 0.0):
        raise ArgumentError(f"{name} must be >= 0, got {float(p[p < 0.0][0])!r}.")
    return p, plan
