"""What a policy earns in an episode, from the table of an environment: exact, undiscounted."""

from __future__ import annotations

from typing import Any

import numpy as np

from rlsoftmax.contracts import Transitions
from rlsoftmax.engine.setup import Array


def expected_return(policy: Array, table: Transitions, limit: int) -> Array:
    """Return [lane]: the expected sum of rewards of an episode cut after `limit` steps, by backward recursion.

    policy: [lane, states, actions]. The transitions of all lanes form one sparse matrix, block by block.
    """
    from scipy.sparse import csr_array

    met = _met(table)
    policy, table = policy[:, met], _among(table, met)
    lanes, states, _ = policy.shape
    chance = policy[..., None] * table.chance  # [lane, state, action, outcome]
    gain = (chance * table.reward).sum(axis=(2, 3)).ravel()
    lane, state, action, outcome = np.nonzero(chance * ~table.final)
    column = lane * states + table.after[state, action, outcome]
    entries = chance[lane, state, action, outcome], (lane * states + state, column)
    go_on, value = csr_array(entries, shape=(lanes * states, lanes * states)), np.zeros(lanes * states)
    for _ in range(limit):
        value = gain + go_on @ value
    return np.asarray(value.reshape(lanes, states) @ table.first)


def _met(table: Transitions) -> Array:
    """Return the states in which an episode can be, in order; of Taxi's 500 they are 400."""
    go_on, _ = model(table)
    return np.flatnonzero(reached(table, go_on, np.ones(table.chance.shape[:2], np.bool_)))


def _among(table: Transitions, met: Array) -> Transitions:
    """Return the table of some states, numbered anew."""
    number = np.zeros(len(table.first), np.int64)
    number[met] = np.arange(len(met))
    return Transitions(
        table.chance[met], number[table.after[met]], table.reward[met], table.final[met], table.first[met]
    )


def model(table: Transitions) -> tuple[Any, Array]:
    """Return the chances of going on, sparse [states * actions, states], and the mean rewards [states * actions]."""
    from scipy.sparse import csr_array

    states, actions, _ = table.chance.shape
    state, action, outcome = np.nonzero(table.chance * ~np.asarray(table.final, dtype=bool))
    entries = table.chance[state, action, outcome], (state * actions + action, table.after[state, action, outcome])
    gain = (table.chance * table.reward).sum(axis=2).ravel()
    return csr_array(entries, shape=(states * actions, states)), gain


def reached(table: Transitions, go_on: Any, allowed: Array) -> Array:
    """Return [states]: whether some allowed actions lead there from where an episode may begin."""
    actions = allowed.shape[1]
    leads = (go_on.multiply(allowed.ravel()[:, None]).tocsr() > 0.0).T
    here: Array = np.asarray(table.first) > 0.0
    while True:
        there: Array = here | (leads @ np.repeat(here, actions).astype(float) > 0.0)
        if np.array_equal(there, here):
            return there
        here = there
