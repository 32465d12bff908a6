"""Environments that are stepped: the same law as their table, the same bits in any block, failures that stay alone."""

import math
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import cases
import gymnasium
import numpy as np
import pytest
from cases import bits, block_of, lanes_of, setup_of
from gymnasium import spaces
from gymnasium.envs.toy_text.frozen_lake import FrozenLakeEnv
from reference import rules
from reference.whole_loop import luck_of, play
from scipy import stats

import rlsoftmax as rs
from rlsoftmax.agents.expected_sarsa import ExpectedSarsa
from rlsoftmax.agents.gradient_bandit import GradientBandit
from rlsoftmax.agents.q_learning import QLearning
from rlsoftmax.agents.sample_average import SampleAverage
from rlsoftmax.agents.sarsa import Sarsa
from rlsoftmax.contracts import Agent
from rlsoftmax.engine.blocks import MOST_WORLDS, lanes_for
from rlsoftmax.engine.evaluation import Luck, evaluated, greedy_action
from rlsoftmax.engine.fuse import fuse, linked
from rlsoftmax.engine.greedy import greedy_policy
from rlsoftmax.engine.patience import Abandoned, Patience
from rlsoftmax.engine.replay import final_policy, locate_failure, trace
from rlsoftmax.engine.returns import expected_return
from rlsoftmax.engine.stepped import seed_of
from rlsoftmax.envs.gymnasium import Gymnasium, numbering
from rlsoftmax.errors import ConfigError, Interrupted, RunFailure
from rlsoftmax.experiment import execute
from rlsoftmax.policies.boltzmann import Boltzmann
from rlsoftmax.policies.epsilon_greedy import EpsilonGreedy

ALARM = 1e-6


ASLEEP = threading.Event()  # set by the test that lets go of those who wait for it


class Veil(gymnasium.Wrapper):
    """Changes nothing, but might: so there is no table."""


class Walk(gymnasium.Env):
    """Six cells in a row, seen as (row of three, column); rewards, ends and cuts; what it does wrong is chosen."""

    observation_space = spaces.Tuple((spaces.Discrete(2), spaces.Discrete(3, start=1)))
    action_space = spaces.Discrete(2, start=5)

    def __init__(self, wrong="", mask=None):
        self.wrong, self.mask, self.age = wrong, mask, 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.cell = int(self.np_random.integers(2))
        return self.told()

    def told(self):
        observation = (self.cell // 3, self.cell % 3 + 1)
        mask = {} if self.mask is None else {"action_mask": np.array(self.mask[self.cell], np.int8)}
        return (observation if self.wrong != "space" or self.age < 9 else (2, 1)), mask

    def step(self, action):
        assert action in (5, 6)
        self.age += 1
        if self.wrong == "raise" and self.age == 7:
            raise RuntimeError("out of\npower")
        if self.wrong == "sleep" and self.age == 6:
            ASLEEP.wait()
        while self.wrong == "spin" and self.age == 5:
            pass
        slips = self.np_random.random() < 0.25
        self.cell = max(self.cell + (1 if (action == 6) != slips else -1), 0)
        reward = math.nan if self.wrong == "nan" and self.age == 8 else 0.1 + self.cell
        done = self.cell == 5
        observation, info = self.told()
        return observation, reward, done, False, info


@pytest.fixture(autouse=True, scope="module")
def registered():
    """Names of this file's environments, for as long as its tests run."""
    names = ["Veiled-v0", "Walk-v0", "Half-v0"]
    gymnasium.register("Veiled-v0", lambda **k: Veil(FrozenLakeEnv(**k)), max_episode_steps=100)
    gymnasium.register("Walk-v0", Walk, max_episode_steps=11)
    gymnasium.register("Half-v0", half_wrong, max_episode_steps=11)
    yield
    for name in names:
        del gymnasium.registry[name]


made = [0]


def half_wrong(wrong):
    """Make every second environment a wrong one."""
    made[0] += 1
    return Walk(wrong=wrong if made[0] % 2 == 0 else "")


WALK = "Walk-v0"
QUICK = QLearning(alpha=0.5)
AGENTS = [  # engine's agent, its twin, the memory of that one, whether it learns from the next choice
    (QUICK, rules.q_learning(0.5), rules.values, False),
    (Sarsa(alpha=0.5), rules.sarsa(0.5), rules.values, True),
    (ExpectedSarsa(alpha=0.5), rules.expected_sarsa(0.5), rules.values, True),
    (SampleAverage(), rules.sample_average, rules.values, False),
    (GradientBandit(alpha=0.4), rules.gradient_bandit(0.4, "before"), rules.preferences, False),
]


def played(setup, runs=4, window=None, kernel_of=linked, timeout=60.0):
    """Return a block of these runs after its last step."""
    block = block_of([setup], [(0, run) for run in range(runs)], window)
    block.timeout = timeout
    return block.play(linked(block.kind, {}) if kernel_of is linked else fuse(block.kind))


def walk_setup(agent=QUICK, steps=120, policy=None, **changes):
    """Return a study of the walk."""
    return setup_of(agent, policy or Boltzmann(temperature=0.5), Gymnasium(id=WALK, **changes), steps)


# --- the same law, the same bits ------------------------------------------------------------------------------------


class Outside:
    """The walk for the reference: real environments, reset and stepped by hand."""

    states, actions, records, limit = 6, 2, ("reward", "episodes", "return", "length", "success"), 11

    def __init__(self, run):
        self.walk, self.seed = Walk(), seed_of(cases.SEED, run)

    def start(self, uniform):
        self.walk.reset(seed=self.seed)
        self.seed = None
        return self.walk.cell

    def move(self, state, action, uniform):
        _, reward, end, _, _ = self.walk.step(action + 5)
        return self.walk.cell, reward, end

    def regrets(self, action):
        return []


@pytest.mark.parametrize("agent", range(5))
@pytest.mark.parametrize("kernel_of", [linked, pytest.param(fuse, marks=pytest.mark.compiled)], ids=["python", "numba"])
def test_a_stepped_run_has_the_bits_of_the_reference(agent, kernel_of):
    part, learn, memory_of, ahead = AGENTS[agent]
    setup = walk_setup(part, success_when="terminated")
    block = played(setup, 3, 17, kernel_of)
    for run in range(3):
        world, luck = Outside(run), luck_of(cases.SEED, run)
        memory, tau = memory_of(world), rules.constant(0.5)
        _, record = play(world, memory, learn, ahead, rules.boltzmann, tau, luck, 120, setup.edges.tolist())
        assert block.array(block.kind.names.mind[0])[run].tolist() == memory[0]
        assert {name: sums[run].tolist() for name, sums in block.sums().items()} == record
    cuts = block.sums()["episodes"].sum() - block.sums()["success"].sum()
    assert cuts > 0
    assert block.sums()["success"].sum() > 0


def test_a_lake_without_its_table_has_the_law_of_its_table():
    """Uniform play: the number of episodes and of successes, each against the other way with 2 x 8000 steps."""
    counts = []
    for name in ("Veiled-v0", "FrozenLake-v1"):
        env = Gymnasium(id=name, success_when="positive_reward")
        setup = setup_of(QLearning(), Boltzmann(temperature=np.inf), env, steps=500)
        sums = played(setup, 40).sums()
        counts.append([sums[key].sum(axis=1) for key in ("episodes", "success", "length")])
    assert [setup.env.way for setup in (setup_of(QUICK, Boltzmann(), Gymnasium(id="Veiled-v0")), setup)] == [
        "stepped", "table",
    ]  # fmt: skip
    for stepped, table in zip(*counts, strict=True):
        assert stats.ttest_ind(stepped, table).pvalue > ALARM


def test_any_block_and_window_and_thread_gives_the_same_bits():
    setups = [walk_setup(), walk_setup(QLearning(alpha=0.25))]

    def in_blocks(width, window):
        lanes = lanes_of()
        parts = [block_of(setups, lanes[i : i + width], window) for i in range(0, len(lanes), width)]
        with ThreadPoolExecutor(2) as pool:
            done = list(pool.map(lambda block: bits(block.play(linked(block.kind, {}))), parts))
        return {lane: digest for part in done for lane, digest in part.items()}

    expected = in_blocks(6, None)
    assert len(set(expected.values())) == 6
    assert in_blocks(1, None) == in_blocks(4, 7) == in_blocks(6, 1) == expected


def test_the_environment_s_luck_does_not_depend_on_the_cell():
    assert len({seed_of(0, run) for run in range(1000)}) == 1000
    assert seed_of(0, 3) == seed_of(0, 3) != seed_of(1, 3)
    assert max(seed_of(7, run) for run in range(100)) < 2**32


def test_a_trace_and_the_final_policy_step_the_environment_again():
    setup = walk_setup(steps=60)
    block, rows = played(setup, 2), trace(setup, 1, first=20)
    assert rows["step"].tolist() == list(range(20, 60))
    late = block.sums()["reward"][1][setup.edges[:-1] >= 30].sum()
    assert rows["reward"][10:].sum() == pytest.approx(late)
    assert np.array_equal(final_policy(setup, 1).values, block.values()[1])


# --- the greedy policy, tried ---------------------------------------------------------------------------------------


def test_the_greedy_policy_is_tried_in_environments_of_its_own():
    """Beside a plain loop over the same seeds, which also tells that nothing is learned."""
    block = played(walk_setup(steps=400), 3)
    values, found = block.values().copy(), evaluated(block, 5)
    for run in range(3):
        walk, total, seed = Walk(), 0.0, Luck(cases.SEED, run).seed
        walk = gymnasium.wrappers.TimeLimit(walk, 11)
        for _ in range(5):
            walk.reset(seed=seed)
            seed, over = None, False
            while not over:
                cell = walk.unwrapped.cell
                _, reward, end, cut, _ = walk.step(5 + int(values[run, cell].argmax()))
                total, over = total + reward, end or cut
        assert found[run] == total / 5
    assert np.array_equal(block.values(), values)
    assert not np.array_equal(found, evaluated(block, 6))


def test_ties_are_shared_when_the_greedy_policy_is_tried():
    counts = np.zeros(3)
    luck = Luck(0, 0)
    for _ in range(3000):
        counts[greedy_action(np.array([1.0, 0.0, 1.0]), None, luck)] += 1
    assert counts[1] == 0
    assert abs(counts[0] - 1500) < 5.0 * math.sqrt(750)  # a false alarm in 6e-7


def test_a_tried_policy_is_worth_what_the_table_says():
    """The lake without its table, 2000 episodes, against backward recursion; |z| <= 5, a false alarm in 6e-7."""
    block = played(setup_of(QLearning(alpha=0.5), Boltzmann(temperature=0.1), Gymnasium(id="Veiled-v0"), steps=4000), 1)
    table = Gymnasium(id="FrozenLake-v1").transitions()
    exact = expected_return(greedy_policy(block.values()), table, 100)
    error = math.sqrt(exact[0] * (1.0 - exact[0]) / 2000)
    assert abs(evaluated(block, 2000)[0] - exact[0]) <= 5.0 * error
    assert 0.05 < exact[0] < 0.95


def test_so_many_real_environments_are_open_at_a_time_and_no_more():
    some = [setup_of(QUICK, Boltzmann(temperature=0.5), Gymnasium(id=id)) for id in ("Veiled-v0", "FrozenLake-v1")]
    assert [setup.kind.stepped for setup in some] == [True, False]
    assert lanes_for(some[0]) == MOST_WORLDS < lanes_for(some[1])


@pytest.mark.parametrize("wrong", ["raise", "nan", "sleep"])
def test_an_environment_that_goes_wrong_while_the_policy_is_tried_fails_alone(wrong):
    setup = setup_of(QUICK, Boltzmann(temperature=0.5), Gymnasium(id="Half-v0", kwargs={"wrong": wrong}), steps=3)
    assert setup.kind.stepped
    made[0] = 0
    ASLEEP.clear()
    block = played(setup, 2, timeout=0.2)
    made[0] = 1
    score = evaluated(block, 3)  # the first is wrong now
    ASLEEP.set()
    assert np.isnan(score).tolist() == block.broken().tolist() == [True, False]
    assert block.failures[0].step == 3
    reason = {"raise": "RuntimeError: out of power", "nan": "ValueError: the sum of rewards is nan"}
    words = reason.get(wrong, "it did not answer for 0.2 s and was left behind (engine.timeout)")
    assert block.failures[0].reason == f"while its greedy policy was tried: {words}"


def test_a_masked_action_is_not_tried(monkeypatch):
    """Also in states that were never seen, where all values are equal."""
    tried, real = [], Walk.step

    def step(self, action):
        tried.append((self.cell, action))
        return real(self, action)

    block = played(walk_setup(kwargs={"mask": MASKS}, mask="info", steps=2), 2)
    monkeypatch.setattr(Walk, "step", step)
    evaluated(block, 40)
    assert (0, 5) not in tried
    assert (3, 5) not in tried
    assert {(1, 5), (3, 6)} <= set(tried)


def test_the_greedy_score_of_a_stepped_study_is_tried_when_it_is_asked_for(tmp_path):
    asked = {"env": rs.Gymnasium(id=WALK), "agent": "q_learning", "tau": 0.5, "runs": 3, "steps": 60,
             "study": "walk", "results": str(tmp_path)}  # fmt: skip
    plain = rs.run(**asked)
    with pytest.raises(ConfigError, match=r"has no greedy score: .*; evaluate\.episodes=10 tries the policy"):
        plain.cells[0].scores("greedy")
    few = rs.run("evaluate.episodes=2", **asked).cells[0].scores("greedy")
    many = rs.run("evaluate.episodes=20", **asked)
    assert many.digest() == plain.digest()
    assert many.cells[0].scores("greedy").shape == few.shape == (3,)
    assert not np.array_equal(many.cells[0].scores("greedy"), few)
    again = rs.run("evaluate.episodes=2", **asked).cells[0].scores("greedy")  # those of more episodes are known
    assert np.array_equal(again, many.cells[0].scores("greedy"))
    assert "best greedy policy afterwards" not in repr(plain)


def test_a_stop_is_heard_between_two_short_windows():
    """A real environment takes a thousand times as long as a table; a window is as much shorter."""
    setup, stop = walk_setup(steps=10**6), threading.Event()
    block = block_of([setup], [(0, run) for run in range(4)])
    assert block.rows <= 10_000 // 4
    stop.set()
    with pytest.raises(Interrupted):
        block.play(linked(block.kind, {}), stop=stop)
    assert block.first == 0


def test_stepped_blocks_play_one_at_a_time_unless_more_are_asked_for(monkeypatch):
    at_once, most, real = [0], [0], execute.Block.play

    def play(self, *about, **more):
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        try:
            return real(self, *about, **more)
        finally:
            at_once[0] -= 1

    monkeypatch.setattr(execute.Block, "play", play)
    for threads, expected in (("auto", 1), (2, 2)):
        most[0] = 0
        rs.run(f"engine.threads={threads}", "engine.lanes=1", env=rs.Gymnasium(id=WALK), agent="q_learning", tau=0.5,
               runs=4, steps=2000)  # fmt: skip
        assert most[0] <= expected
    assert most[0] == 2


# --- spaces ---------------------------------------------------------------------------------------------------------

SPACES = [
    (spaces.Discrete(4, start=-2), [-2, -1, 0, 1]),
    (spaces.Tuple((spaces.Discrete(2), spaces.Discrete(3))), [(a, b) for a in range(2) for b in range(3)]),
    (spaces.MultiDiscrete([2, 3]), [np.array([a, b]) for a in range(2) for b in range(3)]),
    (spaces.MultiBinary(2), [np.array(pair, np.int8) for pair in ((0, 0), (0, 1), (1, 0), (1, 1))]),
    (spaces.Dict(a=spaces.Discrete(2), b=spaces.MultiBinary(1)), [{"a": a, "b": [b]} for a in (0, 1) for b in (0, 1)]),
]


@pytest.mark.parametrize(("space", "observations"), SPACES, ids=lambda value: type(value).__name__)
def test_every_observation_has_a_number_of_its_own(space, observations):
    count, number = numbering(space)
    assert [number(observation) for observation in observations] == list(range(count))


@pytest.mark.parametrize(
    ("space", "observation"),
    [
        (spaces.Discrete(3), 3), (spaces.Discrete(3, start=1), 0), (spaces.Discrete(3), 0.5),
        (spaces.Discrete(3), None),
        (spaces.MultiDiscrete([2, 2]), [0, 2]), (spaces.MultiDiscrete([2, 2]), [0]),
        (spaces.Tuple((spaces.Discrete(2),)), (0, 1)), (spaces.MultiBinary(2), [0, -1]),
    ],
)  # fmt: skip
def test_what_is_outside_a_space_has_no_number(space, observation):
    with pytest.raises((ValueError, TypeError)):
        numbering(space)[1](observation)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("CartPole-v1", r"CartPole-v1 observes Box\[4\]: only Discrete, or Tuple.*wrapper that rounds"),
        ("Pendulum-v1", "observes Box"),
    ],
)
def test_a_space_that_no_table_holds_is_refused_in_one_line(name, words):
    with pytest.raises(ConfigError, match=words) as refused:
        _ = Gymnasium(id=name).way
    assert "\n" not in str(refused.value)


def test_blackjack_is_stepped_and_says_why():
    env = Gymnasium(id="Blackjack-v1")
    assert (env.way, env.states, env.actions, env.limit) == ("stepped", 32 * 11 * 2, 2, None)
    assert env.reason == "its observations are Tuple, not Discrete"


# --- masks ----------------------------------------------------------------------------------------------------------

MASKS = [(0, 1), (1, 1), (1, 1), (0, 1), (1, 1), (1, 1)]  # no way back from cells 0 and 3


@pytest.mark.parametrize("agent", [QUICK, Sarsa(alpha=0.5), ExpectedSarsa(alpha=0.5)], ids=str)
@pytest.mark.parametrize("policy", [Boltzmann(temperature=np.inf), EpsilonGreedy(epsilon=1.0)], ids=str)
def test_a_masked_action_is_never_taken(agent, policy):
    setup = walk_setup(agent, policy=policy, kwargs={"mask": MASKS}, mask="info")
    block = played(setup, 3)
    assert not block.broken().any()
    rows = trace(setup, 0)
    assert 0 not in rows["action"][np.isin(rows["state"], (0, 3))]
    assert {0, 1} <= set(rows["action"][np.isin(rows["state"], (1, 2))].tolist())
    assert np.isfinite(block.array("value")[:, 1]).all()


def test_a_mask_that_is_not_there_is_refused():
    with pytest.raises(ConfigError, match="mask='info' needs an environment with an action mask"):
        _ = walk_setup(mask="info").world


# --- failures -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "step", "reason"),
    [
        ("raise", 6, "RuntimeError: out of power"),
        ("nan", 7, "ValueError: the reward is nan"),
        ("space", 8, "ValueError: the observation 2 is outside Discrete(2, start=0)"),
    ],
)
def test_an_environment_that_goes_wrong_fails_alone(wrong, step, reason):
    env = Gymnasium(id="Half-v0", kwargs={"wrong": wrong})
    setup = setup_of(QUICK, Boltzmann(temperature=0.5), env)
    assert setup.kind.stepped
    made[0] = 0
    block = played(setup, 4)
    assert block.broken().tolist() == [False, True, False, True]
    assert [(l, trouble.step, trouble.reason) for l, trouble in block.failures.items()] == [
        (1, step, reason), (3, step, reason),
    ]  # fmt: skip
    good = trace(walk_setup(steps=cases.STEPS), 1, last=step + 1)  # the same run of an environment that goes on
    assert (block.failures[1].state, block.failures[1].action) == (good["state"][step], good["action"][step])
    well = bits(played(walk_setup(steps=cases.STEPS), 4))
    assert all(bits(block)[0, run] == well[0, run] for run in (0, 2))


UNDER_A_DEBUGGER = pytest.mark.skipif(sys.gettrace() is not None, reason="no thread is ended under a debugger")


@pytest.mark.parametrize(("wrong", "step"), [("sleep", 5), pytest.param("spin", 4, marks=UNDER_A_DEBUGGER)])
def test_an_environment_that_does_not_answer_is_left_behind_and_the_others_go_on(wrong, step):
    """One waits inside the system, the other computes for ever; what they say when it is too late is not heard."""
    env = Gymnasium(id="Half-v0", kwargs={"wrong": wrong})
    setup = setup_of(QUICK, Boltzmann(temperature=0.5), env)
    assert setup.kind.stepped
    made[0] = 0
    ASLEEP.clear()
    block = played(setup, 4, 7, timeout=0.2)
    assert block.broken().tolist() == [False, True, False, True]
    reason = "it did not answer for 0.2 s and was left behind (engine.timeout)"
    assert [(l, trouble.step, trouble.reason) for l, trouble in block.failures.items()] == [
        (1, step, reason), (3, step, reason),
    ]  # fmt: skip
    good = trace(walk_setup(steps=cases.STEPS), 1, last=step + 1)
    assert (block.failures[1].state, block.failures[1].action) == (good["state"][step], good["action"][step])
    before = bits(block)
    well = bits(played(walk_setup(steps=cases.STEPS), 4))
    assert all(before[0, run] == well[0, run] for run in (0, 2))
    ASLEEP.set()
    left = [thread for thread in threading.enumerate() if thread.name == "stepping"]
    for thread in left:
        thread.join(5.0)
    assert not any(thread.is_alive() for thread in left)
    assert bits(block) == before


def test_whether_an_answer_came_in_time_is_decided_once():
    patience = Patience(0.0)
    patience.waiting = ticket = [3], 0.0
    assert patience.give_up() == 3
    assert patience.give_up() is None
    with pytest.raises(Abandoned):
        patience.over(ticket)
    patience.waiting = ticket = [4], 0.0
    patience.over(ticket)
    assert patience.give_up() is None
    patience.waiting, patience.wanted = ([5], 0.0), False  # the user stopped the program
    with pytest.raises(Abandoned):
        patience.over(patience.waiting)


def test_what_foreign_code_raises_is_raised_and_nobody_waits_any_more():
    patience = Patience(60.0)
    with pytest.raises(ZeroDivisionError):
        patience.ask(0, lambda: 1 / 0)
    assert patience.ask(0, max, 1, 2) == 2
    assert patience.left() == 60.0


@pytest.mark.parametrize("where", ["__init__", "reset", "close"])
def test_whatever_an_environment_is_asked_for_it_is_not_waited_for_for_ever(where, monkeypatch):
    setup = walk_setup()
    assert setup.kind.stepped
    ASLEEP.clear()
    monkeypatch.setattr(Walk, where, lambda self, **options: ASLEEP.wait())
    block = played(setup, 2, timeout=0.1)
    ASLEEP.set()
    assert {trouble.step for trouble in block.failures.values()} == (set() if where == "close" else {0})
    assert block.broken().tolist() == [where != "close"] * 2


def test_a_block_whose_environments_have_all_failed_is_not_played_to_its_end():
    env = Gymnasium(id=WALK, kwargs={"wrong": "raise"})
    block = played(setup_of(QUICK, Boltzmann(temperature=0.5), env, steps=10**9, bins=[0, 10**9], snapshots=()), 2)
    assert block.broken().all()


def test_an_error_of_the_loop_itself_is_not_swallowed():
    class Wrong(QLearning):
        def learn(self, value, state, action):
            value[state, action + 99] = 1.0

    with pytest.raises(IndexError):
        played(walk_setup(Wrong()), 2)


def test_a_trace_of_a_failed_run_ends_where_it_failed():
    setup = setup_of(QUICK, Boltzmann(temperature=0.5), Gymnasium(id=WALK, kwargs={"wrong": "raise"}))
    rows, good = trace(setup, 1), trace(walk_setup(steps=cases.STEPS), 1, last=6)
    assert rows["step"].tolist() == list(range(6))
    assert np.array_equal(rows, good)
    assert len(trace(setup, 1, first=3)) == 3
    assert len(trace(setup, 1, first=20)) == 0
    with pytest.raises(
        RunFailure, match=r"run 1 failed at step 6, state \d, action \d, so it has no final policy: Runtime"
    ):
        final_policy(setup, 1)


def test_a_final_policy_acts_in_the_real_environment():
    """It sees what the environment shows, and says what the environment wants to hear."""
    policy, walk, rng = final_policy(walk_setup(steps=400), 0), Walk(), np.random.default_rng(0)
    observation, _ = walk.reset(seed=1)
    over, taken = False, set[int]()
    for _ in range(200):
        action = policy.act(observation, rng)
        chances = policy.probabilities(observation)
        assert chances.sum() == pytest.approx(1.0)
        assert chances[action - 5] > 0.0
        observation, _, over, _, _ = walk.step(action)
        taken.add(action)
        observation = walk.reset()[0] if over else observation
    assert taken == {5, 6}


def test_an_environment_that_cannot_be_reset_fails_at_the_first_step(monkeypatch):
    setup = walk_setup()
    assert setup.kind.stepped
    monkeypatch.setattr(Walk, "reset", lambda self, **options: 1 / 0)
    block = played(setup, 2)
    assert block.broken().all()
    assert block.failures[0].reason == "ZeroDivisionError: division by zero"


class Explosive(Agent):
    """Its values grow beyond all numbers."""

    def memory(self, states, actions):
        return {"value": np.ones((states, actions))}

    def learn(self, value, state, action):
        value[state, action] *= 1e30


def test_an_agent_that_explodes_on_a_stepped_environment_is_located():
    setup = walk_setup(Explosive())
    block = played(setup, 1)
    assert block.broken().all()
    assert not block.failures
    step, state, action = locate_failure(setup, 0)
    rows = trace(setup, 0, last=step + 1)
    assert (rows["state"][step], rows["action"][step]) == (state, action)
    assert np.sum((rows["state"] == state) & (rows["action"] == action)) == 11  # 1e330 is infinite


def test_environments_are_closed_when_the_last_step_is_done(monkeypatch):
    closed = []
    monkeypatch.setattr(Walk, "close", lambda self: closed.append(self))
    played(walk_setup(), 3)
    assert len(closed) == 3


def test_the_environments_of_two_threads_do_not_meet():
    setup, done = walk_setup(), {}
    threads = [threading.Thread(target=lambda n=n: done.update({n: bits(played(setup, 3))})) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done[0] == done[1]


def test_a_failed_run_is_stored_with_its_reason_and_the_others_with_their_numbers():
    made[0] = 0
    env = rs.Gymnasium(id="Half-v0", kwargs={"wrong": "raise"})
    _ = env.way  # looking at it makes two: the runs begin with a good one
    data = rs.run("tau=0.5", "engine.threads=1", env=env, agent="q_learning", runs=4, steps=40).cells[0].data
    assert data.runs.tolist() == [0, 2]
    assert [(failure.run, failure.step, failure.reason) for failure in data.failures] == [
        (1, 6, "RuntimeError: out of power"), (3, 6, "RuntimeError: out of power"),
    ]  # fmt: skip
