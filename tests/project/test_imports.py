"""Describing nodes costs nothing: importing nodegraph or any file of nodes loads no heavy library."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAVY = (
    "dearpygui", "huggingface_hub", "librosa", "llvmlite", "matplotlib", "moderngl", "numba", "onnxruntime", "pyglet",
    "scipy", "sounddevice", "torch", "transformers",
)  # fmt: skip
PROGRAM = """
import importlib, json, pkgutil, sys
heavy, loaded, first = set(sys.argv[1:]), set(), {}
def load(name):
    importlib.import_module(name)
    new = (heavy & set(sys.modules)) - loaded
    loaded.update(new)
    if new:
        first[name] = sorted(new)
load("nodegraph")
load("nodegraph.nodes")
import nodegraph.nodes
names = [item.name for item in pkgutil.walk_packages(nodegraph.nodes.__path__, "nodegraph.nodes.")]
for name in names:
    load(name)
print(json.dumps({"first": first, "modules": len(names)}))
"""


def test_no_file_of_nodes_loads_a_heavy_library() -> None:
    command = [sys.executable, "-c", PROGRAM, *HEAVY]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["modules"] >= 4, "the walk found no node files, so it proves nothing"
    assert not answer["first"], f"import these inside the functions that use them: {answer['first']}"
