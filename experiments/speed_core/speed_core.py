"""How fast the core is, side by side with SciPy in one process: `python experiments/speed_core/speed_core.py`.

Repetitions of both are interleaved and the smallest time counts, so that a busy machine disturbs both alike.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import scipy
from scipy import special

from rlsoftmax import core

SHAPES = ((2000, 10), (200000, 4), (1000, 1000), (1, 1000000))
FLOORS = {
    "float64": {(2000, 10): 2.0, (200000, 4): 4.0, (1000, 1000): 1.0, (1, 1000000): 1.0},
    "float32": {(2000, 10): 3.0, (200000, 4): 7.0, (1000, 1000): 1.0, (1, 1000000): 1.0},
}
Work = Callable[[], object]


def scipy_softmax(x: np.ndarray) -> np.ndarray:
    """Return what a user of SciPy writes; the temperature keeps the type of x."""
    return special.softmax(x / x.dtype.type(0.7), axis=-1)


def smallest_times(works: tuple[Work, ...], repeats: int, calls: int) -> list[float]:
    """Return the smallest seconds per call of each work, measured in turn."""
    best = [np.inf] * len(works)
    for _ in range(repeats):
        for i, work in enumerate(works):
            start = time.perf_counter()
            for _ in range(calls):
                work()
            best[i] = min(best[i], (time.perf_counter() - start) / calls)
    return best


def batches(repeats: int) -> Iterator[tuple[str, float, float, float]]:
    """Yield name, SciPy's and our nanoseconds per entry, and the floor of the ratio."""
    for dtype, floors in FLOORS.items():
        for shape in SHAPES:
            x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
            works = (partial(scipy_softmax, x), partial(core.softmax, x, tau=0.7))
            theirs, ours = smallest_times(works, repeats, max(1, 400000 // x.size))
            yield f"softmax {dtype} {shape}", theirs / x.size * 1e9, ours / x.size * 1e9, floors[shape]


def calls(repeats: int) -> Iterator[tuple[str, float, float, float]]:
    """Yield name, SciPy's and our microseconds for one small call, and the floor of the ratio."""
    rng = np.random.default_rng(0)
    for entries in (4, 10):
        x = rng.standard_normal(entries)
        works = (partial(scipy_softmax, x), partial(core.softmax, x, tau=0.7))
        theirs, ours = smallest_times(works, repeats, 4000)
        yield f"softmax of {entries}, one call", theirs * 1e6, ours * 1e6, 1.5


def others(repeats: int) -> Iterator[tuple[str, float, float, float]]:
    """Yield what has no floor."""
    wide = np.random.default_rng(0).standard_normal((200000, 4))
    works = (partial(scipy_softmax, wide), partial(core.softmax, wide, tau=0.7, out=np.empty_like(wide)))
    theirs, ours = smallest_times(works, repeats, 1)
    yield f"softmax float64 {wide.shape}, out=", theirs / wide.size * 1e9, ours / wide.size * 1e9, np.nan
    x = np.random.default_rng(0).standard_normal((2000, 10))
    pairs = {
        "log_softmax": (lambda: special.log_softmax(x / 0.7, axis=-1), lambda: core.log_softmax(x, tau=0.7)),
        "logsumexp": (lambda: special.logsumexp(x / 0.7, axis=-1), lambda: core.logsumexp(x, tau=0.7)),
        "softmax at 0": (lambda: special.softmax(x / 0.7, axis=-1), lambda: core.softmax(x, tau=0.0)),
        "softmax at infinity": (lambda: special.softmax(x / 0.7, axis=-1), lambda: core.softmax(x, tau=np.inf)),
        "softmax precise": (lambda: special.softmax(x / 0.7, axis=-1), lambda: core.softmax(x, tau=0.7, precise=True)),
    }
    for name, works in pairs.items():
        theirs, ours = smallest_times(works, repeats, 20)
        yield f"{name} float64 (2000, 10)", theirs / x.size * 1e9, ours / x.size * 1e9, np.nan


def cpu() -> str:
    """Return the name of the processor."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=40)
    repeats = parser.parse_args().repeats
    print(f"{cpu()}; Python {platform.python_version()}, NumPy {np.__version__}, SciPy {scipy.__version__}\n")
    print(
        f"| {'work':48} | {'SciPy':>8} | {'core':>8} | {'ratio':>6} | {'floor':>5} |\n|{'-' * 50}|---:|---:|---:|---:|"
    )
    for unit, table in (("ns per entry", batches), ("us per call", calls), ("ns per entry", others)):
        for name, theirs, ours, floor in table(repeats):
            least = "" if np.isnan(floor) else f"{floor}x"
            work = f"{name}, {unit}"
            print(f"| {work:48} | {theirs:8.2f} | {ours:8.2f} | {theirs / ours:5.2f}x | {least:>5} |")


if __name__ == "__main__":
    main()
