"""Studies made by a few lines of NumPy instead of the engine: the ten-armed testbed, and episodes on a small lake."""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np

from rlsoftmax.store.data import CellData, Failure, Score, StudyData

EDGES = np.array([0, 1, 2, 3, 4, 6, 8, 11, 15, 21, 29, 40, 55, 76, 105, 145, 200])


def ten_arms(runs=12, steps_of=EDGES, temperatures=(0.0625, 0.25, 1.0, 4.0), epsilons=(), bonuses=(), axis="tau"):
    """Return a study of sample averages on ten normal arms; run i of every cell has the same arms and noise."""
    cells = [_boltzmann(axis, t, runs, steps_of) for t in temperatures]
    cells += [_rival("epsilon_greedy", "epsilon", value, runs, steps_of) for value in epsilons]
    cells += [_rival("ucb", "c", value, runs, steps_of) for value in bonuses]
    axes = (axis, *(("policy",) if epsilons or bonuses else ()))
    axes += (("policy.epsilon",) if epsilons else ()) + (("policy.c",) if bonuses else ())
    return StudyData("simulated", tuple(cells), axes, runs, None, "rlsoftmax sweep env=testbed tau=1/16,1/4,1,4")


def _boltzmann(axis, number, runs, edges):
    temperature = number if axis == "tau" else np.inf if number == 0 else 1.0 / number
    return _cell({"name": "boltzmann"}, {axis: float(number)}, runs, edges, temperature)


def _rival(policy, field, value, runs, edges):
    overrides = {"policy": policy, f"policy.{field}": float(value)}
    return _cell({"name": policy, field: float(value)}, overrides, runs, edges, None)


def _cell(policy, overrides, runs, edges, temperature):
    arrays = _play(policy, temperature, runs, edges)
    config = {
        "env": {"name": "gaussian_bandit", "arms": 10}, "agent": {"name": "sample_average"}, "policy": policy,
        "steps": int(edges[-1]), "seed": 0,
    }  # fmt: skip
    if temperature is not None:
        config["tau"] = {"name": "constant", "value": temperature}
    return CellData(
        hashlib.sha256(repr(overrides).encode()).hexdigest(), config, overrides, np.asarray(edges),
        _looks(edges), Score("reward", 0, int(edges[-1])), np.arange(runs), arrays,
    )  # fmt: skip


def _looks(edges):
    return np.unique([0, edges[-1] // 2, edges[-1] - 1])


def _play(policy, temperature, runs, edges):
    rng = np.random.default_rng(0)
    mean, steps, rows = rng.standard_normal((runs, 10)), int(edges[-1]), np.arange(runs)
    value, count = np.zeros((runs, 10)), np.zeros((runs, 10))
    reward, regret, optimal = (np.zeros((runs, steps)) for _ in range(3))
    seen, worth = [], []
    for step in range(steps):
        chances = _chances(policy, temperature, value, count, step)
        if step in _looks(edges):
            worth.append((mean[rows, value.argmax(axis=1)], (chances * mean).sum(axis=1)))
        luck, noise = rng.random(runs), rng.standard_normal(runs)
        action = np.minimum((np.cumsum(chances, axis=1) < luck[:, None]).sum(axis=1), 9)
        reward[:, step] = mean[rows, action] + noise
        regret[:, step] = mean.max(axis=1) - mean[rows, action]
        optimal[:, step] = action == mean.argmax(axis=1)
        count[rows, action] += 1
        value[rows, action] += (reward[:, step] - value[rows, action]) / count[rows, action]
        if step in _looks(edges):
            logs = np.log(np.where(chances > 0, chances, 1.0))
            seen.append(np.exp(-(chances * logs).sum(axis=1)))
    sums = {name: np.add.reduceat(array, edges[:-1], axis=1) for name, array in
            (("reward", reward), ("regret", regret), ("optimal", optimal))}  # fmt: skip
    sums["snapshot/effective_actions"] = np.stack(seen, axis=1)
    sums["snapshot/value_greedy"], sums["snapshot/value_behaviour"] = np.stack(worth, axis=2)
    if temperature is not None:
        sums["snapshot/temperature"] = np.full((runs, len(seen)), temperature)
    return sums | {"score/greedy": mean[rows, value.argmax(axis=1)]}


def _chances(policy, temperature, value, count, step):
    best = value == value.max(axis=1, keepdims=True)
    greedy = best / best.sum(axis=1, keepdims=True)
    if policy["name"] == "epsilon_greedy":
        return (1 - policy["epsilon"]) * greedy + policy["epsilon"] / 10
    if policy["name"] == "ucb":
        value = np.where(count > 0, value + policy["c"] * np.sqrt(np.log(step + 1) / np.maximum(count, 1)), 1e9)
        return _chances({"name": "greedy"}, 0.0, value, count, step)
    if temperature == 0.0:
        return greedy
    weights = np.exp((value - value.max(axis=1, keepdims=True)) / temperature)
    return weights / weights.sum(axis=1, keepdims=True)


def lake(runs=12, bins=20, temperatures=(2**-8, 2**-6, 2**-4, 2**-2), agents=("q_learning", "sarsa"), extra=None):
    """Return a study of episodes that succeed more often at middling temperatures; some bins have no episode."""
    edges = np.linspace(0, 2000, bins + 1).astype(np.int64)
    cells = [
        _lake_cell(agent, temperature, alpha, runs, edges)
        for agent in agents
        for alpha in (extra or (None,))
        for temperature in temperatures
    ]
    axes = (*(("agent",) if len(agents) > 1 else ()), *(("agent.alpha",) if extra else ()), "tau")
    return StudyData("lake", tuple(cells), axes, runs, None, "rlsoftmax sweep env=frozen_lake tau=1/256,1/64,1/16,1/4")


def _lake_cell(agent, temperature, alpha, runs, edges):
    rng, bins = np.random.default_rng(1), len(edges) - 1
    episodes = rng.poisson(2.0, (runs, bins)).astype(np.float64)  # e^-2: one bin in seven has none
    skill = {"q_learning": 0.7, "sarsa": 0.5}[agent] * np.exp(-((np.log2(temperature) + 5.0) ** 2) / 8.0)
    skill *= 1.0 if alpha is None else 1.0 - (np.log2(alpha) + 1.0) ** 2 / 20.0
    won = rng.binomial(episodes.astype(np.int64), skill * np.linspace(0.2, 1.0, bins)).astype(np.float64)
    arrays = {
        "reward": won, "episodes": episodes, "return": won, "length": 20.0 * episodes, "success": won,
        "score/greedy": np.clip(skill + 0.1 * rng.standard_normal(runs), 0.0, 1.0),
        "snapshot/effective_actions": np.full((runs, 2), 2.0), "snapshot/temperature": np.full((runs, 2), temperature),
    }  # fmt: skip
    own = {"agent": agent} | ({} if alpha is None else {"agent.alpha": alpha}) | {"tau": temperature}
    config = {
        "env": {"name": "gymnasium", "id": "FrozenLake-v1"}, "agent": {"name": agent, "alpha": alpha or 0.1},
        "policy": {"name": "boltzmann"}, "tau": {"name": "constant", "value": temperature},
        "steps": int(edges[-1]), "seed": 0,
    }  # fmt: skip
    return CellData(
        hashlib.sha256(repr(own).encode()).hexdigest(), config, own, edges, np.array([0, edges[-1] - 1]),
        Score("return", 0, int(edges[-1])), np.arange(runs), arrays,
    )  # fmt: skip


def union(**options):
    """Return temperatures beside two kinds of rivals."""
    return ten_arms(epsilons=(1 / 32, 1 / 8), bonuses=(0.5, 1.0), **options)


def grid(**options):
    """Return one agent over temperature and step size."""
    return lake(agents=("q_learning",), extra=(0.25, 0.5, 1.0), **options)


SCHEDULES = ("exponential", "inverse_time", "glie", "vdbe")


def named(agents=("q_learning", "sarsa", "expected_sarsa", "double_q"), schedules=SCHEDULES):
    """Return a study in which names were swept, and no number; two of the schedules follow the run."""
    plain = lake(agents=("q_learning",)).cells
    cells = [_named(plain[at % 4], a, s, 0.01 * at) for a in agents for at, s in enumerate(schedules, agents.index(a))]
    return StudyData("named", tuple(cells), ("agent", "tau"), 12, None, f"rlsoftmax sweep tau={','.join(schedules)}")


def _named(cell, agent, schedule, more):
    rng = np.random.default_rng(2)
    heat = 10.0 ** rng.uniform(-9, 0, (12, 2)) if schedule in ("glie", "vdbe") else np.full((12, 2), 0.5)
    heat[:2] = [[0.0, np.inf]] if schedule == "glie" else heat[:2]
    arrays = {**cell.arrays, "snapshot/temperature": heat, "return": cell.arrays["return"] * (1.0 + more)}
    own, parts = {"agent": agent, "tau": schedule}, {"agent": {"name": agent}, "tau": {"name": schedule}}
    name = hashlib.sha256(repr(own).encode()).hexdigest()
    return dataclasses.replace(cell, id=name, overrides=own, config={**cell.config, **parts}, arrays=arrays)


def conditions():
    """Return the same temperatures in two environments."""
    many = ten_arms()
    few = [dataclasses.replace(c, id=c.id[::-1], overrides={"env.arms": 2, **c.overrides}) for c in many.cells]
    every = [dataclasses.replace(c, overrides={"env.arms": 10, **c.overrides}) for c in many.cells]
    return dataclasses.replace(many, cells=(*few, *every), axes=("env.arms", *many.axes))


def broken():
    """Return a study with two failed runs and three that are missing; its first cell has no run at all."""
    study = ten_arms()
    first, second, *rest = study.cells
    empty = dataclasses.replace(first, runs=first.runs[:0], snapshot_steps=first.snapshot_steps[:0], arrays={})
    fewer = dataclasses.replace(
        second, runs=second.runs[:7], arrays={k: v[:7] for k, v in second.arrays.items()},
        failures=(Failure(8, 17, 0, 3, "reward is NaN"), Failure(9, 3, 0, 1, "reward is NaN")),
    )  # fmt: skip
    return dataclasses.replace(study, cells=(empty, fewer, *rest))


def half_done(study, cells=4):
    """Return a study of whose first cells no run is there and one failed."""
    empty = [dataclasses.replace(cell, runs=cell.runs[:0], arrays={}) for cell in study.cells[:cells]]
    failed = [dataclasses.replace(cell, failures=(Failure(0, 1, 0, 0, "NaN"),)) for cell in empty]
    return dataclasses.replace(study, cells=(*failed, *study.cells[cells:]))
