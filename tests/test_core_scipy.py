"""SciPy's own tests of softmax, log_softmax and logsumexp, run against the core through a thin adapter.

The installed test file is imported a second time and our functions are put in the place of SciPy's. What is left out
is listed with the reason, and the list may not grow stale: each name on it must exist.
"""

import importlib.util
import inspect
import itertools

import numpy as np
import pytest
import scipy

from rlsoftmax import core

LEFT_OUT = {
    "test_wrap_radians": "complex phases; the core is real",
    "TestLogSumExp.test_logsumexp_complex_sign": "complex",
    "TestLogSumExp.test_gh21610": "complex",
    "TestLogSumExp.test_gh21709_small_imaginary": "complex",
    "TestLogSumExp.test_device": "devices of other array libraries, one case complex",
}
FILE = "scipy.special.tests.test_logsumexp"
pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec(FILE) is None, reason="SciPy is installed without its tests"),
    pytest.mark.skipif(tuple(map(int, scipy.__version__.split(".")[:2])) < (1, 15), reason="their file is another"),
]


def logsumexp(a, axis=None, b=None, keepdims=False, return_sign=False):
    return core.logsumexp(a, axis, b=b, keepdims=keepdims, return_sign=return_sign)


def softmax(x, axis=None):
    return core.softmax(x, axis)


def log_softmax(x, axis=None):
    return core.log_softmax(x, axis)


class KnownMarks:
    """`pytest.mark` that lets marks pass which only SciPy's own configuration declares."""

    def __getattr__(self, name):
        known = ("parametrize", "filterwarnings", "skip", "skipif", "xfail")
        return getattr(MARK, name) if name in known else lambda *_, **__: lambda test: test


MARK = pytest.mark


def theirs():
    """Return SciPy's test module with our functions in it."""
    spec = importlib.util.find_spec(FILE)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pytest, "mark", KnownMarks())
        spec.loader.exec_module(module)
    module.logsumexp, module.softmax, module.log_softmax = logsumexp, softmax, log_softmax
    return module


def scipys_tests(module):
    """Yield name and function of every test in the module."""
    for name, value in vars(module).items():
        if name.startswith("test_") and callable(value):
            yield name, value
        if name.startswith("Test") and inspect.isclass(value):
            for method in vars(value):
                if method.startswith("test_"):
                    yield f"{name}.{method}", getattr(value(), method)


def cases_of(function):
    """Yield the argument sets that pytest would call the test with."""
    tables = []
    for mark in getattr(function, "pytestmark", []):
        if mark.name == "parametrize":
            names = mark.args[0] if isinstance(mark.args[0], (list, tuple)) else mark.args[0].split(",")
            names = [name.strip() for name in names]
            rows = [row if len(names) > 1 else (row,) for row in mark.args[1]]
            tables.append([dict(zip(names, row, strict=True)) for row in rows])
    for parts in itertools.product(*tables):
        case = {name: value for part in parts for name, value in part.items()}
        if not any(is_complex(value) for value in case.values()):
            yield case


def is_complex(value):
    return isinstance(value, complex) or (isinstance(value, str) and "complex" in value)


def run():
    """Return the names of the tests that ran, how many cases, and what failed."""
    names, count, failures = [], 0, []
    for name, function in scipys_tests(theirs()):
        if name in LEFT_OUT:
            continue
        names.append(name)
        for case in cases_of(function):
            count += 1
            if "xp" in inspect.signature(function).parameters:
                case["xp"] = np
            try:
                with np.errstate(all="ignore"):
                    function(**case)
            except AssertionError as error:
                failures.append((name, case, str(error)))
    return names, count, failures


def test_scipys_own_tests_pass_with_our_functions():
    names, count, failures = run()
    assert not failures
    assert len(names) >= 30
    assert count >= 40


def test_the_list_of_exceptions_is_not_stale():
    assert set(LEFT_OUT) <= {name for name, _ in scipys_tests(theirs())}


def test_the_adapter_notices_a_wrong_softmax(monkeypatch):
    monkeypatch.setattr(core, "softmax", lambda x, axis: np.full(np.shape(x), 1.0 / max(np.size(x), 1)))
    assert run()[2]
