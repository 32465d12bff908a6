"""How fast is it? Ratios, measured side by side in one process; smaller times win, the minimum of interleaved rounds.

    python experiments/speed_engine/speed_engine.py [rounds]
"""

import os
import platform
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import baselines
import numpy as np

import rlsoftmax as rs

TAUS = rs.geomspace(0.02, 2.0, 20)
Work = Callable[[], int]


def main(rounds: int) -> None:
    """Print one table per group of rows."""
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    bandits(rounds)
    tables(rounds)
    growth(rounds)
    starts(rounds)
    memory()


def nanoseconds(rounds: int, **designs: Work) -> dict[str, float]:
    """Return nanoseconds per agent step of each design: the minimum over rounds, designs taking turns."""
    best: dict[str, float] = {}
    for _ in range(rounds):
        for name, design in designs.items():
            start = time.perf_counter()
            steps = design()
            best[name] = min(best.get(name, np.inf), (time.perf_counter() - start) / steps * 1e9)
    return best


def row(what: str, ratio: float, floor: str = "", aim: str = "") -> None:
    print(f"{what:<66}{ratio:>9.2f}   {floor:<10}{aim}")


def ours(runs: int, steps: int, threads: int, taus: list[float] = TAUS, **groups: object) -> Work:
    """Return the whole way of a user: plan, play, record, snapshots, greedy scores; in memory."""

    def play() -> int:
        study = rs.sweep("engine.threads=%d" % threads, tau=taus, runs=runs, steps=steps, **groups)
        return len(study.cells) * runs * steps

    play()  # compiled or loaded before the clock starts
    return play


def bandits(rounds: int) -> None:
    """W1: the ten-armed testbed, sample average, Boltzmann, 20 temperatures."""
    testbed = {"env": "testbed", "agent": "sample_average"}
    found = nanoseconds(
        rounds,
        python=lambda: baselines.plain_python(4, 1000, 0.2),
        tutorial=lambda: baselines.tutorial_numpy(2, 1000, 0.2),
        vectorised=lambda: baselines.vectorised_numpy(2000, 1000, 0.2),
        one=ours(2000, 1000, 1, **testbed),
        two=ours(2000, 1000, 2, **testbed),
    )
    print(f"\nW1 testbed, 20 temperatures x 2000 runs x 1000 steps: {found['one']:.1f} ns per step, one thread")
    row("well-vectorised NumPy / ours", found["vectorised"] / found["one"], ">= 2", "3")
    row("plain Python lists / ours", found["python"] / found["one"], ">= 50", "100")
    row("the usual NumPy tutorial loop / ours", found["tutorial"] / found["one"], ">= 350", "800")
    row("one thread / two threads", found["one"] / found["two"], ">= 1.8", "2")


def tables(rounds: int) -> None:
    """W2: tabular Q-learning."""
    for env, name in (("frozen_lake_8x8", "FrozenLake8x8-v1"), ("taxi", "Taxi-v4")):
        found = nanoseconds(
            rounds,
            loop=lambda name=name: baselines.gymnasium_loop(name, {}, 3000, 0.1),
            one=ours(128, 20_000, 1, [0.1], env=env, agent="q_learning"),
        )
        print(f"\nW2 Q-learning on {name}, 128 runs x 20 000 steps: {found['one']:.1f} ns per step, one thread")
        row("env.step + NumPy softmax + choice / ours", found["loop"] / found["one"], ">= 1000", "1500")


def growth(rounds: int) -> None:
    """Many cells must cost what many runs cost, and twice the steps twice the time."""
    testbed = {"env": "testbed", "agent": "sample_average"}
    found = nanoseconds(
        rounds,
        few=ours(1000, 1000, 1, rs.geomspace(0.02, 2.0, 10), **testbed),
        many=ours(10, 1000, 1, rs.geomspace(0.02, 2.0, 1000), **testbed),
        runs=ours(4000, 1000, 1, rs.geomspace(0.02, 2.0, 10), **testbed),
        steps=ours(1000, 4000, 1, rs.geomspace(0.02, 2.0, 10), **testbed),
    )
    print("\nGrowth, per step")
    row("1000 cells x 10 runs / 10 cells x 1000 runs", found["many"] / found["few"], "<= 1.2", "1.05")
    row("four times the runs", found["runs"] / found["few"], "~ 1")
    row("four times the steps", found["steps"] / found["few"], "~ 1")


# --- whole processes ------------------------------------------------------------------------------------------------


def seconds(rounds: int, **commands: list[str]) -> dict[str, float]:
    """Return wall seconds of each command: the minimum over rounds, commands taking turns."""
    best: dict[str, float] = {}
    for _ in range(rounds + 1):
        for name, command in commands.items():
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            best[name] = min(best.get(name, np.inf), time.perf_counter() - start)
    return best


def starts(rounds: int) -> None:
    """From the start of a process to its result."""
    python, program = [sys.executable, "-c"], str(Path(sys.executable).parent / "rlsoftmax")
    once = "import rlsoftmax as rs; rs.run(env='testbed', tau=0.25, runs=1, steps=1000)"
    found = seconds(
        rounds,
        bare=[*python, "pass"],
        package=[*python, "import rlsoftmax"],
        help=[program, "--help"],
        imports=[*python, "import numpy, numba, hydra"],
        run=[*python, once],
    )
    print("\nStarting, warm kernel cache (seconds more than the thing it is compared with)")
    row("import rlsoftmax, over bare Python", found["package"] - found["bare"], "<= 0.1", "0.03")
    row("rlsoftmax --help, over bare Python", found["help"] - found["bare"], "<= 0.1", "0.03")
    row("one run of 1000 steps, over importing numpy, numba, hydra", found["run"] - found["imports"], "<= 0.5", "0.3")


def memory() -> None:
    """Peak memory of W1 must not grow with cells, runs or steps."""
    for runs in (500, 2000):
        code = (
            "import resource, tempfile, rlsoftmax as rs\n"
            "with tempfile.TemporaryDirectory() as folder:\n"
            f"    rs.sweep(f'results={{folder}}', study='w1', env='testbed', agent='sample_average', "
            f"tau=rs.geomspace(0.02, 2.0, 20), runs={runs}, steps=1000)\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
        )
        done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
        row(f"peak memory in MB, W1 with {runs} runs, stored on disk", float(done.stdout), "<= 400", "250")


if __name__ == "__main__":
    assert threading.active_count() == 1 and resource  # nothing else runs in this process
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
