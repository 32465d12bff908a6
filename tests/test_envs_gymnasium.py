"""Gymnasium's tables are played exactly as Gymnasium plays them; what has no table says why, in one line."""

import gymnasium
import numpy as np
import pytest
import yaml
from gymnasium.envs.toy_text.frozen_lake import FrozenLakeEnv

from rlsoftmax.component import build
from rlsoftmax.envs.gymnasium import Gymnasium, Uniforms, first_state, outcome_of
from rlsoftmax.errors import BadValue, ConfigError
from rlsoftmax.numeric import JUST_BELOW_ONE, BuildLuck
from rlsoftmax.places import shipped

STEPS = 100_000
SMALLEST, LARGEST = 2.0**-53, JUST_BELOW_ONE  # no uniform number of ours is nearer to 0 or 1


def ready():
    """Return {name: environment} of the YAML files that are played from a table."""
    found = {}
    for file in sorted((shipped("configs") / "env").glob("*.yaml")):
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
        if values.pop("name") == "gymnasium":
            env = build(Gymnasium, values, "env")
            if getattr(env, "way", "table") == "table":
                found[file.stem] = env
    return found


READY = ready()
EACH = pytest.mark.parametrize("env", READY.values(), ids=READY.keys())


def made(env):
    """Return the real environment."""
    limit = env.max_episode_steps
    return gymnasium.make(env.id, max_episode_steps=limit, disable_env_checker=True, **env.kwargs)


def test_the_promised_environments_are_ready():
    assert {"frozen_lake", "frozen_lake_8x8", "cliff_walking", "taxi"} <= READY.keys()


def reachable(real):
    """Return the states in which an action can be taken, by P alone."""
    outcomes, found = real.unwrapped.P, set(np.flatnonzero(real.unwrapped.initial_state_distrib).tolist())
    waiting = list(found)
    while waiting:
        for rows in outcomes[waiting.pop()].values():
            for chance, there, _, terminated in rows:
                if chance > 0.0 and not terminated and int(there) not in found:
                    found.add(int(there))
                    waiting.append(int(there))
    return sorted(found)


@EACH
def test_every_branch_of_every_reachable_state_is_the_real_one(env):
    """The uniform at each boundary, just below it, and at both ends of the interval."""
    real, table = made(env), env.table
    real.reset(seed=0)
    branches = 0
    for state in reachable(real):
        for action, rows in real.unwrapped.P[state].items():
            edges = np.cumsum([row[0] for row in rows])[:-1]
            for uniform in {SMALLEST, *edges, *np.nextafter(edges, 0.0), LARGEST} - {0.0}:
                if not SMALLEST <= uniform <= LARGEST:
                    continue
                real.unwrapped.s = state
                real.unwrapped.np_random = Uniforms([uniform])
                there, reward, terminated, _, _ = real.unwrapped.step(action)
                assert outcome_of(table, state, action, uniform) == (int(there), float(reward), bool(terminated))
                branches += 1
    assert branches >= 2 * len(reachable(real)) * env.actions


@EACH
def test_every_start_is_the_real_one(env):
    real, table = made(env), env.table
    edges = np.cumsum(real.unwrapped.initial_state_distrib)
    for uniform in {SMALLEST, *edges, *np.nextafter(edges, 0.0), *np.nextafter(edges, 1.0), LARGEST}:
        if SMALLEST <= uniform < edges[-1]:
            real.unwrapped.np_random = Uniforms([uniform])
            assert first_state(table, uniform) == int(real.reset()[0])


def test_a_sum_of_chances_just_below_one_does_not_start_an_episode_where_none_may():
    """Taxi's 300 starts sum to 1 - 4e-15; above that Gymnasium's search finds nothing and answers with state 0."""
    real, table = made(READY["taxi"]), READY["taxi"].table
    real.unwrapped.np_random = Uniforms([LARGEST])
    assert int(real.reset()[0]) == 0
    assert table.start_chance[0] == 0.0
    assert table.start_chance[first_state(table, LARGEST)] > 0.0


@EACH
def test_the_same_uniforms_give_the_same_hundred_thousand_steps(env):
    """States, rewards, both flags of an end, and the time limit; one uniform per start and per step."""
    real, table, luck = made(env), env.table, BuildLuck(1, 0)
    actions = (luck.uniform(STEPS) * env.actions).astype(int).tolist()
    uniforms = Uniforms(luck.uniform(2 * STEPS + 2).tolist())
    real.reset(seed=0)
    real.unwrapped.np_random = uniforms
    state, age, cuts, ends = None, 0, 0, 0
    for action in actions:
        if state is None:
            state, age = first_state(table, uniforms.ahead), 0
            assert int(real.reset()[0]) == state
        expected, reward, end = outcome_of(table, state, action, uniforms.ahead)
        age += 1
        there, paid, terminated, truncated, _ = real.step(action)
        assert (int(there), float(paid), bool(terminated)) == (expected, reward, end)
        assert bool(truncated) == (env.limit is not None and age == env.limit)
        cuts, ends = cuts + (truncated and not terminated), ends + terminated
        state = None if terminated or truncated else expected
    assert ends > 0
    assert cuts > 0 or env.id.startswith("FrozenLake")  # its holes end nearly every walk before the limit


@EACH
def test_the_chances_of_a_table_sum_to_one(env):
    table = env.transitions()
    np.testing.assert_allclose(table.chance.sum(axis=-1), 1.0, rtol=1e-12)
    np.testing.assert_allclose(table.first.sum(), 1.0, rtol=1e-12)
    real = made(env).unwrapped
    for state, action in ((0, 0), (env.states - 1, env.actions - 1)):
        expected = sum(row[0] * row[2] for row in real.P[state][action])
        assert np.isclose((table.chance * table.reward)[state, action].sum(), expected)


def test_the_order_and_the_duplicates_of_p_are_kept():
    env = READY["frozen_lake"]  # in a corner, two of the three slips lead to the same state
    rows = made(env).unwrapped.P[0][0]
    assert len(rows) == 3
    assert env.table.after[0, 0].tolist() == [row[1] for row in rows]
    assert env.table.chance[0, 0].tolist() == [row[0] for row in rows]


def test_the_limit_is_the_environments_own_unless_given():
    assert Gymnasium(id="FrozenLake-v1").limit == 100
    assert Gymnasium(id="FrozenLake-v1", max_episode_steps=7).limit == 7
    assert READY["cliff_walking"].limit == 200  # it has none of its own
    assert READY["taxi"].limit == 200


def test_a_mask_is_the_advisory_one():
    env = Gymnasium(id="Taxi-v4", mask="info")
    allowed, real = env.shared()["allowed"], made(env).unwrapped
    assert allowed.shape == (500, 6)
    assert all(allowed[state].tolist() == real.action_mask(state).astype(bool).tolist() for state in range(500))


def test_success_is_declared_only_where_the_yaml_says_when():
    assert Gymnasium().absent == ("success",)
    assert Gymnasium(success_when="terminated").absent == ()
    rule = Gymnasium.success
    assert rule(Gymnasium(success_when="positive_reward"), 1.0, False)
    assert not rule(Gymnasium(success_when="positive_reward"), 0.0, True)
    assert rule(Gymnasium(success_when="terminated"), -1.0, True)


# --- what has no table ----------------------------------------------------------------------------------------------


class Lying(FrozenLakeEnv):
    """A lake whose P is not what it does."""

    def step(self, action):
        there, reward, terminated, truncated, info = super().step(action)
        return there, reward + 1.0, terminated, truncated, info


class Thirsty(FrozenLakeEnv):
    """A lake that draws one number more than its P needs."""

    def step(self, action):
        self.np_random.random()
        return super().step(action)


class Leaking(FrozenLakeEnv):
    """P leads, rarely, to a state that is not there."""

    where = 16

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        chance, _, reward, final = self.P[14][2][0]
        self.P[14][2][0] = (chance, self.where, reward, final)


class Unnumbered(Leaking):
    """The same, on the other side."""

    where = -1


def wrapped(**kwargs):
    return gymnasium.wrappers.TransformReward(FrozenLakeEnv(**kwargs), lambda reward: 2.0 * reward)


@pytest.fixture(autouse=True, scope="module")
def registered():
    """Register environments that only these tests know."""
    names = {"Lying-v0": Lying, "Thirsty-v0": Thirsty, "Wrapped-v0": wrapped}
    names |= {"Leaking-v0": Leaking, "Unnumbered-v0": Unnumbered}
    for name, maker in names.items():
        gymnasium.register(name, maker, max_episode_steps=50)
    yield
    for name in names:
        del gymnasium.registry[name]


@pytest.mark.parametrize(
    ("name", "kwargs", "reason"),
    [
        ("Wrapped-v0", {}, "the wrapper TransformReward may change what happens"),
        ("CartPole-v1", {}, "observes Box[4]: only Discrete"),
        ("Blackjack-v1", {}, "its observations are Tuple, not Discrete"),
        ("Taxi-v4", {"fickle_passenger": True}, "differs from what its P says"),
        ("Lying-v0", {}, "differs from what its P says"),
        ("Thirsty-v0", {}, "differs from what its P says"),
        ("Leaking-v0", {}, "its P names state 16, and has 16"),
        ("Unnumbered-v0", {}, "its P names state -1, and has 16"),
    ],
)
def test_an_environment_without_a_table_says_why_in_one_line(name, kwargs, reason):
    with pytest.raises(ConfigError) as refused:
        Gymnasium(id=name, kwargs=kwargs).table  # noqa: B018 - made when it is looked at
    assert reason in str(refused.value)
    assert str(refused.value).startswith(name)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "kwargs", "reason"),
    [
        ("FrozenLake-v9", {}, "is not registered in Gymnasium. Did you mean 'FrozenLake-v1'?"),
        ("Taxi-v3", {}, "Did you mean 'Taxi-v4'?"),
        ("CliffWalking-v0", {}, "Did you mean 'CliffWalking-v1'?"),
        ("frozenlake-v1", {}, "Did you mean 'FrozenLake-v1'?"),
        ("FrozenLake-v1", {"map": "4x4"}, "cannot be made: "),
        ("FrozenLake-v1", {"map_name": "5x5"}, "cannot be made: "),
    ],
)
def test_an_environment_that_cannot_be_made_says_so_in_one_line(name, kwargs, reason):
    with pytest.raises(ConfigError) as refused:
        Gymnasium(id=name, kwargs=kwargs).states  # noqa: B018 - made when it is looked at
    assert reason in str(refused.value)
    assert f"env.id='{name}'" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_id_that_would_import_a_module_is_refused():
    with pytest.raises(BadValue, match="must be a registered name"):
        Gymnasium(id="os:system")


def test_a_mask_that_is_not_there_is_refused():
    with pytest.raises(BadValue, match="needs an environment with an action mask, and FrozenLake-v1 has none"):
        Gymnasium(mask="info").shared()
