"""A study as rows, as a labelled array and as a file is the study: every number, to the last bit, nothing else."""

import csv
import dataclasses
import io
import json
import math

import numpy as np
import pyarrow.parquet
import pytest
from command_line import ok, refused
from simulated import ten_arms

import rlsoftmax as rs
from rlsoftmax.errors import ConfigError
from rlsoftmax.frames import labelled
from rlsoftmax.frames.columns import columns
from rlsoftmax.frames.export import exported


@pytest.fixture
def study():
    """Four temperatures and two rivals, 12 runs; one cell lost runs 3 and 7, and has a bin without a number."""
    whole = ten_arms(epsilons=(0.1, 0.2))
    first = whole.cells[0]
    keep = ~np.isin(first.runs, (3, 7))
    arrays = {name: array[keep] for name, array in first.arrays.items()}
    cells = (dataclasses.replace(first, runs=first.runs[keep], arrays=arrays), *whole.cells[1:])
    return dataclasses.replace(whole, cells=cells)


def test_a_frame_has_a_row_per_cell_and_run_with_both_scores(study):
    frame = labelled.frame(study)
    assert list(frame.columns) == ["cell", "tau", "policy", "policy.epsilon", "run", "online", "greedy"]
    assert len(frame) == 10 + 5 * 12
    for cell in study.cells:
        rows = frame[frame["cell"] == cell.id[:12]]
        np.testing.assert_array_equal(rows["run"], cell.runs)
        np.testing.assert_array_equal(rows["online"], cell.scores())
        np.testing.assert_array_equal(rows["greedy"], cell.scores("greedy"))
    assert frame["tau"].dtype == np.float64
    np.testing.assert_array_equal(np.isnan(frame["tau"]), ~np.isnan(frame["policy.epsilon"]))


def test_a_metric_adds_the_ends_of_the_bins(study):
    frame = labelled.frame(study, "regret")
    cell = study.cells[1]
    rows = frame[frame["cell"] == cell.id[:12]]
    np.testing.assert_array_equal(rows["step"].to_numpy().reshape(12, -1), np.tile(cell.edges[1:], (12, 1)))
    np.testing.assert_array_equal(rows["regret"].to_numpy().reshape(12, -1), cell.metric("regret"))
    assert len(frame) == (10 + 5 * 12) * (len(cell.edges) - 1)


def test_an_unknown_metric_is_answered_with_the_closest(study):
    with pytest.raises(ConfigError, match=r"no metric 'rewrad' in study simulated. Did you mean 'reward'\?"):
        labelled.frame(study, "rewrad")


def test_cells_that_do_not_declare_a_metric_have_no_number_there(study):
    bare = {name: array for name, array in study.cells[0].arrays.items() if name not in ("regret", "score/greedy")}
    cells = (dataclasses.replace(study.cells[0], arrays=bare), *study.cells[1:])
    mixed = dataclasses.replace(study, cells=cells)
    rows = 10 * (len(cells[0].edges) - 1)
    assert np.isnan(columns(mixed, "regret")["regret"][:rows]).all()
    assert not np.isnan(columns(mixed, "regret")["regret"][rows:]).any()
    assert np.isnan(columns(mixed)["greedy"][:10]).all()


def test_a_dataset_is_indexed_by_swept_keys_run_and_step(study):
    data = labelled.dataset(study)
    assert data["reward"].dims == ("tau", "policy", "policy.epsilon", "run", "step")
    assert data["online"].dims == ("tau", "policy", "policy.epsilon", "run")
    one = data.sel(tau=0.25).isel({"policy.epsilon": 2, "policy": 0})  # Boltzmann has no epsilon: NaN, the last label
    np.testing.assert_array_equal(one["reward"], study.cells[1].metric("reward"))
    rival = data.sel({"policy.epsilon": 0.2}).isel(tau=4).sel(policy="epsilon_greedy")
    np.testing.assert_array_equal(rival["greedy"], study.cells[5].scores("greedy"))
    np.testing.assert_array_equal(data["step"], study.cells[0].edges[1:])


def test_what_was_not_played_is_nan_in_a_dataset(study):
    data = labelled.dataset(study)
    there = sum(len(cell.runs) for cell in study.cells)
    assert int(np.isfinite(data["online"]).sum()) == there
    lost = data["online"].sel(tau=0.0625).isel({"policy": 0, "policy.epsilon": 2})
    assert np.flatnonzero(np.isnan(lost)).tolist() == [3, 7]


def test_a_dataset_that_cannot_be_is_refused_with_the_way_out(study, monkeypatch):
    longer = dataclasses.replace(study.cells[1], edges=study.cells[1].edges * 2)
    with pytest.raises(ConfigError, match="differ in their bins, so they share no axis of steps; use to_frame"):
        labelled.dataset(dataclasses.replace(study, cells=(study.cells[0], longer)))
    with pytest.raises(ConfigError, match="two cells of this study have the same values of all swept keys"):
        labelled.dataset(dataclasses.replace(study, axes=("policy",)))
    monkeypatch.setattr(labelled, "MOST", 1000)
    with pytest.raises(ConfigError, match="6 cells were played, but all combinations of their keys are"):
        labelled.dataset(study)


def test_a_csv_is_read_back_to_the_last_bit(study):
    rows = list(csv.DictReader(io.StringIO(exported(study, "csv", "reward").decode())))
    np.testing.assert_array_equal([float(row["reward"]) for row in rows], columns(study, "reward")["reward"])
    assert {row["tau"] for row in rows} == {"0.0625", "0.25", "1.0", "4.0", ""}
    assert rows[0]["policy"] == "boltzmann"
    assert rows[0]["policy.epsilon"] == ""


def test_json_is_strict_and_says_null_where_there_is_no_number(study):
    cell = study.cells[1]
    gaps = cell.arrays["reward"].copy()
    gaps[2, 5] = np.nan
    odd = dataclasses.replace(cell, arrays={**cell.arrays, "reward": gaps}, overrides={"tau": math.inf})
    text = exported(dataclasses.replace(study, cells=(odd,)), "json", "reward").decode()

    def refuse(word):
        raise AssertionError(word)

    rows = json.loads(text, parse_constant=refuse)
    assert rows[2 * 16 + 5]["reward"] is None
    assert {row["tau"] for row in rows} == {"inf"}
    found = [math.nan if row["reward"] is None else row["reward"] for row in rows]
    np.testing.assert_array_equal(found, odd.metric("reward").ravel())


def test_parquet_has_typed_columns_and_nulls(study):
    table = pyarrow.parquet.read_table(io.BytesIO(exported(study, "parquet")))
    assert [str(table.schema.field(name).type) for name in ("tau", "run", "online")] == ["double", "int64", "double"]
    np.testing.assert_array_equal(table["online"].to_numpy(), columns(study)["online"])
    assert table["tau"].null_count == 24
    mixed = dataclasses.replace(study.cells[0], overrides={"tau": "linear"})
    both = dataclasses.replace(study, cells=(mixed, study.cells[1]))
    assert set(pyarrow.parquet.read_table(io.BytesIO(exported(both, "parquet")))["tau"].to_pylist()) == {
        "linear",
        "0.25",
    }


@pytest.mark.parametrize("format", ["csv", "json", "parquet"])
def test_a_study_without_runs_is_an_empty_table(study, format):
    none = dataclasses.replace(study.cells[0], runs=study.cells[0].runs[:0], arrays={})
    assert exported(dataclasses.replace(study, cells=(none,)), format)


def test_names_cannot_become_formulas(study):
    evil = dataclasses.replace(study.cells[0], overrides={"tau": "=cmd()", "policy": "+1"})
    text = exported(dataclasses.replace(study, cells=(evil,)), "csv").decode()
    assert ",'=cmd(),'+1," in text


def test_the_command_line_writes_what_python_reads(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ok("sweep", "tau=0.1,0.2", "runs=2", "steps=10", "study=s")
    data = rs.load("s").data
    assert ok("export", "s") == exported(data).decode()
    assert ok("export", "s", "--format", "json", "--metric", "reward") == exported(data, "json", "reward").decode()
    assert ok("export", "s", "--out", "here/runs.parquet") == "here/runs.parquet\n"
    assert (tmp_path / "here/runs.parquet").read_bytes() == exported(data, "parquet")
    ok("export", "s", "--format", "csv", "--out", "runs.txt")
    assert (tmp_path / "runs.txt").read_bytes() == exported(data)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("export s --format cvs", "no format 'cvs'. Did you mean 'csv'? Known: csv, json, parquet."),
        ("export s --metric rewrad", "no metric 'rewrad' in study s. Did you mean 'reward'?"),
        ("export s --out runs.xlsx", "no format 'xlsx'."),
        ("export s --format parquet", "say where it goes, such as --out runs.parquet."),
        ("export s --metrics reward", "export has no option --metrics. Did you mean '--metric'?"),
        ("export s reward", "export takes one study and options, not 'reward'."),
        ("export", "which study?"),
        ("export t", "no study 't' below results/."),
    ],
)  # fmt: skip
def test_an_export_that_cannot_be_made_is_one_line(tmp_path, monkeypatch, line, words):
    monkeypatch.chdir(tmp_path)
    ok("run", "runs=1", "steps=5", "study=s")
    assert words in refused(*line.split())


def test_parquet_without_its_library_is_one_line(study, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="format=parquet needs pyarrow, which is not installed: pip install"):
        exported(study, "parquet")
