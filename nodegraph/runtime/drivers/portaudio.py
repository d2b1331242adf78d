"""PortAudio through sounddevice, with a callback that is native code (the library's documented way to do that)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final

from nodegraph.core.errors import DeviceError
from nodegraph.runtime.capture import fed
from nodegraph.runtime.drivers.devices import Device, chosen, opened, portaudio, refused, stuck
from nodegraph.runtime.drivers.gate import Gate
from nodegraph.runtime.drivers.portaudio_input import PortAudioInput
from nodegraph.runtime.drivers.pulse import Pulse
from nodegraph.runtime.engine import Engine
from nodegraph.runtime.native import callbacks
from nodegraph.runtime.native import words as w
from nodegraph.runtime.native.compiled import address

CLOSE_S: Final = 3.0
"""How long PortAudio may take to close a stream."""


class PortAudioDriver:
    """A device for the outputs, and for the inputs if it has any.

    `device` is an index or part of a name; None is the default device. `input_device` is another one for the inputs; so
    is the default input where the outputs' device has none. Two devices have two clocks: a bridge leads from one to the
    other. Both are opened with as many channels as the patch and the device have: what a device lacks is told in
    `notices` and is not heard.
    """

    def __init__(self, engine: Engine, device: Any = None, block: int = 256, input_device: Any = None) -> None:
        self.engine = engine
        self.block = block
        output = chosen(device)
        if output is None:
            raise DeviceError("there is no sound device.", "Use --driver null to play without one.")
        self.output: Device = output
        self.wants_input = bool(engine.inputs) and not fed(engine)
        source = self._source(input_device) if self.wants_input else None
        given = 0 if source is None else min(engine.inputs, source.inputs)
        wanted = min(engine.outputs, self.output.outputs)
        self.notices = missing(engine.outputs, self.output, wanted, "output", "of out~ {} not heard")
        if self.wants_input:
            self.notices += missing(engine.inputs, source or self.output, given, "input", "of in~ {} silent")
        self.input: PortAudioInput | None = None
        if source is not None and source.index != self.output.index:
            self.input = PortAudioInput(source, engine.rate, given, block)
            given = 0
        self.gate = Gate(engine, given, wanted)
        if self.input is not None:
            self.gate.words[w.G_BRIDGE] = self.input.bridge.address
        try:
            self._stream, self._error = self._opened(given, wanted)
        except DeviceError:
            self._end_input()
            raise
        self._closed = False
        self._pulse = Pulse(self.gate)

    def _source(self, input_device: Any) -> Device | None:
        """Where the inputs come from."""
        if input_device is None and self.output.inputs:
            return self.output
        return chosen(input_device, input=True)

    def _opened(self, given: int, wanted: int) -> tuple[Any, Any]:
        """The stream, and what PortAudio raises."""
        index = self.output.index
        with portaudio() as sd:
            callback = sd._ffi.cast("PaStreamCallback *", address(callbacks.portaudio))
            try:
                stream = sd._StreamBase(
                    kind="duplex" if given else "output", samplerate=self.engine.rate, blocksize=self.block,
                    device=(index, index) if given else index, channels=(given, wanted) if given else wanted,
                    dtype="float32", latency="low", callback=callback,
                    userdata=sd._ffi.cast("void *", self.gate.address), wrap_callback=None,
                )  # fmt: skip
            except (sd.PortAudioError, ValueError) as error:
                channels = f"{given} inputs and {wanted} outputs" if given else f"{wanted} channels"
                raise refused(self.output, self.engine.rate, channels, error) from error
            opened(1)
            return stream, sd.PortAudioError

    @property
    def alive(self) -> bool:
        return bool(self._stream.active) and self._pulse.beats

    @property
    def latency_s(self) -> float:
        latency = self._stream.latency
        return float(latency[1] if isinstance(latency, tuple) else latency)

    def start(self) -> None:
        if self.input is not None:
            self.input.start()
        try:
            with portaudio():
                self._stream.start()
        except self._error as error:
            raise refused(self.output, self.engine.rate, f"{self.engine.outputs} channels", error) from error
        self._pulse = Pulse(self.gate)

    def tend(self, report: Callable[[str], None]) -> None:
        """Look after the inputs' device, if it is another one."""
        if self.input is not None and not self._closed:
            self.input.tend(report)

    def status(self) -> dict[str, Any]:
        """The inputs' device, if it is another one."""
        return {} if self.input is None else {"input": self.input.status()}

    def stop(self) -> None:
        if not self._closed:
            self._closed = True
            ending = threading.Thread(target=self._end, name="PortAudio stream's end", daemon=True)
            ending.start()
            ending.join(CLOSE_S)
            if ending.is_alive():
                stuck()
            else:
                opened(-1)

    def _end_input(self) -> None:
        if self.input is not None:
            self.input.stop()

    def _end(self) -> None:
        self._end_input()
        self._stream.stop(ignore_errors=True)
        self._stream.close(ignore_errors=True)

    def describe(self) -> str:
        name = self.output.name if self.input is None else f"{self.output.name} (inputs: {self.input.device.name})"
        return f"{name}, {self.engine.rate} Hz, blocks of {self.block or 'any size'}"


def missing(need: int, device: Device, have: int, way: str, then: str) -> list[str]:
    """What the patch uses and the device does not have, in words."""
    if have >= need:
        return []
    has = f"{have or 'no'} {way}{'s' * (have != 1)}"
    channels = f"channel {need}" if need - have == 1 else f"channels {have + 1} to {need}"
    return [f"{device.name} has {has}: {channels} {then.format('is' if need - have == 1 else 'are')}."]
