"""How fast numbers and figures of a finished study are: `python experiments/speed_stats/speed_stats.py`.

Each work is repeated and the smallest time counts; imports are warm. Studies are played in memory first.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator

import numpy as np
from scipy.stats import mannwhitneyu, trim_mean

import rlsoftmax as rs
from rlsoftmax import plots
from rlsoftmax.plots.files import picture
from rlsoftmax.stats.aggregate import iqm_interval, performance_profile
from rlsoftmax.stats.best import set_of_best
from rlsoftmax.stats.improvement import probability_of_improvement
from rlsoftmax.stats.selection import selection_uncertainty

LIMIT = 1.0  # seconds for a figure
Work = Callable[[], object]


def smallest(work: Work, repeats: int) -> float:
    """Return the smallest seconds of a work."""
    best = np.inf
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return float(best)


def studies(runs: int) -> dict[str, rs.Study]:
    """Return a study for every figure: 20 temperatures x `runs` x 100 bins where the figure allows it."""
    whole = rs.sweep(
        [
            {"policy": "boltzmann", "tau": rs.geomspace(0.02, 8.0, 20)},
            {"policy": "ucb", "policy.c": rs.octaves(1 / 4, 4)},
            {"policy": "epsilon_greedy", "policy.epsilon": rs.octaves(1 / 128, 1 / 4)},
        ],
        env="testbed",
        runs=runs,
    )
    grid = rs.sweep(
        env="frozen_lake", agent="q_learning", tau=rs.octaves(1 / 1024, 1), runs=50, steps=5000,
        **{"agent.alpha": rs.octaves(1 / 64, 1)},
    )  # fmt: skip
    lake = rs.sweep(
        env="frozen_lake", agent="q_learning", tau=rs.octaves(1 / 256, 1 / 4), runs=100, steps=5000,
        record={"values": "snapshots"},
    )  # fmt: skip
    three = rs.sweep(env="testbed", tau=rs.octaves(1 / 32, 1), runs=runs, steps=600, **{"env.arms": 3})
    return dict.fromkeys(plots.kinds(), whole) | {"heatmap": grid, "policy": lake, "values": lake, "simplex": three}


def figures(runs: int, repeats: int) -> Iterator[tuple[str, float, float]]:
    """Yield kind, seconds for its numbers, seconds for drawing and writing it as a PNG."""
    for kind, study in studies(runs).items():
        numbers = plots.plotted(study.data, kind)
        reading = smallest(lambda kind=kind, study=study: plots.plotted(study.data, kind), repeats)
        drawing = smallest(lambda kind=kind, it=numbers: picture(plots.figure_of(kind, it), "png"), repeats)
        yield kind, reading, drawing


def resamplings() -> Iterator[tuple[str, Work, Work, float]]:
    """Yield name, ours, a plain loop over fewer replicates, and by how many times fewer."""
    x, y = np.random.default_rng(0).random((2, 10, 26))

    def drawn(rows: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
        return [row[rng.integers(0, 26, 26)] for row in rows]

    def loop(statistic: Callable[[list[np.ndarray]], object], replicates: int) -> Work:
        rng = np.random.default_rng(1)
        return lambda: [statistic(drawn(x, rng)) for _ in range(replicates)]

    def improvement(rows: list[np.ndarray]) -> float:
        return float(np.mean([mannwhitneyu(a, b).statistic / 676 for a, b in zip(rows, y, strict=True)]))

    at = np.linspace(0.0, 1.0, 81)
    yield (
        "iqm, 2000 replicates",
        lambda: iqm_interval(x, resamples=2000),
        loop(lambda r: trim_mean(np.array(r), 0.25, axis=None), 200), 10.0,
    )  # fmt: skip
    yield (
        "performance profile",
        lambda: performance_profile(x, at),
        loop(lambda r: [np.mean([np.mean(row > t) for row in r]) for t in at], 20), 100.0,
    )  # fmt: skip
    yield "probability of improvement", lambda: probability_of_improvement(x, y), loop(improvement, 20), 100.0


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    rows = np.random.default_rng(0).normal(size=(100, 10_000))
    print("| work | of what is allowed |\n|---|---:|")
    seconds = smallest(lambda: set_of_best(rows), given.repeats)
    print(f"| set_of_best, 100 cells x 10 000 runs: allowed 0.1 s | {seconds / 0.1:.2f} |")
    seconds = smallest(lambda: selection_uncertainty(rows[:20, :1000]), given.repeats)
    print(f"| selection_uncertainty, 20 cells x 1000 runs: allowed 1 s | {seconds:.2f} |")
    for kind, reading, drawing in figures(given.runs, given.repeats):
        shares = reading / LIMIT, drawing / LIMIT
        print(f"| {kind}: numbers {shares[0]:.2f}, drawing {shares[1]:.2f} | {sum(shares):.2f} |")
    print("\n| resampling | times as fast as a loop |\n|---|---:|")
    for name, ours, theirs, fewer in resamplings():
        ratio = smallest(theirs, 1) * fewer / smallest(ours, given.repeats)
        print(f"| {name} | {ratio:.0f} |")


if __name__ == "__main__":
    main()
