"""Renaming while it plays: the same nodes under other ids, of which nothing is heard. And what follows another node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodegraph.api.patch import Patch
from nodegraph.core.errors import PatchError
from nodegraph.core.flatten import flatten
from nodegraph.core.patchfile import save
from nodegraph.runtime.compile.places import live_value
from nodegraph.runtime.player import Player
from tests.runtime.playing import Sound, assert_same, click, same_bits

RATE = 48_000
Step = tuple[int, Callable[[Patch], None]]


def played(
    patch: Patch, frames: int, steps: Sequence[Step] = (), watch: Sequence[tuple[str, str]] = (), **options: Any
) -> tuple[Sound, list[tuple[int, str, str, Any]]]:
    """Render a patch that is changed at some frames; its sound and the messages of some outlets."""
    player = Player(flatten(patch.document), RATE, **options)
    heard: list[tuple[int, str, str, Any]] = []
    player.messages.everything = lambda event: heard.append((event.frame, event.node, event.port, event.value))
    out = np.zeros((player.engine.outputs, frames), np.float32)
    at = 0
    try:
        for frame, do in [*steps, (frames, lambda patch: None)]:
            if frame > at:
                player.render(out[:, at:frame], block=64)
                at = frame
            do(patch)
            if frame < frames:
                player.edit(flatten(patch.document))
    finally:
        player.close()
    return out, [message for message in heard if message[1:3] in watch]


def band() -> Patch:
    """Oscillators, filters, a delay line, a Python clock with a counter, an envelope: state of every sort."""
    patch = Patch()
    mix = patch.add("gain~", "mix", gain=0.05)
    patch.connect(mix, patch.add("out~", "out"))
    for k in range(6):
        patch.connect(patch.add("saw~", f"osc{k}", freq=70 + 31 * k), patch.add("svf~", f"cut{k}"), mix)
    patch.connect("cut2", patch.add("comb~", "echo", time=0.013), mix)
    clock = patch.add("metro", "clock", interval=0.021)
    patch.connect(clock, patch.add("counter", "count", modulo=2))
    hit = patch.add("adsr~", "hit", decay=0.05, release=0.01)
    patch.connect("count.y", "hit.gate")
    patch.connect(patch.add("sine~", "beep", freq=440), patch.add("*~", "level"), mix)
    patch.connect(hit, "level.b")
    return patch


def rename(*pairs: str) -> Callable[[Patch], None]:
    def do(patch: Patch) -> None:
        for pair in pairs:
            patch.rename(*pair.split(">"))

    return do


RENAMES = {
    "an oscillator in a group": rename("osc1>lead"),
    "a delay line": rename("echo>echoes"),
    "a clock": rename("clock>beat"),
    "a counter between clock and envelope": rename("count>steps"),
    "the output": rename("out>speakers"),
    "many at once": rename("osc0>a", "cut0>b", "echo>e", "clock>d", "count>f", "hit>g", "mix>h"),
    "two that change places": rename("osc1>x", "osc4>osc1", "x>osc4"),
    "two clocks' worth of names in a ring": rename("clock>t", "count>clock", "hit>count", "t>hit"),
}


@pytest.mark.parametrize("what", RENAMES)
@pytest.mark.parametrize("packing", [True, False])
def test_nothing_is_heard_of_a_new_name(what: str, packing: bool) -> None:
    plain, _ = played(band(), 12_000, packing=packing)
    renamed, _ = played(band(), 12_000, [(5_003, RENAMES[what])], packing=packing)
    assert np.abs(plain[:, 6_000:]).max() > 0.01
    assert_same(plain, renamed, what)


def test_a_mix_adds_up_in_the_order_of_names_after_a_rename_as_after_a_reopening() -> None:
    """That is all that a name can change: the last bit of a sum."""
    plain, _ = played(band(), 12_000)
    renamed, _ = played(band(), 12_000, [(5_003, rename("cut0>zero"))])
    assert np.abs(plain - renamed).max() <= 2 * np.spacing(np.float32(np.abs(plain).max()))


def test_a_name_can_come_back_and_a_knob_is_found_under_it() -> None:
    def low(patch: Patch) -> None:
        patch.set("cut5.cutoff", 90.0)

    def low_under_another_name(patch: Patch) -> None:
        patch.rename("cut5", "cut9")
        patch.set("cut9.cutoff", 90.0)

    plain, _ = played(band(), 16_000, [(4_000, low)])
    other, _ = played(band(), 16_000, [(4_000, low_under_another_name), (9_000, rename("cut9>cut5"))])
    still, _ = played(band(), 16_000)
    assert not same_bits(still, plain)
    assert_same(plain, other, "a knob after a rename")


def test_a_node_may_take_the_name_of_one_that_leaves() -> None:
    def leave(patch: Patch) -> None:
        patch.remove("osc1")

    def leave_and_take(patch: Patch) -> None:
        patch.remove("osc1")
        patch.rename("osc4", "osc1")

    plain, _ = played(band(), 12_000, [(5_000, leave)])
    other, _ = played(band(), 12_000, [(5_000, leave_and_take)])
    assert_same(plain, other, "the name of a node that fades out")


def test_messages_and_their_watchers_follow() -> None:
    watch = [("count", "y"), ("steps", "y")]
    _, plain = played(band(), 24_000, watch=watch)
    _, renamed = played(band(), 24_000, [(11_000, rename("count>steps"))], watch=watch)
    assert len(plain) > 20
    assert [(frame, value) for frame, _, _, value in plain] == [(frame, value) for frame, _, _, value in renamed]
    assert {node for _, node, _, _ in renamed} == {"count", "steps"}


def test_a_delayed_message_arrives_under_the_new_name() -> None:
    patch = Patch()
    patch.connect(patch.add("loadbang", "go"), patch.add("delay", "later", time=0.2), patch.add("counter", "count"))
    _, heard = played(patch, 24_000, [(2_000, rename("later>late", "count>n"))], watch=[("n", "y")])
    assert [frame for frame, *_ in heard] == [9_600]


def test_a_subpatch_is_renamed_with_all_that_is_in_it(tmp_path: Path) -> None:
    voice = Patch(title="voice")
    voice.connect(voice.add("saw~", "osc", freq=200), voice.add("comb~", "echo", time=0.02), voice.add("outlet~", "y"))
    save(voice.document, tmp_path / "voice.ng")

    def main() -> Patch:
        patch = Patch()
        save(patch.document, tmp_path / "main.ng")
        patch.connect(patch.add("voice.ng", "one"), patch.add("gain~", "g", gain=0.1), patch.add("out~", "out"))
        patch.connect(patch.add("voice.ng", "two"), "g")
        return patch

    plain, _ = played(main(), 12_000)
    renamed, _ = played(main(), 12_000, [(5_000, rename("one>lead", "two>one"))])
    assert np.abs(plain).max() > 0.01
    assert_same(plain, renamed, "a subpatch")


# Another kind in a node's place.


def test_a_successor_begins_with_the_values_that_are_there_now() -> None:
    """The knob was moved to 0.01 while it plays; the node that takes its place does not jump back to what is stored."""

    def sound(edit: bool) -> Sound:
        patch = Patch()
        patch.connect(
            patch.add("sine~", "tone", freq=150), patch.add("gain~", "g", gain=0.02), patch.add("out~", "out")
        )
        player = Player(flatten(patch.document), RATE, outputs=1)
        out = np.zeros((1, 20_000), np.float32)
        player.render(out[:, :3_000])
        player.set("tone", "freq", 300.0)
        player.render(out[:, 3_000:9_000])
        if edit:
            patch.replace("tone", "triangle~")
            player.edit(flatten(patch.document))
        player.render(out[:, 9_000:])
        player.close()
        return out

    def pitch(sound: Sound) -> float:
        crossings = np.flatnonzero(np.diff(np.signbit(sound[0])))
        return float((len(crossings) - 1) / 2 / (crossings[-1] - crossings[0]) * RATE)

    replaced = sound(True)
    assert pitch(replaced[:, 12_000:]) == pytest.approx(300.0, rel=2e-3)
    assert pitch(sound(False)[:, 12_000:]) == pytest.approx(300.0, rel=2e-3)


def test_a_value_outside_the_successors_span_is_brought_into_it() -> None:
    patch = Patch()
    patch.connect(patch.add("saw~"), patch.add("onepole~", "cut", cutoff=100.0), patch.add("out~"))
    player = Player(flatten(patch.document), RATE)
    player.set("cut", "cutoff", 2.0)
    out = np.zeros((2, 4_000), np.float32)
    player.render(out)
    patch.replace("cut", "svf~")
    player.edit(flatten(patch.document))
    player.render(out)
    assert player.engine.schedule is not None
    place = player.engine.schedule.places.of(("cut", 0))
    assert place is not None
    assert live_value(place, "cutoff") == 10.0
    player.close()


def test_a_node_in_python_hands_its_values_over_too() -> None:
    patch = Patch()
    patch.connect(patch.add("metro", "clock", interval=0.001), patch.add("print", "log"))
    player = Player(flatten(patch.document), RATE)
    player.set("clock", "on", 0)
    out = np.zeros((2, 4_000), np.float32)
    player.render(out)
    patch.replace("clock", "every")
    player.edit(flatten(patch.document))
    player.render(out)
    node = player.messages.nodes["clock"]
    assert (type(node).__name__, node.controls["on"]) == ("Every", 0.0)
    player.close()


# Another patch.


def tone(freq: float, id: str = "tone") -> Patch:
    patch = Patch()
    patch.connect(
        patch.add("sine~", id, freq=freq), patch.add("gain~", "g", gain=0.02), patch.add("out~", "out", channels=1)
    )
    return patch


def test_another_patch_fades_in_and_begins_anew() -> None:
    """Ids that both have mean nothing: the oscillator of the second patch starts at its own phase."""
    first, second = tone(110), tone(220)

    def sound(other: bool) -> Sound:
        player = Player(flatten(first.document), RATE, outputs=1)
        out = np.zeros((1, 12_000), np.float32)
        player.render(out[:, :5_000])
        player.edit(flatten(second.document), other=other)
        player.render(out[:, 5_000:])
        player.close()
        return out

    loaded = sound(True)
    assert click(loaded) < 2e-3
    alone, _ = played(tone(220), 7_000, outputs=1)
    begins = 5_000
    assert np.allclose(loaded[:, begins + 400 :], alone[:, 400:7_000], atol=1e-7)
    edited = sound(False)
    assert not np.allclose(edited[:, begins + 400 :], alone[:, 400:7_000], atol=1e-4), "an edit keeps the phase"


def test_a_refused_patch_leaves_the_names_as_they_were() -> None:
    """What plays on is still found under its ids."""
    first, second = tone(110), tone(220)
    second.connect(second.add("in~", "mic", channel=10, channels=64), "g")
    player = Player(flatten(first.document), RATE, outputs=1)
    out = np.zeros((1, 24_000), np.float32)
    player.render(out[:, :3_000])
    with pytest.raises(PatchError, match="channels"):
        player.edit(flatten(second.document), other=True)
    player.set("tone", "freq", 300.0)
    player.render(out[:, 3_000:])
    crossings = np.flatnonzero(np.diff(np.signbit(out[0, 12_000:])))
    assert (len(crossings) - 1) / 2 / (crossings[-1] - crossings[0]) * RATE == pytest.approx(300.0, rel=2e-3)
    assert {"tone", "g"} < set(player.messages.entries) == set(flatten(first.document).nodes)
    player.close()


def test_numbers_are_used_again() -> None:
    """Nodes that come and go leave nothing behind."""
    patch = band()
    player = Player(flatten(patch.document), RATE)
    out = np.zeros((2, 900), np.float32)
    counts = []
    for number in range(60):
        patch.connect(patch.add("sine~", f"new{number}"), "mix")
        patch.connect(patch.add("lfo~", f"sweep{number}"), f"new{number}.freq")
        patch.add("metro", f"clock{number}")
        if number > 3:
            for id in (f"new{number - 3}", f"sweep{number - 3}", f"clock{number - 3}"):
                patch.remove(id)
        player.edit(flatten(patch.document))
        player.render(out)
        counts.append(len(player.engine.numbers))
    assert counts[-1] == counts[30], counts
    player.close()
