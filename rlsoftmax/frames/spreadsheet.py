"""Values in a CSV file: numbers with all their digits, and text that no spreadsheet takes for a formula."""

from __future__ import annotations

import math
from typing import Any


def spelled(value: Any) -> str:
    """Return what a field says: empty for what is not there, `true` and `false`; a float is read back to the last bit.

    >>> spelled(0.1 + 0.2), spelled(float("nan")), spelled(True), spelled("=1+1")
    ('0.30000000000000004', '', 'true', "'=1+1")
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, (int, float)) else harmless(str(value))


def harmless(text: str) -> str:
    """Return text that no spreadsheet takes for a formula.

    >>> harmless("=1+1"), harmless("q_learning")
    ("'=1+1", 'q_learning')
    """
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
