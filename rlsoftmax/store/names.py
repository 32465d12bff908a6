"""Names of studies: they become folders, so they hold nothing that a file system or a shell reads as more."""

from __future__ import annotations

import re

from rlsoftmax.errors import BadValue

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,80}")


def check_name(name: str) -> str:
    """Return the name of a study, unchanged.

    Args:
      name: 1 to 81 letters, digits, `.`, `_`, `+` and `-`; the first is a letter or a digit.

    Raises:
      BadValue: if it is anything else, such as a path.

    >>> check_name("testbed-sample_average-1f02ab")
    'testbed-sample_average-1f02ab'
    >>> check_name("../elsewhere")
    Traceback (most recent call last):
    ...
    rlsoftmax.errors.BadValue: study='../elsewhere' must be 1 to 81 of A-Z a-z 0-9 . _ + -, the first no sign.
    """
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        raise BadValue("study", name, "must be 1 to 81 of A-Z a-z 0-9 . _ + -, the first no sign")
    return name
