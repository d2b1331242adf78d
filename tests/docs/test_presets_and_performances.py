"""docs/presets.md and docs/performances.md keep their word: their programs and commands run."""

import json
import re
import shlex
from pathlib import Path

import pytest

from nodegraph.cli import main
from nodegraph.core.patchfile import loads
from nodegraph.core.presets import TIME_CURVES
from nodegraph.runtime.player import LOOKAHEAD_S

ROOT = Path(__file__).parents[2]
PRESETS, PERFORMANCES = (
    (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8") for name in ("presets", "performances")
)


def blocks(text: str, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def run(program: str) -> None:
    exec(compile(program, "docs", "exec"), {})


def test_the_session_of_presets_runs(capsys: pytest.CaptureFixture[str]) -> None:
    run(blocks(PRESETS, "python")[0])
    assert capsys.readouterr().out == "('dark', 'bright')\n"


def test_the_patch_of_presets_runs(capsys: pytest.CaptureFixture[str]) -> None:
    run(blocks(PRESETS, "python")[1])
    assert capsys.readouterr().out == "['dark', 'bright', 'dark', 'bright']\n"


def test_the_presets_that_are_shown_are_presets_of_a_patch() -> None:
    (shown,) = blocks(PRESETS, "json")
    document = loads('{"nodegraph": 1, "nodes": {}, ' + shown + "}")
    assert document.presets == json.loads("{" + shown + "}")["presets"] and list(document.presets) == ["dark", "bright"]
    assert all(f"`{curve}`" in PRESETS for curve in TIME_CURVES)


def test_the_program_of_performances_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    run(blocks(PERFORMANCES, "python")[0])
    assert capsys.readouterr().out == "0.5\n"
    assert f"about {LOOKAHEAD_S * 1000:.0f} ms" in PERFORMANCES


def test_the_commands_of_performances_end_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "patches").symlink_to(ROOT / "patches")
    monkeypatch.chdir(tmp_path)
    (shell,) = blocks(PERFORMANCES, "sh")
    for command in shell.splitlines():
        assert main(shlex.split(command)[1:]) == 0, command
