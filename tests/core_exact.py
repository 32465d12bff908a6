"""Exact answers by mpmath, written from the definitions: the second implementation the core is compared with."""

from __future__ import annotations

import mpmath
import numpy as np

DIGITS = 60


def number(value):
    """Return a float, whole number or longdouble exactly."""
    if isinstance(value, (bool, np.bool_)):
        return mpmath.mpf(int(value))
    if isinstance(value, (int, np.integer)):
        return mpmath.mpf(int(value))
    if isinstance(value, np.longdouble) and np.isfinite(value):
        high = float(value)
        return mpmath.mpf(high) + mpmath.mpf(float(value - np.longdouble(high)))
    return mpmath.mpf(float(value))


def exponents(row, tau=None, beta=None, base=None, where=None, log_prior=None):
    """Return exponents, up to one constant; None where never chosen. The limits are written as their definitions."""
    allowed = [v != -np.inf for v in row]
    if where is not None:
        allowed = [a and bool(w) for a, w in zip(allowed, where, strict=True)]
    prior = [mpmath.mpf(0)] * len(row) if log_prior is None else [number(p) for p in log_prior]
    allowed = [a and p != -mpmath.inf for a, p in zip(allowed, prior, strict=True)]
    if base is not None:
        beta = float(np.log(base))  # the float that the documentation names
    sign = -1 if beta is not None and beta < 0 else 1
    size = number(1 if tau is None else tau) if beta is None else abs(number(beta))
    greedy, flat = (0, mpmath.inf) if beta is None else (mpmath.inf, 0)
    inside = [sign * number(v) for v, a in zip(row, allowed, strict=True) if a]
    if not inside:
        return [None] * len(row)
    best = max(inside)
    result = []
    for value, a, p in zip(row, allowed, prior, strict=True):
        v = sign * number(value) if a else None
        if not a:
            result.append(None)
        elif size == flat or v == best:
            result.append(p)
        elif size == greedy or mpmath.isinf(v) or mpmath.isinf(best):
            result.append(None)
        else:
            result.append(p + ((v - best) / size if beta is None else (v - best) * size))
    return result


def weights(row, **options):
    """Return exact weights, the largest one 1, and their sum."""
    y = exponents(row, **options)
    known = [v for v in y if v is not None]
    if not known:
        return [mpmath.mpf(0)] * len(y), mpmath.mpf(0)
    most = max(known)
    w = [mpmath.mpf(0) if v is None else mpmath.exp(v - most) for v in y]
    return w, mpmath.fsum(w)


def softmax(row, **options):
    """Return exact probabilities of one row that has something allowed."""
    with mpmath.workdps(DIGITS):
        w, total = weights(row, **options)
        return [v / total for v in w]


def log_softmax(row, **options):
    """Return exact log-probabilities; None where never chosen."""
    with mpmath.workdps(DIGITS):
        y = exponents(row, **options)
        most = max(v for v in y if v is not None)
        gaps = [None if v is None else v - most for v in y]
        rest = mpmath.fsum(mpmath.exp(v) for v in gaps if v is not None and v != 0)
        ties = sum(1 for v in gaps if v is not None and v == 0)
        log_total = mpmath.log(ties) + mpmath.log1p(rest / ties)
        return [None if v is None else v - log_total for v in gaps]


def ulps(result, exact):
    """Return |result - exact| in units of the last place of the exact answer, rounded to the type of the result."""
    dtype = np.asarray(result).dtype
    result = np.atleast_1d(result).ravel()
    with mpmath.workdps(DIGITS):
        return np.array([_ulp(r, e, dtype) for r, e in zip(result, exact, strict=True)])


def _ulp(result, exact, dtype):
    if exact is None:
        return 0.0 if result == -np.inf else np.inf
    if not np.isfinite(result):
        return 0.0 if float(exact) == float(result) else np.inf  # beyond the largest float
    unit = float(np.spacing(np.abs(np.asarray(float(exact)).astype(dtype))))
    return float(abs(mpmath.mpf(float(result)) - exact) / mpmath.mpf(unit))
