"""Making OSCQuery known to the network, as ``_oscjson._tcp`` (DNS-SD), when the user asks for it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Final

from nodegraph.core.errors import DeviceError, Problem
from nodegraph.server.doors import Doors

KIND: Final = "_oscjson._tcp.local."
LONGEST: Final = 60
"""Bytes of a name; DNS-SD takes 63."""


async def announced(name: str, doors: Doors) -> Callable[[], Awaitable[None]]:
    """Announce a service until what is returned is called. Raises DeviceError without zeroconf, or a network."""
    try:
        from zeroconf import ServiceInfo
        from zeroconf.asyncio import AsyncZeroconf
    except ImportError:
        what = "To announce a service takes the package zeroconf."
        raise DeviceError(Problem("missing-package", what, "Install nodegraph[server].")) from None
    label = name.replace(".", " ").encode()[:LONGEST].decode(errors="ignore").strip()
    addresses = [] if not (doors.wide or doors.names) else own_addresses()
    info = ServiceInfo(
        KIND, f"{label}.{KIND}", port=doors.port, parsed_addresses=addresses or ["127.0.0.1"],
        server=f"{socket.gethostname().partition('.')[0] or 'nodegraph'}.local.", properties={},
    )  # fmt: skip
    try:
        zeroconf = AsyncZeroconf(interfaces=addresses or ["127.0.0.1"])
        telling = await zeroconf.async_register_service(info, allow_name_change=True)
    except OSError as error:
        what = f"The service cannot be announced: {error.strerror or error}."
        raise DeviceError(Problem("no-network", what, "Leave out --announce.")) from error

    async def end() -> None:
        telling.cancel()  # type: ignore[attr-defined]
        await asyncio.gather(telling, return_exceptions=True)
        await (await zeroconf.async_unregister_service(info))
        await zeroconf.async_close()

    return end


def own_addresses() -> list[str]:
    """The IPv4 addresses of this machine, but for loopback."""
    found = set()
    try:
        for _, _, _, _, where in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET):
            found.add(str(where[0]))
    except OSError:
        pass
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # sends nothing: it asks which address would be used
            found.add(probe.getsockname()[0])
    except OSError:
        pass
    return sorted(address for address in found if not address.startswith("127."))
