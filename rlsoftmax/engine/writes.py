"""Which entries of an array a rule writes, as far as its text tells: what cannot be seen counts as written.

Of an agent that surely changes one value per step, a policy need not read all values to bring its memory up to date.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from types import FunctionType
from typing import Any

from rlsoftmax.component import per_class

ENTRY = ("state", "action")
LOOKS = ("size", "shape")  # what may be asked of an array without touching it


@per_class
def writes_one(rule: Callable[..., Any], name: str) -> bool:
    """Return whether a rule surely writes no other entry of the array `name` than [state, action].

    >>> def learn(self, value, state, action, reward):
    ...     value[state, action] += 0.1 * (reward - value[state, action])
    >>> def forget(self, value, state, action, reward):
    ...     value[state] = reward
    >>> writes_one(learn, "value"), writes_one(forget, "value")
    (True, False)
    """
    return isinstance(rule, FunctionType) and _Reader(rule, name, 2, ENTRY).is_content()


class _Reader:
    """Looks at every use of an array, of one or two axes, in the text of a function."""

    def __init__(self, function: FunctionType, name: str, axes: int, entry: tuple[str, ...], depth: int = 0) -> None:
        self.function, self.name, self.axes, self.entry, self.depth = function, name, axes, entry, depth
        self.tree = _text(function)
        nodes = list(ast.walk(self.tree)) if self.tree is not None else []
        self.above = {child: node for node in nodes for child in ast.iter_child_nodes(node)}

    def is_content(self) -> bool:
        """Return whether nothing but `entry` is written."""
        names = [node for node in self.above if isinstance(node, ast.Name)]
        renamed = any(node.id in (self.name, *self.entry) and not isinstance(node.ctx, ast.Load) for node in names)
        uses = [node for node in names if node.id == self.name]
        return self.tree is not None and self.depth < 9 and not renamed and all(map(self._is_fine, uses))

    def _is_fine(self, use: ast.AST, axes: int = 0) -> bool:
        """Return whether this use of the array, or of a row of it, writes nothing but `entry`."""
        axes, node = axes or self.axes, self.above[use]
        if isinstance(node, ast.Attribute):
            return node.attr in LOOKS
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return use in node.args and self._only_reads(node.func.id, node.args.index(use), axes)
        if not isinstance(node, ast.Subscript) or use is not node.value:
            return False
        index = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if not isinstance(node.ctx, ast.Load):
            return [i.id for i in index if isinstance(i, ast.Name)] == [*self.entry] and len(index) == axes
        numbered = not any(isinstance(i, ast.Slice | ast.Starred) for i in index)
        return numbered and (len(index) == axes or self._is_fine(node, axes - len(index)))

    def _only_reads(self, callee: str, place: int, axes: int) -> bool:
        """Return whether a function leaves an argument as it is."""
        function = self.function.__globals__.get(callee)
        if not isinstance(function, FunctionType) or place >= function.__code__.co_argcount:
            return False
        name = function.__code__.co_varnames[place]
        return _Reader(function, name, axes, (), self.depth + 1).is_content()


def _text(function: FunctionType) -> ast.AST | None:
    """Return the parsed text of a function, None where it is not to be had."""
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return None
