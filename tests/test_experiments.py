"""Every study that is shipped can be planned as it is, and played small; its page tells what a full run showed."""

import re
from pathlib import Path

import numpy as np
import pytest
from command_line import ok

import rlsoftmax as rs
from rlsoftmax.launch.request import Request, planned
from rlsoftmax.plots import plotted

ROOT = Path(__file__).parent.parent / "experiments"
STUDIES = sorted(file.parent.name for file in ROOT.glob("*/study.yaml"))
BOOK = [name for name in STUDIES if name.startswith("sutton_barto")]
SMALL = ("runs=3", "steps=400", "results=small")


@pytest.fixture
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "400")


def claims(name):
    return planned(Request(config="study", folders=(ROOT / name,))).claims


def page(name):
    return (ROOT / name / "README.md").read_text(encoding="utf-8")


def test_the_book_is_there():
    assert BOOK == [f"sutton_barto_{part}" for part in ("2_2", "2_3", "2_4", "2_5", "2_6", "6_6", "temperature")]


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_is_planned_as_it_is_and_each_claim_is_about_one_of_its_cells(name):
    plan = planned(Request(config="study", folders=(ROOT / name,)))
    assert len(plan.cells) > 1
    assert bool(plan.claims) == (name in BOOK)


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_is_played_small_and_ends_with_a_line_for_each_claim(name, in_folder):
    out = ok("study", name, *SMALL)
    expected = claims(name)
    told = out.splitlines()[-len(expected) :] if expected else []
    assert all(line.startswith(("holds ", "fails ", "cannot be told ")) for line in told)
    for claim, line in zip(expected, told, strict=True):
        assert f"  {claim.says} ({claim.source})" in line
    assert ("claimed" in out) == bool(expected)


@pytest.mark.parametrize("name", BOOK)
def test_the_page_of_a_study_has_its_question_command_figure_and_all_verdicts(name):
    text = page(name)
    assert "**Question.**" in text
    assert f"rlsoftmax study {name}\n" in text
    (figure,) = re.findall(r"!\[.*\]\((.+\.png)\)", text)
    assert (ROOT / name / figure).stat().st_size < 60_000  # it is part of the wheel
    for claim in claims(name):
        assert f"| {claim.says} | {claim.source} |" in text
    rows = re.findall(r"^\| (holds|fails|cannot be told) \|", text, re.MULTILINE)
    assert len(rows) == len(claims(name))
    said = {"holds": "hold", "fails": "fail", "cannot be told": "cannot be told"}
    for answer, word in said.items():
        count = rows.count(answer)
        assert (f" {count} {word}" in text) == (count > 0)


@pytest.mark.parametrize("name", BOOK)
def test_the_figure_that_the_page_names_can_be_drawn(name, in_folder):
    (words,) = re.findall(r"^rlsoftmax (plot .+)$", page(name), re.MULTILINE)
    ok("study", name, "runs=3", "steps=400")
    (file,) = ok(*words.split(), "--format", "json").split()
    (figure,) = re.findall(r"!\[.*\]\((.+)\.png\)", page(name))
    assert Path(file) == Path(f"results/{name}/{figure}.json")


def test_a_few_curves_are_all_shown_where_no_temperature_tells_them_apart(in_folder):
    ok("study", "sutton_barto_2_5", *SMALL)
    numbers = plotted(rs.load("small/sutton_barto_2_5").data, "reward_curve")
    assert [len(metric.curves) for metric in numbers.metrics] == [4, 4]
    assert numbers.metrics[0].curves[0].label == "α 0.1 baseline including"


# --- what is exact is computed again, by other means ------------------------------------------------------------------


def cliff():
    """Return (next state, reward, terminated), each [states, actions], from Gymnasium's own table."""
    import gymnasium

    table = gymnasium.make("CliffWalking-v1").unwrapped.P
    outcomes = [[table[s][a][0][1:] for a in range(4)] for s in range(48)]
    after, reward, done = (np.array([[one[k] for one in row] for row in outcomes]) for k in range(3))
    return after.astype(int), reward.astype(float), done.astype(bool)


def worth(policy, after, reward, done):
    """Return [states]: the value of a policy [states, actions], by solving Bellman's equation."""
    to = np.zeros((48, 48))
    np.add.at(to, (np.arange(48)[:, None], after), np.where(done, 0.0, policy))
    return np.linalg.solve(np.eye(48) - to, (policy * reward).sum(axis=1))


def ahead(value, after, reward, done):
    return reward + np.where(done, 0.0, value[after])


def exploring(q, epsilon):
    best = np.isclose(q, q.max(axis=1, keepdims=True))
    return (1.0 - epsilon) * best / best.sum(axis=1, keepdims=True) + epsilon / 4


def softmax(q, tau):
    weights = np.exp((q - q.max(axis=1, keepdims=True)) / tau)
    return weights / weights.sum(axis=1, keepdims=True)


def test_exact_returns_on_the_cliff_are_those_of_dynamic_programming():
    world, start = cliff(), 36
    value = np.zeros(48)
    for _ in range(100):
        value = ahead(value, *world).max(axis=1)
    best = ahead(value, *world)
    soft = np.full((48, 4), 0.25)
    for _ in range(50):  # policy iteration among those that explore with 0.1
        soft = exploring(ahead(worth(soft, *world), *world), 0.1)
    computed = [worth(soft, *world)[start], worth(exploring(best, 0.1), *world)[start]]
    computed += [worth(softmax(best, tau), *world)[start] for tau in (1.0, 0.25)]
    claimed = [c.expected for c in claims("sutton_barto_6_6") if c.source.startswith("exact, by policy")]
    np.testing.assert_allclose(claimed, computed, atol=1e-3)


@pytest.mark.parametrize("name", ["sutton_barto_2_3", "sutton_barto_2_4"])
def test_the_spike_is_the_highest_of_ten_normals(name):
    from scipy.integrate import quad
    from scipy.stats import norm

    highest = quad(lambda x: 10 * x * norm.pdf(x) * norm.cdf(x) ** 9, -10, 10)[0]
    (claim,) = [one for one in claims(name) if one.steps == (10, 11)]
    assert claim.expected == pytest.approx(highest / np.sqrt(2), abs=5e-4)


def test_the_list_of_studies_names_all_of_them_and_counts_their_verdicts():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(name in text for name in STUDIES)
    for name in BOOK:
        (row,) = re.findall(rf"^\| \[{name}\].*$", text, re.MULTILINE)
        told = [int(cell.strip() or 0) for cell in row.strip("|").split("|")[2:]]
        assert told == [page(name).count(f"\n| {answer} |") for answer in ("holds", "fails", "cannot be told")]
