"""Compile some kinds in another process, while this one compiles the others: one process compiles one kind at a time.

The other process leaves its kernels in the kernel cache, from where this one loads them. Whatever goes wrong there only
means that the kind is compiled here.

    python -m rlsoftmax.experiment.ahead < one configuration per line
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Sequence
from typing import IO

from rlsoftmax.component import is_shipped
from rlsoftmax.engine.fuse import is_kept
from rlsoftmax.engine.kernels import writable
from rlsoftmax.engine.prepare import prepare
from rlsoftmax.engine.setup import Setup
from rlsoftmax.errors import RlsoftmaxError
from rlsoftmax.experiment.plan import PlannedCell
from rlsoftmax.experiment.setups import setup_of
from rlsoftmax.experiment.spec import experiment


class Ahead:
    """Another process that compiles every second kind that is not kept yet."""

    def __init__(self, kinds: Sequence[tuple[PlannedCell, Setup]]) -> None:
        cold = [n for n, (_, setup) in enumerate(kinds) if not is_kept(setup.kind)]
        sent = [n for n in cold[1::2] if _is_ours(kinds[n][1])] if writable() else []
        self._place = {n: order for order, n in enumerate(sent)}
        self._done = 0
        self._process = _start([kinds[n][0] for n in sent]) if sent else None

    def wait(self, n: int) -> None:
        """Wait until the other process is done with kind number `n`, if that is its task."""
        while self._process is not None and self._done <= self._place.get(n, -1):
            if not _stream(self._process.stdout).readline():
                break
            self._done += 1

    def close(self) -> None:
        """End the other process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            _stream(self._process.stdout).close()


def _is_ours(setup: Setup) -> bool:
    """Another process can build shipped components from their configuration; others may live in a notebook."""
    return all(is_shipped(type(part)) for part in setup.parts)


def _start(cells: Sequence[PlannedCell]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", __spec__.name]
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nothing, text=True)
    with _stream(process.stdin) as lines:
        for cell in cells:
            lines.write(json.dumps(cell.config) + "\n")
    return process


def _stream(stream: IO[str] | None) -> IO[str]:
    assert stream is not None  # asked for as a pipe
    return stream


def main(lines: Sequence[str]) -> None:
    """Compile the kind of each configuration, and say so, one line each."""
    for line in lines:
        with contextlib.suppress(RlsoftmaxError):  # the first process will say what is wrong
            prepare(setup_of(experiment(json.loads(line))))
        sys.stdout.write("done\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.stdin.read().splitlines())
