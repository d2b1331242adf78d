"""MIDI ports of the operating system, through rtmidi: ALSA, JACK, Core MIDI, Windows.

Their messages bear no frame, only the moment at which they come; JACK played through its own driver is exact (see
`runtime.drivers.jack_midi`).
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol

from nodegraph.core.errors import DeviceError, Problem

Heard = Callable[[bytes], None]
CLIENT: Final = "nodegraph"
"""How our own ports are known, so that a patch is not connected to itself."""
_ADDRESS = re.compile(r"\s+\d+:\d+$")


class Source(Protocol):
    """An open input."""

    def close(self) -> None: ...


class Drain(Protocol):
    """An open output."""

    def send(self, data: bytes) -> None: ...
    def close(self) -> None: ...


class System(Protocol):
    """Where ports come from. Every method may raise DeviceError."""

    name: str
    virtual: bool
    """Whether it lets us make ports of our own."""

    def inputs(self) -> list[str]: ...
    def outputs(self) -> list[str]: ...
    def open_input(self, name: str, heard: Heard) -> Source: ...
    def open_output(self, name: str) -> Drain: ...
    def virtual_input(self, name: str, heard: Heard) -> Source: ...
    def virtual_output(self, name: str) -> Drain: ...


def plain_names(names: list[str]) -> list[str]:
    """Names of ports without the numbers that change when a device comes back; of equal ones the second is ``(2)``."""
    found: list[str] = []
    for name in names:
        plain = _ADDRESS.sub("", name)
        count = 1 + sum(
            other == plain or re.fullmatch(re.escape(plain) + r" \(\d+\)", other) is not None for other in found
        )
        found.append(plain if count == 1 else f"{plain} ({count})")
    return found


def rtmidi_system(api: str = "auto", client: str = CLIENT) -> System:
    """The system's MIDI. `api`: ``auto``, or one of rtmidi's: ``alsa``, ``jack``, ``core``, ``windows``.

    Raises DeviceError, which says what is missing.
    """
    try:
        rtmidi: Any = importlib.import_module("rtmidi")
    except (ImportError, OSError) as error:
        what, do = "python-rtmidi is not installed.", "pip install nodegraph[midi] brings it."
        raise DeviceError(Problem("no-midi", what, do)) from error
    words = {
        "alsa": rtmidi.API_LINUX_ALSA, "jack": rtmidi.API_UNIX_JACK, "core": rtmidi.API_MACOSX_CORE,
        "windows": rtmidi.API_WINDOWS_MM,
    }  # fmt: skip
    there = {word: number for word, number in words.items() if number in rtmidi.get_compiled_api()}
    if api != "auto" and api not in there:
        what = f"There is no MIDI system '{api}' here."
        raise DeviceError(Problem("no-midi", what, f"Choose one of {', '.join(('auto', *there))}."))
    failed = []
    for word in [api] if api != "auto" else [word for word in there if word != "jack"]:
        if word == "alsa" and not os.path.exists("/dev/snd/seq"):
            failed.append("the ALSA sequencer is absent (/dev/snd/seq); modprobe snd-seq brings it")
            continue
        try:
            return RtMidi(rtmidi, word, there[word], client)
        except DeviceError as error:
            failed.append(error.problems[0].what)
    what = f"There is no MIDI here: {'; '.join(failed) or 'rtmidi knows no system'}."
    raise DeviceError(Problem("no-midi", what, "Play with --driver jack: it brings MIDI of its own."))


class RtMidi:
    """rtmidi with one of its systems."""

    def __init__(self, rtmidi: Any, word: str, api: int, client: str) -> None:
        self._rtmidi, self._api, self._client = rtmidi, api, client
        self.name = word
        self.virtual = word != "windows"
        with self._said():
            self._in = rtmidi.MidiIn(api, name=f"{client} looks")
            self._out = rtmidi.MidiOut(api, name=f"{client} looks")

    @contextmanager
    def _said(self) -> Iterator[None]:
        """What rtmidi raises, in our words."""
        try:
            yield
        except DeviceError:
            raise
        except Exception as error:  # its errors derive from RuntimeError, OSError, TypeError and others
            text = str(error).strip().rstrip(".") or type(error).__name__
            raise DeviceError(
                Problem("midi-port", f"MIDI ({self.name}): {text}.", "Look with nodegraph devices.")
            ) from error

    def inputs(self) -> list[str]:
        with self._said():
            return [name for _, name in self._listed(self._in)]

    def outputs(self) -> list[str]:
        with self._said():
            return [name for _, name in self._listed(self._out)]

    def _listed(self, end: Any) -> list[tuple[int, str]]:
        """Ports with their numbers: none of our own, and not the loop back of ALSA unless it is asked for."""
        named = enumerate(plain_names(list(end.get_ports())))
        return [(number, name) for number, name in named if not name.startswith(self._client)]

    def _number(self, end: Any, name: str) -> int:
        for number, found in self._listed(end):
            if found == name:
                return number
        raise DeviceError(Problem("midi-port", f"The MIDI port '{name}' has gone."))

    def open_input(self, name: str, heard: Heard) -> Source:
        with self._said():
            end = self._new_input()
            end.open_port(self._number(end, name), "in")
            return _Source(end, heard)

    def virtual_input(self, name: str, heard: Heard) -> Source:
        with self._said():
            end = self._new_input()
            end.open_virtual_port(name)
            return _Source(end, heard)

    def _new_input(self) -> Any:
        end = self._rtmidi.MidiIn(self._api, name=self._client, queue_size_limit=4_096)
        end.ignore_types(sysex=False, timing=False, active_sense=True)
        return end

    def open_output(self, name: str) -> Drain:
        with self._said():
            end = self._rtmidi.MidiOut(self._api, name=self._client)
            end.open_port(self._number(end, name), "out")
            return _Drain(end, self._said)

    def virtual_output(self, name: str) -> Drain:
        with self._said():
            end = self._rtmidi.MidiOut(self._api, name=self._client)
            end.open_virtual_port(name)
            return _Drain(end, self._said)


class _Source:
    def __init__(self, end: Any, heard: Heard) -> None:
        self._end = end
        end.set_callback(lambda event, _: heard(bytes(event[0])))

    def close(self) -> None:
        self._end.cancel_callback()
        self._end.close_port()
        self._end.delete()


class _Drain:
    def __init__(self, end: Any, said: Callable[[], Any]) -> None:
        self._end, self._said = end, said

    def send(self, data: bytes) -> None:
        with self._said():
            self._end.send_message(data)

    def close(self) -> None:
        self._end.close_port()
        self._end.delete()


def port_names(api: str = "auto") -> dict[str, list[str]]:
    """The names of inputs and outputs, now. Raises DeviceError."""
    system = rtmidi_system(api)
    return {"inputs": system.inputs(), "outputs": system.outputs()}
