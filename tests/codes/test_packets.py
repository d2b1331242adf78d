"""Packets from strangers: what is whole comes back to the bit; what is not has one kind of error, soon."""

from __future__ import annotations

import random
import statistics
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tests.codes.fake_codec as fakes
from nodegraph.codes.kinds import KNOWN, Codec, codec_of, is_sane
from nodegraph.codes.packets import (
    AROUND,
    DOOR,
    HEADER_BYTES,
    LARGEST,
    CodesError,
    Packet,
    as_arrived,
    build,
    packed_bytes,
    parse,
)
from nodegraph.core.errors import PatchError
from nodegraph.core.graph import Graph
from nodegraph.runtime.player import Player
from tests.codes.network import PORT

ENCODEC = KNOWN["encodec-24khz"]


@settings(max_examples=200, deadline=None)
@given(
    bits=st.integers(1, 16), stages=st.integers(1, 128), frames=st.integers(1, 40), seed=st.integers(0, 99),
    numbers=st.tuples(*[st.integers(0, AROUND - 1)] * 3),
)  # fmt: skip
def test_what_is_sent_comes_back_to_the_bit(
    bits: int, stages: int, frames: int, seed: int, numbers: tuple[int, int, int]
) -> None:
    codes = np.random.default_rng(seed).integers(0, 1 << bits, (stages, frames))
    codec = Codec("a-codec_1.0", 44_100, 512, bits)
    data = build(Packet(codec, *numbers, codes))
    assert len(data) == HEADER_BYTES + len(codec.name) + packed_bytes(stages, frames, bits)
    found = parse(data)
    assert found[:4] == (codec, *numbers) and found.codes.dtype == np.int64
    np.testing.assert_array_equal(found.codes, codes)


def test_the_bits_lie_as_the_page_says() -> None:
    data = build(Packet(Codec("x", 24_000, 320, 3), 1, 2, 3, np.array([[5, 1], [2, 7]])))
    assert data[:8] == b"ngco\x01\x03\x02\x01" and data[28:29] == b"x"
    assert data[29:] == bytes([0b101_010_00, 0b1_111_0000])


@pytest.mark.parametrize(
    ("codes", "codec"),
    [
        (np.full((2, 3), 1024), ENCODEC), (np.full((2, 3), -1), ENCODEC), (np.zeros((129, 1), int), ENCODEC),
        (np.zeros((1, 1_025), int), ENCODEC), (np.zeros((0, 3), int), ENCODEC), (np.zeros((2, 0), int), ENCODEC),
        (np.zeros((128, 200), int), ENCODEC), (np.zeros((1, 800), int), Codec("slow", 1_000, 100, 8)),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_not_sent(codes: Any, codec: Codec) -> None:
    with pytest.raises(CodesError):
        build(Packet(codec, 1, 2, 3, codes))


def mutated(chance: random.Random, data: bytes) -> bytes:
    """A packet with something wrong."""
    made = bytearray(data)
    for _ in range(chance.randrange(1, 5)):
        what = chance.randrange(6)
        at = chance.randrange(len(made)) if made else 0
        if what == 0 and made:
            made[at] = chance.randrange(256)
        elif what == 1 and made:
            made[at] ^= 1 << chance.randrange(8)
        elif what == 2:
            del made[at:]
        elif what == 3:
            made[at:at] = chance.randbytes(chance.randrange(40))
        elif what == 4 and len(made) >= HEADER_BYTES:
            at = chance.randrange(4, HEADER_BYTES)
            made[at : at + 4] = chance.choice((b"\0" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff"))
        elif what == 5:
            made += made[: chance.randrange(1, 20_000)] * chance.randrange(1, 40)
    return bytes(made)


def test_20000_mutated_packets() -> None:
    chance = random.Random(1)
    seeds = [
        build(Packet(ENCODEC, 7, number, 3 * number, np.full((stages, 3), number)))
        for number, stages in enumerate((1, 2, 8, 32, 128))
    ]
    took, refused, whole = [], 0, 0
    for _ in range(20_000):
        data = mutated(chance, chance.choice(seeds))
        began = time.perf_counter()
        try:
            found = parse(data)
        except CodesError as error:
            refused += 1
            assert len(str(error)) < 200
        else:
            whole += 1
            assert is_sane(found.codec) and found.codes.min() >= 0 and found.codes.max() >> found.codec.bits == 0
        took.append(time.perf_counter() - began)
    assert refused > 10_000 and whole > 500, (refused, whole)
    assert statistics.median(took) < 0.001


def test_no_packet_stops_a_node_that_receives() -> None:
    """As acts of a performance, which went through no door: a node looks for itself."""
    chance = random.Random(2)
    seed = build(Packet(ENCODEC, 7, 1, 3, np.zeros((8, 3), np.int64)))
    graph = Graph(fakes.KINDS)
    graph.add("codes.receive", "get", port=PORT)
    graph.add("out~", "out")
    log: list[str] = []
    player = Player(graph.view, 48_000, report=lambda node, text: log.append(text))
    values: list[Any] = [(PORT, mutated(chance, seed)) for _ in range(2_000)]
    values += [None, 1, "x", (), (PORT,), (PORT, "text"), ("port", b""), (PORT, b""), (PORT, seed, 1), [PORT, seed]]
    for number, value in enumerate(values):
        player.act("arrive", DOOR, value, frame=number * 48)
    player.render(np.zeros((player.engine.outputs, 48 * len(values) + 48_000), np.float32), None, block=64)
    player.close()
    assert 0 < len(log) <= 4, "one line a second"
    assert any("malformed packets" in line for line in log)


def test_packets_are_bounded() -> None:
    with pytest.raises(CodesError, match="bytes"):
        parse(build(Packet(ENCODEC, 1, 2, 3, np.zeros((8, 3), np.int64))) + b"\0" * LARGEST)
    whole = build(Packet(ENCODEC, 1, 2, 3, np.zeros((8, 3), np.int64)))
    for other in (whole + b"\0", whole[:-1], whole[:28] + b"Encodec-24khz" + whole[41:]):
        with pytest.raises(CodesError):
            parse(other)
    assert as_arrived((1, b"x")) == (1, b"x") and as_arrived((1, "x")) is None


@pytest.mark.parametrize(
    ("name", "numbers"), [("encodec", {}), ("Encodec-24khz", {}), ("", {}), ("x" * 41, {}), ("own", {"rate": 8_000})]
)
def test_codecs_that_are_not_known_are_refused(name: str, numbers: dict[str, int]) -> None:
    with pytest.raises(PatchError) as caught:
        codec_of(name, **numbers)
    assert caught.value.problems[0].code in ("bad-codec", "unknown-codec")


def test_a_codec_may_be_described() -> None:
    assert codec_of("own", 16_000, 320, 9) == Codec("own", 16_000, 320, 9)
    assert codec_of("encodec-24khz", bits=6) == Codec("encodec-24khz", 24_000, 320, 6)
