"""A cover of the shelves: small problems that name every agent, policy, schedule and environment at least once.

What is on a shelf and not named here by hand joins by itself, with its defaults, beside a partner that fits. Run as a
script, it prints one digest per case: the same bits are expected of any process on any machine.
"""

import dataclasses
import functools
import hashlib
import itertools
import sys

import numpy as np

from rlsoftmax import shelf
from rlsoftmax.agents.expected_sarsa import ExpectedSarsa
from rlsoftmax.agents.gradient_bandit import GradientBandit
from rlsoftmax.agents.q_learning import QLearning
from rlsoftmax.agents.sample_average import SampleAverage
from rlsoftmax.agents.sarsa import Sarsa
from rlsoftmax.component import name_of, schema
from rlsoftmax.engine.blocks import Block
from rlsoftmax.engine.fuse import fuse, linked
from rlsoftmax.engine.setup import Setup
from rlsoftmax.envs.bernoulli_bandit import BernoulliBandit
from rlsoftmax.envs.chain import Chain
from rlsoftmax.envs.gaussian_bandit import GaussianBandit
from rlsoftmax.envs.gymnasium import Gymnasium
from rlsoftmax.errors import ConfigError
from rlsoftmax.numeric import MANY, normal, random_words, two_normals, unit
from rlsoftmax.policies.boltzmann import Boltzmann
from rlsoftmax.policies.boltzmann_tree import BoltzmannTree
from rlsoftmax.policies.epsilon_greedy import EpsilonGreedy
from rlsoftmax.policies.greedy import Greedy
from rlsoftmax.policies.max_boltzmann import MaxBoltzmann
from rlsoftmax.policies.soft_ucb import SoftUcb
from rlsoftmax.policies.ucb import Ucb
from rlsoftmax.schedules.constant import Constant
from rlsoftmax.schedules.count_based import CountBased
from rlsoftmax.schedules.exponential import Exponential
from rlsoftmax.schedules.linear import Linear
from rlsoftmax.schedules.relative import Relative

SEED, STEPS, RUNS = 7, 60, 3
CHAIN = Chain(length=3, limit=4)  # ends after three good steps, cut after four
CLIFF = Gymnasium(id="CliffWalking-v1", max_episode_steps=9)
ARMS = BernoulliBandit(chances=(0.5, 0.8, 0.8))  # two best arms
COOLING = Exponential(start=2.0, end=0.1, half_life=15.0)


@dataclasses.dataclass(frozen=True, eq=False)
class Case:
    """Two cells of one kind: they share every block."""

    agent: object
    policy: object
    env: object
    other: dict[str, object]  # what the second cell's agent or policy has instead

    def __str__(self):
        parts = (self.agent, self.policy, getattr(self.policy, "temperature", None), self.env)
        return "-".join(name_of(type(part)) for part in parts if not isinstance(part, (float, type(None))))

    @functools.cached_property
    def setups(self):
        """The two cells as the engine plays them."""
        agent, policy = (
            dataclasses.replace(part, **{key: value for key, value in self.other.items() if key in schema(type(part))})
            for part in (self.agent, self.policy)
        )
        return [setup_of(self.agent, self.policy, self.env), setup_of(agent, policy, self.env)]


def normal_of(luck, action, actions):
    """Return the normal of one of several actions, drawn alone; a rule, too, may call this. luck: that of the rule."""
    seed, run, step, purpose = luck
    first, second = random_words(seed, run, step, purpose + MANY + action - action % 4)
    uniform = unit(first if action % 4 < 2 else second)
    one, two = two_normals(uniform)  # two actions share a uniform; what is left over has its own
    return two if action % 2 == 1 else (one if action + 1 < actions else normal(uniform))


def setup_of(agent, policy, env, steps=STEPS, bins=None, snapshots=(0, 7, 30), seed=SEED):
    """Return one configuration; bins: edges, by default of uneven width."""
    edges = np.unique([0, 1, 3, 10, 17, steps // 2, steps]) if bins is None else np.asarray(bins)
    looks = np.array([step for step in snapshots if step < steps], np.int64)
    return Setup(agent, policy, env, seed, steps, edges[edges <= steps].astype(np.int64), looks)


NAMED = [
    Case(SampleAverage(), Boltzmann(temperature=COOLING), GaussianBandit(arms=4), {"initial": 5.0}),
    Case(GradientBandit(alpha=0.4), Boltzmann(temperature=Constant(1.0)), ARMS, {"alpha": 0.25}),
    Case(SampleAverage(), Ucb(), ARMS, {"c": 0.5}),
    Case(QLearning(alpha=Linear(0.5, 0.1, 40.0)), EpsilonGreedy(), CHAIN, {"gamma": 0.5}),
    Case(QLearning(), SoftUcb(temperature=Relative(0.05, 10.0)), CHAIN, {"alpha": 0.25}),
    Case(Sarsa(alpha=0.5), Boltzmann(temperature=COOLING), CHAIN, {"alpha": 0.25}),
    Case(Sarsa(alpha=0.5), MaxBoltzmann(temperature=Linear(3.0, 0.0, 30.0), epsilon=0.5), CLIFF, {"gamma": 0.5}),
    Case(ExpectedSarsa(alpha=0.5), Boltzmann(temperature=CountBased(2.0)), CHAIN, {"alpha": 0.25}),
    Case(ExpectedSarsa(alpha=0.5), Greedy(), CHAIN, {"alpha": 0.25}),
]


# A tree that is brought up to date and not built anew: no stage, so no weights to look at.
TREE = Case(SampleAverage(), BoltzmannTree(temperature=COOLING), GaussianBandit(arms=20), {"initial": 5.0})


def shelves():
    """Return {group: {name: class}} of everything that is shipped."""
    return {group: {name: shelf.find(group, name) for name in shelf.names(group)} for group in shelf.SHELVES}


def fits(agent, policy, env):
    """Return whether the engine accepts the three together."""
    try:
        linked(setup_of(agent, policy, env).kind, {})
    except ConfigError:
        return False
    return True


def missing():
    """Return {group: components with their defaults} of what no case above names."""
    named = {type(part) for case in NAMED for part in parts_of(case)}
    return {group: [cls() for cls in classes.values() if cls not in named] for group, classes in shelves().items()}


def gathered():
    """Return cases that name what is missing, together where that fits: each case may need a kernel of its own."""
    left, found = missing(), []
    while any(left.values()):
        case = next(case for case in candidates(left) if fits(case.agent, case.policy, case.env))
        named = {type(part) for part in parts_of(case)}
        left = {group: [part for part in parts if type(part) not in named] for group, parts in left.items()}
        found.append(case)
    return found


def candidates(left):
    """Yield cases of something that is left beside what is left too, or else beside the plainest partners."""
    taus = [*left["tau"][:1], 1.0]
    agents = left["agent"][:1] or [QLearning(), SampleAverage()]
    policies = [*left["policy"][:1], *map(Boltzmann, taus)]
    for agent, policy, env in itertools.product(agents, policies, [*left["env"], CHAIN, ARMS]):
        warm = dataclasses.replace(policy, temperature=taus[0]) if type(policy).has_temperature() else policy
        case = Case(agent, warm, env, {})
        if any(part in parts for part in parts_of(case) for parts in left.values()):
            yield case


def parts_of(case):
    """Return the components of a case, those in the fields of others too."""
    outer = [part for setup in case.setups for part in (setup.agent, setup.policy, setup.env)]
    inner = [getattr(part, key) for part in outer for key in schema(type(part))]
    return outer + [value for value in inner if hasattr(type(value), "__dataclass_fields__")]


@functools.cache
def cover():
    """Return the cases: those named above, and some for the classes that nobody named."""
    return [*NAMED, TREE, *gathered()]


# --- playing and hashing --------------------------------------------------------------------------------------------


def lanes_of(cells=2, runs=RUNS):
    """Return (cell, run) of every run of a case."""
    return [(cell, run) for cell in range(cells) for run in range(runs)]


def block_of(setups, lanes, window=None):
    """Return a block of these lanes, not yet played."""
    cell, run = np.array(lanes, np.int64).reshape(-1, 2).T
    return Block(setups, np.ascontiguousarray(cell), np.ascontiguousarray(run), window)


def bits(block):
    """Return {(cell, run): hash of its in-loop sums and its memory}."""
    arrays = block.sums() | {name: block.array(name) for name in block.kind.names.mind}
    lanes = zip(block.config.tolist(), block.run.tolist(), strict=True)
    return {lane: digest(arrays[name][l] for name in sorted(arrays)) for l, lane in enumerate(lanes)}


def digest(arrays):
    """Return the SHA-256 of the bytes of these arrays."""
    content = b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)
    return hashlib.sha256(content).hexdigest()


@functools.cache
def expected_bits(case):
    """Return the bits of a case in the interpreter, in one block: what every other way must reproduce."""
    return interpreted(case)


def interpreted(case, **hooks):
    """Play a case in the interpreter; `hooks` stand in for functions of the loop."""
    block = block_of(case.setups, lanes_of())
    return bits(block.play(linked(block.kind, hooks)))


def compiled(case, lanes=None, window=None):
    """Play a case in one compiled block."""
    block = block_of(case.setups, lanes or lanes_of(), window)
    return bits(block.play(fuse(block.kind)))


def hash_of(lanes):
    """Return one hash of the bits of all lanes."""
    return hashlib.sha256(repr(sorted(lanes.items())).encode()).hexdigest()


def main():
    """Write one line per case: its name and the hash of all its lanes. With a number: of that many cases."""
    for case in cover()[: int(sys.argv[1]) if sys.argv[1:] else None]:
        sys.stdout.write(f"{case} {hash_of(compiled(case))}\n")


if __name__ == "__main__":
    main()
