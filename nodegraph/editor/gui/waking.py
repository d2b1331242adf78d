"""Wakes the window when a hand moves: drawing frames only to ask for input takes a processor's time for nothing.

dearpygui hears of the mouse and the keys while it draws. On X11 a second line to the screen hears of them as well, as
raw events of XInput 2, which any number of programs may ask for. Elsewhere nobody does: the window then draws ten times
a second even when nothing happens.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Callable
from typing import Final

GENERIC_EVENT: Final = 35
ALL_MASTERS: Final = 1
RAW: Final = range(13, 18)
"""Raw key presses and releases, button presses and releases, motion."""


class _Mask(ctypes.Structure):
    _fields_ = (("device", ctypes.c_int), ("length", ctypes.c_int), ("mask", ctypes.POINTER(ctypes.c_ubyte)))


def hears_input(wake: Callable[[], None]) -> bool:
    """Have `wake` called, on a thread of its own, whenever a key, a button or the mouse moves. False: nobody will."""
    if not sys.platform.startswith("linux") or not os.environ.get("DISPLAY"):
        return False
    try:
        x11, xi = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXi.so.6")
    except OSError:
        return False
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XDefaultRootWindow.restype = ctypes.c_ulong
    x11.XDefaultRootWindow.argtypes = [ctypes.c_void_p]
    x11.XNextEvent.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    x11.XFlush.argtypes = [ctypes.c_void_p]
    xi.XIQueryVersion.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int)]
    xi.XISelectEvents.argtypes = [ctypes.c_void_p, ctypes.c_ulong, ctypes.POINTER(_Mask), ctypes.c_int]
    display = x11.XOpenDisplay(None)
    if not display:
        return False
    major, minor = ctypes.c_int(2), ctypes.c_int(0)
    if xi.XIQueryVersion(display, ctypes.byref(major), ctypes.byref(minor)) != 0:
        return False
    bits = (ctypes.c_ubyte * 4)()
    for kind in RAW:
        bits[kind // 8] |= 1 << (kind % 8)
    mask = _Mask(ALL_MASTERS, len(bits), ctypes.cast(bits, ctypes.POINTER(ctypes.c_ubyte)))
    xi.XISelectEvents(display, x11.XDefaultRootWindow(display), ctypes.byref(mask), 1)
    x11.XFlush(display)

    def listen() -> None:
        event = (ctypes.c_long * 24)()
        while True:
            x11.XNextEvent(display, event)
            if ctypes.cast(event, ctypes.POINTER(ctypes.c_int))[0] == GENERIC_EVENT:
                wake()

    threading.Thread(target=listen, name="input", daemon=True).start()
    return True
