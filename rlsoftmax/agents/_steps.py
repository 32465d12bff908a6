"""How large a step is: shared by the agents that leave it to a field `step_size`."""

from enum import IntEnum


class StepSize(IntEnum):
    """Where the step size comes from."""

    FIXED = 0  # alpha, a number or a schedule
    VISITS = 1  # 1 / visits of the state and action, this one included; alpha is not read


def share(step_size, alpha, visits, state, action):
    """Return the step size of an update. visits: None where nobody counts them."""
    if visits is None:
        return alpha
    return 1.0 / visits[state, action] if step_size == StepSize.VISITS else alpha


def without(step_size):
    """Return what a rule of these agents does without."""
    return () if step_size == StepSize.VISITS else ("visits",)
