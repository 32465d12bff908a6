"""What a step costs when there are very many arms: `boltzmann_tree` beside `boltzmann`, in one process.

    python experiments/speed_engine/trees.py [rounds]

Processor time of one thread for the compiled loop alone (the testbed, sample average), the minimum over rounds. Setting
up a run (drawing its means, filling its arrays) and the first step, which builds the tree, are not counted.
"""

import os
import platform
import sys
import time

import numpy as np
from speed_engine import processor

from rlsoftmax.contracts import Policy
from rlsoftmax.engine.blocks import Block, lanes_for
from rlsoftmax.engine.fuse import fuse
from rlsoftmax.engine.setup import Setup
from rlsoftmax.shelf import find

STEPS = 100_000  # of a run with a tree
ARMS = {64: (None, None), 10_000: (0.2, 0.6), 100_000: (0.3, 1.5), 1_000_000: (0.6, 4.0)}  # floors in us
TAUS = {
    "constant": 0.25,
    "annealed": find("tau", "linear")(start=2.0, end=0.05, steps=float(STEPS)),
}


def main(rounds: int) -> None:
    """Print one row per number of arms and temperature."""
    print(f"{processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, NumPy {np.__version__}")
    print(f"\n{'arms':>9} {'temperature':<12}{'lanes':>6}{'us per step':>13}{'floor':>8}{'boltzmann / tree':>18}")
    for arms, floors in ARMS.items():
        for (name, tau), floor in zip(TAUS.items(), floors, strict=True):
            ours, lanes = best(rounds, find("policy", "boltzmann_tree")(temperature=tau), arms, STEPS)
            theirs, _ = best(rounds, find("policy", "boltzmann")(temperature=tau), arms, max(10**7 // arms, 10))
            least = "" if floor is None else f"<= {floor}"
            print(f"{arms:>9} {name:<12}{lanes:>6}{ours:>13.3f}{least:>8}{theirs / ours:>18.1f}", flush=True)


def best(rounds: int, policy: Policy, arms: int, steps: int) -> tuple[float, int]:
    """Return microseconds per step, the smallest of some rounds, and how many runs were played side by side."""
    setup = Setup(
        find("agent", "sample_average")(),
        policy,
        find("env", "gaussian_bandit")(arms=arms),
        seed=0,
        steps=steps,
        edges=np.array([0, steps]),
        snapshot_steps=np.array([], np.int64),
    )
    lanes = lanes_for(setup)
    return min(microseconds(setup, lanes) for _ in range(rounds)), lanes


def microseconds(setup: Setup, lanes: int) -> float:
    """Return what one step of one run costs."""
    block = Block([setup], np.zeros(lanes, np.int64), np.arange(lanes)).play(fuse(setup.kind), 1)
    start = time.thread_time()
    block.play(fuse(setup.kind))
    return (time.thread_time() - start) / (setup.steps - 1) / lanes * 1e6


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
