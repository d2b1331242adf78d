"""Editors without a window, for tests: joined to a session that plays to nobody."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from nodegraph.editor.editing import Editing
from nodegraph.editor.link import place_of
from nodegraph.server.server import Server

PATIENCE_S = 60.0


class Waker:
    """Wakes who waits for the line."""

    def __init__(self) -> None:
        self.event = threading.Event()

    def __call__(self) -> None:
        self.event.set()


@contextmanager
def joined(server: Server, **options: Any) -> Iterator[Editing]:
    """An editor that has the document of a session."""
    wake = Waker()
    editing = Editing(place_of(server.url), wake=wake, **options)
    editing.waker = wake  # type: ignore[attr-defined]
    try:
        until(editing, lambda: editing.mirror.ready, "the document")
        yield editing
    finally:
        editing.close()


def until(editing: Editing, true: Callable[[], Any], what: str) -> None:
    """Let time pass for an editor until something is true."""
    wake: Waker = editing.waker  # type: ignore[attr-defined]
    end = time.monotonic() + PATIENCE_S
    while True:
        wake.event.clear()
        editing.turn()
        if true():
            return
        left = end - time.monotonic()
        assert left > 0 and wake.event.wait(left), f"it never came: {what}; said {list(editing.lines)[-5:]}"


def settled(editing: Editing) -> None:
    """Until all that was done is confirmed."""
    until(editing, lambda: not editing.mirror.waiting, "that all is confirmed")


def middle(editing: Editing, node: str) -> tuple[float, float]:
    """Where the middle of a box is seen."""
    box = editing.scene.boxes[node]
    return editing.viewport.screen(box.x + box.width / 2, box.y + box.height / 2)


def port(editing: Editing, node: str, name: str, out: bool) -> tuple[float, float]:
    """Where a port is seen."""
    found = editing.scene.port(node, name, out)
    assert found is not None, f"no port {node}.{name}"
    return editing.viewport.screen(*editing.scene.boxes[node].place(found))


def drag(editing: Editing, start: tuple[float, float], end: tuple[float, float], **press: Any) -> None:
    """Press, move in steps, let go."""
    hands = editing.hands
    hands.press(*start, **press)
    for step in range(1, 5):
        hands.move(start[0] + (end[0] - start[0]) * step / 4, start[1] + (end[1] - start[1]) * step / 4)
    hands.release(*end)


def made(editing: Editing, text: str, at: tuple[float, float]) -> str:
    """A new object; gives its id."""
    before = set(editing.mirror.document.graph.nodes)
    editing.ask_for_object(*at)
    assert editing.objects.answer(text), list(editing.lines)[-1]
    (new,) = set(editing.mirror.document.graph.nodes) - before
    return new
