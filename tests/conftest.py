"""What all tests share: those marked `compiled` are left out where the compiler is switched off."""

import os

import pytest


def pytest_collection_modifyitems(items):
    if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        for item in items:
            if item.get_closest_marker("compiled"):
                item.add_marker(pytest.mark.skip(reason="the compiler is switched off"))
