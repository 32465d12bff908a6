"""A greedy policy in its real environment, as a moving picture."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from rlsoftmax.component import name_of
from rlsoftmax.contracts import Environment
from rlsoftmax.engine.stepped import one_line, seed_of
from rlsoftmax.errors import ConfigError, RunFailure
from rlsoftmax.store.data import Array, Floats

ENOUGH, MOST = 40, 150  # frames: no new episode begins after so many; an episode is cut there
FIRST, LAST = 600, 1200  # milliseconds that the first and the last frame of an episode stay
_QUIET = {"PYGAME_HIDE_SUPPORT_PROMPT": "1", "SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy"}


@dataclasses.dataclass(frozen=True, eq=False)
class Film:
    """Some episodes of a greedy policy.

    frames: uint8 [height, width, 3] each. pauses: milliseconds that each stays.
    returns: the sum of rewards of each episode. cut: whether the last one was still going on.
    """

    frames: tuple[Array, ...]
    pauses: tuple[int, ...]
    returns: tuple[float, ...]
    cut: bool

    def gif(self) -> bytes:
        """Return the file: it repeats for ever, and equal films are equal bytes."""
        from PIL import Image

        images = [Image.fromarray(frame).quantize(dither=Image.Dither.NONE) for frame in self.frames]
        file = io.BytesIO()
        images[0].save(file, format="GIF", save_all=True, append_images=images[1:], duration=list(self.pauses), loop=0)
        return file.getvalue()


def check_filmed(env: Environment) -> None:
    """Refuse an environment that draws nothing. Errors: ConfigError in one line."""
    if env.is_bandit():
        raise ConfigError(f"env {name_of(type(env))} is a bandit: there is nothing to watch but its figures.")
    if not hasattr(env, "drawn"):
        raise ConfigError(f"env {name_of(type(env))} draws no frames; environments of Gymnasium do: env=frozen_lake.")


def film(env: Any, values: Floats, seed: int, run: int) -> Film:
    """Return episodes of the greedy policy; ties are shared, so they are drawn.

    Args:
      env: a component that has `drawn`, a fresh environment of Gymnasium whose `render` returns frames.
      values: [states, actions]; the highest is taken.
      seed, run: decide the episodes, which are not those that the run learned from.

    Raises:
      ConfigError: if it draws no frames. RunFailure: if the environment raises.
    """
    check_filmed(env)
    word = seed_of(seed, run, 1)  # number 0 seeded the run itself
    with _quiet():
        made = env.drawn()
        try:
            return _Camera(made, env.numbering(), env.first_action).film(values, word)
        except ConfigError:
            raise
        except Exception as error:  # a foreign environment may raise anything
            raise RunFailure(f"{made.spec.id} failed while it was watched: {one_line(error)}.") from error
        finally:
            made.close()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Let pygame neither greet nor look for a screen."""
    before = {key: os.environ.get(key) for key in _QUIET}
    os.environ.update(_QUIET)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value


class _Camera:
    """Plays episodes and keeps the frames."""

    def __init__(self, made: Any, number: Callable[[Any], int], shift: int) -> None:
        self._made, self._number, self._shift = made, number, shift
        self._frames, self._pauses, self._returns = list[Array](), list[int](), list[float]()
        self._pause = round(1000.0 / (made.metadata.get("render_fps") or 4))

    def film(self, values: Floats, word: int) -> Film:
        rng, cut = np.random.default_rng(word), False
        observation, info = self._made.reset(seed=word)
        while not cut:
            cut = self._episode(values, rng, observation, info)
            if len(self._frames) >= ENOUGH:
                break
            observation, info = self._made.reset()
        return Film(tuple(self._frames), tuple(self._pauses), tuple(self._returns), cut)

    def _episode(self, values: Floats, rng: np.random.Generator, observation: Any, info: Any) -> bool:
        """Play one episode, and return whether it was cut."""
        self._keep(FIRST)
        self._returns.append(0.0)
        over = False
        while not over and len(self._frames) < MOST:
            action = greedy_action(values[self._number(observation)], info.get("action_mask"), rng)
            observation, reward, terminated, truncated, info = self._made.step(action + self._shift)
            self._returns[-1] += float(reward)
            over = terminated or truncated
            self._keep(LAST if over else self._pause)
        return not over

    def _keep(self, pause: int) -> None:
        frame = np.asarray(self._made.render())
        if frame.ndim != 3 or frame.dtype != np.uint8:
            raise ConfigError(f"{self._made.spec.id} draws {frame.dtype}{list(frame.shape)}, which is no picture.")
        self._frames.append(frame)
        self._pauses.append(pause)


def greedy_action(row: Floats, mask: Any, rng: np.random.Generator) -> int:
    """Return an action of the highest value; what a mask forbids is not among them.

    >>> greedy_action(np.array([1.0, 3.0, 2.0]), [1, 0, 1], np.random.default_rng(0))
    2
    """
    row = row if mask is None else np.where(np.asarray(mask, dtype=bool), row, -np.inf)
    return int(rng.choice(np.flatnonzero(row == row.max())))
