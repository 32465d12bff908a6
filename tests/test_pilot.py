"""tau=pilot(n): a grid that need not be guessed, found again by the same request, with luck the study never sees."""

import re

import numpy as np
import pytest
from command_line import cells, ok, refused, write

import rlsoftmax as rs
from rlsoftmax.errors import ConfigError
from rlsoftmax.experiment import pilot, spec
from rlsoftmax.experiment.shorthand import expand, piloted
from rlsoftmax.experiment.spec import experiment

TESTBED = {
    "env": {"name": "gaussian_bandit"},
    "agent": {"name": "sample_average"},
    "policy": {"name": "boltzmann"},
    "tau": 1.0,
    "steps": 200,
}
HEADER = re.compile(r"pilot: tau = (\S+) \((\S+) effective actions\) \.\.\. (\S+) \(([\d.]+)\)")


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def setting(**changes):
    return experiment({**TESTBED, **changes})


@pytest.fixture(scope="module")
def found():
    return pilot.propose([setting()], 9)


# --- what is proposed -----------------------------------------------------------------------------------------------


def test_temperatures_go_from_nearly_greedy_to_nearly_uniform(found):
    assert len(found.temperatures) == 9
    assert list(found.temperatures) == sorted(set(found.temperatures))
    first, *_, last = found.effective
    assert 1.0 <= first < 1.5
    assert 8.5 < last < 10.0
    assert all(b > a - 0.2 for a, b in zip(found.effective, found.effective[1:], strict=False))  # 0.2: noise of 8 runs


def test_temperatures_are_written_with_two_digits(found):
    assert all(float(f"{temperature:.1e}") == temperature for temperature in found.temperatures)


def test_the_same_request_proposes_the_same(found):
    assert pilot.propose([setting(runs=77, tau=0.3, record={"snapshots": 0})], 9) == found


@pytest.mark.parametrize("scale", [2.0**-12, 64.0])
def test_temperatures_are_in_the_unit_of_the_rewards(found, scale):
    """Rewards times a power of two are the same bits with another exponent, and so are the temperatures."""
    env = {"name": "gaussian_bandit", "spread": scale, "noise": scale}
    scaled = pilot.propose([setting(env=env)], 9)
    np.testing.assert_allclose(scaled.temperatures, np.array(found.temperatures) * scale, rtol=0.1)  # two digits
    np.testing.assert_allclose(scaled.effective, found.effective, rtol=0.1)


def test_rounding_forgives_the_last_bits(monkeypatch, found):
    """Entropies are NumPy's: on another machine they differ by an ulp or so."""
    rng, real = np.random.default_rng(0), pilot._effective
    monkeypatch.setattr(pilot, "_effective", lambda *args: real(*args) * (1.0 + 1e-12 * rng.standard_normal()))
    assert pilot.propose([setting()], 9).temperatures == found.temperatures


def test_one_list_serves_all_settings_of_a_grid(found):
    hot = {"name": "gaussian_bandit", "spread": 64.0, "noise": 64.0}
    both = pilot.propose([setting(), setting(env=hot)], 9)
    assert both.temperatures[0] == found.temperatures[0]
    assert both.temperatures[-1] == pilot.propose([setting(env=hot)], 9).temperatures[-1]


def test_of_many_settings_a_few_are_tried():
    many = [setting(agent={"name": "sample_average", "initial": 0.1 * n}) for n in range(40)]
    some = pilot._some([*many, *many])
    assert len(some) == pilot.MOST_OTHERS
    assert (some[0].id, some[-1].id) == (many[0].id, many[-1].id)
    assert len({one.id for one in some}) == len(some)


@pytest.mark.parametrize("seed", [0, 1, 2**64 - 1])
def test_pilot_runs_have_luck_of_their_own(seed):
    trial = pilot._cell(setting(seed=seed), 0.5, 10**6)
    assert trial.experiment.seed == pilot.pilot_seed(seed) != seed
    assert 0 <= trial.experiment.seed < 2**64
    assert trial.experiment.steps == 200
    assert trial.experiment.tau == trial.experiment.policy.temperature == rs.Constant(value=0.5)


def test_pilot_runs_are_short():
    assert pilot._cell(setting(steps=10**9), 0.5, 10**6).experiment.steps == pilot.MOST_STEPS
    assert pilot._cell(setting(steps=10**9), 0.5, 100).experiment.steps == 100
    blackjack = setting(env={"name": "gymnasium", "id": "Blackjack-v1"}, agent={"name": "q_learning"}, steps=10**6)
    assert pilot._cell(blackjack, 0.5, 10**6).experiment.steps == pilot.MOST_STEPPED


def test_ends_are_where_the_policy_changes():
    """An exact case: effective actions rise in a straight line over the octaves from 1 to 256."""
    rungs = np.log2(pilot.LADDER)
    low, high = pilot._ends(pilot.LADDER, 1.0 + np.clip(rungs, 0.0, 8.0), 9)
    assert low * pilot.ROOM == pytest.approx(2.0 ** (8.0 * pilot.GREEDY))
    assert high == pytest.approx(2.0 ** (8.0 * pilot.UNIFORM))


def test_unknown_and_noisy_rungs_are_survived():
    rungs = np.log2(pilot.LADDER)
    effective = 1.0 + np.clip(rungs, 0.0, 8.0)
    effective[:5], effective[-5:], effective[10:20] = np.nan, np.nan, [1.0, 1.2] * 5
    low, high = pilot._ends(pilot.LADDER, effective, 9)
    assert 2.0**-1.5 < low * pilot.ROOM < 2.0**0.5
    assert 2.0**7 < high < 2.0**8


@pytest.mark.parametrize("effective", [np.full(53, np.nan), np.full(53, 3.0), np.r_[1.0, np.full(52, np.nan)]])
def test_no_difference_is_said(effective):
    with pytest.raises(ConfigError, match=r"tau=pilot\(9\): in the pilot runs no temperature made a difference"):
        pilot._ends(pilot.LADDER, effective, 9)


# --- as it is asked for ---------------------------------------------------------------------------------------------


def test_the_command_line_shows_what_was_found_and_continues():
    line = ["sweep", "env=testbed", "tau=pilot(5)", "runs=3", "steps=200", "study=found"]
    out = ok(*line)
    low, first, high, last = map(float, HEADER.search(out).groups())
    temperatures = [cell["overrides"]["tau"] for cell in cells()]
    assert (min(temperatures), max(temperatures), len(temperatures)) == (low, high, 5)
    assert first < 1.5 < 8.0 < last
    assert [cell["config"]["tau"] for cell in cells()] == [{"name": "constant", "value": tau} for tau in temperatures]
    assert "2 chunks" not in ok(*line)  # the same cells: nothing was missing
    assert [cell["overrides"]["tau"] for cell in cells()] == temperatures
    assert "2 chunks" in ok(*line[:3], "runs=5", *line[4:])  # more runs of the same cells
    ok("study", "results/found")  # its study.yaml has the numbers
    assert [cell["overrides"]["tau"] for cell in cells()] == temperatures


def test_python_and_a_file_ask_in_the_same_way():
    study = rs.sweep(env="testbed", tau=rs.pilot(5), runs=3, steps=200)
    assert study.axes == ("tau",)
    grid = 'grids: [{policy: boltzmann, tau: "pilot(5)"}, {policy: ucb, policy.c: "1,2"}]\n'
    defaults = "defaults: [config, override env: testbed, _self_]\n"
    write("experiments/mine/study.yaml", f"{defaults}steps: 200\nruns: 3\n{grid}")
    assert HEADER.search(ok("study", "mine"))
    taus = [cell["overrides"]["tau"] for cell in cells() if "tau" in cell["overrides"]]
    assert taus == [cell.overrides["tau"] for cell in study.cells]
    assert len(cells()) == 7


def test_hydras_own_driver_plays_the_same_cells():
    ok("sweep", "env=testbed", "tau=pilot(3)", "runs=2", "steps=50", "study=a")
    ok("sweep", "env=testbed", "tau=pilot(3)", "runs=2", "steps=50", "study=b", "hydra/launcher=basic")
    assert {cell["id"] for cell in cells("a")} == {cell["id"] for cell in cells("b")}
    assert "value: pilot(3)" in ok("sweep", "tau=pilot(3)", "--cfg", "job")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["policy=ucb"], "tau is given, but nobody reads it: policy ucb has no temperature."),
        (["policy=boltzmann,ucb"], "tau is given, but nobody reads it: policy ucb has no temperature. Write a union"),
        (["agent=q_learning", "agent.alpha=7"], "agent.alpha=7.0 must be >= 0 and <= 1."),
        (["agent.alpha=pilot(3)"], "agent.alpha=pilot(3): a pilot proposes temperatures; write tau=pilot(3)."),
        (["beta=pilot(3)"], "beta=pilot(3): a pilot proposes temperatures; write tau=pilot(3)."),
        (["tau=pilot(1)"], "count='1' must be a whole number from 2 to 100."),
        (["tau=pilot()"], "'' is not a number such as"),
        (["tau=pilot(9),1"], "pilot(9),1: a pilot proposes the whole list; write tau=pilot(9) alone."),
        (["env=table_bandit", "env.means=[1.0,1.0]"], "tau=pilot(9): in the pilot runs no temperature made a differ"),
    ],
)
def test_what_cannot_be_proposed_is_refused(words, sentence):
    tau = [] if any(word.startswith(("tau", "beta")) for word in words) else ["tau=pilot(9)"]
    assert refused("sweep", *tau, *words).startswith(sentence)


def test_a_list_with_a_pilot_in_it_is_refused():
    with pytest.raises(ConfigError, match=r"tau: a pilot proposes the whole list; give it alone"):
        rs.sweep(tau=[rs.pilot(9), 0.5])


def test_what_is_wrong_elsewhere_is_said_before_a_pilot_flies(monkeypatch):
    monkeypatch.setattr(pilot, "propose", lambda *args: pytest.fail("a pilot flew"))
    refused("sweep", "tau=pilot(9)", "agent=q_learning", "agent.gamma=0.5,2")
    refused("sweep", "tau=pilot(9)", "score.to=3", "record.bins=1")


def test_a_policy_without_probabilities_is_refused():
    class Whim(rs.Policy):
        temperature: rs.Temperature = 1.0

        def choose(self, values, uniform, temperature):
            return int(uniform * values.size)

    lookup = {"boltzmann": Whim}.get
    one = experiment(TESTBED, spec.Workshop(lambda group, name: lookup(name) or spec.find(group, name)))
    with pytest.raises(ConfigError, match=r"tau=pilot\(9\): policy whim has no probabilities"):
        pilot.propose([one], 9)


def test_pilot_runs_that_fail_are_said():
    class Broken(rs.Environment):
        actions = 2

        def pull(self, action, step):
            return np.inf if step > 60 else 0.0  # after the rehearsal

    lookup = {"gaussian_bandit": Broken}.get
    one = experiment(TESTBED, spec.Workshop(lambda group, name: lookup(name) or spec.find(group, name)))
    with pytest.raises(ConfigError, match="all pilot runs failed, the first: a number that is not finite"):
        pilot.propose([one], 9)


def test_a_pilot_is_read_with_and_without_quotes():
    assert [piloted(text) for text in ("pilot(9)", " 'pilot(count=9)' ", "0.5", 3, None)] == [9, 9, None, None, None]
    assert expand("tau='pilot(4)'") == expand("tau=pilot(4)") == ["tau=constant", "tau.value='pilot(4)'"]
