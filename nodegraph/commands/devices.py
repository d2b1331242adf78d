"""List the sound devices: channels, the rate that each prefers and those that it takes. --device and --input-device of
nodegraph run take a number or a part of a name.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nodegraph.runtime.drivers import Device

SUMMARY = "list the sound devices"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs")


def run(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    from nodegraph.commands.output import say, say_json
    from nodegraph.runtime.drivers import devices, jack_server, with_rates

    found = [with_rates(device) for device in devices()]
    server = jack_server()
    if args.json:
        jack = None if server is None else dict(zip(("server", "rate", "block"), server, strict=True))
        say_json({"devices": [asdict(device) for device in found], "jack": jack})
        return 0
    if not found:
        say("No sound device. Patches play on the null driver: in real time, to nobody.")
    for device in found:
        say(described(device))
    if server is not None:
        name, rate, block = server
        say(f"JACK server '{name}': {rate} Hz, blocks of {block}. Play on it with --driver jack.")
    return 0


def described(device: Device) -> str:
    """One device in a line."""
    words = (("input", device.default_in), ("output", device.default_out))
    default = " and ".join(word for word, on in words if on)
    ends = f"{device.inputs} in, {device.outputs} out, {device.rate} Hz{f', default {default}' if default else ''}"
    rates = f"takes {', '.join(map(str, device.rates))} Hz" if device.rates else "takes no rate now, it may be in use"
    return f"{device.index:3}  {device.name} ({device.api}): {ends}; {rates}"
