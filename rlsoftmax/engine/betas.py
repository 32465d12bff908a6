"""Draws from beta laws, for all actions and lanes at once.

If X and Y are draws from Gamma(a) and Gamma(b), X / Y is distributed like the odds p / (1 - p) of a p from Beta(a, b).
Both are proposed together, d (1 + x / sqrt(9 d))^3 with d = shape - 1/3 and normal x (Marsaglia and Tsang, 2000), and
accepted together. Nearly always a bound says so without a logarithm; the entries where it does not are packed and
looked at one by one, and those that are refused are proposed again. Which lanes share a block changes nothing.
"""

from typing import Any, NamedTuple

import numpy as np

from rlsoftmax.engine.stages import Lanes, Rows, draw_uniforms
from rlsoftmax.numeric import another_uniform, plain_log, power, random_words, two_normals, unit

AGAIN = 1 << 20  # between the purposes of an action's attempts: there are fewer actions
SMALL = 1 << 29  # added where a shape below one needs numbers of its own
ATTEMPTS = 200  # each is refused with a chance below 0.1


class Room(NamedTuple):
    """What a draw needs: arrays [action, lane], and packed ones [action * lane]."""

    won: Any  # the shapes
    lost: Any
    first: Any  # two uniforms of every entry
    second: Any
    doubt: Any  # what is above 1 is not sure to be accepted
    entries: Any  # int64 [2, action * lane + 1]: action and lane of those that are looked at again
    packed: Any  # [6, action * lane]: their shapes, uniforms, odds and margins


def new_room(actions: int, lanes: int) -> Room:
    """Return room for the draws of so many actions and lanes."""
    won, lost, first, second, doubt = np.zeros((5, actions, lanes))
    return Room(
        won, lost, first, second, doubt, np.zeros((2, actions * lanes + 1), np.int64), np.zeros((6, actions * lanes))
    )


def draw_odds(seed: int, run: Lanes, step: int, purpose: int, won: Rows, lost: Rows, odds: Rows, room: Room) -> None:
    """Fill odds with one draw per action and lane of p / (1 - p), where p is from Beta(won, lost)."""
    for k in range(odds.shape[0]):
        draw_uniforms(seed, run, step, purpose + k, room.first[k], room.second[k])
        propose(won[k], lost[k], room.first[k], room.second[k], odds[k], room.doubt[k])
    left = pack_doubtful(won, lost, room)
    for attempt in range(1, ATTEMPTS):
        if left == 0:
            break
        rows = room.packed
        look_again(rows[0][:left], rows[1][:left], rows[2][:left], rows[3][:left], rows[4][:left], rows[5][:left])
        left = unpack(seed, run, step, purpose, won, lost, odds, room, left)
        draw_again(seed, run, step, purpose + AGAIN * attempt, room, left)


def propose(won: Lanes, lost: Lanes, first: Lanes, second: Lanes, odds: Lanes, doubt: Lanes) -> None:
    """Propose odds, and say how much doubt there is of their acceptance: sure if below 1.

    The logarithm of the chance of acceptance is -3 d y^4 (integral of t^3 / (1 + t y), t from 0 to 1) with
    y = x / sqrt(9 d), and the integral is below 1/20 + 1/5 / (1 + y), as 1 / (1 + t y) is convex in t.
    """
    for l in range(odds.size):
        x, y = two_normals(first[l])
        d, e = abs(won[l] - 1.0 / 3.0), abs(lost[l] - 1.0 / 3.0)
        x_part, y_part = x / np.sqrt(9.0 * d), y / np.sqrt(9.0 * e)
        v, w = 1.0 + x_part, 1.0 + y_part
        odds[l] = d * (v * v * v) / (e * (w * w * w))
        refused = x * x * x_part * x_part * (0.05 + 0.2 / v) + y * y * y_part * y_part * (0.05 + 0.2 / w)
        plain = min(min(won[l], lost[l]) - 1.0, min(v, w) - 0.01) >= 0.0
        doubt[l] = second[l] + refused * (1.0 / 3.0) if plain else 2.0


def pack_doubtful(won: Rows, lost: Rows, room: Room) -> int:
    """Pack the entries of which nothing is sure; return how many they are."""
    left, packed = 0, room.packed
    for k in range(won.shape[0]):
        before, left = left, note_doubtful(room.doubt[k], room.entries[1], left)
        for i in range(before, left):
            l = room.entries[1, i]
            room.entries[0, i] = k
            packed[0, i], packed[1, i] = won[k, l], lost[k, l]
            packed[2, i], packed[3, i] = room.first[k, l], room.second[k, l]
    return left


def note_doubtful(doubt: Lanes, lane: Lanes, left: int) -> int:
    """Append the lanes of which nothing is sure to those noted; return how many are noted."""
    for l in range(doubt.size):
        if not doubt[l] < 1.0:
            lane[left] = l
            left += 1
    return left


def look_again(won: Lanes, lost: Lanes, first: Lanes, second: Lanes, odds: Lanes, margin: Lanes) -> None:
    """Propose odds, and fill the margin by which they are accepted: they are refused if it is not above 0."""
    for i in range(odds.size):
        d = (won[i] if won[i] >= 1.0 else won[i] + 1.0) - 1.0 / 3.0
        e = (lost[i] if lost[i] >= 1.0 else lost[i] + 1.0) - 1.0 / 3.0
        x, y = two_normals(first[i])
        v, w = max(1.0 + x / np.sqrt(9.0 * d), 1e-90), max(1.0 + y / np.sqrt(9.0 * e), 1e-90)
        v, w = v * v * v, w * w * w
        known = 0.5 * (x * x + y * y) + d * (1.0 - v + plain_log(v)) + e * (1.0 - w + plain_log(w))
        odds[i] = d * v / (e * w)
        margin[i] = known - plain_log(second[i])


def unpack(
    seed: int, run: Lanes, step: int, purpose: int, won: Rows, lost: Rows, odds: Rows, room: Room, left: int
) -> int:
    """Write the odds that are accepted where they belong, and keep the others packed; return how many they are."""
    packed, kept = room.packed, 0
    for i in range(left):
        k, l = room.entries[0, i], room.entries[1, i]
        if packed[5, i] > 0.0:
            small = smaller(won[k, l], lost[k, l], (seed, run[l], step, purpose + SMALL + 2 * k))
            odds[k, l] = packed[4, i] * small
        else:
            room.entries[0, kept], room.entries[1, kept] = k, l
            packed[0, kept], packed[1, kept] = packed[0, i], packed[1, i]
            kept += 1
    return kept


def smaller(won: float, lost: float, luck: Any) -> float:
    """Return what makes odds of shapes above one those of shapes below: X from Gamma(a + 1) times u^(1 / a)."""
    factor = power(another_uniform(luck, 0), 1.0 / won) if won < 1.0 else 1.0
    return factor / power(another_uniform(luck, 1), 1.0 / lost) if lost < 1.0 else factor


def draw_again(seed: int, run: Lanes, step: int, purpose: int, room: Room, left: int) -> None:
    """Draw new uniforms for the entries that are still packed."""
    for i in range(left):
        k, l = room.entries[0, i], room.entries[1, i]
        x, y = random_words(seed, run[l], step, purpose + k)
        room.packed[2, i], room.packed[3, i] = unit(x), unit(y)
