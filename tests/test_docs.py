"""What the documentation shows is run: every Python block, in order, page by page, and every command."""

import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest

import rlsoftmax as rs
from rlsoftmax import cli

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
