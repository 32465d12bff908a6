"""Ctrl-C: what is finished is kept."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Signals:
    """SIGINT and SIGTERM: while runs are played they set `stop`, which ends them between windows; else, and the second
    time, they interrupt at once.
    """

    def __init__(self) -> None:
        self.stop, self.playing = threading.Event(), False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        if self.stop.is_set() or not self.playing:
            raise KeyboardInterrupt
        self.stop.set()

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Listen; before heavy imports, so that an early Ctrl-C is answered in one line too."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
