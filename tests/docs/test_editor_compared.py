"""docs/editor-compared.md: what it says of this editor is done, action by action, and never takes more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from nodegraph import Patch
from nodegraph.core.cable import Cable
from nodegraph.core.commands import Add, Connect
from nodegraph.editor.editing import Editing
from nodegraph.editor.hands import Point
from nodegraph.editor.keys import Keys
from nodegraph.server.server import Server
from nodegraph.session.session import Session
from tests.editor.editors import drag, joined, middle, settled

PAGE = (Path(__file__).parents[2] / "docs" / "editor-compared.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([A-Z][^|]+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE)
COUNTS = {task: tuple(int(count) for count in counts) for task, *counts in ROWS}
KEYS = Keys()


class Counting:
    """Somebody whose every action is counted."""

    def __init__(self, editing: Editing) -> None:
        self.editing = editing
        self.actions = 0
        self._text: str | None = None

    def key(self, chord: str) -> None:
        """Keys that go down together. In the object's field, Enter is for what was typed there."""
        self.actions += 1
        if self.editing.objects.asked is not None and chord in ("enter", "shift+enter"):
            assert self._text is not None and self.editing.objects.answer(self._text), list(self.editing.lines)
            if chord == "shift+enter":
                self.editing.objects.below()
        else:
            self.editing.actions[KEYS.action[chord]]()
        settled(self.editing)

    def text(self, text: str) -> None:
        """A text, into the object's field."""
        self.actions += 1
        assert self.editing.objects.asked is not None
        self._text = text

    def click(self, at: Point, *held: str) -> None:
        self.drag(at, at, *held)

    def drag(self, start: Point, end: Point, *held: str) -> None:
        self.actions += 1
        self.editing.hands.held = frozenset(held)
        drag(self.editing, start, end)
        self.editing.hands.held = frozenset()
        settled(self.editing)

    def drag_value(self, name: str, to: float) -> None:
        """A number beside the patch: of the object that is selected."""
        self.actions += 1
        (node,) = self.editing.selection.nodes
        for part in (0.3, 0.7, 1.0):
            self.editing.move_control(node, name, part * to)
        assert self.editing.set_value(node, name, to)
        settled(self.editing)


@pytest.fixture
def session() -> Iterator[Session]:
    with Session(Patch(), driver="null") as made:
        made.play()  # as the engine of an editor does
        yield made


@pytest.fixture
def hand(session: Session) -> Iterator[Counting]:
    with Server(session) as server, joined(server) as editing:
        yield Counting(editing)


def has(hand: Counting, task: str) -> None:
    """It took as many actions as the page says, which are no more than elsewhere."""
    here, *elsewhere = COUNTS[task]
    assert hand.actions == here <= min(elsewhere)


def chain(hand: Counting) -> None:
    """What is there before: a sine, a gain, an output, joined."""
    assert hand.editing.do([
        Add("osc", "sine~", {}, (200, 40)), Add("level", "gain~", {}, (200, 160)), Add("out", "out~", {}, (200, 300)),
        Connect("osc.y -> level.x"), Connect("level.y -> out.x"),
    ])  # fmt: skip
    settled(hand.editing)


def test_a_sine_to_the_speakers_and_another_pitch(hand: Counting, session: Session) -> None:
    hand.key("n")
    hand.text("sine~ 220")
    hand.key("shift+enter")
    hand.text("out~")
    hand.key("enter")
    assert [str(cable) for cable in session.patch.graph.cables] == ["sine1.y -> out1.x"]
    assert session.playing is not None and session.playing.running
    hand.click(middle(hand.editing, "sine1"))
    hand.drag_value("freq", 330.0)
    assert session.patch.graph.value("sine1", "freq") == 330.0
    has(hand, "A sine to the speakers, and another pitch")


def test_a_filter_between_two_objects_that_are_joined(hand: Counting, session: Session) -> None:
    chain(hand)
    (ax, ay), (bx, by) = hand.editing.scene.ends(Cable.parse("osc.y -> level.x")) or ((0, 0), (0, 0))
    hand.click(hand.editing.viewport.screen((ax + bx) / 2, (ay + by) / 2))
    hand.key("n")
    hand.text("svf~ 800")
    hand.key("enter")
    cables = {str(cable) for cable in session.patch.graph.cables}
    assert cables == {"osc.y -> svf1.x", "svf1.low -> level.x", "level.y -> out.x"}
    has(hand, "A filter between two objects that are joined")


def test_a_slider_that_moves_a_parameter(hand: Counting, session: Session) -> None:
    chain(hand)
    hand.click(middle(hand.editing, "level"))
    hand.drag_value("gain", 0.25)
    assert session.patch.graph.value("level", "gain") == 0.25
    has(hand, "A slider that moves a parameter")


def test_the_help_of_an_object(hand: Counting) -> None:
    chain(hand)
    helped: list[set[str]] = []
    hand.editing.actions["help"] = lambda: helped.append(set(hand.editing.selection.nodes))
    hand.click(middle(hand.editing, "level"), "alt")
    assert helped == [{"level"}]
    has(hand, "The help of an object")


def test_a_second_voice_joined_as_the_first(hand: Counting, session: Session) -> None:
    chain(hand)
    assert hand.editing.do(
        [Add("cut", "svf~", {}, (200, 220)), Connect("level.y -> cut.x"), Connect("cut.low -> out.x")]
    )
    settled(hand.editing)
    screen = hand.editing.viewport.screen
    hand.drag(screen(150, 150), screen(360, 260))
    assert hand.editing.selection.nodes == {"level", "cut"}
    hand.key("ctrl+alt+c")
    come = {str(cable) for cable in session.patch.graph.cables if "2" in str(cable)}
    assert come == {"osc.y -> level2.x", "level2.y -> cut2.x", "level2.y -> out.x", "cut2.low -> out.x"}
    has(hand, "A second voice, joined as the first")


def test_it_counts_all_five() -> None:
    assert len(COUNTS) == 5 and all(f"**{task}.**" in PAGE for task in COUNTS)
