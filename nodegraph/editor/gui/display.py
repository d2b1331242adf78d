"""Whether a window can be opened at all: dearpygui ends the whole process when it cannot."""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from nodegraph.core.errors import DeviceError, Problem

PATIENCE_S: Final = 20.0


def check_display() -> Callable[[], None]:
    """Raises DeviceError that says what is missing: dearpygui, or a screen. Whether a window can be drawn there takes
    longer to know: the function waits for that, and raises DeviceError when it cannot.
    """
    if importlib.util.find_spec("dearpygui") is None:
        what = "The editor draws with dearpygui, which is not installed."
        raise DeviceError(Problem("missing-package", what, "pip install 'nodegraph[editor]'"))
    wait: Callable[[], None] = lambda: None  # noqa: E731
    if sys.platform.startswith("linux"):
        _check_x11()
        wait = _checked_gl()
    return wait


def screen_size() -> tuple[int, int] | None:
    """Width and height of the screen, in its points; None where nobody says."""
    x11 = _x11()
    display = x11.XOpenDisplay(None) if x11 is not None else None
    if x11 is None or not display:
        return None
    found = x11.XDisplayWidth(display, 0), x11.XDisplayHeight(display, 0)
    x11.XCloseDisplay(display)
    return found


def size_of_everything(environment: Mapping[str, str], dpi: str | None) -> float:
    """The size that a screen asks for: $GDK_SCALE, else what X11's resource Xft.dpi says; 96 dots an inch are 1."""
    for text, unit in ((environment.get("GDK_SCALE"), 1.0), (dpi, 96.0)):
        try:
            found = float(text or "") / unit
        except ValueError:
            continue
        if 0.5 <= found <= 8.0:
            return found
    return 1.0


def asked_size() -> float:
    """`size_of_everything` of this screen."""
    x11 = _x11()
    display = x11.XOpenDisplay(None) if x11 is not None else None
    dpi: str | None = None
    if x11 is not None and display:
        x11.XGetDefault.restype = ctypes.c_char_p
        x11.XGetDefault.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p]
        told = x11.XGetDefault(display, b"Xft", b"dpi")
        dpi = told.decode("ascii", "replace") if told else None
        x11.XCloseDisplay(display)
    return size_of_everything(os.environ, dpi)


def _x11() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux") or not os.environ.get("DISPLAY"):
        return None
    try:
        return _load_x11()
    except OSError:
        return None


def _load_x11() -> ctypes.CDLL:
    """Raises OSError where it is missing."""
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XOpenDisplay.argtypes = [ctypes.c_char_p]
    x11.XCloseDisplay.argtypes = [ctypes.c_void_p]
    x11.XDisplayWidth.argtypes = x11.XDisplayHeight.argtypes = [ctypes.c_void_p, ctypes.c_int]
    return x11


def _checked_gl() -> Callable[[], None]:
    """A child process makes what dearpygui will make: where it cannot, dearpygui ends the whole process. What takes its
    time to be imported is, meanwhile.
    """
    probe = Path(__file__).with_name("probing.py")
    try:
        child = subprocess.Popen(
            [sys.executable, "-I", "-S", str(probe)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
    except OSError:
        return lambda: None  # nobody knows, so it is tried

    @functools.cache
    def told() -> tuple[int, str]:
        import dearpygui.dearpygui  # noqa: F401

        try:
            text, _ = child.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            child.kill()
            return 0, ""
        return child.returncode, text

    def wait() -> None:
        code, text = told()
        if code:
            what = f"The editor draws with OpenGL 3, and this screen {text or 'ends a program that asks for it'}."
            do = "Set LIBGL_ALWAYS_SOFTWARE=1 to draw without the graphics card, or edit elsewhere with --attach."
            raise DeviceError(Problem("no-opengl", what, do))

    return wait


def _check_x11() -> None:
    name = os.environ.get("DISPLAY", "")
    do = "Edit where there is a screen, and join this engine from there with --attach."
    if not name:
        raise DeviceError(Problem("no-display", "There is no screen here: DISPLAY is not set.", do))
    try:
        x11 = _load_x11()
    except OSError:
        raise DeviceError(Problem("no-display", "The library libX11 is missing.", "apt install libx11-6")) from None
    display = x11.XOpenDisplay(None)
    if not display:
        raise DeviceError(Problem("no-display", f"The screen DISPLAY={name} cannot be reached.", do))
    x11.XCloseDisplay(display)
