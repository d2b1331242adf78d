"""Boxes into chains and out of them, cables by the stroke, copies by the hand, edges in line: each one step of undo."""

from __future__ import annotations

from itertools import count, pairwise

import pytest

from nodegraph.core.cable import Cable
from nodegraph.core.commands import Connect, Move
from nodegraph.editor.editing import Editing
from nodegraph.editor.gestures import Copying, Cutting, Shake
from nodegraph.editor.hands import Moving
from nodegraph.editor.wiring import Wiring
from nodegraph.session.session import Session
from tests.editor.editors import drag, made, middle, port, settled


@pytest.fixture
def chain(editing: Editing, session: Session) -> Editing:
    for text, y in (("sine~ 220", 40), ("gain~ 0.2", 200), ("out~", 360)):
        made(editing, text, (40, y))
    join(editing, "sine1.y -> gain1.x", "gain1.y -> out1.x")
    return editing


def join(editing: Editing, *cables: str) -> None:
    for cable in cables:
        assert editing.do([Connect(cable)]), editing.lines[-1]
    settled(editing)


def cables(session: Session) -> list[str]:
    return [str(cable) for cable in session.patch.graph.cables]


def between(editing: Editing, cable: str) -> tuple[float, float]:
    """Where the middle of a cable is seen."""
    ends = editing.scene.ends(Cable.parse(cable))
    assert ends is not None
    (ax, ay), (bx, by) = ends
    return editing.viewport.screen((ax + bx) / 2, (ay + by) / 2)


def test_a_box_let_go_on_a_cable_goes_into_it_in_one_step(chain: Editing, session: Session) -> None:
    made(chain, "svf~ 800", (400, 110))
    settled(chain)
    before = str(session.patch)
    chain.hands.press(*middle(chain, "svf1"))
    chain.hands.move(*between(chain, "sine1.y -> gain1.x"))
    assert isinstance(chain.hands.doing, Moving) and str(chain.hands.doing.onto) == "sine1.y -> gain1.x"
    chain.hands.release(*between(chain, "sine1.y -> gain1.x"))
    place = chain.mirror.document.place("svf1")  # at once where it will stay
    assert place == pytest.approx((chain.scene.boxes["svf1"].x, chain.scene.boxes["svf1"].y))
    settled(chain)
    assert cables(session) == ["gain1.y -> out1.x", "sine1.y -> svf1.x", "svf1.low -> gain1.x"]
    assert session.patch.document.place("svf1") != (400, 110)
    assert chain.mirror.undo_label == "Insert svf1"
    chain.undo()
    settled(chain)
    assert str(session.patch) == before


def test_a_box_let_go_on_a_short_cable_gets_room(chain: Editing, session: Session) -> None:
    assert chain.do([Move({"gain1": [40, 80], "out1": [40, 130]})])
    made(chain, "svf~ 800", (400, 110))
    drag(chain, middle(chain, "svf1"), between(chain, "sine1.y -> gain1.x"))
    settled(chain)
    tops = [chain.scene.boxes[node].y for node in ("sine1", "svf1", "gain1", "out1")]
    assert all(below - above >= 50 for above, below in pairwise(tops)), tops
    chain.undo()
    settled(chain)
    assert session.patch.document.place("gain1") == (40, 80) and session.patch.document.place("svf1") == (400, 110)


def test_what_does_not_fit_or_has_cables_is_only_moved(chain: Editing, session: Session) -> None:
    number = made(chain, "float 1", (400, 110))  # takes no signal
    drag(chain, middle(chain, number), between(chain, "sine1.y -> gain1.x"))
    made(chain, "gain~ 1", (400, 110))
    join(chain, "gain2.y -> out1.x")
    drag(chain, middle(chain, "gain2"), between(chain, "sine1.y -> gain1.x"))
    settled(chain)
    assert cables(session) == ["gain1.y -> out1.x", "gain2.y -> out1.x", "sine1.y -> gain1.x"]


def test_what_is_typed_on_a_selected_cable_goes_into_it_and_makes_room(chain: Editing, session: Session) -> None:
    assert chain.do([Move({"gain1": [40, 90], "out1": [40, 140]})])
    chain.selection.only((), {Cable.parse("sine1.y -> gain1.x")})
    chain.actions["new-object"]()
    assert chain.objects.answer("onepole~ 900")
    settled(chain)
    assert cables(session) == ["gain1.y -> out1.x", "onepole1.y -> gain1.x", "sine1.y -> onepole1.x"]
    boxes = chain.scene.boxes
    assert boxes["onepole1"].y > boxes["sine1"].y + 26 and boxes["gain1"].y > boxes["onepole1"].y + 26
    assert boxes["out1"].y - boxes["gain1"].y == 50
    assert chain.selection.nodes == {"onepole1"}
    chain.undo()
    settled(chain)
    assert session.patch.document.place("gain1") == (40, 90) and "onepole1" not in session.patch.graph


def test_a_typed_object_that_does_not_fit_the_cable_comes_beside_it_and_says_why(chain: Editing) -> None:
    chain.selection.only((), {Cable.parse("sine1.y -> gain1.x")})
    chain.actions["new-object"]()
    assert chain.objects.answer("out~")
    assert "out2" in chain.mirror.document.graph and "gives what is taken there" in chain.lines[-1]
    assert Cable.parse("sine1.y -> gain1.x") in chain.mirror.document.graph.cables


def test_shaking_takes_a_box_out_of_its_chain_with_the_move(chain: Editing, session: Session) -> None:
    x, y = middle(chain, "gain1")
    before = str(session.patch)
    chain.hands.press(x, y)
    for away in (60, 0, 60, 0, 300):
        chain.hands.move(x + away, y)
    assert isinstance(chain.hands.doing, Moving) and chain.hands.doing.loose
    assert {str(cable) for cable in chain.hands.loose} == {"sine1.y -> gain1.x", "gain1.y -> out1.x"}
    chain.hands.release(x + 300, y)
    settled(chain)
    assert cables(session) == ["sine1.y -> out1.x"]
    assert session.patch.document.place("gain1") == (340, 200)
    chain.undo()
    settled(chain)
    assert str(session.patch) == before


@pytest.mark.parametrize(("step_s", "swing", "shaken"), [(0.1, 30, True), (0.8, 30, False), (0.1, 5, False)])
def test_a_shake_is_quick_and_wide(step_s: float, swing: float, shaken: bool) -> None:
    times = count(0.0, step_s)
    shake = Shake(lambda: next(times))
    assert any(shake.move(swing * (turn % 2)) for turn in range(8)) is shaken


@pytest.mark.parametrize("key", ["alt", "ctrl"])
def test_alt_and_a_drag_copies(chain: Editing, session: Session, key: str) -> None:
    x, y = middle(chain, "gain1")
    chain.hands.held = {key}
    chain.hands.press(x, y)
    chain.hands.move(x + 200, y + 10)
    assert isinstance(chain.hands.doing, Copying)
    chain.hands.release(x + 200, y + 10)
    settled(chain)
    assert session.patch.document.place("gain1") == (40, 200)
    assert session.patch.document.place("gain2") == (240, 210)
    assert chain.selection.nodes == {"gain2"} and session.patch.graph.value("gain2", "gain") == 0.2
    chain.hands.press(*middle(chain, "gain1"))
    chain.hands.release(*middle(chain, "gain1"))
    assert len(session.patch.graph) == 4  # a click copies nothing


def test_with_shift_cables_are_laid_one_after_another(chain: Editing, session: Session) -> None:
    for number in range(2):
        made(chain, "gain~ 1", (300 + 150 * number, 200))
    chain.hands.held = {"shift"}
    drag(chain, port(chain, "sine1", "y", True), port(chain, "gain2", "x", False))
    assert isinstance(chain.hands.doing, Wiring) and chain.hands.doing.start.node == "sine1"
    chain.hands.held = set()
    drag(chain, (200, 200), port(chain, "gain3", "x", False))
    assert chain.hands.doing is None
    settled(chain)
    assert {"sine1.y -> gain2.x", "sine1.y -> gain3.x"} < set(cables(session))
    chain.hands.held = {"shift"}
    drag(chain, port(chain, "sine1", "y", True), port(chain, "gain2", "gain", False))
    drag(chain, (600, 500), (640, 520))  # let go in the void, it asks for nothing
    assert chain.hands.doing is None and chain.objects.asked is None


def test_the_end_of_a_selected_cable_is_taken_elsewhere(chain: Editing, session: Session) -> None:
    made(chain, "gain~ 1", (300, 200))
    settled(chain)
    cable = Cable.parse("sine1.y -> gain1.x")
    chain.selection.only((), {cable})
    chain.hands.press(*port(chain, "gain1", "x", False))
    doing = chain.hands.doing
    assert isinstance(doing, Wiring) and doing.taken == cable and ("gain1", "x", False) in doing.fits
    chain.hands.move(*port(chain, "gain2", "x", False))
    chain.hands.release(*port(chain, "gain2", "x", False))
    settled(chain)
    assert cables(session) == ["gain1.y -> out1.x", "sine1.y -> gain2.x"]
    assert [str(found) for found in chain.selection.cables] == ["sine1.y -> gain2.x"]
    chain.undo()
    settled(chain)
    assert cables(session) == ["gain1.y -> out1.x", "sine1.y -> gain1.x"]
    chain.hands.held = {"alt"}  # of one that is not selected; the beginning too
    drag(chain, port(chain, "gain1", "y", True), port(chain, "gain2", "y", True))
    drag(chain, port(chain, "gain1", "x", False), (700, 400))  # in the void it goes
    settled(chain)
    assert cables(session) == ["gain2.y -> out1.x"]


def test_an_end_put_back_where_it_was_changes_nothing(chain: Editing, session: Session) -> None:
    revision = session.revision
    chain.hands.held = {"alt"}
    drag(chain, port(chain, "gain1", "x", False), port(chain, "gain1", "x", False))
    assert not chain.mirror.waiting and session.revision == revision


@pytest.mark.parametrize("by", ["ctrl+alt", "the action"])
def test_a_stroke_cuts_the_cables_that_it_crosses(chain: Editing, session: Session, by: str) -> None:
    if by == "the action":
        chain.actions["cut-cables"]()
    else:
        chain.hands.held = {"ctrl", "alt"}
    x, y = between(chain, "sine1.y -> gain1.x")
    chain.hands.press(x + 100, y)
    chain.hands.move(x - 60, y + 4)
    assert isinstance(chain.hands.doing, Cutting) and len(chain.hands.doing.cables) == 1
    chain.hands.move(x - 100, y + 200)
    assert len(chain.hands.doing.cables) == 1  # the line, not the way of the hand
    chain.hands.release(x - 60, y + 4)
    settled(chain)
    assert cables(session) == ["gain1.y -> out1.x"] and not chain.hands.cuts
    chain.undo()
    settled(chain)
    assert len(cables(session)) == 2


def test_one_that_is_taken_out_leaves_its_chain_joined(chain: Editing, session: Session) -> None:
    made(chain, "svf~ 800", (300, 100))
    made(chain, "sine~ 1", (300, 40))
    chain.selection.only((), {Cable.parse("sine1.y -> gain1.x")})
    join(chain, "sine2.y -> svf1.cutoff")
    chain.splicing.cut()
    chain.hands.cancel()
    before = str(session.patch)
    chain.selection.only(["gain1"])
    chain.actions["dissolve"]()
    settled(chain)
    assert cables(session) == ["sine1.y -> out1.x", "sine2.y -> svf1.cutoff"]
    chain.undo()
    settled(chain)
    assert str(session.patch) == before


def test_what_moves_a_control_does_not_go_through(chain: Editing, session: Session) -> None:
    made(chain, "sine~ 1", (300, 40))
    join(chain, "sine2.y -> gain1.gain")
    chain.selection.only(["gain1"])
    chain.actions["take-cables-off"]()
    settled(chain)
    assert cables(session) == ["sine1.y -> out1.x"] and len(session.patch.graph) == 4


def test_several_in_a_row_are_taken_out_at_once(chain: Editing, session: Session) -> None:
    made(chain, "onepole~", (40, 280))
    chain.selection.only((), {Cable.parse("gain1.y -> out1.x")})
    chain.actions["new-object"]()
    assert chain.objects.answer("svf~")
    chain.selection.only(["gain1", "svf1"])
    chain.actions["dissolve"]()
    settled(chain)
    assert cables(session) == ["sine1.y -> out1.x"]


def test_replacing_keeps_values_and_cables_that_fit(chain: Editing, session: Session) -> None:
    made(chain, "svf~ 700 0.3", (40, 280))
    chain.selection.only(["svf1"])
    join(chain, "sine1.y -> svf1.x", "svf1.low -> out1.x")
    chain.actions["replace"]()
    assert chain.objects.replacing == ["svf1"]
    assert chain.objects.answer("onepole~")
    settled(chain)
    assert session.patch.graph.node("svf1").kind == "onepole~"
    assert session.patch.graph.value("svf1", "cutoff") == 700
    assert {"sine1.y -> svf1.x", "svf1.y -> out1.x"} < set(cables(session))  # low is y there
    chain.undo()
    settled(chain)
    assert {"sine1.y -> svf1.x", "svf1.low -> out1.x"} < set(cables(session))


def test_several_of_a_kind_are_replaced_together(chain: Editing, session: Session) -> None:
    made(chain, "sine~ 330", (300, 40))
    join(chain, "sine2.y -> gain1.x")
    chain.selection.only(["sine1", "sine2", "gain1"])
    chain.actions["replace"]()
    assert chain.objects.asked is None and "several kinds" in chain.lines[-1]
    chain.selection.only(["sine1", "sine2"])
    chain.actions["replace"]()
    assert chain.objects.answer("saw~")
    settled(chain)
    assert [session.patch.graph.value(node, "freq") for node in ("sine1", "sine2")] == [220, 330]
    assert cables(session) == ["gain1.y -> out1.x", "sine1.y -> gain1.x", "sine2.y -> gain1.x"]
    assert chain.mirror.undo_label == "Replace 2 nodes"


def test_an_object_below_is_joined(editing: Editing, session: Session) -> None:
    editing.actions["new-object-below"]()  # nothing is selected: just a new one
    assert editing.objects.answer("sine~ 220")
    for text in ("gain~ 0.1", "out~"):
        editing.actions["new-object-below"]()
        assert editing.objects.answer(text)
    settled(editing)
    assert cables(session) == ["gain1.y -> out1.x", "sine1.y -> gain1.x"]
    boxes = editing.scene.boxes
    assert boxes["sine1"].x == boxes["gain1"].x == boxes["out1"].x
    editing.selection.only(["sine1"])
    editing.actions["new-object-below"]()
    assert editing.objects.answer("gain~")
    assert not boxes["gain1"].meets(*(getattr(editing.scene.boxes["gain2"], name) for name in ("x", "y", "x", "y")))


def test_a_duplicate_may_keep_its_cables(chain: Editing, session: Session) -> None:
    chain.selection.only(["gain1"])
    chain.actions["duplicate-connected"]()
    settled(chain)
    assert set(cables(session)) == {
        "sine1.y -> gain1.x", "gain1.y -> out1.x", "sine1.y -> gain2.x", "gain2.y -> out1.x",
    }  # fmt: skip
    chain.undo()
    settled(chain)
    assert len(cables(session)) == 2


def test_edges_snap_to_those_of_others_but_not_with_alt(chain: Editing, session: Session) -> None:
    made(chain, "onepole~", (300, 100))
    settled(chain)
    x, y = middle(chain, "onepole1")
    chain.hands.press(x, y)
    chain.hands.move(x + 2 - 260, y + 183)
    doing = chain.hands.doing
    assert isinstance(doing, Moving) and doing.by == (-260, 183)  # as far to the left as the others
    assert [line[0] for line in doing.guides] == [40]
    chain.hands.held = {"alt"}
    chain.hands.move(x + 3 - 260, y + 183)
    assert doing.by == (-257, 183) and not doing.guides
    chain.hands.held = set()
    chain.hands.release(x + 2 - 260, y + 183)
    settled(chain)
    assert session.patch.document.place("onepole1") == (40, 283)
