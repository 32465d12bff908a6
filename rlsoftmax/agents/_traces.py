"""Eligibility traces as a list of those that live: shared by the agents that learn along them.

`trace` [states, actions] holds the numbers, `live` [states * actions, 2] the states and actions where they are not 0,
`count` [1] how many those are.
"""

from enum import IntEnum

import numpy as np


class Traces(IntEnum):
    """What a visit adds to the trace of its state and action."""

    ACCUMULATING = 0  # trace + 1
    REPLACING = 1  # 1
    DUTCH = 2  # (1 - alpha) trace + 1: true online


def trace_memory(states, actions):
    """Return the arrays of traces, none of which lives."""
    return {
        "trace": np.zeros((states, actions)),
        "live": np.zeros((states * actions, 2), np.int64),
        "count": np.zeros(1, np.int64),
        "before": np.zeros(1),  # what the last step expected of this one; for true online only
    }


def visit(trace, live, count, state, action, kind, alpha):
    """Note a visit."""
    old = trace[state, action]
    if old == 0.0:
        live[count[0], 0], live[count[0], 1] = state, action
        count[0] += 1
    if kind == Traces.REPLACING:
        trace[state, action] = 1.0
    else:
        trace[state, action] = old + 1.0 - (alpha * old if kind == Traces.DUTCH else 0.0)


def follow(value, trace, live, count, step, decay, cutoff):
    """Add step * trace to the values, then let the traces decay; those that fall to the cutoff are forgotten."""
    kept = 0
    for i in range(count[0]):
        s, a = live[i, 0], live[i, 1]
        value[s, a] += step * trace[s, a]
        trace[s, a] *= decay
        if trace[s, a] > cutoff:
            live[kept, 0], live[kept, 1] = s, a
            kept += 1
        else:
            trace[s, a] = 0.0
    count[0] = kept
