"""Finding one's way, without a window: find, the palette, cables by name, the outline, the map."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nodegraph import Patch
from nodegraph.core.patchfile import loads
from nodegraph.core.registry import registry
from nodegraph.editor.editing import Editing
from nodegraph.editor.keys import ACTIONS
from nodegraph.editor.outline import text
from nodegraph.editor.question import Question
from nodegraph.editor.searching import Find, Hit
from tests.editor.editors import made, settled, until


@pytest.fixture
def patch(editing: Editing) -> Editing:
    """Two voices, a filter and an output; the second voice is joined to nothing, and far away."""
    for words, at in (("sine~ 220", (0, 0)), ("svf~ 800", (0, 100)), ("out~", (0, 200)), ("saw~ 110", (3000, 2000))):
        made(editing, words, at)
    for cable in ("sine1.y -> svf1.x", "svf1.low -> out1.x"):
        asked(editing, "connect", cable)
    settled(editing)
    return editing


def asked(editing: Editing, action: str, text: str) -> str | None:
    editing.actions[action]()
    return editing.ways.answer(text)


def question(editing: Editing, text: str) -> Question:
    found = editing.ways.question
    assert found is not None
    found.typed(text)
    return found


def cables(editing: Editing) -> list[str]:
    return [str(cable) for cable in editing.mirror.document.graph.cables]


# find


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("svf1", ["svf1"]), ("SVF", ["svf1"]), ("cutoff=800", ["svf1"]), ("110", ["saw1"]), ("cycle~", ["sine1"]),
        ("~", ["sine1", "svf1", "out1", "saw1"]), ("sine 220", ["sine1"]), ("sine 110", []), ("", []),
    ],
)  # fmt: skip
def test_nodes_are_found_by_ids_kinds_aliases_and_values(patch: Editing, text: str, nodes: list[str]) -> None:
    patch.actions["find"]()
    assert [row.value.node for row in question(patch, text).rows] == nodes


def test_what_stands_inside_a_subpatch_is_found_there(patch: Editing, tmp_path: Path) -> None:
    """Also two files deep, and in a file that is open and edited; Ctrl+Down goes on inside."""
    assert patch.mirror.file is not None
    folder = Path(patch.mirror.file).parent
    echo = Patch("Echo")
    echo.connect(echo.add("delay~", "tape", time=0.25), echo.add("outlet~", "y"))
    echo.save(folder / "echo.ng")
    voice = Patch("Voice")
    voice.document.path = folder / "voice.ng"
    voice.graph.registry.lie_in(folder / "voice.ng")
    voice.add("echo.ng", "behind")
    voice.connect(voice.add("sine~", "osc", freq=220), voice.add("outlet~", "y"))
    voice.save(folder / "voice.ng")
    made(patch, "voice.ng", (0, -200))
    settled(patch)
    patch.actions["find"]()
    found = question(patch, "tape")
    assert [row.value for row in found.rows] == [Hit("voice1", ("behind/tape",))]
    assert found.note().endswith("inside: behind/tape") and patch.selection.nodes == {"voice1"}
    assert [row.value.node for row in question(patch, "sine 220").rows] == ["voice1", "sine1"]
    question(patch, "tape")
    assert found.into()
    until(patch, lambda: patch.sheet.root.endswith("/voice1"), "its sheet")
    assert isinstance(patch.ways.question, Find) and patch.ways.question.value == "tape", "it finds on"
    assert [row.value for row in question(patch, "tape").rows] == [Hit("behind", ("tape",))]
    assert [row.value for row in question(patch, "osc").rows] == [Hit("osc")]
    assert not patch.ways.question.into(), "it has no inside"


def test_what_is_found_is_selected_brought_into_view_and_stepped_through(patch: Editing) -> None:
    patch.viewport.zoom_to(1.0, 0, 0)
    patch.actions["find"]()
    found = question(patch, "~")
    seen = []
    for number in range(1, 6):
        (node,) = patch.selection.nodes
        seen.append(node)
        box = patch.scene.boxes[node]
        x, y = patch.viewport.screen(box.x, box.y)
        assert 0 <= x < patch.size[0] and 0 <= y < patch.size[1], node
        assert found.note().startswith(f"{(number - 1) % 4 + 1} of 4")
        assert patch.ways.answer("~") is None and patch.ways.question is found, "Enter goes on"
    assert seen == ["sine1", "svf1", "out1", "saw1", "sine1"]
    found.step(-1)
    assert patch.selection.nodes == {"sine1"}
    question(patch, "nothing of this")
    assert found.note() == "Nothing is found."
    patch.ways.close()
    assert patch.ways.question is None and patch.selection.nodes == {"sine1"}


# the palette


def test_everything_can_be_done_by_its_name(patch: Editing) -> None:
    patch.actions["palette"]()
    rows = question(patch, "").rows
    texts = {row.text: row.more for row in rows}
    for action in ACTIONS:
        if action.name in patch.actions and action.name not in ("palette", "select-none"):
            assert f"{action.menu}: {action.words}" in texts
    assert texts["Edit: Undo"] == "Ctrl+Z"


def test_what_was_done_lately_comes_first(patch: Editing) -> None:
    asked(patch, "palette", "tidy")
    asked(patch, "palette", "sel all")
    patch.actions["palette"]()
    assert [row.value for row in question(patch, "").rows][:2] == [("do", "select-all"), ("do", "tidy")]
    assert patch.selection.nodes == patch.scene.boxes.keys()


def test_objects_are_added_and_presets_recalled_by_name(patch: Editing) -> None:
    asked(patch, "palette", "pink~")
    assert "pink1" in patch.scene.boxes and not patch.ways.question and patch.objects.asked is None
    settled(patch)
    done: list[object] = []
    patch.link.ask("store", done.append, name="dark voice")
    until(patch, lambda: done and "dark voice" in patch.mirror.document.presets, "a preset")
    patch.actions["palette"]()
    assert question(patch, "dark").rows[0].value == ("recall", "dark voice")
    heard: list[object] = []
    patch.hear("presets", heard.append)
    patch.ways.answer("dark")
    until(patch, lambda: heard, "that it is recalled")


def test_an_action_of_the_palette_may_ask_itself(patch: Editing) -> None:
    asked(patch, "palette", "find in")
    assert patch.ways.question is not None and patch.ways.question.title == "Find"
    patch.actions["palette"]()
    assert not question(patch, "qqqq").rows and patch.ways.answer("qqqq") is None
    assert patch.ways.question is not None, "nothing is called so: it still asks"


# cables


def test_a_cable_is_typed_and_completed(patch: Editing) -> None:
    patch.selection.clear()
    patch.actions["connect"]()
    found = question(patch, "saw")
    assert found.row is not None and found.completed("saw", found.row) == "saw1.y -> "
    assert patch.ways.answer("saw") == "saw1.y -> ", "Enter completes the first half"
    ends = [row.value for row in question(patch, "saw1.y -> ").rows]
    assert "svf1.x" in ends and "saw1.freq" in ends and "svf1.low" not in ends
    assert ends.index("svf1.x") < ends.index("svf1.cutoff"), "what flows comes before what is turned"
    patch.ways.answer("saw1.y -> svf1.x")
    assert patch.ways.question is None and "saw1.y -> svf1.x" in cables(patch)
    assert patch.mirror.document.graph.cables
    settled(patch)
    assert patch.mirror.undo_label == "Connect saw1.y -> svf1.x"


@pytest.mark.parametrize(
    ("text", "words"),
    [("sine1.y -> svf1.x", "is there already"), ("sine1.y -> nobody.x", "no node"), ("sine1.q -> out1.x", "no outlet")],
)
def test_why_a_cable_cannot_be_is_said(patch: Editing, text: str, words: str) -> None:
    before = cables(patch)
    asked(patch, "connect", text)
    found = patch.ways.question
    assert found is not None and words in found.wrong and cables(patch) == before


def test_what_is_selected_is_joined_from_above_to_below_as_one_step(editing: Editing) -> None:
    for words, y in (("sine~", 0), ("gain~", 100), ("out~", 300), ("saw~", 200)):
        made(editing, words, (0, y))
    editing.selection.only(["sine1", "gain1", "out1"])
    editing.actions["connect-selected"]()
    assert cables(editing) == ["gain1.y -> out1.x", "sine1.y -> gain1.x"]
    settled(editing)
    editing.undo()
    settled(editing)
    assert cables(editing) == []
    editing.redo()
    settled(editing)
    editing.actions["connect-selected"]()
    assert len(cables(editing)) == 2 and "Nothing can be joined" in editing.lines[-1]
    editing.selection.only(["saw1"])
    editing.actions["connect-selected"]()
    assert "two or more" in editing.lines[-1]


# the outline

OUTLINE = """Two: 3 nodes, 2 cables
osc: sine~ 220
    freq 220 Hz
    outlet y (signal) to cut.x
cut: svf~ 800
    inlet x (signal) from osc.y
    cutoff 800 Hz
    resonance 0.2 (default)
    outlet low (signal) to out.x
    outlet band (signal) to nothing
    outlet high (signal) to nothing
    outlet notch (signal) to nothing
out: out~
    inlet x (signal) from cut.low
"""
PATCH = """{"nodegraph": 1, "title": "Two", "nodes": {"osc": {"kind": "sine~", "freq": 220},
"cut": {"kind": "svf~", "cutoff": 800}, "out": {"kind": "out~"}}, "cables": ["osc.y -> cut.x", "cut.low -> out.x"]}"""


def test_the_outline_reads_as_plain_lines_in_the_order_of_the_signal() -> None:
    document = loads(PATCH, kinds=registry())
    told = text(document.graph.view, document.title)
    lines = told.splitlines()
    assert [line for line in OUTLINE.splitlines() if line not in lines] == []
    heads = [line for line in lines if not line.startswith(" ")]
    assert heads == ["Two: 3 nodes, 2 cables", "osc: sine~ 220", "cut: svf~ 800", "out: out~"]


def test_what_is_not_installed_and_loops_are_in_the_outline_too() -> None:
    document = loads(
        '{"nodegraph": 1, "nodes": {"a": {"kind": "who~", "what": [1]}, "b": {"kind": "change"},'
        ' "c": {"kind": "change"}}, "cables": ["a.y -> b.q", "b.y -> c.x", "c.y -> b.x"]}'
    )
    told = text(document.graph.view)
    for line in ("a: who~ (not installed here)", "    what [1] (unknown)", "    outlet y (unknown) to b.q",
                 "    inlet q (unknown) from a.y"):  # fmt: skip
        assert line in told.splitlines()


@pytest.fixture
def keys(patch: Editing) -> Callable[..., str]:
    """Press keys in the outline; gives the text of the line that one is on."""

    def press(*chords: str) -> str:
        for chord in chords:
            assert patch.ways.outline.key(chord, chord)
        line = patch.ways.outline.line
        return "" if line is None else line.text

    return press


def test_one_goes_through_the_outline_and_along_cables(patch: Editing, keys: Callable[..., str]) -> None:
    patch.selection.clear()
    assert keys("down").startswith("saw1") and patch.selection.nodes == {"saw1"}
    assert keys("home", "down").startswith("sine1"), "by their ids where the signal does not decide"
    assert keys("right", "end") == "out1: out~"
    assert keys("up", "up") == "outlet y (signal) to svf1.x"
    patch.selection.only(["svf1"])
    assert keys() == "svf1: svf~ 800", "what is selected on the canvas leads"
    assert keys("right", "right") == "inlet x (signal) from sine1.y"
    assert keys("right") == "outlet y (signal) to svf1.x" and patch.selection.nodes == {"sine1"}
    assert keys("right") == "inlet x (signal) from sine1.y" and patch.selection.nodes == {"svf1"}
    assert keys("left") == "svf1: svf~ 800"
    keys("left")
    assert "svf1" not in patch.ways.outline.open


def test_a_patch_is_made_by_the_keyboard_alone(editing: Editing) -> None:
    for words in ("sine~ 330", "out~"):
        editing.actions["new-object"]()
        assert editing.objects.answer(words)
    outline = editing.ways.outline
    editing.selection.only(["out1"])
    for chord in ("right", "right", "enter"):
        assert outline.key(chord, chord)
    assert editing.ways.question is not None and editing.ways.question.title == "Connect to out1.x"
    assert [row.text for row in question(editing, "").rows] == ["sine1.y"]
    editing.ways.answer("")
    assert cables(editing) == ["sine1.y -> out1.x"]
    editing.selection.only(["sine1"])
    for chord in ("right", "right", "enter"):
        outline.key(chord, chord)
    assert editing.ways.question is not None and editing.ways.question.value == "330"
    editing.ways.answer("loud")
    assert editing.ways.question is not None and editing.ways.question.wrong
    editing.ways.answer("440")
    assert editing.mirror.document.graph.value("sine1", "freq") == 440 and editing.ways.question is None
    outline.key("delete", "delete")
    assert "freq" not in editing.mirror.document.graph.node("sine1").params
    editing.selection.only(["out1"])
    for chord in ("right", "delete"):  # it is open
        outline.key(chord, chord)
    assert cables(editing) == [] and len(editing.scene.boxes) == 2
    outline.key("left", "left")
    outline.key("delete", "delete")
    assert list(editing.scene.boxes) == ["sine1"]
    editing.actions["outline-text"]()
    assert "new.ng: 1 node, 0 cables\nsine1: sine~\n" in editing.chosen._text


# the map


def test_the_map_comes_when_the_patch_does_not_fit_and_moves_what_is_seen(patch: Editing) -> None:
    found = patch.ways.map
    patch.show_all()
    assert not found.shown
    patch.viewport.zoom_to(1.0, 0, 0)
    assert found.shown
    (left, top, right, bottom), *_ = found.layout()
    width, height = patch.size
    assert width - 220 < left < right < width and height - 160 < top < bottom < height
    assert found.holds(left + 1, top + 1) and not found.holds(left - 1, top + 1)
    box = patch.scene.boxes["saw1"]
    _, scale, x, y = found.layout()
    found.centre((box.x + box.width / 2) * scale + x, (box.y + box.height / 2) * scale + y)
    seen = patch.viewport.screen(box.x + box.width / 2, box.y + box.height / 2)
    assert seen == pytest.approx((width / 2, height / 2))
    frame = found.frame()
    assert left < frame[0] < frame[2] < right and top < frame[1] < frame[3] < bottom
    patch.actions["minimap"]()
    assert not found.shown
    patch.show_all()
    patch.actions["minimap"]()
    assert found.shown
    patch.size = (120.0, 100.0)
    assert not found.shown, "there is no room for it"
