"""Softmax over very many actions from a sample of them: log Z, probabilities and gradients with a given proposal.

`x` are values of actions drawn with replacement from a proposal q with log-probabilities `log_q`. What is unbiased is
the estimate of Z itself (and of sums over all actions); its logarithm and its ratios are consistent, with a bias of
the order of their variance, which is reported.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from rlsoftmax.core.dense import softmax
from rlsoftmax.core.gaps import real
from rlsoftmax.core.logsums import logmeanexp
from rlsoftmax.errors import ArgumentError, shown

Array = npt.NDArray[Any]


@dataclasses.dataclass(frozen=True)
class Estimate:
    """An estimate and the estimated variance of it, one per row."""

    value: Any
    variance: Any


def log_partition_estimate(x: npt.ArrayLike, log_q: npt.ArrayLike, *, tau: npt.ArrayLike | None = None) -> Estimate:
    """Return an estimate of log(sum over all actions of exp(x / tau)); exp(value) is unbiased for the sum.

    Args:
      x: values of n >= 2 sampled actions, [..., n].
      log_q: logarithms of their probabilities under the proposal, broadcast with x.
      tau: temperature > 0, a number or one per row.

    Returns:
      value [...]: log of the mean importance weight; variance [...]: of the value, by the delta method (the value
      lies too low by about half of it).

    Source: importance sampling; Bengio & Senecal (2003), section II.

    >>> estimate = log_partition_estimate([0.0, 1.0], np.log([0.2, 0.2 * np.e]))
    >>> round(float(np.exp(estimate.value)), 9), round(float(estimate.variance), 9)
    (5.0, 0.0)
    """
    log_weight = _log_weights(x, log_q, _temperature(tau))
    return Estimate(logmeanexp(log_weight), _relative_variance(log_weight))


def probability_estimate(
    target: npt.ArrayLike, x: npt.ArrayLike, log_q: npt.ArrayLike, *, tau: npt.ArrayLike | None = None
) -> Estimate:
    """Return an estimate of the probability of an action whose value is `target`; 1 / value is unbiased.

    Args:
      target: [...]; the other arguments as `log_partition_estimate`.

    Returns:
      value and variance [...]; the value lies too high by about variance / value.

    >>> float(probability_estimate(0.0, [0.0, 1.0], np.log([0.2, 0.2 * np.e])).value.round(9))
    0.2
    """
    size = _temperature(tau)
    log_weight = _log_weights(x, log_q, size)
    first = _beside_rows("target", target, log_weight.shape[:-1])
    with np.errstate(all="ignore"):
        value = np.exp(first / size - logmeanexp(log_weight))
        return Estimate(value, np.square(value) * _relative_variance(log_weight))


def expectation_estimate(
    values: npt.ArrayLike, x: npt.ArrayLike, log_q: npt.ArrayLike, *, tau: npt.ArrayLike | None = None
) -> Estimate:
    """Return a self-normalised estimate of the mean of `values` under softmax(x / tau) over all actions.

    Args:
      values: of the sampled actions, broadcast with x; with `values` the derivative of x in a parameter, this is the
        derivative of log Z, the hard part of the gradient of a log-probability.

    Returns:
      value and variance [...], the latter by the delta method; the bias is of order 1 / n.

    Source: Bengio & Senecal (2008), equation 15; Owen (2013), chapter 9.2.

    >>> float(expectation_estimate([3.0, 3.0], [0.0, 1.0], np.log([0.5, 0.5])).value)
    3.0
    """
    share = softmax(_log_weights(x, log_q, _temperature(tau)))
    numbers = real("values", values).astype(np.float64)
    try:
        share, numbers = np.broadcast_arrays(share, numbers)
    except ValueError:
        raise ArgumentError(f"values must broadcast with x, got shapes {numbers.shape} and {share.shape}.") from None
    count = share.shape[-1]
    with np.errstate(invalid="ignore"):  # infinite values
        mean = np.add.reduce(share * numbers, axis=-1)
        spread = np.add.reduce(np.square(share * (numbers - mean[..., None])), axis=-1)
    return Estimate(mean, spread * (count / (count - 1.0)))


@dataclasses.dataclass(frozen=True)
class SampledSoftmax:
    """A loss over the target and a sample of others, and its gradient in their values."""

    loss: Any  # [...], -log of the target's probability among the candidates
    to_target: Any  # [...], d loss / d target value
    to_sampled: Any  # [..., n], d loss / d sampled values; 0 for accidental hits


def sampled_softmax(
    target: npt.ArrayLike,
    x: npt.ArrayLike,
    log_q: npt.ArrayLike,
    log_q_target: npt.ArrayLike | None = None,
    *,
    hits: npt.ArrayLike | None = None,
    tau: npt.ArrayLike | None = None,
) -> SampledSoftmax:
    """Return the sampled softmax loss of a target among n sampled actions, with the log-q correction.

    Args:
      target: values of the targets [...].
      x, log_q: values of the sampled actions [..., n] and the logarithms of their probabilities under the proposal.
      log_q_target: the same of the targets; if given, they are corrected too (the target counts as one of the sample),
        otherwise each sampled action stands for 1 / (n q) actions and the target for itself.
      hits: boolean [..., n]: sampled actions that are the target (accidental hits); they count as nothing, so that the
        others still estimate, without bias, the sum over all actions but the target.
      tau: temperature > 0.

    Source: Jean et al. (2015), section 3; Bengio & Senecal (2008); TensorFlow's sampled_softmax_loss.

    >>> loss = sampled_softmax(0.0, [0.0, 0.0], np.log([0.5, 0.5]), hits=[True, False])
    >>> float(loss.to_target), loss.to_sampled
    (-0.5, array([0. , 0.5]))
    """
    size = _temperature(tau)
    log_weight = _log_weights(x, log_q, size)
    others = log_weight - (np.log(log_weight.shape[-1]) if log_q_target is None else 0.0)
    if hits is not None:
        others = _without_hits(hits, others)
    rows = others.shape[:-1]
    first = _one_per_row("target", target, rows) / size
    first = first - (0.0 if log_q_target is None else _one_per_row("log_q_target", log_q_target, rows))
    p = softmax(np.concatenate([first[..., None], others], axis=-1))
    miss = np.add.reduce(p[..., 1:], axis=-1)
    with np.errstate(divide="ignore"):  # a target that has no chance at all
        loss = -np.log1p(-miss)
    return SampledSoftmax(loss, -miss / size, p[..., 1:] / size[..., None])


def target_sampling_probabilities(
    x: npt.ArrayLike, candidates: npt.ArrayLike, *, tau: npt.ArrayLike | None = None
) -> Any:
    """Return softmax over a fixed set of candidate actions and 0 elsewhere: target sampling.

    Args:
      x: values of all actions [..., K].
      candidates: indices of the actions (targets and sampled ones) that share the probability; repeats count once.

    Returns:
      Shape of x. It overstates each candidate by the same factor, 1 / (their true total probability).

    Source: Jean et al. (2015), section 3.1: per partition of the data, a fixed subset of the vocabulary.

    >>> target_sampling_probabilities([0.0, 5.0, 0.0, 1.0], [0, 2])
    array([0.5, 0. , 0.5, 0. ])
    """
    values, chosen = np.atleast_1d(real("x", x)), real("candidates", candidates)
    if chosen.dtype.kind not in "iu" or chosen.size == 0 or chosen.min() < 0 or chosen.max() >= values.shape[-1]:
        raise ArgumentError(f"candidates must be indices of the {values.shape[-1]} actions, got {candidates!r:.60}.")
    allowed = np.zeros(values.shape[-1], bool)
    allowed[chosen.ravel()] = True
    return softmax(values, tau=tau, where=allowed)


def _log_weights(x: npt.ArrayLike, log_q: npt.ArrayLike, size: Array) -> Array:
    """Return x / size - log q, the logarithms of the importance weights."""
    values, proposal = real("x", x).astype(np.float64), real("log_q", log_q).astype(np.float64)
    try:
        values, proposal = np.broadcast_arrays(values, proposal)
    except ValueError:
        raise ArgumentError(f"log_q must broadcast with x, got shapes {proposal.shape} and {values.shape}.") from None
    if values.ndim == 0 or values.shape[-1] < 2:
        raise ArgumentError(f"x must hold at least two sampled actions, got shape {values.shape}.")
    if np.any(proposal == -np.inf) or np.any(np.isnan(proposal)):
        raise ArgumentError("log_q must be > -inf: an action that cannot be proposed cannot have been sampled.")
    weight: Array = values / _beside_rows("tau", size, values.shape[:-1])[..., None] - proposal
    return weight


def _temperature(tau: npt.ArrayLike | None) -> Array:
    size = real("tau", 1.0 if tau is None else tau).astype(np.float64)
    if not np.all((size > 0.0) & (size < np.inf)):
        raise ArgumentError(f"tau must be > 0 and finite, got {tau!r:.60}.")
    return size


def _without_hits(hits: npt.ArrayLike, others: Array) -> Array:
    """Return the logarithms of the weights, -inf for what is the target itself."""
    try:
        return np.where(np.asarray(hits, bool), -np.inf, others)
    except ValueError:
        raise ArgumentError(f"hits must be boolean and broadcast with x, got {shown(hits)}.") from None


def _beside_rows(name: str, given: npt.ArrayLike, rows: tuple[int, ...]) -> Array:
    """Return numbers that broadcast with one per row: several may share a sample. ArgumentError if they do not."""
    numbers = real(name, given).astype(np.float64)
    try:
        np.broadcast_shapes(numbers.shape, rows)
    except ValueError:
        raise ArgumentError(f"{name} must have one number per row, shape {rows}, got {numbers.shape}.") from None
    return numbers


def _one_per_row(name: str, given: npt.ArrayLike, rows: tuple[int, ...]) -> Array:
    """Return one number per row, or raise ArgumentError."""
    numbers = _beside_rows(name, given, rows)
    if np.broadcast_shapes(numbers.shape, rows) != rows:
        raise ArgumentError(f"{name} must have one number per row, shape {rows}, got {numbers.shape}.")
    return np.broadcast_to(numbers, rows)


def _relative_variance(log_weight: Array) -> Array:
    """Return the variance of the mean weight relative to its square."""
    count = log_weight.shape[-1]
    with np.errstate(all="ignore"):
        ratio = np.exp(log_weight - np.asarray(logmeanexp(log_weight))[..., None])
        variance: Array = np.add.reduce(np.square(ratio - 1.0), axis=-1) / (count - 1.0) / count
    return variance
