"""A closer look, on request: what the policies of each run are worth at every snapshot, and where the run has been.

Values are exact, from the environment's table or the true means of its arms; nothing of this is done inside the loop.
"""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from rlsoftmax.component import schema
from rlsoftmax.contracts import Environment, Transitions
from rlsoftmax.engine.blocks import Block, new_choice, new_place
from rlsoftmax.engine.fuse import surveyor
from rlsoftmax.engine.greedy import expected_reward, greedy_policy, tables, true_means
from rlsoftmax.engine.loop import Game
from rlsoftmax.engine.returns import expected_return, model, reached
from rlsoftmax.engine.setup import FOREVER, Array, Setup, world_of

PRECISION = 1e-10  # of optimal values
GREEDY, BEHAVIOUR, ERROR = "snapshot/value_greedy", "snapshot/value_behaviour", "snapshot/error_optimal"
VISITS = "visits"


def seen_inside(setup: Setup) -> tuple[str, ...]:
    """Return the names of what a closer look at a run of this configuration finds."""
    looks = _judges(setup) if len(setup.snapshot_steps) else ()
    return (*looks, VISITS) if VISITS in setup.kind.names.mind and not setup.kind.bandit else looks


def _judges(setup: Setup) -> tuple[str, ...]:
    """Return what can be said of values and policies: something must be known of the truth."""
    arms, table = hasattr(setup.env, "expected"), setup.world.transitions is not None
    discounts = "gamma" in schema(type(setup.agent))
    if not (arms or (table and (setup.world.limit < FOREVER or discounts))):
        return ()
    behaviour = (BEHAVIOUR,) if setup.kind.policy.has_probabilities() else ()
    error = (ERROR,) if "value" in setup.kind.names.mind and (arms or discounts) else ()
    return (GREEDY, *behaviour, *error)


def play_and_look(
    block: Block, kernel: Callable[[Game], None], stop: threading.Event | None = None
) -> dict[str, Array]:
    """Play a block to its end, and return what was seen on the way.

    Returns:
      [lane, snapshot] arrays: `snapshot/value_greedy` and `snapshot/value_behaviour`, the expected return of an episode
      (undiscounted, cut by the limit; discounted by the agent's gamma where there is no limit; the expected reward of a
      pull for bandits) under the greedy and under the actual policy of that step; `snapshot/error_optimal`, the root
      mean square of value(s, a) less its optimal value, over what can be reached and is allowed. And `visits` [lane,
      states]: the steps that began in each state.

    Raises:
      Interrupted: when `stop` is set.
    """
    names, looks = seen_inside(block.setups[0]), list[dict[str, Array]]()
    for step in block.setups[0].snapshot_steps.tolist():
        block.play(kernel, step, stop)
        with np.errstate(all="ignore"):  # a run that failed may hold numbers that are not finite
            looks.append(_judged(block, names))
    block.play(kernel, stop=stop)
    found = {name: np.stack([look[name] for look in looks], axis=1) for name in names if name != VISITS}
    return found | ({VISITS: block.array(VISITS).sum(axis=2).astype(np.int64)} if VISITS in names else {})


def _judged(block: Block, names: tuple[str, ...]) -> dict[str, Array]:
    """Return [lane] arrays: what can be said of the block as it is now."""
    found = {}
    if GREEDY in names:
        found[GREEDY] = value_of(block, greedy_policy(block.values()))
    if BEHAVIOUR in names:
        found[BEHAVIOUR] = value_of(block, behaviour(block))
    if ERROR in names:
        found[ERROR] = error(block)
    return found


# --- policies and what they are worth -------------------------------------------------------------------------------


def behaviour(block: Block) -> Array:
    """Return probabilities [lane, states, actions]: the policy of the next step, as if each run were in every state."""
    states, actions = block.world.states, block.world.actions
    weights = np.empty((states, actions, block.lanes))
    out, luck = new_choice(block.kind, actions, block.lanes), np.full(block.lanes, 0.5)
    surveyor(block.kind)(block._game(0), new_place(block.lanes), luck, out, weights)
    weights /= weights.sum(axis=1, keepdims=True)
    return np.ascontiguousarray(np.moveaxis(weights, -1, 0))


def value_of(block: Block, policy: Array) -> Array:
    """Return [lane]: the expected return of an episode under policies [lane, states, actions]."""
    if hasattr(block.kind.env, "expected"):
        return expected_reward(policy, true_means(block))
    worth = np.full(block.lanes, math.nan)
    for table, lanes in tables(block):
        if block.world.limit < FOREVER:
            worth[lanes] = expected_return(policy[lanes], table, block.world.limit)
        else:
            gammas = [_gamma(block.setups[c]) for c in block.config[lanes]]
            worth[lanes] = [discounted_return(policy[l], table, g) for l, g in zip(lanes, gammas, strict=True)]
    return worth


def discounted_return(policy: Array, table: Transitions, gamma: float) -> float:
    """Return the discounted expected return of one policy [states, actions]; NaN unless gamma < 1."""
    if not (gamma < 1.0 and np.isfinite(policy).all()):
        return math.nan
    return float(table.first @ state_values(policy, *model(table), gamma))


def state_values(policy: Array, go_on: Any, gain: Array, gamma: float) -> Array:
    """Return [states]: the discounted value of a policy, (I - gamma P)^-1 r. go_on, gain: see `model`."""
    from scipy.sparse import csr_array, eye_array
    from scipy.sparse.linalg import spsolve

    states, actions = policy.shape
    pairs = states * actions
    places = policy.ravel(), np.arange(pairs), np.arange(0, pairs + 1, actions)
    choose = csr_array(places, shape=(states, pairs))
    return np.asarray(spsolve((eye_array(states) - gamma * (choose @ go_on)).tocsc(), choose @ gain))


# --- the error of the values ----------------------------------------------------------------------------------------


def error(block: Block) -> Array:
    """Return [lane]: the root mean square of what the agent's `value` is off, NaN where no optimum is known."""
    value = block.array("value").reshape(block.lanes, block.world.states, block.world.actions)
    if hasattr(block.kind.env, "expected"):
        there = value > -np.inf  # an arm that is not there has no value
        squares = np.square(np.where(there, value - true_means(block), 0.0))
        return np.asarray(np.sqrt(squares.sum(axis=(1, 2)) / there.sum(axis=(1, 2))))
    off = np.full(block.lanes, math.nan)
    for l, c in enumerate(block.config):
        setup = block.setups[c]
        if 0.0 <= _gamma(setup) < 1.0:
            best = optimal_values(setup.env, setup.seed, _gamma(setup))
            off[l] = np.sqrt(np.square(value[l] - best)[np.isfinite(best)].mean())
    return off


def _gamma(setup: Setup) -> float:
    """Return the agent's discount; NaN if it has none or it changes with the step."""
    gamma = getattr(setup.agent, "gamma", None)
    return float(gamma) if isinstance(gamma, (int, float)) else math.nan


@functools.lru_cache(maxsize=64)
def optimal_values(env: Environment, seed: int, gamma: float) -> Array:
    """Return [states, actions]: the optimal discounted values, read-only; a cut is no end.

    NaN where an action is not allowed or the state is not reached. Policies are improved until Bellman's equation holds
    so closely that no value is off by more than 1e-10, or until rounding is all that is left. 0 <= gamma < 1.
    """
    world = world_of(env, seed)
    assert world.transitions is not None
    (go_on, gain), shape = model(world.transitions), (world.states, world.actions)
    allowed = np.asarray(world.shared.get("allowed", np.ones(shape, np.bool_)), dtype=bool)
    value = np.zeros(world.states)
    for _ in range(10_000):
        ahead = np.where(allowed, (gain + gamma * (go_on @ value)).reshape(shape), -np.inf)
        off, rounding = np.abs(ahead.max(axis=1) - value).max(), 64.0 * np.finfo(float).eps * np.abs(value).max()
        if off * gamma <= max(PRECISION * (1.0 - gamma), rounding):
            break
        value = state_values(np.eye(world.actions)[ahead.argmax(axis=1)], go_on, gain, gamma)
    ahead[~(allowed & reached(world.transitions, allowed)[:, None])] = math.nan
    ahead.flags.writeable = False
    return ahead
