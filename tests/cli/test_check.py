"""`nodegraph check`: fast, and every problem."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nodegraph import Patch
from tests.cli.conftest import Command

ROOT = Path(__file__).parents[2]


def test_a_good_patch_is_told_as_good(tone: Path, nodegraph: Command) -> None:
    said = nodegraph("check", tone)
    assert (said.code, said.err) == (0, "")
    assert said.out == f"{tone}: 3 nodes, 2 cables, no problems\n"
    assert json.loads(nodegraph("check", tone, "--json").out) == {"patches": {str(tone): 0}, "problems": []}


def test_two_hundred_nodes_take_less_than_a_second_with_start_up(tmp_path: Path) -> None:
    """Counted in processor time, since the machine may be busy with other tests."""
    resource = pytest.importorskip("resource", reason="processor time of a child is counted on Unix")
    patch = Patch("Two hundred")
    mix = patch.add("mix~")
    patch.connect(mix, patch.add("out~"))
    for voice in range(66):
        saw, cut, level = patch.add("saw~", freq=100 + voice), patch.add("svf~"), patch.add("gain~", gain=0.01)
        patch.connect(saw, cut, level, mix)
    path = patch.save(tmp_path / "big.ng")
    assert len(patch) == 200
    command = [sys.executable, "-m", "nodegraph", "check", str(path)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    took = []
    for _ in range(2):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert (done.returncode, done.stderr) == (0, "")
        took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(took) < 1.0, f"{took} s"


def test_the_exit_code_is_that_of_the_worst_patch(tone: Path, tmp_path: Path, nodegraph: Command) -> None:
    (tmp_path / "bad.ng").write_text('{"nodegraph": 1, "nodes": {"a": {"kind": "gain~", "gain": -5}}}')
    said = nodegraph("check", tone, tmp_path / "bad.ng")
    assert said.code == 2
    assert "tone.ng: 3 nodes" in said.out and "bad.ng:1, node 'a', port 'gain'" in said.err
