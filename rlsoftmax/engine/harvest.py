"""What a finished block yields: the arrays of its runs, by the names under which they are stored."""

from __future__ import annotations

import numpy as np

from rlsoftmax.core import entropy
from rlsoftmax.engine.blocks import Block
from rlsoftmax.engine.fuse import asks_anybody
from rlsoftmax.engine.greedy import greedy_scores
from rlsoftmax.engine.setup import Array

PIECE_BYTES = 1 << 18  # inside the second-level cache; larger ones are given back to the system, and cleared, each time


def harvest(block: Block, keep_memory: bool) -> dict[str, Array]:
    """Return [lane, ...] arrays: the sums, the snapshots, the greedy score and, if kept, the memory."""
    with np.errstate(all="ignore"):  # a run that failed may hold numbers that are not finite
        arrays, greedy = block.sums() | snapshots(block), greedy_scores(block)
    if greedy is not None:
        arrays["score/greedy"] = greedy
    if keep_memory:
        arrays |= {f"memory/{name}": block.array(name) for name in remembered(block)}
    return arrays


def remembered(block: Block) -> list[str]:
    """Return the arrays that the parts remember or ask for; visits that are only counted to be looked at are none."""
    mind = block.kind.names.mind
    return [name for name in mind if name != "visits" or asks_anybody(block.kind, "visits")]


def snapshots(block: Block) -> dict[str, Array]:
    """Return [lane, snapshot]: temperature, entropy and effective actions of each run's policy where it then was."""
    peek = block.peek
    if not len(peek.total):
        return {}
    found = {"entropy": _entropies(peek.weights, peek.total)}
    found["effective_actions"] = np.exp(found["entropy"])  # as core.effective_actions, without a second pass
    if block.kind.policy.has_temperature():
        found["temperature"] = peek.temperature
    return {f"snapshot/{name}": np.ascontiguousarray(array.T) for name, array in found.items()}


def _entropies(weights: Array, total: Array) -> Array:
    """Return [snapshot, lane], some snapshots at a time, so that very many actions need no more memory."""
    step = max(1, PIECE_BYTES // weights[0].nbytes)
    pieces = range(0, len(total), step)
    return np.concatenate([_entropy(weights[i : i + step], total[i : i + step]) for i in pieces])


def _entropy(weights: Array, total: Array) -> Array:
    snapshots, actions, lanes = weights.shape
    shares = np.empty((actions, snapshots, lanes))  # a long row per action is the fastest shape
    np.divide(np.moveaxis(weights, 1, 0), total, out=shares)
    return np.asarray(entropy(shares.reshape(actions, -1), axis=0)).reshape(snapshots, lanes)
