"""The first time, without a window: each step is fulfilled by doing it, and it comes once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nodegraph import Patch
from nodegraph.core.commands import Connect
from nodegraph.editor.editing import Editing
from nodegraph.editor.settings import Settings
from nodegraph.editor.tour import OVER, STEPS, first_patch
from nodegraph.server.server import Server
from nodegraph.session.session import Session
from tests.editor.editors import joined, made, settled, until


@pytest.fixture
def first(tmp_path: Path) -> Iterator[Editing]:
    """The patch of the first time, open."""
    source = first_patch()
    assert source is not None
    path = tmp_path / "first.ng"
    path.write_bytes(source.read_bytes())
    with Session(Patch.open(path), driver="null") as session, Server(session) as server:
        with joined(server, settings=Settings(tmp_path / "editor.json")) as editing:
            yield editing
        session.stop()


def test_each_step_is_done_by_doing_it(first: Editing) -> None:
    tour = first.tour
    tour.wanted = True
    assert tour.turn() and tour.number == 0 and not tour.turn()

    first.link.ask("play", first.tell_problems)  # as the engine does when it comes up
    until(first, lambda: first.playing, "that it plays")
    assert not tour.turn(), "what begins by itself is not done by whoever sits here"
    first.play_or_stop()
    assert tour.turn() and tour.number == 1
    until(first, lambda: not first.playing, "that it is silent")
    assert first.selection.nodes == {"tone"} and "'cutoff'" in tour.words

    assert not tour.turn()
    first.move_control("tone", "cutoff", 1234.0)
    assert tour.turn() and tour.number == 2
    assert tour.ends() == ("swell", "tone", "cutoff")
    assert "'lfo~'" in tour.words and "'svf~'" in tour.words  # what stands in the boxes

    assert first.do([Connect("swell.y -> tone.cutoff")])
    assert tour.turn() and tour.number == 3 and tour.ends() is None

    made(first, "pink~", (300, 300))
    assert tour.turn() and tour.number == 4 and not tour.turn()
    settled(first)

    first.undo()
    until(first, lambda: tour.turn(), "that it is undone")
    assert tour.number is None and first.lines[-1] == OVER
    assert Settings(first.settings.path)["toured"] is True


def test_back_and_skip_and_the_end(first: Editing) -> None:
    tour, actions = first.tour, first.actions
    actions["tour-back"]()
    actions["tour-skip"]()
    assert tour.number is None and not first.settings["toured"]
    actions["tour"]()
    actions["tour-back"]()
    assert tour.number == 0
    actions["tour-skip"]()
    actions["tour-skip"]()
    assert tour.number == 2
    first.do([Connect("swell.y -> tone.cutoff")])
    assert tour.turn() and tour.number == 3
    actions["tour-back"]()
    assert tour.number == 2 and not tour.turn(), "what was done before does not count again"
    assert "an outlet of a box" in tour.words  # the two are joined already
    for _ in STEPS:
        actions["tour-skip"]()
    assert tour.number is None and first.settings["toured"]
    actions["tour"]()
    assert tour.number == 0
    actions["tour"]()
    assert tour.number is None


def test_it_speaks_of_any_patch(editing: Editing) -> None:
    for number in range(len(STEPS)):
        editing.tour.number = number
        assert editing.tour.words and "{" not in editing.tour.words
    assert editing.tour.value() is None and editing.tour.ends() is None


def test_what_it_speaks_of_is_in_its_patch(first: Editing) -> None:
    assert first.tour.value() == ("tone", "cutoff") and first.tour.ends() is not None
    graph = first.mirror.document.graph
    assert first.actions.keys() >= {"undo", "play", "new-object"}
    entry = graph.node("tone")
    assert entry.spec is not None and "cutoff" in entry.spec.inlet_named
