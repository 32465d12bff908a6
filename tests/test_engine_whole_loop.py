"""The engine gives the bits of a loop that was written apart from it (tests/reference/whole_loop.py)."""

import cases
import numpy as np
import pytest
from reference import rules
from reference.whole_loop import luck_of, play

from rlsoftmax.agents.expected_sarsa import ExpectedSarsa
from rlsoftmax.agents.gradient_bandit import GradientBandit
from rlsoftmax.agents.q_learning import QLearning
from rlsoftmax.agents.sample_average import SampleAverage
from rlsoftmax.agents.sarsa import Sarsa
from rlsoftmax.engine.fuse import fuse, linked
from rlsoftmax.envs.gaussian_bandit import GaussianBandit
from rlsoftmax.numeric import STEP
from rlsoftmax.policies.boltzmann import Boltzmann
from rlsoftmax.policies.epsilon_greedy import EpsilonGreedy
from rlsoftmax.policies.greedy import Greedy
from rlsoftmax.policies.max_boltzmann import MaxBoltzmann
from rlsoftmax.policies.soft_ucb import SoftUcb
from rlsoftmax.policies.ucb import Ucb
from rlsoftmax.schedules.constant import Constant
from rlsoftmax.schedules.count_based import CountBased
from rlsoftmax.schedules.exponential import Exponential
from rlsoftmax.schedules.linear import Linear

RUNS = (0, 4)

# The engine's component beside (its twin, the memory it starts with, whether it learns from the next choice).
AGENTS = {
    "sample average": (SampleAverage(), (rules.sample_average, rules.values, False)),
    "gradient bandit": (GradientBandit(alpha=0.4), (rules.gradient_bandit(0.4, "before"), rules.preferences, False)),
    "gradient bandit, baseline including": (
        GradientBandit(alpha=0.4, baseline="including"),
        (rules.gradient_bandit(0.4, "including"), rules.preferences, False),
    ),
    "gradient bandit, no baseline": (
        GradientBandit(alpha=0.1, baseline="none"),
        (rules.gradient_bandit(0.1, "none"), rules.preferences, False),
    ),
    "q-learning": (QLearning(alpha=0.5), (rules.q_learning(0.5), rules.values, False)),
    "sarsa": (Sarsa(alpha=0.5), (rules.sarsa(0.5), rules.values, True)),
    "expected sarsa": (ExpectedSarsa(alpha=0.5), (rules.expected_sarsa(0.5), rules.values, True)),
}
POLICIES = {
    "boltzmann, cooling": (Boltzmann(temperature=Exponential(2.0, 0.1, 15.0)), rules.boltzmann),
    "boltzmann, cooling to greedy": (Boltzmann(temperature=Linear(3.0, 0.0, 30.0)), rules.boltzmann),
    "boltzmann, uniform": (Boltzmann(temperature=Constant(np.inf)), rules.boltzmann),
    "boltzmann, by visits": (Boltzmann(temperature=CountBased(2.0)), rules.boltzmann),
    "greedy": (Greedy(), rules.greedy),
    "epsilon-greedy": (EpsilonGreedy(), rules.epsilon_greedy),
    "ucb": (Ucb(), rules.ucb),
    "max-boltzmann": (MaxBoltzmann(temperature=1.0, epsilon=0.5), rules.max_boltzmann),
    "soft ucb": (SoftUcb(temperature=0.5), rules.soft_ucb),
}
SCHEDULES = {
    Exponential: rules.exponential(2.0, 0.1, 15.0),
    Linear: rules.linear(3.0, 0.0, 30.0),
    Constant: rules.constant(np.inf),
    CountBased: rules.count_based(2.0),
    float: None,
}
WORLDS = {
    "testbed": (GaussianBandit(arms=4), lambda luck: rules.gaussian(luck, 4)),
    "two best arms": (cases.ARMS, lambda luck: rules.bernoulli([0.5, 0.8, 0.8])),
    "chain": (cases.CHAIN, lambda luck: rules.Chain(limit=4)),
}


def expected(world, agent, policy, run, setup):
    """Return (ranked memory, visits, sums) of one run of the reference."""
    luck, (learn, memory_of, ahead) = luck_of(cases.SEED, run), AGENTS[agent][1]
    tau = getattr(setup.policy, "temperature", None)
    schedule = SCHEDULES[type(tau)] if tau is not None and not isinstance(tau, float) else rules.constant(tau)
    place = WORLDS[world][1](luck)
    memory = memory_of(place)
    visits, record = play(
        place, memory, learn, ahead, POLICIES[policy][1], schedule, luck, setup.steps, setup.edges.tolist()
    )
    return memory, visits, record


def check(world, agent, policy, kernel_of):
    """Compare every number of two runs, bit for bit."""
    setup = cases.setup_of(AGENTS[agent][0], POLICIES[policy][0], WORLDS[world][0], steps=120)
    block = cases.block_of([setup], [(0, run) for run in RUNS])
    block.play(kernel_of(block.kind))
    for lane, run in enumerate(RUNS):
        memory, visits, record = expected(world, agent, policy, run, setup)
        for name, array in zip(block.kind.names.mind, [*memory, visits], strict=False):
            assert np.array_equal(block.array(name)[lane], visits if name == "visits" else array), name
        assert {name: sums[lane].tolist() for name, sums in block.sums().items()} == record


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("agent", AGENTS)
def test_the_interpreted_engine_has_the_bits_of_the_reference(agent, policy, world):
    check(world, agent, policy, lambda kind: linked(kind, {}))


@pytest.mark.compiled
@pytest.mark.parametrize(
    ("agent", "policy", "world"),
    [
        ("sample average", "boltzmann, cooling", "testbed"),
        ("sample average", "ucb", "two best arms"),
        ("gradient bandit", "boltzmann, uniform", "two best arms"),
        ("gradient bandit, baseline including", "boltzmann, cooling", "two best arms"),
        ("q-learning", "epsilon-greedy", "chain"),
        ("q-learning", "soft ucb", "chain"),
        ("sarsa", "boltzmann, cooling", "chain"),
        ("sarsa", "boltzmann, cooling to greedy", "chain"),
        ("expected sarsa", "boltzmann, by visits", "chain"),
        ("expected sarsa", "greedy", "chain"),
    ],
)
def test_the_compiled_engine_has_the_bits_of_the_reference(agent, policy, world):
    check(world, agent, policy, fuse)


@pytest.mark.parametrize(
    "fault",
    [
        {"look_beyond_cuts": lambda game, row: None},  # no bootstrap at a cut
        {"CUT": STEP},  # the choice at a cut with the luck of a step
        {"count": lambda *asked: None},  # visits not counted
    ],
    ids=["no bootstrap", "luck used again", "no visits"],
)
def test_the_reference_notices_a_planted_fault(fault):
    with pytest.raises(AssertionError):
        check("chain", "sarsa", "boltzmann, by visits", lambda kind: linked(kind, fault))
