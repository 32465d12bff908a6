"""Spellings that Hydra does not know, turned into ones it does. Text in, text out; standard library only.

>>> expand("tau=0.1,1/4")
['tau=constant', 'tau.value=0.1,0.25']
>>> expand("agent.alpha=linspace(0.1, 0.3, 3)")
['agent.alpha=0.1,0.2,0.3']
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from decimal import Context, Decimal
from fractions import Fraction

from rlsoftmax.errors import BadValue, ConfigError, shown

Exact = int | float | str | Fraction

_CALL = re.compile(r"\b(octaves|linspace|geomspace)\(([^()]*)\)")
_PILOT = re.compile(r"""\bpilot\(([^()]*)\)""")
_RATIO = re.compile(r"[+-]?\s*[\d.]+\s*/\s*[\d.]+")
_COMPONENT_FIELD = re.compile(r"(env|agent|policy)\.\w+")
_MOST = 10_000  # values in one list
_MOST_PILOTED = 100
_DIGITS = Context(prec=40)  # decimal arithmetic: the same doubles on every machine

_TEMPERATURE = (
    "is not a key, because other tools use the word both ways: "
    "say tau=... (it divides: large is random) or beta=... (it multiplies: large is greedy)"
)
_MISSPELT = {"n_runs": "runs", "seeds": "runs", "num_seeds": "runs", "num_runs": "runs", "num_steps": "steps"}


def exact(number: Exact) -> Fraction:
    """Return the number that was written: `1/64`, `0.05`, `1e-3`; of a float, the shortest decimal that gives it.

    Raises:
      ConfigError: if it is not a finite number.

    >>> exact("1/64"), exact(0.1)
    (Fraction(1, 64), Fraction(1, 10))
    """
    text = repr(float(number)) if isinstance(number, float) else str(number).strip()
    try:
        top, slash, bottom = text.partition("/")
        value = Fraction(top.strip()) / Fraction(bottom.strip()) if slash else Fraction(text)
        _double(value)
    except (ValueError, ZeroDivisionError):
        raise ConfigError(f"{shown(text)} is not a number such as 0.05, 1e-3 or 1/64.") from None
    return value


def _double(value: Fraction) -> float:
    """Return the nearest double."""
    try:
        return float(value)
    except OverflowError:
        raise ConfigError("a number is too large: the largest is 1.8e308.") from None


def octaves(low: Exact, high: Exact, per: int = 1) -> list[float]:
    """Return low, ..., high, every value 2^(1/per) times the one before.

    Args:
      low, high: both ends, included; 0 < low <= high.
      per: how many values an octave has, >= 1.

    Raises:
      ConfigError: if the steps from `low` do not hit `high`.

    >>> octaves("1/4", 2), [round(x, 3) for x in octaves(1, 2, per=2)]
    ([0.25, 0.5, 1.0, 2.0], [1.0, 1.414, 2.0])
    """
    first, last, each = exact(low), exact(high), _count(per, "per")
    if not 0 < first <= last:
        raise ConfigError(f"octaves({low}, {high}): the ends must satisfy 0 < low <= high.")
    count = round(math.log2(last / first) * each)
    if count > _MOST:
        raise ConfigError(f"octaves({low}, {high}, per={each}) has more than {_MOST} values.")
    values = [
        _double(first * 2 ** (k // each)) if k % each == 0 else _between(first, k, each) for k in range(count + 1)
    ]
    if values[-1] != _double(last):
        under, over = sorted((values[-1], _between(first, count + (1 if values[-1] < last else -1), each)))
        raise ConfigError(f"octaves({low}, {high}) does not hit its end; the nearest ends are {under:g} and {over:g}.")
    return values


def _between(first: Fraction, k: int, each: int) -> float:
    """Return first * 2^(k/each), rounded once from 40 digits."""
    return float(_DIGITS.multiply(_decimal(first), _DIGITS.power(Decimal(2), _decimal(Fraction(k, each)))))


def linspace(first: Exact, last: Exact, count: Exact) -> list[float]:
    """Return `count` values from `first` to `last` at equal distances, both ends included, each rounded once.

    >>> linspace(0.1, 0.8, 8)
    [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
    """
    a, b, n = exact(first), exact(last), _count(count, "count")
    return [_double(a + (b - a) * Fraction(k, max(n - 1, 1))) for k in range(n)]


def geomspace(first: Exact, last: Exact, count: Exact) -> list[float]:
    """Return `count` values from `first` to `last` at equal ratios, both ends included; both must be > 0.

    >>> geomspace(0.01, 100, 5)
    [0.01, 0.1, 1.0, 10.0, 100.0]
    """
    a, b, n = exact(first), exact(last), _count(count, "count")
    if not (a > 0 and b > 0):
        raise ConfigError(f"geomspace({first}, {last}, {count}): both ends must be > 0.")
    c, ratio = _DIGITS, _DIGITS.ln(_DIGITS.divide(_decimal(b), _decimal(a)))
    parts = [c.divide(Decimal(k), Decimal(max(n - 1, 1))) for k in range(n)]
    return [float(c.multiply(_decimal(a), c.exp(c.multiply(ratio, part)))) for part in parts]


def pilot(count: Exact = 9) -> str:
    """Return the words for `count` temperatures that a few pilot runs propose, from nearly greedy to nearly uniform.

    They are chosen when everything else is known: `sweep(env="testbed", agent="sample_average", tau=pilot(9))`.

    >>> pilot(5)
    'pilot(5)'
    """
    number = _count(count, "count")
    if not 2 <= number <= _MOST_PILOTED:
        raise BadValue("count", count, f"must be a whole number from 2 to {_MOST_PILOTED}")
    return f"pilot({number})"


def piloted(text: object) -> int | None:
    """Return how many temperatures a pilot is to propose; None for anything else.

    Raises:
      ConfigError: if it is not of the form pilot(count), alone.

    >>> piloted("pilot(9)"), piloted("0.25")
    (9, None)
    """
    call = _PILOT.search(text) if isinstance(text, str) else None
    if call is None:
        return None
    if call[0] != str(text).strip(" '\""):
        raise ConfigError(f"{text}: a pilot proposes the whole list; write tau={call[0]} alone.")
    return int(pilot(call[1].rpartition("=")[2])[6:-1])


def _decimal(value: Fraction) -> Decimal:
    return _DIGITS.divide(Decimal(value.numerator), Decimal(value.denominator))


def _count(count: Exact, key: str) -> int:
    number = exact(count)
    if number.denominator != 1 or not 1 <= number <= _MOST:
        raise BadValue(key, count, f"must be a whole number from 1 to {_MOST}")
    return int(number)


def values(text: str) -> str:
    """Return a list of values in which every list function and every ratio is written in decimals.

    >>> values("octaves(1/4,1), 1/3")
    '0.25,0.5,1.0,0.3333333333333333'
    """
    text = _CALL.sub(_listed, text)
    parts = text.split(",") if "/" in text else []
    if any(_RATIO.fullmatch(part.strip()) for part in parts):
        text = ",".join(repr(_double(exact(p))) if _RATIO.fullmatch(p.strip()) else p for p in parts)
    return text


def _listed(call: re.Match[str]) -> str:
    name, words = call[1], [word.strip() for word in call[2].split(",")]
    keys = {"octaves": ("low", "high", "per")}.get(name, ("first", "last", "count"))
    given: dict[str, str] = {}
    for key, word in zip(keys, words, strict=False):
        left, equals, right = word.partition("=")
        given[left.strip() if equals else key] = (right if equals else word).strip()
    if len(words) > len(keys) or len(given) < len(words) or not set(given) <= set(keys):
        raise ConfigError(f"{call[0]}: write {name}({', '.join(keys)}).")
    if not set(keys) - {"per"} <= set(given):
        raise ConfigError(f"{call[0]}: write {name}({', '.join(keys)}).")
    if name == "octaves":
        return ",".join(map(repr, octaves(given["low"], given["high"], _count(given.get("per", "1"), "per"))))
    function = linspace if name == "linspace" else geomspace
    return ",".join(map(repr, function(*(given[key] for key in keys))))


def expand(argument: str, schedules: Collection[str] = ()) -> list[str]:
    """Return one override in Hydra's own language, or two for numbers given as tau or beta.

    Args:
      argument: `key=value` or anything else that Hydra reads; that passes unchanged.
      schedules: the options of the group tau: `agent.alpha=exponential` puts one into a field.

    Raises:
      ConfigError: if a value cannot be read, or the key is one that other tools use in two ways.

    >>> expand("beta=2,inf")
    ['tau=constant', 'tau.value=0.5,0.0']
    >>> expand("agent.alpha=exponential", {"exponential"})
    ['+tau@agent.alpha=exponential']
    """
    key, equals, text = argument.partition("=")
    refuse_key(key.lstrip("+~"))
    if not equals:
        return [argument]
    if count := piloted(text):
        return _proposed(argument, key, count)
    if key == "beta":
        return ["tau=constant", f"tau.value={','.join(repr(_inverse(beta)) for beta in betas(text))}"]
    text = values(text)
    if key == "tau":
        return _temperatures(argument, text)
    if _COMPONENT_FIELD.fullmatch(key) and text.lstrip().startswith("{"):
        return [f"++{key}={text}"]  # keys and values may be new ones, as in env.kwargs={render_mode: ansi}
    if schedules and _COMPONENT_FIELD.fullmatch(key):
        return [_scheduled(argument, key, text, schedules)]
    return [f"{key}={text}"]


def refuse_key(key: str) -> None:
    """Refuse a key that other tools use in two ways, or under which they know one of ours. Errors: ConfigError."""
    if key.partition(".")[0] == "temperature" or key in ("policy.temperature", "tau.temperature"):
        raise ConfigError(f"{key} {_TEMPERATURE}.")
    if key in _MISSPELT:
        raise ConfigError(f"unknown key {key}. Did you mean {_MISSPELT[key]!r}?")


def _proposed(argument: str, key: str, count: int) -> list[str]:
    if key not in ("tau", "tau.value"):
        raise ConfigError(f"{argument}: a pilot proposes temperatures; write tau=pilot({count}).")
    return ["tau=constant", f"tau.value='pilot({count})'"]


def _temperatures(argument: str, text: str) -> list[str]:
    bare = text.strip()
    if bare.startswith("["):
        raise ConfigError(f"{argument}: several temperatures are written tau={bare.strip('[] ')}, without brackets.")
    if bare.startswith("range("):
        raise ConfigError(f"{argument}: ranges of decimals miss their ends; write tau=linspace(first,last,count).")
    if "(" in bare or "{" in bare:
        return [f"tau={text}"]
    numeric = [_is_number(part) or part.strip() == "auto" for part in text.split(",")]
    if all(numeric):
        return ["tau=constant", f"tau.value={text}"]
    if any(numeric):
        raise ConfigError(f"{argument}: temperatures and names of schedules cannot be mixed in one list.")
    return [f"tau={text}"]


def _scheduled(argument: str, key: str, text: str, schedules: Collection[str]) -> str:
    names = [part.strip() in schedules for part in text.split(",")]
    if any(names) and not all(names):
        raise ConfigError(f"{argument}: numbers and names of schedules cannot be mixed in one list.")
    return f"+tau@{key}={text}" if all(names) else f"{key}={text}"


def betas(text: str) -> list[Fraction | float]:
    """Return the inverse temperatures in a list, exactly; infinity is a float.

    Raises:
      ConfigError: if one is not a number, or negative.

    >>> betas("1/3,inf")
    [Fraction(1, 3), inf]
    """
    parts = [part.strip() for part in _CALL.sub(_listed, text).split(",")]
    return [_beta(part) for part in parts]


def _beta(text: str) -> Fraction | float:
    if text.lstrip("+").lower() in ("inf", ".inf", "infinity"):
        return math.inf
    if not (_is_number(text) or _RATIO.fullmatch(text)):
        raise ConfigError(f"beta={shown(text)} must be a number >= 0; a schedule is one of tau.")
    if text.startswith("-") or (_is_number(text) and math.isnan(float(text))):
        raise BadValue("beta", _plain(text), "must be >= 0 (tau = 1/beta)")
    return exact(text)


def _plain(text: str) -> float:
    return float(text) if _is_number(text) else float(exact(text))


def _inverse(beta: Fraction | float) -> float:
    """Return 1/beta, rounded once; both ends have their limit."""
    if beta == 0:
        return math.inf
    return _double(1 / beta) if isinstance(beta, Fraction) else 0.0


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
