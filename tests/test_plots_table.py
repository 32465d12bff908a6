"""Tables: the same rows in the terminal, a notebook and a spreadsheet; they fit, they are true, they are safe."""

from __future__ import annotations

import csv
import dataclasses
import html.parser
import io
import math
import re

import numpy as np
import pytest
import scipy.stats
import simulated

from rlsoftmax.errors import ConfigError
from rlsoftmax.plots import labels, table

MAKERS = [simulated.union, simulated.lake, simulated.grid, simulated.conditions, simulated.broken]


def records(study, **options):
    return list(csv.DictReader(io.StringIO(table.csv(study, **options))))


def test_behind_the_best_is_the_paired_difference_of_scipy():
    study = simulated.ten_arms()
    scores = [cell.scores() for cell in study.cells]
    best = int(np.argmax([row.mean() for row in scores]))
    for record, row, at in zip(records(study), scores, range(4), strict=True):
        if at == best:
            assert (record["best"], record["behind"]) == ("true", "0.0")
            continue
        difference = scores[best] - row
        low, high = scipy.stats.t.interval(0.95, 11, difference.mean(), scipy.stats.sem(difference))
        found = [float(record[key]) for key in ("behind", "behind_low", "behind_high")]
        np.testing.assert_allclose(found, [difference.mean(), low, high], rtol=1e-9)
        saved = 1 - difference.var() / (scores[best].var() + row.var())
        assert float(record["pairing_saved"]) == pytest.approx(saved, rel=1e-9)


def test_a_spreadsheet_has_every_cell_with_all_its_digits():
    study = simulated.union()
    found = records(study)
    assert [record["cell"] for record in found] == [cell.id for cell in study.cells]
    for record, cell in zip(found, study.cells, strict=True):
        assert float(record["score"]) == pytest.approx(np.sort(cell.scores()).mean(), rel=1e-15)
        assert record["score"] == repr(float(record["score"]))
        assert record["tau"] == ("" if "tau" not in cell.overrides else repr(cell.overrides["tau"]))
        assert float(record["optimal"]) == pytest.approx(cell.mean("optimal").mean())
        assert float(record["effective_actions"]) == pytest.approx(cell.snapshot("effective_actions")[:, -1].mean())
        assert record["success"] == ""


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1x", "@sum", "\tx"])
def test_text_that_a_spreadsheet_would_execute_is_quoted(text):
    study = simulated.ten_arms()
    cell = dataclasses.replace(study.cells[0], overrides={"tau": 0.25, "agent": text})
    found = records(dataclasses.replace(study, cells=(cell,), axes=("tau", "agent")))
    assert found[0]["agent"] == f"'{text}"


def test_negative_numbers_stay_numbers():
    study = simulated.ten_arms()
    worse = {k: v - 100.0 if k == "reward" else v for k, v in study.cells[0].arrays.items()}
    cell = dataclasses.replace(study.cells[0], arrays=worse)
    assert float(records(dataclasses.replace(study, cells=(cell,)))[0]["score"]) < -1.0


@pytest.mark.parametrize("width", [80, 100, 140])
@pytest.mark.parametrize("make", MAKERS)
def test_no_line_is_longer_than_the_terminal(make, width):
    lines = table.text(make(), width).splitlines()
    too_long = [line for line in lines if len(line) > width and not line.startswith("  next: ")]
    assert not too_long


@pytest.mark.parametrize("make", MAKERS)
def test_colours_change_nothing_but_colours(make):
    colored = table.text(make(), color=True)
    assert "\x1b[38;2;" in colored
    plain = "\n".join(line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", colored).splitlines())
    assert plain == table.text(make())


def test_the_table_shows_temperatures_rivals_and_a_verdict():
    text = table.text(simulated.union())
    assert re.search(r"^ *1/4 +[█▏▎▍▌▋▊▉]+ .* ± ", text, re.MULTILINE)
    assert len(re.findall(r"^ *ε-greedy 1/\d+  [█▏▎▍▌▋▊▉]", text, re.MULTILINE)) == 1  # the better of two
    assert "(best of 2)" in text
    assert "(chosen on these runs)" in text
    assert "cannot be told from it (95 %, paired): " in text
    assert re.search(r"these comparisons need \d+ % fewer runs", text)


def test_the_longest_bar_belongs_to_the_highest_score():
    text = table.text(simulated.ten_arms())
    bars = {line.split()[0]: line.split()[1] for line in text.splitlines() if "█" in line or "▏" in line}
    best = next(line.split()[0] for line in text.splitlines() if " best " in line and "±" in line)
    assert len(bars[best]) == max(map(len, bars.values()))


def test_the_edge_of_the_grid_is_a_warning_with_the_next_command():
    study = simulated.ten_arms(temperatures=(1.0, 2.0, 4.0), runs=12)
    text = table.text(study)
    assert "the best τ, 1, is at the edge of its grid" in text
    assert "\n  next: rlsoftmax sweep" in text


def test_the_edge_matters_even_if_a_rival_is_better():
    study = simulated.ten_arms(temperatures=(1.0, 2.0, 4.0), bonuses=(0.5, 1.0))
    assert "beats it" in table.text(study)
    assert "the best τ, 1, is at the edge" in table.text(study)


def test_under_three_runs_no_interval_and_no_comparison_are_shown():
    text = table.text(simulated.ten_arms(runs=2))
    assert "±" not in text
    assert "no interval under 3 runs, and no comparison." in text


def test_missing_and_failed_runs_are_counted():
    text = table.text(simulated.broken())
    assert "15 of 48 runs are missing" in text
    assert "2 of 48 runs failed and are in no number" in text
    assert [record["failed"] for record in records(simulated.broken())] == ["0", "2", "0", "0"]
    assert records(simulated.broken())[0]["score"] == ""


def test_best_is_always_within_one_condition():
    rows = table.rows(simulated.conditions())
    assert [row.where for row in rows if row.best] == ["arms 2", "arms 10"]


def test_the_greedy_score_may_decide():
    study = simulated.lake(agents=("q_learning",))
    best = max(study.cells, key=lambda cell: cell.scores("greedy").mean())
    assert next(record["cell"] for record in records(study, score="greedy") if record["best"] == "true") == best.id
    assert "best greedy policy: τ = " in table.text(study, score="greedy")
    with pytest.raises(ConfigError, match="Did you mean 'greedy'"):
        table.rows(study, "greeedy")


class _Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.cells, self.rows = [], 0, 0

    def handle_starttag(self, tag, attrs):
        if tag != "br":
            self.open.append(tag)
        self.rows += tag == "tr"
        self.cells += tag in ("td", "th")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("make", MAKERS)
def test_the_notebook_table_is_whole_and_needs_nothing(make):
    page = table.html(make())
    tags = _Tags()
    tags.feed(page)
    assert not tags.open
    assert tags.cells % tags.rows == 0
    assert "http" not in page
    assert "<script" not in page


def test_names_cannot_break_out_of_the_notebook_table():
    study = simulated.lake()
    evil = "<img src=x onerror=alert(1)>"
    cells = [
        dataclasses.replace(c, config={**c.config, "agent": {"name": evil + c.config["agent"]["name"]}})
        for c in study.cells
    ]
    page = table.html(dataclasses.replace(study, cells=tuple(cells)))
    assert "<img" not in page
    assert "&lt;img" in page


def test_a_single_cell_is_a_table_too():
    study = simulated.ten_arms(temperatures=(0.25,))
    text = table.text(dataclasses.replace(study, axes=()))
    assert "sample average" in text
    assert "behind" not in text
    assert math.isclose(float(records(study)[0]["behind"]), 0.0)


def test_a_long_table_shows_the_best_of_every_group_and_the_spreadsheet_all():
    study = simulated.lake(temperatures=tuple(2.0**-k for k in range(30)), agents=("q_learning", "sarsa"))
    text = table.text(study)
    assert len([line for line in text.splitlines() if "±" in line]) < 20
    assert len(records(study)) == 60


def test_without_a_swept_number_names_stand_below_their_agent():
    lines = table.text(simulated.named(), width=100).splitlines()
    heads = [line.strip() for line in lines if line.strip() in ("Q-learning", "SARSA", "expected SARSA", "double Q")]
    assert heads == ["Q-learning", "SARSA", "expected SARSA", "double Q"]
    assert sum(line.lstrip().startswith("inverse time  ") for line in lines) == 4
    assert not any("…" in line.split("  ")[0] for line in lines)
    best = max(simulated.named().cells, key=lambda cell: cell.scores().mean()).overrides
    said = next(line for line in lines if line.startswith("best: "))
    assert said.startswith(f"best: {labels.word(best['agent'])} {labels.word(best['tau'])}, ")


def test_one_agent_needs_no_heading():
    lines = table.text(simulated.named(agents=("sarsa",)), width=100).splitlines()
    assert "SARSA" not in [line.strip() for line in lines]


def test_the_head_of_the_first_column_is_not_cut():
    study = simulated.ten_arms()
    cells = tuple(dataclasses.replace(cell, overrides={"tau.fraction": cell.overrides["tau"]}) for cell in study.cells)
    lines = table.text(dataclasses.replace(study, cells=cells, axes=("tau.fraction",)), width=100).splitlines()
    assert lines[2].startswith("relative τ  ")
    assert max(map(len, lines)) <= 100
