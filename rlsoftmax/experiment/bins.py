"""Which steps are summed together, and at which steps a run is looked at more closely."""

from __future__ import annotations

import functools
import itertools
from decimal import Context, Decimal
from enum import Enum
from typing import Annotated

import numpy as np
import numpy.typing as npt

from rlsoftmax.canonical import SettledRow
from rlsoftmax.component import Bound, Component
from rlsoftmax.errors import BadValue

Ints = npt.NDArray[np.int64]
_DIGITS = Context(prec=40)  # decimal arithmetic: the same edges, and so the same cells, on every machine


class Spacing(Enum):
    """How wide the bins are."""

    AUTO = "auto"  # log for bandits, linear otherwise
    LOG = "log"  # one step each at first, then equal ratios
    LINEAR = "linear"  # equal widths


class Memory(Enum):
    """Whether what an agent remembers at the end is kept."""

    NONE = "none"
    FINAL = "final"


class Values(Enum):
    """Whether it is worked out what the policies of a run are worth."""

    NONE = "none"
    SNAPSHOTS = "snapshots"  # at each snapshot; and how often each state was visited


class Record(Component):
    """What is kept of a run: sums over `bins` bins, a closer look at `snapshots` steps, the final memory, true values.

    >>> Record(bins=50).spacing
    <Spacing.AUTO: 'auto'>
    """

    bins: Annotated[int, Bound(1, 10_000)] = 100
    spacing: Spacing = Spacing.AUTO
    edges: tuple[int, ...] | None = None  # instead of bins and spacing
    snapshots: Annotated[int, Bound(0, 25)] = 25
    memory: Memory = Memory.NONE
    values: Values = Values.NONE

    def check(self) -> None:
        """Edges ascend from 0."""
        edges = self.edges
        if edges is None:
            return
        whole = all(type(edge) is int for edge in edges)
        if not whole or len(edges) < 2 or edges[0] != 0 or any(a >= b for a, b in itertools.pairwise(edges)):
            raise BadValue("edges", list(edges), "must be whole numbers that ascend from 0")

    def is_log(self, bandit: bool) -> bool:
        """Return whether bins get wider with time."""
        return self.spacing == Spacing.LOG or (self.spacing == Spacing.AUTO and bandit)


def edges(steps: int, record: Record, bandit: bool) -> Ints:
    """Return the ends of all bins: int64 [bins + 1], ascending from 0 to `steps`; read-only.

    Raises:
      BadValue: if `record.edges` does not end at `steps`.

    >>> edges(1000, Record(bins=8), bandit=True).tolist()
    [0, 1, 3, 8, 21, 55, 145, 381, 1000]
    >>> edges(1000, Record(bins=4), bandit=False).tolist()
    [0, 250, 500, 750, 1000]
    """
    if record.edges is None:
        return _spread(steps, min(record.bins, steps), record.is_log(bandit))
    if record.edges[-1] != steps:
        raise BadValue("record.edges", list(record.edges), f"must end at steps={steps}")
    return _fixed(record.edges)


def snapshot_steps(steps: int, record: Record, bandit: bool) -> Ints:
    """Return the steps of the closer look: int64, ascending within [0, steps - 1]; the first and the last are there.

    >>> snapshot_steps(1000, Record(snapshots=5), bandit=False).tolist()
    [0, 249, 499, 749, 999]
    """
    wanted = min(record.snapshots, steps)
    if wanted == 0:
        return _fixed(())
    if wanted == 1:
        return _fixed((steps - 1,))
    return _spread(steps - 1, wanted - 1, record.is_log(bandit))


def listed(edges: Ints) -> SettledRow:
    """Return the ends of bins as plain values; equal ones are one list, however many cells say them.

    >>> listed(np.array([0, 10])) is listed(np.array([0, 10]))
    True
    """
    return _listed(edges.tobytes())


@functools.lru_cache(maxsize=1024)
def _listed(edges: bytes) -> SettledRow:
    return SettledRow(np.frombuffer(edges, np.int64).tolist())


@functools.lru_cache(maxsize=1024)
def _fixed(numbers: tuple[int, ...]) -> Ints:
    row = np.array(numbers, dtype=np.int64)
    row.flags.writeable = False  # shared by all cells
    return row


@functools.lru_cache(maxsize=1024)
def _spread(last: int, count: int, log: bool) -> Ints:
    """Return count + 1 whole numbers from 0 to `last`, all different."""
    return _fixed(_ratios(last, count) if log else tuple(k * last // count for k in range(count + 1)))


def _ratios(last: int, count: int) -> tuple[int, ...]:
    """Return 0, 1, ..., last: one apart until equal ratios are wider than that."""
    found = [0, 1]
    while len(found) <= count:
        left = count + 1 - len(found)
        c, here = _DIGITS, Decimal(found[-1])
        ratio = c.exp(c.divide(c.ln(c.divide(Decimal(last), here)), Decimal(left)))
        nearest = int(c.to_integral_value(c.multiply(here, ratio)))
        found.append(max(found[-1] + 1, nearest))
    return (*found[:-1], last) if count > 1 else (0, last)
