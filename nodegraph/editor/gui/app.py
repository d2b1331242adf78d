"""The window: its main loop, its menus, and what the mouse and the keys do in it.

One thread draws and decides. What comes from elsewhere waits in queues that it drains, and every callback of dearpygui
is carried out between two frames, so that nothing changes while it is being drawn.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import dearpygui.dearpygui as dpg

from nodegraph.editor.editing import Editing
from nodegraph.editor.engine import Engine
from nodegraph.editor.gui import looks
from nodegraph.editor.gui.canvas import Canvas
from nodegraph.editor.gui.inspector import WIDTH as INSPECTOR
from nodegraph.editor.gui.inspector import Inspector
from nodegraph.editor.gui.keyboard import Keyboard
from nodegraph.editor.gui.objectbox import ObjectBox
from nodegraph.editor.hands import LEFT
from nodegraph.editor.keys import ACTIONS, Keys, chord
from nodegraph.editor.objecttext import text_of
from nodegraph.editor.state import StateFile, state_of

ACTIVE_S: Final = 1 / 30
IDLE_S: Final = 1 / 10
AWAKE_S: Final = 0.7
"""So long after the last movement the loop runs fast."""
LOG: Final = 30
MENU: Final = looks.FONT_SIZE + 6
TELL_S: Final = 0.1
DOUBLE_S: Final = 0.35
EMPTY: Final = "Press n, or click twice, for an object."


class App:
    """One window on one editing."""

    def __init__(
        self, editing: Editing, keys: Keys, woken: threading.Event, *, engine: Engine | None = None,
        state: Path | None = None, size: tuple[int, int] = (1280, 800),
    ) -> None:  # fmt: skip
        """`engine` is the one that ends with the window; `woken` is set when something has come."""
        self.editing, self.keys, self.engine = editing, keys, engine
        self._woken = woken
        self._state = None if state is None else StateFile(state)
        self._later: list[Callable[[], None]] = []
        self._active_until = 0.0
        self._dirty = True
        self._ended = False
        self._clicked: tuple[float, float, float] = (0.0, 0.0, 0.0)
        self._title = ""
        self._said = -1
        self._size = (0, 0)
        self._frames = 0
        self._told_at = 0.0
        dpg.create_context()
        dpg.configure_app(manual_callback_management=True)
        dpg.create_viewport(
            title="nodegraph", width=size[0], height=size[1], min_width=320, min_height=200, clear_color=looks.NIGHT,
            vsync=False, disable_close=True,
        )  # fmt: skip
        dpg.setup_dearpygui()
        character = looks.bind_font()
        looks.bind_theme()
        self.keyboard = Keyboard()
        with dpg.window(no_scrollbar=True, no_scroll_with_mouse=True) as self.window:
            self._menus()
        dpg.bind_item_theme(self.window, looks.canvas_theme())
        self.canvas = Canvas(self.window, editing, character)
        self.inspector = Inspector(editing)
        with dpg.window(
            no_title_bar=True, no_resize=True, no_move=True, no_scrollbar=True, no_saved_settings=True,
        ) as self._log:  # fmt: skip
            self._line = dpg.add_text("")
        self.objectbox = ObjectBox(editing)
        self._asking: int | str | None = None
        self._first = ""
        """The letter that began an object by just being typed."""
        self._handlers()
        dpg.set_exit_callback(lambda *_: self._later.append(self.quit))
        dpg.set_primary_window(self.window, True)
        editing.actions |= {"quit": self.quit, "keys": self.list_keys}

    # -- what there is

    def _menus(self) -> None:
        theme = looks.menu_theme()
        with dpg.menu_bar():
            for menu in dict.fromkeys(action.menu for action in ACTIONS):
                with dpg.menu(label=menu) as made:
                    dpg.bind_item_theme(made, theme)
                    for action in ACTIONS:
                        if action.menu == menu:
                            dpg.add_menu_item(
                                label=action.words, shortcut=self.keys.shown(action.name), user_data=action.name,
                                callback=self._chosen,
                            )  # fmt: skip

    def _handlers(self) -> None:
        with dpg.handler_registry():
            dpg.add_mouse_click_handler(callback=self._pressed)
            dpg.add_mouse_release_handler(callback=self._released)
            dpg.add_mouse_move_handler(callback=self._moved)
            dpg.add_mouse_wheel_handler(callback=self._wheeled)
            dpg.add_key_press_handler(callback=self._key)
            dpg.add_key_release_handler(callback=self._key_up)

    def list_keys(self) -> None:
        """A window with every action and its keys."""
        with dpg.window(label="Keys", width=430, height=460, pos=(120, 60), no_saved_settings=True) as window:
            dpg.configure_item(window, on_close=lambda *_: dpg.delete_item(window))
            with dpg.table(header_row=False):
                dpg.add_table_column(init_width_or_weight=0.55)
                dpg.add_table_column(init_width_or_weight=0.45)
                for _, words, keys in self.keys.listed():
                    with dpg.table_row():
                        dpg.add_text(words)
                        dpg.add_text(keys, color=looks.CYAN)

    # -- the loop

    def run(self) -> None:
        """Until the window is closed."""
        editing = self.editing
        dpg.show_viewport()
        try:
            while dpg.is_dearpygui_running() and not self._ended:
                begun = time.perf_counter()
                self._turn()
                dpg.render_dearpygui_frame()
                self._callbacks()
                self._frames += 1
                spent = time.perf_counter() - begun
                self._rest(spent)
                if editing.lost is not None and not editing.mirror.ready:
                    return  # there never was anything to edit
        finally:
            dpg.destroy_context()

    def _rest(self, spent: float) -> None:
        """Thirty frames a second while something moves, ten while nothing does; news end the rest."""
        active = time.monotonic() < self._active_until
        left = (ACTIVE_S if active else IDLE_S) - spent
        if left > 0 and self._woken.wait(left):
            left = ACTIVE_S - spent
            if left > 0 and not active:
                time.sleep(min(left, ACTIVE_S))
        self._woken.clear()

    def _turn(self) -> None:
        editing = self.editing
        self.keyboard.turn()
        if editing.turn():
            self._dirty = True
        later, self._later = self._later, []
        for call in later:
            call()
        size = dpg.get_viewport_client_width(), dpg.get_viewport_client_height()
        if size != self._size:
            self._fit(*size)
        if editing.asked is not None and not self.objectbox.shown:
            self._ask()
        elif editing.asked is None and self.objectbox.shown:
            self.objectbox.close()
            self._dirty = True
        self.objectbox.turn()
        self.inspector.turn()
        if self._dirty:
            self._dirty = False
            self.canvas.show()
            self.canvas.hint("" if editing.scene.boxes or self.objectbox.shown or not editing.mirror.ready else EMPTY)
        if editing.title != self._title:
            self._title = editing.title
            dpg.set_viewport_title(self._title)
        if editing.said != self._said:
            self._said = editing.said
            dpg.set_value(self._line, editing.lines[-1] if editing.lines else "")
        if self._state is not None and time.monotonic() >= self._told_at + TELL_S:
            self._told_at = time.monotonic()
            self._state.write(self._told())

    def _told(self) -> dict[str, Any]:
        box = self.objectbox
        window = {
            "asking": box.shown, "typing": box.typing, "text": box.text if box.shown else "",
            "quitting": self._asking is not None, "size": list(self.editing.size), "frames": self._frames,
            "fields": self.inspector.places(),
        }  # fmt: skip
        return state_of(self.editing, (0.0, float(MENU)), **window)

    def _fit(self, width: int, height: int) -> None:
        self._size = (width, height)
        self.editing.size = (float(max(1, width - INSPECTOR)), float(max(1, height - MENU - LOG)))
        self.inspector.fit(width, height, MENU, LOG)
        dpg.configure_item(self._log, pos=(0, height - LOG), width=width, height=LOG)
        self._dirty = True

    def _ask(self) -> None:
        asked = self.editing.asked
        assert asked is not None
        x, y = self.editing.viewport.screen(asked[0], asked[1])
        node = self.editing.changing
        text, first = "", self._first
        if node is not None:
            graph = self.editing.mirror.document.graph
            text, first = text_of(graph.node(node), graph.registry), ""
        self._first = ""
        self.objectbox.open(x, y + MENU, text, first)

    def _callbacks(self) -> None:
        jobs = [job for job in dpg.get_callback_queue() or () if job[0] is not None]
        self.keyboard.leaving = {
            word for job in jobs if job[0] == self._key_up and (word := self.keyboard.modifier(job[2])) is not None
        }
        for job in jobs:
            try:
                job[0](job[1], job[2], job[3])
            except Exception as error:  # a mistake of ours: one action fails, and whoever sits here is told
                self.editing.say(f"This went wrong, and is a mistake of the editor: {type(error).__name__}: {error}")
            self._dirty = True

    def _awake(self) -> None:
        self._active_until = time.monotonic() + AWAKE_S

    # -- the mouse

    def _at(self) -> tuple[float, float]:
        """Where the mouse is, from the canvas's corner."""
        x, y = dpg.get_mouse_pos(local=False)
        return float(x), float(y) - MENU

    def _on_canvas(self) -> bool:
        x, y = self._at()
        width, height = self.editing.size
        return 0 <= x < width and 0 <= y < height and bool(dpg.is_item_hovered(self.window))

    def _pressed(self, _sender: object, button: int, _data: object) -> None:
        self._awake()
        if not self._on_canvas():
            return
        if self.objectbox.shown:
            self.editing.answer(None)
        at = self._at()
        now = time.monotonic()
        then, x, y = self._clicked
        if button == LEFT and now - then < DOUBLE_S and abs(at[0] - x) + abs(at[1] - y) < 6:
            self._clicked = (0.0, 0.0, 0.0)
            self._twice(*at)
            return
        self._clicked = (now, *at)
        self.editing.hands.press(*at, button, more="shift" in self.keyboard.held)

    def _twice(self, x: float, y: float) -> None:
        """A box: its text. The void: a new object."""
        px, py = self.editing.viewport.patch(x, y)
        box = self.editing.scene.box_at(px, py)
        if box is not None:
            self.editing.selection.only([box.node])
            self.editing.edit_object()
        else:
            self.editing.hands.double(x, y)

    def _released(self, _sender: object, _button: int, _data: object) -> None:
        self._awake()
        if self.editing.hands.doing is not None:
            self.editing.hands.release(*self._at())

    def _moved(self, _sender: object, _at: object, _data: object) -> None:
        self._awake()
        if self.editing.hands.doing is not None or self._on_canvas():
            self.editing.hands.move(*self._at())

    def _wheeled(self, _sender: object, notches: float, _data: object) -> None:
        self._awake()
        if self._on_canvas():
            self.editing.hands.wheel(*self._at(), notches)

    # -- the keys

    def _key(self, _sender: object, code: int, _data: object) -> None:
        key = self.keyboard.down(code)
        if key is None:
            return
        self._awake()
        pressed = chord(key, self.keyboard.held)
        if self._asking is not None:
            return
        if self.objectbox.shown:
            self.objectbox.key(key, pressed)
            return
        if self.inspector.typing:
            return
        if key == "space" and pressed == "space":
            self.editing.hands.space = True
            return
        action = self.keys.action.get(pressed) or self.keys.action.get(chord(key, self.keyboard.staying))
        if action is not None:
            self._do(action)
        elif len(key) == 1 and pressed == key:  # just typing begins an object
            self._first = key
            self.editing.new_object()

    def _key_up(self, _sender: object, code: int, _data: object) -> None:
        if self.keyboard.up(code) == "space":
            self.editing.hands.space = False

    def _chosen(self, _sender: object, _value: object, action: str) -> None:
        self._do(action)

    def _do(self, action: str) -> None:
        self.editing.actions[action]()

    # -- the end

    def quit(self) -> None:
        """Close the window; unsaved changes are asked about first, if the engine ends with it."""
        if self.editing.mirror.unsaved and self.engine is not None and self.editing.link.up:
            self._ask_about_changes()
        else:
            self._end()

    def _ask_about_changes(self) -> None:
        if self._asking is not None:
            return
        with dpg.window(
            label="Unsaved changes", modal=True, no_resize=True, no_saved_settings=True, pos=(300, 200), width=420,
            on_close=lambda *_: self._stay(),
        ) as self._asking:  # fmt: skip
            dpg.add_text(f"{self.editing.mirror.title} has changes that are not saved.", wrap=390)
            with dpg.group(horizontal=True):
                dpg.add_button(label="Save", callback=lambda *_: self._save_and_end())
                dpg.add_button(label="Leave them unsaved", callback=lambda *_: self._end())
                dpg.add_button(label="Go on", callback=lambda *_: self._stay())

    def _stay(self) -> None:
        if self._asking is not None:
            dpg.delete_item(self._asking)
            self._asking = None

    def _save_and_end(self) -> None:
        def saved(answer: Any) -> None:
            if "error" in answer:
                self.editing.tell_problems(answer)
                self._stay()
            else:
                self._end()

        self.editing.link.ask("save", saved)

    def _end(self) -> None:
        if self.engine is not None:
            self.engine.end()
        self._ended = True
