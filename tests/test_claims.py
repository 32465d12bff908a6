"""Claims: what a study's file says is checked before anything runs, kept with the study, and judged by its runs."""

import math

import numpy as np
import pytest
from command_line import cells, ok, refused, write
from test_stats_warnings import a_cell, a_study

import rlsoftmax as rs
from rlsoftmax.errors import ConfigError
from rlsoftmax.plots.verdicts import lines
from rlsoftmax.stats.intervals import Interval, interval
from rlsoftmax.stats.verdicts import answer, verdicts
from rlsoftmax.store.claims import Claim

GOOD = {"quantity": "reward", "cell": "{tau: 0.5}", "expected": "0.5", "tolerance": "1", "source": "a book"}
HEAD = "defaults: [config, _self_]\nsteps: 20\nruns: 4\ngrids:\n  - {tau: [0.25, 0.5]}\nclaims:\n"


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")


def study_with(*claims):
    """Write experiments/mine/study.yaml."""
    each = ("\n    ".join(f"{key}: {value}" for key, value in claim.items()) for claim in claims)
    write("experiments/mine/study.yaml", HEAD + "".join(f"  - {text}\n" for text in each))


def claim(**keys):
    return Claim(**{"quantity": "reward", "cell": {}, "source": "a book", **keys})


# --- what is written --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"tolerence": 1}, "unknown key claims[0].tolerence. Did you mean 'tolerance'?"),
        ({"quantity": "rewrd"}, "claims[0].quantity='rewrd': there is no such quantity. Did you mean 'reward'?"),
        ({"quantity": "success"}, "claims[0].quantity='success': its environment does not declare it."),
        ({"quantity": "7"}, "claims[0].quantity=7 must be a word."),
        ({"cell": "{tua: 0.5}"}, "claims[0]: no cell fits {'tua': 0.5}. Did you mean 'tau'? Known: tau."),
        ({"cell": "{tau: 0.3}"}, "claims[0]: no cell fits {'tau': 0.3}. tau takes: 0.25, 0.5."),
        ({"cell": "{}"}, "claims[0]: 2 cells fit {}; also give tau."),
        ({"cell": "0.5"}, "claims[0].cell=0.5 must be keys and values."),
        ({"minus": "{tau: 8}"}, "claims[0]: no cell fits {'tau': 8}. tau takes: 0.25, 0.5."),
        ({"steps": "[0, 21]"}, "claims[0].steps=[0, 21] must be edges of bins; the nearest to 21 are 20 and 19."),
        ({"steps": "[9, 3]"}, "claims[0].steps=[9, 3] must be [from, to), two whole numbers that ascend."),
        ({"steps": "[3]"}, "claims[0].steps=[3] must be [from, to), two whole numbers that ascend."),
        ({"steps": "[0, 5]", "quantity": "greedy"}, "claims[0].steps=[0, 5] cannot be given: the score greedy"),
        ({"expected": "much"}, "claims[0].expected='much' must be a number or None."),
        ({"tolerance": -1}, "claims[0].tolerance=-1.0 must be >= 0."),
        ({"tolerance": "null"}, "claims[0].expected=0.5 needs a tolerance; or give above or below instead of both."),
        ({"above": 0}, "claims[0].expected=0.5 needs a tolerance; or give above or below instead of both."),
        ({"expected": "null", "tolerance": "null"}, "claims[0].expected=None needs a tolerance; or give"),
    ],
)  # fmt: skip
def test_a_claim_that_is_not_about_this_study_is_refused_before_anything_runs(changes, complaint):
    study_with(GOOD | changes)
    assert refused("study", "mine").startswith(complaint)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("claims: it works", "claims='it works' must be a list"),
        ("claims: [works]", "claims[0]='works' must be keys and"),
    ],
)
def test_claims_are_a_list_of_keys_and_values(text, complaint):
    write("experiments/mine/study.yaml", f"defaults: [config, _self_]\nsteps: 20\nruns: 4\n{text}\n")
    assert refused("study", "mine").startswith(complaint)


def test_a_source_is_required():
    study_with({key: value for key, value in GOOD.items() if key != "source"})
    assert refused("study", "mine") == "missing key claims[0].source."


def test_the_second_of_two_claims_is_named():
    study_with(GOOD, GOOD | {"quantity": "reword"})
    assert refused("study", "mine").startswith("claims[1].quantity='reword'")


# --- what becomes of it -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "ends", "expected"),
    [
        ({"expected": 1.0, "tolerance": 0.2}, (0.8, 1.2), "holds"),  # both ends belong to it
        ({"expected": 1.0, "tolerance": 0.2}, (0.9, 1.1), "holds"),
        ({"expected": 1.0, "tolerance": 0.2}, (0.7, 1.1), "cannot be told"),
        ({"expected": 1.0, "tolerance": 0.2}, (0.7, 1.3), "cannot be told"),  # wider than what was claimed
        ({"expected": 1.0, "tolerance": 0.2}, (1.3, 1.4), "fails"),
        ({"expected": 1.0, "tolerance": 0.2}, (0.1, 0.7), "fails"),
        ({"expected": 1.0, "tolerance": 0.0}, (1.0, 1.0), "holds"),  # no spread at all: success in every run
        ({"above": 0.0}, (0.1, 0.2), "holds"),
        ({"above": 0.0}, (0.0, 0.2), "cannot be told"),
        ({"above": 0.0}, (0.0, 0.0), "fails"),  # equal is not above
        ({"above": 0.0}, (-0.2, -0.1), "fails"),
        ({"below": 0.0}, (-0.2, -0.1), "holds"),
        ({"below": 0.0}, (-0.2, 0.1), "cannot be told"),
        ({"below": 0.0}, (0.0, 0.1), "fails"),
        ({"above": 0.0, "below": 1.0}, (0.1, 0.9), "holds"),
        ({"above": 0.0, "below": 1.0}, (-0.1, 1.1), "cannot be told"),
        ({"above": 0.0, "below": 1.0}, (1.1, 1.2), "fails"),
    ],
)
def test_a_verdict_worked_by_hand(keys, ends, expected):
    low, high = ends
    assert answer(Interval((low + high) / 2, low, high, 10), claim(**keys)) == expected


def beyond(count, n, share):
    """Return whether `count` of n is more than a rate of `share` explains: false alarm 1e-6 (z = 4.75, one-sided)."""
    return count > n * share + 4.75 * math.sqrt(n * share * (1.0 - share))


@pytest.mark.parametrize(
    ("truth", "keys", "wrong", "most"),
    [
        (0.0, {"above": 0.0}, "holds", 0.025),  # as near to true as a false claim can be
        (0.3, {"expected": 0.0, "tolerance": 0.3}, "fails", 0.025),  # as near to false as a true one can be
        (3.001, {"expected": 0.0, "tolerance": 3.0}, "holds", 0.025),
        (0.0, {"expected": 0.0, "tolerance": 0.0}, "fails", 0.05),  # a claim of an exact number has two wrong sides
    ],
)
def test_a_wrong_verdict_is_as_rare_as_promised(truth, keys, wrong, most):
    """4000 studies of 12 runs each. False-alarm rate of this test: 1e-6 each, 4e-6 for all four."""
    rng = np.random.default_rng(20_261_125)
    said = [answer(interval(row), claim(**keys)) for row in rng.normal(truth, 1.0, (4000, 12))]
    assert not beyond(said.count(wrong), len(said), most)
    assert said.count(wrong) > 0.5 * most * len(said)  # nor is it never said: the bound is the rate itself


def test_enough_runs_settle_a_claim():
    rng = np.random.default_rng(20_261_126)
    said = [answer(interval(rng.normal(1.0, 1.0, n)), claim(expected=1.0, tolerance=0.2)) for n in (10, 4000)]
    assert said == ["cannot be told", "holds"]


def test_two_cells_are_compared_in_pairs():
    luck = np.random.default_rng(0).normal(0.0, 10.0, 30)
    study = a_study(a_cell({"tau": 1.0}, luck + 0.1), a_cell({"tau": 2.0}, luck), runs=30)
    study = with_claims(study, claim(cell={"tau": 1.0}, minus={"tau": 2.0}, above=0.0))
    (found,) = verdicts(study)
    assert found.answer == "holds"  # though each mean is known to 4 only
    assert found.measured.mean == pytest.approx(0.1)
    assert found.measured.method == "paired t"


def with_claims(study, *claims):
    import dataclasses

    return dataclasses.replace(study, claims=claims)


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"cell": {"tau": 3.0}}, "no cell fits {'tau': 3.0}. tau takes: 1.0, 2.0."),
        ({"cell": {}}, "2 cells fit {}."),
        ({"cell": {"tau": 1.0}, "steps": (5, 9)}, "steps 5 to 9 are not played, or are no edges of bins."),
        ({"cell": {"tau": 2.0}}, "scores must hold at least 3 runs with a number, got 2."),
        ({"cell": {"tau": 1.0}, "quantity": "greedy"}, "has no greedy score"),
        ({"cell": {"tau": 1.0}, "quantity": "success"}, "no metric 'success' here."),
    ],
)
def test_what_was_not_measured_cannot_be_told_and_says_why(keys, why):
    study = a_study(a_cell({"tau": 1.0}, [1.0, 2.0, 3.0]), a_cell({"tau": 2.0}, [1.0, 2.0]), runs=3)
    (found,) = verdicts(with_claims(study, claim(**keys, above=0.0)))
    assert (found.answer, found.measured) == ("cannot be told", None)
    assert why in found.why
    (line,) = lines(with_claims(study, claim(**keys, above=0.0)), 400)
    assert line.startswith("cannot be told  –  expected > 0  ")


def test_a_line_names_the_quantity_where_the_claim_has_no_words_of_its_own():
    study = a_study(a_cell({"tau": 1.0}, [1.0, 2.0, 3.0]), a_cell({"tau": 2.0}, [1.0, 2.5, 3.0]), runs=3)
    one = claim(cell={"tau": 1.0}, minus={"tau": 2.0}, expected=0.0, tolerance=9.0)
    (line,) = lines(with_claims(study, one), 200)
    assert line == "holds  −0.2 ± 0.7  expected 0 ± 9  average reward: tau=1.0 minus tau=2.0 (a book)"
    narrow = lines(with_claims(study, one), 60)
    assert len(narrow) > 1
    assert all(len(part) <= 80 for part in narrow)


def test_words_of_a_claim_cannot_steer_the_terminal():
    study = a_study(a_cell({}, [1.0, 2.0, 3.0]), runs=3)
    assert "\x1b" not in lines(with_claims(study, claim(says="\x1b[31mred", above=0.0)))[0]


# --- where it is kept -------------------------------------------------------------------------------------------------

ALWAYS = GOOD | {"tolerance": "100", "says": "rewards are small"}
NEVER = {"quantity": "reward", "cell": "{tau: 0.5}", "minus": "{tau: 0.25}", "above": "100", "source": "nowhere"}


def test_a_study_ends_with_its_verdicts_and_so_does_show():
    study_with(ALWAYS, NEVER)
    last = ok("study", "mine").splitlines()[-2:]
    assert last[0].startswith("holds  ")
    assert last[0].endswith("expected 0.5 ± 100  rewards are small (a book)")
    assert last[1].startswith("fails  ")
    assert ok("show", "mine").splitlines()[-2:] == last
    assert [one.answer for one in rs.load("mine").verdicts()] == ["holds", "fails"]


def test_the_stored_file_plays_again_with_its_claims_and_adds_no_plan():
    study_with(ALWAYS, NEVER)
    first = ok("study", "mine").splitlines()[-2:]
    assert ok("study", "results/mine").splitlines()[-2:] == first
    study = rs.load("mine").data
    assert [one.plain() for one in study.claims] == [
        {"quantity": "reward", "cell": {"tau": 0.5}, "source": "a book", "says": "rewards are small"}
        | {"expected": 0.5, "tolerance": 100.0},
        {"quantity": "reward", "cell": {"tau": 0.5}, "minus": {"tau": 0.25}, "source": "nowhere", "above": 100.0},
    ]  # fmt: skip


def test_the_file_of_a_changed_study_plays_again_without_the_claims_that_are_not_about_it():
    study_with(ALWAYS, GOOD | {"steps": "[15, 20]"}, NEVER)
    ok("study", "mine", "tau=0.5,2", "steps=10", "study=other")
    assert [one.says for one in rs.load("other").data.claims] == ["rewards are small", "", ""]
    assert ok("study", "results/other").splitlines()[-1].startswith("holds")
    assert [one.says for one in rs.load("other").data.claims] == ["rewards are small"]


def test_the_stored_file_names_cells_by_components_where_the_study_named_options():
    write(
        "experiments/mine/study.yaml",
        "defaults: [config, _self_]\nsteps: 5\nruns: 3\ntau: {value: 0.5}\ngrids:\n"
        "  - {env: [testbed, bernoulli_bandit, gaussian_bandit], env.arms: 3}\n  - {env: testbed, env.arms: 4}\n"
        "claims:\n  - {quantity: reward, cell: {env: bernoulli_bandit}, above: -1, source: bounds}\n"
        "  - {quantity: reward, cell: {env: testbed, env.arms: 4}, below: 99, source: bounds}\n",
    )
    first = ok("study", "mine").splitlines()[-2:]
    assert [line.split()[0] for line in first] == ["holds", "holds"]
    again = ok("study", "results/mine").splitlines()[-2:]
    assert [line.split()[:3] for line in again] == [line.split()[:3] for line in first]
    assert [one.cell.get("env") for one in rs.load("mine").data.claims] == ["bernoulli_bandit", "gaussian_bandit"]


def test_claims_are_no_part_of_a_cell_and_the_newest_count():
    study_with(ALWAYS)
    ok("study", "mine")
    before = [cell["id"] for cell in cells("mine")]
    study_with(NEVER)
    assert ok("study", "mine", "runs=6").splitlines()[-1].startswith("fails")
    assert [cell["id"] for cell in cells("mine")] == before
    assert [one.answer for one in rs.load("mine").verdicts()] == ["fails"]


def test_a_study_that_was_changed_is_played_and_what_is_gone_cannot_be_told():
    study_with(ALWAYS, GOOD | {"steps": "[15, 20]"}, NEVER)
    told = ok("study", "mine", "tau=0.5,2", "steps=10", "study=other").splitlines()[-3:]
    assert [line[:14].strip() for line in told] == ["holds", "cannot be told", "cannot be told"]
    assert told[1].endswith("[steps 15 to 20 are not played, or are no edges of bins]")
    assert told[2].endswith("[no cell fits {'tau': 0.25}. tau takes: 0.5, 2]")
    with pytest.raises(ConfigError, match="no cell fits"):
        rs.load("other").cell(tau=0.25)


def test_a_study_without_claims_says_nothing_about_them():
    assert "claimed" not in ok("sweep", "tau=0.1,0.2", "steps=5", "runs=3", "study=s")
    assert rs.load("s").verdicts() == ()
