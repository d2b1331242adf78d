"""What a process that runs models may still do, once its libraries are loaded: read files, and compute.

On Linux it may write nowhere but in the folders that it is given, and open no connection (Landlock, from kernel 5.13
on, and a seccomp filter). Both hold for the process, its threads and all that it starts, and cannot be taken back.
Elsewhere nothing is held back, and the answer says so.

Source: Linux, landlock(7), "Landlock: unprivileged access control" (Documentation/userspace-api/landlock.rst);
seccomp(2); Documentation/userspace-api/seccomp_filter.rst.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import socket
import struct
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

NO_NEW_PRIVS, SET_SECCOMP, FILTER = 38, 22, 2
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
ASK_VERSION, PATH_BENEATH = 1, 1
WRITES_1: Final = sum(1 << bit for bit in (1, 4, 5, 6, 7, 8, 9, 10, 11, 12))
"""Write a file; remove folders and files; make devices, folders, files, sockets, pipes, block devices, links."""
REFER, TRUNCATE, DEVICES = 1 << 13, 1 << 14, 1 << 15
TCP: Final = 0b11
"""Bind and connect."""
MACHINES: Final = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
"""The kernel's name of a machine, and its number for ``socket``."""
REFUSED: Final = 0x00050000 | 13
ALLOWED: Final = 0x7FFF0000
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
OTHER_CALLS, IO_URING = 0x40000000, 425


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("access", ctypes.c_uint64), ("parent", ctypes.c_int32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def confine(writable: Iterable[Path] = ()) -> str:
    """Give up all that models do not need; threads that run already are left alone, so call it first.

    Gives one line that says what is held back, and what not.
    """
    if sys.platform != "linux":
        return f"models are not held back on {sys.platform}: they may write files and use the network"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return "models are not held back: the kernel refuses"
    files, network = _files(libc, writable), _network(libc)
    held = [name for name, done in (("write files", files), ("use the network", network)) if done]
    free = [name for name, done in (("write files", files), ("use the network", network)) if not done]
    if not free:
        return "models may read files and compute, and neither write files nor use the network"
    if not held:
        return "models are not held back: this kernel has neither Landlock nor seccomp for it"
    return f"models may not {held[0]}; they may {free[0]}, as this kernel cannot forbid it"


def _files(libc: ctypes.CDLL, writable: Iterable[Path]) -> bool:
    """No file may be written outside these folders."""
    version = libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(ASK_VERSION))
    if version < 1:
        return False
    access = WRITES_1 | (REFER if version >= 2 else 0) | (TRUNCATE if version >= 3 else 0)
    net = TCP if version >= 4 else 0
    wanted = struct.pack("<QQ", access, net) if version >= 4 else struct.pack("<Q", access)
    buffer = ctypes.create_string_buffer(wanted, len(wanted))
    rules = libc.syscall(CREATE_RULESET, buffer, ctypes.c_size_t(len(wanted)), ctypes.c_uint(0))
    if rules < 0:
        return False
    try:
        for folder in writable:
            with contextlib.suppress(OSError):
                opened = os.open(folder, os.O_PATH | os.O_CLOEXEC)
                try:
                    beneath = _Beneath(access, opened)
                    libc.syscall(ADD_RULE, rules, PATH_BENEATH, ctypes.byref(beneath), ctypes.c_uint(0))
                finally:
                    os.close(opened)
        with contextlib.suppress(OSError):  # what is written there is gone
            opened = os.open("/dev/null", os.O_PATH | os.O_CLOEXEC)
            try:
                beneath = _Beneath(access & (1 << 1 | TRUNCATE), opened)
                libc.syscall(ADD_RULE, rules, PATH_BENEATH, ctypes.byref(beneath), ctypes.c_uint(0))
            finally:
                os.close(opened)
        return bool(libc.syscall(RESTRICT_SELF, rules, ctypes.c_uint(0)) == 0)
    finally:
        os.close(rules)


def _network(libc: ctypes.CDLL) -> bool:
    """No socket of the internet may be opened: ``socket`` with such a family gives EACCES."""
    known = MACHINES.get(platform.machine())
    if known is None:
        return False
    machine, number = known
    families = (socket.AF_INET, socket.AF_INET6, socket.AF_PACKET, socket.AF_NETLINK)
    rows = [(LOAD, 0, 0, 4), (EQUAL, 1, 0, machine), (RETURN, 0, 0, REFUSED), (LOAD, 0, 0, 0)]
    rows += [(AT_LEAST, 0, 1, OTHER_CALLS), (RETURN, 0, 0, REFUSED)]  # the same calls by other numbers
    rows += [(EQUAL, 0, 1, IO_URING), (RETURN, 0, 0, REFUSED)]  # it opens sockets, too
    rows += [(EQUAL, 0, len(families) + 1, number), (LOAD, 0, 0, 16)]
    for place, family in enumerate(families):
        rows.append((EQUAL, len(families) - place, 0, int(family)))
    rows += [(RETURN, 0, 0, ALLOWED), (RETURN, 0, 0, REFUSED)]
    made = b"".join(struct.pack("<HBBI", *row) for row in rows)
    filter = ctypes.create_string_buffer(made, len(made))
    program = _Program(len(rows), ctypes.cast(filter, ctypes.c_void_p))
    return bool(libc.prctl(SET_SECCOMP, FILTER, ctypes.byref(program), 0, 0) == 0)
