"""What the documentation shows is run: every Python block, in order, page by page, and every command."""

import importlib.util
import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest

import rlsoftmax as rs
from rlsoftmax import cli, shelf
from rlsoftmax.component import schema
from rlsoftmax.places import options

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page, language):
    return [text for found, text in BLOCK.findall(page.read_text(encoding="utf-8")) if found == language]


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.name)
def test_python_blocks_run_in_order(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = type(sys)(f"page_{page.stem}")  # annotations of classes are resolved in their module
    monkeypatch.setitem(sys.modules, module.__name__, module)
    vars(module).update(rs=rs, np=np)
    for text in blocks(page, "python"):
        exec(compile(text, page.name, "exec"), vars(module))


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "sh")], ids=lambda page: page.name)
def test_commands_run_in_order(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [line for text in blocks(page, "sh") for line in text.splitlines() if line.startswith("rlsoftmax ")]
    for line in lines:
        words = shlex.split(line, comments=True)[1:]
        assert cli.main(words) == 0, line


def test_readme_is_short_and_names_the_two_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    assert "make demo" in text
    assert "make test" in text


# --- the page of all components -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def generator():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sections(text):
    """Return name -> what the page says of it."""
    return {part.partition("\n")[0]: part for part in re.split(r"^### ", text, flags=re.MULTILINE)[1:]}


def test_the_page_of_components_is_current(generator):
    assert generator.PAGE.read_text(encoding="utf-8") == generator.page(), "run: python docs/generate.py"


def test_every_component_has_a_section_with_its_fields_and_its_source(generator):
    found = sections(generator.page())
    names = [(group, name) for group in shelf.SHELVES for name in shelf.names(group)]
    assert sorted(found) == sorted(name for _, name in names)  # each once: its link is unambiguous
    for group, name in names:
        keys = set(schema(shelf.find(group, name))) - ({"temperature"} if group == "policy" else set())
        assert set(re.findall(rf"^\| `{group}\.(\w+)`", found[name], re.MULTILINE)) == keys, name
        assert re.search(r"^Source: .*\d{4}", found[name], re.MULTILINE), name
        assert ">>>" not in found[name]


def test_every_option_is_on_the_page(generator):
    text = generator.page()
    for group in shelf.SHELVES:
        for name in options(group):
            assert f"### {name}\n" in text or f"- `{group}={name}`:" in text, name


def test_a_section_says_what_the_class_and_its_file_say(generator):
    text = sections(generator.page())["exponential"]
    assert "end + (start - end) 2^(-step / half_life)" in text
    assert "| `tau.half_life` | `200` | > 0 | steps | steps in which the distance to the end halves |" in text
    assert "adaptive" not in text
    assert "· adaptive" in sections(generator.page())["glie"]
    assert "needs a policy with probabilities" in sections(generator.page())["expected_sarsa"]
    assert "| `agent.alpha`~ |" in sections(generator.page())["q_learning"]
