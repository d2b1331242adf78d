"""PyTorch beside the environment, files for nn~ made with random weights, and what a worker needs to run them."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nodegraph.core import trust
from tests.needs import needs

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
INSTALL = "sh scripts/torch"


@pytest.fixture(scope="session")
def torch_folder() -> Path | None:
    """Where PyTorch lies; None when it is installed as the packages of nodegraph are."""
    return None if importlib.util.find_spec("torch") else needs(ROOT / ".torch" / "torch" / "torch", INSTALL).parent


@pytest.fixture
def with_torch(torch_folder: Path | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers find PyTorch. This process does not import it."""
    if torch_folder is not None:
        monkeypatch.syspath_prepend(torch_folder)


def run(folder: Path | None, program: Path, *args: object, tools: bool = False) -> str:
    """What a program says that runs beside PyTorch, in a process of its own."""
    paths = [str(ROOT), *([] if folder is None else [str(folder)])]
    if tools:
        paths.append(str(needs(ROOT / ".torch" / "tools" / "nn_tilde", INSTALL).parent))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-P", str(program), *map(str, args)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def made(torch_folder: Path | None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files that nn-tilde and torch.jit wrote: random weights, every kind of method and attribute."""
    folder = tmp_path_factory.mktemp("scripts")
    run(torch_folder, HERE / "export_tilde.py", folder, tools=True)
    run(torch_folder, HERE / "export_plain.py", folder)
    return folder


@pytest.fixture
def scripts(made: Path, with_torch: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same folder, as that in which one stands; nothing in it is trusted."""
    monkeypatch.chdir(made)
    return made


@pytest.fixture
def trusted(scripts: Path) -> Iterator[Path]:
    """The same folder, all files in it trusted."""
    found = [trust.trust(path, trust.MOST_MODEL_BYTES) for path in sorted(scripts.glob("*.ts"))]
    yield scripts
    for item in found:
        trust.record(item.sha256).unlink(missing_ok=True)
