"""Who may come in, and with what: every rule of the server, in one place and without a network.

A request passes when all of these hold:

- it comes from this machine, or from a network that the user has allowed;
- its Host is a name under which this server is meant. A page of another site whose name was made to lead here
  (DNS rebinding) still says its own. A program that sends the token in a header may come through a tunnel, by another
  port of this machine;
- its Origin is this server itself. ``null`` is nobody. Without an Origin, which browsers leave out on plain page loads
  only, it must not rely on the cookie: programs send the token themselves. Plain pages, which hold nothing of the
  patch, are the exception;
- it brings the token of this launch. Health needs none.
"""

from __future__ import annotations

import hmac
import ipaddress
import os
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from nodegraph.core.errors import DeviceError, Problem
from nodegraph.core.hints import quoted

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
TOKEN_VARIABLE: Final = "NODEGRAPH_TOKEN"
TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{20,200}")
HERE: Final = ("localhost", "127.0.0.1", "[::1]")
HOST: Final = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?")
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "nodegraph",
}
"""What every answer bears."""


class Door(Enum):
    """What stands behind a route. OPEN: health. PAGE: files that are the same for everybody. WIRE: the patch."""

    OPEN = "open"
    PAGE = "page"
    WIRE = "wire"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why not: an HTTP status and a line."""

    status: int
    what: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request says of itself. `local` is the address at which it arrived."""

    remote: str
    local: str
    method: str
    headers: Mapping[str, list[str]]
    query_token: str | None = None
    cookie: str | None = None

    def one(self, name: str) -> str | None:
        """A header that may come once."""
        found = self.headers.get(name, [])
        return found[0] if len(found) == 1 else None


def launch_token() -> str:
    """A new token, or the one that $NODEGRAPH_TOKEN holds: so that engines that follow one another have the same.

    Raises DeviceError when that one is so short that it could be guessed.
    """
    given = os.environ.get(TOKEN_VARIABLE, "")
    if not given:
        return secrets.token_urlsafe(32)
    if not TOKEN.fullmatch(given):
        what = f"${TOKEN_VARIABLE} is no token."
        raise DeviceError(Problem("bad-token", what, "It has 20 to 200 letters, digits, '-' and '_'; or leave it out."))
    return given


@dataclass(slots=True)
class Doors:
    """The rules of one listener.

    `names` are hosts besides those of this machine, `networks` where else requests may come from; `wide` says that it
    listens on all addresses, so that each of them is one of its names.
    """

    port: int
    token: str | None = field(default_factory=launch_token)
    names: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()
    wide: bool = False

    @property
    def cookie(self) -> str:
        """The name of the cookie: browsers share cookies among the ports of a host."""
        return f"nodegraph-{self.port}"

    def refusal(self, asked: Asked, door: Door) -> Refusal | None:
        """Why a request may not pass; None when it may."""
        if not self.knows(asked.remote):
            return Refusal(403, "Requests from your address are not allowed here.")
        host = asked.one("host")
        origins = asked.headers.get("origin", [])
        if host is None or not (self.is_ours(host, asked.local) or (not origins and self._tunnelled(host, asked))):
            return Refusal(403, "This is no name of this server.")
        if origins and (len(origins) > 1 or origins[0].lower() != f"http://{host.lower()}"):
            return Refusal(403, "Pages of other origins may not talk to this server.")
        if (
            asked.one("sec-fetch-site") not in (None, "same-origin", "none")
            or len(asked.headers.get("sec-fetch-site", [])) > 1
        ):
            return Refusal(403, "Pages of other sites may not talk to this server.")
        if door is Door.PAGE and asked.method not in ("GET", "HEAD"):
            return Refusal(405, "Pages can be read only.")
        if door is Door.OPEN or self.token is None:
            return None
        return self._credentials(asked, door, bool(origins))

    def _credentials(self, asked: Asked, door: Door, from_page: bool) -> Refusal | None:
        given = _bearers(asked)
        if asked.query_token is not None:
            given.append(asked.query_token)
        if given:  # who sends a token is judged by it alone
            good = all(self._is_token(text) for text in given)
            return None if good else Refusal(401, "This is not the token of this launch.")
        if asked.cookie is None:
            return Refusal(401, "The token of this launch is missing. Open the address that was printed at the start.")
        if not self._is_token(asked.cookie):
            return Refusal(401, "The token is that of an earlier launch. Open the address that was printed now.")
        if not from_page and door is not Door.PAGE:
            return Refusal(403, "A cookie counts only together with an Origin.")
        return None

    def _is_token(self, text: str) -> bool:
        assert self.token is not None
        return hmac.compare_digest(text.encode("utf-8", "replace"), self.token.encode())

    def _tunnelled(self, host: str, asked: Asked) -> bool:
        """Whether it is a program at the other end of a tunnel, which may have another port there: no page of a site
        can send this token.
        """
        found = HOST.fullmatch(host.lower())
        given = _bearers(asked)
        return (
            self.token is not None
            and found is not None
            and found["name"] in HERE
            and bool(given)
            and asked.query_token is None
            and all(self._is_token(text) for text in given)
        )

    def knows(self, remote: str) -> bool:
        """Whether requests from an address are allowed."""
        address = address_of(remote)
        if address is None:
            return False
        return address.is_loopback or any(
            address.version == network.version and address in network for network in self.networks
        )

    def is_ours(self, host: str, local: str) -> bool:
        """Whether a Host header names this server."""
        found = HOST.fullmatch(host.lower())
        if found is None or int(found["port"] or 80) != self.port:
            return False
        name = found["name"]
        if name in HERE or name in self.names:
            return True
        here = address_of(local)
        return self.wide and here is not None and address_of(name.strip("[]")) == here


def address_of(text: str) -> Address | None:
    """An address, an IPv4 one also where it is written as IPv6; None when it is none."""
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(found, "ipv4_mapped", None)
    return found if mapped is None else mapped


def networks_of(texts: Iterable[str]) -> tuple[Network, ...]:
    """``192.168.1.0/24`` and such. Raises DeviceError."""
    found = []
    for text in texts:
        try:
            found.append(ipaddress.ip_network(text.strip(), strict=False))
        except ValueError:
            what = f"{quoted(text)} is no network."
            do = "Write it as 192.168.1.0/24, or one address as 192.168.1.7."
            raise DeviceError(Problem("bad-network", what, do)) from None
    return tuple(found)


def _bearers(asked: Asked) -> list[str]:
    """The tokens of the Authorization headers."""
    return [text.removeprefix("Bearer ") for text in asked.headers.get("authorization", [])]


def place_of(text: str, port: int) -> tuple[str, int]:
    """``ADDR[:PORT]`` of --listen as address or name, and port. Raises DeviceError."""
    found = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(?::([0-9]{1,5}))?", text.strip())
    if found is None and address_of(text.strip()) is not None:
        return text.strip(), port  # an IPv6 address without brackets
    if found is None or int(found[2] or 0) > 65_535:
        what = f"{quoted(text)} is no address to listen at."
        raise DeviceError(Problem("bad-address", what, "Write it as 192.168.1.7, 0.0.0.0:8840 or [::]:8840."))
    return found[1].strip("[]"), int(found[2]) if found[2] else port
