"""What does each component on the shelves cost? Nanoseconds per step of the compiled loop, beside a plain one.

    python experiments/speed_engine/shelves.py [rounds] [name ...]

One process, one thread, the loop alone: no planning, no snapshots. Components take turns, and the smallest time of the
rounds counts. With names, only these are measured (and what they are compared with).
"""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rlsoftmax import shelf
from rlsoftmax.agents.q_learning import QLearning
from rlsoftmax.agents.sample_average import SampleAverage
from rlsoftmax.agents.sarsa import Sarsa
from rlsoftmax.engine import stages
from rlsoftmax.engine.blocks import Block, lanes_for
from rlsoftmax.engine.fuse import fuse
from rlsoftmax.engine.link import compiled
from rlsoftmax.engine.setup import Setup
from rlsoftmax.envs.drifting_bandit import DriftingBandit
from rlsoftmax.envs.gaussian_bandit import GaussianBandit
from rlsoftmax.envs.gymnasium import Gymnasium
from rlsoftmax.policies.boltzmann import Boltzmann

LAKE, TAXI, TESTBED = Gymnasium(id="FrozenLake8x8-v1"), Gymnasium(id="Taxi-v4"), GaussianBandit(arms=10)
STEPS = {"table": 10_000, "bandit": 2_000}
LANES = 64  # of tables; so that agents with larger memories are compared at the same number
Work = Callable[[], float]


def main(rounds: int, only: Sequence[str]) -> None:
    """Print one table per shelf."""
    agents = {name: agent_on(LAKE, shelf.find("agent", name)()) for name in chosen("agent", only, "q_learning")}
    found = nanoseconds(rounds, agents)
    for name, time_per_step in found.items():
        parts, part = parts_of_a_step(name)
        row(f"agent {name}{part}", time_per_step / parts, found["q_learning"], 3.0)
    policies = {name: policy_on(TESTBED, name) for name in chosen("policy", only, "boltzmann")}
    found = nanoseconds(rounds, policies)
    for name, time_per_step in found.items():
        row(f"policy {name}", time_per_step, found["boltzmann"], 10.0 if name == "mellowmax" else 4.0)
    if not only:
        others(rounds)


def others(rounds: int) -> None:
    """The rows that compare something else than agents on the lake and policies on the testbed."""
    found = nanoseconds(rounds, {"boltzmann": stage(stages.boltzmann), "mellowmax": stage(stages.mellowmax)})
    row("stage mellowmax", found["mellowmax"], found["boltzmann"], 10.0)
    wander = played(Boltzmann(temperature=0.25), SampleAverage(), DriftingBandit(arms=10))
    found = nanoseconds(rounds, {"testbed": policy_on(TESTBED, "boltzmann"), "drifting": wander})
    row("env drifting_bandit", found["drifting"], found["testbed"], 3.0)
    found = nanoseconds(rounds, {"q": agent_on(TAXI, QLearning()), "sarsa": agent_on(TAXI, Sarsa())})
    row("SARSA on taxi", found["sarsa"], found["q"], 1.3)


def row(what: str, nanoseconds: float, plain: float, ceiling: float) -> None:
    """Print what a step takes, its ratio to the plain one, and whether it is below its ceiling."""
    ratio = nanoseconds / plain
    verdict = "yes" if ratio <= ceiling else "no"
    print(f"{what:<40}{nanoseconds:>8.1f} ns {ratio:>7.2f}   <= {ceiling:<5g}{verdict}", flush=True)


def chosen(group: str, only: Sequence[str], plain: str) -> list[str]:
    """Return the names that are measured, the plain one first."""
    names = [name for name in shelf.names(group) if name != plain and (not only or name in only)]
    return [plain, *names] if names else []


def parts_of_a_step(name: str) -> tuple[float, str]:
    """Return by what the time of a step is divided: live traces, planning steps, or nothing."""
    agent = shelf.find("agent", name)()
    if hasattr(agent, "planning"):
        return 1.0 + agent.planning, " / (1 + planning)"
    if hasattr(agent, "trace_decay"):
        return live_traces(agent), " / live trace"
    return 1.0, ""


def live_traces(agent: Any) -> float:
    """Return how many traces live after a step, on average over the run that is timed."""
    block, kernel = block_of(Boltzmann(temperature=0.1), agent, LAKE)
    looks = np.arange(7, STEPS["table"], 97)
    return float(np.mean([block.play(kernel, int(step)).array("count").mean() for step in looks]))


# --- playing --------------------------------------------------------------------------------------------------------


def agent_on(env: Any, agent: Any) -> Work:
    """Return the work of an agent, with Boltzmann at a temperature that suits it."""
    return played(Boltzmann(temperature=type(agent).suggested_temperature or 0.1), agent, env)


def policy_on(env: Any, name: str) -> Work:
    """Return the work of a policy above sample averages."""
    cls = shelf.find("policy", name)
    return played(cls(temperature=0.25) if cls.has_temperature() else cls(), SampleAverage(), env)


def played(policy: Any, agent: Any, env: Any) -> Work:
    """Return a function that plays a fresh block and returns seconds per step; its loop is compiled now."""
    block, kernel = block_of(policy, agent, env)
    block.play(kernel, 10)

    def play() -> float:
        block, _ = block_of(policy, agent, env)
        start = time.process_time()
        block.play(kernel)
        return (time.process_time() - start) / block.steps / block.lanes

    return play


def block_of(policy: Any, agent: Any, env: Any) -> tuple[Block, Callable[..., None]]:
    """Return a block that has not been played, and its loop."""
    steps = STEPS["bandit" if env.is_bandit() else "table"]
    setup = Setup(agent, policy, env, 0, steps, np.array([0, steps]), np.array([], np.int64))
    lanes = lanes_for(setup) if env.is_bandit() else LANES
    return Block([setup], np.zeros(lanes, np.int64), np.arange(lanes)), fuse(setup.kind)


def stage(function: Any) -> Work:
    """Return the work of one stage alone, at K = 10, as it stands in the loop: seconds per lane."""
    rng, lanes, calls = np.random.default_rng(0), 128, 1000
    values, weights, temperature = rng.normal(size=(10, lanes)), np.empty((10, lanes)), np.full(lanes, 0.25)
    total, best, scale = np.empty((3, lanes))
    call = compiled(function)
    call(values, temperature, weights, total, best, scale)

    def work() -> float:
        start = time.process_time()
        for _ in range(calls):
            call(values, temperature, weights, total, best, scale)
        return (time.process_time() - start) / calls / lanes

    return work


def nanoseconds(rounds: int, works: Mapping[str, Work]) -> dict[str, float]:
    """Return nanoseconds of each: the minimum over rounds in which they take turns."""
    best = dict.fromkeys(works, np.inf)
    for _ in range(rounds):
        for name, work in works.items():
            best[name] = min(best[name], work() * 1e9)
    return best


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 5, sys.argv[2:])
