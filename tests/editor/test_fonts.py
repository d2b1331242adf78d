"""Which font is taken, and whether a screen can draw."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nodegraph.editor.gui.display import size_of_everything
from nodegraph.editor.gui.fonts import FONTS, Font, character_of, find_font
from nodegraph.editor.gui.probing import lacking
from tests.editor.desktop import ROOT


def test_a_font_is_read_before_it_is_loaded(tmp_path: Path) -> None:
    path = next((path for path in FONTS if Path(path).is_file()), None)
    found = find_font() if path is None else Font(path, character_of(Path(path)))
    assert found is not None and 0.4 < found.character < 0.65
    data = Path(found.path).read_bytes()
    for name, content in (("text", b"root:x:0:0"), ("none", b""), ("cut", data[:4000]), ("head", data[:12])):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError):
            character_of(tmp_path / name)
    wrong = [str(tmp_path / name) for name in ("text", "cut", "gone")]
    assert find_font(wrong, ask=False) is None
    assert find_font([*wrong, found.path], ask=False) == found


def test_without_the_usual_fonts_fontconfig_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = find_font()
    assert real is not None
    program = tmp_path / "fc-match"
    program.write_text(f"#!/bin/sh\nprintf '%s' '{real.path}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_font(()) == real
    program.write_text("#!/bin/sh\nexit 1\n")
    assert find_font(()) is None


def test_the_screens_size_is_asked() -> None:
    assert size_of_everything({}, None) == 1.0
    assert size_of_everything({}, "192") == 2.0
    assert size_of_everything({"GDK_SCALE": "3"}, "192") == 3.0
    assert size_of_everything({"GDK_SCALE": "much"}, "0") == 1.0


def test_versions_of_opengl_are_understood() -> None:
    assert lacking("4.5 (Compatibility Profile) Mesa 22.3.6") is None and lacking(None) is None
    assert lacking("2.1 Mesa 22.3.6") == "has version 2.1" and lacking("") == "has none"


def test_an_opengl_that_is_too_old_is_one_line_and_no_abort(display: str, tmp_path: Path) -> None:
    given = os.environ | {
        "DISPLAY": display, "LIBGL_ALWAYS_SOFTWARE": "1", "MESA_GL_VERSION_OVERRIDE": "2.1", "PYTHONPATH": str(ROOT),
        "NODEGRAPH_STATE": str(tmp_path / "state"), "NODEGRAPH_CONFIG": str(tmp_path / "config"),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "nodegraph", "edit", "new.ng"], cwd=tmp_path, env=given, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1 and "OpenGL 3" in done.stderr and "version 2.1" in done.stderr
    assert not (tmp_path / "state").exists()
