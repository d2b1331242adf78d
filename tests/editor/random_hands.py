"""Somebody who does anything at all in an editor, by a seed: for tests."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from difflib import unified_diff
from typing import Final

from nodegraph.core.commands import Move
from nodegraph.core.errors import NodegraphError
from nodegraph.core.patchfile import dumps
from nodegraph.editor.editing import Editing
from nodegraph.editor.hands import LEFT, MIDDLE, RIGHT
from nodegraph.editor.keys import ACTIONS
from nodegraph.session.session import Session
from tests.editor.editors import middle, until

WORDS: Final = (
    "sine~ 220", "cycle~ 330", "saw~", "gain~ 0.2", "svf~ 800 0.4", "onepole~", "out~", "float 3", "+ 2", "metro 0.5",
    "spectrum~", "noise~", "delay~ 0.3", "adsr~", "*~", "expr~ x1+x2+x3", "nothing.such 1", "svf~ zero", "", "unpack",
)  # fmt: skip
ELSEWHERE: Final = {"save", "play", "quit", "keys", "undo", "redo"}
"""Actions that are no edits, need a window, or are done in ways of their own."""

UNLOCKS = 0.2
"""How often the modes are left: who is locked out of editing for half of the time tries little."""


class Somebody:
    """One who presses, drags, types and undoes without sense."""

    def __init__(self, editing: Editing, session: Session, seed: int) -> None:
        self.editing, self.session = editing, session
        self.chance = random.Random(seed)
        self.done: Counter[str] = Counter()
        self.actions = [action.name for action in ACTIONS if self.may(action.name)]
        self.kinds: list[tuple[int, Callable[[], None]]] = [
            (14, self.type), (10, self.press), (24, self.move), (14, self.release), (18, self.act), (3, self.wheel),
            (6, self.wire), (7, self.take), (4, self.number), (3, self.rename), (6, self.step), (3, self.stray),
            (2, self.double), (2, self.hold),
        ]  # fmt: skip

    def may(self, name: str) -> bool:
        """Whether an action is one of the editor without a window, and not one of those elsewhere."""
        return name in self.editing.actions and name not in ELSEWHERE

    def do(self, count: int) -> None:
        """So many things, and now and then wait, and compare."""
        weights = [weight for weight, _ in self.kinds]
        for number in range(count):
            ((_, call),) = self.chance.choices(self.kinds, weights)
            self.done[call.__name__] += 1
            call()
            self.editing.turn()
            if self.chance.random() < UNLOCKS:
                self.unlock()
            if number % 25 == 24:
                self.compare()
        self.editing.objects.answer(None)
        self.editing.hands.cancel()
        self.unlock()
        while self.editing.sheets.top is not self.editing.sheets.open[0]:
            self.editing.actions["leave-subpatch"]()
        self.compare()

    def unlock(self) -> None:
        """Out of the modes in which little can be edited."""
        self.editing.modes.leave()
        if self.editing.modes.locked:
            self.editing.actions["lock"]()

    def compare(self) -> None:
        """Here and there are the same, and what is drawn is what there is."""
        editing = self.editing
        root, link = editing.sheets.open[0].mirror, editing.link
        until(
            editing, lambda: not link._waiting and not any(mirror.waiting for mirror in editing.sheets.mirrors)
            and root.revision == self.session.revision, "that all is answered and told",
        )  # fmt: skip
        with self.session.turn:
            here, there = dumps(root.document), str(self.session.patch)
        assert here == there, "\n".join(unified_diff(here.splitlines(), there.splitlines(), lineterm=""))
        graph = editing.mirror.document.graph
        if editing.modes.presenting:
            presented = editing.mirror.document.presentation.keys()
            assert editing.scene.boxes.keys() == graph.nodes.keys() & presented
        else:
            assert editing.scene.boxes.keys() == graph.nodes.keys()
        assert editing.selection.nodes <= graph.nodes.keys()
        assert editing.selection.cables <= set(graph.cables)

    # -- what is done

    def place(self) -> tuple[float, float]:
        """Anywhere: on a box, at a port, on a cable, in the void, outside."""
        editing, chance = self.editing, self.chance
        boxes = list(editing.scene.boxes.values())
        what = chance.random()
        if boxes and what < 0.35:
            return middle(editing, chance.choice(boxes).node)
        if boxes and what < 0.7:
            box = chance.choice(boxes)
            ports = (*box.inlets, *box.outlets)
            if ports:
                return editing.viewport.screen(*box.place(chance.choice(ports)))
        cables = list(editing.mirror.document.graph.cables)
        if cables and what < 0.85:
            ends = editing.scene.ends(chance.choice(cables))
            if ends is not None:
                (ax, ay), (bx, by) = ends
                return editing.viewport.screen((ax + bx) / 2, (ay + by) / 2)
        return chance.uniform(-50, editing.size[0] + 50), chance.uniform(-50, editing.size[1] + 50)

    def type(self) -> None:
        objects = self.editing.objects
        if objects.asked is None:
            self.editing.ask_for_object(*self.editing.viewport.patch(*self.place()))
        if not objects.answer(self.chance.choice(WORDS)):
            objects.answer(None)

    def press(self) -> None:
        self.editing.hands.press(*self.place(), self.chance.choice((LEFT, LEFT, LEFT, LEFT, MIDDLE, RIGHT)))

    def move(self) -> None:
        self.editing.hands.move(*self.place())

    def release(self) -> None:
        if self.editing.hands.doing is not None:
            self.editing.hands.release(*self.place())

    def wire(self) -> None:
        """A whole drag."""
        hands = self.editing.hands
        hands.press(*self.place())
        hands.move(*self.place())
        hands.release(*self.place())

    def take(self) -> None:
        """Select a few."""
        every = list(self.editing.scene.boxes)
        cables = list(self.editing.mirror.document.graph.cables)
        chosen = self.chance.sample(every, min(len(every), self.chance.randint(0, 3)))
        self.editing.selection.only(chosen, self.chance.sample(cables, min(len(cables), self.chance.randint(0, 1))))

    def act(self) -> None:
        name = self.chance.choice(self.actions)
        self.done[name] += 1
        self.editing.actions[name]()

    def step(self) -> None:
        (self.editing.undo if self.chance.random() < 0.6 else self.editing.redo)()

    def wheel(self) -> None:
        self.editing.hands.wheel(*self.place(), self.chance.choice((-3.0, -1.0, 1.0, 3.0)))

    def double(self) -> None:
        self.editing.hands.double(*self.place())

    def hold(self) -> None:
        """Other modifiers, or the space bar."""
        held = self.chance.choice(((), (), ("shift",), ("alt",), ("ctrl", "alt"), ("ctrl",)))
        self.editing.hands.held = frozenset(held)
        self.editing.hands.space = self.chance.random() < 0.1

    def number(self) -> None:
        """A value is dragged, stored, or put back."""
        graph = self.editing.mirror.document.graph
        places = [
            (id, control) for id, entry in graph.nodes.items() if entry.spec for control in entry.spec.controls
        ]  # fmt: skip
        if not places:
            return
        node, control = self.chance.choice(places)
        value = self.chance.choice((None, 0.0, 0.5, 1.0, 220.0, -1e9))
        if value is not None and self.chance.random() < 0.5:
            self.editing.move_control(node, control.name, value)
        self.editing.set_value(node, control.name, value)

    def rename(self) -> None:
        every = list(self.editing.scene.boxes)
        if every:
            self.editing.objects.rename(self.chance.choice(every), self.chance.choice(("a", "b", "voice1", "no good")))

    def stray(self) -> None:
        """Another program edits at the same time."""
        every = list(self.session.patch.graph.nodes)
        if every:
            node = self.chance.choice(every)
            at = [self.chance.randint(0, 600), self.chance.randint(0, 600)]
            try:
                self.session.edit([Move({node: at})], by="another")
            except NodegraphError:
                self.done["too late"] += 1  # this editor took it away meanwhile
