"""Whatever is typed wrongly: exit 2, at most two lines that say what, where and what to do, and nothing is written."""

import pytest
from command_line import call, refused, write

from rlsoftmax.places import shipped

BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{c}: &{c} [" + ",".join([f"*{p}"] * 10) + "]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True)
)
ONLY = "of Hydra's own settings only launcher, sweeper and verbose can be changed."
LAKE = ["env=gymnasium", "tau=1"]
Q = "agent=q_learning"


@pytest.fixture(autouse=True)
def empty(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


LINES = [
    # names
    ("run tau=exponetial", "no tau 'exponetial'. Did you mean 'exponential'? Known: constant"),
    ("run env=nope", "no env 'nope'. Known: adversarial_bandit, bernoulli_bandit"),
    ("run env=null", "env=null: env takes a name: adversarial_bandit, bernoulli_bandit"),
    ("sweep tau=0.1,null", "temperatures and names of schedules cannot be mixed in one list."),
    ("run tau=null", "tau=null: tau takes a number or a name: constant"),
    ("run agent=q_lerning", "no agent 'q_lerning'. Did you mean 'q_learning'?"),
    (
        f"run {Q} agent.alpa=0.1",
        "unknown key agent.alpa. Did you mean 'alpha'? Known: alpha, gamma, initial, step_size.",
    ),
    ("run agnt.alpha=0.1", "unknown key agnt. Did you mean 'agent'?"),
    (f"run {Q} alpha=0.2", "unknown key alpha. Did you mean 'agent.alpha'?"),
    ("run epsilon=0.2 policy=epsilon_greedy", "unknown key epsilon. Did you mean 'policy.epsilon'?"),
    ("run n_runs=5", "unknown key n_runs. Did you mean 'runs'?"),
    ("run seeds=5", "unknown key seeds. Did you mean 'runs'?"),
    ("run num_seeds=5", "unknown key num_seeds. Did you mean 'runs'?"),
    ("run env.name=chain", "unknown key env.arms. Known: length"),
    ("sweep agent=glob(x*)", "agent=glob(x*): nothing is called so."),
    ("run tau.name={a:1}", "no tau \"{'a': 1}\". Known: constant"),
    ("run +x=1", "unknown key x. Known: agent"),
    ("run ~agent", "agent=None does not name a component."),
    ("run ~nothing", "'nothing' does not exist."),
    ("runn", "unknown command 'runn'. Did you mean 'run'? Known: completion, demo"),
    ("run tau", "'tau' is not of the form key=value. Choose one: tau=constant."),
    ("run testbed", "'testbed' is not of the form key=value. Did you mean env=testbed?"),
    ("run --nonsense", "unknown option --nonsense. Known: --cfg"),
    ("run --wiht x", "unknown option --wiht. Did you mean '--with'?"),
    ("plot x --kin=d", "plot has no option --kin. Did you mean '--kind'?"),
    ("completion tcsh", "no completion for 'tcsh'."),
    ("ls nope", "ls knows no 'nope'. Known: agent"),
    # values
    (f"run {Q} agent.alpha=hot", "agent.alpha='hot' must be a number."),
    (f"run {Q} agent.alpha=2", "agent.alpha=2.0 must be >= 0 and <= 1."),
    (f"run {Q} agent.alpha=[1,2]", "agent.alpha=[1, 2] must be a number."),
    (f"run {Q} agent.alpha=null", "agent.alpha=None must be a number."),
    (f"run {Q} agent.alpha=nan", "agent.alpha=nan must be a finite number."),
    ("run agent={alpha:3}", "unknown key agent.alpha. Known: initial."),
    ("run agent=null", "agent=null: agent takes a name: actor_critic"),
    ("run steps=1.5", "steps=1.5 must be a whole number."),
    ("run steps=0", "steps=0 must be >= 1"),
    ("run steps=1e30", "must be >= 1 and <= 9007199254740992."),
    ("run runs=true", "runs=True must be a whole number."),
    ("run runs=0", "runs=0 must be >= 1 and <= 1000000000."),
    ("run seed=-1", "seed=-1 must be >= 0 and <= 18446744073709551615."),
    ("run seed=18446744073709551616", "must be >= 0 and <= 18446744073709551615."),
    ("run env.arms=1e9", "1 states x 1000000000 actions; more than 10000000 pairs are not held in a table."),
    ("run agent.initial=1e400", "agent.initial=inf must be a finite number."),
    ("run score.metric=return", "score.metric='return': env gaussian_bandit does not declare it."),
    ("run score.from=55", "score.from=55 must be the edge of a bin; the nearest are 53 and 56"),
    ("run record.memory=all", "record.memory='all' must be one of: none, final."),
    ("run engine.threads=0", "engine.threads=0 must be >= 1"),
    ("run executor=slurm", "executor='slurm' must be threads, the only one so far."),
    ("run agent.initial=linear", "agent.initial='linear' must be a number: it is read only at the start."),
    ("run env.arms=exponential", "env.arms='exponential' must be a plain value: it cannot change with the step."),
    # temperature
    ("run tau=-1", "tau.value=-1.0 must be >= 0."),
    ("run tau=nan", "tau.value=nan must be a number or auto."),
    ("run beta=-1", "beta=-1.0 must be >= 0 (tau = 1/beta)."),
    ("run beta=hot", "beta='hot' must be a number >= 0; a schedule is one of tau."),
    ("run temperature=1", "temperature is not a key, because other tools use the word both ways: say tau=..."),
    ("run policy.temperature=1", "policy.temperature is not a key"),
    ("run tau=[0.1,0.2]", "several temperatures are written tau=0.1,0.2, without brackets."),
    ("run tau=range(0.1,0.8,0.1)", "write tau=linspace(first,last,count)."),
    ("run tau=1/0", "'1/0' is not a number such as 0.05, 1e-3 or 1/64."),
    ("run tau=0.1,constant", "temperatures and names of schedules cannot be mixed"),
    ("run tau=octaves(8,1)", "the ends must satisfy 0 < low <= high."),
    ("run tau=octaves(1,5)", "does not hit its end; the nearest ends are 4 and 8."),
    ("run tau=octaves(1/64,8", "cannot read 'tau=octaves(1/64,8': unbalanced ()."),
    ("run tau=linspace(0,1,1e9)", "must be a whole number from 1 to 10000."),
    ("sweep tau=linspace(1,2,500) agent.initial=linspace(0,1,500)", "this is 250000 cells, more than 200000"),
    # several
    ("run tau=0.1,0.2", "this is 2 cells; `rlsoftmax sweep` runs several."),
    ("run tau=constant tau=exponential", "tau is given twice"),
    ("run tau=1 beta=2", "tau and beta are two ways to say the same"),
    ("sweep study=a,b", "study cannot take several values"),
    ("sweep seed=1,2", "seed cannot take several values: runs=... repeats a cell"),
    ("sweep runs=1,2", "runs cannot take several values"),
    ("sweep policy=ucb tau=0.1,0.2", "tau is given, but nobody reads it: policy ucb has no temperature."),
    ("run policy=ucb tau=0.1", "tau is given, but nobody reads it"),
    ("run policy=ucb beta=2", "beta is given, but nobody reads it"),
    ("sweep policy=boltzmann,ucb tau=0.1,0.2", "Write a union of grids"),
    ("sweep agent.initial=hot,cold", "agent.initial='hot' must be a number.\n(and 1 more such problem in other cells)"),
    # environments
    ("run env.id=Nope-v1 env=gymnasium", "env.id='Nope-v1' is not registered in Gymnasium."),
    ("run env.id=Taxi-v3 env=gymnasium", "Did you mean 'Taxi-v4'?"),
    ("run env.id=CartPole-v1 env=gymnasium tau=1", "CartPole-v1 observes Box[4]: only Discrete"),
    ("run env.id=os:system env=gymnasium tau=1", "env.id='os:system' must be a registered name"),
    ("run env=frozen_lake env.kwargs={map_name:9x9}", "cannot be made"),
    # text that cannot be read
    ("run agent.initial=[0.1", "unbalanced []."),
    ("run agent.initial='0.1", "unbalanced ''."),
    ("run agent.initial=${nothing}", "agent.initial: Interpolation key 'nothing' not found."),
    ("run agent.initial=${agent.initial}", "agent.initial: Recursive interpolation detected."),
    ("run agent.initial=${unknown_resolver:1}", "Unsupported interpolation type unknown_resolver."),
    ("run steps=???", "steps: Missing mandatory value: steps."),
    ("run agent.initial=" + "[" * 2000 + "]" * 2000, "nested too deeply"),
    ("run --cfg", "--cfg needs a value."),
    ("run --cfg jobs", "--cfg knows no 'jobs'. Did you mean 'job'?"),
    ("run -c steps=3", "-c knows no 'steps=3'. Known: all, hydra, job."),
    ("run --info=default", "--info knows no 'default'. Did you mean 'defaults'?"),
    ("run --with", "--with needs a value."),
    # files and folders
    ("run --with missing.py", "missing.py: no such file."),
    ("run --config-dir nowhere", "no such folder: nowhere."),
    ("run -cn nowhere", "Cannot find primary config 'nowhere'."),
    ("run study=../../outside", "study='../../outside' must be"),
    ("run study=/outside", "study='/outside' must be"),
    ("run results=", "results='' must be the path of a folder."),
    ("study", "which study? rlsoftmax study <name> [overrides]"),
    ("study nope", "no study 'nope'. Known: demo-frozen_lake"),
    ("study demo-testbd", "Did you mean 'demo-testbed'?"),
    ("study ../../etc", "no study '../../etc'."),
    ("plot", "which study? rlsoftmax plot <name or folder>"),
    ("plot nope", "no study 'nope' below results/."),
    ("show nope", "no study 'nope' below results/."),
    ("trace nope", "no study 'nope' below results/."),
    ("digest", "which study? rlsoftmax digest"),
    ("verify nope", "no study 'nope' below results/."),
    ("report nope", "no study 'nope' below results/."),
    # Hydra's own settings
    ("run --config-path /tmp", "unknown option --config-path."),
    ("run --experimental-rerun x.pickle", "unknown option --experimental-rerun."),
    ("run hydra.run.dir=/outside", ONLY),
    ("sweep hydra.sweep.dir=/outside", ONLY),
    ("run +hydra.callbacks.x._target_=os.system", ONLY),
    ("run ++hydra.job.env_set.PATH=x", ONLY),
    ("run +hydra/callbacks=x", ONLY),
    ("run +env._target_=os.system", ONLY),
    ("run hydra.launcher._target_=os.system", ONLY),
    ("run hydra.searchpath=[pkg://os]", ONLY),
    ("run hydra/launcher=nope", "no hydra/launcher 'nope'. Known: basic, fused."),
    ("sweep hydra/sweeper=nope", "no hydra/sweeper 'nope'. Known: basic, grid."),
    ("sweep hydra/sweeper=basic tau=0.1,0.2", "name the study: study=<name>."),
]


@pytest.mark.parametrize(("line", "words"), LINES, ids=[line[:40] for line, _ in LINES])
def test_a_bad_line_is_answered(line, words):
    assert words in refused(*line.split(" "))


FILES = [
    ("steps: [1, 2\n", "study.yaml:3: not valid YAML: did not find expected ',' or ']'."),
    ("steps: 5\n  runs: 3\n", "study.yaml:3: not valid YAML: mapping values are not allowed"),
    ("steps: 1\nsteps: 2\n", "study.yaml:2: steps is given twice."),
    (BOMB, "more than 20000 values once its aliases are expanded."),
    ("a: &a [*a]\n", "more than 20000 values once its aliases are expanded."),
    ("- 1\n- 2\n", "study.yaml:1: expected lines of the form `key: value`."),
    ("just text\n", "study.yaml:3: not valid YAML"),
    ("steps: ${nothing.here}\n", "steps: Interpolation key 'nothing.here' not found."),
    ("hydra:\n  callbacks:\n    x:\n      _target_: os.system\n", "study.yaml:5: _target_ is not used here"),
    (
        "hydra:\n  run:\n    dir: /outside\n",
        "study.yaml:3: hydra.run cannot be set; only launcher, sweeper, verbose can.",
    ),
    ("hydra:\n  sweep: {dir: /outside}\n", "hydra.sweep cannot be set"),
    ("hydra:\n  searchpath: [pkg://os]\n", "hydra.searchpath cannot be set"),
    ("hydra:\n  job: {chdir: true}\n", "hydra.job cannot be set"),
    ("hydra.callbacks: 1\n", "unknown key hydra.callbacks."),
    ("hydra: {launcher: {_target_: os.system}}\n", "_target_ is not used here; components are chosen by name."),
    ("defaults: [config, _self_, {override hydra/job_logging: default}]\nbad: 1\n", "unknown key bad."),
    ("defaults: [config, nowhere]\n", "Could not load 'nowhere'."),
    ("defaults: [config, {override env: nope}]\n", "no env 'nope'."),
    ("defaults: 3\n", "defaults must be a list"),
    ("defaults: [study, _self_]\n", "the configuration refers to itself"),
    ("steps: !!python/object/apply:os.system ['touch pwned']\n", "could not determine a constructor for the tag"),
    ("steps: \x00\n", "not valid YAML: unacceptable character #x0000"),
    ("a: " + "[" * 200 + "]" * 200, "study.yaml:2: nested more than 50 levels deep."),
    ("a: " + "[" * 100_000, "study.yaml:2: "),
    ("a: " + "[" * 100_000 + "]" * 100_000, "study.yaml:2: "),
    ("a: " + "x" * 2_000_000, "larger than 1000000 bytes."),
    ("defaults: [config, /tau@hydra.job.env_set: constant, _self_]\n", "is not used here"),
    ("# @package   hydra.job.env_set\nPATH: x\n", "unknown key PATH."),
    ("hydra:\n  sweeper:\n    params:\n      tau: octaves(1/64\n", "cannot read 'tau=octaves(1/64': unbalanced ()."),
    ("hydra:\n  sweeper:\n    params:\n      tua: 0.1,0.2\n", "unknown key tua. Did you mean 'tau'?"),
    (
        "hydra:\n  sweeper:\n    params: [1, 2]\n",
        "study.yaml:4: hydra.sweeper.params must be lines of the form `key: value`.",
    ),
    ("hydra: 3\n", "study.yaml:2: hydra must be lines of the form `key: value`."),
    ("hydra: {sweeper: 3}\n", "study.yaml:2: hydra.sweeper must be lines of the form `key: value`."),
    ("temperature: 0.1\n", "temperature is not a key, because other tools use the word both ways"),
    ("policy: {temperature: 0.1}\n", "policy.temperature is not a key"),
    ("tau: {temperature: 1}\n", "tau.temperature is not a key"),
    ("grids: 3\n", "grids must be a list of lines of the form {key: values, key: values}."),
    ("grids: [{tua: 1}]\n", "unknown key tua. Did you mean 'tau'?"),
    ("grids: [{seed: [1,2]}]\n", "seed cannot take several values"),
    ("grids: [{tau: '0.1,0.2', beta: 2}]\n", "tau and beta are two ways to say the same"),
    ("grids: [{temperature: 1}]\n", "temperature is not a key"),
    ("grids: [{policy: ucb, tau: 0.1}]\n", "tau is given, but nobody reads it"),
    ("agent: {initial: {name: exponential}}\n", "agent.initial='exponential' must be a number"),
    ("agent: q_learning\n", "is chosen in the list of defaults, as `- override agent: q_learning`."),
    ("steps: 2026-01-01\n", "steps='2026-01-01' must be a whole number."),
    ("runs: !!binary aGVsbG8=\n", "runs=b'hello' must be a whole number."),
]


@pytest.mark.parametrize(("text", "words"), FILES, ids=[repr(text[:40]) for text, _ in FILES])
def test_a_bad_file_is_answered_with_its_line(tmp_path, text, words):
    head = "" if "defaults" in text or text.startswith("-") else "defaults: [config, _self_]\n"
    write("experiments/bad/study.yaml", head + text)
    assert words in refused("study", "bad")
    assert not (tmp_path / "pwned").exists()


def test_a_file_that_is_not_text_is_refused():
    write("experiments/bad/study.yaml", "")
    with open("experiments/bad/study.yaml", "wb") as file:
        file.write(b"\xff\xfe\x00")
    assert "not UTF-8 text." in refused("study", "bad")


def test_a_file_cannot_reach_hydras_settings_through_a_group():
    write("configs/hydra/job/evil.yaml", "env_set: {PATH: x}\n")
    write("experiments/bad/study.yaml", "defaults: [config, /hydra/job: evil, _self_]\n")
    assert "a file cannot fill Hydra's own settings." in refused("study", "bad")


def test_shipped_options_keep_their_meaning():
    write("configs/tau/constant.yaml", "name: constant\nvalue: 99.0\n")
    complaint = refused("run")
    assert "configs/tau/constant.yaml: rlsoftmax ships an option of this name; give yours another one." in complaint
    write("configs/tau/constant.yaml", (shipped("configs") / "tau" / "constant.yaml").read_text())
    assert call("run", "--cfg", "job").code == 0, "a copy of ours, as in a checkout, changes nothing"


def test_a_component_with_the_name_of_a_shipped_one_is_refused():
    write("mine.py", "import rlsoftmax as rs\nclass QLearning(rs.Agent): pass\n")
    assert "agent 'q_learning' exists already; rename QLearning." in refused("run", "--with", "mine.py")


def test_what_is_typed_cannot_steer_the_terminal():
    answer = call("run", "tau=\x1b[2J")
    assert answer.code == 2
    assert "\x1b" not in answer.err
