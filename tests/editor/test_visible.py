"""What is drawn: all that is seen and nothing far away, and while boxes are carried the same as if worked out anew."""

from __future__ import annotations

import random

import pytest

from nodegraph.core.commands import Add, Connect
from nodegraph.editor.editing import Editing
from nodegraph.editor.visible import Visible
from tests.editor.editors import middle, settled


@pytest.fixture
def many(editing: Editing) -> Editing:
    commands = [Add(f"n{index}", "gain~", at=(index % 20 * 200, index // 20 * 150)) for index in range(200)]
    joined = [Connect(f"n{index}.y -> n{index + 20}.x") for index in range(0, 180, 3)]
    assert editing.do([*commands, *joined], "Many")
    settled(editing)
    editing.viewport.x = editing.viewport.y = 0.0
    editing.viewport.zoom = 1.0
    return editing


def test_what_is_far_away_is_left_out(many: Editing) -> None:
    visible = Visible(many)
    looks = visible.looks()
    assert "n0" in looks and "n199" not in looks
    width, height = many.size
    for id, box in many.scene.boxes.items():
        if box.meets(0.0, 0.0, width, height):
            assert id in looks
    for cable in many.mirror.document.graph.cables:
        (start, end) = many.scene.ends(cable)  # type: ignore[misc]
        if 0 <= start[0] <= width and start[1] <= height and end[1] >= 0:
            assert cable in looks


def test_a_cable_that_only_passes_is_drawn(many: Editing) -> None:
    assert many.do([Connect("n20.y -> n190.x"), Connect("n2.y -> n182.x")])
    many.viewport.x, many.viewport.y = -500.0, -640.0
    many.size = (300.0, 100.0)
    looks = Visible(many).looks()
    assert {str(key) for key in looks if not isinstance(key, str)} >= {"n2.y -> n182.x"}


def test_carried_boxes_look_as_if_all_were_worked_out_anew(many: Editing) -> None:
    visible = Visible(many)
    visible.looks()
    many.selection.only(["n0", "n1", "n21"])
    chance = random.Random(3)
    x, y = middle(many, "n1")
    many.hands.press(x, y)
    for _ in range(30):
        x, y = x + chance.uniform(-400, 500), y + chance.uniform(-300, 400)
        many.hands.move(x, y)
        assert visible.looks() == Visible(many).looks()
    many.hands.release(x, y)
    settled(many)
    assert visible.looks() == Visible(many).looks()


def test_a_little_panning_draws_nothing_anew(many: Editing) -> None:
    visible = Visible(many)
    before = visible.looks()
    many.viewport.pan(-50.0, -40.0)
    assert visible.looks() is before
    many.viewport.pan(-900.0, 0.0)
    assert visible.looks() is not before
