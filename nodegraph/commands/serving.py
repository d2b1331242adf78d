"""``nodegraph run PATCH --serve``: the patch plays as a session that others join over the network."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nodegraph.api.playing import Playing
    from nodegraph.session.session import Session

PORT, OSCQUERY_PORT = 8840, 8841
REFUSED = ("record", "picture", "watch", "trust_edits")


def serving_options(parser: argparse.ArgumentParser) -> None:
    """--serve, --listen, --allow, --oscquery, --announce."""
    parser.add_argument(
        "--serve", nargs="?", type=int, const=PORT, metavar="PORT",
        help=f"let others play it: the performer's panel and the protocol, on this machine alone ({PORT}; 0: any port)",
    )  # fmt: skip
    parser.add_argument("--listen", metavar="ADDR[:PORT]", help="--serve, also at this address of this machine")
    parser.add_argument(
        "--allow", metavar="NETWORK", action="append", default=[],
        help="with --listen: from where others may come, such as 192.168.1.0/24; as often as you like",
    )  # fmt: skip
    parser.add_argument(
        "--oscquery", nargs="?", type=int, const=OSCQUERY_PORT, metavar="PORT",
        help=f"--serve, and OSCQuery, which wants no token ({OSCQUERY_PORT}; 0: any port)",
    )  # fmt: skip
    parser.add_argument("--oscquery-token", action="store_true", help="paths of OSCQuery begin with the token")
    parser.add_argument("--announce", action="store_true", help="make OSCQuery known to the network (zeroconf)")


class Shown:
    """A session as the status view wants it: what plays, with meters that others look at, too."""

    def __init__(self, session: Session, levels: Any, playing: Playing) -> None:
        self._session, self._levels = session, levels
        self._last = playing
        self.seconds = playing.seconds

    def status(self) -> dict[str, Any]:
        """As of `Playing`; the last figures while it does not play."""
        playing = self._session.playing
        if playing is None or not playing.running:
            return self._last.status()
        self._last = playing
        found: dict[str, Any] = self._levels.status(self)
        return found if found.get("driver") else playing.status()


def serve(args: argparse.Namespace) -> int:
    """Play and serve until Ctrl-C, or until the seconds are over."""
    import threading
    import time

    from nodegraph.commands.hearing import Hearing
    from nodegraph.commands.options import open_patch
    from nodegraph.commands.view import status_view
    from nodegraph.core.errors import PatchError, Problem
    from nodegraph.core.flatten import flatten
    from nodegraph.midi.session import SessionMidi
    from nodegraph.session.session import Session

    for name in REFUSED:
        if getattr(args, name):
            option = "--" + name.replace("_", "-")
            raise PatchError(Problem("bad-option", f"{option} cannot be had with --serve.", f"Leave out {option}."))
    if args.announce and args.oscquery is None:
        raise PatchError(Problem("bad-option", "--announce makes OSCQuery known.", "Say --oscquery, too."))
    patch, posts, input = open_patch(args.patch, args.sets, args.input)
    view = status_view(patch.title or args.patch.name, patch.about, args.json)
    with Session(
        patch, report=view.log, seconds=args.seconds, driver=args.driver, device=args.device,
        input_device=args.input_device, rate=args.rate, block=args.block, input=input, threads=args.threads,
        lookahead_s=args.lookahead,
    ) as session:  # fmt: skip
        if not args.no_midi:
            SessionMidi(session)
        server = _server(session, args)
        try:
            session.play()
            playing = session.playing
            assert playing is not None
            for node, port, value in posts:
                playing.player.set(node, port, value)
            _tell(server, args.json)
            shown: Any = Shown(session, server.levels, playing)
            hearing = Hearing(flatten(patch.document))
            playing.heard.tell(hearing)
            with view:
                view.begin(shown)
                end = None if args.seconds is None else time.monotonic() + args.seconds
                tick = threading.Event()
                while end is None or time.monotonic() < end:
                    tick.wait(view.period_s)
                    view.show(shown, hearing)
            if playing.error is not None:
                raise playing.error
        finally:
            server.close()
    return 0


def _server(session: Session, args: argparse.Namespace) -> Any:
    from nodegraph.core.errors import DeviceError, Problem

    try:
        from nodegraph.server.server import Server
    except ModuleNotFoundError as error:
        if error.name not in ("aiohttp", "pythonosc"):
            raise
        what = f"To serve takes the package {error.name}."
        raise DeviceError(Problem("missing-package", what, "Install nodegraph[server].")) from error
    return Server(
        session, port=PORT if args.serve is None else args.serve, listen=args.listen, allow=args.allow,
        oscquery=args.oscquery, oscquery_token=args.oscquery_token, announce=args.announce,
    )  # fmt: skip


def _tell(server: Any, as_json: bool) -> None:
    """Where it can be reached."""
    from nodegraph.commands.output import say, say_json

    query = None if server.oscquery is None else server.oscquery.doors.port
    if as_json:
        say_json({"type": "server", "url": server.url, "port": server.port, "token": server.token, "oscquery": query})
        return
    say(f"Panel: {server.url}")
    for place in server.elsewhere:
        say(f"       http://{place}/?token={server.token}")
    if query is not None:
        say(f"OSCQuery: http://127.0.0.1:{query}/")
