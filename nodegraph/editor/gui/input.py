"""What the mouse and the keys do in the window."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import dearpygui.dearpygui as dpg

from nodegraph.editor.editing import Editing
from nodegraph.editor.gui.docks import Docks
from nodegraph.editor.gui.keyboard import Keyboard
from nodegraph.editor.gui.objectbox import ObjectBox
from nodegraph.editor.gui.overlay import Overlay
from nodegraph.editor.gui.popup import Popup
from nodegraph.editor.hands import LEFT, RIGHT
from nodegraph.editor.keys import ACTION, Keys, chord

AWAKE_S: Final = 0.3
"""So long after the last movement the window is drawn fast."""
DOUBLE_S: Final = 0.35
DOUBLE_FRAMES: Final = 5
"""Two clicks so near are one double click, however long these frames took: the press and the release of each are told
in frames of their own.
"""
NEAR: Final = 6.0


class Taker(Protocol):
    """Something in the window that wants keys before they are anything else, such as a field with a list below it."""

    def key(self, key: str, chord: str) -> bool:
        """A key goes down. True: it is this one's."""


class Input:
    """The hands of whoever sits here, on one window."""

    def __init__(
        self, editing: Editing, keys: Keys, window: int | str, docks: Docks, objectbox: ObjectBox,
        blocked: Callable[[str], bool], overlays: Sequence[Overlay] = (),
    ) -> None:  # fmt: skip
        """`blocked` gets a key when a question stands that must be answered first, and says whether one does; of
        `overlays` the last is in front.
        """
        self.editing, self.keys, self.window, self.docks, self.objectbox = editing, keys, window, docks, objectbox
        self.keyboard = Keyboard()
        self.active_until = 0.0
        self.origin = (0.0, 0.0)
        """Where the canvas begins in the window."""
        self.first = ""
        """The letter that began an object by just being typed."""
        self.takers: list[Taker] = [docks]
        """Who is asked before a key is an action, the first first."""
        self._blocked = blocked
        self._overlays = overlays
        self._taken: Overlay | None = None
        """Whose the mouse is until its button goes up."""
        self.typing = False
        """Whether a field of a panel had the keyboard before the last frame: the Enter that ends it is not for the
        canvas.
        """
        self.popup = Popup()
        editing.show_menu = self.popup.open
        editing.actions["context-menu"] = self._menu
        self._clicked: tuple[float, int, float, float] = (0.0, -DOUBLE_FRAMES - 1, 0.0, 0.0)
        self._frame = 0
        with dpg.handler_registry():
            dpg.add_mouse_click_handler(callback=self._pressed)
            dpg.add_mouse_release_handler(callback=self._released)
            dpg.add_mouse_move_handler(callback=self._moved)
            dpg.add_mouse_wheel_handler(callback=self._wheeled)
            dpg.add_key_press_handler(callback=self._key)
            dpg.add_key_release_handler(callback=self._key_up)

    def begin(self, jobs: list[Any]) -> None:
        """What is to be called after a frame; it is told before it is. Of the keys of one frame no order is told: a
        modifier went down before the key that it is held for.
        """
        self._frame += 1
        for job in jobs:
            if job[0] == self._key and self.keyboard.modifier(job[2]) is not None:
                self.keyboard.down(job[2])
        self.editing.hands.held = self.keyboard.held
        self.keyboard.leaving = {
            word for job in jobs if job[0] == self._key_up and (word := self.keyboard.modifier(job[2])) is not None
        }

    def do(self, action: str) -> None:
        """Carry out an action by its name."""
        self.editing.actions[action]()

    def awake(self, seconds: float = AWAKE_S) -> None:
        """Draw fast for a while."""
        self.active_until = max(self.active_until, time.monotonic() + seconds)

    # -- the mouse

    def _at(self) -> tuple[float, float]:
        """Where the mouse is, from the canvas's corner."""
        x, y = dpg.get_mouse_pos(local=False)
        return float(x) - self.origin[0], float(y) - self.origin[1]

    def _on_canvas(self) -> bool:
        x, y = self._at()
        width, height = self.editing.size
        return 0 <= x < width and 0 <= y < height and bool(dpg.is_item_hovered(self.window))

    def _pressed(self, _sender: object, button: int, _data: object) -> None:
        self.awake()
        if not self._on_canvas():
            return
        self.docks.left()
        self.editing.ways.close()
        self.editing.browsing.carried = None
        if self.objectbox.shown:
            self.editing.objects.answer(None)
        self.editing.noting.left()
        at = self._at()
        if self._taken is not None or self.editing.hands.doing is not None:
            return
        self._taken = next((item for item in reversed(self._overlays) if item.press(*at, button)), None)
        if self._taken is not None:
            return
        if button == RIGHT:
            self.popup.open(self.editing.context.at(*at), at[0] + self.origin[0], at[1] + self.origin[1])
            return
        now = time.monotonic()
        then, frame, x, y = self._clicked
        soon = now - then < DOUBLE_S or self._frame - frame <= DOUBLE_FRAMES
        if button == LEFT and soon and abs(at[0] - x) + abs(at[1] - y) < NEAR:
            self._clicked = (0.0, -DOUBLE_FRAMES - 1, 0.0, 0.0)
            self._twice(*at)
            return
        self._clicked = (now, self._frame, *at)
        self.editing.hands.held = frozenset(self.keyboard.held)
        self.editing.hands.press(*at, button, more="shift" in self.keyboard.held)

    def _menu(self) -> None:
        """The menu of what is selected, below it."""
        entries, x, y = self.editing.context.for_selected()
        self.popup.open(entries, x + self.origin[0], y + self.origin[1], by_keys=True)

    def _twice(self, x: float, y: float) -> None:
        """A subpatch: its sheet. Another box, or a note: its text. The void: a new object."""
        px, py = self.editing.viewport.patch(x, y)
        box = self.editing.scene.box_at(px, py)
        if box is not None and box.row_at(px, py) is not None:
            self.editing.hands.press(x, y)
        elif box is not None:
            self.editing.selection.only([box.node])
            self.do("open-subpatch" if self.editing.sheets.opens(box.node) else "edit-object")
            return
        note = self.editing.scene.note_at(px, py)
        if note is not None:
            self.editing.noting.edit(note.note)
        else:
            self.editing.hands.double(x, y)

    def _released(self, _sender: object, _button: int, _data: object) -> None:
        self.awake()
        self.editing.browsing.let_go(self._at())
        if self._taken is not None:
            self._taken.release(*self._at())
            self._taken = None
        elif self.editing.hands.doing is not None:
            self.editing.hands.release(*self._at())

    def _moved(self, _sender: object, _at: object, _data: object) -> None:
        self.awake()
        self.editing.browsing.carry(self._at())
        if self._taken is not None:
            self._taken.move(*self._at())
            return
        self.editing.hands.held = frozenset(self.keyboard.held)
        if self.editing.hands.doing is not None or self._on_canvas():
            self.editing.hands.move(*self._at())
        else:
            self.editing.hands.leave()

    def _wheeled(self, _sender: object, notches: float, _data: object) -> None:
        self.awake()
        if self._on_canvas():
            self.editing.hands.wheel(*self._at(), notches)

    # -- the keys

    def _key(self, _sender: object, code: int, _data: object) -> None:
        key = self.keyboard.down(code)
        if key is None:
            return
        self.awake()
        pressed = chord(key, self.keyboard.held)
        if self._blocked(key):
            return
        if self.objectbox.shown:
            self.objectbox.key(key, pressed)
            return
        if self.popup.key(key, pressed) or any(taker.key(key, pressed) for taker in self.takers):
            return
        if self.typing or self.docks.typing:
            return
        if key == "space" and pressed == "space":
            self.editing.hands.space = True
            return
        action = self.keys.action.get(pressed) or self.keys.action.get(chord(key, self.keyboard.staying))
        if action is not None:
            if not self.keyboard.again or ACTION[action].again:
                self.do(action)
        elif len(key) == 1 and pressed == key:  # just typing begins an object
            self.first = key
            self.do("new-object")

    def _key_up(self, _sender: object, code: int, _data: object) -> None:
        if self.keyboard.up(code) == "space":
            self.editing.hands.space = False
