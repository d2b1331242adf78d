"""The window's values, presets and menus, driven by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from nodegraph import Patch
from tests.editor.desktop import Driven


@pytest.fixture
def editor(display: str, folder: Path) -> Iterator[Driven]:
    patch = Patch("Two colours")
    patch.connect(
        patch.add("saw~", "osc", freq=110), patch.add("svf~", "cut"), patch.add("gain~", "level", gain=0.2),
        patch.add("out~", "out"),
    )  # fmt: skip
    patch.connect(patch.add("lfo~", "slow"), "cut.resonance")
    for name, cutoff in (("dark", 300.0), ("bright", 4800.0), ("hollow", 900.0)):
        patch.do({"do": "store-preset", "preset": name, "values": {"cut.cutoff": cutoff, "level.gain": 0.2}})
    places = {"osc": [40, 40], "slow": [260, 40], "cut": [40, 140], "level": [40, 300], "out": [40, 400]}
    patch.do({"do": "move", "places": places})
    patch.save(folder / "two.ng")
    driven = Driven(display, folder, ["two.ng", "--driver", "null"])
    yield driven
    driven.kill()


def click(editor: Driven, at: list[float], button: str = "1") -> None:
    editor.point(at)
    editor._tool("click", button)


def pull(editor: Driven, at: Sequence[float], by: float) -> None:
    """Drag something in a panel to the right."""
    editor.point(at)
    editor._tool("mousedown", "1")
    for step in (0.2, 0.4, 0.6, 0.8, 1.0):
        editor.point((at[0] + by * step, at[1]))
        editor.frames()
    editor._tool("mouseup", "1")


def field(editor: Driven, name: str) -> list[float]:
    """Where something that can be clicked is, when it is there."""
    editor.until(lambda state: state["fields"].get(name, [0, 0])[1] > 0, name)
    editor.frames(3)  # it is laid out
    at: list[float] = editor.state["fields"][name]
    return at


def test_values_are_dragged_typed_shown_in_boxes_and_put_back(editor: Driven) -> None:
    click(editor, editor.state["boxes"]["cut"]["middle"])
    x, y = field(editor, "bar cutoff")
    pull(editor, (x, y), 40)
    state = editor.until(lambda state: state["undo"] == "Set cut.cutoff" and not state["waiting"], "one step")
    assert float(state["boxes"]["cut"]["text"].split()[1]) > 2000
    click(editor, field(editor, "cutoff"))
    editor.until(lambda state: state["panel_typing"], "the field")
    editor.key("ctrl+a")
    editor.type("2.5 kHz")
    editor.key("Return")
    editor.until(lambda state: state["boxes"]["cut"]["text"] == "svf~ 2500", "what was typed")
    editor.key("ctrl+k")
    rows = editor.until(lambda state: state["boxes"]["cut"].get("rows"), "the values in the box")["boxes"]["cut"][
        "rows"
    ]
    assert list(rows) == ["cutoff", "resonance"]
    editor.frames()
    x, y = rows["cutoff"]
    editor.drag((x, y), (x - 30, y), "turning")
    state = editor.settled()
    assert float(state["boxes"]["cut"]["text"].split()[1]) < 2000
    editor.picture("values")
    click(editor, field(editor, "menu of cutoff"))
    field(editor, "menu Reset")
    editor.picture("menu-of-a-value")
    click(editor, field(editor, "menu Reset"))
    editor.until(lambda state: state["boxes"]["cut"]["text"] == "svf~", "that it is put back")


def test_presets_are_recalled_stored_and_stood_among(editor: Driven) -> None:
    editor.key("ctrl+r")
    click(editor, field(editor, "preset dark"))
    click(editor, editor.state["boxes"]["cut"]["middle"])
    editor.key("ctrl+k")
    left, right = field(editor, "pad 0 0"), field(editor, "pad 1 1")
    editor.point(left)
    editor._tool("mousedown", "1")
    for part in (0.25, 0.5, 0.6):
        editor.point([a + (b - a) * part for a, b in zip(left, right, strict=True)])
        editor.frames()
    editor.picture("presets")
    editor._tool("mouseup", "1")
    click(editor, field(editor, "presets name"))
    editor.until(lambda state: state["panel_typing"], "the field")
    editor.key("ctrl+a")
    editor.type("between")
    editor.key("Return")
    editor.until(lambda state: "preset between" in state["fields"], "a new one")
    assert editor.settled()["undo"] == "Store the preset between"
    click(editor, field(editor, "forget bright"))
    editor.until(lambda state: "preset bright" not in state["fields"], "that it is gone")
    editor.frames(3)
    editor.picture("presets-stored")


def test_the_right_button_opens_a_menu_for_what_is_there(editor: Driven) -> None:
    boxes = editor.state["boxes"]
    click(editor, boxes["cut"]["middle"], "3")
    click(editor, field(editor, "menu Show values in the box"))
    editor.until(lambda state: state["boxes"]["cut"]["rows"], "the values in the box")
    click(editor, boxes["level"]["middle"], "3")
    field(editor, "menu Change or replace")
    editor.picture("menu-of-a-box")
    editor.key("Escape")
    editor.until(lambda state: "menu Delete" not in state["fields"], "that the menu is gone")
    a, b = editor.state["boxes"]["level"]["ports"]["out:y"], editor.state["boxes"]["out"]["ports"]["in:x"]
    click(editor, [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], "3")
    field(editor, "menu Insert an object here")
    editor.picture("menu-of-a-cable")
    click(editor, field(editor, "menu Insert an object here"))
    editor.until(lambda state: state["asking"] and state["typing"], "the object's field")
    editor.type("gain~ 0.5")
    editor.key("Return")
    editor.until(lambda state: "gain1.y -> out.x" in state["cables"], "that it is inserted")
    assert {"level.y -> gain1.x"} <= set(editor.settled()["cables"])
    click(editor, [400, 700], "3")
    field(editor, "menu New object")
    editor.picture("menu-of-nothing")
