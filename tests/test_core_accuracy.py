"""Accuracy against mpmath, over families of adversarial rows; bounds are those the docstrings promise."""

import os

import core_exact as exact
import mpmath
import numpy as np
import pytest
from core_families import FAMILIES

from rlsoftmax.core import log_softmax, softmax

ROWS = int(os.environ.get("RLSOFTMAX_ACCURACY_ROWS", "3000"))  # 100000 for the figures in docs/core.md
SEED = 20


def worst_excess(family, rows):
    """Return, over the rows, the largest error in ulp of both functions, precise and beyond the default's bound."""
    x, tau = family(np.random.default_rng(SEED), rows)
    results = {
        "softmax precise": softmax(x, tau=tau, precise=True),
        "softmax default": softmax(x, tau=tau),
        "log precise": log_softmax(x, tau=tau, precise=True),
        "log default": log_softmax(x, tau=tau),
    }
    worst = dict.fromkeys([*results, "softmax beyond", "log beyond"], 0.0)
    with mpmath.workdps(45):
        for i in range(rows):
            log_p = exact.log_softmax(list(x[i]), tau=tau[i])
            answers = {"softmax": [mpmath.exp(v) for v in log_p], "log": log_p}
            gap = np.array([float((mpmath.mpf(v) - max(x[i])) / mpmath.mpf(tau[i])) for v in x[i]])
            allowance = 2.0 * np.minimum(-gap, 1e6)
            for name, result in results.items():
                kind, which = name.split()
                error = exact.ulps(result[i], answers[kind])
                worst[name] = max(worst[name], error.max())
                if which == "default":
                    worst[f"{kind} beyond"] = max(worst[f"{kind} beyond"], (error - allowance).max())
    return worst


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_errors_stay_within_the_promised_ulps(family):
    worst = worst_excess(family, ROWS // len(FAMILIES))
    assert worst["softmax precise"] <= 4.0
    assert worst["log precise"] <= 4.0
    assert worst["softmax beyond"] <= 4.0
    assert worst["log beyond"] <= 4.0
