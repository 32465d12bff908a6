"""The one public import: every name resolves, and nothing heavy is loaded before it is used."""

import json
import subprocess
import sys

import pytest

import rlsoftmax as rs

HEAVY = ["numpy", "numba", "hydra", "omegaconf", "gymnasium", "matplotlib", "scipy", "rich", "jinja2", "yaml"]


def loaded_after(code):
    """Return which heavy libraries a fresh Python has loaded after this code."""
    text = f"{code}\nimport sys, json\nsys.stdout.write(json.dumps([m for m in {HEAVY} if m in sys.modules]))"
    run = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return set(json.loads(run.stdout))


@pytest.mark.parametrize("name", rs.__all__)
def test_every_public_name_resolves(name):
    assert getattr(rs, name) is not None


def test_every_name_that_dir_lists_resolves():
    for name in dir(rs):
        assert getattr(rs, name) is not None or name.startswith("__"), name


def test_dir_lists_what_is_public_and_every_component():
    from rlsoftmax import shelf

    classes = {shelf.find(group, name).__name__ for group in shelf.SHELVES for name in shelf.names(group)}
    assert classes | set(rs.__all__) <= set(dir(rs))


def test_a_star_import_brings_the_public_names():
    space = {}
    exec("from rlsoftmax import *", space)
    assert set(rs.__all__) <= set(space)


@pytest.mark.parametrize("name", ["Exponental", "sweeep", "__wrapped__", "engines"])
def test_an_unknown_name_is_an_attribute_error(name):
    with pytest.raises(AttributeError, match=f"module 'rlsoftmax' has no attribute '{name}'"):
        getattr(rs, name)


def test_a_component_can_be_imported_by_name():
    from rlsoftmax import Exponential, QLearning

    assert QLearning().alpha == 0.1
    assert Exponential().start == 1.0


def test_importing_loads_nothing_heavy():
    assert loaded_after("import rlsoftmax") == set()


def test_listing_the_names_loads_no_component_library():
    assert not loaded_after("import rlsoftmax; dir(rlsoftmax)") & {"numba", "hydra", "gymnasium", "matplotlib", "scipy"}


@pytest.mark.parametrize("name", ["octaves", "Bound", "QLearning", "Boltzmann", "Gymnasium", "exp", "highest"])
def test_using_a_light_name_does_not_load_the_compiler(name):
    assert not loaded_after(f"import rlsoftmax; rlsoftmax.{name}") & {"numba", "hydra", "gymnasium", "matplotlib"}
