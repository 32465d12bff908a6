"""Every agent against its book (reference/agents.py) on the same luck, bit for bit; and what must be identical."""

import inspect
import itertools
from types import SimpleNamespace

import cases
import gymnasium
import numpy as np
import pytest
from reference import agents as books

from rlsoftmax import shelf
from rlsoftmax.component import schema
from rlsoftmax.engine.fuse import LEARNS, fuse, linked
from rlsoftmax.envs.gymnasium import Gymnasium
from rlsoftmax.numeric import another_uniform
from rlsoftmax.policies.boltzmann import Boltzmann
from rlsoftmax.schedules.inverse_time import InverseTime

AGENTS = {
    "constant_step": [{}, {"initial": 5.0}],
    "exp3": [{"low": -1.0, "high": 10.0, "implicit": 0.1}, {"high": 10.0}],
    "tsallis_inf": [{"high": 10.0}],
    "double_q": [{"alpha": 0.5}],
    "n_step_q": [{"n": 1}, {"n": 3, "alpha": 0.5}, {"n": 7}],
    "n_step_sarsa": [{"n": 2, "alpha": 0.5}, {"n": 5}],
    "sarsa_lambda": [
        {"traces": kind, "cutoff": c} for kind in ("accumulating", "replacing", "dutch") for c in (0, 0.5)
    ],
    "q_lambda": [{"traces": kind, "alpha": 0.5} for kind in ("accumulating", "replacing", "dutch")],
    "soft_q": [{"alpha": 0.5}],
    "mellowmax_q": [{"alpha": 0.5}],
    "speedy_q": [{}, {"step_size": "fixed", "alpha": 0.25}],
    "weighted_q": [{"alpha": 0.5}],
    "maxmin_q": [{"alpha": 0.5}, {"tables": 3}],
    "r_learning": [{"alpha": 0.5, "beta": 0.25}],
    "actor_critic": [{}, {"discounted": True, "gamma": 0.5}],
    "reinforce": [{}, {"discounted": True, "gamma": 0.5, "longest": 3}],
    "dyna_q": [{"planning": 3}],
    "dual_rate": [{}],
    "forgetting": [{}, {"initial": 1.0}],
    "choice_kernel": [{}, {"habit": -2.0}],
}
CASES = [(name, fields) for name, variants in AGENTS.items() for fields in variants]
WARM = InverseTime(start=4.0, half_life=20.0)


class Stroll(gymnasium.Env):
    """Three cells and a prize behind the last; a step may slip. A Python object: it has no table, so it is stepped."""

    observation_space, action_space = gymnasium.spaces.Discrete(3), gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.cell = 0
        return 0, {}

    def step(self, action):
        forward = (action == 0) != (self.np_random.random() < 0.2)
        done = forward and self.cell == 2
        self.cell = min(self.cell + 1, 2) if forward else 0
        return self.cell, 10.0 if done else 0.0 if forward else 0.2, done, False, {}


@pytest.fixture(autouse=True, scope="module")
def registered():
    """The name of the stroll, for as long as these tests run; its episodes are cut after four steps."""
    gymnasium.register("Stroll-v0", Stroll, max_episode_steps=4)
    yield
    del gymnasium.registry["Stroll-v0"]


WORLDS = {"chain": cases.CHAIN, "arms": cases.ARMS, "stepped": Gymnasium(id="Stroll-v0")}


def setup_of(name, fields, world, tau=WARM, steps=120):
    agent = shelf.find("agent", name)(**fields)
    return cases.setup_of(agent, Boltzmann(temperature=tau), WORLDS.get(world, world), steps=steps)


def moved(block, array):
    """Return an array of a block with the lanes first."""
    return np.moveaxis(array, -1, 0) if block.kind.lanes_last else array


class Beside:
    """Plays a block in the interpreter and lets the book learn from every transition, too."""

    def __init__(self, setup, runs=2):
        self.block = cases.block_of([setup], [(0, run) for run in range(runs)])
        self.name = cases.name_of(type(setup.agent))
        names = self.block.kind.names.mind
        self.minds = [{n: self.block.array(n)[l].tolist() for n in names} for l in range(runs)]
        rules = linked(self.block.kind, {}).__globals__["learn_lanes"].__globals__
        self.learn, self.rank, self.soften = rules["learn"], rules["rank"], rules["soften"]
        self.seen, self.ahead = [[] for _ in range(runs)], {}
        hooks = {"learn": self.learning} | ({"rank": self.ranking} if self.rank else {})
        hooks |= {"soften": self.softening} if self.soften else {}
        self.block.play(linked(self.block.kind, hooks))

    def learning(self, agent, game, lane, *offered):
        t = dict(zip(LEARNS, offered, strict=True))
        visits = self.now("visits", lane) if "visits" in self.block.kind.names.mind else None
        seed, run, step, purpose = t["luck"]
        known = SimpleNamespace(
            s=int(t["state"]), a=int(t["action"]), r=float(t["reward"]), s2=int(t["next_state"]),
            a2=int(t["next_action"]), end=bool(t["terminated"]), over=bool(t["ended"]),
            chances=None if t["probabilities"] is None else t["probabilities"].tolist(),
            tau2=self.ahead.get(lane, t["next_temperature"]), visits=visits,
            luck=lambda k: float(another_uniform((seed, run, step, purpose), k)),
            normals=None if game.out.many is None else game.out.many[:, lane].tolist(),
        )  # fmt: skip
        self.learn(agent, game, lane, *offered)
        getattr(books, self.name)(self.minds[lane], plain(agent), known)
        self.seen[lane].append(known)
        self.compare(lane)

    def softening(self, agent, game, lane, next_temperature):
        self.ahead[lane] = next_temperature
        return self.soften(agent, game, lane, next_temperature)

    def ranking(self, agent, game, lane, values, state, *offered):
        self.rank(agent, game, lane, values, state, *offered)
        if self.name in books.RANKED:
            assert values.tolist() == books.RANKED[self.name](self.minds[lane], plain(agent), state)

    def now(self, name, lane):
        return moved(self.block, self.block.memory[self.block.kind.names.mind.index(name)])[lane].tolist()

    def compare(self, lane):
        for name, expected in self.minds[lane].items():
            if not name.startswith("_") and name in KEPT.get(self.name, {name}) and name != "visits":
                assert self.now(name, lane) == expected, name


# What the book keeps in another form is compared through what is made of it.
KEPT = {
    "sarsa_lambda": {"value", "trace"}, "q_lambda": {"value", "trace"}, "n_step_q": {"value"},
    "n_step_sarsa": {"value"}, "reinforce": {"preference", "baseline"}, "dyna_q": {"value"}, "speedy_q": {"value"},
}  # fmt: skip


def plain(row):
    """Return the numbers of a component's row."""
    return SimpleNamespace(**{name: getattr(row, name).item() for name in row.dtype.names})


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize(("name", "fields"), CASES, ids=str)
def test_an_agent_has_the_bits_of_its_book(name, fields, world):
    played = Beside(setup_of(name, fields, world))
    assert len(played.seen[0]) == 120
    assert np.abs(moved(played.block, played.block.memory[0])).max() > 0.0
    assert played.block.kind.stepped == (world == "stepped")
    if world != "arms":
        assert {(t.end, t.over) for t in played.seen[0] + played.seen[1]} == {
            (False, False),
            (False, True),
            (True, True),
        }


@pytest.mark.compiled
@pytest.mark.parametrize("name", AGENTS)
def test_a_compiled_agent_has_the_bits_of_the_interpreted_one(name):
    lanes, found = [(0, run) for run in range(3)], []
    for kernel_of in (fuse, lambda kind: linked(kind, {})):
        block = cases.block_of([setup_of(name, {}, "chain", tau=1.0, steps=60)], lanes, 17)
        found.append(cases.bits(block.play(kernel_of(block.kind))))
    assert found[0] == found[1]
    assert len(set(found[0].values())) == 3


def test_no_book_has_more_than_fifteen_lines():
    for name in AGENTS:
        assert len(inspect.getsource(getattr(books, name)).splitlines()) <= 15, name


def test_every_agent_is_compared_with_a_book():
    elsewhere = {"q_learning", "sarsa", "expected_sarsa", "sample_average", "gradient_bandit"}  # test_engine_whole_loop
    assert set(AGENTS) | elsewhere == set(shelf.names("agent"))


# --- an agent with its novelty switched off is the plain one --------------------------------------------------------

Q, SARSA = ("q_learning", {}), ("sarsa", {})
SAME = {
    "n-step Q of one step": (("n_step_q", {"n": 1}), Q),
    "Q(lambda) without traces": (("q_lambda", {"trace_decay": 0.0}), Q),
    "Q(lambda), dutch, without traces": (("q_lambda", {"trace_decay": 0.0, "traces": "accumulating"}), Q),
    "one table is the lowest of one": (("maxmin_q", {"tables": 1}), Q),
    "equal rates": (("dual_rate", {"alpha_good": 0.1, "alpha_bad": 0.1}), Q),
    "nothing forgotten": (("forgetting", {"forget": 0.0}), Q),
    "no habit": (("choice_kernel", {"habit": 0.0}), Q),
    "no planning": (("dyna_q", {"planning": 0}), Q),
    "n-step SARSA of one step": (("n_step_sarsa", {"n": 1}), SARSA),
    "SARSA(lambda) without traces": (("sarsa_lambda", {"trace_decay": 0.0}), SARSA),
}


def first_table(setup):
    block = cases.block_of([setup], [(0, run) for run in range(2)])
    return moved(block, block.play(linked(block.kind, {})).memory[0])


@pytest.mark.parametrize("world", ["chain", "arms"])
@pytest.mark.parametrize("name", SAME)
def test_an_agent_without_its_novelty_is_the_plain_one(name, world):
    one, other = (first_table(setup_of(*agent, world)) for agent in SAME[name])
    assert np.array_equal(one, other)
    assert one.any()


def test_soft_q_at_temperature_0_is_q_learning():
    one, other = (first_table(setup_of(name, {}, "chain", tau=0.0)) for name in ("soft_q", "q_learning"))
    assert np.array_equal(one, other)


@pytest.mark.parametrize("name", ["q_learning", "sarsa", "expected_sarsa"])
def test_steps_of_one_over_visits_are_the_mean_of_the_targets(name):
    """Pulls are ends, so that the targets are the rewards."""
    one, other = (
        first_table(setup_of(*agent, "arms")) for agent in ((name, {"step_size": "visits"}), ("sample_average", {}))
    )
    np.testing.assert_allclose(one, other, rtol=1e-12)
    assert not np.allclose(one, first_table(setup_of(name, {}, "arms")))


# --- what peers got wrong -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["n_step_sarsa", "sarsa_lambda"])
def test_what_an_agent_learned_with_is_what_it_does(name):
    """rlberry draws another action for the next step than the one in the target."""
    for run in Beside(setup_of(name, {}, "chain")).seen:
        pairs = [(t.a2, following.a) for t, following in itertools.pairwise(run) if not t.over]
        assert all(a2 == a for a2, a in pairs)
        assert {a for _, a in pairs} == {0, 1}


def test_the_weights_of_exp3_are_not_frozen():
    """BanditPyLib keeps them as integers: they stay 1 for ever, whatever is paid."""
    block = cases.block_of([setup_of("exp3", {}, "arms", tau=5.0, steps=400)], [(0, run) for run in range(8)])
    block.play(linked(block.kind, {}))
    preference = block.array("preference")[:, 0]
    assert (preference < 0.0).all()
    assert (preference[:, 1:].mean() - preference[:, 0].mean()) > 20.0  # the arm that pays least has lost most


@pytest.mark.parametrize(
    "name", ["speedy_q", "double_q", "weighted_q", "maxmin_q", "forgetting", "mellowmax_q", "soft_q"]
)
def test_what_is_not_allowed_is_never_in_a_target(name):
    """The tables beside the first one know nothing of what is allowed."""
    agent = shelf.find("agent", name)(initial=0.0, gamma=1.0, alpha=1.0)
    mind = {key: np.array(array) for key, array in agent.memory(2, 3).items()}
    mind["value"][:] = [[-4.0, -4.0, -np.inf], [-5.0, -5.0, -np.inf]]  # a forbidden 0 would look better
    if "twin" in mind:
        mind["twin"][:, :2] = mind["value"][:, :2]
    offered = {"state": 0, "action": 0, "reward": -1.0, "next_state": 1, "terminated": False, "luck": (1, 2, 3, 4)}
    offered |= {"normals": np.array([0.5, -1.0, 2.0]), "visits": np.ones((2, 3))} | mind
    rule = type(agent).learn
    with np.errstate(over="ignore"):
        if hasattr(agent, "worth_lanes"):
            row, (softness, total, worth, scale) = mind["value"][1][:, None], np.full((4, 1), 1e-3)
            agent.worth_lanes(row, softness, np.empty_like(row), total, worth, scale)
            offered["next_worth"] = worth[0]
        rule(agent, **{key: offered[key] for key in rule.__code__.co_varnames[1 : rule.__code__.co_argcount]})
    tables = [mind[key] for key in ("value", "twin") if key in mind]
    learned = min(table[0, 0] for table in tables) if name != "maxmin_q" else mind["estimates"][:, 0, 0].min()
    assert learned == pytest.approx(-6.0, abs=1e-2)
    assert all(np.isneginf(mind["value"][:, 2]))


def test_a_field_of_every_new_agent_may_be_a_schedule():
    for name, variants in AGENTS.items():
        cls = shelf.find("agent", name)
        if "alpha" in schema(cls):
            cls(**variants[0] | {"alpha": InverseTime(start=0.5)})
