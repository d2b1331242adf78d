"""The command line in this process: `nodegraph(...)` gives exit code, stdout and stderr."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from nodegraph.cli import main


@dataclass
class Said:
    """What a command left: its exit code and its words."""

    code: int
    out: str
    err: str


Command = Callable[..., Said]


@pytest.fixture
def nodegraph(capsys: pytest.CaptureFixture[str]) -> Command:
    def run(*words: object) -> Said:
        capsys.readouterr()
        try:
            code = main([str(word) for word in words])
        except SystemExit as leaving:  # argparse
            code = int(leaving.code or 0)
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return run


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    """A small patch that sounds."""
    path = tmp_path / "tone.ng"
    path.write_text(
        '{"nodegraph": 1, "title": "Tone", "nodes": {"osc": {"kind": "sine~", "freq": 330},'
        ' "level": {"kind": "gain~", "gain": 0.25}, "out": {"kind": "out~"}},'
        ' "cables": ["osc.y -> level.x", "level.y -> out.x"]}'
    )
    return path
