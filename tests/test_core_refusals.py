"""Whatever a public function of the core is given: it answers, or refuses with an ArgumentError, and never warns."""

import contextlib
import inspect

import numpy as np
import pytest

from rlsoftmax import core
from rlsoftmax.errors import ArgumentError

FUNCTIONS = {name: getattr(core, name) for name in core.__all__ if inspect.isfunction(getattr(core, name))}
NUMBERS = {"alpha": 1.3, "order": 1.3, "omega": 1.3, "tau": 1.3}  # what must be a number; all others take what is odd
FLAGS = {"keepdims", "precise", "return_sign"}  # true or false, as Python takes them
ODD = {
    "three numbers": np.array([1.0, 2.0, 3.0]),
    "an empty list": [],
    "an empty row": [[]],
    "no rows": np.zeros((0, 3)),
    "rows of nothing": np.zeros((3, 0)),
    "a number": 5.0,
    "a whole number": 3,
    "NaN": np.array([np.nan, 1.0]),
    "infinities": np.array([np.inf, -np.inf, 0.0]),
    "nothing allowed": np.full(3, -np.inf),
    "a word": "a",
    "words": np.array(["1", "2"]),
    "None": None,
    "ragged": [[1, 2], [3]],
    "complex": np.array([1 + 2j]),
    "truth values": np.array([True, False]),
    "bytes": np.arange(3, dtype=np.uint8),
    "objects": np.array([1, 2], dtype=object),
    "masked": np.ma.array([1.0, 2.0], mask=[False, True]),
    "half precision": np.array([1.0, 2.0], np.float16),
    "the ends of int64": np.array([2**63 - 1, -(2**63)]),
}


def called(function, odd):
    """Call a function with the same odd thing wherever it needs something."""
    parameters = inspect.signature(function).parameters
    needed = [p.name for p in parameters.values() if p.default is p.empty]
    luck = {"rng": np.random.default_rng(0)} if "rng" in parameters else {}
    return function(**{name: NUMBERS.get(name, odd) for name in needed}, **luck)


def refusal(function, odd):
    """Return the sentence in which an odd thing is refused; a full stop if it is answered."""
    try:
        called(function, odd)
    except ArgumentError as error:
        return str(error)
    return "."


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_odd_is_answered_or_refused_as_an_argument(name, odd):
    assert refusal(FUNCTIONS[name], ODD[odd]).endswith((".", ")"))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_one_odd_argument_among_ordinary_ones_is_no_other_error(name):
    function, x = FUNCTIONS[name], np.array([[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]])
    parameters = inspect.signature(function).parameters
    ordinary = {p.name: NUMBERS.get(p.name, x) for p in parameters.values() if p.default is p.empty}
    ordinary |= {"rng": np.random.default_rng(0)} if "rng" in parameters else {}
    for argument in set(parameters) - {"out", "rng", *FLAGS}:
        for odd in (*ODD.values(), -1.0, np.zeros((5, 7)), -np.ones(2), True, {}):
            with contextlib.suppress(ArgumentError):
                function(**{**ordinary, argument: odd})


def test_ordinary_numbers_are_answered_by_most():
    answered = 0
    for function in FUNCTIONS.values():
        try:
            called(function, ODD["three numbers"])
        except ArgumentError:
            continue
        answered += 1
    assert answered > 0.5 * len(FUNCTIONS)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: core.gumbel_top_k([0.0, 1.0], 1.5, u=[0.1, 0.2]), "k must be a whole number >= 1, got 1.5."),
        (lambda: core.clustered_tree([0, 1]), "clusters must be lists of classes"),
        (lambda: core.probability_estimate([1.0] * 3, [[0.0, 1.0]] * 2, 0.0), "target must have one number per row"),
        (lambda: core.sampled_softmax([1.0] * 3, [0.0, 1.0], 0.0), "target must have one number per row"),
        (lambda: core.sampled_softmax(1.0, [0.0, 1.0], 0.0, hits=[True] * 3), "hits must be boolean and broadcast"),
        (lambda: core.probability_estimate(1.0, [0.0, 1.0], [0.0] * 3), "log_q must broadcast with x"),
        (lambda: core.softmax_weighted_sum_vjp([[1.0]], [[1.0]], [[1.0]], [[1.0]], ()), "state must have the shapes"),
    ],
)
def test_wrong_shapes_are_refused_by_name(call, words):
    with pytest.raises(ArgumentError, match=words.replace("[", r"\[")):
        call()


def test_several_targets_may_share_a_sample():
    x, log_q = [0.0, 1.0, 2.0], np.log([0.2, 0.3, 0.5])
    one = [core.probability_estimate(target, x, log_q, tau=2.0).value for target in (0.5, 1.5)]
    np.testing.assert_array_equal(core.probability_estimate([0.5, 1.5], x, log_q, tau=2.0).value, one)
    hits = np.eye(2, 3, dtype=bool)
    both = core.sampled_softmax([0.5, 1.5], x, log_q, hits=hits)
    alone = [
        core.sampled_softmax(target, x, log_q, hits=hit).loss for target, hit in zip((0.5, 1.5), hits, strict=True)
    ]
    np.testing.assert_array_equal(both.loss, alone)


def test_an_empty_row_has_no_mellowmax():
    assert np.isnan(core.mellowmax([], 2.0))
