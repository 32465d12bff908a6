"""The contract of the command line, command by command, in an empty folder."""

import importlib.util
import json
import os
from pathlib import Path

import pytest
import yaml
from command_line import call, cells, ok, plans, refused, write

from rlsoftmax import cli, shelf
from rlsoftmax.store.folder import Folder
from rlsoftmax.store.read import read_study

QUICK = ("steps=20", "runs=3")
MINE = """
import numpy as np
import rlsoftmax as rs


class Stubborn(rs.Agent):
    \"\"\"Learns at a rate of its own.\"\"\"

    alpha: rs.Share = 0.5
    bonus: rs.Positive = 1.0

    def memory(self, states, actions):
        return {"value": np.zeros((states, actions))}

    def learn(self, value, state, action, reward):
        value[state, action] += self.alpha / (1.0 + self.bonus) * (reward - value[state, action])
"""


@pytest.fixture(autouse=True)
def empty(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(shelf, "_BROUGHT", {group: {} for group in shelf.SHELVES})


def configs(study=None):
    return [cell["config"] for cell in cells(study)]


def runs_there(study):
    present = Folder(Path("results") / study).present()
    return {tuple(sorted(runs.tolist())) for runs in present.values()}


# --- run, sweep -------------------------------------------------------------------------------------------------------


def test_run_plays_one_cell_and_says_what_and_where():
    out = ok(
        "run", "env=testbed", "agent=sample_average", "tau=exponential", "tau.start=1", "tau.half_life=200", *QUICK
    )
    (config,) = configs()
    assert config["tau"] == {"name": "exponential", "start": 1.0, "end": 0.05, "half_life": 200.0}
    (folder,) = Path("results").iterdir()
    assert out.startswith("testbed x sample_average x boltzmann: 1 cell x 3 runs x 20 steps\n")
    assert f"in results/{folder.name}: plan, 1 chunk, table.csv, study.yaml" in out
    assert out.endswith(f"next: rlsoftmax plot {folder.name}\n")
    assert runs_there(folder.name) == {(0, 1, 2)}
    assert [path.name for path in Path().iterdir()] == ["results"]


def test_the_header_says_which_temperature_was_chosen_and_why():
    assert "(tau auto = 0.25, which env gaussian_bandit suggests)" in ok("run", *QUICK)
    assert "(tau auto = 1, which agent gradient_bandit suggests)" in ok("run", "agent=gradient_bandit", *QUICK)
    assert "played from its table" in ok("run", "env=frozen_lake", "agent=q_learning", *QUICK)


TREE = "policy=boltzmann_tree draws from the same law in O(log K)"


@pytest.mark.parametrize(
    ("words", "suggested"),
    [
        ("env.arms=64", True),
        ("env.arms=63", False),
        ("env.arms=64 agent=q_learning tau=exponential", True),
        ("env.arms=64 agent=forgetting", False),  # changes all values: the tree would be built at every step
        ("env.arms=64 agent=gradient_bandit", False),  # needs probabilities
        ("env.arms=64 env.delay=2", False),
        ("env.arms=64 policy=mellowmax", False),
        ("env.arms=64 policy=boltzmann_tree", False),
        ("env=frozen_lake_8x8 agent=q_learning", False),
    ],
)
def test_the_header_suggests_a_tree_where_it_is_faster(words, suggested):
    from rlsoftmax.cli import header
    from rlsoftmax.launch.request import Request, planned

    plan = planned(Request(arguments=("tau=0.3", *words.split()) if "tau=" not in words else tuple(words.split())))
    assert (TREE in header(plan)) == suggested


def test_a_sweep_is_one_study_and_hydra_writes_nothing():
    ok("sweep", "tau=0.05,0.1,0.2", "agent.initial=0.1,0.2", *QUICK)
    (plan,) = plans()
    assert plan["axes"] == ["tau", "agent.initial"]
    assert len(plan["cells"]) == 6
    assert plan["cells"][0]["overrides"] == {"tau": 0.05, "agent.initial": 0.1}
    assert plan["command"] == "rlsoftmax sweep tau=0.05,0.1,0.2 agent.initial=0.1,0.2 steps=20 runs=3"
    (folder,) = Path("results").iterdir()
    assert sorted(path.name.partition("-")[0] for path in folder.iterdir()) == [
        "chunks",
        "plan",
        "study.yaml",
        "table.csv",
    ]


@pytest.mark.parametrize("line", ["run -m tau=0.1,0.2", "run tau=0.1,0.2 --multirun", "sweep -m tau=0.1,0.2"])
def test_dash_m_is_sweep(line):
    ok("sweep", "tau=0.1,0.2", *QUICK)
    ok(*line.split(), *QUICK)
    first, second = plans()
    assert first["cells"] == second["cells"]


def test_a_study_swept_in_beta_is_labelled_in_beta():
    ok("sweep", "beta=3,49,inf", *QUICK)
    (plan,) = plans()
    assert plan["axes"] == ["beta"]
    assert [cell["overrides"] for cell in plan["cells"]] == [{"beta": 3.0}, {"beta": 49.0}, {"beta": "inf"}]
    assert [cell["config"]["tau"]["value"] for cell in plan["cells"]] == [1 / 3, 1 / 49, 0.0]


@pytest.mark.parametrize(
    ("argument", "temperatures"),
    [
        ("tau=1/4", [0.25]),
        ("tau=octaves(1/64,8)", [2.0**k for k in range(-6, 4)]),
        ("tau.value=linspace(0.1, 0.8, 8)", [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]),
        ("tau.value=geomspace(0.01,100,5)", [0.01, 0.1, 1.0, 10.0, 100.0]),
        ("tau=0,inf", [0.0, "inf"]),
    ],
)
def test_lists_of_temperatures(argument, temperatures):
    ok("sweep", argument, "steps=2", "runs=1")
    assert [config["tau"]["value"] for config in configs()] == temperatures


def test_a_schedule_in_a_field():
    ok("run", "agent=q_learning", "agent.alpha=exponential", "agent.alpha.start=0.5", *QUICK)
    assert configs()[0]["agent"]["alpha"] == {"name": "exponential", "start": 0.5, "end": 0.05, "half_life": 200.0}


def test_everything_else_of_hydras_grammar_works():
    ok("run", "++steps=5", "runs=1", "study=a")
    ok("sweep", "agent=glob(*_sarsa)", "steps=choice(2,3)", "runs=1", "study=b")
    assert len(cells("b")) == 4
    ok("run", "env=bernoulli_bandit", "env.arms=2", "env.chances=[0.4,0.6]", "tau=0.1", *QUICK, "study=c")
    assert configs("c")[0]["env"]["chances"] == [0.4, 0.6]
    ok(
        "run",
        "env=gymnasium",
        "env.id=FrozenLake-v1",
        "++env.kwargs={is_slippery: false}",
        "tau=0.1",
        *QUICK,
        "study=d",
    )
    assert configs("d")[0]["env"]["kwargs"] == {"is_slippery": False}


# --- the same command continues ---------------------------------------------------------------------------------------


def test_the_same_command_has_nothing_to_do():
    first = ok("sweep", "tau=0.1,0.2", *QUICK)
    before = {path: path.stat().st_mtime_ns for path in Path("results").rglob("*") if path.is_file()}
    assert ok("sweep", "tau=0.1,0.2", *QUICK) == first
    after = {path: path.stat().st_mtime_ns for path in before if path.name != "table.csv"}
    assert after == {path: time for path, time in before.items() if path.name != "table.csv"}


def test_more_runs_are_added_and_fewer_are_returned():
    ok("run", "tau=0.1", "steps=20", "runs=2", "study=s")
    ok("run", "tau=0.1", "steps=20", "runs=5", "study=s")
    assert runs_there("s") == {(0, 1, 2, 3, 4)}
    chunks = sorted(Path("results/s/chunks").iterdir())
    ok("run", "tau=0.1", "steps=20", "runs=3", "study=s")
    assert sorted(Path("results/s/chunks").iterdir()) == chunks
    assert read_study("results/s").runs == 5


def test_a_larger_and_a_smaller_grid_continue_and_another_plan_is_refused():
    ok("sweep", "tau=0.1,0.2", *QUICK, "study=s")
    ok("sweep", "tau=0.1,0.2,0.4", *QUICK, "study=s")
    ok("sweep", "tau=0.1", *QUICK, "study=s")
    complaint = refused("sweep", "tau=0.1,0.2", "agent.initial=0.3", *QUICK, "study=s")
    assert complaint.startswith(
        "results/s holds another plan (agent.initial: 0.0 there, 0.3 here).\nChoose another name"
    )


def test_results_can_be_elsewhere():
    out = ok("run", *QUICK, "study=s", "results=out/deep")
    assert "in out/deep/s:" in out
    assert "next: rlsoftmax plot out/deep/s" in out
    assert ok("show", "out/deep/s")
    assert not Path("results").exists()


# --- studies and folders ----------------------------------------------------------------------------------------------


def test_a_shipped_study_and_ones_own():
    ok("study", "demo-testbed", "runs=1", "steps=5")
    assert [len(plans("demo-testbed")[0][key]) for key in ("axes", "cells")] == [4, 21]
    write(
        "experiments/mine/study.yaml",
        "defaults: [config, override tau: exponential, _self_]\nsteps: 5\nruns: 2\nquestion: does it work?\n",
    )
    ok("study", "mine", "tau.start=1,2")
    assert {config["tau"]["start"] for config in configs("mine")} == {1.0, 2.0}
    write("experiments/mine/tau/local.yaml", "name: constant\nvalue: 3.0\n")
    ok("study", "./experiments/mine", "tau=local", "study=other")
    assert configs("other")[0]["tau"]["value"] == 3.0


def test_a_study_is_a_union_of_grids():
    write(
        "experiments/mine/study.yaml",
        "defaults: [config, _self_]\nsteps: 5\nruns: 1\ngrids:\n"
        '  - {policy: boltzmann, tau: "octaves(1/4,1)"}\n'
        "  - {policy: epsilon_greedy, policy.epsilon: [0.1, 0.2]}\n"
        "  - {policy: boltzmann, tau: 1.0}\n",
    )
    ok("study", "mine")
    (plan,) = plans("mine")
    assert plan["axes"] == ["policy", "tau", "policy.epsilon"]
    assert [cell["overrides"] for cell in plan["cells"]] == [
        {"policy": "boltzmann", "tau": 0.25}, {"policy": "boltzmann", "tau": 0.5}, {"policy": "boltzmann", "tau": 1.0},
        {"policy": "epsilon_greedy", "policy.epsilon": 0.1}, {"policy": "epsilon_greedy", "policy.epsilon": 0.2},
    ]  # fmt: skip
    ok("study", "mine", "tau=2", "study=again")
    assert [cell["overrides"]["policy"] for cell in cells("again")] == ["boltzmann", "epsilon_greedy", "epsilon_greedy"]
    assert cells("again")[0]["config"]["tau"]["value"] == 2.0


def test_sweeper_params_are_a_grid_too_and_arguments_replace_them():
    write(
        "experiments/mine/study.yaml",
        "defaults: [config, _self_]\nsteps: 5\nruns: 1\n"
        'hydra: {sweeper: {params: {tau: "octaves(1/4,1)", env.arms: "3,4"}}}\n',
    )
    ok("study", "mine")
    assert len(cells("mine")) == 6
    ok("study", "mine", "tau=exponential", "tau.start=1,2", "env.arms=3", "study=again")
    assert {(config["tau"]["start"], config["env"]["arms"]) for config in configs("again")} == {(1.0, 3), (2.0, 3)}


def test_ones_own_options_are_found_in_configs_and_in_given_folders():
    write("configs/tau/mine.yaml", "name: exponential\nstart: 2.0\nhalf_life: 5.0\n")
    write("other/tau/theirs.yaml", "defaults: [mine]\nstart: 3.0\n")
    write("configs/quick.yaml", "defaults: [config, _self_]\nsteps: 7\nruns: 1\n")
    ok("run", "tau=mine", *QUICK, "study=a")
    ok("run", "--config-dir", "other", "tau=theirs", *QUICK, "study=b")
    ok("run", "-cn", "quick", "study=c")
    ok("run", "--config-name=quick", "study=c")
    assert [configs(study)[0]["tau"].get("start") for study in "abc"] == [2.0, 3.0, None]
    assert configs("c")[0]["steps"] == 7


@pytest.mark.parametrize(
    "line",
    [
        "sweep tau=0.1,inf steps=5 runs=2",
        "sweep beta=3,49 agent.initial=1,2 steps=5 runs=2",
        "run beta=3 steps=5 runs=2",
        "run policy=ucb steps=5 runs=2 score.metric=regret record.memory=final record.bins=3",
        "sweep agent=q_learning,gradient_bandit tau=0.1,1 steps=5 runs=2 seed=3",
        "sweep agent=q_learning agent.alpha=exponential,linear steps=5 runs=2 tau=1",
        "run agent=q_learning agent.alpha=exponential agent.alpha.start=0.5 steps=5 runs=2 tau=linear",
        "sweep tau=exponential tau.start=1,2 steps=5 runs=2",
        "sweep tau=linear,exponential steps=5 runs=2",
        "sweep env=frozen_lake,frozen_lake_8x8 agent=q_learning tau=0.1 steps=5 runs=2",
        "sweep env=bernoulli_bandit env.arms=2 'env.chances=[0.1,0.2],[0.3,0.4]' tau=0.1 steps=5 runs=2",
        "study demo-testbed steps=5 runs=2",
    ],
)
def test_study_yaml_plays_the_study_again(line):
    import shlex

    ok(*shlex.split(line))
    (folder,) = Path("results").iterdir()
    before, old = (folder / "study.yaml").read_text(), plans()
    assert before.startswith(f"# rlsoftmax {line}\n")
    ok("study", folder)
    ids = [{cell["id"] for cell in plan["cells"]} for plan in (old[0], plans()[-1])]
    assert ids[0] == ids[1]
    assert plans()[-1]["runs"] == 2
    assert yaml.safe_load((folder / "study.yaml").read_text()) == yaml.safe_load(before)


# --- looking ----------------------------------------------------------------------------------------------------------


def test_cfg_shows_what_would_be_played():
    assert "value: 0.25" in ok("run", "--cfg", "job", "tau=0.25")
    assert yaml.safe_load(ok("run", "tau=exponential", "tau.half_life=7", "-c", "job", "-p", "tau"))["half_life"] == 7
    assert (
        yaml.safe_load(ok("run", "--cfg", "job", "agent=q_learning", "agent.alpha=linear"))["agent"]["alpha"]["end"]
        == 0.05
    )
    assert "run.dir=." in ok("run", "--cfg", "hydra")
    assert "grids:" in ok("study", "demo-testbed", "--cfg", "job")
    assert not Path("results").exists()


def test_help_lists_every_command_and_needs_no_study():
    text = ok("--help")
    for command in (
        "run",
        "sweep",
        "study",
        "demo",
        "show",
        "plot",
        "report",
        "trace",
        "digest",
        "verify",
        "export",
        "ls",
        "completion",
    ):
        assert f"rlsoftmax {command}" in text or f"| {command}" in text
    assert ok() == ok("help") == ok("run", "--help") == text
    assert ok("--version").startswith("rlsoftmax ")


def test_ls_lists_what_can_be_chosen():
    write("configs/tau/mine.yaml", "name: constant\n")
    assert ok("ls", "tau").startswith("tau: constant, ")
    assert ok("ls", "tau").endswith(", mine\n"), "one's own come last"
    assert "demo-testbed" in ok("ls", "study")
    assert ok("ls", "results") == "results: (none)\n"
    ok("run", *QUICK, "study=s")
    assert ok("ls", "results") == "results: s\n"
    assert ok("ls").count("\n") == 6


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("rlsoftmax ", "run sweep study"),
        ("rlsoftmax study ", "demo-frozen_lake demo-testbed"),
        ("rlsoftmax ls ", "env agent policy tau study results"),
        ("rlsoftmax sweep tau=", "tau=constant"),
        ("rlsoftmax sweep tau=0.1,0.2 agent=q", "agent=q_learning"),
        ("rlsoftmax run agent=q_learning agent.al", "agent.alpha="),
        ("rlsoftmax study demo-testbed env=fro", "env=frozen_lake"),
        ("rlsoftmax run tau=octaves(1/64,", ""),
        ("rlsoftmax show ", ""),
    ],
)
def test_tab_completes(monkeypatch, line, words):
    monkeypatch.setenv("COMP_LINE", line)
    assert words in ok("-sc", "query=bash")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_says_how_to_switch_it_on(shell):
    assert f"install={shell}" in ok("completion", shell)
    assert "rlsoftmax" in ok("-sc", f"install={shell}")


# --- stored studies ---------------------------------------------------------------------------------------------------


@pytest.fixture
def stored():
    ok("sweep", "tau=0.1,0.2", *QUICK, "study=s")


@pytest.mark.usefixtures("stored")
def test_show_prints_the_table_of_a_name_or_a_folder():
    assert ok("show", "s") == ok("show", "results/s") != ""


@pytest.mark.usefixtures("stored")
def test_show_says_how_much_is_missing():
    write("results/s/plan-x", "")
    plan = json.loads(next(Path("results/s").glob("plan-*.json")).read_text())
    Folder("results/s").write_plan({key: value for key, value in plan.items() if key != "order"} | {"runs": 10})
    assert "14 runs are missing; continue with: rlsoftmax sweep tau=0.1,0.2" in ok("show", "s")


@pytest.mark.usefixtures("stored")
def test_digest_prints_one_line_per_cell():
    lines = [line.split(" ") for line in ok("digest", "s").splitlines()]
    assert [(len(cell), runs, len(sha)) for cell, runs, sha in lines] == [(12, "3", 64)] * 2
    ok("sweep", "tau=0.2,0.1", *QUICK, "study=t", "engine.threads=1", "engine.lanes=2", "engine.window=7")
    assert sorted(ok("digest", "t").splitlines()) == sorted(ok("digest", "s").splitlines())


@pytest.mark.usefixtures("stored")
def test_verify_reads_every_byte():
    assert ok("verify", "s") == "results/s: every byte is as it was written.\n"
    chunk = next(Path("results/s/chunks").iterdir())
    data = bytearray(chunk.read_bytes())
    data[len(data) // 2] ^= 1
    chunk.write_bytes(data)
    answer = call("verify", "s")
    assert answer.code == 1
    assert chunk.name in answer.out
    answer = call("show", "s")
    assert answer.code == 1
    assert chunk.name in answer.err


@pytest.mark.usefixtures("stored")
def test_trace_prints_the_steps_of_a_run():
    lines = ok("trace", "s", "tau=0.2", "run=2", "first=3", "last=7").splitlines()
    assert lines[0].startswith("run,step,episode,state,action,reward")
    assert [line.split(",")[:2] for line in lines[1:]] == [["2", str(step)] for step in range(3, 7)]
    assert len(lines[1].split(",")[-1].split(" ")) == 10, "the probability of each action"


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("trace s tau=0.3", "no cell fits tau='0.3'. tau takes: 0.1, 0.2."),
        ("trace s tua=0.3", "no cell fits tua='0.3'. Did you mean 'tau'?"),
        ("trace s run=x", "run=x must be a whole number."),
        ("trace s run=3", "run=3 is not there; 3 runs are."),
        ("trace s first=21", "must be steps of a run of 20"),
        ("digest s --nope", "digest has no option --nope."),
        ("show ss", "no study 'ss' below results/. Did you mean 's'?"),
    ],
)
def test_questions_about_a_stored_study_that_cannot_be_answered(line, words):
    assert words in refused(*line.split())


@pytest.mark.usefixtures("stored")
def test_plot_writes_what_is_asked_for_and_says_where():
    assert ok("plot", "s", "--format", "svg").splitlines() == [
        "results/s/temperature.svg",
        "results/s/temperature.json",
    ]
    assert ok("plot", "results/s", "--out=out", "--format=png", "--style=paper", "--width=3").startswith(
        "out/temperature.png"
    )
    assert Path("out/temperature.png").stat().st_size > 1000
    assert "no figure 'temprature'. Did you mean 'temperature'?" in refused("plot", "s", "--kind", "temprature")


def test_the_demo_plays_and_draws_two_studies():
    out = ok("demo", "runs=3", "steps=40")
    for name in ("demo-testbed", "demo-frozen_lake"):
        files = {path.name for path in Path("results", name).iterdir()}
        assert {"study.yaml", "table.csv", "temperature.png", "temperature.svg", "temperature.json"} <= files
        assert f"results/{name}/temperature.png" in out
    assert out.count("cells x 3 runs x 40 steps") == 2


# --- components of ones own -------------------------------------------------------------------------------------------


def test_a_file_brings_an_agent():
    write("my_agents.py", MINE)
    ok("run", "--with", "my_agents.py", "agent=stubborn", "agent.bonus=2", *QUICK)
    assert configs()[0]["agent"] == {"name": "stubborn", "alpha": 0.5, "bonus": 2.0}
    assert "Did you mean 'bonus'?" in refused(
        "run", "--with", "my_agents.py", "agent=stubborn", "agent.bonsu=2", *QUICK
    )
    assert "bonus: 1.0" in ok("run", "--with=my_agents.py", "--cfg", "job", "agent=stubborn")
    assert shelf.WITH not in os.environ


def test_an_edited_file_is_a_new_cell_and_a_comment_is_not():
    for text in (MINE, MINE + "\n# a remark\n", MINE.replace("1.0 +", "2.0 +")):
        write("my_agents.py", text)
        ok("run", "--with", "my_agents.py", "agent=stubborn", *QUICK)
    assert len(list(Path("results").iterdir())) == 2


# --- failures ---------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:invalid value encountered")  # the other numbers of a failed run
def test_a_run_that_fails_is_named_and_the_others_are_kept():
    broken = MINE.replace("Stubborn", "Exploding").replace("action, reward):", "action, reward, step):")
    write("broken.py", broken.replace("/ (1.0 + self.bonus)", "* (np.inf if step == 45 and reward > 1.0 else 1.0)"))
    answer = call("run", "--with", "broken.py", "agent=exploding", "steps=50", "runs=30", "tau=1", "study=s")
    assert answer.code == 1, answer
    assert "runs failed; the first: cell " in answer.err
    assert ", step " in answer.err
    assert ", action " in answer.err
    assert 0 < len(read_study("results/s").cells[0].runs) < 30
    assert call("show", "s").code == 1


# --- launchers and sweepers of others ---------------------------------------------------------------------------------


def test_stock_launchers_and_sweepers_play_the_same_study():
    ok("sweep", "tau=0.1,0.2", *QUICK, "study=ours")
    for line in (
        "hydra/launcher=basic study=a",
        "hydra/sweeper=basic study=b",
        "hydra/sweeper=basic hydra/launcher=basic study=c",
    ):
        answer = call("sweep", *line.split(), "tau=0.1,0.2", *QUICK)
        assert answer.code == 0, answer
        name = line[-1]
        assert ok("digest", name) == ok("digest", "ours"), name
        study = read_study(f"results/{name}")
        assert "tau" in study.axes, name
        assert [cell.overrides["tau"] for cell in study.cells] == [0.1, 0.2]


def test_a_study_may_choose_another_launcher():
    write(
        "experiments/mine/study.yaml",
        "defaults: [config, override hydra/launcher: basic, _self_]\nsteps: 5\nruns: 1\ngrids: [{tau: '0.1,0.2'}]\n",
    )
    answer = call("study", "mine")
    assert answer.code == 0, answer
    assert [cell.overrides["tau"] for cell in read_study("results/mine").cells] == [0.1, 0.2]


@pytest.mark.skipif(importlib.util.find_spec("hydra_plugins") is None, reason="no Hydra plugin is installed")
def test_optuna_and_joblib():
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    answer = call("sweep", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "tau=0.1,0.2,0.4", *QUICK, "study=s")
    assert answer.code == 0, answer
    assert len(cells("s")) == 3


def test_a_study_of_which_every_run_failed_says_so_and_exits_with_one(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("late.py").write_text(
        "import rlsoftmax as rs\n\n\nclass Late(rs.Environment):\n    actions = 1\n\n"
        "    def pull(self, step):\n        return step * 1e308 if step >= 60 else 1.0\n"
    )
    assert cli.main("run --with late.py env=late tau=1 runs=2 steps=90 study=lost".split()) == 1
    assert "2 runs failed; the first: cell" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["show", "plot", "report", "digest", "verify", "export"])
def test_a_second_study_is_refused_and_not_ignored(verb):
    ok("run", "runs=1", "steps=5", "study=s")
    assert f"{verb} takes one study" in refused(verb, "s", "t")
