"""The editor without its window: the document, what is selected, what is shown, and every action by name."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, get_args

from nodegraph.core.commands import Add, Command, Connect, Rename, Replace, Set
from nodegraph.core.errors import NodegraphError, PatchError, Problem
from nodegraph.core.ports import Inlet, Outlet
from nodegraph.editor.arranging import Box as Shape
from nodegraph.editor.arranging import Direction, Edge, align, distribute, snap, tidy
from nodegraph.editor.clipboard import copied, pasted
from nodegraph.editor.hands import Hands
from nodegraph.editor.link import AWAY, Down, Link, News, Place, Up
from nodegraph.editor.mirror import Mirror
from nodegraph.editor.objecttext import Typed, parameters, typed
from nodegraph.editor.scene import HEIGHT, Scene, links, shapes
from nodegraph.editor.selection import Selection
from nodegraph.editor.viewport import Viewport
from nodegraph.editor.wiring import Wiring

LINES: Final = 500
NUDGE: Final = 10.0
STEP: Final = 20.0
GRID: Final = 10.0
ROOT: Final = "/patch"
Clip = tuple[Callable[[], str], Callable[[str], None]]


class Editing:
    """One editor of one session. All methods are called on one thread; call `turn` again and again."""

    def __init__(
        self, place: Place | Callable[[], Place | None], *, name: str = "editor", clipboard: Clip | None = None,
        wake: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        """`clipboard` reads and writes the system's; without it the editor has one of its own."""
        self.link = Link(place, f"{name} {secrets.token_hex(2)}", wake=wake)
        self.mirror = Mirror(self.link.ask, self.say)
        self.scene = Scene()
        self.selection = Selection()
        self.viewport = Viewport()
        self.hands = Hands(self)
        self.lines: deque[str] = deque(maxlen=LINES)
        self.playing = False
        self.lost: str | None = None
        """Why the engine is not tried again."""
        self.live: dict[str, float] = {}
        """Where controls stand that were moved, by address."""
        self.asked: tuple[float, float, Wiring | None] | None = None
        """Where an object is being asked for, and the cable that is to be joined to it."""
        self.changing: str | None = None
        """The node whose text is being changed."""
        self.size = (1200.0, 700.0)
        """Of the canvas, in points of the screen."""
        self.said = 0
        """Another number whenever something is said."""
        self._text = ""
        self._clipboard = clipboard or ((lambda: self._text), self._keep)
        self._seen = -1
        self._shown_once = False
        self._label = ""
        self.actions: dict[str, Callable[[], Any]] = {
            "save": self.save, "undo": self.undo, "redo": self.redo, "cut": self.cut, "copy": self.copy,
            "paste": self.paste, "duplicate": self.duplicate, "delete": self.delete, "select-all": self.select_all,
            "select-none": self.let_go, "new-object": self.new_object, "edit-object": self.edit_object,
            "move-left": lambda: self.nudge(-NUDGE, 0.0), "move-right": lambda: self.nudge(NUDGE, 0.0),
            "move-up": lambda: self.nudge(0.0, -NUDGE), "move-down": lambda: self.nudge(0.0, NUDGE),
            "next-object": lambda: self.step(1), "previous-object": lambda: self.step(-1),
            "zoom-in": lambda: self._zoom(2.0), "zoom-out": lambda: self._zoom(-2.0),
            "zoom-none": self._zoom_none, "show-all": self.show_all, "play": self.play_or_stop,
            "tidy": lambda: self.arrange("Tidy up", self._tidied),
            "snap": lambda: self.arrange("Snap to the grid", lambda boxes: snap(boxes, GRID)),
        }  # fmt: skip
        for edge in get_args(Edge):
            self.actions[f"align-{edge}"] = partial(self.arrange, f"Align {edge}", partial(align, edge=edge))
        for way in get_args(Direction):
            self.actions[f"distribute-{way}"] = partial(
                self.arrange, f"Distribute {way}", partial(distribute, direction=way)
            )

    def _keep(self, text: str) -> None:
        self._text = text

    # -- time

    def turn(self) -> bool:
        """Take in what has come. Whether anything looks otherwise now."""
        moved = False
        for event in self.link.drain():
            moved = True
            if isinstance(event, Up):
                self.playing = bool(event.hello["playing"])
                self.live.clear()
                self.say(f"Joined the engine at {self.link.place.shown if self.link.place else '?'}.")
                self.mirror.begin(event.hello)
            elif isinstance(event, Down):
                self.lost = event.why if event.final else None
                if self.link.up or not self.lines or self.lines[-1] != event.why:
                    self.say(event.why)
            else:
                self._hear(event)
        return self.follow() or moved

    def follow(self) -> bool:
        """Lay out anew if the document is another than last time."""
        if self._seen == self.mirror.version:
            return False
        self._seen = self.mirror.version
        self.scene.follow(self.mirror.document)
        self.selection.follow(self.mirror.document)
        self.hands.again()
        if self.mirror.ready and not self._shown_once:
            self._shown_once = True
            self.show_all()
        return True

    def _hear(self, news: News) -> None:
        data = news.data
        if news.topic == "log":
            self.say(f"{data['node']}: {data['text']}" if data["node"] else str(data["text"]))
        elif news.topic == "values":
            self.live.update(data["values"])
        elif news.topic == "playing":
            self.playing = bool(data["playing"])
            for problem in data.get("error", ()):
                self.say(Problem(**problem).describe())
        else:
            if news.topic == "changed":
                self._stored(data["commands"])
            elif news.topic == "opened":
                self.live.clear()
                self._shown_once = False
            elif news.topic == "saved":
                self.say(f"Saved: {data['path']}")
            self.mirror.hear(news.topic, data)

    def _stored(self, commands: Sequence[Mapping[str, Any]]) -> None:
        """What the patch stores anew is where it stands."""
        for command in commands:
            if command.get("do") == "set":
                for name in command["values"]:
                    self.live.pop(f"{ROOT}/{command['node']}/{name}", None)

    def say(self, text: str) -> None:
        """A line for whoever sits here."""
        self.lines.append(text)
        self.said += 1

    def close(self) -> None:
        """Hang up; the engine plays on."""
        self.link.close()

    @property
    def title(self) -> str:
        """For the window: what is edited, and whether it is saved."""
        where = "" if self.link.up else " – the engine is away" if self.mirror.ready else " – the engine comes up"
        return f"{'● ' if self.mirror.unsaved else ''}{self.mirror.title}{where} – nodegraph"

    # -- edits

    def do(self, commands: list[Command], label: str = "", merge: str | None = None) -> bool:
        """Carry out commands as one step. False when it cannot be, which is said."""
        if not self.link.up:
            self.say(AWAY.describe())
            return False
        done = self.mirror.edit(commands, label=label, merge=merge)
        self.follow()
        return done

    def undo(self) -> None:
        """Take the last step back, whoever did it."""
        self.mirror.undo()

    def redo(self) -> None:
        """Do again what was taken back last."""
        self.mirror.redo()

    def save(self) -> None:
        """Write the patch to its file."""
        self.link.ask("save", self.tell_problems)

    def play_or_stop(self) -> None:
        """Begin to play, or fade out."""
        self.link.ask("stop" if self.playing else "play", self.tell_problems)

    def tell_problems(self, answer: Mapping[str, Any]) -> None:
        """Say what is wrong, if anything is."""
        for problem in answer.get("error", ()):
            self.say(Problem(**problem).describe())

    def delete(self) -> None:
        """Take away what is selected."""
        commands = self.selection.removing(self.mirror.document)
        self.do(commands, "Delete" if len(commands) > 1 else "")

    def copy(self) -> bool:
        """What is selected, as patch text."""
        if not self.selection.nodes:
            return False
        self._clipboard[1](self._copied())
        return True

    def _copied(self) -> str:
        places = {id: (box.x, box.y) for id, box in self.scene.boxes.items()}
        nodes = [id for id in self.mirror.document.graph.nodes if id in self.selection.nodes]
        return copied(self.mirror.document, nodes, places)

    def cut(self) -> None:
        """Copy it and take it away."""
        if self.copy():
            self.do(self.selection.removing(self.mirror.document), "Cut")

    def paste(self) -> None:
        """What was copied, here or elsewhere: at the cursor, or a little beside where it was."""
        text = self._clipboard[0]()
        x, y = self.hands.at
        inside = 0.0 <= x < self.size[0] and 0.0 <= y < self.size[1]
        self._paste(text, "Paste", at=self.viewport.patch(x, y) if inside else None)

    def duplicate(self) -> None:
        """What is selected, once more, a little below."""
        if self.selection.nodes:
            self._paste(self._copied(), "Duplicate")

    def _paste(self, text: str, label: str, at: tuple[float, float] | None = None) -> None:
        try:
            made = pasted(text, self.mirror.document, by=(STEP, STEP), at=at)
        except NodegraphError as error:
            for problem in error.problems[:3]:
                self.say(problem.describe())
            return
        if self.do(made.commands, label):
            self.selection.only(made.nodes)

    def nudge(self, dx: float, dy: float) -> None:
        """Move what is selected by a little."""
        nodes = self.selection.nodes
        places = {id: (box.x + dx, box.y + dy) for id, box in self.scene.boxes.items() if id in nodes}
        self.do(self.selection.moving(self.mirror.document, places), merge="nudge")

    def arrange(self, label: str, how: Callable[[list[Shape]], Mapping[str, tuple[float, float]]]) -> None:
        """Put what is selected elsewhere as one step; all boxes, when fewer than two are."""
        every = self.scene.boxes
        chosen = self.selection.nodes if len(self.selection.nodes) > 1 else every.keys()
        places = how(shapes(box for id, box in every.items() if id in chosen))
        self.do(self.selection.moving(self.mirror.document, dict(places)), label)

    def _tidied(self, boxes: list[Shape]) -> Mapping[str, tuple[float, float]]:
        inside = {box.id: self.scene.boxes[box.id] for box in boxes}
        return tidy(boxes, links(inside, self.mirror.document.graph.cables))

    def select_all(self) -> None:
        """Every box."""
        self.selection.only(self.scene.boxes)

    def let_go(self) -> None:
        """Whatever the hand holds; else nothing is selected."""
        if self.hands.doing is not None:
            self.hands.cancel()
        else:
            self.selection.clear()

    def step(self, by: int) -> None:
        """Select the next box, from above to below."""
        order = sorted(self.scene.boxes.values(), key=lambda box: (box.y, box.x))
        if order:
            at = next((index for index, box in enumerate(order) if box.node in self.selection.nodes), None)
            index = (0 if by > 0 else -1) if at is None else (at + by) % len(order)
            self.selection.only([order[index].node])

    # -- values

    def number(self, node: str, name: str) -> float:
        """Where a control stands."""
        return float(self.live.get(f"{ROOT}/{node}/{name}", self.mirror.document.graph.value(node, name)))

    def move_control(self, node: str, name: str, value: float) -> None:
        """Move a control: the sound follows at once, the patch when it is let go (`set_value`)."""
        self.live[f"{ROOT}/{node}/{name}"] = value
        self.link.ask("set", self.tell_problems, values={f"{ROOT}/{node}/{name}": value})

    def set_value(self, node: str, name: str, value: Any) -> bool:
        """Store a value in the patch; None puts the default back."""
        return self.do([Set(node, {name: value})], "" if value is not None else f"Reset {node}.{name}")

    # -- objects

    def new_object(self) -> None:
        """Ask for one, at the cursor or in the middle."""
        x, y = self.hands.at
        if not (0.0 <= x < self.size[0] and 0.0 <= y < self.size[1]):
            x, y = self.size[0] / 2, self.size[1] / 2
        px, py = self.viewport.patch(x, y)
        while any(abs(box.x - px) < 4 and abs(box.y - py) < HEIGHT for box in self.scene.boxes.values()):
            py += 2 * HEIGHT  # not upon another: below it
        self.ask_for_object(px, py)

    def edit_object(self) -> None:
        """Change the text of the one that is selected."""
        if len(self.selection.nodes) == 1:
            box = self.scene.boxes[next(iter(self.selection.nodes))]
            self.asked, self.changing = (box.x, box.y, None), box.node

    def hangs(self) -> Inlet | Outlet | None:
        """The port from which a cable hangs for the object that is asked for."""
        wiring = self.asked[2] if self.asked is not None else None
        entry = self.mirror.document.graph.nodes.get(wiring.start.node) if wiring is not None else None
        if wiring is None or entry is None or entry.spec is None:
            return None
        ports: Mapping[str, Any] = entry.spec.outlet_named if wiring.start.out else entry.spec.inlet_named
        return ports.get(wiring.start.name)

    def ask_for_object(self, x: float, y: float, wiring: Wiring | None = None) -> None:
        """Ask for one at a place, to be joined to a cable that the hand has let go there."""
        self.asked, self.changing = (x, y, wiring), None

    def answer(self, text: str | None) -> bool:
        """What was typed; None: nothing after all. False when it is no object, which is said."""
        if self.asked is None:
            return True
        if text is None or not text.strip():
            self.asked = self.changing = None
            return True
        x, y, wiring = self.asked
        try:
            found = typed(text, self.mirror.document.graph.registry)
            commands = self._changed(self.changing, found) if self.changing else self._added(found, x, y, wiring)
        except NodegraphError as error:
            for problem in error.problems:
                self.say(problem.describe())
            return False
        if not self.do(commands, self._label):
            return False
        self.asked = self.changing = None
        return True

    def _added(self, found: Typed, x: float, y: float, wiring: Wiring | None) -> list[Command]:
        graph = self.mirror.document.graph
        id = graph.free_id(found.kind)
        self._label = f"Add {id}"
        made: list[Command] = [Add(id, found.kind, found.values, (round(x), round(y)))]
        if wiring is not None:
            trial = graph.copy()
            trial.add(found.kind, id, **found.values)
            ends = (id, f"{wiring.start.node}.{wiring.start.name}")
            outlet, inlet = (ends[1], ends[0]) if wiring.start.out else ends
            try:
                made.append(Connect(str(trial.connect(outlet, inlet))))
            except PatchError as error:
                self.say(error.problems[0].describe())
        self.selection.only([id])
        return made

    def _changed(self, node: str, found: Typed) -> list[Command]:
        """What makes a node what was typed, its other values as far as they fit."""
        graph = self.mirror.document.graph
        entry = graph.node(node)
        self._label = f"Change {node}"
        made: list[Command] = []
        if entry.kind != found.kind:
            made.append(Replace(node, found.kind))
            spec = graph.registry.get(found.kind)
        else:
            spec = entry.spec
        names = [item.name for item in parameters(spec)] if spec is not None else []
        gone = [name for name in names if name in entry.params and name not in found.values]
        values = {**dict.fromkeys(gone if entry.kind == found.kind else []), **found.values}
        if values:
            made.append(Set(node, values))
        return made

    def rename(self, node: str, to: str) -> None:
        """Another id."""
        if to != node and self.do([Rename(node, to)]):
            self.selection.only([to])

    # -- what is shown

    def _zoom(self, notches: float) -> None:
        self.viewport.zoom_at(self.size[0] / 2, self.size[1] / 2, notches)

    def _zoom_none(self) -> None:
        self.viewport.zoom_to(1.0, self.size[0] / 2, self.size[1] / 2)

    def show_all(self) -> None:
        """The whole patch."""
        bounds = self.scene.bounds()
        if bounds is not None:
            self.viewport.show(*bounds, *self.size)
