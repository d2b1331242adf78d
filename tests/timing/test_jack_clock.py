"""MIDI clock both ways with programs that others wrote, through JACK: jack_midi_clock leads, jack_mclk_dump follows."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from nodegraph.timing.midi_clock import MidiClock
from tests.needs import needs
from tests.runtime.conftest import JackServer, jack_server
from tests.timing.following import RATE, Came, follow, sent
from tests.timing.test_sending import TICK, leader

PATIENCE_S = 60.0
TRIES = 3
AHEAD = 16
"""Ticks that the other program may have before it has told of them."""
INSTALL = "apt install jack-midi-clock"
__all__ = ["jack_server"]


def soon(true: Callable[[], object], patience: float = PATIENCE_S / TRIES) -> bool:
    end = time.monotonic() + patience
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def until(true: Callable[[], object], what: str) -> None:
    assert soon(true, PATIENCE_S), f"it never came: {what}"


@contextlib.contextmanager
def program(server: JackServer, *words: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
    environment = os.environ | {"JACK_DEFAULT_SERVER": server.name}
    process = subprocess.Popen(words, env=environment, text=True, stderr=subprocess.DEVNULL, **options)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def opened(server: JackServer, name: str) -> Iterator[Any]:
    import jack

    client = jack.Client(name, servername=server.name, no_start_server=True)
    try:
        yield client
    finally:
        client.deactivate()
        client.close()


@contextlib.contextmanager
def freewheel(client: Any) -> Iterator[None]:
    """No block is lost inside. A server that freewheels waits for clients that have gone: end it before they do."""
    client.set_freewheel(True)
    try:
        yield
    finally:
        client.set_freewheel(False)


def joined(client: Any, source: str, target: str) -> bool:
    """Connect two ports, once both are there and their clients run."""
    import jack

    try:
        client.connect(source, target)
    except jack.JackError:
        return False
    return True


def recorded(server: JackServer, bpm: float, ticks: int) -> list[tuple[int, bytes]]:
    """What jack_midi_clock sends in freewheel, so that no block is lost: frames and bytes.

    On a machine that is busy with other things it sometimes does not begin. What is tried here is what we read of it,
    so it is started again then.
    """
    said = []
    for _ in range(TRIES):
        found, state = _recorded(server, bpm, ticks)
        if len(found) > ticks:
            return found
        said.append(state)
    raise AssertionError(f"jack_midi_clock sent no {ticks} ticks: {said}")


def _recorded(server: JackServer, bpm: float, ticks: int) -> tuple[list[tuple[int, bytes]], str]:
    """One try: what came, and how all stood in the end."""
    found: list[tuple[int, bytes]] = []
    end = PATIENCE_S / TRIES
    frames = 0
    with opened(server, "ears") as client:
        port = client.midi_inports.register("in")

        def process(count: int) -> None:
            nonlocal frames
            found.extend((frames + offset, bytes(data)) for offset, data in port.incoming_midi_events())
            frames += count

        client.set_process_callback(process)
        client.activate()
        words = str(needs("jack_midi_clock", INSTALL)), "-b", str(bpm)
        with program(server, *words, stdout=subprocess.DEVNULL) as clock:
            if not soon(lambda: joined(client, "jack_midi_clock:mclk_out", "ears:in") or clock.poll() is not None):
                return found, "it has no port"
            if clock.poll() is not None:
                return found, f"it ended at once with {clock.poll()}"
            client.transport_start()
            with freewheel(client):
                end += time.monotonic()
                while len(found) <= ticks and time.monotonic() < end:
                    time.sleep(0.02)
                state = f"{len(found)} messages, {frames} frames, {client.transport_state}, ended: {clock.poll()}"
            client.transport_stop()
    return found, state


@pytest.mark.parametrize("bpm", [125.0, 97.3])
def test_jack_midi_clock_is_read_within_a_fifth_of_a_beat_a_minute(jack_server: JackServer, bpm: float) -> None:
    """As it comes, and as one hears it who looks once a period of 1024 and takes what came for now."""
    found = recorded(jack_server, bpm, 600)
    first = next(frame for frame, data in found if data == TICK)
    for period in (1, 256, 512):
        came: list[Came] = []
        for frame, data in found:
            seen = -(-(frame - first) // period) * period
            came.append((0.1 + seen / RATE, data))
        four_bars = 0.2 + 16 * 60 / bpm
        made = follow(MidiClock(), came, four_bars + 4.0)
        tempi = np.array(made.tempi[made.at(four_bars) :])
        assert np.abs(tempi - bpm).max() < 0.2, f"periods of {period}: {tempi.min():.3f} to {tempi.max():.3f}"


def test_jack_mclk_dump_reads_the_tempo_that_we_send(jack_server: JackServer) -> None:
    bpm = 100.0
    dump = str(needs("jack_mclk_dump", INSTALL))
    queue = sent(leader(bpm), 60.0)
    connected = threading.Event()
    frames = place = 0
    read: list[float] = []
    with opened(jack_server, "mouth") as client:
        port = client.midi_outports.register("out")

        def process(count: int) -> None:
            nonlocal frames, place
            port.clear_buffer()
            if not connected.is_set():
                return
            end = time.monotonic() + 5.0  # a freewheeling server waits: so the dump's own short queue never overflows
            while place - len(read) > AHEAD and time.monotonic() < end:
                time.sleep(0.0005)
            while place < len(queue) and queue[place][0] < frames + count:
                port.write_midi_event(queue[place][0] - frames, queue[place][1])
                place += 1
            frames += count

        client.set_process_callback(process)
        client.activate()
        with program(jack_server, "stdbuf", "-o0", dump, "-n", stdout=subprocess.PIPE) as reader:
            until(lambda: joined(client, "mouth:out", "jack_mclk_dump:mclk_in"), "the dump's port")
            with freewheel(client):
                connected.set()
                until(lambda: _read(reader, read), "what it says")
    last = np.array(read[-200:])
    assert np.abs(last - bpm).max() < 0.2, f"{last.min()} to {last.max()}"


def _read(process: subprocess.Popen[str], found: list[float]) -> bool:
    """Read a line; whether there are enough."""
    assert process.stdout is not None
    match = re.search(r"flt: *(\d+\.\d+)\[BPM\]", process.stdout.readline())
    if match:
        found.append(float(match.group(1)))
    return len(found) > 600
