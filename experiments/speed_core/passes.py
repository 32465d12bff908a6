"""How fast could float32 be in plain NumPy? `python experiments/speed_core/passes.py` times each pass alone, in cache.

An error of half an ulp in float32 needs a float64 exponential. Whatever the order, a batch is then widened, its maximum
is found and subtracted (in short rows the first value stands for it), the gaps are scaled, exponentiated and added up,
and the quotients are rounded. The sum of the fastest time of each pass, without a line of Python around them, is what
no arrangement of them can beat.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from speed_core import FLOORS, scipy_softmax, smallest_times

from rlsoftmax import core
from rlsoftmax.core.blocks import BLOCK, SHORT

SIZES = (1 << 13, 1 << 14, 1 << 15, BLOCK)
ROUNDS = 40


def passes(shape: tuple[int, int], size: int) -> dict[str, Callable[[], object]]:
    """Return the passes over a block of about `size` entries; short rows lie on their side, as in the core."""
    entries, rows = shape[1], max(1, min(shape[0], size // shape[1]))
    sideways = entries <= SHORT
    x = np.random.default_rng(0).standard_normal((rows, min(entries, size))).astype(np.float32)
    out, axis = np.empty_like(x), 0 if sideways else 1
    values, result = (x.T, out.T) if sideways else (x, out)
    wide, gaps, weights = (np.array(values, np.float64, order="C") for _ in range(3))
    gaps -= gaps.max()
    best, total = wide.max(axis, keepdims=True), np.ones_like(wide.max(axis, keepdims=True))
    search = {} if sideways else {"maximum": partial(np.maximum.reduce, x, axis=axis, keepdims=True)}
    some = slice(1, None) if sideways else slice(None)  # the weight of the first value is 1
    return {
        "widen": partial(np.copyto, wide, values),
        **search,
        "subtract": partial(np.subtract, wide[some], best, out=wide[some]),
        "scale": partial(np.multiply, gaps[some], 1.0, out=gaps[some]),
        "exponential": partial(np.exp2, gaps[some], out=weights[some]),
        "add up": partial(np.add.reduce, weights[some], axis=axis, keepdims=True),
        "divide and round": partial(np.multiply, weights, total, out=result, casting="same_kind"),
    }


def least(shape: tuple[int, int]) -> dict[str, float]:
    """Return nanoseconds per entry of each pass, at the size of block that suits it best."""
    found: dict[str, float] = {}
    for size in SIZES:
        works = passes(shape, size)
        entries = min(shape[0], max(1, size // shape[1])) * min(shape[1], size)
        times = smallest_times(tuple(works.values()), ROUNDS, 20)
        for name, seconds in zip(works, times, strict=True):
            found[name] = min(found.get(name, np.inf), seconds / entries * 1e9)
    return found


def main() -> None:
    """Print one row per shape."""
    names = tuple(passes((2, SHORT + 1), 4))
    print(f"| float32, ns per entry | {' | '.join(names)} | all passes | core | SciPy | passes alone | core | floor |")
    print(f"|---|{'---:|' * (len(names) + 6)}")
    for shape, floor in FLOORS["float32"].items():
        x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
        works = (partial(scipy_softmax, x), partial(core.softmax, x, tau=0.7))
        theirs, ours = (s / x.size * 1e9 for s in smallest_times(works, ROUNDS, max(1, 400000 // x.size)))
        each = least(shape)
        total = sum(each.values())
        cells = " | ".join(f"{each.get(name, 0.0):.2f}" for name in names)
        ratios = f"{theirs / total:.2f}x | {theirs / ours:.2f}x | {floor:.1f}x"
        print(f"| {shape} | {cells} | {total:.2f} | {ours:.2f} | {theirs:.2f} | {ratios} |")


if __name__ == "__main__":
    main()
