"""From plain functions to one compiled loop.

Rules and stages are plain functions without decorators. `bind` adapts what a rule asks for, `link` replaces the names
a function calls, as a linker does, and `compiled` compiles it together with every plain function it reaches. The
machine code is kept on disk under a fingerprint of all that source. With NUMBA_DISABLE_JIT=1, or through
`interpreted`, the very same functions run in the interpreter.
"""

from __future__ import annotations

import dis
import enum
import functools
import hashlib
import types
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, ModuleType
from typing import Any

import numba
import numpy as np
from numba.core.dispatcher import Dispatcher

from rlsoftmax.contracts import asked, check_code, place, spares
from rlsoftmax.engine.kernels import KernelCache
from rlsoftmax.errors import RuleError, did_you_mean

NUMBA_KNOWS = ("numpy", "math")  # modules whose functions the compiler brings itself
COUNTING = frozenset({"advance"})  # only the entry counts references to arrays; rules and stages cannot allocate


def bind(
    rule: Callable[..., Any], offered: Iterable[str], sources: Mapping[str, str], absent: tuple[str, ...] = ()
) -> FunctionType:
    """Return `rule(self, ...)` as a function of (self, game, lane, *offered), passing on what its signature asks for.

    offered: names of the values at the point of call; sources: name -> expression that finds it.
    absent: names that are left out where they are not on offer and have a default.
    Raises RuleError, with a suggestion, when the rule asks for something else that is not on offer.
    """
    offered = tuple(offered)
    known = {name: name for name in offered if not name.startswith("_")} | dict(sources)
    wanted = [name for name in asked(rule) if name in known or not spares(rule, name, absent)]
    for name in wanted:
        if name not in known:
            raise RuleError(f"{place(rule)} asks for {name!r}, which is not on offer.{did_you_mean(name, known)}")
    arguments = ", ".join(["self", *(f"{name}={known[name]}" for name in wanted)])
    text = f"lambda self, game, lane, {', '.join(offered)}: rule({arguments})"
    bound: FunctionType = eval(text, {"rule": rule})  # noqa: S307 - the text is made of checked names only
    return bound


def link(function: Any, names: Mapping[str, Any]) -> FunctionType:
    """Return a copy of `function` in which these global names mean something else."""
    code, defaults, closure = function.__code__, function.__defaults__, function.__closure__
    return FunctionType(code, function.__globals__ | dict(names), function.__name__, defaults, closure)


# --- compiling ----------------------------------------------------------------------------------------------------

_ready: dict[str, Dispatcher] = {}  # what this process has compiled, by content


def compiled(function: FunctionType, outside: frozenset[str] = frozenset(), debug: bool = False) -> Callable[..., Any]:
    """Compile `function` and every plain function it reaches.

    outside: names of callees that are called, not inlined (the widest stage; everything else is inlined, because calls
    by value cost 30-60 % per step). debug: check the bounds of every index.
    """
    if numba.config.DISABLE_JIT:
        return function
    return _Compiler(outside, debug).entry(function)


class _Compiler:
    """Compiles one function and its callees; what is hashed is hashed once."""

    def __init__(self, outside: frozenset[str], debug: bool) -> None:
        self.outside, self.debug = outside, debug
        self.tokens: dict[FunctionType, str] = {}

    def entry(self, function: FunctionType) -> Dispatcher:
        """Return what Python calls: its machine code is kept on disk."""
        digest = fingerprint(function, f"{sorted(self.outside)} {self.debug}", self.tokens)
        if digest not in _ready:
            options = {"nogil": True, "no_cfunc_wrapper": True, "boundscheck": self.debug}
            dispatcher = numba.njit(error_model="numpy", **options)(link(function, self.callees(function)))
            dispatcher._cache = KernelCache(digest)
            dispatcher._can_cache = True
            _ready[digest] = dispatcher
        return _ready[digest]

    def callees(self, function: FunctionType) -> dict[str, Dispatcher]:
        """Return compiled versions of the plain functions that `function` names."""
        return {name: self.callee(name, callee) for name, callee in callees(function).items()}

    def callee(self, name: str, function: FunctionType) -> Dispatcher:
        """Return a function that only compiled code calls."""
        inline = name not in self.outside
        digest = fingerprint(function, f"callee {inline} {sorted(self.outside)} {self.debug}", self.tokens)
        if digest not in _ready:
            wrappers = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "boundscheck": self.debug}
            ready = self.with_cells(link(function, self.callees(function)))
            _ready[digest] = numba.njit(error_model="numpy", _nrt=False, forceinline=inline, **wrappers)(ready)
        return _ready[digest]

    def with_cells(self, function: FunctionType) -> FunctionType:
        """Return the function with compiled versions of the plain functions in its closure."""
        if not function.__closure__:
            return function
        values = [cell.cell_contents for cell in function.__closure__]
        cells = (self.callee("", value) if isinstance(value, FunctionType) else value for value in values)
        closure = tuple(CellType(cell) for cell in cells)
        return FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__, closure)


def callees(function: FunctionType) -> dict[str, FunctionType]:
    """Return the plain functions that a function names, in alphabetical order."""
    found = {name: function.__globals__.get(name) for name in sorted(_names(function.__code__))}
    return {name: value for name, value in found.items() if isinstance(value, FunctionType)}


@functools.cache
def _names(code: CodeType) -> frozenset[str]:
    """Return the global names that a function reads; attributes such as self.c are none."""
    own = {i.argval for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return frozenset(own.union(*(_names(constant) for constant in inner)))


# --- fingerprints -------------------------------------------------------------------------------------------------


HERE = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()


def fingerprint(function: FunctionType, options: str = "", tokens: dict[FunctionType, str] | None = None) -> str:
    """Return a hash of everything that decides what `function` compiles to.

    Covers code, constants, defaults, closures, the bytes of arrays, every function reached, the options, this file and
    the versions of numba and NumPy. `tokens` remembers what was hashed before. Raises RuleError naming what cannot be.
    """
    base = f"{HERE} {numba.__version__} {np.__version__} {options}"
    return _sha(base, _function_token(function, {} if tokens is None else tokens))


def _function_token(function: FunctionType, seen: dict[FunctionType, str]) -> str:
    if function in seen:
        return seen[function]
    seen[function] = "itself"  # a function that calls itself
    code = function.__code__
    parts = [_code_token(code), *(_token(value, function, seen) for value in function.__defaults__ or ())]
    parts += [_token(cell.cell_contents, function, seen) for cell in function.__closure__ or ()]
    parts += [_token(value, function, seen) for value in (function.__kwdefaults__ or {}).values()]
    for name in sorted(_names(code)):
        if name in function.__globals__:
            parts.append(f"{name}={_token(function.__globals__[name], function, seen)}")
    parts += _module_tokens(function, seen)
    seen[function] = _sha(*parts)
    return seen[function]


def _code_token(code: CodeType) -> str:
    constants = [_code_token(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return _sha(code.co_code.hex(), repr(constants), repr((code.co_names, code.co_varnames, code.co_freevars)))


def _token(value: Any, function: FunctionType, seen: dict[FunctionType, str]) -> str:
    """Return text that is the same only for values that compile to the same."""
    if isinstance(value, FunctionType):
        return _function_token(value, seen)
    if isinstance(value, Dispatcher):
        return _function_token(value.py_func, seen)
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes, np.generic)):
        return f"{type(value).__name__} {value!r}"
    if isinstance(value, np.ndarray) and value.dtype != object:
        return _sha(str(value.dtype), str(value.shape), value.tobytes().hex())
    if isinstance(value, (tuple, frozenset)):
        return _sha(*sorted_if_set(value, lambda inner: _token(inner, function, seen)))
    if isinstance(value, ModuleType):
        return f"module {value.__name__}"
    if isinstance(value, (BuiltinFunctionType, np.ufunc)) or (isinstance(value, type) and not _is_enum(value)):
        return f"{getattr(value, '__module__', 'builtins')}.{getattr(value, '__qualname__', value)}"
    if _is_enum(value):
        return repr([(member.name, member.value) for member in value])
    if isinstance(value, types.GenericAlias) or getattr(value, "__module__", "") == "typing":
        return repr(value)
    raise RuleError(
        f"{place(function)} uses a {type(value).__name__}, which cannot be compiled; numbers, arrays and functions can."
    )


def sorted_if_set(values: Iterable[Any], token: Callable[[Any], str]) -> list[str]:
    """Return the tokens; sorted when the order of the values means nothing."""
    tokens = [token(value) for value in values]
    return sorted(tokens) if isinstance(values, frozenset) else tokens


def _is_enum(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, enum.Enum)


def _module_tokens(function: FunctionType, seen: dict[FunctionType, str]) -> list[str]:
    """Return tokens of what the function reads out of modules; plain functions there cannot be linked."""
    parts = []
    modules = {
        n: v for n in sorted(_names(function.__code__)) if isinstance(v := function.__globals__.get(n), ModuleType)
    }
    for module in modules.values():
        for name in sorted(_attributes(function.__code__)):
            value = getattr(module, name, None)
            if value is None or module.__name__.partition(".")[0] in NUMBA_KNOWS:
                continue
            if isinstance(value, FunctionType):
                raise RuleError(
                    f"{place(function)} reaches {module.__name__}.{name} through its module; "
                    f"write `from {module.__name__} import {name}`."
                )
            parts.append(f"{module.__name__}.{name}={_token(value, function, seen)}")
    return parts


def _attributes(code: CodeType) -> frozenset[str]:
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return frozenset(code.co_names).union(*(_attributes(constant) for constant in inner))


def _sha(*parts: str) -> str:
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()


def check_reached(function: FunctionType) -> None:
    """Refuse, in every helper a rule reaches, what would have other bits on another machine."""
    waiting, seen = [function], set()
    while waiting:
        current = waiting.pop()
        if current not in seen and not current.__module__.startswith("rlsoftmax."):
            check_code(current)
        seen.add(current)
        waiting += [callee for callee in callees(current).values() if callee not in seen]
