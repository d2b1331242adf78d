"""What the patches in patches/ are there to show, they do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodegraph import Patch
from tests.patches.measuring import cents, pitch

ROOT = Path(__file__).parents[2] / "patches"
PARTS = sorted(path for path in (ROOT / "parts").glob("*.ng"))
RATE = 48_000


@pytest.mark.parametrize("path", PARTS, ids=lambda path: path.stem)
def test_a_part_is_well_formed_and_says_what_it_is(path: Path) -> None:
    patch = Patch.open(path)
    assert patch.check() == []
    assert patch.title and len(patch.about) > 80
    assert path.read_text(encoding="utf-8") == str(patch), "as nodegraph would save it"
    assert set(patch.document.view) == {node.id for node in patch}, "every box has its place"
    for node in patch:
        entry = patch.graph.node(node.id)
        if node.kind in ("param", "inlet~", "outlet~", "inlet", "outlet", "argument"):
            assert entry.value("help"), f"{node.id} says what it is for"


def test_every_part_is_used() -> None:
    used = {node.kind.split("/")[-1] for path in (*ROOT.glob("*.ng"), *PARTS) for node in Patch.open(path)}
    assert {path.name for path in PARTS} <= used


# -- canon: one patch file five times, with other arguments


def test_five_players_play_one_tune_each_in_its_time() -> None:
    made = Patch.open(ROOT / "canon.ng").render(seconds=6)
    tune = [event.value for event in made["first/tune.y"]]
    for player, beats in (("first", 0.5), ("second", 1), ("third", 2), ("fourth", 3), ("low", 6)):
        hits = made.times(f"{player}/clock.bang")
        assert np.abs(np.diff(hits) - beats * 60 / 104).max() < 2 / RATE
        heard = [event.value for event in made[f"{player}/tune.y"]]
        assert heard and heard == tune[: len(heard)]


def test_no_two_of_its_strings_are_plucked_alike() -> None:
    patch = Patch.open(ROOT / "canon.ng")
    assert len({patch.graph.node(id).value("seed") for id in ("first", "second", "third", "fourth", "low")}) == 5


# -- ladders: a filter as a voice


def test_the_ladder_whistles_its_melody_in_tune() -> None:
    patch = Patch.open(ROOT / "ladders.ng")
    patch.set("deep.mul", 0)  # no vibrato
    patch.set("singer.glide", 0)
    patch.set("song.values", [69, "-", "-", "-", 76, "-", "-", "-"])
    for node in ("bass_pan", "echo_pan"):
        patch.disconnect(f"{node}.y", "bus.x")
    patch.disconnect("room.y", "sum.x")
    sound = patch.render(seconds=3.1).audio[0].astype(np.float64)
    half = 60 / 116 / 2
    for begin, key in ((0.0, 69), (4 * half, 76)):
        wanted = 440 * 2 ** ((key - 69) / 12)
        part = sound[round((begin + 0.15) * RATE) : round((begin + 3.6 * half) * RATE)]
        assert abs(cents(pitch(part, RATE, wanted), wanted)) < 2.0


# -- chords: voices that give way


def test_a_seventh_note_takes_a_voice_from_the_oldest() -> None:
    patch = Patch.open(ROOT / "chords.ng")
    made = patch.render(seconds=12)
    held: set[tuple[str, float]] = set()
    most = 0
    for event in sorted([*made["pad.y"], *made["lead.y"]], key=lambda event: event.frame):
        (held.add if event.value.velocity else held.discard)((event.node, event.value.pitch))
        most = max(most, len(held))
    assert most > 6, "more notes are held than there are voices"
    assert max(event.value for event in made["voices.sounding"]) == 6
    patch.set("voices.count", 16)
    more = patch.render(seconds=12)
    assert max(event.value for event in more["voices.sounding"]) == most
    assert not np.array_equal(made.audio, more.audio)


# -- fuzz: what oversampling is for


def aliases_db(factor: int) -> float:
    """How much of a bent sine of 3 kHz lies beside its harmonics, below 18 kHz."""
    frames = 1 << 15
    near = round(3_001 * frames / RATE)
    patch = Patch(media=[ROOT])
    patch.add("parts/bend.ng", "amp", drive=22, oversample=str(factor))
    patch.connect(patch.add("in~", "mic").y, "amp.x")
    patch.connect("amp.y", patch.add("gain~", gain=0.5), patch.add("out~", channels=1))
    sine = 0.4 * np.sin(2 * np.pi * near * np.arange(2 * frames) / frames)
    found = patch.render(seconds=2 * frames / RATE, input=sine).audio[0, frames:]
    spectrum = np.abs(np.fft.rfft(found * np.blackman(frames)))
    beside = np.arange(len(spectrum)) * RATE / frames < 18_000
    for k in range(0, len(spectrum), near):
        beside[max(0, k - 4) : k + 5] = False
    return float(20 * np.log10(spectrum[beside].max() / spectrum.max()))


def test_the_amplifier_folds_back_40_db_less_at_eight_times_the_rate() -> None:
    plain, over = aliases_db(1), aliases_db(8)
    assert plain > -30 and over < plain - 40, (plain, over)


def test_the_amplifiers_of_fuzz_are_oversampled() -> None:
    patch = Patch.open(ROOT / "fuzz.ng")
    assert {patch.graph.node(id).value("oversample") for id in ("amp", "solo_amp")} == {"8"}


# -- shuffle: one clock for all


def test_every_second_eighth_is_late_and_the_tempo_glides() -> None:
    made = Patch.open(ROOT / "shuffle.ng").render(seconds=14)
    beats, eighths = made.times("four.bang"), made.times("eighths.bang")
    first = np.diff(beats[:16])
    assert np.abs(first - 60 / 112).max() < 2 / RATE
    late = (eighths[1:31:2] - beats[:15]) / first[:15]
    assert np.abs(late - 0.64).max() < 1e-3
    assert [event.value for event in made["tempi.y"]][:2] == [112, 138]
    lengths = np.diff(beats[16:])
    assert np.all(np.diff(lengths[:6]) < 0), "faster from beat to beat"
    assert abs(lengths[10] - 60 / 138) < 2 / RATE, "until it is there"
    echo: list[Any] = [event.value for event in made["echo_time.y"]]
    assert echo[-1] == pytest.approx(1.5 * 60 / 138), "the echo goes along"
