"""What does a real environment cost beside itself? Microseconds per step above `env.step`, and of nothing but the loop.

    python experiments/speed_engine/stepped.py [rounds]

Uniform play on both sides, so that episodes are as long: Q-learning with an infinite temperature, from a plan to the
rows that are stored, against a plain loop over `env.step` and `env.reset` with actions drawn in advance. One process,
one thread, processor time; designs take turns and the smallest time counts.
"""

import sys
import time
from collections.abc import Callable

import gymnasium
import numpy as np
from gymnasium import spaces
from speed_engine import nanoseconds, ours, row

STEPS = 20_000  # of all runs together


class Nothing(gymnasium.Env):
    """Ten states in a ring; it costs as little as an environment can."""

    observation_space, action_space = spaces.Discrete(10), spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[int, dict]:
        """Begin at state 0."""
        self.state = 0
        return 0, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict]:
        """Go one way or the other."""
        self.state = (self.state + 2 * action - 1) % 10
        return self.state, 1.0, False, False, {}


def bare(name: str) -> Callable[[], int]:
    """Return the plain loop."""

    def play() -> int:
        env = gymnasium.make(name, disable_env_checker=True)
        env.reset(seed=0)
        for action in np.random.default_rng(0).integers(0, env.action_space.n, STEPS).tolist():
            _, _, end, cut, _ = env.step(action)
            if end or cut:
                env.reset()
        return STEPS

    return play


def main(rounds: int) -> None:
    """Print one row per environment and number of runs."""
    gymnasium.register("Nothing-v0", Nothing, max_episode_steps=100)
    for name in ("Blackjack-v1", "Nothing-v0"):
        work = {"env": "gymnasium", "env.id": name, "agent": "q_learning", "record.snapshots": 0}
        for runs in (1, 16, 64):
            mine = ours(runs, STEPS // runs, 1, [float("inf")], **work)
            found = nanoseconds(rounds, time.process_time, bare=bare(name), ours=mine)
            floor = ("<= 5", "2") if runs >= 16 else ("", "")
            row(f"{name}, {runs} runs: us per step above env.step", (found["ours"] - found["bare"]) / 1000.0, *floor)
        row(f"{name}: us of env.step itself", found["bare"] / 1000.0)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 3)
