"""The mouse on the canvas: select, move as one step, wire by core's rules, pan, zoom at the cursor."""

from __future__ import annotations

import pytest

from nodegraph.core.cable import Cable
from nodegraph.core.ports import CableKind
from nodegraph.editor.editing import Editing
from nodegraph.editor.hands import MIDDLE
from nodegraph.editor.objecttext import offers
from nodegraph.editor.viewport import LARGEST, SMALLEST, Viewport
from nodegraph.session.session import Session
from tests.editor.editors import drag, made, middle, port, settled


@pytest.fixture
def chain(editing: Editing) -> Editing:
    for text, y in (("sine~ 220", 40), ("gain~ 0.2", 120), ("out~", 200)):
        made(editing, text, (40, y))
    settled(editing)
    return editing


def test_a_cable_is_drawn_from_an_outlet_to_an_inlet(chain: Editing, session: Session) -> None:
    drag(chain, port(chain, "sine1", "y", True), port(chain, "gain1", "x", False))
    drag(chain, port(chain, "out1", "x", False), port(chain, "gain1", "y", True))  # and backward
    settled(chain)
    assert [str(cable) for cable in session.patch.graph.cables] == ["gain1.y -> out1.x", "sine1.y -> gain1.x"]


def test_only_what_core_allows_is_offered(chain: Editing, session: Session) -> None:
    made(chain, "spectrum~", (300, 40))
    start = port(chain, "spectrum1", chain.scene.boxes["spectrum1"].outlets[0].name, True)
    chain.hands.press(*start)
    wiring = chain.hands.doing
    assert wiring is not None and ("gain1", "x", False) not in wiring.fits
    chain.hands.release(*port(chain, "gain1", "x", False))
    assert not chain.mirror.document.graph.cables
    assert "gain1" in chain.lines[-1]  # it says why


def test_a_cable_let_go_on_a_box_takes_the_nearest_inlet_that_fits(chain: Editing) -> None:
    drag(chain, port(chain, "sine1", "y", True), middle(chain, "gain1"))
    assert Cable.parse("sine1.y -> gain1.x") in chain.mirror.document.graph.cables


def test_a_cable_let_go_in_the_void_asks_for_an_object_and_joins_it(chain: Editing, session: Session) -> None:
    drag(chain, port(chain, "sine1", "y", True), (500, 400))
    assert chain.objects.asked is not None
    kinds = chain.mirror.document.graph.registry
    offered = offers("", kinds, 500, chain.objects.hangs())
    takes = {spec.kind for spec in kinds if any(CableKind.SIGNAL in inlet.takes for inlet in spec.inlets)}
    assert {item.kind for item in offered} == takes < {spec.kind for spec in kinds}
    assert chain.objects.answer("svf~ 800")
    settled(chain)
    assert [str(cable) for cable in session.patch.graph.cables] == ["sine1.y -> svf1.x"]
    chain.undo()
    settled(chain)
    assert "svf1" not in session.patch.graph


def test_moving_several_is_one_step(chain: Editing, session: Session) -> None:
    chain.chosen.select_all()
    steps = session.revision
    x, y = middle(chain, "gain1")
    drag(chain, (x, y), (x + 30 * chain.viewport.zoom, y + 10 * chain.viewport.zoom))
    settled(chain)
    assert session.revision == steps + 1
    assert session.patch.document.place("sine1") == (70, 50)
    assert session.patch.document.place("out1") == (70, 210)
    chain.undo()
    settled(chain)
    assert session.patch.document.place("gain1") == (40, 120)


def test_a_click_is_no_move(chain: Editing, session: Session) -> None:
    revision = session.revision
    drag(chain, middle(chain, "gain1"), tuple(value + 1 for value in middle(chain, "gain1")))
    assert chain.selection.nodes == {"gain1"}
    assert session.revision == revision and not chain.mirror.waiting


def test_a_frame_selects_what_it_touches(chain: Editing) -> None:
    left, top = chain.viewport.screen(20, 100)
    right, bottom = chain.viewport.screen(60, 240)
    drag(chain, (left, bottom), (right, top))
    assert chain.selection.nodes == {"gain1", "out1"}
    chain.hands.press(*middle(chain, "sine1"), more=True)
    chain.hands.release(*middle(chain, "sine1"))
    assert chain.selection.nodes == {"gain1", "out1", "sine1"}
    drag(chain, (900, 600), (900, 600))
    assert not chain.selection


def test_a_cable_is_selected_and_removed(chain: Editing, session: Session) -> None:
    drag(chain, port(chain, "sine1", "y", True), port(chain, "gain1", "x", False))
    (ax, ay), (bx, by) = port(chain, "sine1", "y", True), port(chain, "gain1", "x", False)
    chain.hands.press((ax + bx) / 2, (ay + by) / 2)
    chain.hands.release((ax + bx) / 2, (ay + by) / 2)
    assert [str(cable) for cable in chain.selection.cables] == ["sine1.y -> gain1.x"]
    chain.chosen.delete()
    settled(chain)
    assert not session.patch.graph.cables and len(session.patch.graph) == 3


def test_letting_go_of_a_move_puts_boxes_back(chain: Editing) -> None:
    chain.hands.press(*middle(chain, "gain1"))
    chain.hands.move(700, 500)
    assert chain.scene.boxes["gain1"].y != 120
    chain.chosen.let_go()
    assert chain.scene.boxes["gain1"].y == 120
    assert not chain.mirror.waiting


def test_a_move_goes_on_while_another_edits(chain: Editing, session: Session) -> None:
    chain.hands.press(*middle(chain, "gain1"))
    x, y = middle(chain, "gain1")
    chain.hands.move(x + 50, y)
    at = chain.scene.boxes["gain1"].x
    made(chain, "float", (300, 300))
    assert chain.scene.boxes["gain1"].x == at > 40
    chain.hands.release(x + 50, y)
    settled(chain)
    assert session.patch.document.place("gain1") == (round(at), 120)


def test_a_cable_is_joined_though_another_edits_between_the_last_move_and_the_release(chain: Editing) -> None:
    chain.hands.press(*port(chain, "sine1", "y", True))
    end = port(chain, "gain1", "x", False)
    chain.hands.move(*end)
    made(chain, "float", (300, 300))
    chain.hands.release(*end)
    assert Cable.parse("sine1.y -> gain1.x") in chain.mirror.document.graph.cables


def test_boxes_are_tidied_and_aligned_as_one_step_each(chain: Editing, session: Session) -> None:
    drag(chain, port(chain, "sine1", "y", True), port(chain, "gain1", "x", False))
    drag(chain, port(chain, "gain1", "y", True), port(chain, "out1", "x", False))
    settled(chain)
    chain.selection.only(["gain1"])
    chain.chosen.nudge(300.0, -90.0)
    settled(chain)
    crooked = {id: session.patch.document.place(id) for id in chain.scene.boxes}
    chain.actions["tidy"]()
    settled(chain)
    tops = [session.patch.document.place(id)[1] for id in ("sine1", "gain1", "out1")]
    assert tops == sorted(tops) and len(set(tops)) == 3
    chain.selection.only(["gain1", "out1"])
    chain.actions["align-right"]()
    settled(chain)
    boxes = chain.scene.boxes
    assert boxes["gain1"].x + boxes["gain1"].width == pytest.approx(boxes["out1"].x + boxes["out1"].width, abs=1)
    for label in ("Align right", "Tidy up"):
        assert chain.mirror.undo_label == label
        chain.undo()
        settled(chain)
    assert {id: session.patch.document.place(id) for id in chain.scene.boxes} == crooked


def test_the_wheel_zooms_at_the_cursor_within_bounds() -> None:
    view = Viewport(10.0, 20.0, 1.0)
    before = view.patch(300, 200)
    view.zoom_at(300, 200, 3)
    assert view.zoom == pytest.approx(1.15**3)
    assert view.patch(300, 200) == pytest.approx(before)
    view.zoom_at(300, 200, 100)
    assert view.zoom == LARGEST and view.patch(300, 200) == pytest.approx(before)
    view.zoom_at(300, 200, -100)
    assert view.zoom == SMALLEST and view.patch(300, 200) == pytest.approx(before)


def test_the_middle_button_pans(chain: Editing) -> None:
    x, y = chain.viewport.x, chain.viewport.y
    drag(chain, (400, 400), (430, 380), button=MIDDLE)
    assert (chain.viewport.x, chain.viewport.y) == (x + 30, y - 20)
    assert chain.hands.doing is None
