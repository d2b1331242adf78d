"""Edit a patch while it plays: boxes and cables in a window.

The sound is made by an engine of its own, which plays on when the editor dies: open the patch again, and the editor
joins it with all that was not saved. With --attach the editor joins an engine elsewhere, which plays on when the window
is closed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nodegraph.core.errors import DeviceError, PatchError, Problem

if TYPE_CHECKING:
    from nodegraph.editor.engine import Engine
    from nodegraph.editor.link import Place
    from nodegraph.editor.settings import Settings

SUMMARY = "edit a patch while it plays"
UNTITLED = "untitled"
FIRST = "first"
STATE = "NODEGRAPH_EDITOR_STATE"
"""Where tests read what the window shows."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("patch", metavar="PATCH", type=Path, nargs="?", help="a new one is begun where there is none")
    parser.add_argument(
        "--attach", metavar="URL", help="join the engine that listens there, as nodegraph run --serve prints it"
    )
    parser.add_argument("--token", metavar="TOKEN", help="what lets in there (or $NODEGRAPH_TOKEN, or in the URL)")
    parser.add_argument(
        "--driver", choices=("auto", "portaudio", "jack", "null"), default="auto", help="as for nodegraph run"
    )
    parser.add_argument("--device", metavar="D", help="as for nodegraph run")
    parser.add_argument(
        "--recover", nargs="?", const="take", choices=("take", "forget"),
        help="take up edits that were never saved because the engine died; forget: leave them; otherwise it asks",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    from nodegraph.editor.gui.display import check_display
    from nodegraph.editor.link import place_of
    from nodegraph.editor.settings import Settings, settings_file

    if args.attach is not None and args.patch is not None:
        what = "--attach joins what is played there; a patch cannot be named besides."
        raise PatchError(Problem("bad-option", what, "Leave out one of the two."))
    engine: Engine | None = None
    place: Place | None = None
    if args.attach is not None:
        place = place_of(args.attach, args.token)
    draws = check_display()
    settings = Settings(settings_file())
    first: Path | None = None
    if place is None:
        if args.patch is None and not settings.known:
            draws()  # a patch that nobody can see is not written
            args.patch = first = _first()
        engine = _engine(args)  # it comes up while the screen is looked at
    try:
        draws()
    except DeviceError:
        if engine is not None:
            engine.take_back()
        raise
    _edit(place, engine, settings, driver=args.driver, tour=first is not None)
    return 0


def _engine(args: argparse.Namespace) -> Engine:
    """The engine of the patch: the one that plays it already for an editor that died, or a new one."""
    from nodegraph.editor.engine import Engine, address_of, left_playing, started

    patch = _untitled() if args.patch is None else args.patch
    if not patch.parent.is_dir():
        what = f"There is no folder {str(patch.parent)!r} for a new patch."
        raise PatchError(Problem("no-folder", what, "Make it first.", file=str(patch)))
    if patch.exists():
        from nodegraph.core.patchfile import load

        load(patch)  # says what is wrong with it
    elif patch.suffix != ".ng":
        what = f"A new patch cannot be called {patch.name!r}."
        raise PatchError(Problem("not-a-patch", what, "Its name should end in .ng.", file=str(patch)))
    options = ["--driver", args.driver]
    if args.device is not None:
        options += ["--device", args.device]
    found = left_playing(patch) if args.recover is None else None
    if found is not None:
        found.options = options
        return found
    if args.recover is not None:
        return started(patch, [*options, "--recover", args.recover])
    if _lost(patch) is not None:  # the window asks first what is to become of them
        return Engine(patch, address_of(patch), options=options, waits=True)
    return started(patch, options)


def _first() -> Path | None:
    """A copy of the patch to begin with, here; None where there is none, or nothing can be written."""
    from nodegraph.editor.tour import first_patch

    source = first_patch()
    found = _untitled(FIRST)
    try:
        if source is not None:
            found.write_bytes(source.read_bytes())
            return found
    except OSError:
        pass
    return None


def _lost(patch: Path) -> str | None:
    """When the edits were made that were never saved; None without any."""
    from nodegraph.headless.recovery import lost_edits

    found = lost_edits(patch)
    return time.strftime("%d %B, %H:%M", time.localtime(found[0].state.at)) if found else None


def _untitled(name: str = UNTITLED) -> Path:
    """A name that no file here has."""
    number = 1
    while (found := Path(f"{name}{number if number > 1 else ''}.ng")).exists():
        number += 1
    return found


def _another(options: Sequence[str], patch: Path | None, folder: Path) -> None:
    """Another window, with an engine of its own, which does not end with this one."""
    words = [sys.executable, "-m", "nodegraph", "edit", *([] if patch is None else [os.path.abspath(patch)]), *options]
    environment = {name: value for name, value in os.environ.items() if name != STATE}
    subprocess.Popen(
        words, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def _edit(place: Place | None, engine: Engine | None, settings: Settings, *, driver: str, tour: bool) -> None:
    """Open the window; the engine comes up meanwhile. `driver` is how the engines of further windows play."""
    import dearpygui.dearpygui as dpg

    from nodegraph.editor.editing import Editing
    from nodegraph.editor.gui.app import App
    from nodegraph.editor.gui.display import asked_size
    from nodegraph.editor.helping import opens_windows
    from nodegraph.editor.keys import user_keys

    woken = threading.Event()
    keys, problems = user_keys()
    clipboard = (lambda: str(dpg.get_clipboard_text() or ""), lambda text: dpg.set_clipboard_text(text))
    find = engine.place if engine is not None else lambda: place
    editing = Editing(find, clipboard=clipboard, wake=woken.set, settings=settings)
    editing.helping.window = opens_windows(driver)
    editing.tour.wanted = tour
    if engine is not None:
        editing.files.begin = partial(_another, engine.options)
    for problem in problems:
        editing.say(problem.describe())
    state = os.environ.get(STATE)
    try:
        App(
            editing, keys, woken, engine=engine, state=None if state is None else Path(state), screen=asked_size(),
            lost=(lambda: None) if engine is None else partial(_lost, engine.patch),
        ).run()  # fmt: skip
    except KeyboardInterrupt:  # whoever ends the command means all of it; what is unsaved is kept for --recover
        if engine is not None:
            engine.end()
        raise
    finally:
        editing.close()
    if editing.lost is not None and not editing.mirror.ready:
        raise DeviceError(Problem("no-engine", editing.lost))
