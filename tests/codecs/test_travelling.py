"""Codes in packets, in the buffer that waits for them, in files, and through nodes: over a real UDP port, with loss."""

from __future__ import annotations

import random
import socket
import struct
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from nodegraph import Patch
from nodegraph.codes.codecs import CODECS, NAMES
from nodegraph.codes.files import read_codes, write_codes
from nodegraph.codes.packets import HEAD, LARGEST, CodesError, Packet, pack, unpack
from nodegraph.codes.waiting import LOST, Waiting
from nodegraph.core import MediaError
from nodegraph.core.osc import DOOR, OscOut
from nodegraph.nodes.codecs.coding import Decoder
from nodegraph.nodes.codecs.travelling import ADDRESS, frames_a_turn
from nodegraph.osc.door import Door
from nodegraph.osc.packets import parse
from nodegraph.runtime.player import Player
from nodegraph.session.session import Session
from tests.osc.conftest import until

RATE = 48_000
ENCODEC = CODECS["encodec-24khz"]


def some(codec: Any, stages: int, frames: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).integers(0, codec.entries, (stages, frames))


# Packets.


@given(
    name=st.sampled_from(NAMES), stages=st.integers(1, 32), frames=st.integers(1, 16),
    stream=st.integers(0, 2**32 - 1), first=st.integers(0, 2**32 - 1), seed=st.integers(0, 99),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_what_is_packed_is_unpacked(name: str, stages: int, frames: int, stream: int, first: int, seed: int) -> None:
    codec = CODECS[name]
    codes = some(codec, min(stages, codec.stages), frames, seed)
    data = pack(Packet(codec, stream, first, codes))
    found = unpack(data)
    assert (found.codec, found.stream, found.first) == (codec, stream, first)
    np.testing.assert_array_equal(found.codes, codes)
    assert len(data) == HEAD.size + -(-codes.size * codec.bits // 8)


def test_bandwidth_is_what_is_said() -> None:
    """40 ms of 6 kbit/s are 30 bytes and a head."""
    assert len(pack(Packet(ENCODEC, 1, 0, some(ENCODEC, 8, 3)))) == HEAD.size + 30


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_what_strangers_send_is_a_packet_or_refused(data: bytes) -> None:
    for given_data in (data, b"ngc1" + data):
        try:
            packet = unpack(given_data)
        except CodesError:
            continue
        assert pack(packet) == given_data


def test_every_wrong_packet_is_refused() -> None:
    good = pack(Packet(ENCODEC, 7, 3, some(ENCODEC, 5, 3)))
    assert len(good) * 8 > HEAD.size * 8 + 150  # the last byte is filled
    wrong: list[Any] = [good[:size] for size in range(len(good))]
    wrong += [good + b"\0", b"", b"x" * (LARGEST + 1), b"x" * 1_000_000, None, "text", 5, [good]]
    wrong += [
        b"ngc2" + good[4:],
        good[:4] + b"\x09" + good[5:],
        good[:5] + b"\0" + good[6:],
        good[:5] + b"\xff" + good[6:],
    ]
    wrong += [good[:6] + b"\0" + good[7:], good[:6] + b"\xff" + good[7:], good[:7] + b"\1" + good[8:]]
    wrong += [good[:-1] + bytes([good[-1] | 1])]
    for data in wrong:
        with pytest.raises(CodesError):
            unpack(data)
    for codes in (
        some(ENCODEC, 33, 1),
        some(ENCODEC, 1, 65),
        np.full((1, 1), 1024),
        np.full((1, 1), LOST),
        some(ENCODEC, 32, 64),
    ):
        with pytest.raises(CodesError):
            pack(Packet(ENCODEC, 0, 0, codes))


# The buffer.

WHOLE = some(ENCODEC, 4, 60)


def packets(first: int = 0, stream: int = 5, size: int = 3) -> list[Packet]:
    return [Packet(ENCODEC, stream, (first + at) % 2**32, WHOLE[:, at : at + size]) for at in range(0, 60, size)]


def taken(waiting: Waiting, count: int = 60) -> Any:
    return np.concatenate([waiting.take(3) for _ in range(0, count, 3)], axis=1)


@pytest.mark.parametrize("first", [0, 1_000, 2**32 - 30])
def test_order_repetition_and_numbers_that_go_round_change_nothing(first: int) -> None:
    waiting = Waiting(60)
    sent = packets(first)
    shuffled = [sent[0], *random.Random(1).sample(sent[1:] + sent[5:9], len(sent) + 3)]
    assert [waiting.put(packet) for packet in shuffled] == [True] + [False] * (len(shuffled) - 1)
    np.testing.assert_array_equal(taken(waiting), WHOLE)
    assert waiting.lost == 0


def test_what_is_not_there_is_lost_and_the_rest_is_in_its_place() -> None:
    waiting = Waiting(60)
    for number, packet in enumerate(packets()):
        if number not in (4, 5, 11):
            waiting.put(packet)
    found = taken(waiting)
    gone = np.zeros(60, bool)
    gone[12:18] = gone[33:36] = True
    assert (found[:, gone] == LOST).all() and waiting.lost == 9
    np.testing.assert_array_equal(found[:, ~gone], WHOLE[:, ~gone])


def test_who_is_late_for_long_is_waited_for_anew_and_who_is_early_is_caught_up_with() -> None:
    waiting = Waiting(6)
    waiting.put(packets()[0])
    for _ in range(10):
        waiting.take(3)
    for packet in packets()[1:9]:  # all of them too late
        waiting.put(packet)
    assert waiting.waits == 6, "it went back"
    early = Waiting(6)
    for packet in packets():
        early.put(packet)
    assert early.waits <= 3 * 6 + 3, "what is far behind is left out"
    np.testing.assert_array_equal(early.take(3), WHOLE[:, 60 - early.waits - 3 : 60 - early.waits])


def test_a_sender_that_begins_anew_is_heard_at_once() -> None:
    waiting = Waiting(3)
    for packet in packets()[:3]:
        waiting.put(packet)
    assert waiting.put(packets(first=0, stream=6)[0])
    np.testing.assert_array_equal(waiting.take(3), WHOLE[:, :3])


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2**32 - 1), st.integers(1, 64)), max_size=40))
@settings(max_examples=60, deadline=None)
def test_no_stranger_makes_it_grow(sent: list[tuple[int, int, int]]) -> None:
    waiting = Waiting(8)
    for stream, first, frames in sent:
        waiting.put(Packet(ENCODEC, stream, first, np.zeros((2, frames), np.int64)))
        assert waiting.take(3).shape[1] == 3
        assert len(waiting._frames) <= 3 * 8 + 64 + 64


# Files.


def test_a_file_keeps_codes(tmp_path: Path) -> None:
    for name in NAMES:
        codes = some(CODECS[name], CODECS[name].stages, 200)
        write_codes(tmp_path / "a.safetensors", CODECS[name], codes)
        codec, found = read_codes(tmp_path / "a.safetensors")
        assert codec.name == name
        np.testing.assert_array_equal(found, codes)
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]


def damaged(good: bytes) -> dict[str, bytes]:
    about = {"format": "nodegraph-codes", "version": "1", "codec": "encodec-24khz"}
    codes = np.zeros((2, 9), np.uint16)

    def other(arrays: dict[str, Any] | None = None, **more: str) -> bytes:
        return save({"codes": codes} if arrays is None else arrays, about | more)

    return {
        "empty": b"", "short": good[:5], "cut in its head": good[:40], "cut in its codes": good[:-3],
        "longer": good + b"\0\0", "no safetensors": b"RIFF" + good[4:], "a text": b"hello world " * 20,
        "a huge head": struct.pack("<Q", 1 << 60) + good[8:], "a head of nothing": struct.pack("<Q", 20) + b"\0" * 64,
        "without a format": save({"codes": codes}), "of another format": other(format="mine"),
        "of another version": other(version="2"), "of another codec": other(codec="mp3"),
        "without codes": other({"other": codes}), "with more": other({"codes": codes, "b": codes}),
        "of other numbers": other({"codes": codes.astype(np.float32)}), "of other axes": other({"codes": codes[0]}),
        "of no frames": other({"codes": codes[:, :0]}),
        "of too many stages": other({"codes": np.zeros((33, 1), np.uint16)}),
        "with a code that is none": other({"codes": codes + np.uint16(1_024)}),
    }  # fmt: skip


@pytest.mark.parametrize("how", damaged(b"\0" * 100))
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, how: str) -> None:
    path = tmp_path / "codes.safetensors"
    write_codes(path, ENCODEC, some(ENCODEC, 3, 50))
    path.write_bytes(damaged(path.read_bytes())[how])
    with pytest.raises(CodesError) as caught:
        read_codes(path)
    assert str(path) in str(caught.value) and caught.value.problems[0].do


def test_files_that_are_not_there_or_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(CodesError, match="cannot be read"):
        read_codes(tmp_path / "none.safetensors")
    with pytest.raises(CodesError, match="cannot be written"):
        write_codes(tmp_path / "no" / "folder.safetensors", ENCODEC, some(ENCODEC, 1, 1))
    patch = Patch("Damaged")
    (tmp_path / "bad.safetensors").write_bytes(b"hello" * 9)
    patch.document.path = tmp_path / "patch.ng"
    patch.add("codes.read", "it", file="bad.safetensors")
    with pytest.raises(MediaError, match=r"bad\.safetensors"):
        patch.render(seconds=0.1)


def test_through_a_patch_into_a_file_and_out_of_it(tmp_path: Path) -> None:
    codes = some(ENCODEC, 4, 40)
    write_codes(tmp_path / "in.safetensors", ENCODEC, codes)
    patch = Patch("Copy")
    patch.document.path = tmp_path / "patch.ng"
    patch.add("codes.read", "read", file="in.safetensors")
    patch.add("codes.write", "write", file="out.safetensors")
    patch.connect("read.codes", "write.codes")
    made = patch.render(seconds=1.0)
    turn = frames_a_turn(ENCODEC.name)
    assert turn == 3
    frames = [event.frame for event in made["read.codes"]]
    assert np.diff(frames).tolist() == [1_920] * (len(frames) - 1), "at the pace of the sound"
    assert len(made["read.done"]) == 1
    codec, found = read_codes(tmp_path / "out.safetensors")
    assert codec is ENCODEC
    np.testing.assert_array_equal(found, codes)


# Nodes.


def sent(again: int = 0, codes: Any = WHOLE) -> list[tuple[int, OscOut]]:
    """What `codes.send` sends of codes that come three frames at a time."""
    patch = Patch("Send")
    patch.add("codes.send", "it", again=again)
    out: list[tuple[int, OscOut]] = []
    player = Player(patch.graph.view, RATE)
    player.messages.outside.sink(DOOR, lambda frame, value: out.append((frame, value)))
    for at in range(0, codes.shape[1], 3):
        player.act("set", "it", "codes", codes[:, at : at + 3].astype(np.float32), frame=640 * at)
    player.advance()
    player.messages.run(640 * 61)
    player.close()
    return out


def received(
    arrivals: list[tuple[int, bytes]], frames: int = 96_000, **more: Any
) -> tuple[list[tuple[int, Any]], Any, list[Any]]:
    """What `codes.receive` says of packets that arrive so."""
    patch = Patch("Receive")
    patch.add("codes.receive", "it")
    log: list[Any] = []
    player = Player(patch.graph.view, RATE, report=lambda *line: log.append(line))
    events: list[Any] = []
    player.messages.everything = events.append
    for frame, data in arrivals:
        player.act("arrive", DOOR, (ADDRESS, (data,)), frame=frame + 50)
    player.advance()
    player.messages.run(frames)
    player.close()
    codes = [(event.frame, event.value) for event in events if event.port == "codes"]
    return codes, [event.value for event in events if event.port == "lost"], log


def test_what_is_sent_is_received_at_the_pace_of_the_sound() -> None:
    out = sent()
    assert [frame for frame, _ in out] == [640 * at for at in range(0, 60, 3)]
    assert {(item.host, item.port, item.protocol, item.address) for _, item in out} == {
        ("127.0.0.1", 9_000, "udp", ADDRESS)
    }
    jitter = random.Random(3)
    arrivals = [(frame + jitter.randrange(4_000), item.args[0]) for frame, item in out]
    first = arrivals[0][0]
    codes, lost, _ = received(arrivals)
    assert lost == [] or lost[-1] <= 3 * 40, "only what was never sent"
    assert [frame for frame, _ in codes[:20]] == [first + 50 + 8 * 640 + 1_920 * turn for turn in range(20)]
    np.testing.assert_array_equal(np.concatenate([value for _, value in codes[:20]], axis=1), WHOLE)
    assert len(codes) < 20 + 30, "after a second of nothing it rests"


@pytest.mark.parametrize(("again", "lost_frames"), [(0, 6), (1, 0)])
def test_what_is_sent_again_makes_up_for_a_loss(again: int, lost_frames: int) -> None:
    out = sent(again)
    arrivals = [(frame, item.args[0]) for number, (frame, item) in enumerate(out) if number not in (5, 9)]
    found = np.concatenate([value for _, value in received(arrivals)[0][:20]], axis=1)
    assert (found == LOST).all(axis=0).sum() == lost_frames
    kept = (found != LOST).all(axis=0)
    np.testing.assert_array_equal(found[:, kept], WHOLE[:, kept])


def test_what_is_none_of_it_is_left_out_and_told_once() -> None:
    good = [(frame, item.args[0]) for frame, item in sent()]
    other = pack(Packet(CODECS["dac-44khz"], 1, 0, some(CODECS["dac-44khz"], 2, 3)))
    bad = [(100, b"junk"), (200, other), (300, b""), (400, 5)]
    codes, _, log = received(sorted([*good, *bad], key=lambda item: item[0]))
    np.testing.assert_array_equal(np.concatenate([value for _, value in codes[:20]], axis=1), WHOLE)
    assert len(log) == 1 and "left out" in log[0][1]


def test_what_cannot_be_sent_is_told_once() -> None:
    patch = Patch("Send")
    patch.add("codes.send", "it")
    log: list[Any] = []
    player = Player(patch.graph.view, RATE, report=lambda *line: log.append(line))
    for frame, message in enumerate((np.full((2, 3), 5_000.0), np.full((2, 3), 0.5), "words", np.full((2, 3), -1.0))):
        player.act("set", "it", "codes", message, frame=frame)
    player.advance()
    player.messages.run(100)
    player.close()
    assert len(log) == 1 and "encodec-24khz has 0 to 1023" in log[0][1]


class Relay:
    """A network between two machines that loses every packet that it is told to lose."""

    def __init__(self, port: int, lose: Any) -> None:
        self.port_out, self.lose = port, lose
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.05)
        self.port = self.socket.getsockname()[1]
        self.ended, self.came, self.passed = False, 0, 0
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        while not self.ended:
            try:
                data = self.socket.recv(4_096)
            except TimeoutError:
                continue
            assert parse(data)[0].address == ADDRESS
            if not self.lose(self.came):
                self.passed += 1
                self.socket.sendto(data, ("127.0.0.1", self.port_out))
            self.came += 1

    def close(self) -> None:
        self.ended = True
        self.thread.join()
        self.socket.close()


def test_over_a_real_network_that_loses_a_twentieth_there_is_sound_and_no_click(
    in_patches: Path, encodec_files: dict[str, Path], tmp_path: Path
) -> None:
    """Codes of a loop go out by UDP, through a relay that loses every twentieth packet, and come in by UDP; the decoder
    in a worker makes sound of them, which is recorded: nowhere does it jump more than it does without a loss."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken_port:
        taken_port.bind(("127.0.0.1", 0))
        port = taken_port.getsockname()[1]
    relay = Relay(port, lambda number: number % 20 == 7)
    codes = np.random.default_rng(4).integers(0, 64, (8, 30))
    write_codes(tmp_path / "loop.safetensors", ENCODEC, codes)
    patch = Patch("Both ends")
    patch.document.path = tmp_path / "patch.ng"
    patch.add("codes.read", "read", file="loop.safetensors", loop=True)
    patch.add("codes.send", "send", port=relay.port)
    patch.add("codes.receive", "receive", buffer=0.2)
    patch.add("encodec.decode~", "decode")
    patch.connect("read.codes", "send.codes")
    patch.connect("receive.codes", "decode.codes")
    patch.connect(
        "decode.y", patch.add("*~", "quieter", b=0.25), patch.add("record~", "tape", file="tape.wav", bits="32 float")
    )
    lost: list[Any] = []
    with Session(patch, driver="null") as session, Door(session, port=port):
        session.play()
        assert session.playing is not None
        session.playing.player.watch("receive", "lost", lambda event: lost.append(event.value))
        until(lambda: relay.came >= 90, "90 packets through the relay")
        time.sleep(0.3)
        session.stop()
    relay.close()
    assert relay.passed < relay.came and lost and lost[-1] >= 9
    sound, rate = soundfile.read(tmp_path / "tape.wav", dtype="float32")
    mono = sound if sound.ndim == 1 else sound[:, 0]
    whole = 0.25 * Decoder(encodec_files["decoder"]).decode(np.tile(codes, (1, 4)))[0]
    assert rate == RATE and np.abs(mono).max() > 0.05
    assert (np.abs(mono) > 0.01).mean() > 0.2, "most of the time there is sound"
    assert np.abs(np.diff(mono)).max() < 1.3 * np.abs(np.diff(whole)).max(), "no click"
