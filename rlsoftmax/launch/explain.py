"""Hydra's and OmegaConf's exceptions as one or two lines. The only place that knows them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException

from rlsoftmax.errors import RlsoftmaxError, did_you_mean, shown

THEIRS = ("hydra", "omegaconf", "antlr4", "yaml")  # complaints from here are about the user's text
_KNOWN = (RlsoftmaxError, MissingConfigException, OverrideParseException, OmegaConfBaseException, HydraException)


def explain(error: BaseException) -> str | None:
    """Return what is wrong, where, and what to do; None if it is not about what the user wrote, but a defect."""
    chain = list(_chain(error))
    for known in _KNOWN:
        for link in chain:
            if isinstance(link, known):
                return _sentence(link)
    if isinstance(error, RecursionError) and set(THEIRS) & set(_packages(error)):
        return "the configuration refers to itself, or is nested too deeply."
    if (_packages(error) or [""])[-1] in THEIRS:
        return f"the configuration cannot be read: {_first_line(error)}."
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what caused it; `raise x from None` ends the chain, and so does an error that was there."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        yield error
        seen.add(id(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _sentence(error: BaseException) -> str:
    match error:
        case RlsoftmaxError():
            return str(error)
        case MissingConfigException(options=options, missing_cfg_file=name) if options:
            group, _, option = str(name).rpartition("/")
            return f"no {group} {option!r}.{did_you_mean(option, options)}"
        case OverrideParseException(override=text):
            return f"cannot read {shown(text)}: {_unbalanced(text) or _first_line(error)}."
        case ConfigAttributeError() | ConfigKeyError() if error.parent_node is not None and "not in struct" in str(
            error
        ):
            return _unknown_key(error)
        case OmegaConfBaseException(full_key=str(key)) if key:
            return f"{key}: {_first_line(error)}."
    return f"{_first_line(error)}."


def _unknown_key(error: Any) -> str:
    known = [str(key) for key in error.parent_node if key not in ("name", "hydra")]
    if error.full_key == error.key:  # at the top: perhaps a field of a component
        below = [f"{group}.{error.key}" for group in known if _has(error.parent_node, group, error.key)]
        if below:
            return f"unknown key {error.full_key}. Did you mean {below[0]!r}?"
    return f"unknown key {error.full_key}.{did_you_mean(error.key, known)}"


def _has(config: Any, group: str, key: str) -> bool:
    node = config._get_node(group)
    return hasattr(node, "keys") and key in node


def _unbalanced(text: str) -> str:
    pairs = ("[]", "()", "{}", "''", '""')
    odd = [p for p in pairs if (text.count(p[0]) % 2 if p[0] == p[1] else text.count(p[0]) != text.count(p[1]))]
    return f"unbalanced {' '.join(odd)}" if odd else ""


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(error).__name__


def _packages(error: BaseException) -> list[str]:
    """Return the top-level packages that the error went through; the last one raised it."""
    found, trace = list[str](), error.__traceback__
    while trace is not None:
        found.append(str(trace.tb_frame.f_globals.get("__name__", "")).partition(".")[0])
        trace = trace.tb_next
    return found
