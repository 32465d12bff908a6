"""Plain values as text, against the `json` of the standard library."""

import enum
import json
import math
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlsoftmax.canonical import Settled, canonical
from rlsoftmax.errors import ConfigError

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
PLAIN = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=30)


class Size(enum.IntEnum):
    """A whole number by inheritance."""

    SMALL = 3


@given(PLAIN)
def test_the_text_is_that_of_json_with_sorted_keys(value):
    assert canonical(value) == json.dumps(value, sort_keys=True, separators=(",", ":"))


@given(PLAIN)
def test_what_was_written_is_read_as_the_same_value(value):
    assert json.loads(canonical(value)) == value


def test_the_order_of_keys_and_the_kind_of_container_leave_no_trace():
    assert canonical({"b": (1, 2), "a": {}}) == canonical(MappingProxyType({"a": {}, "b": [1, 2]}))


def test_equal_numbers_of_different_kinds_are_told_apart():
    assert [canonical([value]) for value in (1, True, 1.0, "1")] == ["[1]", "[true]", "[1.0]", '["1"]']


def test_what_is_plain_by_inheritance_is_written_as_what_it_is():
    assert canonical([Size.SMALL, np.float64(0.1), np.str_("a")]) == '[3,0.1,"a"]'
    assert canonical({2: "two", None: "none"}) == '{"2":"two","None":"none"}'


def test_infinities_are_words():
    assert canonical([math.inf, -math.inf]) == '["inf","-inf"]'


def test_nan_is_refused():
    with pytest.raises(ValueError, match="NaN is not a plain value"):
        canonical({"tau": math.nan})


def test_what_is_not_plain_is_refused_in_one_sentence():
    with pytest.raises(ConfigError, match="is not a plain value"):
        canonical({"tau": object()})


@given(st.dictionaries(st.text(), PLAIN))
def test_settled_values_are_written_like_any_others(values):
    assert canonical({"a": [Settled(values)], "b": Settled(values)}) == canonical({"a": [values], "b": values})


def test_the_text_of_settled_values_is_made_once():
    settled = Settled(a=1)
    assert canonical(settled) is canonical(settled)
