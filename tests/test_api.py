"""The study in Python is the study of the command line; nothing global, nothing written unless it has a name."""

import concurrent.futures
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from command_line import ok, write

import rlsoftmax as rs
from rlsoftmax import shelf
from rlsoftmax.errors import ArgumentError, ConfigError


@pytest.fixture(autouse=True)
def empty(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(shelf, "_BROUGHT", {group: {} for group in shelf.SHELVES})


@pytest.fixture(scope="module")
def study():
    return rs.sweep(
        env="testbed", agent="sample_average", tau=[0.25, 1.0], runs=4, steps=30, record={"memory": "final"}
    )


@pytest.fixture(scope="module")
def lake():
    return rs.run(env="frozen_lake", agent="q_learning", tau=0.1, runs=3, steps=200)


class Stubborn(rs.Agent):
    """Learns at a rate of its own."""

    alpha: rs.Share = 0.5

    def memory(self, states, actions):
        return {"value": np.zeros((states, actions))}

    def learn(self, value, state, action, reward):
        value[state, action] += self.alpha * (reward - value[state, action])


# --- one cell ---------------------------------------------------------------------------------------------------------


def test_a_cell_holds_the_numbers_of_every_run(study):
    cell = study.cell(tau=0.25)
    assert cell.metric("reward").shape == (4, 30)
    assert study.edges.tolist() == list(range(31))
    np.testing.assert_allclose(cell.scores("online"), cell.metric("reward").mean(axis=1))
    assert cell.scores("greedy").shape == (4,)
    assert cell.memory("value").shape == (4, 1, 10)
    assert cell.snapshot("entropy").shape == (4, len(study.snapshot_steps))
    np.testing.assert_array_equal(cell.snapshot("temperature"), 0.25)
    assert cell.runs.tolist() == [0, 1, 2, 3]
    assert dict(cell.overrides) == {"tau": 0.25}
    assert cell.config["tau"] == {"name": "constant", "value": 0.25}
    assert len(cell.id) == 64


def test_a_run_can_be_traced_and_its_rows_add_up_to_its_sums(lake):
    (cell,) = lake.cells
    rows = cell.trace(run=2)
    assert len(rows) == 200
    assert set(rows["run"]) == {2}
    bins = np.add.reduceat(rows["reward"], cell.data.edges[:-1]) / np.diff(cell.data.edges)
    np.testing.assert_array_equal(bins, cell.metric("reward")[2])
    np.testing.assert_allclose(rows["probability"].sum(axis=1), 1.0, atol=1e-12)
    assert cell.trace(run=2, first=150, last=160).tobytes() == rows[150:160].tobytes()


def test_the_policy_of_a_run_acts(lake):
    policy = lake.cells[0].policy(run=1)
    probabilities = policy.probabilities(0)
    assert probabilities.shape == (4,)
    assert probabilities.sum() == pytest.approx(1.0)
    assert policy.act(0, np.random.default_rng(0)) in range(4)


@pytest.mark.parametrize("call", [lambda c: c.trace(run=7), lambda c: c.policy(run=-1)])
def test_a_run_that_is_not_there_is_refused(lake, call):
    with pytest.raises(ConfigError, match="is not there; 3 runs are"):
        call(lake.cells[0])


def test_steps_outside_a_run_are_refused(lake):
    with pytest.raises(ArgumentError, match="first=5, last=201 must be steps of a run of 200"):
        lake.cells[0].trace(run=0, first=5, last=201)


# --- a study ----------------------------------------------------------------------------------------------------------


def test_cells_are_found_by_what_was_swept_or_configured(study):
    assert study.cell(tau=1).overrides["tau"] == 1.0
    assert study.cell(tau="1.0") is study.cells[1]
    assert study.cell(study.cells[0].id[:12]) is study.cells[0]
    assert study.cell(tau=0.25, env="gaussian_bandit", **{"env.arms": 10}) is study.cells[0]
    assert len(study) == len(list(study)) == 2


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"tau": 0.3}, "no cell fits tau=0.3. tau takes: 0.25, 1.0."),
        ({"tua": 0.25}, "no cell fits tua=0.25. Did you mean 'tau'? Known: tau."),
        ({}, "2 cells are there; give tau."),
        ({"env": "gaussian_bandit"}, "2 cells fit env='gaussian_bandit'; also give tau."),
    ],
)
def test_a_cell_that_is_not_one_is_answered_with_what_there_is(study, keys, words):
    with pytest.raises(ConfigError) as caught:
        study.cell(**keys)
    assert words in str(caught.value)


def test_the_best_cell_has_the_highest_score(study):
    means = {cell.overrides["tau"]: cell.scores().mean() for cell in study}
    assert study.best().overrides["tau"] == max(means, key=means.get)
    greedy = {cell.overrides["tau"]: cell.scores("greedy").mean() for cell in study}
    assert study.best("greedy").overrides["tau"] == max(greedy, key=greedy.get)


def test_a_study_is_shown_as_text_and_in_a_notebook(study):
    assert repr(study) == study.table()
    assert "1/4" in repr(study)
    page = study._repr_html_()
    assert "<table" in page
    assert "<svg" in page


def test_a_study_is_drawn(study):
    figure = study.plot("temperature")
    assert figure.get_axes()
    with pytest.raises(ConfigError, match="no figure 'temprature'"):
        study.plot("temprature")


def test_the_digest_depends_on_what_was_learned_alone(study):
    record = {"memory": "final", "snapshots": 2}
    settings = {"env": "testbed", "agent": "sample_average", "runs": 4, "steps": 30, "record": record}
    again = rs.sweep(tau=[1.0, 0.25], engine={"threads": 1, "lanes": 2, "window": 7}, **settings)
    assert again.digest() == study.digest()
    assert {runs for runs, _ in study.digest().values()} == {4}


def test_cells_that_differ_in_their_bins_are_asked_one_by_one():
    study = rs.sweep(steps=[5, 10], runs=1)
    with pytest.raises(ConfigError, match="the cells of this study differ in edges"):
        _ = study.edges
    assert [int(cell.data.edges[-1]) for cell in study] == [5, 10]


def test_what_is_not_installed_is_said(study, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="to_frame needs pandas, which is not installed: pip install 'rlsoftmax"):
        study.to_frame()
    with pytest.raises(ConfigError, match="to_xarray needs xarray, which is not installed"):
        study.to_xarray()


# --- what can be asked for --------------------------------------------------------------------------------------------


def test_text_python_values_and_objects_mean_the_same_cell():
    small = {"runs": 1, "steps": 5}
    ids = {
        rs.run("tau=1/4", **small).cells[0].id,
        rs.run(tau=0.25, **small).cells[0].id,
        rs.run(beta=4, **small).cells[0].id,
        rs.run(tau=rs.Constant(value=0.25), **small).cells[0].id,
        rs.run(policy=rs.Boltzmann(temperature=0.25), **small).cells[0].id,
        rs.run(policy=rs.Boltzmann(), tau=0.25, **small).cells[0].id,
        rs.run(env=rs.GaussianBandit(), agent=rs.SampleAverage(), tau=np.float64(0.25), **small).cells[0].id,
    }
    assert len(ids) == 1


def test_values_can_be_set_on_objects():
    study = rs.sweep(agent=[rs.QLearning(gamma=0.5)], tau=1.0, runs=1, steps=5, **{"agent.alpha": [0.1, 0.2]})
    assert [cell.config["agent"]["alpha"] for cell in study] == [0.1, 0.2]
    assert {cell.config["agent"]["gamma"] for cell in study} == {0.5}


def test_a_grid_may_mix_numbers_names_and_objects():
    study = rs.sweep(tau=[0.5, "exponential", rs.Linear(start=2.0)], runs=1, steps=5)
    assert [cell.overrides["tau"] for cell in study] == [0.5, "exponential", "linear(start=2.0)"]
    assert [cell.config["tau"]["name"] for cell in study] == ["constant", "exponential", "linear"]
    assert study.cell(tau=rs.Linear(start=2.0)) is study.cells[2]


def test_a_union_of_grids():
    study = rs.sweep(
        [{"policy": "boltzmann", "tau": [0.1, 0.2]}, {"policy": "epsilon_greedy", "policy.epsilon": [0.1]}],
        runs=1,
        steps=5,
    )
    assert study.axes == ("policy", "tau", "policy.epsilon")
    assert [dict(cell.overrides) for cell in study] == [
        {"policy": "boltzmann", "tau": 0.1},
        {"policy": "boltzmann", "tau": 0.2},
        {"policy": "epsilon_greedy", "policy.epsilon": 0.1},
    ]


def test_a_component_of_ones_own_needs_no_registration():
    study = rs.sweep(agent=[Stubborn(), Stubborn(alpha=rs.Exponential())], tau=1.0, runs=2, steps=10)
    assert [cell.overrides["agent"] for cell in study] == ["stubborn", "stubborn(alpha=exponential)"]
    assert len(study.cells[0].trace(run=1)) == 10
    assert shelf.brought() == []


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: rs.run(tau=[0.1, 0.2]), "this is 2 cells; rs.sweep runs several."),
        (lambda: rs.run(tau="exponetial"), "no tau 'exponetial'. Did you mean 'exponential'?"),
        (lambda: rs.run(taau=1), "unknown key taau. Did you mean 'tau'?"),
        (lambda: rs.run(temperature=1), "temperature is not a key"),
        (lambda: rs.run(agent="q_learning", alpha=0.2), "unknown key alpha. Did you mean 'agent.alpha'?"),
        (lambda: rs.run(tau=1, beta=2), "tau and beta are two ways to say the same"),
        (lambda: rs.run(policy=rs.Boltzmann(temperature=0.5), tau=0.1), "tau is given beside Boltzmann("),
        (lambda: rs.run(policy=rs.Boltzmann(temperature=0.5), beta=2), "beta is given beside"),
        (lambda: rs.run(agent=rs.Boltzmann()), "Boltzmann does not belong there."),
        (lambda: rs.run(steps=rs.Linear()), "Linear does not belong there."),
        (lambda: rs.run(agent=rs.QLearning), "agent=QLearning is a class; build one: agent=QLearning(...)."),
        (lambda: rs.run(agent=3), "agent=3: agent takes a name: actor_critic, choice_kernel"),
        (lambda: rs.sweep(tau=[0.1, None]), "tau=null: tau takes a number or a name: constant"),
        (lambda: rs.run(policy=rs.Ucb(), tau=0.1), "tau is given, but nobody reads it: policy ucb has no temperature."),
        (
            lambda: rs.run(agent=rs.QLearning(), **{"agent.alpha": "linear"}),
            "give this to the object when you build it.",
        ),
        (
            lambda: rs.run(agent=rs.QLearning(), **{"agent.alhpa": 0.1}),
            "unknown key agent.alhpa. Did you mean 'alpha'?",
        ),
        (lambda: rs.run(tau=float("nan")), "tau.value=nan must be a number or auto."),
        (lambda: rs.run(tau=-1), "tau.value=-1.0 must be >= 0."),
        (lambda: rs.sweep(seed=[0, 1]), "seed cannot take several values"),
        (lambda: rs.run(study="../x"), "study='../x' must be"),
        (lambda: rs.run(tau=object()), "cannot read"),
        (lambda: rs.load("nowhere"), "no study in nowhere"),
    ],
)
def test_what_cannot_be_run_is_one_sentence(call, words):
    with pytest.raises(ConfigError) as caught:
        call()
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 2
    assert not list(Path().iterdir())


# --- named studies ----------------------------------------------------------------------------------------------------


def test_a_named_study_is_kept_continued_and_read_back():
    first = rs.sweep(tau=[0.1, 0.2], runs=2, steps=10, study="s")
    more = rs.sweep(tau=[0.1, 0.2], runs=5, steps=10, study="s")
    fewer = rs.sweep(tau=[0.2], runs=3, steps=10, study="s")
    assert [study.data.runs for study in (first, more, fewer)] == [2, 5, 3]
    np.testing.assert_array_equal(fewer.cell(tau=0.2).metric("reward"), more.cell(tau=0.2).metric("reward")[:3])
    loaded = rs.load("s")
    assert loaded.digest() == more.digest() == rs.load("results/s").digest()
    assert loaded.cell(tau=0.1).trace(run=4).tobytes() == more.cell(tau=0.1).trace(run=4).tobytes()
    with pytest.raises(ConfigError, match="results/s holds another plan"):
        rs.sweep(tau=[0.1, 0.3], steps=10, study="s")


def test_python_and_the_command_line_share_a_study():
    rs.sweep(tau=[0.1, 0.2], runs=2, steps=10, study="s", results="out")
    ok("sweep", "tau=0.1,0.2", "runs=2", "steps=10", "study=s", "results=out")
    assert len(list(Path("out/s").glob("plan-*"))) == 2, "they differ only in the command that made them"
    assert len(list(Path("out/s/chunks").iterdir())) == 1


def test_a_cell_of_another_version_cannot_be_replayed():
    write("mine.py", "import rlsoftmax as rs\nimport numpy as np\n" + _source(0.5))
    ok("run", "--with", "mine.py", "agent=mine", "tau=1", "runs=1", "steps=5", "study=s")
    assert len(rs.load("s").cells[0].trace(run=0)) == 5
    write("mine.py", "import rlsoftmax as rs\nimport numpy as np\n" + _source(0.25))
    shelf.load_file("mine.py")
    with pytest.raises(ConfigError, match="was made by another version of its components"):
        rs.load("s").cells[0].trace(run=0)


def _source(rate):
    return f"""
class Mine(rs.Agent):
    def memory(self, states, actions):
        return {{"value": np.zeros((states, actions))}}

    def learn(self, value, state, action, reward):
        value[state, action] += {rate} * reward
"""


def test_without_a_name_nothing_is_written():
    rs.run(runs=1, steps=5)
    assert not list(Path().iterdir())


# --- no global state --------------------------------------------------------------------------------------------------


def test_threads_may_run_studies_side_by_side():
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(rs.sweep, tau=[0.1, 0.1 * k], runs=1, steps=5) for k in range(2, 10)]
        assert [len(future.result()) for future in futures] == [2] * 8


def test_a_foreign_hydra_application_is_not_disturbed(tmp_path):
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra

    (tmp_path / "foreign.yaml").write_text("x: 1\n")
    with warnings.catch_warnings(action="ignore"), initialize_config_dir(str(tmp_path), version_base="1.3"):
        assert len(rs.sweep(tau=[0.1, 0.2], runs=1, steps=5)) == 2
        assert compose("foreign").x == 1
    assert not GlobalHydra.instance().is_initialized()


def test_a_new_option_is_seen_at_once():
    with pytest.raises(ConfigError, match="no tau 'mine'"):
        rs.run(tau="mine", runs=1, steps=5)
    write("configs/tau/mine.yaml", "name: exponential\nstart: 2.0\n")
    assert rs.run(tau="mine", runs=1, steps=5).cells[0].config["tau"]["start"] == 2.0
    write("configs/tau/mine.yaml", "name: exponential\nstart: 3.0\n")
    os.utime("configs/tau/mine.yaml", (1, 1))
    assert rs.run(tau="mine", runs=1, steps=5).cells[0].config["tau"]["start"] == 3.0


def test_importing_the_library_imports_nothing_that_takes_time():
    code = "import rlsoftmax, sys; print(*sys.modules)"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    assert not loaded & {"numpy", "hydra", "numba", "matplotlib", "scipy", "rich", "jinja2", "gymnasium", "omegaconf"}
