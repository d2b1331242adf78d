"""``nodegraph run PATCH`` with others who play it, too: the patch plays as a session, with its company beside it."""

from __future__ import annotations

import argparse
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nodegraph.api.patch import Patch
    from nodegraph.api.playing import Playing
    from nodegraph.commands.company import Company
    from nodegraph.commands.options import Post
    from nodegraph.headless.recovery import Lost
    from nodegraph.session.session import Session


class Shown:
    """A session as the status view wants it: what plays, with meters that others look at, too."""

    def __init__(self, session: Session, levels: Any, playing: Playing) -> None:
        """`levels` are the server's, if there is one: it reads the meters, which forget what was read."""
        self._session, self._levels = session, levels
        self._last = playing
        self.seconds = playing.seconds

    def status(self) -> dict[str, Any]:
        """As of `Playing`; the last figures while it does not play."""
        playing = self._session.playing
        if playing is None or not playing.running:
            return self._last.status()
        self._last = playing
        found: dict[str, Any] = {} if self._levels is None else self._levels.status(self)
        return found if found.get("driver") else playing.status()


def serve(
    args: argparse.Namespace, patch: Patch, posts: list[Post], input: Path | None, lost: Lost | None = None
) -> int:
    """Play in company until Ctrl-C, or until the seconds are over. `lost`: whence the patch comes, if not its file."""
    from nodegraph.commands.company import company
    from nodegraph.commands.hearing import Hearing
    from nodegraph.commands.losing import keeping
    from nodegraph.commands.run import playing_options, tell_what_is_left
    from nodegraph.commands.view import status_view
    from nodegraph.core.flatten import flatten
    from nodegraph.session.session import Session

    view = status_view(patch.title or args.patch.name, patch.about, args.json)

    def say(text: str) -> None:
        view.log("", text)

    with Session(
        patch, report=view.log, seconds=args.seconds, input=input, record=args.record, first=posts,
        keep_performance=args.keep_performance, performance=args.perform, keep=args.picture is not None,
        **playing_options(args),
    ) as session, keeping(session, args, lost, say), company(session, args, say) as beside:  # fmt: skip
        session.play()
        session.once("record", "keep_performance", "first", "performance", "keep")  # a client may let it play again
        playing = session.playing
        assert playing is not None
        _tell(beside, args.json)
        shown: Any = Shown(session, None if beside.server is None else beside.server.levels, playing)
        hearing = Hearing(flatten(patch.document))
        playing.heard.tell(hearing)
        watch = playing.watch_files(trust_edits=args.trust_edits) if args.watch or args.trust_edits else None
        try:
            with view:
                view.begin(shown)
                end = None if args.seconds is None else time.monotonic() + args.seconds
                tick = threading.Event()
                while (end is None or time.monotonic() < end) and not _is_over(playing):
                    tick.wait(view.period_s)
                    view.show(shown, hearing)
        finally:
            playing.stop()
            if watch is not None:
                watch.close()
            tell_what_is_left(playing, patch, args)
        if playing.error is not None:
            raise playing.error
    return 0


def _is_over(playing: Playing) -> bool:
    """Whether it has come to its end by itself; who stopped it may let it play again."""
    return playing.seconds is not None and not playing.running and playing.time >= playing.seconds


def _tell(beside: Company, as_json: bool) -> None:
    """Where it can be reached."""
    from nodegraph.commands.output import say, say_json

    server, osc = beside.server, beside.osc
    query = None if server is None or server.oscquery is None else server.oscquery.doors.port
    ports = {} if osc is None else {"osc": osc.port, "osc_tcp": osc.tcp_port}
    if as_json:
        found = {} if server is None else {"url": server.url, "port": server.port, "token": server.token}
        say_json({"type": "server", **found, "oscquery": query, **ports})
        return
    if server is not None:
        say(f"Panel: {server.url}")
        for place in server.elsewhere:
            say(f"       http://{place}/?token={server.token}")
    if query is not None:
        say(f"OSCQuery: http://127.0.0.1:{query}/")
    for name, port in ports.items():
        if port is not None:
            say(f"{'OSC' if name == 'osc' else 'OSC by TCP'}: port {port}")
