"""A device for the inputs alone, beside the one that plays: a stream of its own, and the bridge to the other clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from nodegraph.core.errors import DeviceError
from nodegraph.runtime.drivers.bridge import Bridge
from nodegraph.runtime.drivers.devices import Device, opened, portaudio, refused
from nodegraph.runtime.drivers.pulse import SILENT_S
from nodegraph.runtime.native import bridge
from nodegraph.runtime.native.compiled import address

AGAIN_S: Final = 2.0
"""Between two tries to open an input that has gone."""
OTHERWISE: Final = 1024
"""Frames of a block where the device chooses."""


class PortAudioInput:
    """A stream of inputs. When it goes the outputs play on, and the inputs are silent until it is back."""

    def __init__(self, device: Device, rate: int, channels: int, block: int) -> None:
        """Raises DeviceError."""
        self.device, self.rate, self.channels, self.block = device, rate, channels, block
        self.bridge = Bridge(rate, channels, block or OTHERWISE, block or OTHERWISE)
        self._stream: Any = self._opened()
        self._heard, self._since, self._gone = 0, time.monotonic(), False

    def _opened(self) -> Any:
        with portaudio() as sd:
            try:
                stream = sd._StreamBase(
                    kind="input", samplerate=self.rate, blocksize=self.block, device=self.device.index,
                    channels=self.channels, dtype="float32", latency="low",
                    callback=sd._ffi.cast("PaStreamCallback *", address(bridge.portaudio_input)),
                    userdata=sd._ffi.cast("void *", self.bridge.address), wrap_callback=None,
                )  # fmt: skip
            except (sd.PortAudioError, ValueError) as error:
                raise refused(self.device, self.rate, f"{self.channels} inputs", error, input=True) from error
            opened(1)
            return stream

    def start(self) -> None:
        """Begin to listen. Raises DeviceError."""
        with portaudio() as sd:
            try:
                self._stream.start()
            except sd.PortAudioError as error:
                raise refused(self.device, self.rate, f"{self.channels} inputs", error, input=True) from error
        self._since = time.monotonic()

    def tend(self, report: Callable[[str], None]) -> None:
        """See how the stream is; one that has gone is opened again, as often as it takes. Not on the audio thread."""
        now = time.monotonic()
        if self._gone:
            if now - self._since >= AGAIN_S:
                self._since = now
                self._try(report)
            return
        if self.bridge.written != self._heard:
            self._heard, self._since = self.bridge.written, now
        if not self._stream.active or now - self._since > SILENT_S:
            self._gone, self._since = True, now
            report(f"the input device {self.device.name} has gone; its channels are silent.")
            self.stop()

    def _try(self, report: Callable[[str], None]) -> None:
        try:
            self._stream = self._opened()
            self.start()
        except DeviceError:
            self.stop()
            return
        self._gone = False
        report(f"the input device {self.device.name} is back.")

    def stop(self) -> None:
        """End the stream. More than once does no harm."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.stop(ignore_errors=True)
            with portaudio():
                stream.close(ignore_errors=True)
                opened(-1)

    def status(self) -> dict[str, Any]:
        """The device and the bridge: plain data."""
        return {"device": self.device.name, "gone": self._gone, **self.bridge.status()}
