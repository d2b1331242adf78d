"""List the sound devices: channels, the rate that each prefers and those that it takes; then the MIDI ports.

--device and --input-device of nodegraph run take a number or a part of a name; so does the setting port of MIDI nodes.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nodegraph.runtime.drivers import Device

SUMMARY = "list the sound devices and the MIDI ports"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs")


def run(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    from nodegraph.commands.output import say, say_json
    from nodegraph.runtime.drivers import devices, jack_server, with_rates

    found = [with_rates(device) for device in devices()]
    server = jack_server()
    midi = midi_ports()
    if args.json:
        jack = None if server is None else dict(zip(("server", "rate", "block"), server, strict=True))
        say_json({"devices": [asdict(device) for device in found], "jack": jack, "midi": midi})
        return 0
    if not found:
        say("No sound device. Patches play on the null driver: in real time, to nobody.")
    for device in found:
        say(described(device))
    if server is not None:
        name, rate, block = server
        say(f"JACK server '{name}': {rate} Hz, blocks of {block}. Play on it with --driver jack.")
    if "problem" in midi:
        say(midi["problem"])
    else:
        for word in ("inputs", "outputs"):
            names = ", ".join(f"'{name}'" for name in midi[word])
            say(f"MIDI {word}: {names or 'none'}.")
    if server is not None:
        say("With --driver jack there are midi_in and midi_out besides, exact to the frame.")
    return 0


def midi_ports() -> dict[str, Any]:
    """The system's MIDI ports, or why there are none."""
    from nodegraph.core.errors import DeviceError
    from nodegraph.midi.ports import port_names

    try:
        return dict(port_names())
    except DeviceError as error:
        return {"problem": error.problems[0].describe()}


def described(device: Device) -> str:
    """One device in a line."""
    words = (("input", device.default_in), ("output", device.default_out))
    default = " and ".join(word for word, on in words if on)
    ends = f"{device.inputs} in, {device.outputs} out, {device.rate} Hz{f', default {default}' if default else ''}"
    rates = f"takes {', '.join(map(str, device.rates))} Hz" if device.rates else "takes no rate now, it may be in use"
    return f"{device.index:3}  {device.name} ({device.api}): {ends}; {rates}"
