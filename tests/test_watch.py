"""`rlsoftmax watch`: what a greedy policy does in the real environment, frame by frame."""

import io
import sys

import gymnasium
import numpy as np
import pytest
from command_line import call, cells, ok, refused
from gymnasium.spaces import Discrete
from PIL import Image, ImageSequence

import rlsoftmax as rs
from rlsoftmax.engine.stepped import seed_of
from rlsoftmax.errors import ConfigError, RunFailure
from rlsoftmax.plots.film import ENOUGH, FIRST, LAST, MOST, Film, film

UP, RIGHT, DOWN = 0, 1, 2
CLIFF = rs.Gymnasium(id="CliffWalking-v1", max_episode_steps=200)


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def frames_in(path):
    with Image.open(path) as picture:
        return picture.n_frames


def values_of(action_of, states, actions):
    """Return a table whose greedy policy is this one."""
    return np.array([[float(action == action_of(state)) for action in range(actions)] for state in range(states)])


SHORTEST = values_of(lambda state: UP if state == 36 else DOWN if state == 35 else RIGHT, 48, 4)


def test_the_shortest_way_along_the_cliff_has_thirteen_steps():
    """Exact: up, eleven to the right, down; each step costs 1."""
    shown = film(CLIFF, SHORTEST, seed=0, run=0)
    assert shown.returns == (-13.0,) * 3  # until there are enough frames
    assert len(shown.frames) == 3 * 14 >= ENOUGH
    assert shown.pauses[:14] == (FIRST, *[250] * 12, LAST)  # Gymnasium asks for 4 frames per second
    assert not shown.cut
    assert all(np.array_equal(shown.frames[at], shown.frames[0]) for at in (14, 28))  # back at the start


def test_frames_are_those_of_the_real_environment():
    real = gymnasium.make("CliffWalking-v1", render_mode="rgb_array")
    real.reset()
    expected = [real.render()]
    for action in [UP, *[RIGHT] * 11]:
        real.step(action)
        expected.append(real.render())
    frames = film(CLIFF, SHORTEST, seed=0, run=0).frames
    for frame, other in zip(frames, expected, strict=False):
        assert np.array_equal(frame, other)


def test_a_policy_that_never_arrives_is_cut():
    shown = film(CLIFF, values_of(lambda state: UP, 48, 4), seed=0, run=0)
    assert (len(shown.frames), shown.returns, shown.cut) == (MOST, (-(MOST - 1.0),), True)


def test_ties_are_shared_and_the_same_run_gives_the_same_film():
    lake = rs.Gymnasium(id="FrozenLake-v1")
    first, again, other = (film(lake, np.zeros((16, 4)), seed=0, run=run) for run in (0, 0, 1))
    assert first.gif() == again.gif() != other.gif()
    assert len(first.returns) > 1


def test_a_gif_has_the_frames_their_pauses_and_repeats():
    frames = tuple(np.full((4, 6, 3), shade, np.uint8) for shade in (0, 100, 200))
    picture = Image.open(io.BytesIO(Film(frames, (600, 250, 1200), (1.0,), False).gif()))
    found = [
        (frame.convert("RGB").getpixel((0, 0)), frame.info["duration"]) for frame in ImageSequence.Iterator(picture)
    ]
    assert found == [((0, 0, 0), 600), ((100, 100, 100), 250), ((200, 200, 200), 1200)]
    assert (picture.format, picture.size, picture.info["loop"]) == ("GIF", (6, 4), 0)


def test_a_stepped_environment_is_filmed_from_other_episodes_than_it_learned_from():
    assert seed_of(3, 5, 1) != seed_of(3, 5)
    study = rs.run(env="blackjack", agent="q_learning", tau=0.1, runs=1, steps=50)
    shown = study.cells[0].film()
    assert len(shown.returns) > 5
    assert set(shown.returns) <= {-1.0, 0.0, 1.0, 1.5}


def test_what_a_mask_forbids_is_not_done():
    """In the taxi, 'pick up' is allowed only where the passenger stands: a policy that wants it moves instead."""
    taxi = rs.Gymnasium(id="Taxi-v4")
    wants = values_of(lambda state: 4, 500, 6)
    assert -10.0 * MOST < film(taxi, wants, seed=0, run=0).returns[0]  # a forbidden one costs 10


class Odd(gymnasium.Env):
    """Two states; what it draws and whether it works can be chosen."""

    metadata = {"render_modes": ["rgb_array", "ansi"], "render_fps": 10}
    observation_space, action_space = Discrete(2), Discrete(2, start=1)

    def __init__(self, render_mode=None, shape=(2, 2, 3), broken=False):
        self.render_mode, self.shape, self.broken = render_mode, shape, broken

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        return 0, {}

    def step(self, action):
        if self.broken:
            raise ValueError("it broke")
        return 1, float(action), True, False, {}

    def render(self):
        return np.zeros(self.shape, np.uint8)


class Silent(Odd):
    metadata = {"render_modes": ["ansi"]}


@pytest.fixture
def odd():
    gymnasium.register("Odd-v0", Odd, disable_env_checker=True)
    gymnasium.register("Silent-v0", Silent, disable_env_checker=True)
    yield
    del gymnasium.registry["Odd-v0"], gymnasium.registry["Silent-v0"]


def test_actions_are_numbered_as_the_environment_does(odd):
    shown = film(rs.Gymnasium(id="Odd-v0"), values_of(lambda state: 1, 2, 2), seed=0, run=0)
    assert set(shown.returns) == {2.0}
    assert shown.pauses[:2] == (FIRST, LAST)


def test_what_cannot_be_filmed_is_one_line(odd):
    with pytest.raises(
        ConfigError, match=r"^Silent-v0 draws no frames: of its render modes \(ansi\) none is rgb_array.$"
    ):
        film(rs.Gymnasium(id="Silent-v0"), np.zeros((2, 2)), 0, 0)
    with pytest.raises(ConfigError, match=r"^Odd-v0 draws uint8\[5\], which is no picture.$"):
        film(rs.Gymnasium(id="Odd-v0", kwargs={"shape": [5]}), np.zeros((2, 2)), 0, 0)
    with pytest.raises(RunFailure, match=r"^Odd-v0 failed while it was watched: ValueError: it broke.$"):
        film(rs.Gymnasium(id="Odd-v0", kwargs={"broken": True}), np.zeros((2, 2)), 0, 0)


def test_without_pygame_the_command_that_installs_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "pygame", None)
    with pytest.raises(ConfigError, match=r"pygame is not installed, run: pip install \"gymnasium\[toy-text\]\".$"):
        film(CLIFF, SHORTEST, 0, 0)


def test_the_command_writes_a_gif_and_says_how_it_went():
    ok("sweep", "env=cliff_walking", "agent=q_learning", "tau=0.1,10", "runs=2", "steps=30000", "study=cliff")
    said, path = ok("watch", "cliff").splitlines()
    assert said == "run 0 tau=0.1, greedy: 3 episodes, returns -13, -13, -13"
    best = next(cell["id"] for cell in cells() if cell["overrides"]["tau"] == 0.1)
    assert path == f"results/cliff/watch-{best[:12]}-0.gif"
    assert frames_in(path) == 42
    assert ok("watch", "cliff", "tau=10", "run=1", "--out", "mine.gif").splitlines()[-1] == "mine.gif"
    assert frames_in("mine.gif") > 1
    assert refused("watch", "cliff", "run=9") == "run=9 is not there; 2 runs are."
    assert refused("watch", "cliff", "tau=3").startswith("no cell fits tau='3'. tau takes: 0.1, 10")
    assert refused("watch", "cliff", "--out", "mine.png") == "--out mine.png: the name of the file must end in .gif."
    assert refused("watch", "clif").startswith("no study 'clif' below results/. Did you mean 'cliff'?")


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ("testbed", "env gaussian_bandit is a bandit: there is nothing to watch but its figures."),
        ("chain", "env chain draws no frames; environments of Gymnasium do: env=frozen_lake."),
    ],
)
def test_what_draws_nothing_is_refused(env, sentence):
    ok("run", f"env={env}", "agent=q_learning", "runs=1", "steps=5", "study=dull")
    assert refused("watch", "dull") == sentence


def test_a_file_brings_the_environment(odd, tmp_path):
    (tmp_path / "mine.py").write_text("import gymnasium\nNUMBER = 1\n")
    ok("run", "env=gymnasium", "env.id=Odd-v0", "agent=q_learning", "tau=1", "runs=1", "steps=5", "study=odd")
    assert call("watch", "odd", "--with", "mine.py").code == 0
    assert refused("watch", "odd", "--with", "yours.py") == "--with yours.py: no such file."
