"""Whether a window can be opened at all: dearpygui ends the whole process when it cannot."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys

from nodegraph.core.errors import DeviceError, Problem


def check_display() -> None:
    """Raises DeviceError that says what is missing: dearpygui, or a screen."""
    if importlib.util.find_spec("dearpygui") is None:
        what = "The editor draws with dearpygui, which is not installed."
        raise DeviceError(Problem("missing-package", what, "pip install 'nodegraph[editor]'"))
    if sys.platform.startswith("linux"):
        _check_x11()


def _check_x11() -> None:
    name = os.environ.get("DISPLAY", "")
    do = "Edit where there is a screen, and join this engine from there with --attach."
    if not name:
        raise DeviceError(Problem("no-display", "There is no screen here: DISPLAY is not set.", do))
    try:
        x11 = ctypes.CDLL("libX11.so.6")
    except OSError:
        raise DeviceError(Problem("no-display", "The library libX11 is missing.", "apt install libx11-6")) from None
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XOpenDisplay.argtypes = [ctypes.c_char_p]
    x11.XCloseDisplay.argtypes = [ctypes.c_void_p]
    display = x11.XOpenDisplay(None)
    if not display:
        raise DeviceError(Problem("no-display", f"The screen DISPLAY={name} cannot be reached.", do))
    x11.XCloseDisplay(display)
