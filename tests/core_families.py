"""Adversarial rows for accuracy: each family returns values [rows, K] and one temperature per row."""

from __future__ import annotations

import numpy as np


def normal(rng, n):
    return rng.standard_normal((n, 10)), np.ones(n)


def cold(rng, n):
    return 5.0 * rng.standard_normal((n, 6)), np.full(n, 0.1)


def wide(rng, n):
    return rng.uniform(-700.0, 0.0, (n, 5)), np.ones(n)


def wide_scaled(rng, n):
    return 0.3 * rng.uniform(-700.0, 0.0, (n, 5)), np.full(n, 0.3)


def cartpole(rng, n):
    return 200.0 + rng.uniform(0.0, 5.0, (n, 2)), np.full(n, 0.1)


def below_zero(rng, n):
    return -1e4 + rng.uniform(0.0, 20.0, (n, 4)), np.full(n, 0.7)


def far_out(rng, n):
    return 1e6 + rng.uniform(0.0, 8.0, (n, 4)), np.full(n, 0.05)


def both_signs(rng, n):
    return rng.uniform(-300.0, 300.0, (n, 4)), np.full(n, 0.9)


def subnormal_results(rng, n):
    x = rng.uniform(-745.0, -700.0, (n, 4))
    x[:, 0] = 0.0
    return x, np.ones(n)


def one_likely(rng, n):
    """One probability is close to one: log p and entropy nearly vanish."""
    x = -np.ldexp(rng.uniform(0.5, 1.0, (n, 3)), rng.integers(1, 10, (n, 3)))
    x[:, 1] = 0.0
    return x, np.ldexp(1.0, rng.integers(-3, 3, n)) * 1.1


def nearly_tied(rng, n):
    """Values that differ in their last bits, at temperatures of that size."""
    base = rng.uniform(1.0, 2.0, (n, 1))
    x = base + np.spacing(base) * rng.integers(-40, 40, (n, 5))
    return x, np.spacing(base[:, 0]) * rng.uniform(0.5, 30.0, n)


def ties(rng, n):
    return rng.integers(0, 3, (n, 7)) * 0.7, rng.uniform(0.05, 2.0, n)


def any_scale(rng, n):
    """Temperatures over all of float64, values up to 1e300 of about that size."""
    tau = np.ldexp(rng.uniform(0.5, 1.0, n), rng.integers(-1073, 990, n))
    tau = np.maximum(tau, 5e-324)
    return np.clip(rng.uniform(-30.0, 30.0, (n, 4)) * tau[:, None], -1e300, 1e300), tau


def any_temperature(rng, n):
    """Values up to 1e300, temperatures unrelated to them."""
    x = np.ldexp(rng.uniform(-1.0, 1.0, (n, 3)), rng.integers(-60, 990, (n, 1)))
    return x, np.maximum(np.ldexp(rng.uniform(0.5, 1.0, n), rng.integers(-1073, 1024, n)), 5e-324)


def second_ties(rng, n):
    """A best action and many equal others: sums in which every rounding goes the same way."""
    x = np.repeat(-rng.uniform(0.1, 6.0, (n, 1)), 40, axis=1)
    x[:, 3] = 0.0
    return x, rng.uniform(0.3, 3.0, n)


FAMILIES = (
    normal, cold, wide, wide_scaled, cartpole, below_zero, far_out, both_signs, subnormal_results, one_likely,
    nearly_tied, ties, any_scale, any_temperature, second_ties,
)  # fmt: skip
