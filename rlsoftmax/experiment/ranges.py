"""A schedule must stay within the bounds of the number it stands for, at every step that is looked at."""

from __future__ import annotations

import numpy as np

from rlsoftmax.component import Component, name_of, schema
from rlsoftmax.contracts import Schedule
from rlsoftmax.errors import BadValue
from rlsoftmax.experiment.bins import Ints

MOST_STEPS = 1000  # how many steps are looked at, both ends among them


def check_ranges(part: Component, group: str, edges: Ints) -> None:
    """Refuse a component with a schedule that leaves the bounds of its field; BadValue names key, value and step."""
    steps = _steps(edges)
    for key, field in schema(type(part)).items():
        schedule = getattr(part, key)
        if not isinstance(schedule, Schedule) or schedule.adaptive:
            continue
        values = np.broadcast_to(schedule(steps), steps.shape)
        for bound in field.bounds:
            if values.min() not in bound or values.max() not in bound:  # NaN is in none
                first = next(i for i, value in enumerate(values) if value not in bound)
                rule = f"at step {steps[first]:.0f} of {name_of(type(schedule))} must be {bound}"
                raise BadValue(f"{group}.{key}", float(values[first]), rule)


def _steps(edges: Ints) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the first step, the last one, and steps between them."""
    last = int(edges[-1]) - 1
    between = np.linspace(0, last, min(MOST_STEPS, last + 1)).round()
    return np.unique(np.concatenate([between, np.minimum(edges[:-1], last)])).astype(np.float64)
