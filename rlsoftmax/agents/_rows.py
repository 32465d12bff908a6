"""Rows of values that have company: shared by the agents that keep more than one table."""

import numpy as np


def highest_allowed(row, marks):
    """Return the largest entry of `row` where `marks` is above -infinity, which marks what is not allowed."""
    best = -np.inf
    for k in range(row.size):
        best = max(best, row[k]) if marks[k] > -np.inf else best
    return best
