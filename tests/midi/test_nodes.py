"""The nodes: what they make of what comes, and what they send."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nodegraph import Patch
from nodegraph.core import BANG, Note, NoteExpression
from nodegraph.core.registry import registry
from tests.midi.conftest import Rig

Make = Callable[..., Rig]


def test_notes_come_in_order_at_their_frame(rig: Make) -> None:
    made = rig(("notein", {}))
    made.arrive(100, 0x92, 60, 127)
    made.arrive(200, 0x92, 60, 0)
    made.run(1_000)
    assert made.heard == [
        (100, "n0.from_channel", 3), (100, "n0.velocity", 127), (100, "n0.pitch", 60), (100, "n0.note", Note(60, 1)),
        (200, "n0.from_channel", 3), (200, "n0.velocity", 0), (200, "n0.pitch", 60), (200, "n0.note", Note(60, 0)),
    ]  # fmt: skip


def test_a_port_and_a_channel_may_be_chosen(rig: Make) -> None:
    made = rig(("notein", {"port": "KEYS", "channel": 2}), ("notein", {"port": "pads"}))
    made.arrive(1, 0x91, 60, 1, port="My Keys")
    made.arrive(2, 0x90, 61, 1, port="My Keys")
    made.arrive(3, 0x91, 62, 1, port="pads")
    made.run(10)
    assert (made.values("n0.pitch"), made.values("n1.pitch")) == ([60], [62])


def test_the_pedal_holds_notes_where_it_is_asked_to(rig: Make) -> None:
    made = rig(("notein", {"pedal": True}), ("notein", {}))
    for frame, data in enumerate(((0xB0, 64, 127), (0x90, 60, 9), (0x80, 60, 0), (0x90, 62, 9), (0xB0, 64, 0))):
        made.arrive(10 + frame, *data)
    made.arrive(19, 0xB0, 123, 0)
    made.run(20)
    assert [(frame, v.pitch, v.velocity > 0) for frame, port, v in made.heard if port == "n0.note"] == [
        (11, 60, True), (13, 62, True), (14, 60, False), (19, 62, False)
    ]  # fmt: skip
    assert [v.pitch for v in made.values("n1.note")] == [60, 60, 62, 62]


@pytest.mark.parametrize(
    ("what", "controller", "out", "value"),
    [("7 bit", 7, 64, 64), ("14 bit", 7, 9_000, 9_000), ("nrpn", 1_000, 9_000, 9_000), ("rpn", 1, 9_000, 9_000)],
)
def test_controllers_go_and_come_in_every_size(rig: Make, what: str, controller: int, out: int, value: int) -> None:
    settings = {"what": what, "controller": controller}
    made = rig(("ctlout", {**settings, "channel": 5}), ("ctlin", settings))
    made.give(10, "n0.value", out)
    made.give(20, "n0.y", 1.0)
    made.run(100)
    for frame, sent in made.gone:
        made.arrive(1_000 + frame, *sent.data)
    made.run(2_000)
    at_10 = [v for frame, port, v in made.heard if port == "n1.value" and frame == 1_010]
    most = 127 if what == "7 bit" else 16_383
    assert at_10[-1] == value
    assert made.values("n1.y")[-1] == 1.0 and made.values("n1.value")[-1] == most
    assert made.values("n1.number")[-1] == controller and made.values("n1.from_channel")[-1] == 5


def test_notes_go_and_end(rig: Make) -> None:
    made = rig(("noteout", {"channel": 2}))
    made.give(10, "n0.notes", Note(60.4, 1.0))
    made.give(20, "n0.notes", (60, 0.5))  # struck again: let go first
    made.give(30, "n0.notes", Note(62.0, 0.5, 0.01))
    made.give(40, "n0.notes", NoteExpression(60.0, "bend", 2.0))
    made.give(600, "n0.off", BANG)
    made.run(1_000)
    assert made.bytes_out() == [
        (10, "91 3c 7f"), (20, "81 3c 40"), (20, "91 3c 40"), (30, "91 3e 40"), (510, "81 3e 40"), (600, "81 3c 40"),
    ]  # fmt: skip


def test_held_notes_end_when_the_node_leaves(rig: Make) -> None:
    made = rig(("noteout", {}))
    made.give(10, "n0.notes", Note(60.0, 1.0))
    made.run(100)
    made.player.messages.leave("n0")
    assert made.bytes_out() == [(10, "90 3c 7f"), (-1, "80 3c 40")], "-1: as soon as may be"


def test_bends_pressure_and_programs(rig: Make) -> None:
    made = rig(
        ("bendin", {"range": 12.0}), ("touchin", {}), ("pgmin", {}), ("bendout", {}), ("touchout", {}), ("pgmout", {})
    )  # fmt: skip
    made.give(1, "n3.bend", -1.0)
    made.give(2, "n4.pressure", 1.0)
    made.give(3, "n4.key", (60, 0.5))
    made.give(4, "n4.key", NoteExpression(61.0, "pressure", 1.0))
    made.give(5, "n5.program", (300, 7))
    made.run(10)
    assert made.bytes_out() == [
        (1, "e0 00 00"), (2, "d0 7f"), (3, "a0 3c 40"), (4, "a0 3d 7f"), (5, "b0 00 02"), (5, "b0 20 2c"), (5, "c0 07")
    ]  # fmt: skip
    for frame, sent in made.gone:
        made.arrive(100 + frame, *sent.data)
    made.run(200)
    assert (made.values("n0.y"), made.values("n0.semitones")) == ([-1.0], [-12.0])
    assert made.values("n1.y") == [1.0]
    assert made.values("n1.key") == [(60, 64 / 127), (61, 1.0)]
    assert made.values("n1.expression")[1] == NoteExpression(61.0, "pressure", 1.0)
    assert (made.values("n2.bank"), made.values("n2.program")) == ([300], [7])


def test_bytes_as_they_are(rig: Make) -> None:
    made = rig(("sysexin", {}), ("sysexout", {}), ("midiin", {}), ("midiin", {"realtime": True}), ("midiout", {}))
    made.give(1, "n1.data", (0x7D, 1, 2))
    for frame, item in enumerate(((0x90, 60), 100, 0xF8, ("x", 300, -1)), 2):
        made.give(frame, "n4.x", item)
    made.run(10)
    assert made.bytes_out() == [(1, "f0 7d 01 02 f7"), (3, "90 3c 64"), (4, "f8")]
    for frame, sent in made.gone:
        made.arrive(100 + frame, *sent.data)
    made.run(200)
    assert made.values("n0.data") == [(0x7D, 1, 2)]
    assert made.values("n2.message") == [(0xF0, 0x7D, 1, 2, 0xF7), (0x90, 60, 100)]
    assert made.values("n3.message")[-1] == (0xF8,)


def test_mpe_is_heard_through_voices() -> None:
    """Two notes of one controller: one is bent by an octave, the other is not."""
    import numpy as np

    patch = Patch()
    keys, voices = patch.add("mpein", "keys"), patch.add("voices~", "voices", count=2)
    patch.connect(keys.notes, voices.notes)
    patch.connect(voices.freq, patch.add("*~", "small", b=1e-4), patch.add("out~"))
    made = Rig(patch)
    made.arrive(100, 0x91, 69, 100)
    made.arrive(100, 0x92, 57, 100)
    made.arrive(2_400, 0xE1, 0, 0x50)  # 10240 of 16383: a quarter of 48 semitones
    sound = np.zeros((2, 4_800), np.float32)
    made.player.render(sound)
    made.player.close()
    assert np.allclose(sound[:, 2_300] * 1e4, [440, 220], rtol=1e-4)
    bend = 48.0 * 2_048 / 8_191
    assert np.allclose(sound[:, -1] * 1e4, [440 * 2 ** (bend / 12), 220], rtol=1e-4)


def test_offline_nothing_comes_and_a_render_repeats() -> None:
    patch = Patch()
    beat, out = patch.add("metro", "beat", interval=0.1), patch.add("noteout", "out")
    patch.connect(beat.bang, out.notes)
    keys, tone = patch.add("notein", "keys"), patch.add("sine~", "tone")
    patch.connect(keys.pitch, tone.freq)
    patch.connect(tone, patch.add("out~"))
    first, again = patch.render(seconds=0.3), patch.render(seconds=0.3)
    assert not first[keys.pitch] and (first.audio == again.audio).all()


def test_words_of_other_programs_find_the_nodes() -> None:
    for word, kind in (
        ("notein", "notein"), ("xbendin", "bendin"), ("polytouchin", "touchin"), ("MIDIdef.cc", "ctlin"),
        ("seq", "midifile"), ("MIDIOut", "midiout"), ("polymidiin", "mpein"),
    ):  # fmt: skip
        found = registry().get(word)
        assert found is not None and found.kind == kind
