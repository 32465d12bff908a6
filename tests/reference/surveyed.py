"""What a policy would do, asked of the engine in the interpreter: one bandit, given values and visits."""

import cases
import numpy as np

from rlsoftmax.contracts import Agent
from rlsoftmax.engine import loop
from rlsoftmax.engine.blocks import new_choice, new_place
from rlsoftmax.engine.fuse import linked
from rlsoftmax.engine.link import link
from rlsoftmax.envs.bernoulli_bandit import BernoulliBandit


class Fixed(Agent):
    """Remembers one row of values, and learns nothing; it asks for the visits, so that they are there."""

    def memory(self, states, actions):
        return {"value": np.zeros((states, actions))}

    def learn(self, value, visits, state, action):
        value[state, action] += 0.0 * visits[state, action]


def policy_of(policy, values, visits=None):
    """Return the chance of each action, [actions]."""
    setup = cases.setup_of(Fixed(), policy, BernoulliBandit(chances=tuple(np.full(len(values), 0.5))))
    block = cases.block_of([setup], [(0, 0)])
    block.memory[0][0, :, 0] = values
    block.memory[block.kind.names.mind.index("visits")][0, :, 0] = 0.0 if visits is None else visits
    survey = link(loop.survey, linked(block.kind, {}).__globals__)
    weights, out = np.empty((1, len(values), 1)), new_choice(block.kind, len(values), 1)
    with np.errstate(all="ignore"):
        survey(block._game(0), new_place(1), np.full(1, 0.5), out, weights)
    return weights[0, :, 0] / weights.sum()
