"""A map of cells, walls, and places that pay, end or throw back."""

import dataclasses
import functools
from typing import Annotated, Any, NamedTuple

import numpy as np

from rlsoftmax.component import Bound, Share
from rlsoftmax.contracts import Environment, Transitions
from rlsoftmax.errors import BadValue

UP, RIGHT, DOWN, LEFT = (-1, 0), (0, 1), (1, 0), (0, -1)  # actions 0, 1, 2, 3, as in Gymnasium's cliff
CLIFF = ("............", "............", "............", "SCCCCCCCCCCG")


class Gridworld(Environment):
    """Walk on a map: `#` is a wall, `S` a start, every other character a cell that can be entered.

    Actions: 0 up, 1 right, 2 down, 3 left; with probability `slip` the step goes to the left or the right of what was
    meant, each as often. Against a wall or the edge one stays. A step costs `cost`, but entering (or staying in) a cell
    whose character is in `rewards` pays that instead. Characters in `ends` end the episode, those in `throws` throw
    back to the first start. State = row columns + column; an episode begins in one of the starts, equally likely.

    Source: Sutton and Barto (2018), example 6.6: the cliff, which is the default.

    >>> grid = Gridworld(map=("S.", "#G"))
    >>> grid.states, [int(number) for number in grid.plan.after[0]]
    (4, [0, 1, 0, 0])
    """

    map: tuple[str, ...] = CLIFF
    cost: Annotated[float, Bound(), "reward units"] = 1.0
    rewards: dict[str, Any] = dataclasses.field(default_factory=lambda: {"C": -100})
    ends: str = "G"
    throws: str = "C"
    slip: Share = 0.0
    limit: Annotated[int, Bound(1), "steps"] = 200

    actions = 4
    suggested_temperature = 1.0

    def check(self):
        super().check()
        if not self.map or not all(isinstance(row, str) and len(row) == len(self.map[0]) for row in self.map):
            raise BadValue("map", list(self.map), "must be rows of characters, all of the same length")
        if "S" not in "".join(self.map):
            raise BadValue("map", list(self.map), "must have a start, S")
        if set("#S") & {*self.ends, *self.throws}:
            raise BadValue("ends", self.ends + self.throws, "and throws cannot have walls or starts")
        for symbol, reward in self.rewards.items():
            if len(symbol) != 1 or isinstance(reward, bool) or not isinstance(reward, (int, float)):
                raise BadValue("rewards", self.rewards, "must be a number for single characters of the map")
            if not np.isfinite(reward):
                raise BadValue("rewards", self.rewards, "must be finite")

    @property
    def states(self):
        return len(self.map) * len(self.map[0])

    @property
    def plan(self):
        rewards = tuple(sorted((symbol, float(reward)) for symbol, reward in self.rewards.items()))
        return plan_of(self.map, self.cost, rewards, self.ends, self.throws)

    @property
    def value_scale(self):
        return float(np.abs(self.plan.pay).max())

    def shared(self):
        return self.plan._asdict()

    def start(self, starts, uniform):
        return starts[int(uniform * starts.size)]

    def step(self, after, pay, final, state, action, uniform):
        way = action
        if uniform < self.slip:
            way = (action + 1) % 4 if uniform < 0.5 * self.slip else (action + 3) % 4
        return after[state, way], pay[state, way], final[state, way]

    def success(self, terminated):
        return terminated

    def transitions(self):
        plan, ways = self.plan, np.array([[a, (a + 1) % 4, (a + 3) % 4] for a in range(4)])
        chance = np.broadcast_to([1.0 - self.slip, 0.5 * self.slip, 0.5 * self.slip], (self.states, 4, 3))
        first = np.bincount(plan.starts, minlength=self.states) / plan.starts.size
        return Transitions(chance, plan.after[:, ways], plan.pay[:, ways], plan.final[:, ways], first)


class Plan(NamedTuple):
    """Where a step in each direction leads: arrays [states, 4]; and the states in which an episode begins."""

    after: Any
    pay: Any
    final: Any
    starts: Any


@functools.lru_cache(maxsize=16)
def plan_of(rows: tuple[str, ...], cost: float, rewards: tuple[Any, ...], ends: str, throws: str) -> Plan:
    """Return what the map says, step by step."""
    width, cells, pays = len(rows[0]), "".join(rows), dict(rewards)
    starts = np.array([state for state, cell in enumerate(cells) if cell == "S"])
    shape = (len(cells), 4)
    after, pay, final = np.zeros(shape, np.int64), np.zeros(shape), np.zeros(shape, np.bool_)
    for state in range(len(cells)):
        for way, move in enumerate((UP, RIGHT, DOWN, LEFT)):
            there = neighbour(rows, state // width, state % width, move)
            pay[state, way] = pays.get(cells[there], -cost)
            final[state, way] = cells[there] in ends
            after[state, way] = starts[0] if cells[there] in throws else there
    return Plan(after, pay, final, starts)


def neighbour(rows: tuple[str, ...], row: int, column: int, move: tuple[int, int]) -> int:
    """Return the state that a move leads to: the same one if there is a wall or the edge."""
    down, right = row + move[0], column + move[1]
    inside = 0 <= down < len(rows) and 0 <= right < len(rows[0])
    if not inside or rows[down][right] == "#":
        down, right = row, column
    return down * len(rows[0]) + right
