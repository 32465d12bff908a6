"""How long does a report take? Twenty temperatures x 1000 runs x 100 bins, after imports, against drawing one figure.

    python experiments/speed_report/speed_report.py [rounds]

Everything from the numbers in memory to the text of the page counts: intervals, comparisons, the set of best,
resampling, digests, final policies (played again) and all pictures. The fewest seconds count; the works take turns.
"""

import os
import platform
import sys
import time
from collections.abc import Callable

import rlsoftmax as rs
from rlsoftmax import plots
from rlsoftmax.plots.files import picture
from rlsoftmax.report import page

BUDGET = 2.0  # seconds


def main(rounds: int) -> None:
    """Print seconds, the share of the budget, and how many figures take as long."""
    study = rs.sweep(env="testbed", tau=rs.geomspace(0.02, 2.0, 20), runs=1000, steps=1000, record={"bins": 100}).data
    text = page.html(study)  # imports, and the compiled loop, which the sweep left behind
    picture(plots.draw(study), "svg")
    report, figure = fastest(rounds, lambda: page.html(study), lambda: picture(plots.draw(study), "svg"))
    print(f"{os.cpu_count()} cores of {platform.machine()}, Python {platform.python_version()}")
    print(f"report: {report:.2f} s, {report / BUDGET:.2f} of its budget, as long as {report / figure:.1f} figures")
    print(f"page: {len(text.encode()) / 1000:.0f} kB")


def fastest(rounds: int, *works: Callable[[], object]) -> list[float]:
    """Return the fewest seconds of each work."""
    best = [float("inf")] * len(works)
    for _ in range(rounds):
        for at, work in enumerate(works):
            start = time.perf_counter()
            work()
            best[at] = min(best[at], time.perf_counter() - start)
    return best


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
