"""Kinds that another process compiles, while this one compiles the others."""

import subprocess
import sys

import pytest

from rlsoftmax.engine import kernels
from rlsoftmax.engine.fuse import is_kept
from rlsoftmax.experiment import ahead
from rlsoftmax.experiment.ahead import Ahead
from rlsoftmax.experiment.setups import setup_of
from rlsoftmax.launch.request import Request, planned


@pytest.fixture
def kinds(monkeypatch, tmp_path):
    """Three cells of different kinds, none of them compiled."""
    monkeypatch.setenv(kernels.FOLDER, str(tmp_path))
    agents = ["sample_average", "constant_step", "gradient_bandit"]
    settings = {"env": "testbed", "agent": agents, "policy": "greedy", "runs": 1, "steps": 10}
    plan = planned(Request(arguments=(), settings=settings, grids=None, command=""))
    return [(cell, setup_of(cell.experiment)) for cell in plan.cells]


@pytest.mark.compiled
def test_the_other_process_leaves_the_kernel_of_every_second_kind(kinds):
    other = Ahead(kinds)
    other.wait(0)  # not its task, so there is nothing to wait for
    other.wait(1)
    other.close()
    assert [is_kept(setup.kind) for _, setup in kinds] == [False, True, False]


@pytest.mark.compiled
def test_one_kind_is_not_worth_a_process(kinds, monkeypatch):
    monkeypatch.setattr(ahead, "_start", pytest.fail)
    Ahead(kinds[:1]).wait(0)


@pytest.mark.compiled
def test_no_process_is_started_where_kernels_cannot_be_kept(kinds, monkeypatch):
    monkeypatch.setattr(ahead, "writable", lambda: False)
    monkeypatch.setattr(ahead, "_start", pytest.fail)
    Ahead(kinds).wait(1)


@pytest.mark.compiled
def test_nobody_waits_for_a_process_that_has_died(kinds, monkeypatch):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}

    def dead(cells):
        return subprocess.Popen([sys.executable, "-c", ""], text=True, **pipes)

    monkeypatch.setattr(ahead, "_start", dead)
    other = Ahead(kinds)
    other.wait(1)
    other.close()
    other._process.stdin.close()


@pytest.mark.compiled
def test_closing_ends_the_process_in_the_middle_of_its_work(kinds):
    other = Ahead(kinds)
    other.close()
    assert other._process.returncode is not None
