"""Arrays that are made once and shared: the last answers of a function are remembered, within bounds of memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import numpy.typing as npt

Arrays = Mapping[str, npt.NDArray[Any]]


class Kept:
    """A function of hashable arguments that returns arrays by name, which nobody may write into.

    Its last answers are remembered, at most `most` and, all but the last, at most `room` bytes of them.

    >>> import numpy as np
    >>> zeros = Kept(lambda n: {"zeros": np.zeros(n)}, most=8, room=1000)
    >>> zeros(3) is zeros(3), zeros(3)["zeros"].flags.writeable
    (True, False)
    """

    def __init__(self, make: Callable[..., Arrays], most: int, room: int) -> None:
        self.__doc__ = make.__doc__
        self._make, self._most, self._room = make, most, room
        self._lock, self._making = threading.Lock(), threading.RLock()
        self._answers: dict[tuple[Hashable, ...], Arrays] = {}  # the oldest first

    def __call__(self, *key: Hashable) -> Arrays:
        """Return the arrays for these arguments."""
        if (known := self._known(key)) is not None:
            return known
        with self._making:  # what two threads ask for at a time is made once
            known = self._known(key)
            return self._made(key) if known is None else known

    def _known(self, key: tuple[Hashable, ...]) -> Arrays | None:
        with self._lock:
            if (known := self._answers.pop(key, None)) is not None:
                self._answers[key] = known  # the newest now
            return known

    def _made(self, key: tuple[Hashable, ...]) -> Arrays:
        arrays = self._make(*key)
        for array in arrays.values():
            array.flags.writeable = False
        with self._lock:
            self._answers[key] = arrays
            while len(self._answers) > 1 and (len(self._answers) > self._most or self._bytes() > self._room):
                del self._answers[next(iter(self._answers))]
        return arrays

    def _bytes(self) -> int:
        return sum(array.nbytes for arrays in self._answers.values() for array in arrays.values())

    def clear(self) -> None:
        """Forget all answers."""
        with self._lock:
            self._answers.clear()
