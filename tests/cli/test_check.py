"""`nodegraph check`: fast, and every problem."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from nodegraph import Patch
from tests.cli.conftest import Command

ROOT = Path(__file__).parents[2]
CALLS_PER_NODE: Final = 2_000
LATER: Final = {
    "llvmlite",
    "numba",
    "scipy",
    "onnxruntime",
    "onnx",
    "aiohttp",
    "sounddevice",
    "torch",
    "nodegraph.runtime.player",
}


def test_a_good_patch_is_told_as_good(tone: Path, nodegraph: Command) -> None:
    said = nodegraph("check", tone)
    assert (said.code, said.err) == (0, "")
    assert said.out == f"{tone}: 3 nodes, 2 cables, no problems\n"
    assert json.loads(nodegraph("check", tone, "--json").out) == {"patches": {str(tone): 0}, "problems": []}


def test_checking_takes_as_much_longer_as_a_patch_is_larger(tmp_path: Path, nodegraph: Command) -> None:
    """Counted in calls, which are the same on every machine. How long it takes is for `make bench` to say."""
    calls = []
    for voices in (1, 33, 66):  # the first one loads what all of them need
        path = large(tmp_path / f"{voices}.ng", voices)
        with counted() as count:
            said = nodegraph("check", path)
        assert (said.code, said.err) == (0, "")
        calls.append(count())
    assert calls[2] < 2.2 * calls[1], calls
    assert calls[2] < 200 * CALLS_PER_NODE, calls


def test_checking_loads_neither_kernels_nor_models(tmp_path: Path) -> None:
    program = (
        "import json, sys\nfrom nodegraph.cli import main\n"
        f"code = main(['check', {str(large(tmp_path / 'big.ng', 66))!r}])\n"
        f"print(json.dumps([code, sorted({LATER!r} & set(sys.modules))]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert json.loads(done.stdout.splitlines()[-1]) == [0, []], done.stderr


def large(path: Path, voices: int) -> Path:
    """Three nodes a voice, and two."""
    patch = Patch("Large")
    mix = patch.add("mix~")
    patch.connect(mix, patch.add("out~"))
    for voice in range(voices):
        saw, cut, level = patch.add("saw~", freq=100 + voice), patch.add("svf~"), patch.add("gain~", gain=0.01)
        patch.connect(saw, cut, level, mix)
    assert len(patch) == 3 * voices + 2
    return patch.save(path)


@contextmanager
def counted() -> Iterator[Callable[[], int]]:
    """How many functions are called inside."""
    count = 0

    def called(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        yield lambda: count
    finally:
        sys.setprofile(before)


def test_the_exit_code_is_that_of_the_worst_patch(tone: Path, tmp_path: Path, nodegraph: Command) -> None:
    (tmp_path / "bad.ng").write_text('{"nodegraph": 1, "nodes": {"a": {"kind": "gain~", "gain": -5}}}')
    said = nodegraph("check", tone, tmp_path / "bad.ng")
    assert said.code == 2
    assert "tone.ng: 3 nodes" in said.out and "bad.ng:1, node 'a', port 'gain'" in said.err
