"""Sockets to listen at: loopback in both families, or what the user has said."""

from __future__ import annotations

import errno
import socket
import sys
from typing import Final

from nodegraph.core.errors import DeviceError, Problem

TRIES: Final = 20


def listening(place: tuple[str, int] | None, port: int, option: str) -> list[socket.socket]:
    """Sockets that listen at 127.0.0.1 and, where there is IPv6, ::1, at one port; or at `place`, too, and its port.
    Port 0: any that is free. `option` is what to say for another port.

    Raises DeviceError when the port is taken or the address is not one of this machine.
    """
    if place is not None:
        port = place[1]
    for _ in range(TRIES):
        found: list[socket.socket] = []
        try:
            if place is None or not _is_wide(place[0]):
                found.append(_bound(socket.AF_INET, "127.0.0.1", port, option))
                _beside(found, socket.AF_INET6, "::1", option)
            if place is not None:
                _open(found, place[0], port, option)
            return found
        except _Taken:
            for item in found:
                item.close()
            if port:
                raise
        except BaseException:
            for item in found:
                item.close()
            raise
    raise DeviceError(Problem("port-in-use", "No port is free.", "Close other programs."))


class _Taken(DeviceError):
    """The port is taken."""


def _is_wide(address: str) -> bool:
    return address in ("0.0.0.0", "::")


def _open(found: list[socket.socket], address: str, port: int, option: str) -> None:
    port = found[0].getsockname()[1] if found else port
    try:
        infos = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        what = f"There is no address {address!r} to listen at: {error.strerror or error}."
        raise DeviceError(Problem("bad-address", what, "Name an address of this machine.")) from error
    for family, _, _, _, where in infos:
        if where[0] not in ("127.0.0.1", "::1") and where[0] not in {item.getsockname()[0] for item in found}:
            found.append(_bound(family, str(where[0]), found[0].getsockname()[1] if found else port, option))
    if address == "::":
        _beside(found, socket.AF_INET, "0.0.0.0", option)


def _beside(found: list[socket.socket], family: int, address: str, option: str) -> None:
    """The same port in the other family, if this machine has it."""
    if family == socket.AF_INET6 and not socket.has_ipv6:
        return
    try:
        found.append(_bound(family, address, found[0].getsockname()[1], option))
    except _Taken:
        raise
    except DeviceError:
        return


def _bound(family: int, address: str, port: int, option: str) -> socket.socket:
    try:
        made = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise DeviceError(Problem("bad-address", f"This machine has no such network: {error.strerror}.")) from error
    try:
        if sys.platform != "win32":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((address, port))
        made.listen(64)
        made.setblocking(False)
    except OSError as error:
        made.close()
        if error.errno == errno.EADDRINUSE:
            what = f"Port {port} of {address} is taken by another program."
            raise _Taken(Problem("port-in-use", what, f"Choose another: {option}, or 0 for any.")) from error
        do = "Take a port above 1023." if error.errno == errno.EACCES else "Name an address of this machine."
        what = f"{address} port {port} cannot be listened at: {error.strerror}."
        raise DeviceError(Problem("bad-address", what, do)) from error
    return made
