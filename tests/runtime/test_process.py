"""The engine's process stays small: no model, no GUI, nothing heavy is imported there, not even while it listens."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from nodegraph.models.store import Store

FORBIDDEN = {
    "torch", "onnxruntime", "transformers", "librosa", "numba", "dearpygui", "pyglet", "moderngl", "matplotlib",
}  # fmt: skip
PROGRAM = """
import json, sys
from nodegraph import Patch

patch = Patch()
tone = patch.add("saw~", freq=220)
cut = patch.add("svf~", cutoff=800)
ears = patch.add("yamnet.tag~")
out = patch.add("out~")
patch.connect(tone, cut, out)
patch.connect(cut, ears)
rendered = patch.render(seconds=2)
with patch.play(seconds=1, driver="null") as playing:
    playing.wait(30)
print(json.dumps({
    "modules": sorted({name.split(".")[0] for name in sys.modules}),
    "peak": float(abs(rendered.audio).max()),
    "events": sum(len(found) for found in rendered.events.values()),
}))
"""


def test_playing_and_listening_import_nothing_heavy() -> None:
    Store().fetch("yamnet")
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=root, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["peak"] > 0.01 and said["events"] > 0, "it played and it listened"
    assert not FORBIDDEN & set(said["modules"]), FORBIDDEN & set(said["modules"])
