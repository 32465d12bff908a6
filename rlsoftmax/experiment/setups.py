"""An experiment as the engine plays it."""

from __future__ import annotations

from rlsoftmax.engine.setup import Setup
from rlsoftmax.experiment.bins import Values
from rlsoftmax.experiment.spec import Experiment


def setup_of(experiment: Experiment) -> Setup:
    """Return the parts, the seed and the steps that decide the numbers of a cell."""
    e = experiment
    inside = e.record.values == Values.SNAPSHOTS
    return Setup(e.agent, e.policy, e.env, e.seed, e.steps, e.edges, e.snapshot_steps, inside)
