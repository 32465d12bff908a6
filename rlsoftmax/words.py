"""Names and numbers as people read them: on an axis, in a table, in a warning. One vocabulary for all."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# Names as books print them; any other name is printed with spaces for its underscores.
_WORDS = {
    "tau": "τ", "beta": "β", "alpha": "α", "gamma": "γ", "epsilon": "ε", "lambda": "λ", "delta": "δ", "sigma": "σ",
    "epsilon_greedy": "ε-greedy", "boltzmann": "Boltzmann", "ucb": "UCB", "soft_ucb": "soft UCB", "exp3": "Exp3",
    "max_boltzmann": "max-Boltzmann", "boltzmann_gumbel": "Boltzmann–Gumbel", "epsilon_softmax": "ε-softmax",
    "thompson": "Thompson", "beta_thompson": "beta Thompson", "tsallis_inf": "Tsallis-INF",
    "q_learning": "Q-learning", "double_q": "double Q", "dyna_q": "Dyna-Q", "soft_q": "soft Q", "speedy_q": "speedy Q",
    "weighted_q": "weighted Q", "maxmin_q": "maxmin Q", "mellowmax_q": "mellowmax Q", "n_step_q": "n-step Q",
    "q_lambda": "Q(λ)", "sarsa": "SARSA", "expected_sarsa": "expected SARSA", "n_step_sarsa": "n-step SARSA",
    "sarsa_lambda": "SARSA(λ)", "r_learning": "R-learning", "reinforce": "REINFORCE", "actor_critic": "actor–critic",
    "glie": "GLIE", "vdbe": "VDBE",
}  # fmt: skip
_KEYS = {"tau.fraction": "relative τ"}  # swept keys that say more than their parts
_LONGEST = 48  # characters of a name that somebody else chose
_NAMES = ("agent", "policy", "tau", "env")  # keys whose value names a part


def number(value: float) -> str:
    """Return a number as the axis says it: powers of two as whole numbers or fractions, others with three digits.

    >>> [number(value) for value in (1 / 64, 0.5, 4.0, 0.1, 2**-1.5, 0.0, math.inf, 1234.5)]
    ['1/64', '1/2', '4', '0.1', '0.354', '0', '∞', '1234']
    """
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value > 0.0 and math.frexp(value)[0] == 0.5 and 2**-20 <= value <= 2**20:
        return f"{value:.0f}" if value >= 1.0 else f"1/{1 / value:.0f}"
    return _short(value, 4 if abs(value) >= 1000.0 else 3)


def _short(value: float, digits: int) -> str:
    """Return a number with so many digits: `7e−5` where others write 7e-05."""
    text = f"{value:.{digits}g}"
    return re.sub(r"e\+?(-?)0*(\d)", r"e\1\2", text).replace("-", "−")


def decimal(value: float) -> str:
    """Return a number without fractions, for a grid that is not made of octaves.

    >>> decimal(0.5), decimal(0.0625), decimal(7e-5), decimal(1e6)
    ('0.5', '0.0625', '7e−5', '1e6')
    """
    return number(value) if math.isinf(value) else _short(value, 4)


def in_octaves(values: Iterable[float]) -> bool:
    """Return whether all positive finite numbers are powers of two, or lie evenly between such powers.

    >>> in_octaves([0.25, 0.5, 1]), in_octaves([2**-1.5, 2**-1]), in_octaves([0.1, 0.2])
    (True, True, False)
    """
    logs = [math.log2(value) for value in values if 0.0 < value < math.inf]
    twelfths = [12.0 * log for log in logs]
    # numbers such as 0.3536, written with four digits, still count
    return any(log.is_integer() for log in logs) and all(abs(at - round(at)) < 0.01 for at in twelfths)


def spelled(values: Sequence[float]) -> list[str]:
    """Return numbers that stand beside each other, all spelled in the same way.

    >>> spelled([0.25, 0.5]), spelled([0.1, 0.25, 0.5])
    (['1/4', '1/2'], ['0.1', '0.25', '0.5'])
    """
    spell = number if in_octaves(values) else decimal
    return [spell(value) for value in values]


def word(name: str) -> str:
    """Return a name of ours as books print it, safe to draw.

    >>> word("epsilon_greedy"), word("my_policy"), word("tau.half_life")
    ('ε-greedy', 'my policy', 'τ half life')
    """
    parts = name.split(".")
    return " ".join(_WORDS.get(part, plain(part).replace("_", " ").strip()) for part in parts)


def key(name: str) -> str:
    """Return a swept key as an axis names it, without the group it belongs to.

    >>> key("agent.alpha"), key("tau.start"), key("tau"), key("tau.fraction")
    ('α', 'τ start', 'τ', 'relative τ')
    """
    if name in _KEYS:
        return _KEYS[name]
    group, _, field = name.partition(".")
    return word(field if field and group in ("agent", "policy", "env") else name)


def plain(text: object) -> str:
    """Return a name that somebody else chose, in one line: no control character, not endless.

    Formulas are switched off in our style, so that a dollar sign is a dollar sign.

    >>> plain("a\\nb"), len(plain("x" * 100))
    ('a b', 48)
    """
    clean = "".join(character if character.isprintable() else " " for character in str(text))
    return clean if len(clean) <= _LONGEST else f"{clean[: _LONGEST - 1]}…"


def value(thing: object) -> str:
    """Return the value of a swept key: a number or a name.

    >>> value(0.25), value("q_learning"), value(3), value("q_learning(alpha=0.5)")
    ('1/4', 'Q-learning', '3', 'Q-learning(alpha=0.5)')
    """
    if isinstance(thing, bool) or not isinstance(thing, (int, float)):
        name, bracket, inside = str(thing).partition("(")  # an object is called like its class, with what was set
        return plain(f"{word(name)}{bracket}{inside}")
    return number(float(thing)) if isinstance(thing, float) else f"{thing:d}"


def cell(overrides: Mapping[str, Any], among: Iterable[Mapping[str, Any]] = ()) -> str:
    """Return the swept values of a cell in words: the names of its parts, then its numbers.

    Args:
      among: the swept values of the cells it is told from; numbers are spelled as theirs are.

    >>> cell({"agent": "q_learning", "tau": 1 / 128})
    'Q-learning at τ = 1/128'
    >>> cell({"tau": 0.5, "agent.alpha": 0.1}, [{"tau": 0.1}])
    'τ = 0.5, α = 0.1'
    """
    others = [*among, overrides]
    names = [value(thing) for name, thing in overrides.items() if name in _NAMES and not _is_number(thing)]
    numbers = [
        f"{key(name)} = {_spelled_like(thing, [other.get(name) for other in others])}"
        for name, thing in overrides.items()
        if name not in _NAMES or _is_number(thing)
    ]
    return " at ".join(filter(None, [" ".join(names), ", ".join(numbers)]))


def _is_number(thing: Any) -> bool:
    return isinstance(thing, (int, float)) and not isinstance(thing, bool)


def _spelled_like(thing: Any, others: Sequence[Any]) -> str:
    if not isinstance(thing, float):
        return value(thing)
    return spelled([thing, *(float(other) for other in others if _is_number(other))])[0]
