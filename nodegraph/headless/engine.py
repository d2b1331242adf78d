"""The engine process of a service, started by `supervising`: it opens the patch as it was, plays it, keeps its state.

The main thread waits; the player has a thread, and so have the beats, for neither a slow disk nor a client may hold
them up.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from nodegraph.headless.logs import marked
from nodegraph.headless.pulse import BEAT_S
from nodegraph.headless.supervising import READY

if TYPE_CHECKING:
    from nodegraph.commands.options import Post
    from nodegraph.headless.health import Vitals
    from nodegraph.headless.keeping import Keeper
    from nodegraph.headless.running import Plan
    from nodegraph.headless.schedule import Schedule
    from nodegraph.session.session import Session

LOOK_S: Final = 0.1
OK, FAILED, WRONG = 0, 1, 2


def say(level: str, text: str, node: str = "") -> None:
    """A line for the log. Whoever reads it may be stopped: then it is lost, and nobody waits."""
    data = (marked(level, node, text) + "\n").encode("utf-8", "replace")
    with contextlib.suppress(OSError):
        os.write(2, data)


class Beats:
    """Beats into a pipe: what the process does, and how many frames the audio thread has played."""

    def __init__(self, descriptor: int, over: threading.Event) -> None:
        """`over` is set when nobody reads them any more."""
        self.descriptor, self.over = descriptor, over
        self.mode = "starting"
        self.session: Session | None = None
        self.vitals: Vitals | None = None
        self.orphaned = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="beats", daemon=True)
        self._thread.start()

    def done(self) -> int:
        """Frames that were played."""
        playing = None if self.session is None else self.session.playing
        return -1 if playing is None else playing.player.engine.done

    def beat(self) -> None:
        """One beat."""
        mode, done = self.mode, self.done()
        if self.vitals is not None:
            self.vitals.mode = mode
            self.vitals.see(done, time.monotonic())
        try:
            os.write(self.descriptor, f"{mode} {done}\n".encode())
        except BlockingIOError:
            pass  # who reads is stopped
        except OSError:
            self.orphaned = True
            self.over.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self.beat()
            self._stop.wait(BEAT_S)

    def close(self) -> None:
        """Beat no more."""
        self._stop.set()
        self._thread.join()


class Life:
    """One engine's, from the opened session to the end."""

    def __init__(
        self,
        plan: Plan,
        session: Session,
        keeper: Keeper,
        beats: Beats,
        over: threading.Event,
        posts: Iterable[Post] = (),
    ) -> None:
        """`posts` are messages that are sent whenever it begins to play."""
        self.plan, self.session, self.keeper, self.beats, self.over = plan, session, keeper, beats, over
        self.posts = tuple(posts)
        self.played = False
        """Whether it has."""
        self.schedule: Schedule | None = plan.schedule
        assert beats.vitals is not None
        self.vitals = beats.vitals

    def run(self, wanted: bool) -> int:
        """Play (if it is `wanted`) until it is told to end, or comes to an end by itself. Gives the exit code."""
        due = False
        self._look()
        if self.vitals.safe:
            self.beats.mode = "safe"
        elif self.schedule is not None:
            due = self._follow()
        elif wanted:
            self._play()
        else:
            self.beats.mode = "waiting"
        if not self.vitals.safe:
            self.keeper.keep()
            self.keeper.start()
        while not self.over.wait(LOOK_S):
            self._look()
            if not self.vitals.safe:
                if self.schedule is not None:
                    due = self._follow(due)
                playing = self.session.playing
                if playing is not None and not playing.running:
                    if playing.error is not None:
                        raise playing.error
                    if playing.seconds is not None and playing.time >= playing.seconds:
                        return OK
                self._told()
        return OK

    def _told(self) -> None:
        """A client may have let it play, or stopped it."""
        on = self.session.playing is not None and self.session.playing.running
        if on:
            self.beats.mode = "playing"
        elif self.beats.mode == "playing":
            self.beats.mode = "waiting"

    def _play(self) -> None:
        from nodegraph.headless.state import clock_acts

        kept = self.keeper.kept
        if kept is not None and not self.session.at_first:
            self.session.at_first = clock_acts(kept, "begin")
        self.session.play()
        for node, port, value in self.posts:
            self.session.set(f"{node}.{port}", value)
        self.played = True
        self.keeper.keep()  # that it plays, before it is said
        self.beats.mode = "playing"

    def _follow(self, before: bool | None = None) -> bool:
        """Do what the schedule says when it begins or ends; in between a client may do otherwise."""
        assert self.schedule is not None
        now = datetime.now(UTC)
        due = self.schedule.plays(now)
        change = self.schedule.next_change(now) if due != before or self.vitals.next_change is None else None
        if change is not None:
            self.vitals.next_change = change.timestamp()
        if due and due != before:
            if before is not None:
                say("info", "the schedule: it plays.")
            self._play()
        elif not due and due != before:
            say("info", "the schedule: it sleeps.")
            self.keeper.keep()
            self.beats.mode = "asleep"  # before the sound ends: it does not stand still, it rests
            self.session.stop()
        return due

    def _look(self) -> None:
        vitals, playing = self.vitals, self.session.playing
        vitals.not_kept = self.keeper.error
        vitals.kept_at = None if self.keeper.kept is None else self.keeper.kept.at
        vitals.preset = self.session.presets.recalled
        if playing is not None:
            vitals.acts_late = int(playing.player.acts.late)

    def end(self) -> None:
        """Fade out, and keep the state."""
        playing = self.session.playing
        on = playing is not None and playing.running
        self.beats.mode = "stopping"
        if on:
            self.keeper.snapshots.take()  # where the clock stands
        self.session.close()
        self.keeper.stop()
        if self.played:
            self.keeper.keep(playing=on)


@contextlib.contextmanager
def companions(session: Session, plan: Plan, vitals: Vitals) -> Iterator[None]:
    """What stands beside a session as long as it is open: the health endpoint, and what others play it by."""
    from argparse import Namespace

    from nodegraph.commands.company import company
    from nodegraph.headless.health import health, metrics

    with contextlib.ExitStack() as stack:
        if plan.health is not None:
            from nodegraph.headless.answering import Answering

            answering = Answering(
                plan.health, lambda: health(session.status(), vitals), lambda: metrics(session.status(), vitals), say
            )
            answering.start()
            stack.callback(answering.stop)
        assert plan.args is not None
        beside = stack.enter_context(
            company(
                session, Namespace(**plan.args), lambda text: say("info", text),
                health=lambda: str(health(session.status(), vitals)["health"]),
                metrics=lambda: metrics(session.status(), vitals),
            )
        )  # fmt: skip
        if beside.server is not None:
            say("info", f"the panel: {beside.server.url}")
        if beside.osc is not None and beside.osc.port is not None:
            say("info", f"OSC: port {beside.osc.port}")
        yield


def main(plan: dict[str, Any]) -> int:
    """Live as a plan, and a line on stdin, say. Gives the exit code."""
    import faulthandler
    import json

    faulthandler.enable()
    for name in ("beats", "lock"):
        os.set_inheritable(plan[name], False)  # what the engine starts does not hold the service
    over = threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    load(plan)
    with contextlib.suppress(OSError):
        os.write(plan["beats"], f"{READY}\n".encode())
    line = sys.stdin.readline()
    if not line:
        return OK  # it was a spare one, and is not needed
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    told = {**plan, **json.loads(line)}
    beats = Beats(told["beats"], over)
    from nodegraph.core.errors import NodegraphError

    try:
        return _live(told, beats, over)
    except NodegraphError as error:
        for problem in error.problems:
            say("error", problem.describe())
        return WRONG
    finally:
        beats.close()


def load(plan: dict[str, Any]) -> None:
    """Load all that an engine needs, whatever the patch: an engine may wait like this for long."""
    from nodegraph.core.registry import registry
    from nodegraph.headless import health, keeping, restoring, state  # noqa: F401
    from nodegraph.runtime.drivers import null, supervisor  # noqa: F401
    from nodegraph.runtime.machine import native_render

    if plan["args"].get("health") is not None:
        from nodegraph.headless import answering  # noqa: F401
    args = plan["args"]
    if any(args.get(name) is not None for name in ("serve", "listen", "oscquery")):
        from nodegraph.server import server  # noqa: F401
    if args.get("osc") is not None or args.get("osc_tcp") is not None:
        from nodegraph.osc import door  # noqa: F401
    if args.get("codes") is not None:
        from nodegraph.codes import door as codes_door  # noqa: F401
    registry()
    native_render()


def _live(told: dict[str, Any], beats: Beats, over: threading.Event) -> int:
    from nodegraph.core.errors import DeviceError, NodegraphError
    from nodegraph.headless.health import Vitals
    from nodegraph.headless.keeping import Keeper
    from nodegraph.headless.places import Place
    from nodegraph.headless.restoring import opened, set_aside
    from nodegraph.headless.running import Plan
    from nodegraph.headless.state import Snapshots
    from nodegraph.session.session import Session

    plan = Plan.of(told)
    place = Place(plan.name)
    restarts, safe = int(told["restarts"]), str(told["safe"])
    vitals = Vitals(restarts=restarts, safe=safe)
    found = opened(plan, place.state, say, safe=bool(safe))
    session = Session(found.patch, report=lambda node, text: say("info", text, node), **found.options)
    beats.session, beats.vitals = session, vitals
    found.put_back(session, plan.resume)
    if safe:
        say("error", f"safe mode: the patch is open and does not play, for {safe}. Its state is kept in {place.state}.")
    snapshots = Snapshots(session, given=plan.given, asked=plan.asked)
    if found.state is not None:
        snapshots.clock = found.state.clock
    keeper = Keeper(snapshots, place.state, say, every_s=plan.autosave, beat=plan.resume != "begin")
    wanted = found.played if told["ever"] and found.state is not None else plan.autostart
    life = Life(plan, session, keeper, beats, over, found.posts)
    with companions(session, plan, vitals):
        try:
            return life.run(wanted)
        except NodegraphError as error:
            if not found.restored or life.played or isinstance(error, DeviceError):
                raise
            say("error", f"the kept state does not play: {error.problems[0].describe()}")
            set_aside(place.state, say)
        finally:
            life.end()
            if beats.orphaned:
                say("warning", "nobody supervises the engine any more; it ends.")
    return _live({**told, "ever": False}, beats, over)


if __name__ == "__main__":
    import json

    sys.exit(main(json.loads(sys.argv[1])))
