"""What stands beside a patch that plays as a session: OSC, MIDI, a clock to follow, the server for its clients."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from nodegraph.api.patch import Patch
    from nodegraph.codes.door import CodesDoor
    from nodegraph.midi.session import SessionMidi
    from nodegraph.osc.door import Door
    from nodegraph.server.server import Server
    from nodegraph.session.session import Session

PORT: Final = 8840
OSCQUERY_PORT: Final = 8841
OSC_PORT: Final = 9000
CLOCKS: Final = ("midi", "mtc", "link", "jack")
OPENING: Final = ("serve", "listen", "oscquery", "osc", "osc_tcp", "codes", "follow")
"""Options for which a patch plays as a session."""
OSC: Final = ("osc.send", "osc.receive")
CODES: Final = ("codes.send", "codes.receive")


def company_options(parser: argparse.ArgumentParser) -> None:
    """--serve, --listen, --allow, --oscquery, --announce, --osc, --codes, --send-to, --follow, --recover."""
    group = parser.add_argument_group("others", "let others play it; everything is on this machine alone, unless told")
    add = group.add_argument
    add(
        "--serve", nargs="?", type=int, const=PORT, metavar="PORT",
        help=f"the performer's panel and the protocol for clients ({PORT}; 0: any port)",
    )  # fmt: skip
    add("--osc", nargs="?", type=int, const=OSC_PORT, metavar="PORT",
        help=f"OSC by UDP: every parameter has an address ({OSC_PORT}; 0: any port)")  # fmt: skip
    add("--osc-tcp", type=int, metavar="PORT", help="OSC by TCP (SLIP, or lengths), too")
    add("--send-to", metavar="NETWORK", action="append", default=[],
        help="where nodes may send OSC and codes to besides this machine, such as 192.168.1.0/24")  # fmt: skip
    add("--codes", action="store_const", const=True, help="the ports at which the patch's codes.receive nodes listen")
    add(
        "--oscquery", nargs="?", type=int, const=OSCQUERY_PORT, metavar="PORT",
        help=f"OSCQuery, which wants no token ({OSCQUERY_PORT}; 0: any port)",
    )  # fmt: skip
    add("--oscquery-token", action="store_true", help="paths of OSCQuery begin with the token")
    add(
        "--recover", nargs="?", const="take", choices=("take", "forget"),
        help="take up edits of others that were never saved because the program died; forget: leave them",
    )  # fmt: skip
    add("--announce", action="store_true", help="make OSCQuery known to the network (zeroconf)")
    add("--follow", choices=CLOCKS, help="whose beats the patch's clock follows")
    add("--listen", metavar="ADDR[:PORT]", help="panel, clients, OSC and codes also at this address of this machine")
    add(
        "--allow", metavar="NETWORK", action="append", default=[],
        help="with --listen: from where others may come, such as 192.168.1.0/24; as often as you like",
    )  # fmt: skip


@dataclass
class Company:
    """Who stands there."""

    server: Server | None = None
    osc: Door | None = None
    codes: CodesDoor | None = None
    midi: SessionMidi | None = None


def wants_company(args: argparse.Namespace, patch: Patch) -> bool:
    """Whether the patch is to play as a session that others join."""
    return (
        any(getattr(args, name) is not None for name in OPENING)
        or args.recover is not None
        or uses(patch, *OSC, *CODES)
    )


def uses(patch: Patch, *kinds: str) -> bool:
    """Whether a patch has nodes of these kinds."""
    from nodegraph.core.flatten import flatten

    return any(entry.kind in kinds for entry in flatten(patch.document).nodes.values())


@contextmanager
def company(
    session: Session,
    args: Any,
    say: Callable[[str], None],
    *,
    health: Callable[[], str] | None = None,
    metrics: Callable[[], str] | None = None,
) -> Iterator[Company]:
    """Open what was asked for, as long as it is needed. `say` gets what a user should know; `health` and `metrics` are
    what the server tells of the whole, where somebody knows it.

    Raises DeviceError when a port is taken, PatchError when options do not go together.
    """
    from nodegraph.core.errors import PatchError, Problem

    if args.announce and args.oscquery is None:
        raise PatchError(Problem("bad-option", "--announce makes OSCQuery known.", "Say --oscquery, too."))
    with ExitStack() as stack:
        found = Company()
        if not args.no_midi:
            from nodegraph.midi.session import SessionMidi

            found.midi = SessionMidi(session)
            stack.callback(found.midi.close)
        if args.osc is not None or args.osc_tcp is not None or uses(session.patch, *OSC):
            found.osc = stack.enter_context(_osc(session, args))
            if found.osc.port is None and found.osc.tcp_port is None and uses(session.patch, OSC[1]):
                say("The patch has osc.receive, and no port is open for it: --osc opens one.")
        if args.codes is not None or uses(session.patch, *CODES):
            found.codes = stack.enter_context(_codes(session, args))
            if args.codes is None and uses(session.patch, CODES[1]):
                say("The patch has codes.receive, and no port is open for it: --codes opens what it names.")
        if any(value is not None for value in (args.serve, args.listen, args.oscquery)):
            found.server = _server(session, args, found.osc, health, metrics)
            stack.callback(found.server.close)
        if args.follow is not None:
            session.follow(args.follow)
        yield found


def _host(args: Any) -> str:
    """The address of this machine at which doors open."""
    if args.listen is None:
        return "127.0.0.1"
    from nodegraph.server.doors import place_of

    return place_of(args.listen, 0)[0]


def _codes(session: Session, args: Any) -> CodesDoor:
    from nodegraph.codes.door import CodesDoor

    return CodesDoor(
        session, host=_host(args), receive=args.codes is not None, allow=args.allow, send_to=args.send_to,
    )  # fmt: skip


def _osc(session: Session, args: Any) -> Door:
    from nodegraph.osc.door import Door

    return Door(
        session, host=_host(args), port=args.osc, tcp_port=args.osc_tcp, allow=args.allow, send_to=args.send_to,
    )  # fmt: skip


def _server(
    session: Session,
    args: Any,
    osc: Door | None,
    health: Callable[[], str] | None,
    metrics: Callable[[], str] | None,
) -> Server:
    from nodegraph.core.errors import DeviceError, Problem
    from nodegraph.headless.health import CONTENT_TYPE

    try:
        from nodegraph.server.server import Page, Server
    except ModuleNotFoundError as error:
        if error.name not in ("aiohttp", "pythonosc", "zeroconf"):
            raise
        what = f"To serve takes the package {error.name}."
        raise DeviceError(Problem("missing-package", what, f"pip install {error.name}")) from error
    return Server(
        session, port=PORT if args.serve is None else args.serve, listen=args.listen, allow=args.allow,
        oscquery=args.oscquery, oscquery_token=args.oscquery_token, announce=args.announce,
        osc_port=None if osc is None else osc.port, on_osc=None if osc is None else osc.take, health=health,
        pages=[] if metrics is None else [Page("/metrics", metrics, CONTENT_TYPE)],
    )  # fmt: skip
