"""Packets in streams come out as they went in, however the stream is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodegraph.osc.framing import FRAMINGS, Framing, frame, framed, framing_of
from nodegraph.osc.packets import LARGEST, OscError

PACKETS = st.lists(st.binary(min_size=1, max_size=40) | st.text("\xc0\xdb\xdc\xdd", min_size=1).map(
    lambda text: text.encode("latin-1")), max_size=6)  # fmt: skip


@pytest.mark.parametrize("framing", FRAMINGS)
@given(packets=PACKETS, cuts=st.lists(st.integers(0, 400), max_size=8))
def test_any_cut_of_the_stream_gives_the_packets(framing: Framing, packets: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(frame(packet, framing) for packet in packets)
    reader, found, last = framed(framing), [], 0
    for cut in [*sorted(cuts), len(stream)]:
        found += reader.feed(stream[last:cut])
        last = max(last, cut)
    assert found == packets
    if stream:
        assert framing_of(stream) == framing


def test_slip_without_an_end_in_front_is_slip() -> None:
    assert framing_of(b"/a\0\0") == framing_of(b"#bundle\0") == framing_of(b"\xc0/") == "slip"
    assert framed("slip").feed(b"/a\0\0\xc0\xc0\xc0/b") == [b"/a\0\0"]


@pytest.mark.parametrize(("framing", "data"), [("length", b"\x7f\xff\xff\xff"), ("slip", b"a" * (2 * LARGEST + 1))])
def test_a_packet_without_an_end_is_refused(framing: Framing, data: bytes) -> None:
    with pytest.raises(OscError, match="more than 65536 bytes"):
        framed(framing).feed(data)
