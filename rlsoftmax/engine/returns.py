"""What a policy earns in an episode, from the table of an environment: exact, undiscounted."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rlsoftmax.contracts import Transitions, from_front, highest
from rlsoftmax.engine.link import compiled
from rlsoftmax.engine.setup import Array
from rlsoftmax.engine.stages import copy


def expected_return(policy: Array, table: Transitions, limit: int) -> Array:
    """Return [lane]: the expected sum of rewards of an episode cut after `limit` steps, by backward recursion.

    policy: [lane, states, actions].
    """
    return Returns(table, limit).of(policy)


class Returns:
    """What policies earn in the episodes of one table; it is looked at once, however many there are."""

    def __init__(self, table: Transitions, limit: int) -> None:
        every = np.ones(table.chance.shape[:2], np.bool_)
        self._met, self._limit = np.flatnonzero(reached(table, every)), limit  # of Taxi's 500 states 400
        self._table = _among(table, self._met)
        rule: Any = look_back
        self._room, self._look_back = new_room(*self._table.chance.shape), compiled(rule)

    def of(self, policy: Array) -> Array:
        """Return [lane]: the expected return of policies [lane, states, actions]."""
        return self._found(policy, np.arange(len(policy)), False)

    def of_greedy(self, values: Array, lanes: Array) -> Array:
        """Return the same of always taking the best action, ties shared, by some lanes of [lane, states, actions]."""
        return self._found(values, lanes, True)

    def _found(self, rows: Array, lanes: Array, greedy: bool) -> Array:
        found, rows = np.empty(len(lanes)), np.ascontiguousarray(rows)  # one layout, one kernel
        self._look_back(rows, lanes, greedy, self._met, self._table, self._limit, found, self._room)
        return found


class Room(NamedTuple):
    """The ways of one policy from state to state.

    States are put in an order of their own, those with many ways first. The first ways of all that have one lie side by
    side, then the second ones, and so on, so that each of them is one long loop.
    """

    policy: Array  # [states, actions]
    begin: Array  # int64 [states + 1]: the ways of state s are begin[s] up to begin[s + 1] of the next two
    there: Array  # int64 [ways]: where it leads, ascending within a state
    chance: Array  # [ways]
    gain: Array  # [states]: what a step gains
    order: Array  # int64 [states]: which state comes i-th
    place: Array  # int64 [states]: as which i a state comes
    wide: Array  # int64 [ways of one state]: how many states have an n-th way
    column: Array  # int64 [ways], side by side: where it leads, as i
    share: Array  # [ways]: its chance
    paid: Array  # [states], in order: the gain
    now: Array  # [states]: values with one step more than `before`
    before: Array
    drift: Array  # now - before


def new_room(states: int, actions: int, outcomes: int) -> Room:
    """Return room for any policy."""
    ways = states * actions * outcomes
    begin, (there, column), (order, place), wide = (
        np.zeros(shape, np.int64) for shape in (states + 1, (2, ways), (2, states), actions * outcomes)
    )
    (chance, share), (gain, paid, *values) = np.zeros((2, ways)), np.zeros((5, states))
    policy = np.zeros((states, actions))
    return Room(policy, begin, there, chance, gain, order, place, wide, column, share, paid, *values)


def look_back(
    rows: Array, lanes: Array, greedy: bool, met: Array, table: Transitions, limit: int, found: Array, room: Room
) -> None:
    """Fill found[i]: what lane lanes[i] gains in `limit` steps; rows[lane, state, action] are policies, or values.

    greedy: whether they are values, of which the best is taken. met: int64, which states the table has.
    """
    for l in range(found.size):
        for s in range(met.size):
            row = rows[from_front(lanes[l]), from_front(met[s])]
            if greedy:
                take_best(row, room.policy[s])
            else:
                copy(row, room.policy[s])
        list_ways(room.policy, table, room)
        put_side_by_side(room)
        now, before = room.now, room.before
        for i in range(now.size):
            now[i], room.drift[i] = 0.0, 0.0
        left, steady = limit, False
        while left > 0 and not steady:
            now, before = before, now
            steady = add_step(room, before, now)
            left -= 1
        total = 0.0
        for s in range(now.size):
            i = from_front(room.place[s])
            total += table.first[s] * (now[i] + left * room.drift[i])
        found[l] = total


def take_best(values: Array, policy: Array) -> None:
    """Fill a policy that takes the best action; ties share. Where a value is NaN, so is the policy."""
    best, total, ties = highest(values), 0.0, 0.0
    for a in range(values.size):
        total += values[a]
        ties += 1.0 if values[a] == best else 0.0
    share = 1.0 / ties if total == total else np.nan
    for a in range(values.size):
        policy[a] = share * (1.0 if values[a] == best else 0.0)


def list_ways(policy: Array, table: Transitions, room: Room) -> None:
    """List the ways on which an episode goes on, and what the first step gains; equal ways are one."""
    states, actions, outcomes = table.chance.shape
    end = 0
    for s in range(states):
        room.begin[s], room.gain[s] = end, 0.0
        for a in range(actions):
            if policy[s, a] != 0.0:
                for j in range(outcomes):
                    chance = policy[s, a] * table.chance[s, a, j]
                    room.gain[s] += chance * table.reward[s, a, j]
                    if chance != 0.0 and not table.final[s, a, j]:
                        end = insert(room, room.begin[s], end, table.after[s, a, j], chance)
    room.begin[states] = end


def insert(room: Room, begin: int, end: int, there: int, chance: float) -> int:
    """Insert a way among those of one state, begin to end, which are in order; return the new end."""
    i = end
    while i > begin and room.there[i - 1] > there:
        i -= 1
    if i > begin and room.there[i - 1] == there:
        room.chance[i - 1] += chance
        return end
    for later in range(end, i, -1):
        room.there[later], room.chance[later] = room.there[later - 1], room.chance[later - 1]
    room.there[i], room.chance[i] = there, chance
    return end + 1


def put_side_by_side(room: Room) -> None:
    """Order the states by their number of ways, and lay the n-th ways of all of them side by side."""
    i = 0
    for ways in range(room.wide.size, -1, -1):
        for s in range(room.order.size):
            if room.begin[s + 1] - room.begin[s] == ways:
                room.order[i], room.place[s], room.paid[i] = s, i, room.gain[s]
                i += 1
    end = 0
    for n in range(room.wide.size):
        room.wide[n] = 0
        for s in room.order:
            if room.begin[s] + n < room.begin[s + 1]:
                way = room.begin[s] + n
                room.column[end], room.share[end] = room.place[room.there[way]], room.chance[way]
                room.wide[n] += 1
                end += 1


def add_step(room: Room, before: Array, now: Array) -> bool:
    """Fill the values with one step more; return whether they drift as before, and so will at every further step.

    Policies that have learned little go round in circles, and lose as much at every step.
    """
    for i in range(now.size):
        now[i] = room.paid[i]
    end = 0
    for many in room.wide:
        if many == 0:
            break
        for i in range(many):
            now[i] += room.share[end + i] * before[from_front(room.column[end + i])]
        end += many
    turned = 0
    for i in range(now.size):
        drift = now[i] - before[i]
        turned += 0 if drift == room.drift[i] else 1
        room.drift[i] = drift
    return turned == 0


def _among(table: Transitions, met: Array) -> Transitions:
    """Return the table of some states, numbered anew."""
    number = np.zeros(len(table.first), np.int64)
    number[met] = np.arange(len(met))
    chance, reward, first = (np.array(array[met], float) for array in (table.chance, table.reward, table.first))
    return Transitions(chance, number[table.after[met]], reward, np.array(table.final[met], bool), first)


def model(table: Transitions) -> tuple[Any, Array]:
    """Return the chances of going on, sparse [states * actions, states], and the mean rewards [states * actions]."""
    from scipy.sparse import csr_array

    states, actions, _ = table.chance.shape
    state, action, outcome = np.nonzero(table.chance * ~np.asarray(table.final, dtype=bool))
    entries = table.chance[state, action, outcome], (state * actions + action, table.after[state, action, outcome])
    gain = (table.chance * table.reward).sum(axis=2).ravel()
    return csr_array(entries, shape=(states * actions, states)), gain


def reached(table: Transitions, allowed: Array) -> Array:
    """Return [states]: whether some allowed actions, [states, actions], lead there from where an episode may begin."""
    goes_on = (np.asarray(table.chance) > 0.0) & ~np.asarray(table.final, dtype=bool) & allowed[..., None]
    here: Array = np.asarray(table.first) > 0.0
    while True:
        there = here.copy()
        there[np.asarray(table.after)[here][goes_on[here]]] = True
        if np.array_equal(there, here):
            return there
        here = there
