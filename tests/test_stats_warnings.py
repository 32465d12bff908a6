"""Warnings as data: each appears when it is true, is silent when it is not, and says what to type."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from rlsoftmax.errors import ConfigError
from rlsoftmax.stats.command import changed
from rlsoftmax.stats.conditions import conditions, label, scored, standing
from rlsoftmax.stats.grid import legal, next_values
from rlsoftmax.stats.warnings import cautions, value_on
from rlsoftmax.store.data import CellData, Failure, Score, StudyData

COMMAND = "rlsoftmax sweep env=testbed 'tau=octaves(1/4,4)' runs=40"


def a_cell(
    overrides: Mapping[str, Any],
    scores: Sequence[float] | np.ndarray[Any, Any],
    greedy: Sequence[float] | None = None,
    metric: str = "reward",
    first: int = 0,
    **rest: Any,
) -> CellData:
    name = hashlib.sha256(label(overrides).encode()).hexdigest()
    arrays = {metric: np.asarray(scores, dtype=float)[:, None]}
    if greedy is not None:
        arrays["score/greedy"] = np.asarray(greedy, dtype=float)
    runs = np.arange(first, first + len(scores))
    none = np.array([], dtype=int)
    return CellData(name, {}, overrides, np.array([0, 1]), none, Score(metric, 0, 1), runs, arrays, **rest)


def a_study(*cells: CellData, axes: Sequence[str] = ("tau",), runs: int = 40, command: str = COMMAND) -> StudyData:
    return StudyData("mine", cells, tuple(axes), runs, command=command)


LUCK = np.random.default_rng(20_260_102).normal(size=40)
NOISE = np.random.default_rng(20_260_103).normal(size=(9, 40)) * 0.1


def a_hill(taus: Sequence[float], top: float, **rest: Any) -> list[CellData]:
    """One cell per tau, the mean falling by 1 per octave from `top`."""
    return [
        a_cell({"tau": tau}, LUCK + NOISE[number] - abs(math.log2(tau / top)), **rest)
        for number, tau in enumerate(taus)
    ]


def kinds(study: StudyData, which: str = "online") -> list[str]:
    return [one.kind for one in cautions(study, which)]


def of_kind(kind: str, study: StudyData, which: str = "online") -> Any:
    (found,) = [one for one in cautions(study, which) if one.kind == kind]
    assert "\n" not in found.text
    return found


def test_a_clear_study_has_one_warning_that_its_best_was_chosen() -> None:
    study = a_study(*a_hill([0.25, 0.5, 1.0, 2.0, 4.0], top=1.0))
    assert kinds(study) == ["chosen"]
    assert of_kind("chosen", study).text.startswith("the best of 5 cells was chosen on these runs")


def test_the_better_of_two_was_chosen_too() -> None:
    assert kinds(a_study(*a_hill([1.0, 2.0], top=1.0))) == ["chosen"]


def test_fresh_runs_of_the_best_silence_that_one() -> None:
    study = a_study(*a_hill([0.5, 1.0, 2.0], top=1.0))
    fresh = a_cell({"tau": 1.0}, LUCK[:3], first=40)  # runs 40 to 42 were not looked at when it was chosen
    assert kinds(dataclasses.replace(study, report_runs=3, fresh=(fresh,))) == []


def test_fresh_runs_that_are_still_to_be_played_are_missing() -> None:
    study = a_study(*a_hill([0.5, 1.0, 2.0], top=1.0))
    fresh = a_cell({"tau": 1.0}, LUCK[:2], first=40)
    found = of_kind("missing", dataclasses.replace(study, report_runs=5, fresh=(fresh,)))
    assert found.text == "3 of 5 fresh runs of a best cell are missing; the same command continues."
    assert of_kind("chosen", study).command == f"{COMMAND} report_runs=40"


def test_a_single_cell_was_not_chosen() -> None:
    assert kinds(a_study(a_cell({}, LUCK), axes=())) == []


@pytest.mark.parametrize(
    ("top", "more", "text"),
    [
        (4.0, "'tau=octaves(1/4,16)'", "the best τ, 4, is at the edge of its grid, which goes on with 8 and 16."),
        (
            0.25,
            "'tau=octaves(1/16,4)'",
            "the best τ, 1/4, is at the edge of its grid, which goes on with 1/8 and 1/16.",
        ),
    ],
)
def test_a_best_at_the_edge_comes_with_the_next_grid(top: float, more: str, text: str) -> None:
    found = of_kind("edge", a_study(*a_hill([0.25, 0.5, 1.0, 2.0, 4.0], top=top)))
    assert text in found.text
    assert found.command == f"rlsoftmax sweep env=testbed runs=40 {more}"


def test_the_edge_is_seen_along_each_axis_with_the_others_held() -> None:
    cells = [
        a_cell({"tau": tau, "agent.alpha": alpha}, LUCK - abs(math.log2(tau)) + alpha)
        for tau in (0.5, 1.0, 2.0)
        for alpha in (0.1, 0.2, 0.3)
    ]
    found = of_kind("edge", a_study(*cells, axes=("tau", "agent.alpha")))
    assert "the best α, 0.3, is at the edge" in found.text
    assert found.command.endswith("agent.alpha=0.1,0.2,0.3,0.4,0.5")


def test_a_study_swept_in_beta_is_told_in_beta() -> None:
    cells = a_hill([0.25, 0.5, 1.0], top=1.0)
    found = of_kind("edge", a_study(*cells, axes=("beta",), command="rlsoftmax sweep beta=1,2,4"))
    assert "best β, 1, is at the edge" in found.text
    assert found.command == "rlsoftmax sweep 'beta=octaves(1/4,4)'"
    assert value_on(a_cell({"tau": 0.0}, LUCK), "beta") == math.inf
    assert value_on(a_cell({"tau": math.inf}, LUCK), "beta") == 0.0


def test_beside_other_kinds_the_wider_grid_is_a_study_of_the_best_kind_alone() -> None:
    hill = a_hill([0.25, 0.5, 1.0], top=1.0)
    cells = [
        dataclasses.replace(cell, overrides={"policy": "boltzmann", **cell.overrides}, config=of_policy("boltzmann"))
        for cell in hill
    ]
    rival = a_cell({"policy": "epsilon_greedy", "policy.epsilon": 0.1}, LUCK - 9.0)
    cells.append(dataclasses.replace(rival, config=of_policy("epsilon_greedy")))
    study = a_study(*cells, axes=("policy", "tau", "policy.epsilon"), command="rlsoftmax study mine")
    assert of_kind("edge", study).command == "rlsoftmax study mine policy=boltzmann 'tau=octaves(1/4,4)'"
    kept = dataclasses.replace(study, folder="results/mine")
    assert of_kind("edge", kept).command.endswith(" study=mine-wider")


def of_policy(name: str) -> dict[str, Any]:
    return {"policy": {"name": name}}


@pytest.mark.parametrize(
    ("values", "at", "expected"),
    [
        ([1.0, 2.0, 4.0], 2.0, []),  # not an end
        ([0.0, 1.0, 2.0], 0.0, []),  # nothing is colder than greedy
        ([0.5, 1.0, math.inf], math.inf, []),  # nothing is warmer than uniform
        ([0.25, 0.5, 1.0], 1.0, [2.0, 4.0]),
        ([0.0, 0.5, 2.0], 2.0, [8.0, 32.0]),
        ([0.1, 0.2, 0.3], 0.3, [0.4, 0.5]),
        ([0.1, 0.2, 0.3], 0.1, []),  # the next step would be 0
        ([0.2, 0.3, 0.4], 0.2, [0.1]),
        ([1.0, 10.0, 100.0], 1.0, [0.1, 0.01]),
        ([0.0, 2.0, math.inf], 2.0, []),
        ([-1.0, 0.0, 2.0], 2.0, []),  # one positive number has no ratio
    ],
)
def test_a_grid_goes_on_as_it_went(values: list[float], at: float, expected: list[float]) -> None:
    np.testing.assert_allclose(next_values(values, at), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("config", "key", "expected"),
    [
        ({"agent": {"name": "q_learning"}}, "agent.alpha", [0.5, 1.0]),  # a share
        ({"env": {"name": "gaussian_bandit"}}, "env.arms", [1.0, 2.0]),  # whole
        ({"env": {"name": "gaussian_bandit"}}, "env.noise", [0.5, 1.0, 2.0]),
        ({"agent": {"name": "mine"}}, "agent.alpha", [0.5, 1.0, 2.0]),  # not known here
        ({"tau": {"name": "constant"}}, "tau", [0.5, 1.0, 2.0]),
        ({}, "agent.alpha", [0.5, 1.0, 2.0]),
    ],
)
def test_what_the_rule_of_a_key_forbids_is_not_proposed(config: Any, key: str, expected: list[float]) -> None:
    assert legal(config, key, [0.5, 1.0, 2.0]) == expected


def test_cells_within_the_noise_are_no_winners_and_runs_are_counted_for_telling_them_apart() -> None:
    cells = [a_cell({"tau": tau}, LUCK + row + 0.02 * tau) for tau, row in zip((0.5, 1.0, 2.0), NOISE, strict=False)]
    found = of_kind("noise", a_study(*cells))
    assert "2 of 3 cells cannot be told from the best (τ = 1; τ = 2)" in found.text
    needed = int(found.command.rpartition("runs=")[2])
    assert 40 < needed < 100_000
    same = [a_cell({"tau": tau}, LUCK) for tau in (0.5, 1.0, 2.0)]
    assert of_kind("noise", a_study(*same)).command == ""  # no number of runs tells equal cells apart


def test_few_missing_and_failed_runs_are_said() -> None:
    failure = Failure(3, 10, 0, 1, "reward is nan")
    cells = [a_cell({"tau": tau}, LUCK[:4] + shift) for tau, shift in ((0.5, 0.0), (1.0, 3.0), (2.0, 1.0))]
    cells.append(a_cell({"tau": 4.0}, LUCK[:2], failures=(failure,)))
    study = a_study(*cells, runs=5)
    assert of_kind("missing", study).text.startswith("5 of 20 runs are missing")
    assert of_kind("missing", study).command == COMMAND
    assert of_kind("failed", study).text == "1 of 20 runs failed and are in no number; the first: reward is nan."
    assert of_kind("few_runs", study).text.startswith("only 2 runs of a cell")
    assert of_kind("few_runs", study).command == "rlsoftmax sweep env=testbed 'tau=octaves(1/4,4)' runs=30"
    now = standing(study.cells)
    assert now is not None
    assert [cell.overrides["tau"] for cell in now.left_out] == [4.0]


def test_ten_runs_are_not_few() -> None:
    cells = [a_cell({"tau": tau}, LUCK[:10] + tau) for tau in (1.0, 2.0)]
    assert "few_runs" not in kinds(a_study(*cells, runs=10))
    assert "few_runs" in kinds(a_study(cells[0], a_cell({"tau": 2.0}, LUCK[:9]), runs=10))


def test_a_study_without_scores_is_told_so_and_nothing_else() -> None:
    study = a_study(a_cell({"tau": 1.0}, []), a_cell({"tau": 2.0}, []))
    assert kinds(study) == ["missing", "few_runs"]
    assert standing(study.cells) is None


def test_skewed_scores_come_with_median_and_quartiles() -> None:
    locked_in = np.array([11.0] * 28 + [900.0] * 12)
    study = a_study(a_cell({"tau": 1.0}, locked_in, metric="regret"), axes=())
    found = of_kind("skew", study)
    assert "scores of τ = 1 are in two heaps: median 11, middle half 11 to 900, mean 277.7" in found.text
    assert found.command == "rlsoftmax plot mine --kind distribution"


def test_a_skewed_cell_is_named() -> None:
    exponential = np.random.default_rng(20_260_104).exponential(size=40) ** 2
    cells = [a_cell({"tau": tau}, exponential - tau) for tau in (1.0, 2.0)]
    assert of_kind("skew", a_study(*cells)).text.startswith("scores of τ = 1 are skewed: median ")


def test_regret_is_better_when_it_is_lower() -> None:
    cells = [a_cell({"tau": tau}, LUCK + 10 * tau, metric="regret") for tau in (1.0, 2.0, 4.0)]
    now = standing(cells)
    assert now is not None
    assert now.best.overrides == {"tau": 1.0}
    np.testing.assert_allclose([one.mean for one in now.result.behind], [0.0, -10.0, -30.0])
    np.testing.assert_array_equal(scored(cells[0])[1], -cells[0].scores())


def test_online_and_greedy_best_may_differ_and_then_it_is_said() -> None:
    def study(greedy_top: float) -> StudyData:
        return a_study(
            *(
                a_cell({"tau": tau}, LUCK - abs(math.log2(tau)), LUCK + NOISE[0] - abs(math.log2(tau / greedy_top)))
                for tau in (0.5, 1.0, 2.0)
            )
        )

    assert "two_bests" not in kinds(study(1.0))
    text = of_kind("two_bests", study(2.0)).text
    assert "best while learning is τ = 1" in text
    assert "greedy policy afterwards τ = 2" in text
    assert "edge" in kinds(study(2.0), "greedy")
    assert "edge" not in kinds(study(2.0), "online")
    with pytest.raises(ConfigError, match="no greedy score"):
        cautions(a_study(a_cell({"tau": 1.0}, LUCK)), "greedy")


def test_best_is_within_one_condition() -> None:
    cells = [
        a_cell({"env.slip": slip, "tau": tau}, LUCK + 100 * slip + (tau if slip else -tau))
        for slip in (0.0, 1.0)
        for tau in (1.0, 2.0, 4.0)
    ]
    groups = conditions(a_study(*cells, axes=("env.slip", "tau")))
    assert [group.where for group in groups] == [{"env.slip": 0.0}, {"env.slip": 1.0}]
    assert [standing(group.cells).best.overrides["tau"] for group in groups] == [1.0, 4.0]  # type: ignore[union-attr]
    texts = [one.text for one in cautions(a_study(*cells, axes=("env.slip", "tau"))) if one.kind == "edge"]
    assert [text.partition(":")[0] for text in texts] == ["slip = 0", "slip = 1"]


@pytest.mark.parametrize(
    ("command", "key", "values", "expected"),
    [
        ("", "runs", [30], ""),
        ("rlsoftmax run 'tau=1", "runs", [30], ""),
        ("rlsoftmax study mine", "runs", [30], "rlsoftmax study mine runs=30"),
        ("rlsoftmax sweep agent.alpha=1,2", "agent.alpha", [0.3, 4.0], "rlsoftmax sweep agent.alpha=0.3,4"),
        ("rlsoftmax sweep", "tau", [1 / 1024, 0.1 + 0.2], "rlsoftmax sweep tau=0.0009765625,0.30000000000000004"),
        ("rlsoftmax study mine", "policy", ["boltzmann"], "rlsoftmax study mine policy=boltzmann"),
        ("rs.sweep(env='chain', runs=5)", "runs", [30], "rs.sweep(env='chain', runs=30)"),
        ("rs.sweep('tau=1,2', runs=5)", "tau", [4.0, 8.0], "rs.sweep(runs=5, tau=[4.0, 8.0])"),
        ("rs.sweep(**{'agent.alpha': [1, 2]})", "agent.alpha", [4.0, 8.0], "rs.sweep('agent.alpha=4,8')"),
        ("rs.run(**{'agent.alpha': 1, 'env.k': 3})", "tau", [4.0], "rs.run(**{'agent.alpha': 1, 'env.k': 3}, tau=4.0)"),
        ("rlsoftmax run", "runs", [1_000_000], "rlsoftmax run runs=1000000"),
        ("rs.sweep(tau=1)", "tau", [0.5, math.inf], "rs.sweep(tau=[0.5, 'inf'])"),
        ("rs.sweep(agent=<object at 0x1>)", "runs", [30], ""),
        ("rs.sweep", "runs", [30], ""),
    ],
)  # fmt: skip
def test_a_command_is_changed_in_one_thing(command: str, key: str, values: list[float], expected: str) -> None:
    assert changed(command, key, values) == expected


def test_without_a_command_nothing_is_to_be_typed() -> None:
    found = of_kind("edge", a_study(*a_hill([1.0, 2.0, 4.0], top=4.0), command=""))
    assert found.command == ""
    assert "8 and 16" in found.text
