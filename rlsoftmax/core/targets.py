"""The temperature that gives a policy a wanted entropy, number of effective actions, largest probability or divergence.

All four are monotone in log tau, and their slope there is a variance or a mean of the exponents: Newton's method,
kept inside a bracket. The ends are exact: out of reach above is infinity, below is 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from rlsoftmax.core.gaps import Rows, forbidden_entries, lay_out, real
from rlsoftmax.core.layout import Axis
from rlsoftmax.core.sums import row_sum
from rlsoftmax.errors import ArgumentError, shown

Array = npt.NDArray[Any]
Curve = Callable[[Array, Array], tuple[Array, Array]]  # gap, log tau -> value, slope
STEPS = 200


def temperature_for_entropy(
    x: npt.ArrayLike, entropy: npt.ArrayLike, axis: Axis = -1, *, where: npt.ArrayLike | None = None
) -> Any:
    """Return tau such that softmax(x, tau=tau) has this entropy, to 1e-12 nats.

    Args:
      x, where: as `softmax`.
      entropy: in nats, a number or one per row.

    Returns:
      Shape of x without `axis`: infinity if entropy >= ln K, 0 if entropy <= ln(number of maxima), NaN for empty rows.

    Raises:
      ArgumentError: if the entropy is NaN.

    Source: van der Maaten & Hinton (2008) tune perplexity so, by bisection; soft actor-critic by gradient steps.

    >>> tau = temperature_for_entropy([0.0, 1.0, 2.0], 1.0)
    >>> f"{tau:.9f}"
    '1.769046140'
    """
    rows = _lay_out(x, "entropy", entropy, axis, where, None)
    target, gap = rows.layout.to_columns(real("entropy", entropy)).astype(np.float64), _gap(rows)
    return _solved(rows, gap, target, *_ends(gap, np.log), _entropy)


def temperature_for_effective_actions(
    x: npt.ArrayLike, actions: npt.ArrayLike, axis: Axis = -1, *, where: npt.ArrayLike | None = None
) -> Any:
    """Return tau such that softmax(x, tau=tau) uses this many effective actions, exp(entropy), to 1e-12 relative.

    Args:
      actions: >= 1, a number or one per row; otherwise as `temperature_for_entropy`.

    >>> float(temperature_for_effective_actions([0.0, 1.0, 2.0], 3))
    inf
    """
    count = real("actions", actions).astype(np.float64)
    if not np.all(count >= 1.0):
        raise ArgumentError(f"actions must be >= 1, got {shown(actions)}.")
    rows = _lay_out(x, "actions", actions, axis, where, None)
    gap, target = _gap(rows), rows.layout.to_columns(count)
    low, high = _ends(gap, np.asarray)
    return _solved(rows, gap, np.log(target), np.log(low), np.log(high), _entropy)


def temperature_for_max_probability(
    x: npt.ArrayLike, probability: npt.ArrayLike, axis: Axis = -1, *, where: npt.ArrayLike | None = None
) -> Any:
    """Return tau such that the largest entry of softmax(x, tau=tau) is this probability, to 1e-12.

    Args:
      probability: 0 ... 1, a number or one per row; otherwise as `temperature_for_entropy`.

    Returns:
      Infinity if it is <= 1 / K, 0 if it is >= 1 / (number of maxima).

    >>> f"{temperature_for_max_probability([0.0, 1.0], 0.75) * np.log(3):.12f}"
    '1.000000000000'
    """
    wanted = real("probability", probability).astype(np.float64)
    if not np.all((wanted >= 0.0) & (wanted <= 1.0)):
        raise ArgumentError(f"probability must be >= 0 and <= 1, got {shown(probability)}.")
    rows = _lay_out(x, "probability", probability, axis, where, None)
    gap, target = _gap(rows), -rows.layout.to_columns(wanted)
    return _solved(rows, gap, target, *_ends(gap, lambda n: -1.0 / n), _largest)


def temperature_for_kl(
    x: npt.ArrayLike,
    kl: npt.ArrayLike,
    axis: Axis = -1,
    *,
    log_prior: npt.ArrayLike | None = None,
    where: npt.ArrayLike | None = None,
) -> Any:
    """Return tau such that prior * exp(x / tau) is this far from the prior: KL(policy, prior) to 1e-12 nats.

    Args:
      kl: >= 0 in nats, a number or one per row.
      log_prior: broadcast with x, need not be normalised; uniform over the allowed if not given.

    Returns:
      Infinity for kl <= 0; 0 if kl is at least what the greedy policy has.

    Source: the trust region of REPS, Peters et al. (2010), and of MPO, Abdolmaleki et al. (2018).

    >>> tau = temperature_for_kl([0.0, 1.0], 0.1, log_prior=np.log([0.8, 0.2]))
    >>> f"{tau:.9f}"
    '1.040763268'
    """
    rows = _lay_out(x, "kl", kl, axis, where, log_prior)
    gap, target = _gap(rows), -rows.layout.to_columns(real("kl", kl)).astype(np.float64)
    prior = _normalised_prior(rows)
    with np.errstate(all="ignore"):
        greedy = np.log(row_sum(np.where(gap == 0.0, prior, 0.0)))
    return _solved(
        rows, gap, target, greedy, np.zeros_like(greedy), lambda gap, log_tau: _divergence(gap, prior, log_tau)
    )


def _lay_out(
    x: npt.ArrayLike,
    name: str,
    target: npt.ArrayLike,
    axis: Axis,
    where: npt.ArrayLike | None,
    log_prior: npt.ArrayLike | None,
) -> Rows:
    """Return the rows, one per target; the temperature is not known yet."""
    wanted = real(name, target)
    if np.any(np.isnan(wanted)):
        raise ArgumentError(f"{name} must not be NaN.")
    return lay_out(x, axis, tau=np.ones(wanted.shape), where=where, log_prior=log_prior)


def _gap(rows: Rows) -> Array:
    """Return values minus the best of the row, -inf where forbidden, NaN in rows without an answer."""
    forbidden = forbidden_entries(rows)
    values = np.where(forbidden, -np.inf, rows.values.astype(np.float64))
    best = np.maximum.reduce(values, axis=1, keepdims=True, initial=-np.inf)
    with np.errstate(all="ignore"):
        gap = np.where(values == best, 0.0, values - best)
    return np.where(np.isnan(best) | (best == -np.inf), np.nan, np.where(forbidden, -np.inf, gap))


def _ends(gap: Array, of: Callable[[Array], Array]) -> tuple[Array, Array]:
    """Return what a policy uniform over the maxima and one uniform over the allowed have, given `of(number)`."""
    counts = (np.add.reduce(chosen, axis=1, keepdims=True, dtype=np.float64) for chosen in (gap == 0.0, gap > -np.inf))
    with np.errstate(all="ignore"):
        low, high = (of(count) for count in counts)
    return low, high


def _weights(gap: Array, log_tau: Array) -> tuple[Array, Array, Array]:
    """Return exponents (0 for what is never chosen), weights and the logarithm of their sum."""
    exponent = gap / np.exp(log_tau)
    weight = np.exp(exponent)
    ties = np.add.reduce(gap == 0.0, axis=1, keepdims=True, dtype=np.float64)
    rest = row_sum(np.where(gap == 0.0, 0.0, weight))
    return np.where(weight == 0.0, 0.0, exponent), weight, np.log(ties) + np.log1p(rest / ties)


def _moments(exponent: Array, probability: Array) -> tuple[Array, Array]:
    mean = row_sum(probability * exponent)
    return mean, row_sum(probability * np.square(exponent - mean))


def _entropy(gap: Array, log_tau: Array) -> tuple[Array, Array]:
    exponent, weight, log_total = _weights(gap, log_tau)
    mean, variance = _moments(exponent, weight / np.exp(log_total))
    return log_total - mean, variance


def _largest(gap: Array, log_tau: Array) -> tuple[Array, Array]:
    exponent, weight, log_total = _weights(gap, log_tau)
    largest = np.exp(-log_total)
    mean, _ = _moments(exponent, weight * largest)
    return -largest, -largest * mean


def _divergence(gap: Array, prior: Array, log_tau: Array) -> tuple[Array, Array]:
    """Return minus the divergence from the prior, and its slope."""
    exponent, weight, _ = _weights(gap, log_tau)
    missing = row_sum(prior * np.expm1(np.where(weight == 0.0, -np.inf, exponent)))
    mean, variance = _moments(exponent, prior * weight / (1.0 + missing))
    return np.log1p(missing) - mean, variance


def _normalised_prior(rows: Rows) -> Array:
    forbidden = forbidden_entries(rows)
    log_prior = np.zeros(rows.values.shape) if rows.log_prior is None else rows.log_prior.astype(np.float64)
    log_prior = np.where(forbidden, -np.inf, log_prior)
    with np.errstate(all="ignore"):
        weight = np.exp(log_prior - np.maximum.reduce(log_prior, axis=1, keepdims=True, initial=-np.inf))
        return weight / row_sum(weight)


def _solved(rows: Rows, gap: Array, target: Array, low_end: Array, high_end: Array, curve: Curve) -> Any:
    """Return tau of each row: 0 and infinity at and beyond the ends, the root of curve = target between."""
    with np.errstate(all="ignore"):
        between = (target > low_end) & (target < high_end)
        unit = _unit(gap)
        root = np.exp(_root(gap / unit, target, lambda log_tau: curve(gap / unit, log_tau))) * unit
    tau = np.where(between, root, np.where(target >= high_end, np.inf, 0.0))
    tau = np.where(np.any(np.isnan(gap), axis=1, keepdims=True) | (gap.shape[1] == 0), np.nan, tau)
    return rows.layout.restore_each(tau)


def _unit(gap: Array) -> Array:
    """Return a power of two near the largest gap of each row: the root is then near log tau = 0, to all digits."""
    largest = np.maximum.reduce(np.where(np.isfinite(gap), -gap, 0.0), axis=1, keepdims=True, initial=0.0)
    unit: Array = np.ldexp(1.0, np.clip(np.frexp(largest)[1], -1000, 1000))
    return unit


def _root(gap: Array, target: Array, curve: Callable[[Array], tuple[Array, Array]]) -> Array:
    """Return log tau by Newton's method inside a shrinking bracket; a step out of the bracket halves it."""
    size = np.where((gap < 0.0) & (gap > -np.inf), -gap, np.nan)
    low = np.log(np.fmin.reduce(size, axis=1, keepdims=True, initial=np.inf)) - 10.0
    high = np.log(np.fmax.reduce(size, axis=1, keepdims=True, initial=0.0)) + 40.0
    at = np.where(high - low < 60.0, high - 40.0, 0.5 * (low + high))
    for _ in range(STEPS):
        value, slope = curve(at)
        error = value - target
        low, high = np.where(error < 0.0, at, low), np.where(error > 0.0, at, high)
        newton = at - error / slope
        inside = (newton > low) & (newton < high)
        following = np.where(inside, newton, 0.5 * (low + high))
        following = np.where(error == 0.0, at, following)
        if not np.any(np.abs(following - at) > 1e-15 * np.maximum(1.0, np.abs(at))):
            break
        at = following
    return at
