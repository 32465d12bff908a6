"""What is typed means exactly what it says."""

import math
from fractions import Fraction

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlsoftmax.errors import ConfigError
from rlsoftmax.experiment.shorthand import expand, geomspace, linspace, octaves, values

SCHEDULES = {"constant", "exponential", "linear"}


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("tau=0.25", ["tau=constant", "tau.value=0.25"]),
        ("tau=1/64,1/3", ["tau=constant", "tau.value=0.015625,0.3333333333333333"]),
        ("tau=octaves(1/4,2)", ["tau=constant", "tau.value=0.25,0.5,1.0,2.0"]),
        ("tau=octaves(1/4, 1), 8", ["tau=constant", "tau.value=0.25,0.5,1.0, 8"]),
        ("tau=octaves(1,2,per=2)", ["tau=constant", "tau.value=1.0,1.4142135623730951,2.0"]),
        ("tau=auto", ["tau=constant", "tau.value=auto"]),
        ("tau=auto,0.1", ["tau=constant", "tau.value=auto,0.1"]),
        ("tau=inf", ["tau=constant", "tau.value=inf"]),
        ("tau=exponential", ["tau=exponential"]),
        ("tau=constant,exponential", ["tau=constant,exponential"]),
        ("tau.value=geomspace(0.01,100,5)", ["tau.value=0.01,0.1,1.0,10.0,100.0"]),
        ("beta=2,4", ["tau=constant", "tau.value=0.5,0.25"]),
        ("beta=1/3", ["tau=constant", "tau.value=3.0"]),
        ("beta=0.1", ["tau=constant", "tau.value=10.0"]),
        ("beta=0,inf", ["tau=constant", "tau.value=inf,0.0"]),
        ("beta=octaves(1/2,2)", ["tau=constant", "tau.value=2.0,1.0,0.5"]),
        ("agent.alpha=linspace(0.1, 0.3, 3)", ["agent.alpha=0.1,0.2,0.3"]),
        ("agent.alpha=linspace(0.1, 0.3, count=3)", ["agent.alpha=0.1,0.2,0.3"]),
        ("agent.alpha=exponential", ["+tau@agent.alpha=exponential"]),
        ("agent.alpha=exponential,linear", ["+tau@agent.alpha=exponential,linear"]),
        ("agent.alpha.start=0.5", ["agent.alpha.start=0.5"]),
        ("agent.baseline=before", ["agent.baseline=before"]),
        ("engine.threads=auto", ["engine.threads=auto"]),
        ("env.chances=[0.4,0.6]", ["env.chances=[0.4,0.6]"]),
        ("tau=choice(constant,exponential)", ["tau=choice(constant,exponential)"]),
        ("env.kwargs={map_name:8x8}", ["++env.kwargs={map_name:8x8}"]),
        ("agent={alpha:1}", ["agent={alpha:1}"]),
        ("~agent.alpha", ["~agent.alpha"]),
        ("+extra='a/b'", ["+extra='a/b'"]),
    ],
)
def test_a_shorthand_is_written_in_hydras_language(argument, expected):
    assert expand(argument, SCHEDULES) == expected


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("temperature=0.1", "temperature is not a key, because other tools use the word both ways: say tau=..."),
        ("policy.temperature=0.1", "policy.temperature is not a key"),
        ("+temperature.value=0.1", "temperature.value is not a key"),
        ("tau=[0.1,0.2]", "several temperatures are written tau=0.1,0.2, without brackets."),
        ("tau=range(0.1,0.8,0.1)", "write tau=linspace(first,last,count)."),
        ("tau=0.1,exponential", "temperatures and names of schedules cannot be mixed"),
        ("agent.alpha=0.1,exponential", "numbers and names of schedules cannot be mixed"),
        ("beta=-1", "beta=-1.0 must be >= 0 (tau = 1/beta)."),
        ("beta=2,-inf", "beta=-inf must be >= 0"),
        ("beta=-1/3", "must be >= 0"),
        ("beta=nan", "beta=nan must be >= 0"),
        ("beta=exponential", "beta='exponential' must be a number >= 0; a schedule is one of tau."),
        ("beta=1e-320", "a number is too large"),
        ("tau=1/0", "'1/0' is not a number such as 0.05, 1e-3 or 1/64."),
        ("tau=octaves(8,1)", "octaves(8, 1): the ends must satisfy 0 < low <= high."),
        ("tau=octaves(0,1)", "0 < low <= high"),
        ("tau=octaves(1,5)", "octaves(1, 5) does not hit its end; the nearest ends are 4 and 8."),
        ("tau=octaves(1,5.9)", "the nearest ends are 4 and 8."),
        ("tau=octaves(1)", "write octaves(low, high, per)."),
        ("tau=octaves(1,2,3,4)", "write octaves(low, high, per)."),
        ("tau=octaves(1,2,pre=2)", "write octaves(low, high, per)."),
        ("tau=octaves(1,1,low=1)", "write octaves(low, high, per)."),
        ("tau=octaves(1,hot)", "'hot' is not a number"),
        ("tau=linspace(0,1)", "write linspace(first, last, count)."),
        ("tau=linspace(0,1,1e9)", "count='1e9' must be a whole number from 1 to 10000."),
        ("tau=linspace(0,1,2.5)", "count='2.5' must be a whole number"),
        ("tau=geomspace(0,1,3)", "geomspace(0, 1, 3): both ends must be > 0."),
        ("n_runs=5", "unknown key n_runs. Did you mean 'runs'?"),
        ("seeds=5", "Did you mean 'runs'?"),
        ("num_seeds=5", "Did you mean 'runs'?"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_way_out(argument, words):
    with pytest.raises(ConfigError) as caught:
        expand(argument, SCHEDULES)
    assert words in str(caught.value)


def test_text_and_python_numbers_mean_the_same():
    assert octaves(1 / 64, 8) == octaves("1/64", "8") == [2.0**k for k in range(-6, 4)]
    assert linspace(0.1, 0.8, 8) == linspace("0.1", "4/5", "8") == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
    assert geomspace(0.01, 100, 5) == [0.01, 0.1, 1.0, 10.0, 100.0]
    assert octaves(0.1, 0.8) == [0.1, 0.2, 0.4, 0.8]
    assert octaves(3, 3) == [3.0]


@given(st.integers(-40, 40), st.integers(0, 40), st.integers(1, 6))
def test_octaves_hit_both_ends_and_double(low, count, per):
    found = octaves(2.0**low, 2.0 ** (low + count), per)
    assert (found[0], found[-1], len(found)) == (2.0**low, 2.0 ** (low + count), count * per + 1)
    for k, value in enumerate(found):  # against 60 digits of another library, rounded once
        with mpmath.workdps(60):
            first = Fraction(repr(2.0**low))  # the decimal that a command line would show
            assert value == float(
                mpmath.mpf(first.numerator) / first.denominator * mpmath.mpf(2) ** (mpmath.mpf(k) / per)
            )


@given(
    st.fractions(-1000, 1000, max_denominator=999), st.fractions(-1000, 1000, max_denominator=999), st.integers(2, 50)
)
def test_linspace_is_rounded_once(first, last, count):
    expected = [float(first + (last - first) * Fraction(k, count - 1)) for k in range(count)]
    assert linspace(str(first), str(last), count) == expected


@given(st.fractions("1/999", 1000, max_denominator=999), st.fractions("1/999", 1000, max_denominator=999))
def test_geomspace_is_rounded_once(first, last):
    found = geomspace(str(first), str(last), 9)
    for k, value in enumerate(found):
        with mpmath.workdps(60):
            a, b = (mpmath.mpf(x.numerator) / x.denominator for x in (first, last))
            assert value == float(a * (b / a) ** (mpmath.mpf(k) / 8))


@given(st.floats(1e-300, 1e300))
def test_beta_is_the_inverse_rounded_once(beta):
    (_, text) = expand(f"beta={beta!r}")
    assert float(text.removeprefix("tau.value=")) == float(1 / Fraction(repr(beta)))


@given(st.text(max_size=30))
def test_any_text_is_answered(text):
    """Nothing that is typed is a traceback."""
    for key in ("tau", "beta", "agent.alpha", text):
        assert answer(f"{key}={text}") is not None


def answer(argument):
    try:
        return " ".join(expand(argument, SCHEDULES))
    except ConfigError as error:
        return str(error)


def test_paths_and_words_with_slashes_are_left_alone():
    assert values("a/b,c") == "a/b,c"
    assert values("'1/2 of it'") == "'1/2 of it'"
    assert math.isinf(float(values("inf")))
