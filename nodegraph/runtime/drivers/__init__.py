"""What makes an engine sound: PortAudio, JACK, or nobody in real time.

Each driver calls the engine from native code, through a gate of its own; none of them runs Python on its audio thread.
"""

from __future__ import annotations

from typing import Any, Protocol

from nodegraph.core.errors import DeviceError
from nodegraph.runtime.drivers.devices import Device, devices, with_rates
from nodegraph.runtime.drivers.gate import Gate
from nodegraph.runtime.engine import Engine

KINDS = ("auto", "portaudio", "jack", "null")


class Driver(Protocol):
    """A running connection between an engine and a device. `notices` is what the user should know of it."""

    engine: Engine
    gate: Gate
    notices: list[str]

    @property
    def alive(self) -> bool:
        """Whether it still asks for sound."""

    @property
    def latency_s(self) -> float:
        """What the device adds between the engine and the ear, as far as it says."""

    def start(self) -> None:
        """Begin. Raises DeviceError."""

    def stop(self) -> None:
        """End; the engine is not called any more when this returns."""

    def describe(self) -> str:
        """One line for people."""


def open_driver(
    kind: str,
    engine: Engine,
    *,
    device: Any = None,
    input_device: Any = None,
    block: int = 256,
    name: str = "nodegraph",
) -> Driver:
    """A driver that is not started yet. ``auto``: the default device if there is one, else the null driver, which says
    why in its description. `device` is for PortAudio a number or a part of a name, for JACK a server's name;
    `input_device`, for PortAudio, is another device for the inputs.

    Raises DeviceError when the device is absent or does not take the engine's rate.
    """
    from nodegraph.runtime.drivers.null import NullDriver

    if kind == "null":
        return NullDriver(engine, block)
    if kind == "jack":
        from nodegraph.runtime.drivers.jack import JackDriver

        if input_device is not None:
            raise DeviceError("JACK has no input devices.", "Connect the ports with a patch bay, such as qjackctl.")
        return JackDriver(engine, name, None if device is None else str(device))
    if kind == "portaudio" or (kind == "auto" and not (device is None and input_device is None)):
        from nodegraph.runtime.drivers.portaudio import PortAudioDriver

        return PortAudioDriver(engine, device, block, input_device)
    if kind != "auto":
        raise DeviceError(f"there is no driver '{kind}'.", f"Choose one of {', '.join(KINDS)}.")
    try:
        from nodegraph.runtime.drivers.portaudio import PortAudioDriver

        return PortAudioDriver(engine, None, block)
    except DeviceError as error:
        return NullDriver(engine, block, error.problems[0].what.rstrip("."))


def jack_server() -> tuple[str, int, int] | None:
    """The name, rate and block of the default JACK server, if one is running."""
    from nodegraph.runtime.drivers.jack import jack_server as found

    return found()


__all__ = ["KINDS", "Device", "Driver", "devices", "jack_server", "open_driver", "with_rates"]
