"""Figures: they show the numbers of the study, no label touches another, and the same numbers give the same bytes."""

from __future__ import annotations

import dataclasses
import json
import math
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
import scipy.optimize
import scipy.stats
import simulated
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.text import Text

from rlsoftmax import plots
from rlsoftmax.errors import ConfigError
from rlsoftmax.plots import curves, files, labels, notes, scales, series, style
from rlsoftmax.plots.grouping import usual_kind
from rlsoftmax.plots.series import View
from rlsoftmax.stats.best import set_of_best

STUDIES = {
    "temperature": [simulated.union, simulated.lake, simulated.conditions, simulated.broken],
    "reward_curve": [simulated.union, simulated.lake, simulated.named],
    "parameter_study": [simulated.union, simulated.grid],
    "heatmap": [simulated.grid],
    "schedule": [simulated.union, simulated.named],
    "values": [simulated.union],
    "distribution": [simulated.union, simulated.lake, simulated.named],
    "wrong_tau": [simulated.ten_arms, simulated.lake],
    "regret": [simulated.union],
    "compare": [simulated.union, simulated.conditions, simulated.lake, simulated.named],
}
REPLAYED = {"anatomy", "policy", "simplex"}  # drawn from runs of the engine: test_plots_replayed.py
DRAWN = [(kind, make) for kind, some in STUDIES.items() for make in some]


def test_every_figure_is_drawn_somewhere_in_these_tests():
    assert set(plots.kinds()) == set(STUDIES) | REPLAYED


# --- what is drawn is readable ---------------------------------------------------------------------------------------


def texts_of(figure):
    """Return (words, box) of everything that can be read, measured as it is drawn."""
    figure.draw_without_rendering()
    found = []
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text().strip() and _in_sight(text):
            found.append((text.get_text(), Text.get_window_extent(text)))  # without the leader of a label
    return found


def _in_sight(text):
    """Leave out tick labels beyond the limits, which matplotlib keeps but does not draw."""
    for axes in text.figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            ticks = axis._update_ticks() if axes.axison else ()
            shown = {id(label) for tick in ticks for label in (tick.label1, tick.label2)}
            every = {id(label) for tick in (*axis.majorTicks, *axis.minorTicks) for label in (tick.label1, tick.label2)}
            if id(text) in every - shown:
                return False
    return True


@pytest.mark.parametrize("look", [("", None), ("dark", "icml"), ("paper", "neurips"), ("slides", None)])
@pytest.mark.parametrize(("kind", "make"), DRAWN)
def test_no_text_touches_another_or_leaves_the_figure(kind, make, look):
    figure = plots.draw(make(), kind, style=look[0], width=look[1])
    found = texts_of(figure)
    assert len(found) > 5
    for at, (words, box) in enumerate(found):
        assert min(box.x0, box.y0, figure.bbox.x1 - box.x1, figure.bbox.y1 - box.y1) > -1, words
        for others, other in found[:at]:
            gap = box.padded(-0.7)  # boxes of text have a little air inside
            assert not gap.overlaps(other.padded(-0.7)), (words, others)


boxes = st.lists(st.tuples(st.floats(-50, 50), st.floats(1, 9)), min_size=1, max_size=9)


@given(boxes)
def test_labels_are_moved_apart_and_as_little_as_possible(rows):
    """SciPy's isotonic regression is the second implementation."""
    wanted, heights = np.array(rows).T
    places = labels.apart(wanted, heights, -1e9, 1e9)
    order = np.argsort(wanted, kind="stable")
    tall = heights[order]
    room = np.concatenate([[0.0], np.cumsum((tall[1:] + tall[:-1]) / 2)])
    assert np.all(np.diff(places[order]) >= np.diff(room) - 1e-9)
    best = scipy.optimize.isotonic_regression(wanted[order] - room).x + room
    np.testing.assert_allclose(places[order], best, atol=1e-9)


def test_labels_stay_within_the_axes_if_there_is_room():
    places = labels.apart([0.0, 0.0, 100.0], [10.0, 10.0, 10.0], 0.0, 100.0)
    np.testing.assert_allclose(places, [0.0, 10.0, 100.0])


def test_names_are_drawn_as_they_are_written():
    """A dollar sign begins no formula, a leading underscore hides nothing, a line break does not break."""
    study = simulated.lake()
    names = {"q_learning": "_a$x$", "sarsa": "b$\\frac$\nc"}
    cells = [
        dataclasses.replace(c, config={**c.config, "agent": {"name": names[c.config["agent"]["name"]]}})
        for c in study.cells
    ]
    figure = plots.draw(dataclasses.replace(study, cells=tuple(cells)))
    words = " ".join(text for text, _ in texts_of(figure))
    assert "a$x$" in words
    assert "b$\\frac$ c" in words
    assert files.picture(figure, "svg").count(b"a$x$") > 0


# --- names were swept, and no number ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (simulated.union, "temperature"),
        (simulated.lake, "temperature"),
        (simulated.named, "compare"),
        (lambda: simulated.named(agents=("sarsa",), schedules=("glie",)), "reward_curve"),
    ],
)
def test_the_usual_figure_is_one_that_the_study_has(make, kind, tmp_path):
    study = make()
    assert usual_kind(study) == kind
    assert {file.stem for file in plots.save(study, tmp_path, formats=["json"])} == {kind}
    plots.draw(study)


def test_the_usual_figure_of_another_number_is_a_parameter_study():
    study = simulated.grid()
    cells = [c for c in study.cells if c.overrides["tau"] == study.cells[0].overrides["tau"]]
    assert usual_kind(dataclasses.replace(study, cells=tuple(cells))) == "parameter_study"


def test_every_kind_is_called_by_all_that_tells_it_from_others():
    (place,) = plots.plotted(simulated.named(), "compare").places
    names = [f"{agent} {tau}" for agent in ("Q-learning", "SARSA", "expected SARSA", "double Q")
             for tau in ("exponential", "inverse time", "GLIE", "VDBE")]  # fmt: skip
    assert sorted(point.label for point in place.points) == sorted(names)
    assert set(place.kinds) == {"q_learning", "sarsa", "expected_sarsa", "double_q"}
    assert len(set(style.colors_by(place.kinds))) == 4
    note = plots.plotted(simulated.named(), "compare").note
    assert "chosen" not in note  # each kind has one cell


def test_of_too_many_cells_the_best_and_the_worst_are_drawn():
    study = simulated.named()
    (metric,) = plots.plotted(study, "reward_curve").metrics
    ranked = sorted(study.cells, key=lambda cell: -cell.scores().mean())
    shown = [curve.cell for curve in metric.curves]
    assert len(shown) == curves.MOST_CURVES
    assert (shown[0], shown[-1]) == (ranked[0].id[:12], ranked[-1].id[:12])
    assert "6 of 16 cells, evenly by rank" in plots.plotted(study, "reward_curve").note


@pytest.mark.parametrize("kind", ["reward_curve", "schedule", "distribution"])
def test_a_figure_of_one_kind_among_several_says_which(kind):
    assert "drawn: Q-learning, the best of 2;" in plots.plotted(simulated.lake(), kind).note


def test_a_figure_of_one_condition_among_several_says_which():
    assert "drawn: arms 2;" in plots.plotted(simulated.conditions(), "reward_curve").note


def test_a_figure_of_all_kinds_says_no_more():
    assert "drawn:" not in plots.plotted(simulated.union(), "reward_curve").note


def test_schedules_are_compared_for_the_best_agent():
    study = simulated.named()
    numbers = plots.plotted(study, "schedule")
    best = max(study.cells, key=lambda cell: cell.scores().mean()).overrides["agent"]
    cells = {cell.id[:12]: cell for cell in study.cells if cell.overrides["agent"] == best}
    assert [cells[curve.cell].overrides["tau"] for curve in numbers.temperature] == list(simulated.SCHEDULES)
    assert [curve.label for curve in numbers.temperature] == ["exponential", "inverse time", "GLIE", "VDBE"]
    for curve in numbers.temperature:
        values = cells[curve.cell].snapshot("temperature")
        there = np.where((values > 0) & (values < np.inf), values, np.nan)
        np.testing.assert_allclose(curve.mean, np.exp(np.nanmean(np.log(there), axis=0)), rtol=1e-12)
        assert np.all(curve.low > 0.0)
    assert "geometric mean" in numbers.note


def test_a_temperature_of_zero_that_no_run_differs_in_is_drawn():
    one = curves.Shown(simulated.ten_arms(temperatures=(0.0,)).cells[0], "0", 0.0, "boltzmann")
    curve = curves.temperature_of(one)
    assert np.all(curve.mean == 0.0)
    assert np.all(curve.low == 0.0)


# --- what is drawn is true -------------------------------------------------------------------------------------------


def test_curves_and_scores_are_the_means_and_student_intervals_of_the_runs():
    study = simulated.ten_arms()
    (side,) = plots.plotted(study).sides
    cell, point = study.cells[1], side.lines[0].points[1]
    low, high = scipy.stats.t.interval(0.95, 11, cell.scores().mean(), scipy.stats.sem(cell.scores()))
    np.testing.assert_allclose([point.mean, point.low, point.high], [cell.scores().mean(), low, high])
    last = cell.arrays["reward"][:, -1] / (EDGES[-1] - EDGES[-2])
    np.testing.assert_allclose(side.curves[1].mean[-1], last.mean())


EDGES = simulated.EDGES


def test_the_best_and_the_set_of_best_are_those_of_the_statistics_on_the_axis_alone():
    study = simulated.union()
    (side,) = plots.plotted(study).sides
    on = [cell for cell in study.cells if "tau" in cell.overrides]
    told = set_of_best([cell.scores() for cell in on])
    points = side.lines[0].points
    assert [point.best for point in points] == [at == told.best for at in range(len(on))]
    assert [point.member for point in points] == told.members.tolist()
    assert side.best == labels.number(on[told.best].overrides["tau"])


def test_rivals_are_the_best_of_their_kind():
    study = simulated.union()
    (side,) = plots.plotted(study).sides
    means = {c.overrides["policy.c"]: c.scores().mean() for c in study.cells if "policy.c" in c.overrides}
    ucb = next(one for one in side.references if one.kind == "ucb")
    assert ucb.mean == pytest.approx(max(means.values()), abs=1e-12)
    assert (ucb.label, ucb.tried) == (f"UCB {labels.number(max(means, key=means.get))}", 2)


def test_less_regret_is_better():
    study = simulated.ten_arms()
    scored = [dataclasses.replace(c, score=dataclasses.replace(c.score, metric="regret")) for c in study.cells]
    numbers = plots.plotted(dataclasses.replace(study, cells=tuple(scored)))
    points = numbers.sides[0].lines[0].points
    assert min(points, key=lambda point: point.mean).best
    assert len(numbers.sides[0].lines) == 1  # the greedy score has another unit


def test_bins_without_an_episode_are_missing_and_counted():
    study = simulated.lake(runs=3)
    cell = study.cells[0]
    over = series.curve(cell, "return")
    np.testing.assert_array_equal(over.n, (cell.arrays["episodes"] > 0).sum(axis=0))
    assert np.isnan(over.low[over.n < 3]).all()
    share = np.mean([(c.arrays["episodes"] == 0).mean() for c in study.cells])
    assert f"{100 * share:.2g} % of all bins have no finished episode" in plots.plotted(study).note


@pytest.mark.parametrize("edges", [np.arange(0, 5001, 5), np.unique(np.geomspace(1, 1e6, 900).astype(int)) - 1])
def test_many_bins_become_at_most_400_without_changing_a_sum(edges):
    rng = np.random.default_rng(0)
    cell = simulated.ten_arms(runs=3).cells[0]
    bins = len(edges) - 1
    fine = dataclasses.replace(cell, edges=edges, arrays={"reward": rng.integers(0, 9, (3, bins)).astype(float)})
    rough = series.coarse(fine)
    assert 100 < len(rough.edges) - 1 <= 400
    assert set(rough.edges) <= set(edges)
    np.testing.assert_array_equal(rough.mean("reward"), fine.mean("reward"))
    assert len(series.curve(fine, "reward").step) <= 400


def test_a_study_swept_in_beta_is_labelled_sorted_and_drawn_in_beta():
    study = simulated.ten_arms(axis="beta", temperatures=(4.0, 0.25, 1.0))
    numbers = plots.plotted(study)
    assert [point.label for point in numbers.sides[0].lines[0].points] == ["1/4", "1", "4"]
    words = [text for text, _ in texts_of(plots.draw(study))]
    assert any("β" in text for text in words)
    assert not any("τ" in text for text in words)


def test_the_axis_can_be_changed_from_tau_to_beta_and_back():
    tau, beta = simulated.ten_arms(temperatures=(0.25, 4.0)), simulated.ten_arms(axis="beta", temperatures=(4.0, 0.25))
    assert _values(plots.plotted(tau, axis="beta")) == _values(plots.plotted(beta)) == [0.25, 4.0]
    assert _values(plots.plotted(beta, axis="tau")) == _values(plots.plotted(tau)) == [0.25, 4.0]
    means = [[p.mean for p in plots.plotted(tau, axis=a).sides[0].lines[0].points] for a in ("beta", "tau")]
    assert means[0] == means[1][::-1]


def _values(numbers):
    return [point.value for point in numbers.sides[0].lines[0].points]


def test_zero_and_infinity_have_places_of_their_own():
    scale = scales.SweptScale((0.0, 0.25, 0.5, 1.0, math.inf))
    places = scale.position([0.0, 0.25, 1.0, math.inf])
    assert places.tolist() == [-3.5, -2.0, 0.0, 1.5]
    figure = plots.draw(simulated.ten_arms(temperatures=(0.0, 0.25, 1.0, math.inf)))
    words = [text.get_text() for text in figure.axes[1].get_xticklabels()]
    assert words[-2:] == ["0", "∞"]


def test_cold_is_cold_whether_it_is_called_tau_or_beta():
    assert curves.temperatures([0.0, 4.0, math.inf], "beta") == [math.inf, 0.25, 0.0]
    tau, beta = (curves.colors([v], ["boltzmann"], axis, among) for v, axis, among in
                 ((0.25, "tau", [0.25, 4.0]), (4.0, "beta", [0.25, 4.0])))  # fmt: skip
    assert tau == beta


def test_a_study_without_runs_says_why():
    with pytest.raises(ConfigError, match="study lake has no finished run yet; the command that made it continues it"):
        plots.draw(ODD["nothing"])
    study = ODD["nothing"]
    failure = simulated.Failure(0, 3, 0, 1, "reward is NaN.")
    cells = (dataclasses.replace(study.cells[0], failures=(failure,)), *study.cells[1:])
    with pytest.raises(ConfigError, match=r"no finished run: 1 failed, the first: reward is NaN\.$"):
        plots.draw(dataclasses.replace(study, cells=cells))


def test_only_the_best_temperature_is_printed_bold():
    study = simulated.ten_arms()
    best = labels.number(max(study.cells, key=lambda cell: cell.scores().mean()).overrides["tau"])
    bold = [text.get_text() for text in plots.draw(study).axes[0].texts if text.get_fontweight() == "bold"]
    assert [words.removeprefix("τ = ") for words in bold] == [best]


def test_cells_without_a_greedy_score_are_left_out_where_it_is_drawn():
    study = simulated.union()
    cells = [
        cell if "tau" in cell.overrides else dataclasses.replace(cell, arrays={"reward": cell.arrays["reward"]})
        for cell in study.cells
    ]
    (side,) = plots.plotted(dataclasses.replace(study, cells=tuple(cells)), score="greedy").sides
    assert not side.references
    assert len(side.lines[0].points) == 4


def test_what_failed_or_is_missing_is_said():
    numbers = plots.plotted(simulated.broken())
    assert "2 of 48 runs failed" in numbers.note
    assert "15 of 48 runs are missing" in numbers.note


def _without_runs(study):
    cells = [dataclasses.replace(c, runs=c.runs[:0], arrays={}) for c in study.cells]
    return dataclasses.replace(study, cells=tuple(cells))


def _constant(study):
    cells = [dataclasses.replace(c, arrays={k: np.ones_like(v) for k, v in c.arrays.items()}) for c in study.cells]
    return dataclasses.replace(study, cells=tuple(cells))


def _without_episodes(study):
    none = {"episodes": 0.0, "return": 0.0}
    cells = [dataclasses.replace(c, arrays={k: v * none.get(k, 1.0) for k, v in c.arrays.items()}) for c in study.cells]
    return dataclasses.replace(study, cells=tuple(cells))


ODD = {
    "nothing": _without_runs(simulated.lake()),
    "one cell": simulated.ten_arms(temperatures=(0.25,)),
    "one run": simulated.union(runs=1),
    "ends only": simulated.ten_arms(temperatures=(0.0, math.inf)),
    "beta with ends": simulated.ten_arms(axis="beta", temperatures=(0.0, 1.0, math.inf)),
    "all equal": _constant(simulated.union()),
    "all equal lake": _constant(simulated.lake()),
    "no episode ends": _without_episodes(simulated.lake()),
    "one bin": simulated.ten_arms(steps_of=np.array([0, 50])),
    "two steps": simulated.ten_arms(steps_of=np.array([0, 2])),
    "many groups": simulated.lake(extra=tuple(2.0 ** (-k / 2) for k in range(8))),
}


@pytest.mark.parametrize("kind", plots.kinds())
@pytest.mark.parametrize("name", ODD)
def test_an_odd_study_is_drawn_or_refused_in_one_line(name, kind):
    """Warnings are errors here: nothing is divided by zero, no panel collapses."""
    try:
        plots.draw(ODD[name], kind).draw_without_rendering()
    except ConfigError as error:
        assert "\n" not in str(error)  # noqa: PT017


@pytest.mark.parametrize("runs", [1, 2])
def test_under_three_runs_there_is_no_interval_and_no_best(runs):
    numbers = plots.plotted(simulated.ten_arms(runs=runs))
    points = numbers.sides[0].lines[0].points
    assert all(math.isnan(point.low) and not point.best and not point.member for point in points)
    assert "No interval under 3 runs." in numbers.note
    plots.draw(simulated.ten_arms(runs=runs))


def test_a_heat_map_holds_every_cell_at_its_place():
    study = simulated.grid()
    numbers = plots.plotted(study, "heatmap")
    for cell in study.cells:
        at = numbers.y.index(cell.overrides["agent.alpha"]), numbers.x.index(cell.overrides["tau"])
        assert numbers.score[at] == pytest.approx(cell.scores().mean(), abs=1e-12)
    assert numbers.score[numbers.best] == pytest.approx(np.nanmax(numbers.score))


def test_a_wrong_temperature_costs_the_paired_difference():
    study = simulated.ten_arms()
    (loss,) = plots.plotted(study, "wrong_tau").losses
    scores = [cell.scores() for cell in study.cells]
    best = int(np.argmax([row.mean() for row in scores]))
    expected = [(scores[best] - row).mean() / scores[best].mean() for row in scores]
    np.testing.assert_allclose(loss.loss, expected, atol=1e-12)
    assert loss.ratio[best] == 1.0


def test_regret_is_cumulated_and_its_end_is_shown_for_every_run():
    study = simulated.ten_arms()
    numbers = plots.plotted(study, "regret")
    whole = study.cells[0].arrays["regret"].sum(axis=1)
    np.testing.assert_allclose(numbers.curves[0].mean[-1], whole.mean())
    np.testing.assert_allclose(numbers.finals[0], np.quantile(whole, [0.05, 0.25, 0.5, 0.75, 0.95]))


def test_the_slope_of_lai_and_robbins_is_the_sum_of_gap_over_divergence():
    cell = simulated.ten_arms().cells[0]
    bandit = {"name": "bernoulli_bandit", "chances": [0.4, 0.6, 0.6]}
    known = dataclasses.replace(cell, config={**cell.config, "env": bandit})
    divergence = scipy.stats.entropy([0.4, 0.6], [0.6, 0.4])
    from rlsoftmax.plots.regret import lai_robbins

    assert lai_robbins(known) == pytest.approx(0.2 / divergence, rel=1e-12)
    assert lai_robbins(cell) is None


# --- looks -----------------------------------------------------------------------------------------------------------


def test_drawing_changes_no_setting_of_matplotlib_and_obeys_none():
    study = simulated.ten_arms()
    before = dict(matplotlib.rcParams)
    calm = files.picture(plots.draw(study), "svg")
    assert dict(matplotlib.rcParams) == before
    with matplotlib.rc_context({"font.size": 30, "axes.grid": False, "text.parse_math": True}):
        assert files.picture(plots.draw(study), "svg") == calm


def _linear(color):
    channels = matplotlib.colors.to_rgb(color)
    return np.array([((c + 0.055) / 1.055) ** 2.4 if c > 0.04045 else c / 12.92 for c in channels])


_LMS = np.array([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
                 [0.0883024619, 0.2817188376, 0.6299787005]])  # fmt: skip
_LAB = np.array([[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
                 [0.0259040371, 0.7827717662, -0.8086757660]])  # fmt: skip
# Viénot, Brettel and Mollon (1999), on linear RGB.
_EYES = {
    "usual": np.eye(3),
    "protan": np.array([[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]]),
    "deutan": np.array([[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]]),
}


@pytest.mark.parametrize("eyes", _EYES)
@pytest.mark.parametrize("theme", ["", "dark"])
def test_seven_temperatures_are_told_apart_by_every_eye_and_get_lighter_with_heat(theme, eyes):
    with style.styled(theme):
        colors = style.heat(np.exp2(np.arange(7.0)), np.exp2(np.arange(7.0)))
    lab = [_LAB @ np.cbrt(_LMS @ np.clip(_EYES[eyes] @ _linear(color), 0.0, 1.0)) for color in colors]
    distances = [np.linalg.norm(a - b) for at, a in enumerate(lab) for b in lab[:at]]
    assert min(distances) > 0.045  # times 100: 4.5; a difference of 2 is just seen side by side
    if eyes == "usual":
        assert np.all(np.diff([row[0] for row in lab]) > 0.03)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ({"kind": "temperatur"}, "no figure 'temperatur'. Did you mean 'temperature'?"),
        ({"style": "darc"}, "no style 'darc'. Did you mean 'dark'? Known: dark, paper, slides."),
        ({"width": "neurip"}, "no width 'neurip': a number of inches, or a name. Did you mean 'neurips'?"),
        ({"width": 0.5}, "width=0.5 must be >= 2 and <= 40 inches."),
        ({"score": "gredy"}, "no score 'gredy'. Did you mean 'greedy'?"),
        ({"axis": "tua"}, "no axis 'tua' in study simulated. Did you mean 'tau'? Known: beta, tau."),
        ({"kind": "heatmap"}, "does not sweep two numbers"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(call, words):
    with pytest.raises(ConfigError) as caught:
        plots.draw(simulated.ten_arms(), **call)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_study_without_temperatures_is_refused_with_a_way_out():
    study = simulated.ten_arms(temperatures=(0.25,))
    with pytest.raises(ConfigError, match="does not sweep the temperature; sweep tau"):
        plots.draw(study, "temperature")


@pytest.mark.parametrize(("name", "inches"), [("icml", 3.25), ("neurips", 5.5), ("wide", 7.2), (4, 4.0), ("4.5", 4.5)])
def test_the_saved_width_is_the_width_that_was_asked_for(name, inches):
    import io

    from PIL import Image

    figure = plots.draw(simulated.ten_arms(), width=name)
    image = Image.open(io.BytesIO(files.picture(figure, "png")))
    assert image.width == round(300 * inches)


def test_slides_are_as_wide_as_slides():
    assert plots.draw(simulated.ten_arms(), style="slides").get_figwidth() == 9.0


# --- files -----------------------------------------------------------------------------------------------------------


def test_the_same_numbers_give_the_same_bytes(tmp_path):
    for folder in ("a", "b"):
        plots.save(simulated.union(), tmp_path / folder, formats=("svg", "pdf", "png"))
    for name in ("temperature.svg", "temperature.pdf", "temperature.png", "temperature.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_the_json_holds_what_is_drawn(tmp_path):
    study = simulated.broken()
    paths = plots.save(study, tmp_path, kinds=["temperature", "reward_curve"])
    assert [path.name for path in paths] == [
        "temperature.png", "temperature.svg", "temperature.json",
        "reward_curve.png", "reward_curve.svg", "reward_curve.json",
    ]  # fmt: skip
    document = json.loads((tmp_path / "temperature.json").read_text(), parse_constant=pytest.fail)
    assert document["kind"] == "temperature"
    assert document["numbers"] == json.loads(json.dumps(series.plain(plots.plotted(study))))
    assert document["numbers"]["sides"][0]["curves"][0]["mean"][0] is None  # the cell without runs


def test_a_pdf_has_its_fonts_inside(tmp_path):
    plots.save(simulated.ten_arms(), tmp_path, formats=["pdf"], style="paper")
    data = (tmp_path / "temperature.pdf").read_bytes()
    assert b"/FontFile2" in data
    assert b"STIXGeneral" in data
    assert b"/Type3" not in data


def test_a_figure_is_drawn_again_only_when_something_changed(tmp_path, monkeypatch):
    study = simulated.ten_arms()
    plots.save(study, tmp_path)
    drawn = []
    real = plots.figure_of
    monkeypatch.setattr(plots, "figure_of", lambda *args: drawn.append(args) or real(*args))
    plots.save(study, tmp_path)
    assert not drawn
    plots.save(study, tmp_path, style="dark")
    plots.save(simulated.ten_arms(runs=11), tmp_path, style="dark")
    (tmp_path / "temperature.svg").unlink()
    plots.save(simulated.ten_arms(runs=11), tmp_path, style="dark")
    (tmp_path / "temperature.json").write_text("{")
    plots.save(simulated.ten_arms(runs=11), tmp_path, style="dark")
    assert len(drawn) == 4


@pytest.mark.parametrize("call", [{"kinds": ["temperature", "histogram"]}, {"formats": ["svg", "gif"]}])
def test_nothing_is_written_if_something_is_refused(tmp_path, call):
    with pytest.raises(ConfigError, match=r"no (figure|format)"):
        plots.save(simulated.ten_arms(), tmp_path / "new", **call)
    assert not list(tmp_path.rglob("*.*"))


def test_only_files_that_were_asked_for_are_left_in_the_folder(tmp_path):
    plots.save(simulated.ten_arms(), tmp_path, formats=["svg"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["temperature.json", "temperature.svg"]


def test_no_series_has_more_than_400_points(tmp_path):
    edges = np.arange(0, 4001, 2)
    study = simulated.ten_arms(runs=3, steps_of=edges, temperatures=(0.25, 1.0))
    for kind in ("temperature", "reward_curve", "regret", "distribution"):
        _check_lengths(series.plain(plots.plotted(study, kind)))


def _check_lengths(value):
    if isinstance(value, dict):
        for inner in value.values():
            _check_lengths(inner)
    elif isinstance(value, list):
        assert len(value) <= 400
        for inner in value:
            _check_lengths(inner)


def test_importing_plots_and_printing_tables_needs_no_matplotlib_and_drawing_no_pyplot():
    code = (
        "import sys, simulated\n"
        "from rlsoftmax import plots\n"
        "from rlsoftmax.plots import table\n"
        "table.text(simulated.ten_arms()), plots.kinds()\n"
        "assert 'matplotlib' not in sys.modules\n"
        "plots.draw(simulated.ten_arms())\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd="tests", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_views_know_what_they_do_not_ask_for():
    assert View() == View(axis=None, score=None, metric=None)
    assert notes.runs_of(simulated.broken()) == "0 to 12 runs"
