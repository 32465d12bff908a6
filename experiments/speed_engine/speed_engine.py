"""How fast is it? Ratios, measured side by side in one process: the minimum of rounds in which the designs take turns.

    python experiments/speed_engine/speed_engine.py [rounds]

The engine rows go from a plan to the rows that are stored: building the problems, playing, recording, snapshots and
greedy scores included. Rows of one thread compare processor time, so that other work on the machine disturbs them less.
"""

import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import baselines
import by_hand
import numpy as np

import rlsoftmax as rs
from rlsoftmax.experiment.execute import execute
from rlsoftmax.launch.request import Request, planned
from rlsoftmax.store.folder import Memory

TAUS = rs.geomspace(0.02, 2.0, 20)
TESTBED = {"env": "testbed", "agent": "sample_average"}
Work = Callable[[], int]


def main(rounds: int) -> None:
    """Print one table per group of rows."""
    print(f"{processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, NumPy {np.__version__}")
    bandits(rounds)
    tables(rounds)
    growth(rounds)
    front_end(rounds)
    starts(rounds)
    memory()


def processor() -> str:
    """Return the name of the processor, where the system tells."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    known = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return known[0] if known else platform.machine()


def nanoseconds(rounds: int, clock: Callable[[], float], **designs: Work) -> dict[str, float]:
    """Return nanoseconds per agent step of each design: the minimum over rounds, designs taking turns."""
    best: dict[str, float] = {}
    for _ in range(rounds):
        for name, design in designs.items():
            start = clock()
            steps = design()
            best[name] = min(best.get(name, np.inf), (clock() - start) / steps * 1e9)
    return best


def row(what: str, ratio: float, floor: str = "", aim: str = "") -> None:
    """Print a ratio beside what it must reach, and what we aim at."""
    print(f"{what:<66}{ratio:>9.2f}   {floor:<10}{aim}")


def ours(runs: int, steps: int, threads: int, taus: list[float] = TAUS, **groups: str) -> Work:
    """Return the engine's work: from a plan to rows."""
    settings = {"engine.threads": threads, "tau": taus, "runs": runs, "steps": steps, **groups}
    plan = planned(Request(arguments=(), settings=settings, grids=None, command=""))

    def play() -> int:
        execute(plan, Memory())
        return plan.run_steps

    play()  # compiled or loaded before the clock starts
    return play


def on_one_core(work: Work) -> Work:
    """Return the work with all its threads on one core: chunks are gathered on a thread of their own."""

    def play() -> int:
        cores = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(cores)})  # threads inherit it
        try:
            return work()
        finally:
            os.sched_setaffinity(0, cores)

    return play if hasattr(os, "sched_setaffinity") else work


def bandits(rounds: int) -> None:
    """W1: the ten-armed testbed, sample average, Boltzmann, 20 temperatures."""
    found = nanoseconds(
        rounds,
        time.process_time,
        python=lambda: baselines.plain_python(4, 1000, 0.2),
        tutorial=lambda: baselines.tutorial_numpy(2, 1000, 0.2),
        vectorised=lambda: baselines.vectorised_numpy(2000, 1000, 0.2),
        ours=ours(2000, 1000, 1, **TESTBED),
    )
    one, two = ours(2000, 1000, 1, **TESTBED), ours(2000, 1000, 2, **TESTBED)
    wall = nanoseconds(
        2 * rounds, time.perf_counter, core=on_one_core(one), one=one, two=two
    )  # two idle cores are rare
    print(f"\nW1 testbed, 20 temperatures x 2000 runs x 1000 steps: {found['ours']:.1f} ns per step, one thread")
    row("well-vectorised NumPy / ours", found["vectorised"] / found["ours"], ">= 2", "3")
    row("plain Python lists / ours", found["python"] / found["ours"], ">= 50", "100")
    row("the usual NumPy tutorial loop / ours", found["tutorial"] / found["ours"], ">= 350", "800")
    row("one thread on one core / two threads on two, wall", wall["core"] / wall["two"], ">= 1.8", "2")
    row("the same, if the one thread's chunks are gathered on the other core", wall["one"] / wall["two"])


def tables(rounds: int) -> None:
    """W2: tabular Q-learning."""
    for env, name in (("frozen_lake_8x8", "FrozenLake8x8-v1"), ("taxi", "Taxi-v4")):
        found = nanoseconds(
            rounds,
            time.process_time,
            loop=lambda name=name: baselines.gymnasium_loop(name, {}, 3000, 0.1),
            hand=lambda name=name: by_hand.q_learning(name, 128, 20_000, 0.1),
            ours=ours(256, 20_000, 1, [0.1], env=env, agent="q_learning"),
        )
        print(f"\nW2 Q-learning on {name}, 256 runs x 20 000 steps: {found['ours']:.1f} ns per step, one thread")
        row("env.step + NumPy softmax + choice / ours", found["loop"] / found["ours"], ">= 1000", "1500")
        row("the same / a compiled loop for this kind alone that records nothing", found["loop"] / found["hand"])


def growth(rounds: int) -> None:
    """Many cells must cost what many runs cost, and twice the steps twice the time."""
    ten = rs.geomspace(0.02, 2.0, 10)
    found = nanoseconds(
        rounds,
        time.process_time,
        few=ours(1000, 1000, 1, ten, **TESTBED),
        many=ours(10, 1000, 1, rs.geomspace(0.02, 2.0, 1000), **TESTBED),
        runs=ours(4000, 1000, 1, ten, **TESTBED),
        steps=ours(1000, 4000, 1, ten, **TESTBED),
    )
    print("\nGrowth, per step")
    row("1000 cells x 10 runs / 10 cells x 1000 runs", found["many"] / found["few"], "<= 1.2", "1.05")
    row("four times the runs", found["runs"] / found["few"], "~ 1")
    row("four times the steps", found["steps"] / found["few"], "~ 1")


# --- whole processes ------------------------------------------------------------------------------------------------


def seconds(rounds: int, **commands: list[str]) -> dict[str, float]:
    """Return wall seconds of each command: the minimum over rounds, commands taking turns.

    Modules are compiled to byte code at the first round, as `pip install` does, even where the environment says not to.
    """
    best: dict[str, float] = {}
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    for _ in range(rounds + 1):
        for name, command in commands.items():
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True, env=environment)
            best[name] = min(best.get(name, np.inf), time.perf_counter() - start)
    return best


def front_end(rounds: int) -> None:
    """A sweep of many cells through Hydra: one pass, against one job per cell."""
    program = str(Path(sys.executable).parent / "rlsoftmax")
    common = [program, "sweep", "env=testbed", "runs=1", "steps=10"]
    with tempfile.TemporaryDirectory() as folder:
        basic = [*common, "tau=linspace(0.1,1,20)", "hydra/launcher=basic", f"results={folder}/basic", "study=basic"]
        fused = [*common, "tau=linspace(0.1,1,1000)", f"results={folder}/fused"]
        few = [*common, "tau=linspace(0.1,1,1)", f"results={folder}/few"]
        found = seconds(0, basic=basic, fused=fused, few=few)
    per_job, per_cell = (found["basic"] - found["few"]) / 19, (found["fused"] - found["few"]) / 999
    print("\nA sweep of 1000 cells through Hydra")
    row("Hydra's basic launcher / ours, per cell", per_job / per_cell, ">= 30", "100")


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


PEAK = """
import pathlib, re, sys, tempfile
import rlsoftmax as rs
from rlsoftmax.experiment.execute import execute
from rlsoftmax.launch.request import Request, planned
from rlsoftmax.store.folder import Folder
settings = {"env": "testbed", "agent": "sample_average", "tau": rs.geomspace(0.02, 2.0, 20), "runs": int(sys.argv[1])}
with tempfile.TemporaryDirectory() as folder:
    execute(planned(Request(arguments=(), settings=settings, grids=None, command="")), Folder(folder))
print(int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) / 1024)
"""


def memory() -> None:
    """Peak memory of W1 must not grow with cells, runs or steps (Linux)."""
    print()
    for runs in (500, 2000, 4000):
        done = subprocess.run([sys.executable, "-c", PEAK, str(runs)], check=True, capture_output=True, text=True)
        row(f"peak memory in MB, W1 with {runs} runs, stored on disk", float(done.stdout), "<= 400", "250")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
