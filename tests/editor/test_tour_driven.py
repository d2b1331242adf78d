"""The first time, driven by hand: a patch that plays, a tour that is done by doing it, and neither the second time."""

from __future__ import annotations

import json
from pathlib import Path

from tests.editor.desktop import Driven, end_engines


def test_the_first_time_has_a_patch_that_plays_and_a_tour_and_the_second_has_none(display: str, folder: Path) -> None:
    editor = Driven(display, folder, ["--driver", "null"])
    try:
        editor.until(lambda state: state["tour"] == 0 and state["playing"], "the tour")
        assert editor.state["title"].startswith("The first one") and (folder / "first.ng").exists()
        editor.frames()
        editor.picture("tour-1")
        editor.key("ctrl+space")
        editor.until(lambda state: state["tour"] == 1 and not state["playing"], "the second step")
        at = editor.until(lambda state: state["fields"].get("bar cutoff", [0])[0] > 900, "the value")["fields"]
        at = at["bar cutoff"]
        editor.frames()
        editor.picture("tour-2")
        editor.point(at)
        editor._tool("mousedown", "1")
        for step in range(1, 5):
            editor.point((at[0] - 8 * step, at[1]))
            editor.frames(1)
        editor._tool("mouseup", "1")
        state = editor.until(lambda state: state["tour"] == 2 and not state["waiting"], "the third step")
        editor.frames()
        editor.picture("tour-3")
        ports = [state["boxes"]["swell"]["ports"]["out:y"], state["boxes"]["tone"]["ports"]["in:cutoff"]]
        editor.drag(*ports, "wiring")
        editor.until(lambda state: state["tour"] == 3, "the fourth step")
        editor.frames()
        editor.picture("tour-4")
        editor.point(editor.state["fields"]["tour Back"])
        editor._tool("click", "1")
        editor.until(lambda state: state["tour"] == 2, "the third again")
        editor.key("ctrl+period", "ctrl+period")
        editor.until(lambda state: state["tour"] == 4, "the last step")
        editor.frames()
        editor.picture("tour-5")
        editor.key("ctrl+z")
        editor.until(lambda state: state["tour"] is None, "the end of it")
        assert json.loads((folder / "config" / "editor.json").read_text())["toured"] is True
    finally:
        editor.kill()
    end_engines(folder)
    again = Driven(display, folder, ["--driver", "null"], "again")
    try:
        assert again.state["tour"] is None and again.state["title"].startswith("untitled")
    finally:
        again.kill()
