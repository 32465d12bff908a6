"""Names become classes; what is brought is told apart by its source."""

import importlib.util
import subprocess
import sys

import pytest
import yaml

import rlsoftmax as rs
from rlsoftmax import shelf
from rlsoftmax.component import build, is_shipped, name_of, schema
from rlsoftmax.contracts import Policy
from rlsoftmax.errors import ConfigError
from rlsoftmax.places import options, shipped

MINE = '''
"""A docstring."""
import rlsoftmax as rs


class Stubborn{n}(rs.Agent):
    """Another."""

    alpha: rs.Share = 0.5  # a comment

    def memory(self, states, actions):
        import numpy as np

        return {{"value": np.zeros((states, actions))}}

    def learn(self, value, state, action, reward):
        value[state, action] += self.alpha * (reward - value[state, action])
'''


@pytest.fixture(autouse=True)
def own_shelves(monkeypatch):
    """What a test brings, other tests do not see."""
    monkeypatch.setattr(shelf, "_BROUGHT", {group: dict(classes) for group, classes in shelf._BROUGHT.items()})


@pytest.fixture
def file(tmp_path):
    def write(text, name="mine.py"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_every_name_is_that_of_its_class():
    for group in shelf.SHELVES:
        for name in shelf.names(group):
            assert name_of(shelf.find(group, name)) == name


def test_yaml_keys_are_the_fields_and_the_option_named_like_its_class_holds_the_defaults():
    for group in shelf.SHELVES:
        assert set(shelf.names(group)) <= set(options(group))
        for option in options(group):
            values = yaml.safe_load((shipped("configs") / group / f"{option}.yaml").read_text())
            cls = shelf.find(group, values["name"])
            hidden = {"temperature"} if issubclass(cls, Policy) else set()
            assert set(values) - {"name"} == set(schema(cls)) - hidden, (group, option)
            component = build(cls, {key: value for key, value in values.items() if key != "name"}, group)
            if option == values["name"]:
                assert component == cls(), (group, option)
                assert values == shelf.defaults(cls), (group, option)


def test_an_unknown_name_is_answered_with_the_closest():
    with pytest.raises(ConfigError, match=r"no agent 'q_lerning'. Did you mean 'q_learning'"):
        shelf.find("agent", "q_lerning")


def test_only_the_file_that_holds_the_class_is_imported():
    code = "import sys; from rlsoftmax import shelf; shelf.find('tau', 'linear'); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "rlsoftmax.schedules.linear" in loaded
    assert not [
        m for m in loaded if m.startswith(("rlsoftmax.schedules.expo", "rlsoftmax.agents", "gymnasium", "numba"))
    ]


def test_public_names_are_the_classes_of_the_shelves():
    assert rs.QLearning is shelf.find("agent", "q_learning") is shelf.class_named("QLearning")
    assert {"QLearning", "Exponential", "Boltzmann", "Gymnasium"} <= set(shelf.class_names())
    assert set(shelf.class_names()) <= set(dir(rs))
    for wrong in ("Qlearning", "QLearner", "q_learning", "Not A Name"):
        with pytest.raises(AttributeError, match="has no attribute"):
            shelf.class_named(wrong)


def test_a_file_brings_its_components(file):
    module = shelf.load_file(file(MINE.format(n=1)))
    assert shelf.find("agent", "stubborn1") is module.Stubborn1
    assert shelf.load_file(file(MINE.format(n=1))) is module
    assert shelf.defaults(module.Stubborn1) == {"name": "stubborn1", "alpha": 0.5}
    assert not is_shipped(module.Stubborn1)
    assert is_shipped(rs.QLearning)


def test_annotations_that_are_text_resolve_in_a_file(file):
    text = MINE.format(n=2).replace("import rlsoftmax", "from __future__ import annotations\nimport rlsoftmax", 1)
    assert shelf.load_file(file(text)).Stubborn2(alpha=1).alpha == 1.0


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("# a comment", "# another comment", True),
        ('"""Another."""', '"""Rewritten."""', True),
        ('"""Another."""', "", True),
        ("    def learn", "\n\n    def learn", True),
        ("= 0.5", "= 0.25", False),
        ("(reward - ", "(2 * reward - ", False),
    ],
)
def test_only_what_python_executes_is_a_part_of_the_source(file, old, new, same):
    before = shelf.source_of(shelf.load_file(file(MINE.format(n=3))).Stubborn3)
    after = shelf.source_of(shelf.load_file(file(MINE.format(n=3).replace(old, new, 1))).Stubborn3)
    assert (before == after) == same


def test_the_source_is_what_was_executed_not_what_the_file_says_by_now(file):
    path = file(MINE.format(n=4))
    cls = shelf.load_file(path).Stubborn4
    path.write_text("something else")
    assert "class Stubborn4" in shelf.source_of(cls)
    assert shelf.source_of(rs.QLearning) is None


def test_the_source_of_a_base_class_of_ones_own_counts(tmp_path, monkeypatch):
    (tmp_path / "rlsoftmax_test_base.py").write_text(MINE.format(n=5))
    (tmp_path / "rlsoftmax_test_heir.py").write_text(
        "from rlsoftmax_test_base import Stubborn5\nclass Heir5(Stubborn5):\n    bonus: float = 1.0\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    text = shelf.source_of(importlib.import_module("rlsoftmax_test_heir").Heir5)
    assert "class Stubborn5" in text
    assert "class Heir5" in text


def test_a_class_without_a_source_is_refused():
    scope = {"rs": rs, "__name__": "__main__"}
    exec("class Typed(rs.Agent):\n    alpha: float = 0.5\n", scope)
    with pytest.raises(ConfigError, match="the source of Typed cannot be found"):
        shelf.source_of(scope["Typed"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "no such file."),
        ("import nonsense_module", ":1: ModuleNotFoundError: No module named 'nonsense_module'."),
        ("x = 1\ny = (", ":2: SyntaxError: '(' was never closed."),
        ("x = 1\n\ny = 1 / 0", ":3: ZeroDivisionError: division by zero."),
        (
            "import rlsoftmax as rs\nclass QLearning(rs.Agent): pass",
            "agent 'q_learning' exists already; rename QLearning.",
        ),
        ("import rlsoftmax as rs\nclass A(rs.Agent):\n    alpha: rs.Share = 3", None),
        (b"\xff\xfe\x00", "can't decode byte"),
    ],
)
def test_a_bad_file_is_named(tmp_path, text, words):
    path = tmp_path / "bad.py"
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    if words is None:  # wrong only when it is built
        cls = shelf.load_file(path).A
        with pytest.raises(ConfigError, match=r"alpha=3.0 must be >= 0 and <= 1"):
            cls()
        return
    with pytest.raises(ConfigError) as caught:
        shelf.load_file(path)
    assert words in str(caught.value)
    assert "bad.py" in str(caught.value)


def test_two_files_cannot_share_a_name(file):
    shelf.load_file(file(MINE.format(n=6)))
    with pytest.raises(ConfigError, match="exists already; rename Stubborn6"):
        shelf.load_file(file(MINE.format(n=6), "other.py"))


def test_an_edited_file_replaces_itself(file):
    old = shelf.load_file(file(MINE.format(n=7))).Stubborn7
    new = shelf.load_file(file(MINE.format(n=7).replace("0.5", "0.25"))).Stubborn7
    assert shelf.find("agent", "stubborn7") is new is not old
    assert (old().alpha, new().alpha) == (0.5, 0.25)


def test_files_named_by_the_environment_are_brought(file, monkeypatch):
    monkeypatch.setenv(shelf.WITH, str(file(MINE.format(n=8))))
    shelf.bring_all()
    assert shelf.find("agent", "stubborn8")().alpha == 0.5
    assert ("agent", shelf.find("agent", "stubborn8")) in shelf.brought()
