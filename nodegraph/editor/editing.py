"""The editor without its window: the sheets on its desk, the line to the session, and every action by name.

What is a matter of its own stands in a class of its own that is given the `Editing`: `objects` (what is typed),
`chosen` (what is done with the selection), `browsing` (what can be brought in), `helping`. Such a class adds its
actions to `actions`, hears the session's news by `hear`, and is told when the session is there by `joined`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from nodegraph.core.commands import Command, Set
from nodegraph.core.errors import Fault, NodegraphError, Problem
from nodegraph.core.ports import Control
from nodegraph.editor.browsing import Browsing
from nodegraph.editor.chosen import Chosen, Clip
from nodegraph.editor.context import Context, Entry
from nodegraph.editor.figures import Figures
from nodegraph.editor.files import Files
from nodegraph.editor.hands import Hands
from nodegraph.editor.health import Health
from nodegraph.editor.heat import Heat
from nodegraph.editor.helping import Helping
from nodegraph.editor.keys import Keys
from nodegraph.editor.learning import Learning
from nodegraph.editor.link import AWAY, QUIET, STEADY, TOPICS, Down, Link, News, Place, Up
from nodegraph.editor.mirror import Mirror
from nodegraph.editor.modes import Modes
from nodegraph.editor.noting import Noting
from nodegraph.editor.objects import Objects
from nodegraph.editor.pictures import Pictures
from nodegraph.editor.presetting import Presetting
from nodegraph.editor.scene import HEIGHT, Scene
from nodegraph.editor.seeing import Seeing
from nodegraph.editor.selection import Selection
from nodegraph.editor.settings import Choices, Settings
from nodegraph.editor.sheet import Sheet
from nodegraph.editor.sheets import Sheets
from nodegraph.editor.splicing import Splicing
from nodegraph.editor.spoken import Spoken
from nodegraph.editor.tour import Tour
from nodegraph.editor.turning import Turning
from nodegraph.editor.viewport import Viewport
from nodegraph.editor.wayfinding import Wayfinding
from nodegraph.editor.wiring import Wiring

TOLD: Final = 5
"""So many problems of one error are said."""
Hear = Callable[[Mapping[str, Any]], None]


class Editing:
    """One editor of one session. All methods are called on one thread; call `turn` again and again."""

    def __init__(
        self, place: Place | Callable[[], Place | None], *, name: str = "editor", clipboard: Clip | None = None,
        wake: Callable[[], None] = lambda: None, settings: Settings | None = None,
    ) -> None:  # fmt: skip
        """`clipboard` reads and writes the system's; without it the editor has one of its own; without `settings` it
        has the usual ones.
        """
        self.link = Link(place, f"{name} {secrets.token_hex(2)}", wake=wake)
        self.sheets = Sheets(self)
        self.playing = False
        self.turned: int = 0
        """How often somebody here has had it play or stop."""
        self.lost: str | None = None
        """Why the engine is not tried again."""
        self.live: dict[str, float] = {}
        """Where controls stand that were moved, by address."""
        self.size = (1200.0, 700.0)
        """Of the canvas, in points of the screen."""
        self.keys = Keys()
        """Which keys do what."""
        self.show_panel: Callable[[str, bool], None] = lambda name, shown: None
        """Has a panel be shown, or not; without a window there is none."""
        self.show_menu: Callable[[Sequence[Entry], float, float], None] = lambda entries, x, y: None
        """Opens a menu at a place in the window; without a window there is none."""
        self.joined: list[Callable[[], None]] = []
        """Are called when the session is there, again too."""
        self._hears: dict[str, list[Hear]] = {}
        self._periods: dict[str, float] = {}
        self.spoken = Spoken(self)
        self.actions: dict[str, Callable[[], Any]] = {
            "save": self.save, "undo": self.undo, "redo": self.redo, "play": self.play_or_stop,
            "zoom-in": lambda: self._zoom(2.0), "zoom-out": lambda: self._zoom(-2.0),
            "zoom-none": self._zoom_none, "show-all": self.show_all,
        }  # fmt: skip
        self.modes = Modes(self)
        self.pictures = Pictures(self)
        self.objects = Objects(self)
        self.noting = Noting(self)
        self.chosen = Chosen(self, clipboard)
        self.helping = Helping(self)
        self.splicing = Splicing(self)
        self.files = Files(self)
        self.turning = Turning(self)
        self.learning = Learning(self)
        self.presetting = Presetting(self)
        self.context = Context(self)
        self.choices = Choices(self, settings or Settings())
        self.tour = Tour(self, self.choices)
        self.actions |= {**self.choices.actions(), **self.tour.actions()}
        self.ways = Wayfinding(self)
        self.seeing = Seeing(self)
        self.actions["help"] = self.helping.selected
        for part in (
            self.objects, self.splicing, self.files, self.chosen, self.noting, self.modes, self.sheets, self.ways,
            self.seeing, self.turning, self.learning, self.presetting,
        ):  # fmt: skip
            self.actions |= part.actions()
        self.actions["edit-object"] = self._edit
        self.hear("log", self.spoken.hear)
        self.hear("values", self._moved)
        self.hear("playing", self._plays)
        self.hear("changed", self._stored)
        self.hear("opened", lambda data: self._opened())
        self.hear("saved", lambda data: self.say(f"Saved: {data['path']}"))
        self.figures = Figures(self)
        self.health = Health(self)
        self.heat = Heat(self)
        self.actions["heat"] = self.heat.toggle
        self.browsing = Browsing(self)

    # -- the sheet on top

    @property
    def sheet(self) -> Sheet:
        return self.sheets.top

    @property
    def mirror(self) -> Mirror:
        return self.sheet.mirror

    @property
    def scene(self) -> Scene:
        return self.sheet.scene

    @property
    def selection(self) -> Selection:
        return self.sheet.selection

    @property
    def viewport(self) -> Viewport:
        return self.sheet.viewport

    @property
    def hands(self) -> Hands:
        return self.sheet.hands

    @property
    def settings(self) -> Settings:
        """What the user has decided."""
        return self.choices.settings

    @property
    def natural(self) -> float:
        """The zoom at which the patch is as large as everything else."""
        return self.choices.size

    @property
    def step(self) -> float | None:
        """The grid on which boxes are put down by hand; None for none."""
        return self.settings.step

    # -- time

    def turn(self) -> bool:
        """Take in what has come. Whether anything looks otherwise now."""
        moved = False
        for event in self.link.drain():
            moved = moved or not (isinstance(event, News) and event.topic in (*QUIET, *STEADY))
            if isinstance(event, Up):
                self.playing = bool(event.hello["playing"])
                self.live = dict(event.hello.get("live", {}))
                self.say(f"Joined the engine at {self.link.place.shown if self.link.place else '?'}.")
                self._subscribe([topic for topic in self._hears if self._asked_for(topic)])
                self.sheets.open[0].mirror.begin(event.hello)
                self.sheets.joined()
                for call in self.joined:
                    call()
            elif isinstance(event, Down):
                self.lost = event.why if event.final else None
                if not self.lines or self.lines[-1] != event.why:
                    self.say(Fault(event.why))
            else:
                self._hear(event)
        return self.follow() or moved

    def follow(self) -> bool:
        """Lay out anew if the document is another than last time."""
        self.sheets.follow()
        moved = self.sheet.follow(self.size)
        if moved and self.objects.changing is not None and self.objects.changing not in self.mirror.document.graph:
            self.objects.answer(None)  # somebody else has taken it away
        return moved

    def hear(self, topic: str, call: Hear, period: float | None = None) -> None:
        """Have `call` get what the session tells of a topic, of one that is `STEADY` every `period` seconds. Who wants
        one that is `QUIET` subscribes himself.
        """
        new = topic not in self._hears and self._asked_for(topic)
        self._hears.setdefault(topic, []).append(call)
        if period is not None:
            self._periods[topic] = period
        if new and self.link.up:
            self._subscribe([topic])

    @staticmethod
    def _asked_for(topic: str) -> bool:
        return topic not in (*TOPICS, *QUIET)

    def _subscribe(self, topics: list[str]) -> None:
        if topics:
            periods = {topic: self._periods[topic] for topic in topics if topic in self._periods}
            self.link.ask("subscribe", self.tell_problems, topics=topics, periods=periods)

    def _hear(self, news: News) -> None:
        for call in self._hears.get(news.topic, ()):
            call(news.data)
        for mirror in self.sheets.mirrors:
            mirror.hear(news.topic, news.data)
        if news.topic == "saved":
            self.sheets.refresh()

    def _plays(self, data: Mapping[str, Any]) -> None:
        self.playing = bool(data["playing"])
        self.tell_problems(data)

    def _opened(self) -> None:
        self.live.clear()
        self.sheets.renewed()
        self.sheet.another()

    def _moved(self, data: Mapping[str, Any]) -> None:
        """What is in the hand stands where the hand has it, not where it had it when this was told."""
        grip = self.turning.grip
        held = self.sheet.address(grip.node, grip.control.name) if grip and data["by"] == self.link.name else None
        self.live.update({address: value for address, value in data["values"].items() if address != held})

    def _stored(self, data: Mapping[str, Any]) -> None:
        """What stands no more where it was moved to is where the patch has it."""
        for address in data.get("settled", ()):
            self.live.pop(address, None)

    def say(self, text: str) -> None:
        """A line for whoever sits here."""
        self.spoken.say(str(text), fault=isinstance(text, Fault))

    @property
    def lines(self) -> list[str]:
        """What was said last, the last one last."""
        return self.spoken.texts

    def reveal(self, place: str) -> bool:
        """Select the node that plays under an id and bring it into view, on the sheet on top or the nearest that has
        it; of one inside a subpatch, the box in which it is. False when no sheet has it.
        """
        for sheet in (self.sheet, *sorted(self.sheets.open, key=lambda sheet: -len(sheet.root))):
            sheet.follow(self.size)
            box = sheet.box_of(place)
            if box is not None:
                self.sheets.show(sheet)
                self.ways.go([box])
                return True
        return False

    def let_be(self) -> None:
        """Whatever the hand holds, whatever is asked, whatever is presented: as if it had not been begun."""
        self.modes.leave()
        self.hands.cancel()
        self.turning.cancel()
        self.objects.answer(None)
        self.noting.answer(None)
        self.ways.close()

    def close(self) -> None:
        """Hang up; the engine plays on."""
        self.link.close()

    @property
    def title(self) -> str:
        """For the window: what is edited, and whether it is saved."""
        where = "" if self.link.up else " – the engine is away" if self.mirror.ready else " – the engine comes up"
        way = " › ".join(name for name, _ in self.sheets.way())
        modes = f" ({self.modes.words})" if self.modes.words else ""
        return f"{'● ' if self.sheets.unsaved else ''}{way}{modes}{where} – nodegraph"

    @property
    def locked(self) -> bool:
        """Whether boxes cannot be edited now."""
        return self.modes.locked

    # -- edits

    def do(
        self, commands: list[Command], label: str = "", merge: str | None = None, mirror: Mirror | None = None
    ) -> bool:
        """Carry out commands as one step, on the sheet on top or another. False when it cannot be, which is said."""
        if not self.link.up:
            self.say(AWAY.describe())
            return False
        refusal = self.modes.refusal(commands) if commands else None
        if refusal is not None:
            self.say(refusal)
            return False
        done = (mirror or self.mirror).edit(commands, label=label, merge=merge)
        self.follow()
        return done

    def undo(self) -> None:
        """Take the last step back, whoever did it."""
        self.mirror.undo()

    def redo(self) -> None:
        """Do again what was taken back last."""
        self.mirror.redo()

    def save(self) -> None:
        """Write the patch to its file, and what is edited inside it to its files."""
        self.link.ask("save", self.tell_problems)

    def play_or_stop(self) -> None:
        """Begin to play, or fade out."""
        self.turned += 1
        self.link.ask("stop" if self.playing else "play", self.tell_problems)

    def tell_problems(self, answer: Mapping[str, Any]) -> None:
        """Say what is wrong, if anything is."""
        for problem in answer.get("error", ()):
            self.say(Problem(**problem).describe())

    def tell(self, error: NodegraphError) -> None:
        """Say what an error says, the first few things of it."""
        for problem in error.problems[:TOLD]:
            self.say(problem.describe())

    # -- places

    def over_canvas(self) -> bool:
        """Whether the hand was over the canvas last."""
        x, y = self.hands.at
        return 0.0 <= x < self.size[0] and 0.0 <= y < self.size[1]

    def middle(self) -> tuple[float, float]:
        """What place of the patch is seen in the middle."""
        return self.viewport.patch(self.size[0] / 2, self.size[1] / 2)

    def here(self) -> tuple[float, float]:
        """The place of the patch where something new is meant: at the hand, or in the middle."""
        return self.viewport.patch(*self.hands.at) if self.over_canvas() else self.middle()

    def free(self, x: float, y: float) -> tuple[float, float]:
        """The place itself, or one below where no box stands just there."""
        while any(abs(box.x - x) < 4 and abs(box.y - y) < HEIGHT for box in self.scene.boxes.values()):
            y += 2 * HEIGHT
        return x, y

    # -- values

    def number(self, node: str, name: str) -> float:
        """Where a control stands; 0 when there is no such one any more."""
        entry = self.mirror.document.graph.nodes.get(node)
        if entry is None or not isinstance(entry.parameter(name), Control):
            return 0.0
        return float(self.live.get(self.sheet.address(node, name), entry.value(name)))

    def move_control(self, node: str, name: str, value: float) -> None:
        """Move a control: the sound follows at once, the patch when it is let go (`set_value`)."""
        address = self.sheet.address(node, name)
        self.live[address] = value
        self.link.ask("set", self.tell_problems, values={address: value})

    def set_value(self, node: str, name: str, value: Any) -> bool:
        """Store a value in the patch; None puts the default back."""
        return self.do([Set(node, {name: value})], "" if value is not None else f"Reset {node}.{name}")

    # -- objects

    def _edit(self) -> None:
        """What is written in the note or the object that is selected."""
        if not self.noting.edit_selected():
            self.objects.edit()

    def ask_for_object(self, x: float, y: float, wiring: Wiring | None = None) -> None:
        """Ask for one at a place, to be joined to a cable that the hand has let go there."""
        self.objects.ask(x, y, wiring)

    def show_help(self, node: str) -> None:
        """Open the help of an object."""
        self.selection.only([node])
        self.actions["help"]()

    # -- what is shown

    def _zoom(self, notches: float) -> None:
        self.viewport.zoom_at(self.size[0] / 2, self.size[1] / 2, notches)

    def _zoom_none(self) -> None:
        self.viewport.zoom_to(self.natural, self.size[0] / 2, self.size[1] / 2)

    def show_all(self) -> None:
        """The whole patch."""
        self.sheet.show_all(self.size)
