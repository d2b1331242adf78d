"""`nodegraph outline`: a patch in plain lines."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Command


def test_a_patch_reads_as_lines(tone: Path, nodegraph: Command) -> None:
    said = nodegraph("outline", tone)
    assert said.code == 0 and not said.err
    lines = said.out.splitlines()
    assert lines[0] == "Tone: 3 nodes, 2 cables"
    assert [line for line in lines[1:] if not line.startswith(" ")] == [
        "osc: sine~ 330",
        "level: gain~ 0.25",
        "out: out~",
    ]
    assert "    outlet y (signal) to level.x" in lines and "    inlet x (signal) from level.y" in lines


def test_what_cannot_be_read_is_told(tmp_path: Path, nodegraph: Command) -> None:
    said = nodegraph("outline", tmp_path / "gone.ng")
    assert said.code == 2 and "gone.ng" in said.err
