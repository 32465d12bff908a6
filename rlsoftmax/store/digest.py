"""The digest of a cell: equal digests, equal learning, on any machine."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from rlsoftmax.store.data import MEMORY, SUMS, Array
from rlsoftmax.store.rows import stored


def digest(runs: npt.ArrayLike, arrays: Mapping[str, Array]) -> str:
    """Return the SHA-256 of what the loop computed: in-loop sums and memory, not snapshots and not greedy scores.

    Args:
      runs: [n] run numbers, in any order.
      arrays: name -> [n, ...], names as in `CellData.arrays`.

    Returns:
      64 hex digits of the SHA-256 of: run numbers ascending as little-endian int64; then for each array, by name,
      its UTF-8 name, one zero byte, its numbers in C order (little-endian float64, whole numbers int64).

    >>> digest([0], {"reward": np.array([[1.0]])})[:12]
    'eb9ec8394d1c'
    """
    numbers = stored(runs)
    order = np.argsort(numbers, kind="stable")
    sha = hashlib.sha256(numbers[order].tobytes())
    for name in sorted(arrays):
        if name in SUMS or name.startswith(MEMORY):
            sha.update(name.encode() + b"\0" + stored(arrays[name])[order].tobytes())
    return sha.hexdigest()
