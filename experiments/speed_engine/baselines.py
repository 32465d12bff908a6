"""What people write by hand: the same work, in the usual ways. Every function returns the number of agent steps."""

import math
import random

import numpy as np

ARMS = 10


def plain_python(runs: int, steps: int, tau: float) -> int:
    """Lists and the standard library, one run at a time."""
    rng = random.Random(0)
    for _ in range(runs):
        mean = [rng.gauss(0.0, 1.0) for _ in range(ARMS)]
        value, count = [0.0] * ARMS, [0] * ARMS
        for _ in range(steps):
            best = max(value)
            weights = [math.exp((v - best) / tau) for v in value]
            threshold, action = rng.random() * sum(weights) - weights[0], 0
            while threshold >= 0.0 and action < ARMS - 1:
                action += 1
                threshold -= weights[action]
            reward = rng.gauss(mean[action], 1.0)
            count[action] += 1
            value[action] += (reward - value[action]) / count[action]
    return runs * steps


def tutorial_numpy(runs: int, steps: int, tau: float) -> int:
    """The loop of most tutorials: NumPy on ten numbers, and `choice(p=...)`."""
    rng = np.random.default_rng(0)
    for _ in range(runs):
        mean, value, count = rng.normal(size=ARMS), np.zeros(ARMS), np.zeros(ARMS)
        for _ in range(steps):
            weights = np.exp((value - value.max()) / tau)
            action = rng.choice(ARMS, p=weights / weights.sum())
            reward = rng.normal(mean[action], 1.0)
            count[action] += 1
            value[action] += (reward - value[action]) / count[action]
    return runs * steps


def vectorised_numpy(runs: int, steps: int, tau: float) -> int:
    """Well-vectorised NumPy: all runs at once, arms first, in place; the hand-written limit without a compiler."""
    rng = np.random.default_rng(0)
    mean = rng.normal(size=(ARMS, runs))
    value, count, weights = np.zeros((ARMS, runs)), np.zeros((ARMS, runs)), np.empty((ARMS, runs))
    everyone, best, below = np.arange(runs), np.empty(runs), np.empty((ARMS, runs))
    uniform, reward = np.empty(runs), np.empty(runs)
    for _ in range(steps):
        np.max(value, axis=0, out=best)
        np.subtract(value, best, out=weights)
        np.divide(weights, tau, out=weights)
        np.exp(weights, out=weights)
        np.cumsum(weights, axis=0, out=below)
        rng.random(out=uniform)
        np.multiply(uniform, below[-1], out=uniform)
        action = (below <= uniform).sum(axis=0)
        rng.standard_normal(out=reward)
        reward += mean[action, everyone]
        count[action, everyone] += 1.0
        value[action, everyone] += (reward - value[action, everyone]) / count[action, everyone]
    return runs * steps


def gymnasium_loop(name: str, kwargs: dict, steps: int, tau: float) -> int:
    """Q-learning as in the tutorials: `env.step`, a softmax in NumPy, `choice(p=...)`."""
    import gymnasium

    env, rng = gymnasium.make(name, **kwargs), np.random.default_rng(0)
    value = np.zeros((env.observation_space.n, env.action_space.n))
    state, _ = env.reset(seed=0)
    for _ in range(steps):
        weights = np.exp((value[state] - value[state].max()) / tau)
        action = rng.choice(value.shape[1], p=weights / weights.sum())
        there, reward, terminated, truncated, _ = env.step(action)
        target = reward if terminated else reward + 0.99 * value[there].max()
        value[state, action] += 0.1 * (target - value[state, action])
        state = env.reset()[0] if terminated or truncated else there
    return steps
