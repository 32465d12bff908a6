"""The wheel alone, in an empty folder, has the command, the configurations and the experiments."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Return a folder with the contents of a freshly built wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def call(installed, folder, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    command = [sys.executable, "-c", "import sys; from rlsoftmax.cli import main; sys.exit(main())", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_the_wheel_brings_configurations_and_experiments(installed):
    assert (installed / "rlsoftmax" / "configs" / "config.yaml").is_file()
    assert (installed / "rlsoftmax" / "experiments" / "demo-testbed" / "study.yaml").is_file()
    assert (installed / "rlsoftmax" / "experiments" / "sutton_barto_2_6" / "study.yaml").is_file()
    assert (installed / "rlsoftmax" / "py.typed").is_file()
    assert (installed / "rlsoftmax" / "report" / "templates" / "page.html").is_file()
    assert not list(installed.glob("tests"))


def test_the_installed_command_lists_and_runs_in_an_empty_folder(installed, tmp_path):
    listed = call(installed, tmp_path, "ls", "env")
    assert listed.returncode == 0, listed.stderr
    assert "testbed" in listed.stdout
    done = call(installed, tmp_path, "sweep", "env=testbed", "tau=0.1,0.2", "runs=3", "steps=10", "study=s")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "results" / "s" / "study.yaml").is_file()
    reported = call(installed, tmp_path, "report", "s")
    assert reported.returncode == 0, reported.stderr
    assert (tmp_path / reported.stdout.strip()).stat().st_size > 10_000


def test_the_entry_point_is_the_command(installed):
    (points,) = installed.glob("*.dist-info/entry_points.txt")
    assert "rlsoftmax = rlsoftmax.cli:main" in points.read_text()
