"""The audio devices of this machine, as PortAudio sees them.

PortAudio looks for devices once, when it is initialised, and what comes later it does not see. `look_again` initialises
it anew, which would end every stream of the process: it does so only while none is open.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

from nodegraph.core.errors import DeviceError, Problem

RATES: Final = (8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000)
LIST: Final = "'nodegraph devices' lists what there is."

_turn = threading.RLock()
"""PortAudio's own functions are not made for several threads."""
_open = 0


@dataclass(frozen=True, slots=True)
class Device:
    """One device. `rate` is the one it prefers, in Hz; `rates` are those it takes, when they were asked for."""

    index: int
    name: str
    api: str
    inputs: int
    outputs: int
    rate: int
    default_in: bool
    default_out: bool
    rates: tuple[int, ...] = ()


@cache
def sounddevice() -> Any:
    """The sounddevice module. Raises DeviceError when PortAudio's library is missing."""
    _hush()
    try:
        import sounddevice as module
    except OSError as error:
        raise DeviceError(
            "PortAudio's library is not installed.",
            "Debian and Ubuntu: apt install libportaudio2; macOS: brew install portaudio. Or use --driver null.",
        ) from error
    return module


def _hush() -> None:
    """ALSA and JACK print what they think of every device that is absent; what is wrong is said in our words."""
    from nodegraph.runtime.native import empty
    from nodegraph.runtime.native.compiled import address

    for library, names in (
        ("libasound.so.2", ("snd_lib_error_set_handler",)),
        ("libjack.so.0", ("jack_set_error_function", "jack_set_info_function")),
    ):
        try:
            found = ctypes.CDLL(library)
        except OSError:
            continue
        for name in names:
            getattr(found, name)(ctypes.c_void_p(address(empty.nothing)))


@contextmanager
def portaudio() -> Iterator[Any]:
    """The sounddevice module, for one thread at a time."""
    with _turn:
        yield sounddevice()


def opened(count: int) -> None:
    """Streams that are open now, more or (below 0) fewer."""
    global _open
    with _turn:
        _open += count


def stuck() -> None:
    """A stream does not close: PortAudio waits in its library for a device that will not come (a JACK server that was
    killed). It is left open, and PortAudio is not ended with this process either, which would wait just so."""
    sounddevice()._initialized = 0


def look_again() -> bool:
    """Let PortAudio see the devices that have come since. False when it cannot be: streams are open."""
    with portaudio() as sd:
        if _open or not sd._initialized:
            return False
        sd._terminate()
        sd._initialize()
        return True


def devices() -> list[Device]:
    """Every device. Raises DeviceError when PortAudio is missing."""
    with portaudio() as sd:
        apis = sd.query_hostapis()
        first_in, first_out = sd.default.device
        return [
            Device(
                index=number,
                name=str(found["name"]),
                api=str(apis[found["hostapi"]]["name"]),
                inputs=int(found["max_input_channels"]),
                outputs=int(found["max_output_channels"]),
                rate=int(found["default_samplerate"]),
                default_in=number == first_in,
                default_out=number == first_out,
            )
            for number, found in enumerate(sd.query_devices())
        ]


def with_rates(device: Device, *, input: bool = False) -> Device:
    """The same device with the rates that it takes now: none while another program has it for itself."""
    listens = input or not device.outputs
    return replace(device, rates=tuple(rate for rate in RATES if takes(device, rate, input=listens)))


def takes(device: Device, rate: int, *, input: bool) -> bool:
    """Whether a device runs at a rate, as far as it says without being opened."""
    with portaudio() as sd:
        check = sd.check_input_settings if input else sd.check_output_settings
        channels = min(2, device.inputs if input else device.outputs)
        try:
            check(device=device.index, channels=channels, dtype="float32", samplerate=rate)
        except (sd.PortAudioError, ValueError):
            return False
        return True


def chosen(device: Any, *, input: bool = False) -> Device | None:
    """The device that a number or a part of a name means; for None the default one, or None if there is none.

    Raises DeviceError when there is none such, or it has no channels in the direction that is meant.
    """
    known, way = devices(), "inputs" if input else "outputs"
    if device is None:
        return next((item for item in known if (item.default_in if input else item.default_out)), None)
    if isinstance(device, int) or str(device).isdigit():
        number = int(device)
        found = next((item for item in known if item.index == number), None)
        if found is None:
            raise DeviceError(f"there is no device {number}.", LIST)
        if not getattr(found, way):
            raise DeviceError(f"device {number}, {found.name}, has no {way}.", LIST)
        return found
    text = str(device).lower()
    matches = [item for item in known if text in item.name.lower()]
    fitting = [item for item in matches if getattr(item, way)]
    if not matches:
        raise DeviceError(f"no device is called '{device}'.", LIST)
    if not fitting:
        raise DeviceError(f"the device '{matches[0].name}' has no {way}.", LIST)
    return next((item for item in fitting if item.name.lower() == text), fitting[0])


def refused(device: Device, rate: int, channels: str, error: Exception, *, input: bool = False) -> DeviceError:
    """Why a device did not open, and what it would take."""
    rates = with_rates(device, input=input).rates
    if rates and rate not in rates:
        legal = ", ".join(map(str, rates))
        what = f"{device.name} does not run at {rate} Hz. It takes {legal} Hz."
        return DeviceError(Problem("device-rate", what, f"Use --rate {nearest(rate, rates)}."))
    if not rates or "unavailable" in str(error).lower() or "busy" in str(error).lower():
        what = f"{device.name} does not open for {channels} at {rate} Hz: {error}."
        return DeviceError(Problem("device-busy", what, f"Is another program using it? {LIST}"))
    what = f"{device.name} does not open for {channels} at {rate} Hz: {error}."
    return DeviceError(Problem("device", what, f"{LIST} --device, --rate and --block choose."))


def nearest(rate: int, rates: tuple[int, ...]) -> int:
    """The legal rate that is nearest."""
    return min(rates, key=lambda one: abs(one - rate))
