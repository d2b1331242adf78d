"""JACK, directly: a client with native callbacks, for studios, tests that compare every sample, and freewheel."""

from __future__ import annotations

import os
import time
from collections import Counter
from typing import Any, Final

import numpy as np

from nodegraph.core.errors import DeviceError, Problem
from nodegraph.runtime.drivers.gate import MOST_CHANNELS, Gate
from nodegraph.runtime.drivers.jack_midi import JackMidi
from nodegraph.runtime.drivers.pulse import Pulse
from nodegraph.runtime.engine import Engine
from nodegraph.runtime.machine import pointers
from nodegraph.runtime.native import callbacks, empty
from nodegraph.runtime.native import words as w
from nodegraph.runtime.native.compiled import address

TRIES: Final = 4
PAUSE_S: Final = 0.25

_servers: Counter[str] = Counter()
"""Open clients of this process, by server."""


def _check_alone(server: str) -> None:
    """libjack knows one server at a time: clients of a second one would read the first one's memory."""
    others = [name for name, count in _servers.items() if count and name != server]
    if others:
        what = f"this process is a client of the JACK server '{others[0]}' and cannot be one of '{server}' as well."
        raise DeviceError(Problem("device-busy", what, "Stop what plays there."))


def jack_server() -> tuple[str, int, int] | None:
    """The default server's name, rate and block, if one is running and the library is there."""
    try:
        import jack
    except (ImportError, OSError):
        return None
    name = os.environ.get("JACK_DEFAULT_SERVER", "default")
    _hush(jack)
    try:
        client = jack.Client("nodegraph looks", no_start_server=True)
    except jack.JackOpenError:
        return None
    found = name, int(client.samplerate), int(client.blocksize)
    client.close()
    return found


def _hush(jack: Any) -> None:
    """libjack prints what it thinks, also from its own threads; what is wrong is said in our words."""
    quiet = jack._ffi.cast("void (*)(const char *)", address(empty.nothing))
    jack._lib.jack_set_error_function(quiet)
    jack._lib.jack_set_info_function(quiet)


def _client(jack: Any, name: str, server: str | None, advice: str) -> Any:
    """A client. A server that is there but did not take it is asked again: it gives a client two seconds to answer,
    which a machine with much to do may miss."""
    _hush(jack)
    for tries_left in reversed(range(TRIES)):
        try:
            return jack.Client(name, servername=server, no_start_server=True)
        except jack.JackOpenError as error:
            named = f" '{server}'" if server else ""
            if error.status.server_failed or not error.status.server_error:
                raise DeviceError(f"no JACK server{named} is running.", advice) from error
            if not tries_left:
                what = f"the JACK server{named} is there, but did not take the client '{name}' ({TRIES} tries)."
                raise DeviceError(what, "See what the server says; it may be busy, or of another version.") from error
        time.sleep(PAUSE_S)
    raise AssertionError("the last try returns or raises")


def open_client(name: str, server: str | None = None) -> tuple[Any, str]:
    """A further client of a server, without ports, and the server's name. Raises DeviceError."""
    try:
        import jack
    except (ImportError, OSError) as error:
        raise DeviceError("JACK is not installed.", "apt install jackd2 brings the server.") from error
    named = server or os.environ.get("JACK_DEFAULT_SERVER", "default")
    _check_alone(named)
    client = _client(jack, name, named, "Start one (jackd, qjackctl, PipeWire).")
    _servers[named] += 1
    return client, named


def close_client(client: Any, server: str) -> None:
    """The inverse of `open_client`."""
    client.close(ignore_errors=True)
    _servers[server] -= 1


class JackDriver:
    """A JACK client with a port per channel: ``in_1``…, ``out_1``…, and ``midi_in`` and ``midi_out``.

    `server` names a server other than the default one. How long its blocks are, and at what rate, is the server's.

    While the server freewheels the engine waits for its listeners,
    so a capture is the same as an offline render.
    """

    def __init__(self, engine: Engine, name: str = "nodegraph", server: str | None = None) -> None:
        try:
            import jack
        except (ImportError, OSError) as error:
            raise DeviceError(
                "JACK is not installed.",
                "pip install nodegraph[midi] brings the client, apt install jackd2 the server.",
            ) from error
        self.engine = engine
        self._closed = False
        self.server = server or os.environ.get("JACK_DEFAULT_SERVER", "default")
        _check_alone(self.server)
        library, ffi = jack._lib, jack._ffi
        self.client = _client(jack, name, server, "Start one (jackd, qjackctl, PipeWire) or use --driver auto.")
        _servers[self.server] += 1
        if self.client.samplerate != engine.rate:
            rate = self.client.samplerate
            self._close()
            what = f"the JACK server runs at {rate} Hz, the patch at {engine.rate} Hz."
            raise DeviceError(Problem("device-rate", what, f"Use --rate {rate}."))
        self.inputs = [self.client.inports.register(f"in_{number + 1}") for number in range(engine.inputs)]
        self.outputs = [self.client.outports.register(f"out_{number + 1}") for number in range(engine.outputs)]
        self.midi = JackMidi(self.client, jack)
        self.gate = Gate(engine, engine.inputs, engine.outputs)
        self.gate.words[w.G_MIDI] = self.midi.address
        self.notices: list[str] = []

        def as_number(pointer: Any) -> int:
            return int(ffi.cast("intptr_t", pointer))

        table = [as_number(library.jack_port_get_buffer)]
        table += [as_number(port._ptr) for port in (*self.inputs, *self.outputs)]
        self._table = np.array(table, np.int64)
        self._buffers = np.zeros((2, max(MOST_CHANNELS, engine.inputs, engine.outputs)), np.int64)
        self.gate.words[w.G_PORTS] = self._table.ctypes.data
        self.gate.words[w.G_INS], self.gate.words[w.G_OUTS] = pointers(self._buffers)
        data = ffi.cast("void *", self.gate.address)
        self._callbacks = [
            ffi.cast("JackProcessCallback", address(callbacks.jack)),
            ffi.cast("JackXRunCallback", address(callbacks.jack_xrun)),
            ffi.cast("JackFreewheelCallback", address(callbacks.jack_freewheel)),
        ]
        library.jack_set_process_callback(self.client._ptr, self._callbacks[0], data)
        library.jack_set_xrun_callback(self.client._ptr, self._callbacks[1], data)
        library.jack_set_freewheel_callback(self.client._ptr, self._callbacks[2], data)
        self._started = self._shut = False
        self._pulse = Pulse(self.gate)
        self.client.set_shutdown_callback(self._gone)

    def _gone(self, status: object, reason: str) -> None:
        """The server has ended."""
        self._shut = True

    @property
    def alive(self) -> bool:
        return self._started and not self._shut and self._pulse.beats

    @property
    def block(self) -> int:
        """Frames of the server's blocks."""
        return int(self.client.blocksize)

    @property
    def latency_s(self) -> float:
        return float(self.client.blocksize / self.engine.rate)

    def start(self) -> None:
        self._pulse = Pulse(self.gate)
        self.client.activate()
        self._started = True

    def connect(self) -> None:
        """Connect the outputs to the system's playback ports, and the system's inputs to ours."""
        for ours, theirs in zip(
            self.outputs, self.client.get_ports(is_physical=True, is_input=True, is_audio=True), strict=False
        ):
            ours.connect(theirs)
        for ours, theirs in zip(
            self.inputs, self.client.get_ports(is_physical=True, is_output=True, is_audio=True), strict=False
        ):
            ours.connect(theirs)
        self.midi.connect()

    def stop(self) -> None:
        if self._started:
            self._started = False
            # a callback that waits for the grant would hold the server: let it go first
            self.engine.waiting = False
            if not self._shut:
                self.client.deactivate()
        self._close()

    def _close(self) -> None:
        if not self._closed:
            self._closed = True
            if hasattr(self, "midi"):
                self.midi.close()
            self.client.close(ignore_errors=True)
            _servers[self.server] -= 1

    def describe(self) -> str:
        return f"JACK client '{self.client.name}', {self.engine.rate} Hz, blocks of {self.client.blocksize}"
