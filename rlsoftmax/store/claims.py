"""What a source says that a study will show: a claim. Data only; stats/verdicts.py says what became of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from rlsoftmax.component import NONNEGATIVE, Bound, Component, describe, schema
from rlsoftmax.errors import BadValue

SCORES = ("online", "greedy")


class Claim(Component):
    """Where the true mean over runs of a quantity lies.

    quantity: a metric, such as reward or optimal; or a score, `online` or `greedy`.
    cell: keys and values that one cell of the study has. minus: those of another; then it is about their difference.
    source: where it is written. says: the claim in words.
    steps: [from, to), ends of bins; all steps if not given. A score has steps of its own.
    expected, tolerance: expected - tolerance to expected + tolerance; or else
    above, below: more than that, less than that.

    >>> claim = Claim("reward", {"tau": 0.0}, "figure 2.2", expected=1.0, tolerance=0.1)
    >>> claim.side(0.8), claim.side(1.1), claim.side(1.2)
    (-1, 0, 1)
    """

    quantity: str
    cell: dict  # type: ignore[type-arg]
    source: str
    says: str = ""
    minus: Annotated[dict | None, "keys and values"] = None  # type: ignore[type-arg]
    steps: Annotated[tuple[int, ...] | None, Bound(0)] = None
    expected: Annotated[float | None, Bound()] = None
    tolerance: Annotated[float | None, NONNEGATIVE] = None
    above: Annotated[float | None, Bound()] = None
    below: Annotated[float | None, Bound()] = None

    def check(self) -> None:
        """An expectation has a tolerance, or it is a bound; steps are two that ascend."""
        bounded = self.above is not None or self.below is not None
        if (self.expected is None) != (self.tolerance is None) or (self.expected is not None) == bounded:
            raise BadValue("expected", self.expected, "needs a tolerance; or give above or below instead of both")
        if self.above is not None and self.below is not None and self.above >= self.below:
            raise BadValue("below", self.below, f"must be > above={self.above:g}")
        whole = self.steps is None or all(type(step) is int for step in self.steps)
        if self.steps is not None and not (whole and len(self.steps) == 2 and self.steps[0] < self.steps[1]):
            raise BadValue("steps", list(self.steps), "must be [from, to), two whole numbers that ascend")
        if self.steps is not None and self.quantity in SCORES:
            raise BadValue("steps", list(self.steps), f"cannot be given: the score {self.quantity} has its own")

    def side(self, value: float) -> Literal[-1, 0, 1]:
        """Return where a value lies: 0 as claimed, -1 below that, 1 above that."""
        if self.expected is not None and self.tolerance is not None:
            low, high = self.expected - self.tolerance, self.expected + self.tolerance
            return -1 if value < low else 1 if value > high else 0
        if self.above is not None and value <= self.above:
            return -1
        return 1 if self.below is not None and value >= self.below else 0

    def plain(self) -> dict[str, Any]:
        """Return the claim as it is written in a file: what is said, without the defaults."""
        fields = schema(Claim)
        return {key: value for key, value in describe(self).items() if key != "name" and value != fields[key].default}
