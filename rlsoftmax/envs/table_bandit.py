"""Rewards that are written down."""

import csv
import functools
import hashlib
import math
from pathlib import Path
from typing import Annotated

import numpy as np

from rlsoftmax.component import NONNEGATIVE, Bound, Count
from rlsoftmax.contracts import Environment, highest
from rlsoftmax.errors import BadValue


class TableBandit(Environment):
    """A pull returns the arm's entry in this step's row, plus noise N(0, 1). After the last row comes the first one.

    Name the `means` (one row), or a `file` of comma-separated rewards [step, arm]: an empty entry is an arm that is not
    available at that step, and a first row of words is skipped. Regret is measured against the best available entry of
    the step; the greedy score is the mean entry of the greedy arms.

    `digest` (first 16 hex digits of the file's SHA-256) is filled in when it is empty, so that results belong to what
    the file said, not to its name.

    Source: a bandit whose arms change on their own (restless: Whittle, 1988), as rows of a table.

    >>> TableBandit(means=(0.2, 0.8, 0.5)).actions
    3
    """

    means: tuple[float, ...] = (0.0, 1.0)
    noise: Annotated[float, NONNEGATIVE, "reward units"] = 0.0
    file: str | None = None
    digest: str = ""
    delay: Annotated[int, Bound(0), "steps"] = 0
    batch: Count = 1

    suggested_temperature = 0.25

    def check(self):
        super().check()
        if self.file is None and not (self.means and all(map(math.isfinite, self.means))):
            raise BadValue("means", list(self.means), "must be at least one number, all finite")
        if self.file is not None:
            digest = table_of(self.file)[1]
            if self.digest not in ("", digest):
                raise BadValue("digest", self.digest, f"must be {digest}: {self.file} does not say what it did")
            object.__setattr__(self, "digest", digest)

    @property
    def table(self):
        return np.array([self.means], dtype=np.float64) if self.file is None else table_of(self.file)[0]

    @property
    def actions(self):
        return self.table.shape[1]

    @property
    def value_scale(self):
        known = self.table[np.isfinite(self.table)]
        return float(known.max() - known.min())

    def shared(self):
        table = self.table
        missing = np.isinf(table)
        return {"pay": table} | ({"allowed": ~missing} if missing.any() else {})

    def pull(self, pay, action, normal, step):
        return pay[step % pay.shape[0], action] + self.noise * normal

    def regret(self, pay, action, step):
        row = step % pay.shape[0]
        return highest(pay[row]) - pay[row, action]

    def expected(self):
        known = np.isfinite(self.table)
        return np.where(known, self.table, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)


def table_of(path):
    """Return the rewards [step, arm] of a file, -infinity where one is missing, and the digest of its bytes."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise BadValue("file", path, f"must be a file that can be read ({type(error).__name__})") from None
    return rewards_in(path, content), hashlib.sha256(content).hexdigest()[:16]


@functools.lru_cache(maxsize=16)
def rewards_in(path, content):
    """Return the rewards [step, arm] that a text says."""
    try:
        rows = [row for row in csv.reader(content.decode("utf-8-sig").splitlines()) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadValue("file", path, f"must be a file of comma-separated numbers ({type(error).__name__})") from None
    rows = rows[1:] if rows and not all(map(is_entry, rows[0])) else rows
    for number, row in enumerate(rows):
        if len(row) != len(rows[0]) or not all(map(is_entry, row)) or not any(map(str.strip, row)):
            raise BadValue("file", path, f"has no number or gap for each arm, or no arm at all, in row {number}")
    if not rows:
        raise BadValue("file", path, "must have at least one row")
    return np.array([[float(entry) if entry.strip() else -np.inf for entry in row] for row in rows])


def is_entry(text):
    """Return whether a text is a finite number, or nothing.

    >>> [is_entry(text) for text in ("1.5", " ", "x", "nan")]
    [True, True, False, False]
    """
    try:
        return not text.strip() or math.isfinite(float(text))
    except ValueError:
        return False
