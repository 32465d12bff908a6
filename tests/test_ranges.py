"""A schedule that leaves the bounds of its number is refused before anything runs."""

import numpy as np
import pytest

import rlsoftmax as rs
from rlsoftmax.errors import BadValue
from rlsoftmax.experiment.ranges import check_ranges

EDGES = np.array([0, 1, 10, 100])


class Wild(rs.Schedule):
    """Not a number after step 50."""

    def __call__(self, step):
        return np.where(step > 50, np.nan, 0.1)


@pytest.mark.parametrize(
    ("alpha", "text"),
    [
        (rs.Linear(start=2.0), "agent.alpha=2.0 at step 0 of linear must be >= 0 and <= 1."),
        (rs.Linear(start=0.5, end=1.5, steps=99.0), "of linear must be >= 0 and <= 1."),
        (Wild(), "agent.alpha=nan at step 51 of wild must be >= 0 and <= 1."),
    ],
)
def test_a_step_size_out_of_range_is_named_with_its_step(alpha, text):
    with pytest.raises(BadValue, match=r"agent\.alpha") as caught:
        check_ranges(rs.QLearning(alpha=alpha), "agent", EDGES)
    assert str(caught.value).endswith(text)


def test_a_temperature_may_reach_zero_and_infinity():
    check_ranges(rs.Boltzmann(temperature=rs.Linear(start=1.0, end=0.0, steps=10.0)), "policy", EDGES)
    check_ranges(rs.Boltzmann(temperature=rs.Constant(np.inf)), "policy", EDGES)
