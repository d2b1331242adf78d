"""Whether a screen can draw with OpenGL 3, found in a process of its own, for a driver may end it.

Run as a program: it ends with 1, and says in words why, when it cannot; and with 0 when it can, or when nobody knows.
"""

from __future__ import annotations

import ctypes
import re
import sys
from ctypes import POINTER, Structure, c_char_p, c_int, c_uint, c_ulong, c_void_p

NEEDED = 3
RGBA, DOUBLEBUFFER = 4, 5
VERSION = 0x1F02


class VisualInfo(Structure):
    """The beginning of Xlib's XVisualInfo."""

    _fields_ = (("visual", c_void_p), ("id", c_ulong), ("screen", c_int), ("depth", c_int))


def version() -> str | None:
    """What OpenGL calls itself here; "" for none at all; None where it cannot be asked."""
    try:
        x11, gl = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libGL.so.1")
    except OSError as error:
        return "" if "libGL" in str(error) else None
    x11.XOpenDisplay.restype = c_void_p
    x11.XDefaultRootWindow.restype = x11.XCreatePixmap.restype = c_ulong
    x11.XDefaultRootWindow.argtypes = [c_void_p]
    x11.XCreatePixmap.argtypes = [c_void_p, c_ulong, c_uint, c_uint, c_uint]
    gl.glXChooseVisual.restype = POINTER(VisualInfo)
    gl.glXChooseVisual.argtypes = [c_void_p, c_int, POINTER(c_int)]
    gl.glXCreateContext.restype = c_void_p
    gl.glXCreateContext.argtypes = [c_void_p, POINTER(VisualInfo), c_void_p, c_int]
    gl.glXCreateGLXPixmap.restype = c_ulong
    gl.glXCreateGLXPixmap.argtypes = [c_void_p, POINTER(VisualInfo), c_ulong]
    gl.glXMakeCurrent.argtypes = [c_void_p, c_ulong, c_void_p]
    gl.glGetString.restype = c_char_p
    gl.glGetString.argtypes = [c_uint]
    kept = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p)(lambda _display, _error: 0)
    x11.XSetErrorHandler(kept)
    display = x11.XOpenDisplay(None)
    if not display:
        return None
    words = (c_int * 3)(RGBA, DOUBLEBUFFER, 0)
    visual = gl.glXChooseVisual(display, 0, words)
    if not visual:
        return ""
    context = gl.glXCreateContext(display, visual, None, 1)
    root = x11.XDefaultRootWindow(display)
    pixmap = x11.XCreatePixmap(display, root, 8, 8, visual.contents.depth)
    drawable = gl.glXCreateGLXPixmap(display, visual, pixmap)
    if not context or not drawable or not gl.glXMakeCurrent(display, drawable, context):
        return ""
    told = gl.glGetString(VERSION)
    return None if told is None else told.decode("ascii", "replace")


def lacking(told: str | None) -> str | None:
    """What is to be said of a version; None where it does."""
    if told is None:
        return None
    if not told:
        return "has none"
    found = re.match(r"(?:OpenGL ES )?(\d+)\.(\d+)", told)
    return f"has version {found[0]}" if found is not None and int(found[1]) < NEEDED else None


if __name__ == "__main__":
    said = lacking(version())
    if said is not None:
        sys.stdout.write(said)
        sys.exit(1)
