"""What the header suggests: the same law, drawn faster."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from rlsoftmax.component import is_shipped, name_of
from rlsoftmax.errors import ConfigError
from rlsoftmax.experiment.plan import PlannedCell
from rlsoftmax.experiment.spec import Experiment
from rlsoftmax.shelf import find

MANY = 64  # arms from which on a tree beats a pass over all of them (experiments/speed_engine)
TREE = "boltzmann_tree"


def hints(cells: Iterable[PlannedCell]) -> tuple[str, ...]:
    """Return what could be chosen instead, if anything."""
    kinds = {_kind(cell.experiment): cell.experiment for cell in cells}
    better = any(_has_many_arms(one) and _suits_a_tree(one) for one in kinds.values())
    return (f"policy={TREE} draws from the same law in O(log K)",) if better else ()


def _kind(one: Experiment) -> tuple[object, ...]:
    return type(one.policy), type(one.agent), one.env, type(one.tau)


def _has_many_arms(one: Experiment) -> bool:
    boltzmann = name_of(type(one.policy)) == "boltzmann" and is_shipped(type(one.policy))
    return boltzmann and one.env.is_bandit() and one.env.actions >= MANY  # type: ignore[attr-defined]


def _suits_a_tree(one: Experiment) -> bool:
    """Return whether a step changes one value: else a tree would be built anew every time."""
    from rlsoftmax.experiment.setups import setup_of  # loads numba, which the playing needs anyway

    setup = setup_of(one)
    tree = find("policy", TREE)(temperature=setup.tau)  # type: ignore[call-arg]
    try:
        return dataclasses.replace(setup, policy=tree).kind.changes_one  # type: ignore[arg-type]
    except ConfigError:  # an agent that asks for probabilities
        return False
