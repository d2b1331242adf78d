"""The window: what lies in it, and its main loop.

One thread draws and decides. What comes from elsewhere waits in queues that it drains, and every callback of dearpygui
is carried out between two frames, so that nothing changes while it is being drawn. A frame is drawn when something has
changed, or while something moves.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import dearpygui.dearpygui as dpg

from nodegraph.core.errors import Fault
from nodegraph.editor.editing import Editing
from nodegraph.editor.engine import Engine
from nodegraph.editor.gui import looks
from nodegraph.editor.gui.canvas import Canvas
from nodegraph.editor.gui.closing import Closing
from nodegraph.editor.gui.display import screen_size
from nodegraph.editor.gui.docks import Docks
from nodegraph.editor.gui.files import FileBox
from nodegraph.editor.gui.fonts import find_font
from nodegraph.editor.gui.input import Input
from nodegraph.editor.gui.keywindow import KeyWindow
from nodegraph.editor.gui.looks import LOOKS, px
from nodegraph.editor.gui.menus import Menus
from nodegraph.editor.gui.notebox import NoteBox
from nodegraph.editor.gui.objectbox import ObjectBox
from nodegraph.editor.gui.panels import PANELS
from nodegraph.editor.gui.picker import Picker
from nodegraph.editor.gui.question import Question
from nodegraph.editor.gui.returning import Returning
from nodegraph.editor.gui.settingswindow import SettingsWindow
from nodegraph.editor.gui.statusbar import HEIGHT as BAR
from nodegraph.editor.gui.statusbar import StatusBar
from nodegraph.editor.gui.strip import HEIGHT as STRIP
from nodegraph.editor.gui.strip import Strip
from nodegraph.editor.gui.tourwindow import TourWindow
from nodegraph.editor.gui.waking import hears_input
from nodegraph.editor.keys import Keys
from nodegraph.editor.objecttext import text_of
from nodegraph.editor.state import StateFile, state_of

ACTIVE_S: Final = 1 / 30
BUSY: Final = 0.6
"""Of a core, at most, while a hand moves: where frames are dear the sound comes first."""
IDLE_S: Final = 1 / 10
HEARTBEAT_S: Final = 2.0
"""So often a frame is drawn although nothing has happened: the screen may have lost the last one."""
LATE_S: Final = 0.15
"""Input may reach dearpygui so much later than it wakes the window."""
SHARE: Final = 0.08
"""Of a core, for what moves by itself: meters are drawn as often as that allows."""
MENU: Final = looks.FONT_SIZE + 6
LEAST: Final = (320, 200)
FRAME: Final = (10, 44)
"""So much of the screen is left for what the window manager draws around the window."""
CORNER: Final = (3, 32)
"""So much of it at the left and above."""
TELL_S: Final = 0.1
EMPTY: Final = "Press n, or click twice, for an object."


class App:
    """One window on one editing."""

    def __init__(
        self, editing: Editing, keys: Keys, woken: threading.Event, *, engine: Engine | None = None,
        state: Path | None = None, size: tuple[int, int] = (1280, 800), screen: float | None = None,
        lost: Callable[[], str | None] = lambda: None,
    ) -> None:  # fmt: skip
        """`engine` is the one that ends with the window; `woken` is set when something has come; `screen` is the size
        that the screen asks for. `lost` says when the edits of the patch were made that were never saved.
        """
        self.editing = editing
        self._woken = woken
        self._state = None if state is None else StateFile(state)
        self._later: list[Callable[[], None]] = []
        self._dirty = True
        self._moving = False
        """Whether something that is shown moves by itself."""
        self._ended = False
        self._asked: object = None
        """The object that is asked for, as the box knows it."""
        self._title = ""
        self._size = (0, 0)
        self._frames = 0
        self._told_at = self._drawn_at = 0.0
        self._cost_s = 0.0
        """Processor time of a frame, on the average."""
        dpg.create_context()
        dpg.configure_app(manual_callback_management=True)
        editing.choices.begin(screen or 1.0)
        self._opens(size, screen or 1.0)
        font = find_font()
        if font is None:
            editing.say("No font of one width was found, so letters are coarse: install DejaVu Sans Mono.")
        LOOKS.begin(editing.settings.theme, editing.choices.size, font)
        self.question = Question()
        self.closing = Closing(editing, engine, self._end, self.question)
        self.filebox = FileBox(editing.files)
        editing.files.sure = self.question.ask
        self.returning = Returning(editing, engine, self.question, lost)
        with dpg.window(no_scrollbar=True, no_scroll_with_mouse=True) as self.window:
            self.menus = Menus(keys, lambda name: self.input.do(name))
        dpg.bind_item_theme(self.window, looks.canvas_theme())
        self.canvas = Canvas(self.window, editing, LOOKS.character)
        self.docks = Docks(editing, PANELS)
        self.bar = StatusBar(editing, lambda: self.docks.show("lanes"))
        self.strip = Strip(editing)
        editing.show_panel = self.docks.want
        self.objectbox = ObjectBox(editing)
        self.picker = Picker(editing, LOOKS.character)
        self.keywindow = KeyWindow(editing, keys, self.menus.items)
        self.input = Input(editing, keys, self.window, self.docks, self.objectbox, self._blocks,
                           self.canvas.overlays)  # fmt: skip
        self.notebox = NoteBox(editing)
        self.input.takers[:0] = [self.keywindow, self.picker, self.notebox]
        self._hears_input = hears_input(woken.set)
        dpg.set_exit_callback(lambda *_: self._later.append(self.closing.quit))
        dpg.set_primary_window(self.window, True)
        self.settings = SettingsWindow(editing)
        self.tour = TourWindow(editing, self.docks, self.menus)
        editing.settings.listeners.append(lambda: self._later.append(self._decided))
        editing.actions |= {
            "quit": self.closing.quit, "keys": self.keywindow.show, "settings": self.settings.toggle,
            "full-screen": dpg.toggle_viewport_fullscreen, "menus": lambda: self.menus.open(self.input.popup),
        }  # fmt: skip
        editing.keys = keys

    def _opens(self, size: tuple[int, int], screen: float) -> None:
        """Where it was last time, as large as it was, and no larger than the screen."""
        wanted = self.editing.settings["window"] or [side * screen for side in size]
        screen_is = screen_size()
        most = wanted if screen_is is None else [all - frame for all, frame in zip(screen_is, FRAME, strict=True)]
        width, height = (
            round(max(least, min(want, limit))) for want, limit, least in zip(wanted, most, LEAST, strict=True)
        )
        room = [round(limit - side) // 2 for limit, side in zip(most, (width, height), strict=True)]
        left, top = (max(least, min(100, side)) for side, least in zip(room, CORNER, strict=True))
        dpg.create_viewport(
            title="nodegraph", width=width, height=height, min_width=LEAST[0], min_height=LEAST[1],
            clear_color=list(looks.NIGHT), vsync=False, disable_close=True,
            x_pos=left, y_pos=top,
        )  # fmt: skip
        dpg.setup_dearpygui()

    def _decided(self) -> None:
        """The settings are others."""
        settings, size = self.editing.settings, self.editing.choices.size
        if settings.theme != LOOKS.theme:
            LOOKS.use(settings.theme)
        if size != LOOKS.size:
            LOOKS.enlarge(size)
            self._size = (0, 0)
            self.docks.again()
        self.canvas.again()
        self._dirty = True

    def _remember(self) -> None:
        """How the window was left is how it opens next time."""
        if self._size != (0, 0):
            self.editing.choices.decide(
                window=[dpg.get_viewport_width(), dpg.get_viewport_height()], panels=self.docks.shown,
                docks=self.docks.wide,
            )  # fmt: skip

    def _blocks(self, key: str) -> bool:
        """Whether a question stands, which a key is for then."""
        box = self.question if self.question.asking else self.filebox if self.filebox.shown else None
        if box is not None:
            box.key(key)
        return box is not None

    def _end(self) -> None:
        self._ended = True

    # -- the loop

    def run(self) -> None:
        """Until the window is closed."""
        editing = self.editing
        dpg.show_viewport()
        try:
            while dpg.is_dearpygui_running() and not self._ended:
                begun, busy = time.perf_counter(), time.process_time()
                try:
                    self._turn()
                except Exception as error:
                    self._mistaken(error)
                if not self._ended:
                    dpg.render_dearpygui_frame()
                    self._callbacks()
                    self._frames += 1
                    self._drawn_at = time.monotonic()
                    self._cost_s += 0.1 * (time.process_time() - busy - self._cost_s)
                    self._rest(time.perf_counter() - begun)
                if editing.lost is not None and not editing.mirror.ready:
                    return  # there never was anything to edit
        finally:
            self._remember()
            dpg.destroy_context()

    @property
    def _asks(self) -> bool:
        """Whether a field waits for a text."""
        fields = self.objectbox.shown, self.notebox.shown, self.picker.shown, self.filebox.shown
        return any(fields) or self.keywindow.waiting

    def _rest(self, spent: float) -> None:
        """Until the next frame: thirty a second while a hand moves, as many as a share of a core allows while something
        moves by itself, else none until something happens.
        """
        if self._woken.is_set() or self._later or self._dirty:
            self.input.awake(LATE_S)
            self._woken.clear()
        active = max(ACTIVE_S, self._cost_s / BUSY)
        if time.monotonic() < self.input.active_until:
            self._sleep(active - spent)
            return
        wait = IDLE_S if not self._hears_input or self._asks or self.docks.typing else HEARTBEAT_S
        if self._moving:
            wait = min(wait, max(ACTIVE_S, self._cost_s / SHARE))
        elif self.bar.rest_s is not None:
            wait = min(wait, max(self.bar.rest_s, 2 * self._cost_s / SHARE))
        if wait > spent and self._woken.wait(wait - spent):
            self._sleep(active - spent)  # what comes together is drawn together
            self.input.awake(LATE_S)
        self._woken.clear()

    @staticmethod
    def _sleep(seconds: float) -> None:
        if seconds > 0:
            time.sleep(seconds)

    def _turn(self) -> None:
        editing = self.editing
        self.input.keyboard.turn()
        if editing.turn():
            self._dirty = True
        later, self._later = self._later, []
        for call in later:
            call()
        if self.docks.away != editing.modes.presenting:
            self.docks.put_away(editing.modes.presenting)
            dpg.configure_item(self.bar.window, show=not self.docks.away)
        self.returning.turn()
        self._dirty = self.filebox.turn() or self._dirty
        size = dpg.get_viewport_client_width(), dpg.get_viewport_client_height()
        if self.strip.turn() or size != self._size or self.docks.changed:
            self._fit(*size)
        if self.notebox.turn(self.input.origin):
            self._dirty = True
        objects = editing.objects
        if objects.asked is not self._asked:
            self._asked, self._dirty = objects.asked, True
            if objects.asked is None:
                self.objectbox.close()
            else:
                self._ask(*objects.asked[:2])
        self.objectbox.turn()
        if self.picker.turn(*self.input.origin, editing.size[0]):
            self._dirty = True
        self.input.popup.turn()
        typing = self.docks.typing
        if typing and not self.input.typing:  # the hand went to a panel: what is asked on the canvas is left
            objects.answer(None)
            editing.ways.close()
            self.notebox.done()
        self.input.typing = typing
        self.settings.turn()
        if self.tour.turn():
            self._dirty = True
        self._moving = self.docks.turn()
        self._moving = self.bar.turn() or self._moving
        if self._dirty or self.canvas.moving:
            self._dirty = False
            self.canvas.show()
            if self.canvas.moving:
                self.input.awake(2 * ACTIVE_S)
            filled = editing.scene.boxes or editing.scene.notes or editing.modes.presenting
            self.canvas.hint("" if filled or self._asks or not editing.mirror.ready else EMPTY)
        self._moving = self.canvas.show_overlays() or self._moving
        if editing.title != self._title:
            self._title = editing.title
            dpg.set_viewport_title(self._title)
        if self._state is not None and time.monotonic() >= self._told_at + TELL_S:
            begun = time.perf_counter()
            self._state.write(self._told())
            self._told_at = time.monotonic() + 20 * (time.perf_counter() - begun)  # a large patch is told seldom

    def _places(self) -> dict[str, list[float]]:
        """Where what can be clicked is, by name."""
        shown = (
            self.docks, self.strip, self.bar, self.picker, self.keywindow, self.input.popup, self.settings, self.tour,
            self.question, self.filebox, self.objectbox,
        )  # fmt: skip
        return {name: at for item in shown for name, at in item.places().items()}

    def _told(self) -> dict[str, Any]:
        box, note, carried = self.objectbox, self.notebox, self.editing.browsing.carried
        window = {
            "asking": box.shown, "typing": box.typing or note.typing,
            "text": box.text if box.shown else note.text, "writing": note.shown,
            "quitting": self.closing.asking, "question": self.question.asking, "files": self.filebox.shown,
            "size": list(self.editing.size), "frames": self._frames, "fields": self._places(),
            "modifiers": sorted(self.input.keyboard.held),
            "panels": self.docks.shown, "panel_typing": self.docks.typing,
            "picker": self.picker.state(), "keys": self.keywindow.state(),
            "bar": self.bar.told(), "heat": self._heat(), "signs": self.editing.health.signs(),
            "outline": line.text if (line := self.editing.ways.outline.line) else "", "map": self._map_place(),
            "pid": os.getpid(),
            "carried": carried.row.key.split(" ", 1)[1] if carried is not None else "",
            "theme": LOOKS.theme, "everything": LOOKS.size, "gliding": self.canvas.moving,
            "tour": self.editing.tour.number, "menu": self.input.popup.on,
        }  # fmt: skip
        return state_of(self.editing, self.input.origin, **window)

    def _map_place(self) -> list[float] | None:
        """Where the map lies in the window."""
        found, (left, top) = self.editing.ways.map, self.input.origin
        x0, y0, x1, y1 = found.layout()[0]
        return [x0 + left, y0 + top, x1 + left, y1 + top] if found.shown else None

    def _heat(self) -> dict[str, str]:
        heat = self.editing.heat
        return {box: warmth.label for box, warmth in heat.boxes().items()} if heat.on else {}

    def _fit(self, width: int, height: int) -> None:
        first = self.input.origin == (0.0, 0.0)
        self._size = (width, height)
        menu, bar = px(MENU), 0 if self.docks.away else px(BAR)
        left, right, below = self.docks.fit(width, height, menu, bar)
        self.menus.fit(width)
        if not first:  # what is seen stays where it is
            for sheet in self.editing.sheets.open:
                sheet.viewport.pan(self.input.origin[0] - left, 0.0)
        strip = px(STRIP) if self.strip.shown else 0
        self.strip.fit(left, menu, width - left - right)
        self.input.origin = self.tour.origin = (float(left), float(menu + strip))
        self.canvas.origin = (float(left), float(strip))
        self.editing.size = (float(max(1, width - left - right)), float(max(1, height - menu - strip - bar - below)))
        self.editing.modes.fit()
        self.bar.fit(width, height)
        self._dirty = True

    def _ask(self, x: float, y: float) -> None:
        objects = self.editing.objects
        x, y = self.editing.viewport.screen(x, y)
        text, first = "", self.input.first
        if objects.changing is not None:
            graph = self.editing.mirror.document.graph
            text, first = text_of(graph.node(objects.changing), graph.registry), ""
        self.input.first = ""
        self.objectbox.open(x + self.input.origin[0], y + self.input.origin[1], text, first)

    def _callbacks(self) -> None:
        jobs = [job for job in dpg.get_callback_queue() or () if job[0] is not None]
        self.input.begin(jobs)
        for job in jobs:
            try:
                job[0](job[1], job[2], job[3])
            except Exception as error:
                self._mistaken(error)
            self._dirty = True

    def _mistaken(self, error: Exception) -> None:
        """A mistake of ours: one action fails, or one turn, and whoever sits here is told."""
        text = f"This went wrong, and is a mistake of the editor: {type(error).__name__}: {error}"
        self.editing.say(Fault(text))
