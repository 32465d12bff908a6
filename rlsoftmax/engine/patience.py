"""Waiting for foreign code, but not for ever.

Foreign code is called by a thread that can be left behind: whoever plays watches it from another thread, and starts a
new one that goes on when a call takes too long. Python cannot end a thread that waits inside the system; such a thread
stays until the process ends, but nothing it brings back is looked at. One that computes in Python is ended.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

TIMEOUT = 60.0  # seconds for one answer
Ticket = tuple[list[int], float]  # who is asked, emptied by whoever decides how the call ended; when it began


class Abandoned(SystemExit):
    """Ends a thread that was left behind, without a word."""


class Patience:
    """How long an answer may take; `waiting` is the call under way, set by the thread that makes it."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.wanted = seconds, True
        self.waiting: Ticket | None = None

    def over(self, ticket: Ticket) -> None:
        """Say that the answer is here. Raises Abandoned if nobody waits for it any more."""
        try:
            ticket[0].pop()  # atomic: either this thread gets it, or the one that watches
        except IndexError:
            raise Abandoned from None
        if not self.wanted:
            raise Abandoned

    def ask(self, who: int, question: Callable[..., Any], *about: Any, **options: Any) -> Any:
        """Return what foreign code answers, or raise what it raises. Raises Abandoned if nobody waits any more."""
        self.waiting = ticket = [who], monotonic()
        try:
            return question(*about, **options)
        finally:
            self.over(ticket)

    def left(self) -> float:
        """Return for how many seconds it is too early to give up."""
        waiting = self.waiting
        return self.seconds if waiting is None or not waiting[0] else waiting[1] + self.seconds - monotonic()

    def give_up(self) -> int | None:
        """Return who does not answer, if the call under way takes too long; from now on nobody waits for it."""
        waiting = self.waiting
        if waiting is None or waiting[1] + self.seconds > monotonic():
            return None
        try:
            return waiting[0].pop()
        except IndexError:
            return None


def watched(work: Callable[[], None], patience: Patience, give_up: Callable[[int], None]) -> None:
    """Do the work in a thread of its own; each time foreign code does not answer, `give_up(who)` and start it anew.

    work: called again after a hang, it must go on where it was. What it raises is raised here.
    """
    while True:
        worker = _Worker(work)
        worker.start()
        try:
            who = _wait(worker, patience)
        except BaseException:  # Ctrl-C: nobody wants to know any more
            patience.wanted = False
            worker.end()
            raise
        if who is None:
            break
        worker.end()
        give_up(who)
    if worker.error is not None:
        raise worker.error


def _wait(worker: _Worker, patience: Patience) -> int | None:
    """Return who did not answer, or None when the work is done."""
    while not worker.done.wait(min(max(patience.left(), 0.001), 3600.0)):
        who = patience.give_up()
        if who is not None:
            return who
    return None


class _Worker(threading.Thread):
    """A thread that can be left behind."""

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__(daemon=True, name="stepping")
        self.work, self.done = work, threading.Event()
        self.error: BaseException | None = None

    def run(self) -> None:
        """Do the work."""
        try:
            self.work()
        except Abandoned:
            return  # whoever watched has gone
        except BaseException as error:  # noqa: BLE001 - raised again by whoever watches
            self.error = error
        self.done.set()

    def end(self) -> None:
        """Ask the interpreter to end the thread; one that waits inside the system does not hear it.

        Under a debugger nobody is asked: CPython 3.11 stands still when it traces calls while such a wish is open.
        """
        if self.ident is not None and self.is_alive() and sys.gettrace() is None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self.ident), ctypes.py_object(Abandoned))
