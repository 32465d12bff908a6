"""How fast could a loop for one kind alone be? Q-learning on a Gymnasium table, written by hand for nothing else.

It uses our luck, our softmax and our draw, in our layout, and leaves out all that makes them useful: no episode is
counted, no curve, no snapshot, no greedy score, no schedule. What remains is the least that this design can cost.
One number says both where a step leads and where an episode begins: right where one of the two is certain, as here.
"""

import functools

import numba
import numpy as np

from rlsoftmax import contracts
from rlsoftmax.engine import stages
from rlsoftmax.engine.link import compiled
from rlsoftmax.shelf import find

ALPHA, GAMMA = 0.1, 0.99


@functools.cache
def _loop():
    draw, gather, weigh, pick, from_front = (
        compiled(stage)
        for stage in (stages.draw_uniforms, stages.gather, stages.boltzmann, stages.pick, contracts.from_front)
    )

    @numba.njit(error_model="numpy", nogil=True)
    def loop(steps, limit, table, run, temperature, value, state, age, rows, weights, lanes):
        below, after, reward, final, first = table
        luck, chance, gain, total, best, scale = lanes
        action = np.zeros(run.size, np.int64)
        for t in range(steps):
            draw(0, run, t, 0, luck, chance)
            gather(value, 0, state, rows)
            weigh(rows, temperature, weights, total, best, scale)
            pick(weights, total, luck, best, scale, action)
            for l in range(run.size):
                s, a = from_front(state[l]), from_front(action[l])
                i = (s * below.shape[1] + a) * below.shape[2]
                for m in range(below.shape[2] - 1):
                    i += 1 if chance[l] >= below[s, a, m] else 0
                i = from_front(i)
                there, paid, end = from_front(after[i]), reward[i], final[i]
                highest = value[l, there, 0]
                for k in range(1, rows.shape[0]):
                    highest = max(highest, value[l, there, k])
                target = paid if end else paid + GAMMA * highest
                value[l, s, a] += ALPHA * (target - value[l, s, a])
                gain[l] += paid
                if end or age[l] + 1 >= limit:
                    state[l], age[l] = first[int(chance[l] * first.size)], 0
                else:
                    state[l], age[l] = there, age[l] + 1

    return loop


def q_learning(env_id: str, runs: int, steps: int, tau: float) -> int:
    """Play some runs side by side; return the number of agent steps."""
    env = find("env", "gymnasium")(id=env_id)
    shared, lanes = env.shared(), 128
    table = tuple(shared[name] for name in ("below", "after", "reward", "final", "first"))
    for first in range(0, runs, lanes):
        run = np.arange(first, min(first + lanes, runs))
        state, age, n = np.zeros_like(run), np.zeros_like(run), len(run)
        rows, weights = np.zeros((2, env.actions, n))
        value, temperature = np.zeros((n, env.states, env.actions)), np.full(n, tau)
        _loop()(steps, env.limit, table, run, temperature, value, state, age, rows, weights, tuple(np.zeros((6, n))))
    return runs * steps
