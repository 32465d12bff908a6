"""The report as a file: whole without a program, nothing is fetched, names are text, and every number is right."""

import base64
import csv
import dataclasses
import hashlib
import html
import html.parser
import io
import itertools
import json
import re
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
import pytest

import rlsoftmax as rs
from rlsoftmax import answers
from rlsoftmax.errors import ConfigError
from rlsoftmax.plots import table
from rlsoftmax.report import geometry, page
from rlsoftmax.report.items import items_of
from rlsoftmax.report.scores import scores
from rlsoftmax.store.claims import Claim
from rlsoftmax.store.data import CellData, Failure, Score, StudyData
from rlsoftmax.store.digest import digest
from tests import simulated

EVIL = "<img src=x onerror=alert(1)>"


class Reader(html.parser.HTMLParser):
    """Collects what a browser would see: elements, and the text between them."""

    VOID = {"meta", "input", "br", "img", "link", "hr"}

    def __init__(self, text):
        super().__init__()
        self.tags, self.words, self.open = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, "elements end in the order in which they began"

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def named(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


def svgs(text):
    """Return every picture, read as the XML that it must be."""
    return [ElementTree.fromstring(part) for part in re.findall(r"<svg.*?</svg>", text, re.S)]


def data_of(text):
    (link,) = [attrs for attrs in Reader(text).named("a") if attrs.get("id") == "data"]
    return json.loads(unquote(link["href"].partition(",")[2]))


def csv_of(text):
    (link,) = [attrs for attrs in Reader(text).named("a") if attrs.get("id") == "csv"]
    return unquote(link["href"].partition(",")[2])


@pytest.fixture(scope="module")
def study():
    return simulated.union()


@pytest.fixture(scope="module")
def text(study):
    return page.html(study)


# --- one file ---------------------------------------------------------------------------------------------------------


STUDIES = {
    "temperatures": simulated.ten_arms,
    "other kinds": simulated.union,
    "beta": lambda: simulated.ten_arms(axis="beta"),
    "greedy to uniform": lambda: simulated.ten_arms(temperatures=(0.0, 0.5, np.inf)),
    "groups": simulated.lake,
    "two numbers": simulated.grid,
    "conditions": simulated.conditions,
    "unfinished": simulated.broken,
    "a condition without runs": lambda: simulated.half_done(simulated.conditions()),
    "failures only in a cell": lambda: simulated.half_done(simulated.ten_arms(), 1),
    "one cell": lambda: one_cell(simulated.ten_arms()),
    "no number": lambda: by_name(simulated.lake()),
    "one run": lambda: simulated.ten_arms(runs=1),
    "nothing but rewards": lambda: bare(simulated.ten_arms()),
}


def one_cell(study):
    return dataclasses.replace(study, cells=study.cells[:1], axes=())


def by_name(study):
    cells = [dataclasses.replace(cell, overrides={"agent": cell.overrides["agent"]}) for cell in study.cells[::4]]
    return dataclasses.replace(study, cells=tuple(cells), axes=("agent",))


def bare(study):
    cells = [dataclasses.replace(cell, arrays={"reward": cell.arrays["reward"]}) for cell in study.cells]
    return dataclasses.replace(study, cells=tuple(cells))


@pytest.mark.parametrize("make", STUDIES.values(), ids=STUDIES)
def test_every_study_gives_a_well_formed_page_without_references_to_elsewhere(make):
    study = make()
    text = page.html(study)
    reader = Reader(text)
    assert not reader.open
    for tag, attrs in reader.tags:
        assert "src" not in attrs
        assert attrs.get("href", "data:").startswith("data:"), tag
        assert not [key for key in attrs if key.startswith("on")], "no handler is written into the page"
    styles = "".join(re.findall(r"<style[^>]*>(.*?)</style>", text, re.S))
    assert "@import" not in styles
    assert "url(" not in styles
    assert len(svgs(text)) >= 2
    assert "nan" not in re.sub(r'data-v="nan"', "", text.lower().replace("nan</td>", "")).split("<section id=")[2]
    assert [row["cell"] for row in csv.DictReader(io.StringIO(csv_of(text)))]
    assert len(data_of(text)["items"]) == len(study.cells)


def test_the_same_study_gives_the_same_bytes(study, text):
    assert page.html(study) == text


def test_only_our_script_may_run_and_nothing_may_be_fetched(text):
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.S)
    sha = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = [a["content"] for a in Reader(text).named("meta") if "http-equiv" in a]
    assert policy == f"default-src 'none'; script-src 'sha256-{sha}'; style-src 'unsafe-inline'; img-src data:"
    assert text.index("Content-Security-Policy") < text.index("<style"), "it holds for all that follows"


def test_sections_stand_in_the_order_in_which_one_asks(text):
    ids = [attrs["id"] for attrs in Reader(text).named("section")]
    assert ids == ["verdict", "study", "policy", "runs", "table", "appendix", "provenance", "downloads"]


def test_names_of_others_are_text_wherever_they_stand():
    study = simulated.ten_arms(runs=5)
    cells = [
        dataclasses.replace(
            cell,
            config={**cell.config, "agent": {"name": f"{EVIL}{at % 2}"}},
            overrides={f"agent.{EVIL}": float(at), **cell.overrides},
            failures=(Failure(9, 1, 0, 0, f"</pre>{EVIL}"),),
        )
        for at, cell in enumerate(study.cells)
    ]
    evil = dataclasses.replace(
        study, name=f'"{EVIL}</script>', cells=tuple(cells), axes=(*study.axes, f"agent.{EVIL}"), command=f"x {EVIL}"
    )
    reader = Reader(page.html(evil))
    assert not reader.named("img")
    assert len(reader.named("script")) == 1
    assert f"{EVIL}</script>" in reader.text
    assert reader.text.count("onerror") > 5


# --- what the pictures show -------------------------------------------------------------------------------------------


def test_curves_are_drawn_without_a_program(study, text):
    (chart,) = [svg for svg in svgs(text) if svg.get("data-chart") == "learning-0"]
    lines = {line.get("data-item"): line for line in chart.iter("path") if "line" in line.get("class", "").split()}
    assert len(lines) == 4 + 2, "every temperature, and the best of two other kinds"
    best = lines["1"]
    assert "on" in best.get("class").split()
    points = np.array(re.findall(r"[-.\d]+", best.get("d")), dtype=float).reshape(-1, 2)
    mean = study.cells[1].metric("reward").mean(axis=0)
    slope, start = np.polyfit(mean, points[:, 1], 1)
    np.testing.assert_allclose(points[:, 1], start + slope * mean, atol=0.06)  # a straight map, to a tenth of a pixel
    assert slope < 0, "up is more"
    places = np.log(np.sqrt((study.cells[1].edges[:-1] + 1.0) * study.cells[1].edges[1:]))
    np.testing.assert_allclose(points[:, 0], np.interp(places, places[[0, -1]], points[[0, -1], 0]), atol=0.11)


def test_the_band_is_the_interval_of_the_selected_curve(study, text):
    series = data_of(text)["charts"]["learning-0"]["series"]["1"]
    values = study.cells[1].metric("reward")
    np.testing.assert_allclose(series["mean"], values.mean(axis=0), rtol=1e-3)
    half = 2.200985 * values.std(axis=0, ddof=1) / np.sqrt(12)  # t(0.975, 11) from a printed table
    np.testing.assert_allclose(series["half"], half, rtol=1e-3)


def test_a_bin_without_an_episode_breaks_the_line():
    study = simulated.lake(runs=1)
    text = page.html(study)
    series = data_of(text)["charts"]["learning-0"]["series"]["0"]
    assert series["mean"].count(None) == int((study.cells[0].arrays["episodes"] == 0).sum()) > 0


def items_of_all(study):
    tables = {which: table.rows(study, which) for which in ("online", "greedy")}
    return items_of("tau", tables, {cell.id for cell in study.cells})


@pytest.mark.parametrize("which", ["online", "greedy"])
def test_scores_stand_at_their_heights_and_those_that_may_be_best_are_shaded(study, which):
    items = items_of_all(study)
    log, linear = scores(items.panels[0], items, which)
    means = [item.rows[which].score.mean for item in items][:4]
    for chart in (log, linear):
        heights = [dot.y for dot in chart.dots]
        assert np.argsort(heights).tolist() == np.argsort(means)[::-1].tolist()
        assert [dot.x for dot in chart.dots] == sorted(dot.x for dot in chart.dots)
        assert len(chart.stretches) == sum(item.rows[which].member for item in items)
    gaps = np.diff([dot.x for dot in log.dots])
    np.testing.assert_allclose(gaps, gaps[0], rtol=1e-9)  # a grid of equal ratios
    x = np.array([dot.x for dot in linear.dots])
    np.testing.assert_allclose((x - x[0]) / (x[-1] - x[0]), (np.array([1, 4, 16, 64]) - 1) / 63, atol=1e-9)


def test_infinity_has_no_place_on_a_linear_axis():
    items = items_of_all(simulated.ten_arms(temperatures=(0.0, 0.5, np.inf)))
    assert [chart.log for chart in scores(items.panels[0], items, "online")] == [True]


def test_every_run_is_a_dot_up_to_a_limit_and_the_limit_is_said():
    text = page.html(simulated.ten_arms(runs=12))
    dots = [path.get("d").count("M") for svg in svgs(text) for path in svg.iter("path") if path.get("class") == "dots"]
    assert dots == [12] * 8, "four temperatures, two scores"
    assert "evenly by rank" not in text
    few = page.html(simulated.ten_arms(runs=12), details=[page.Detail(50, 5, 100)])
    assert "dots are 5 of 12 runs, evenly by rank" in few


def test_ticks_are_round_numbers_inside_the_axis():
    scale = geometry.Scale((-0.13, 1.71), (300.0, 0.0))
    assert [tick.text for tick in geometry.ticks(scale)] == ["0", "0.5", "1", "1.5"]
    assert [tick.text for tick in geometry.step_ticks(geometry.Scale((1.0, 999.0), (0.0, 1.0), log=True))] == [
        "1", "10", "100",
    ]  # fmt: skip
    places = np.linspace(0.0, 300.0, 19)
    found = geometry.swept_ticks([2.0 ** (k / 2) for k in range(-12, 7)], places)
    assert found[0].text == "1/64"
    assert all(b.at - a.at > 25 for a, b in itertools.pairwise(found))


# --- what was learned -------------------------------------------------------------------------------------------------


def test_the_arms_show_the_mean_of_the_final_policies_best_arm_first():
    study = rs.sweep(env="testbed", tau=[0.1, 1.0], runs=6, steps=40, seed=3)
    learned = data_of(page.html(study.data))["policies"]["0"]["learned"]["1"]
    assert learned["runs"] == 6
    cell = study.cell(tau=1.0)
    last = np.stack([cell.trace(run, 39)["probability"][0] for run in range(6)])
    means = np.stack([truth(cell, run) for run in range(6)])
    order = np.argsort(-means, axis=1)
    np.testing.assert_allclose(learned["p"][0], np.take_along_axis(last, order, 1).mean(axis=0), rtol=1e-3)
    np.testing.assert_allclose(learned["beside"], np.take_along_axis(means, order, 1).mean(axis=0), rtol=1e-3)


def truth(cell, run):
    from rlsoftmax.experiment.setups import setup_of
    from rlsoftmax.numeric import BuildLuck

    setup = setup_of(cell._planned.experiment)
    return setup.env.own(BuildLuck(setup.seed, run))["mean"]


def test_a_map_shows_rays_and_where_the_policy_goes():
    study = rs.sweep(env="frozen_lake", agent="q_learning", tau=[0.01, 1.0], runs=3, steps=3000)
    text = page.html(study.data)
    found = data_of(text)["policies"]["0"]
    assert found["kind"] == "map"
    assert found["rows"][0] == "SFFF"
    hot = found["learned"]["1"]
    np.testing.assert_allclose(np.sum(hot["p"], axis=1), 1.0, atol=2e-3)
    assert sum(hot["beside"]) == pytest.approx(1.0, abs=2e-3)
    assert hot["beside"][5] == 0.0, "nobody stays in a hole"
    expected = np.mean([[study.cells[1].policy(run).probabilities(s) for s in range(16)] for run in range(3)], axis=0)
    np.testing.assert_allclose(hot["p"], expected, atol=1e-4)
    (rays,) = [path for svg in svgs(text) for path in svg.iter("path") if path.get("class") == "rays"]
    starts = {tuple(map(float, m)) for m in re.findall(r"M([\d.]+) ([\d.]+)l", rays.get("d"))}
    assert len(starts) == 16 - 5, "none from four holes and the goal"


def test_states_without_a_map_are_listed_and_a_stepped_study_says_why_it_has_none():
    chain = rs.sweep(env="chain", agent="q_learning", tau=0.5, runs=3, steps=50)
    assert data_of(page.html(chain.data))["policies"]["0"]["kind"] == "states"
    stepped = rs.sweep("env.id=Blackjack-v1", env="gymnasium", agent="q_learning", tau=[0.1, 1.0], runs=3, steps=30)
    text = page.html(stepped.data)
    assert "Runs of a stepped environment are not played again" in text
    assert data_of(text)["policies"]["0"]["learned"] == {}


def test_policies_that_cannot_be_made_again_are_said_to_be_so(text):
    """The cells of a simulated study have ids that no components give."""
    assert "was made by another version of its components" in Reader(text).text


# --- words and numbers ------------------------------------------------------------------------------------------------


def test_the_verdict_comes_first_and_is_that_of_the_terminal(study, text):
    words = Reader(text).text
    for which in ("online", "greedy"):
        for sentence in table.summary(study, which):
            assert page._sentence(sentence.removeprefix("warning: ").split("\n")[0]) in words
    best = page._sentence(table.summary(study)[0])
    assert words.index(best) < words.index("Which temperature?")


def test_an_unfinished_study_says_what_is_missing_and_what_failed():
    study = simulated.broken()
    words = Reader(page.html(study)).text
    assert f"{study.missing} of 48 runs are missing" in words
    assert "2 of 48 runs failed and are in no number; the first: reward is NaN." in words
    assert "(2 failed)" in words
    assert "run 8, step 17, state 0, action 3: reward is NaN" in words


def test_a_study_without_a_run_has_no_report():
    study = simulated.ten_arms()
    empty = [dataclasses.replace(cell, runs=cell.runs[:0], arrays={}) for cell in study.cells]
    with pytest.raises(ConfigError, match="has no finished run yet"):
        page.html(dataclasses.replace(study, cells=tuple(empty)))


def test_the_table_holds_every_cell_and_sorts_by_exact_numbers(study, text):
    rows = re.findall(r'<tr class="k\d+[^>]*>(.*?)</tr>', text.split('id="listing"')[1].split("</table>")[0], re.S)
    fields = [re.findall(r'data-v="([^"]*)">(.*?)</td>', row) for row in rows]
    expected = table.rows(study)
    assert len(rows) == len(study.cells)
    heads = [b[: -len("</button>")] for b in re.findall(r"[^>]*</button>", text.split('id="listing"')[1])]
    at = heads.index("average reward")
    assert [float(row[at][0]) for row in fields] == [row.score.mean for row in expected]
    assert all(len(row) == len(fields[0]) for row in fields)


def test_the_table_to_take_along_is_table_csv(study, text):
    assert csv_of(text) == table.csv(study)


def test_the_appendix_agrees_with_scipy(study, text):
    from scipy import stats

    part = text.split('id="appendix"')[1].split("</table>")[0]
    lines = [
        re.findall(r"<td>(?:<i[^>]*></i>)?(.*?)</td>", html.unescape(row))
        for row in re.findall(r"<tr.*?</tr>", part, re.S)[1:]
    ]
    best, *others = (study.cells[at].scores() for at in (1, 0, 2, 3))
    others += [rival(study, policy) for policy in ("epsilon_greedy", "ucb")]
    tests = [stats.ttest_rel(best, other) for other in others]
    shown = [line for line in lines if line[5] != "best"]
    assert len(shown) == len(tests)
    for line, other, test, p in zip(shown, others, tests, holm([test.pvalue for test in tests]), strict=True):
        low, high = test.confidence_interval(0.95)
        assert number(line[5]) == pytest.approx((best - other).mean(), rel=6e-3)
        assert [number(end) for end in line[6].split(" to ")] == pytest.approx([low, high], rel=6e-3)
        assert line[7] == ("< 0.001" if p < 0.001 else f"{p:.3f}")
        assert line[8] == f"{100 * np.mean((best > other) + 0.5 * (best == other)):.0f} %"


def number(text):
    return float(text.replace("−", "-"))


def holm(p):
    """Return Holm's correction, by its definition: the largest of the smaller ones, each times those not below it."""
    return [min(1.0, max(q * sum(other >= q for other in p) for q in p if q <= mine)) for mine in p]


def rival(study, policy):
    kin = [cell.scores() for cell in study.cells if cell.config["policy"]["name"] == policy]
    return max(kin, key=np.mean)


@pytest.mark.parametrize("make", [simulated.union, simulated.broken])
def test_the_digest_is_that_of_what_the_command_prints(make):
    study = make()
    lines = "".join(f"{c.id[:12]} {len(c.runs)} {digest(c.runs, c.arrays)}\n" for c in study.cells)
    words = Reader(page.html(study)).text
    assert hashlib.sha256(lines.encode()).hexdigest() in words
    assert " ".join(lines.split()) in words


def test_provenance_has_the_command_and_the_configuration(study, text):
    words = Reader(text).text
    for name in ("rlsoftmax", "Python", "NumPy", "numba", "Gymnasium", "machine"):
        assert re.search(rf"{name} \S+", words)
    assert study.command in words
    assert "env.name gaussian_bandit" in words
    assert re.search(r"policy\.name boltzmann, epsilon_greedy, ucb", words)


def test_the_best_is_also_shown_on_fresh_runs():
    study = rs.sweep(env="testbed", tau=[0.1, 1.0], runs=5, report_runs=7, steps=20)
    words = Reader(page.html(study.data)).text
    assert "on 7 fresh runs" in words
    assert re.search(r"on fresh runs [−\d.]+ ± [\d.]+ \(7\)", words)
    assert "played again on fresh ones: the score on those is the one to report." in words


def test_claims_and_what_became_of_them_are_listed():
    study = simulated.ten_arms(runs=12)
    claims = (
        Claim("reward", {"tau": 4.0}, "a book", says="hot is poor", below=5.0),
        Claim("reward", {"tau": 4.0}, "a bad book", says=f"hot is {EVIL}", above=50.0),
    )
    reader = Reader(page.html(dataclasses.replace(study, claims=claims)))
    assert re.search(r"holds [−\d.]+ ± [\d.]+ expected < 5 hot is poor \(a book\)", reader.text)
    assert f"hot is {EVIL} (a bad book)" in reader.text
    assert not reader.named("img")


# --- size -------------------------------------------------------------------------------------------------------------


def wide(cells, runs=1000, bins=100):
    """Return a study of many cells, whose numbers are noise around a hump; cells share the arrays of their noise."""
    rng = np.random.default_rng(0)
    edges = np.unique(np.geomspace(1, 1001, bins + 1).astype(int))
    edges = np.concatenate([[0], np.arange(1, bins - len(edges) + 2), edges + bins])[: bins + 1].astype(np.int64)
    noise = rng.standard_normal((runs, bins))
    looks = np.unique(np.linspace(0, edges[-1] - 1, min(bins, 25)).astype(np.int64))
    return StudyData("wide", tuple(_cell(at, cells, noise, edges, looks) for at in range(cells)), ("tau",), runs)


def _cell(at, cells, noise, edges, looks):
    tau = float(2.0 ** (14.0 * at / cells - 8.0))
    height = np.exp(-((14.0 * at / cells - 6.0) ** 2) / 9.0)
    arrays = {
        "reward": (height + 0.3 * noise + 0.01 * at * noise[::-1] / cells) * np.diff(edges),
        "optimal": np.clip(0.5 + 0.1 * noise, 0.0, 1.0) * np.diff(edges),
        "score/greedy": height + 0.1 * noise[:, 0],
        "snapshot/effective_actions": 1.0 + np.abs(noise[:, : len(looks)]),
    }
    config = {
        "env": {"name": "gaussian_bandit", "arms": 10}, "agent": {"name": "sample_average"},
        "policy": {"name": "boltzmann"}, "tau": {"name": "constant", "value": tau}, "steps": int(edges[-1]), "seed": 0,
    }  # fmt: skip
    sha = hashlib.sha256(str(at).encode()).hexdigest()
    score = Score("reward", 0, int(edges[-1]))
    return CellData(sha, config, {"tau": tau}, edges, looks, score, np.arange(len(noise)), arrays)


def test_twenty_cells_of_a_thousand_runs_and_a_hundred_bins_fit_into_300_kilobytes():
    assert len(page.html(wide(20)).encode()) <= 300_000


def test_a_large_study_is_cut_to_2_megabytes_and_says_so():
    study = wide(600, runs=5, bins=20)
    text = page.html(study)
    assert len(text.encode()) <= page.MOST_BYTES
    assert re.search(r"only \d+ of 600 cells are on this page, those with the highest score", text)
    best = max(study.cells, key=lambda cell: cell.scores().mean())
    assert best.id[:12] in text


# --- where it is written ----------------------------------------------------------------------------------------------


def test_the_command_writes_the_page_into_the_folder_of_the_study_and_opens_it_when_asked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rs.sweep(env="testbed", tau=[0.1, 1.0], runs=3, steps=10, study="small")
    seen = []
    monkeypatch.setattr("webbrowser.open", lambda url: seen.append(url) or True)
    assert answers.report(["small"]) == answers.Answer("results/small/report.html")
    assert seen == []
    assert answers.report(["small", "--open"]).code == 0
    assert seen == [(tmp_path / "results/small/report.html").as_uri()]
    text = (tmp_path / "results/small/report.html").read_text(encoding="utf-8")
    assert "NumPy" in Reader(text).text
    assert Reader(text).text.count("rs.sweep(") >= 1
    with pytest.raises(ConfigError, match=r"report has no option --opne\. Did you mean '--open'"):
        answers.report(["small", "--opne"])


def test_a_machine_without_a_browser_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rs.sweep(env="testbed", tau=[0.1, 1.0], runs=3, steps=10, study="small")
    monkeypatch.setattr("webbrowser.open", lambda url: False)
    assert answers.report(["small", "--open"]).complaint == "no browser was found; open the file yourself."


def test_a_study_in_memory_is_reported_in_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = rs.sweep(env="testbed", tau=[0.1, 1.0], runs=3, steps=10)
    assert study.report().resolve() == tmp_path / "report.html"
