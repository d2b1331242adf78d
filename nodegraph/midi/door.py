"""The door between MIDI ports and a patch that plays: opened with it, watched while it plays, closed after it.

Everything that comes, by whatever port, arrives as an act at a frame; everything that nodes send leaves when its frame
sounds. Ports that vanish and come back are noticed. When the patch ends, or a port goes, nothing sounds on.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from nodegraph.core.errors import DeviceError, NodegraphError, PatchError
from nodegraph.midi.holding import Sounding
from nodegraph.midi.lines import DeviceLine
from nodegraph.midi.messages import DOOR, MidiIn, named, taken
from nodegraph.midi.parsing import Parser
from nodegraph.midi.ports import Drain, Source, System, rtmidi_system
from nodegraph.midi.saying import Saying
from nodegraph.midi.sending import Sender
from nodegraph.runtime.acts import Act
from nodegraph.runtime.native import words as w

if TYPE_CHECKING:
    from nodegraph.api.patch import Patch
    from nodegraph.api.playing import Playing
    from nodegraph.runtime.player import Player

LOOK_S: Final = 1.0
"""How often ports are looked for."""
MOST_ARRIVED: Final = 65_536
"""Messages that wait for the player."""
WOBBLE_S: Final = 0.1
"""Frames and moments that lie further back than this are those of another engine, or of another rate."""
LOOP: Final = "midi through"
"""What comes back as soon as it is sent: only by its name."""
Opener = Callable[[], System]


class _In:
    """An open input."""

    def __init__(self) -> None:
        self.parser, self.held = Parser(), Sounding()
        self.source: Source | None = None


class _Out:
    """An open output."""

    def __init__(self, drain: Drain) -> None:
        self.drain, self.sounding = drain, Sounding()


def uses_midi(patch: Patch) -> bool:
    """Whether a patch has nodes for MIDI, or learned knobs: whether it is to have ports."""
    from nodegraph.core.flatten import flatten
    from nodegraph.midi.bonds import learned_in

    entries = flatten(patch.document).nodes.values()
    return any(getattr(entry.spec and entry.spec.cls, "door", "") == DOOR for entry in entries) or bool(
        learned_in(patch.document)
    )


class MidiDoor:
    """MIDI of one `Playing`: of its device, if that is JACK, and of the system's ports. It closes when that is over."""

    def __init__(
        self,
        playing: Playing,
        *,
        name: str | None = None,
        system: Opener | None = rtmidi_system,
        report: Callable[[str], None] | None = None,
        look_s: float = LOOK_S,
    ) -> None:
        """`name` is that of the virtual ports; the patch's title otherwise. `system` brings the system's ports; None:
        only the device's. Where there are none, the log says so. `report` gets the log's lines.
        """
        self.playing = playing
        self.name = name or playing.patch.title or "patch"
        self.line = DeviceLine(lambda: getattr(playing.supervisor.driver, "midi", None))
        self.received = self.sent = self.lost = 0
        self._say = Saying(report or (lambda text: playing.say("midi", text)))
        self._ins: dict[str, _In] = {}
        self._outs: dict[str, _Out] = {}
        self._failed: set[str] = set()
        self._arrived: deque[tuple[float, str, bytes]] = deque()
        self._sender = Sender(self._send)
        self._block = self._last_in = 0
        self._last_out = 0, 0.0
        self._ending = False
        self._wake = threading.Event()
        self.system = self._opened(system)
        if self.system is not None and self.system.virtual:
            self._open_virtual(self.system)
        self._look()
        try:
            playing.call(self._enter)
        except PatchError:  # it is over already
            self._ending = True
        self._thread = threading.Thread(target=self._watch, args=(look_s,), name="midi ports", daemon=True)
        self._thread.start()

    def _opened(self, opener: Opener | None) -> System | None:
        if opener is None:
            return None
        try:
            return opener()
        except DeviceError as error:
            if getattr(self.playing.supervisor.driver, "midi", None) is None:  # else there is MIDI all the same
                self._say(error.problems[0].describe())
            return None

    def _enter(self) -> None:
        """On the player's thread."""
        player = self.playing.player
        player.lines.append(self)
        player.messages.outside.sink(DOOR, self._leave)
        self.playing.endings.append(self._end)

    # -- runtime.player.Line

    def hear(self, player: Player, done: int) -> None:
        engine = player.engine
        self.line.hear(player, done)
        self._block = max(self._block, int(engine.words[w.CYCLE_FRAMES]))
        arrived = self._arrived
        while arrived:
            moment, port, data = arrived.popleft()
            frame = None if engine.waiting else self.playing.timebase.frame_at(moment)
            when = -1
            if frame is not None:  # it is an estimate, and nothing overtakes what came before it
                when = max(frame + player.lookahead + self._block, 0)
                if self._last_in - when < WOBBLE_S * player.rate:
                    when = max(when, self._last_in)
                self._last_in = when
            player.acts.do(Act(when, "arrive", (DOOR, MidiIn(port, data))))

    def hand_over(self, player: Player, handled: int) -> None:
        self.line.hand_over(player, handled)

    # -- in

    def _heard(self, port: str, data: bytes) -> None:
        """Bytes come in by one of the system's ports; on a thread of its own."""
        moment, opened = time.monotonic(), self._ins.get(port)
        if opened is None:
            return
        for message in opened.parser.feed(data):
            opened.held.note(message)
            self._take(moment, port, message)
        self.playing.player.wake()

    def _take(self, moment: float, port: str, message: bytes) -> None:
        if len(self._arrived) >= MOST_ARRIVED:
            self.lost += 1
            self._say("more MIDI comes than can be played; some of it is lost.")
            return
        self.received += 1
        self._arrived.append((moment, port, message))

    # -- out

    def _leave(self, frame: int, value: Any) -> None:
        """A node sends something; on the player's thread."""
        found = taken(value)
        if found is None or self._ending:
            return
        port, data = found
        player = self.playing.player
        frame = player.messages.handled if frame < 0 else frame
        self.line.send(frame, port, data)
        if not self._outs:
            return
        moment = None if player.engine.waiting else self.playing.timebase.time_of(frame)
        when = time.monotonic() if moment is None else moment + self.playing.supervisor.driver.latency_s
        if frame >= self._last_out[0] or self._last_out[0] - frame > WOBBLE_S * player.rate:  # as above
            when = max(when, self._last_out[1])
            self._last_out = frame, when
        for name in list(self._outs):
            if named(name, port) and (port or LOOP not in name.lower()):
                self._sender.at(when, name, data)

    def _send(self, port: str, data: bytes) -> None:
        """On the sender's thread."""
        out = self._outs.get(port)
        if out is None:
            self.lost += 1
            return
        try:
            out.drain.send(data)
        except DeviceError as error:
            self.lost += 1
            self._say(error.problems[0].describe())
            return
        self.sent += 1
        out.sounding.note(data)

    # -- ports that come and go

    def _open_virtual(self, system: System) -> None:
        opened = self._ins[self.name] = _In()
        try:
            opened.source = system.virtual_input(self.name, lambda data: self._heard(self.name, data))
            self._outs[self.name] = _Out(system.virtual_output(self.name))
        except DeviceError as error:
            self._say(error.problems[0].describe())

    def _look(self) -> None:
        """Open what is there, and let go of what is not there any more."""
        midi = getattr(self.playing.supervisor.driver, "midi", None)
        if midi is not None and hasattr(midi, "connect"):
            midi.connect()
        system = self.system
        if system is None:
            return
        try:
            ins, outs = system.inputs(), system.outputs()
        except DeviceError as error:
            self._say(error.problems[0].describe())
            return
        self._failed &= {*ins, *outs}
        for name in [name for name in self._ins if name != self.name and name not in ins]:
            self._close_input(name)
        for name in [name for name in self._outs if name != self.name and name not in outs]:
            self._close_output(name)
        for name in ins:
            if name not in self._ins and name not in self._failed:
                self._try(name, self._open_input)
        for name in outs:
            if name not in self._outs and name not in self._failed:
                self._try(name, self._open_output)

    def _try(self, name: str, open_: Callable[[str], None]) -> None:
        try:
            open_(name)
        except DeviceError as error:
            self._failed.add(name)  # until it has gone and come back
            self._say(error.problems[0].describe())

    def _open_input(self, name: str) -> None:
        assert self.system is not None
        opened = self._ins[name] = _In()
        try:
            opened.source = self.system.open_input(name, lambda data: self._heard(name, data))
        except DeviceError:
            del self._ins[name]
            raise
        self._say(f"the MIDI input '{name}' is open.")

    def _open_output(self, name: str) -> None:
        assert self.system is not None
        self._outs[name] = _Out(self.system.open_output(name))
        self._say(f"the MIDI output '{name}' is open.")

    def _close_input(self, name: str) -> None:
        opened = self._ins.pop(name)
        self._shut(opened.source)
        for message in opened.held.ends():  # nobody lets go of its keys any more
            self._take(time.monotonic(), name, message)
        self._say(f"the MIDI input '{name}' has gone.")

    def _close_output(self, name: str) -> None:
        self._shut(self._outs.pop(name).drain)
        self._say(f"the MIDI output '{name}' has gone.")

    def _shut(self, port: Source | Drain | None) -> None:
        if port is not None:
            try:
                port.close()
            except Exception as error:  # what has gone cannot be closed well, and rtmidi raises what it likes
                self._say(f"a MIDI port did not close: {error}.")

    def look_now(self) -> None:
        """Look for ports now, not in a while."""
        self._wake.set()

    def _watch(self, look_s: float) -> None:
        while self.playing.running and not self._ending:
            self._wake.wait(look_s)
            self._wake.clear()
            if self.playing.running and not self._ending:
                try:
                    self._look()
                except NodegraphError as error:
                    self._say(str(error))
        self.playing.wait()
        self._close_ports()

    # -- the end

    def _end(self) -> bool:
        """In every round of the last fade: what sounds ends. Whether that has gone out."""
        if not self._ending:
            self._ending = True
            self._sender.drop()
            for name, out in list(self._outs.items()):
                for message in out.sounding.ends():
                    self._sender.at(0.0, name, message)
            self._wake.set()
        return self.line.end(self.playing.player.engine.done)

    def _close_ports(self) -> None:
        if not self._ending:  # it did not come to the fade
            self._end()
        self._sender.close()
        for name in list(self._ins):
            self._shut(self._ins.pop(name).source)
        for name in list(self._outs):
            self._shut(self._outs.pop(name).drain)
        self._say.flush()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until everything is closed, which follows the end of the playing. False when it took longer."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def status(self) -> dict[str, Any]:
        """Ports that are open, and messages: plain data."""
        device = self.line.device
        return {
            "device": None if device is None else list(device.names),
            "system": None if self.system is None else self.system.name,
            "inputs": sorted(name for name, item in list(self._ins.items()) if item.source is not None),
            "outputs": sorted(self._outs),
            "received": self.received + self.line.received, "sent": self.sent + self.line.sent,
            "lost": self.lost + self.line.lost + self._sender.lost,
            "skipped_bytes": self.line.parser.skipped + sum(item.parser.skipped for item in list(self._ins.values())),
            **({} if device is None else device.counters()),
        }  # fmt: skip
