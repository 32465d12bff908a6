"""The gallery cannot rot: its commands run, small, and every figure has its place and its picture there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import rlsoftmax as rs
from rlsoftmax import cli, plots

DOCS = Path(__file__).parent.parent / "docs"
PAGE = (DOCS / "gallery.md").read_text(encoding="utf-8")
COMMANDS = [line for line in PAGE.splitlines() if line.startswith("rlsoftmax ")]


def test_every_figure_has_a_section_and_every_picture_is_there():
    assert set(re.findall(r"^## (\w+)$", PAGE, re.MULTILINE)) == set(plots.kinds())
    pictures = re.findall(r"\((images/gallery-[\w-]+\.png)\)", PAGE)
    assert len(pictures) > len(plots.kinds())
    assert all((DOCS / picture).is_file() for picture in pictures)


def test_every_command_of_the_gallery_runs(tmp_path, monkeypatch, capsys):
    """Three runs of 50 steps each; the demo stands for a union of two grids."""
    monkeypatch.chdir(tmp_path)
    rs.sweep(
        [{"policy": "boltzmann", "tau": [0.25, 1.0]}, {"policy": "epsilon_greedy", "policy.epsilon": [0.1, 0.2]}],
        env="testbed", agent="sample_average", runs=3, steps=50, study="demo-testbed",
    )  # fmt: skip
    for command in COMMANDS:
        words = [word for word in shlex.split(command)[1:] if not re.match(r"(runs|steps)=", word)]
        if words[0] == "sweep":
            words += ["runs=3", "steps=50"]
        if words != ["demo"]:
            assert cli.main(words) == 0, (command, capsys.readouterr().err)
    drawn = {path.stem for path in tmp_path.glob("results/*/*.json") if not path.name.startswith("plan-")}
    assert drawn == set(plots.kinds())


@pytest.mark.parametrize("kind", plots.kinds())
def test_the_keys_of_every_figure_are_written_down(kind):
    page = (DOCS / "results.md").read_text(encoding="utf-8")
    assert f"| `{kind}` |" in page
