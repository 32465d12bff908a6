"""The value of the final greedy policy of every run: exact, undiscounted, ties shared."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from rlsoftmax.contracts import Transitions, asked
from rlsoftmax.engine.blocks import Block
from rlsoftmax.engine.returns import Returns
from rlsoftmax.engine.setup import FOREVER, Array


def greedy_scores(block: Block) -> Array | None:
    """Return [lane]: the mean of the greedy arms, or the expected return of an episode under the greedy policy.

    None where the environment does not declare what that needs: `expected`, the mean reward of every arm (in every
    state, if states are contexts that come equally often), or `transitions` and a limit.
    """
    world = block.world
    if hasattr(block.kind.env, "expected"):
        return expected_reward(greedy_policy(block.values()), true_means(block))
    if world.transitions is None or world.limit >= FOREVER:
        return None
    values, scores = block.values(), np.empty(block.lanes)
    for table, lanes in tables(block):
        scores[lanes] = Returns(table, world.limit).of_greedy(values, lanes)
    return scores


def greedy_policy(values: Array) -> Array:
    """Return probabilities [..., actions]: the highest values share."""
    columns = np.ascontiguousarray(np.moveaxis(values, -1, 0))  # a long row per action is ten times as fast
    best = columns == columns.max(axis=0)
    return np.ascontiguousarray(np.moveaxis(best / best.sum(axis=0), 0, -1))


def true_means(block: Block) -> Array:
    """Return [lane, states, actions]: the mean reward of every arm of a bandit, as it is now."""
    arrays = [block.of_world(name) for name in asked(block.kind.env.expected)]  # type: ignore[attr-defined]
    envs, whose = block.environments()
    own = tuple((array.shape, array.dtype.str, array.tobytes()) for array in arrays)
    means = _means(envs, whose.tobytes(), own)
    return means.reshape(block.lanes, block.world.states, block.world.actions)


@functools.lru_cache(maxsize=16)
def _means(envs: tuple[Any, ...], whose: bytes, arrays: tuple[tuple[tuple[int, ...], str, bytes], ...]) -> Array:
    """Return what every arm of every run pays on average, all in one row; many cells have the same runs.

    whose: int64, which environment each run has.
    arrays: (shape, dtype, bytes) of what the environments own.
    """
    each = [envs[n] for n in np.frombuffer(whose, np.int64).tolist()]
    own = [np.frombuffer(data, dtype).reshape(shape) for shape, dtype, data in arrays]
    return np.concatenate([np.ravel(env.expected(*mine)) for env, *mine in zip(each, *own, strict=True)])


def expected_reward(policy: Array, means: Array) -> Array:
    """Return [lane]: what a policy is paid per pull; contexts come equally often. Both are [lane, states, actions]."""
    return np.asarray((policy * means).sum(axis=-1).mean(axis=-1))


def tables(block: Block) -> Iterator[tuple[Transitions, Array]]:
    """Yield the table of each environment in the block, and its lanes: cells may differ in an environment's numbers."""
    found = [setup.world.transitions for setup in block.setups]
    number = np.array([next(i for i, other in enumerate(found) if other is table) for table in found])[block.config]
    for i in np.unique(number).tolist():
        table = found[i]
        assert table is not None  # they are of one class
        yield table, np.flatnonzero(number == i)
