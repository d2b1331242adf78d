"""A patch that plays: a thread of its own makes the rounds, a native callback makes the sound."""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, Self

from nodegraph.api.checking import require
from nodegraph.api.heard import Heard, port_of
from nodegraph.api.performing import Performing
from nodegraph.api.places import placed_error, resolver
from nodegraph.api.recording import Recording
from nodegraph.api.refs import PortRef
from nodegraph.api.rendering import Post, check_lookahead, check_numbers, make_player, workers_of
from nodegraph.api.sounds import Floats, Sound, check_sound_target, heard_sound
from nodegraph.api.switching import switch, wanted
from nodegraph.core.errors import NodegraphError, PatchError, Problem
from nodegraph.core.flatten import address, entry_at, flatten
from nodegraph.core.hints import quoted
from nodegraph.core.messages import Event
from nodegraph.core.patchfile import dumps
from nodegraph.core.ports import CableKind, Control
from nodegraph.core.presets import books_of
from nodegraph.core.problems import value_problem
from nodegraph.core.values import plain
from nodegraph.runtime.drivers import open_driver
from nodegraph.runtime.drivers.supervisor import Supervisor, Wanted
from nodegraph.runtime.player import LOOKAHEAD_S
from nodegraph.timing.timebase import TimeBase

if TYPE_CHECKING:
    from nodegraph.api.patch import Patch
    from nodegraph.api.performance import Performance
    from nodegraph.api.switching import Change
    from nodegraph.api.watching import Watch
    from nodegraph.runtime.acts import Act
    from nodegraph.runtime.crew import Threads

KEPT: Final = 4096
WARM_S: Final = 1.5
"""How long the sound waits for the listeners to be ready; afterwards it starts without them."""
FADE_S: Final = 1.0
"""After so long the end does not wait any more for a device that has stopped asking."""
COME_UP_S: Final = 30.0

_playing: weakref.WeakSet[Playing] = weakref.WeakSet()


class Playing(Performing):
    """A patch being played. Made by `Patch.play`.

    It goes on by itself until its seconds are over, `stop` is called, or the ``with`` block ends.
    """

    def __init__(
        self,
        patch: Patch,
        seconds: float | None = None,
        *,
        driver: str = "auto",
        device: str | int | None = None,
        input_device: str | int | None = None,
        rate: int = 48_000,
        block: int = 256,
        input: Sound | None = None,
        record: str | os.PathLike[str] | None = None,
        report: Callable[[str, str], None] | None = None,
        first: Iterable[Post] = (),
        keep: bool = False,
        warm_s: float = WARM_S,
        threads: Threads = "auto",
        each: Callable[[], None] | None = None,
        performance: str | os.PathLike[str] | None = None,
        keep_performance: str | os.PathLike[str] | None = None,
        lookahead_s: float = LOOKAHEAD_S,
        acts: Iterable[Act] = (),
        patient: bool = False,
        models_on: str = "cpu",
        models_memory: float | None = None,
        models_threads: int | None = None,
    ) -> None:
        """`first` are messages that arrive before anything else happens; `keep` collects what is played in `kept`;
        `each` is called after every round, on the player's thread. `keep_performance` and `performance` are as in
        `Patch.play`. `lookahead_s` is how far messages run ahead of the sound: what is played on a controller is heard
        so much later, and it must be longer than a block. `acts` are done at their frames (`runtime.acts`). `patient`:
        it begins without a device that is not there yet, and goes to it when it comes. `models_on`, `models_memory` (in
        megabytes) and `models_threads` are as in `core.listening.Workers`."""
        check_numbers(seconds, rate, block)
        check_lookahead(lookahead_s)
        workers = workers_of(models_on, models_memory, models_threads)
        self._lines: deque[tuple[str, str]] = deque(maxlen=10_000)
        self._report = report
        self.replay = None
        if performance is not None:
            from nodegraph.api.replaying import Replay

            self.replay = Replay(performance, patch, rate, self.say)
            patch = self.replay.patch
            seconds = self.replay.frames / rate if seconds is None else seconds
        require(patch.document, patch.media)
        if record is not None:
            check_sound_target(Path(record))
        self.patch, self.rate, self.seconds = patch, rate, seconds
        self.error: NodegraphError | None = None
        self._after_round = each
        self.input = input
        self.change: Change | None = None
        """A change of the rate that is under way."""
        self.timebase = TimeBase(rate)
        """When which frame is handed to the device: for whoever lives by the clock on the wall."""
        self.setting = threading.Lock()
        self.endings: list[Callable[[], bool]] = []
        """Are called in every round of the last fade, on the player's thread, until they say that they are done."""
        self._warm_s = warm_s
        self._queues: list[SimpleQueue[Event | None]] = []
        self._calls: SimpleQueue[tuple[Callable[[], None], threading.Event, list[BaseException]]] = SimpleQueue()
        self.changing = threading.RLock()
        """Held while the patch is read for an update, or the device changes: who watches files and changes the patch
        does that inside it."""
        self._stop = threading.Event()
        self._over = threading.Event()
        self._started = threading.Event()
        text = dumps(patch.document)
        heard = None if input is None else heard_sound(input, rate)
        self.player = make_player(patch, rate, heard, self.say, text, first, threads, lookahead_s, workers)
        for act in acts:
            self.player.act(act.what, *act.args, frame=act.frame)
        self.heard = Heard(self.player, patch.document, None if keep else KEPT)
        if self.replay is not None:
            self.replay.attach(self.player, self._goes_over)
        engine = self.player.engine
        self.performance: Performance | None = None
        try:
            asked = Wanted(driver, device, input_device, block, patient=patient)
            self.supervisor = Supervisor(engine, asked, open_driver, self._device_says)
            if keep_performance is not None:
                self.performance = self._keep(Path(keep_performance), text)
        except NodegraphError:
            self.player.close()
            raise
        self.recording = Recording(engine, None if record is None else Path(record), text, keep=keep, seconds=seconds)
        self._final: dict[str, Any] = {}
        _playing.add(self)
        self._thread = threading.Thread(target=self._run, name="nodegraph", daemon=True)
        self._thread.start()
        self._started.wait(COME_UP_S)
        if self.error is not None:
            raise self.error

    # What it says.

    def watch(self, *ports: PortRef | str, seconds: float | None = None) -> Iterator[Event]:
        """The messages of these outlets as they come, from the start of the patch on; of all outlets without any named.

        It ends when the playing does (or after `seconds`), and raises what ended it if that was an error.
        Raises PatchError when an outlet sends no messages.
        """
        view = self.patch.graph.view
        named = [port_of(view, str(port)) for port in ports]
        queue = self.heard.queue(named or None)
        self._queues.append(queue)
        if self._over.is_set():
            queue.put(None)
        return self._events(queue, None if seconds is None else time.monotonic() + seconds)

    def _events(self, queue: SimpleQueue[Event | None], until: float | None) -> Iterator[Event]:
        while True:
            try:
                event = queue.get(timeout=None if until is None else max(0.0, until - time.monotonic()))
            except Empty:
                return
            if event is None:
                break
            yield event
        if self.error is not None:
            raise self.error

    # What may be done to it.

    def set(self, port: PortRef | str, value: Any) -> None:
        """Move a control inlet (ramped, no click), or send a message to an event inlet. The patch keeps its value.

        Raises PatchError when there is no such inlet or the value is not legal.
        """
        node, _, name = str(port).partition(".")
        entry = entry_at(self.patch.graph.view, node) or self.patch.graph.node(node)
        inlet = entry.spec.inlet_named.get(name) if entry.spec else None
        if isinstance(inlet, Control):
            problem = value_problem(entry, name, plain(value))
            if problem:
                raise PatchError(problem)
        elif inlet is None or inlet.kind is not CableKind.EVENT:
            what = f"{quoted(str(port))} takes no messages."
            raise PatchError(Problem("unknown-port", what, "Change the patch and call update().", node=node, port=name))
        with self.setting:
            self.player.set(*address(self.patch.graph.view, node, name), value)

    def switch(
        self,
        driver: str | None = None,
        device: str | int | None = None,
        input_device: str | int | None = None,
        rate: int | None = None,
        block: int | None = None,
    ) -> None:
        """Play on another driver, device, rate or block; what is not named stays. The sound fades in 10 ms.

        At another rate the values of controls, musical time and the second are kept, and nodes begin anew otherwise.
        Raises DeviceError, which says what is legal, and plays on as before then.
        """
        switch(self, wanted(self.supervisor.wanted, driver, device, input_device, block), rate)

    def update(self) -> None:
        """Play the patch as it is now. What stays keeps sounding, under another id too; what comes or goes fades.

        Raises PatchError, MediaError and so on, and plays on as before then.
        """
        self._play(self.patch)

    def load(self, patch: Patch) -> None:
        """Play another patch from now on. The one that plays fades out, this one fades in and begins anew.

        Raises PatchError, MediaError and so on, and plays on as before then.
        """
        self._play(patch)

    def watch_files(self, *, trust_edits: bool = False) -> Watch:
        """Follow the patch's own files from now on: nodes (.py) and patches in it (.ng) that are saved are taken over.

        Nodes keep their memories where they fit. What cannot be taken over is told in `log`, and the sound goes on. A
        node's file that changed must be trusted again, unless `trust_edits` says that whatever is saved under the path
        of a file that is trusted now may run, until the playing ends. It works in a thread of its own: change the
        patch inside ``with playing.changing:`` meanwhile.
        """
        from nodegraph.api.watching import Watch

        return Watch(self, trust_edits)

    def _play(self, patch: Patch) -> None:
        with self.changing:
            self._play_now(patch)

    def _play_now(self, patch: Patch) -> None:
        patch.graph.refresh()
        require(patch.document, patch.media)
        view, text = flatten(patch.document), dumps(patch.document)
        resolve = resolver(patch.document, patch.media)
        other, books = patch is not self.patch, books_of(patch.document)

        def edit() -> None:
            player = self.player
            if player.score is not None:
                what = "A performance is being played, which edits the patch itself."
                raise PatchError(Problem("performing", what, "Change the patch when it is over."))
            refused = None if self.performance is None else self.performance.ask(patch, text, other)
            before = player.engine.resources.resolve
            player.engine.resources.resolve = resolve
            try:
                player.edit(view, other=other, books=books)
            except NodegraphError:
                player.engine.resources.resolve = before
                if refused is not None:
                    refused()
                raise
            player.messages.patch_text = text  # type: ignore[attr-defined]
            self.heard.follow(patch.document)
            self.patch = patch

        try:
            self.call(edit)
        except NodegraphError as error:
            raise placed_error(error, patch.document) from error

    def call(self, call: Callable[[], None]) -> None:
        """Run a function on the player's thread; what it raises is raised here. Never call it from that thread."""
        done, raised = threading.Event(), list[BaseException]()
        self._calls.put((call, done, raised))
        while not done.wait(0.05):
            if self._over.is_set():
                raise PatchError(Problem("not-playing", "The patch does not play any more."))
        if raised:
            raise raised[0]

    def say(self, node: str, text: str) -> None:
        """A line for the log, as nodes write them."""
        self._lines.append((node, text))
        if self._report is not None:
            self._report(node, text)

    def stop(self) -> None:
        """Fade out within 20 ms and end; recordings are finished. Waits for that. More than once does no harm."""
        self._stop.set()
        self.wait()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is over. False when `timeout` seconds were not enough."""
        return self._over.wait(timeout)

    @property
    def log(self) -> list[tuple[str, str]]:
        """What nodes and the device had to say, as (node, text): the last lines."""
        return list(self._lines)

    @property
    def running(self) -> bool:
        """Whether it still plays."""
        return not self._over.is_set()

    @property
    def time(self) -> float:
        """Seconds played."""
        player = self.player
        return player.engine.done / player.rate

    @property
    def recorded(self) -> int:
        """Frames that were recorded."""
        return self.recording.written

    @property
    def lost(self) -> int:
        """Frames that the recording lost, because this process was too busy."""
        return self.recording.lost

    @property
    def kept(self) -> list[Floats] | None:
        """What was played, when it is kept."""
        return self.recording.kept

    def status(self) -> dict[str, Any]:
        """Driver, time, latency (of the device and the patch together), load, level of each channel, xruns, late
        messages, listeners: plain data.

        Levels are the peaks since the last call (1.0 is full scale).
        """
        if self._final:
            return dict(self._final)
        player = self.player
        found: dict[str, Any] = self.supervisor.status()
        found |= player.status()
        found["latency_s"] += found["latency_frames"] / player.rate
        ins, outs = player.engine.meters()
        found["load"] = player.engine.load()
        found["inputs"] = [meter.peak for meter in ins]
        found["outputs"] = [meter.peak for meter in outs]
        found["lost_frames"] = self.lost
        found.setdefault("listeners", {})
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.stop()
        if kind is None and self.error is not None:
            raise self.error

    # The thread.

    def _run(self) -> None:
        try:
            if self.player.lanes is not None and self._warm_s:
                self.player.lanes.wait_ready(self._warm_s)
            self.player.advance()  # what happens in the beginning is known before the sound begins
            self.supervisor.start()
            self._started.set()
            try:
                self.player.live(self._goes_on, self._each)
                while self.change is not None and not self._over_at(self.player.engine.done):
                    self.change.carry_out()
                    self.player.live(self._goes_on, self._each)
                self._fade()
            finally:
                self._final = self.status()
                self.supervisor.stop()
        except NodegraphError as error:
            self.error = placed_error(error, self.patch.document)
        except Exception as error:
            self.error = NodegraphError(Problem("internal", f"The player failed: {type(error).__name__}: {error}."))
            self.error.__cause__ = error
        finally:
            self._end()

    def _goes_on(self) -> bool:
        if self.supervisor.error is not None:
            raise self.supervisor.error
        if self.change is not None and self.change.due:
            return False
        return not self._over_at(self.player.engine.done)

    def _over_at(self, frame: int) -> bool:
        return self._stop.is_set() or (self.seconds is not None and frame >= round(self.seconds * self.player.rate))

    def _each(self) -> None:
        self.timebase.look(self.player.engine)
        while not self._calls.empty():
            call, done, raised = self._calls.get()
            try:
                call()
            except Exception as error:  # it belongs to the caller
                raised.append(error)
            done.set()
        if self._after_round is not None:
            self._after_round()
        self._look()
        self.recording.write(None if self.change is None else self.change.frame)

    def _fade(self) -> None:
        engine = self.player.engine
        self._end_performance()
        engine.stop()
        until = time.monotonic() + FADE_S
        endings = list(self.endings)

        def goes_on() -> bool:
            endings[:] = [call for call in endings if not call()]
            return (bool(endings) or not engine.silent) and time.monotonic() < until

        self.player.live(goes_on, self.recording.write)

    def _end(self) -> None:
        """Close everything, whatever happens, and tell who waits."""
        for close in (self.recording.finish, self.player.close, *self._closes()):
            try:
                close()
            except NodegraphError as error:
                self.error = self.error or placed_error(error, self.patch.document)
        _playing.discard(self)
        self._started.set()
        self._over.set()
        for queue in list(self._queues):
            queue.put(None)

    def _device_says(self, text: str) -> None:
        self.say("", text)


@atexit.register
def _stop_all() -> None:
    """Python ends: fade out what still plays."""
    for playing in list(_playing):
        playing.stop()
