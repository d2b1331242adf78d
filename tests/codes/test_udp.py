"""Two engines and real UDP between them, with a relay that loses and mixes up; and the door that lets it in."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from nodegraph import Patch
from nodegraph.codes.door import CodesDoor
from nodegraph.codes.kinds import KNOWN
from nodegraph.codes.packets import CodesOut, Packet, build
from nodegraph.core.errors import DeviceError, PatchError
from nodegraph.core.flatten import flatten
from nodegraph.core.messages import Event
from nodegraph.session.session import Session
from tests.codecs.conftest import encodec_files, in_patches, shelf
from tests.codes.fake_codec import KINDS, numbered
from tests.codes.network import Relay, free_port
from tests.osc.conftest import until
from tests.soak.memory import held

__all__ = ["encodec_files", "in_patches", "shelf"]
RATE = 48_000
STEP = 1_920
"""Frames of three frames of EnCodec at 24 kHz."""


def numbers(port: int) -> Patch:
    patch = Patch("There", kinds=KINDS)
    patch.connect(patch.add("test.numbered", "from").codes, patch.add("codes.send", "send", port=port))
    patch.add("out~", "out")
    return patch


def receiving(port: int, **values: Any) -> Patch:
    patch = Patch("Here", kinds=KINDS)
    patch.add("codes.receive", "get", port=port, **values)
    patch.add("out~", "out")
    return patch


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


def opened(stack: ExitStack, patch: Patch, **options: Any) -> tuple[Session, CodesDoor]:
    session = stack.enter_context(Session(patch, driver="null", **options))
    return session, stack.enter_context(CodesDoor(session))


def test_two_engines_with_loss_and_disorder_between_them(stack: ExitStack, tmp_path: Path) -> None:
    """Every array comes at its exact frame; what was lost is the one before it; and a performance holds it all."""
    port = free_port()
    relay = Relay(port, seed=4, loss=0.05)
    stack.callback(relay.close)
    here, door = opened(stack, receiving(port, buffer=0.25), keep_performance=tmp_path / "take.ngp")
    there, far = opened(stack, numbers(relay.port))
    events: list[Event] = []
    here.play()
    assert here.playing is not None
    here.playing.heard.tell(events.append)
    there.play()
    until(lambda: len(relay.passed) + len(relay.lost) >= 150, "150 packets")
    there.stop()
    until(lambda: there.playing is not None and not there.playing.running, "the end")
    time.sleep(0.5)
    here.stop()
    here.playing.wait()
    assert len(relay.lost) >= 3 and far.status()["unsent"] == 0 and door.status()["malformed"] == 0
    codes = [event for event in events if event.port == "codes"]
    told = [event.value for event in events if event.port == "lost"]
    first, last = min(relay.passed), max(relay.passed)
    heard = {number for number in relay.passed if first <= number <= last}
    lost = [number for number in relay.lost if first < number < last]
    assert told == list(range(1, len(lost) + 1)) or told[-1] == len(lost), (told, lost)
    assert {event.frame - codes[0].frame for event in codes} == {STEP * turn for turn in range(len(codes))}
    before = None
    for turn in range(last - first + 1):
        found, number = np.asarray(codes[turn].value), first + turn
        np.testing.assert_array_equal(found, numbered(number) if number in heard else before)
        before = found
    again = here.patch.render(performance=tmp_path / "take.ngp")
    replayed = again["get.codes"]
    assert [event.frame for event in replayed] == [event.frame for event in codes]
    for one, other in zip(replayed, codes, strict=True):
        np.testing.assert_array_equal(one.value, other.value)
    assert [event.value for event in again["get.lost"]] == told


def test_encodec_between_two_engines_plays_on(
    stack: ExitStack, in_patches: Path, encodec_files: dict[str, Path], tmp_path: Path
) -> None:
    """Tiny random weights, the real nodes and workers. The relay loses a twentieth; memory stays as it is."""
    port = free_port()
    relay = Relay(port, seed=5, loss=0.05)
    stack.callback(relay.close)
    there = Patch("There")
    there.connect(there.add("sine~", "tone", freq=300), there.add("*~", "half", b=0.5))
    there.connect("half", there.add("encodec.encode~", "code", bandwidth=6.0))
    there.connect("code.codes", there.add("codes.send", "send", port=relay.port))
    there.add("out~", "out")
    here = Patch("Here")
    here.connect(here.add("codes.receive", "get", port=port, buffer=1.0, hold=0.5), here.add("encodec.decode~", "back"))
    here.connect("back", here.add("*~", "less", b=0.25), here.add("out~", "out"))
    receiver, door = opened(stack, here, record=tmp_path / "heard.wav")
    sender, _ = opened(stack, there)
    receiver.play()
    sender.play()
    until(lambda: len(relay.passed) > 50, "the first packets", 120.0)
    before, count = held(), len(relay.passed)
    until(lambda: len(relay.passed) > count + 200, "200 packets more", 120.0)
    after = held()
    receiver.stop()
    assert receiver.playing is not None
    receiver.playing.wait()
    assert after.growth(before) < 0.02, f"{before.bytes} → {after.bytes} bytes"
    assert after.threads <= before.threads and after.files <= before.files
    assert door.status()["malformed"] == 0 and len(relay.lost) >= 3
    sound, rate = soundfile.read(tmp_path / "heard.wav", dtype="float32")
    mono = sound[:, 0] if sound.ndim == 2 else sound
    levels = np.sqrt(np.mean(np.square(mono[: len(mono) // 4_800 * 4_800].reshape(-1, 4_800)), axis=1))
    began = int(np.flatnonzero(levels > 0.1 * levels.max())[0]) + 1
    playing = levels[began:-5]
    assert rate == RATE and len(playing) > 50 and np.all(np.isfinite(mono))
    assert np.mean(playing > 0.1 * np.median(playing)) > 0.97, playing


# The door.


def some_packet(number: int = 0) -> bytes:
    return build(Packet(KNOWN["encodec-24khz"], 9, number, 3 * number, numbered(number)))


def test_strangers_are_counted_and_told_once_a_second(stack: ExitStack) -> None:
    port = free_port()
    lines: list[str] = []
    session, door = opened(stack, receiving(port), report=lambda node, text: lines.append(text))
    assert door.status()["ports"] == [port] and door.status()["host"] == "127.0.0.1"
    sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    sock.sendto(some_packet(), ("127.0.0.1", port))
    until(lambda: door.status()["unmatched"] == 1, "a packet while nothing plays")
    session.play()
    for number in range(200):
        sock.sendto(b"ngco" + bytes([number % 256]) * number, ("127.0.0.1", port))
        sock.sendto(some_packet(number), ("127.0.0.1", port))
        if number % 20 == 0:
            time.sleep(0.01)
    until(lambda: door.status()["received"] == 401, "all packets")
    status = door.status()
    assert status["malformed"] == 200 and status["messages"] == 200 and status["dropped"] == 0
    assert 1 <= len([line for line in lines if "malformed packets" in line]) <= 3


def test_who_sends_too_much_loses_it(stack: ExitStack) -> None:
    port = free_port()
    session = stack.enter_context(Session(receiving(port), driver="null"))
    door = stack.enter_context(CodesDoor(session, packets_a_second=1.0))
    session.play()
    sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    for number in range(600):
        sock.sendto(some_packet(number), ("127.0.0.1", port))
        if number % 50 == 0:
            time.sleep(0.02)
    until(lambda: door.status()["received"] == 600, "all packets")
    assert door.status()["dropped"] >= 95


def test_ports_come_and_go_with_the_patch(stack: ExitStack) -> None:
    port, other = free_port(), free_port()
    session, door = opened(stack, receiving(port))
    session.edit([{"do": "add", "node": "more", "kind": "codes.receive", "values": {"port": other}}])
    until(lambda: door.status()["ports"] == sorted({port, other}), "the other port")
    session.edit([{"do": "remove", "node": "get"}])
    until(lambda: door.status()["ports"] == [other], "one port less")


def test_a_port_that_is_taken_is_told(stack: ExitStack) -> None:
    port = free_port()
    opened(stack, receiving(port))
    session = stack.enter_context(Session(receiving(port), driver="null"))
    with pytest.raises(DeviceError, match="in use"):
        CodesDoor(session).start()
    assert CodesDoor(session, receive=False).start().status()["ports"] == []


def test_no_door_is_open_to_everybody(stack: ExitStack) -> None:
    session = stack.enter_context(Session(receiving(free_port()), driver="null"))
    with pytest.raises(DeviceError, match=r"Codes on 0\.0\.0\.0 would be open to everybody"):
        CodesDoor(session, host="0.0.0.0")
    with pytest.raises(PatchError, match="no network"):
        CodesDoor(session, allow=["here"])


def test_nothing_goes_to_machines_that_are_not_allowed(stack: ExitStack) -> None:
    lines: list[str] = []
    patch = Patch(kinds=KINDS)
    patch.add("codes.send", "send", to="192.0.2.1")
    patch.add("out~", "out")
    session, door = opened(stack, patch, report=lambda node, text: lines.append(text))
    session.play()
    door.sender.put(0, CodesOut("192.0.2.1", 9_040, some_packet()))
    until(lambda: door.status()["unsent"] == 1, "a packet that stayed")
    assert door.status()["sent"] == 0 and any("not allowed" in line for line in lines)


def test_the_command_line_opens_what_the_patch_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from nodegraph.cli import main

    patch = receiving(free_port())
    assert [entry.kind for entry in flatten(patch.document).nodes.values()] == ["codes.receive", "out~"]
    patch.save(tmp_path / "here.ng")
    run = ["run", str(tmp_path / "here.ng"), "--driver", "null", "--seconds", "0.3", "--no-midi"]
    assert main(run) == 0
    assert "--codes opens" in "".join(capsys.readouterr())
    assert main([*run, "--codes"]) == 0
    assert "--codes opens" not in "".join(capsys.readouterr())
