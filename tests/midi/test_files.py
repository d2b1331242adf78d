"""MIDI files: there and back, on the clock of the patch, broken ones."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import mido
import pytest

from nodegraph import Patch
from nodegraph.core import BANG, MediaError, Note
from nodegraph.core.errors import NodegraphError
from nodegraph.midi import words
from nodegraph.midi.files import Played, read_song, write_song
from tests.midi.conftest import Rig

Make = Callable[..., Rig]


def tune(path: Path, **options: object) -> Path:
    """Three notes on the beat, on two tracks, at 90 beats a minute."""
    file = mido.MidiFile(ticks_per_beat=480, **options)
    first, second = mido.MidiTrack(), mido.MidiTrack()
    file.tracks += [first, second]
    first.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(90)))
    for time, kind, note in ((0, "note_on", 60), (240, "note_off", 60), (240, "note_on", 62), (240, "note_off", 62)):
        first.append(mido.Message(kind, note=note, velocity=127, time=time))
    second.append(mido.Message("note_on", channel=1, note=64, velocity=127, time=960))
    second.append(mido.Message("note_off", channel=1, note=64, time=480))
    file.save(path)
    return path


def test_a_file_is_played_on_the_clock_of_the_patch(rig: Make, tmp_path: Path) -> None:
    path = tune(tmp_path / "a.mid")
    made = rig(("midifile", {"file": str(path)}))
    made.run(48_000 * 3)
    notes = [(frame, v.pitch, v.velocity) for frame, port, v in made.heard if port == "n0.notes"]
    beat = 24_000  # of 120 beats a minute
    assert notes == [
        (0, 60, 1), (beat // 2, 60, 0), (beat, 62, 1), (beat * 3 // 2, 62, 0), (2 * beat, 64, 1), (3 * beat, 64, 0)
    ]  # fmt: skip
    assert [(frame, v) for frame, port, v in made.heard if port == "n0.done"] == [(3 * beat, BANG)]


def test_it_follows_tempo_jumps_and_stops_and_leaves_nothing_sounding(rig: Make, tmp_path: Path) -> None:
    path = tune(tmp_path / "a.mid")
    made = rig(("midifile", {"file": str(path), "loop": True}), ("midifile", {"file": str(path), "channel": 2}))
    clock = made.player.messages.clock
    made.run(100)
    made.player.act("clock", "go", 240.0, frame=6_000)  # a quarter of a beat has passed
    made.player.act("clock", "locate", 7.75, frame=12_000)  # one and three quarters, in the third round
    made.player.act("clock", "run", False, frame=20_000)
    made.run(48_000)
    notes = [(frame, v.pitch, v.velocity) for frame, port, v in made.heard if port == "n0.notes"]
    assert notes == [(0, 60, 1), (9_000, 60, 0), (15_000, 64, 1)]
    assert clock.beat_at(30_000) == pytest.approx(8.41666, abs=1e-3)
    assert made.values("n1.notes") == [] and made.values("n1.done") == [BANG], "it does not go round: it was over"
    made.give(49_000, "n0.on", 0.0)
    made.run(50_000)
    assert [v for _, port, v in made.heard if port == "n0.notes"][-1] == Note(64.0, 0.0)


def test_the_patch_may_take_the_tempo_of_the_file(rig: Make, tmp_path: Path) -> None:
    made = rig(("midifile", {"file": str(tune(tmp_path / "a.mid")), "tempo": "file"}))
    made.run(48_000 * 3)
    assert made.player.messages.clock.tempo_at(48_000) == pytest.approx(90.0, abs=1e-3)
    assert [frame for frame, port, v in made.heard if port == "n0.notes"][:3] == [0, 16_001, 32_001], (
        "666 667 microseconds a beat are a little less than 90"
    )


def test_what_is_recorded_is_played_again(rig: Make, tmp_path: Path) -> None:
    path = tmp_path / "made.mid"
    made = rig(("midirecord", {"file": str(path), "channel": 3}))
    made.run(1)
    made.player.act("clock", "go", 60.0, frame=24_000)  # a beat at 120, then slower
    made.give(12_000, "n0.notes", Note(60.0, 0.5, 0.25))
    made.give(48_000, "n0.message", (0xB2, 74, 9))
    made.give(72_000, "n0.notes", Note(64.0, 1.0))
    made.give(72_000, "n0.message", (0xF8,))
    made.run(96_000)
    made.give(96_000, "n0.on", 0.0)
    made.run(96_001)
    song = read_song(path)
    assert [(round(item.beat, 6), item.data.hex(" "), round(item.bpm)) for item in song.events] == [
        (0.0, "", 120), (0.5, "92 3c 40", 0), (1.0, "", 60), (1.0, "82 3c 40", 0), (1.5, "b2 4a 09", 0),
        (2.0, "92 40 7f", 0), (2.5, "82 40 40", 0),
    ]  # fmt: skip
    assert [message.type for message in mido.MidiFile(path)][-1] == "end_of_track", "others read it, too"


def test_a_recording_is_written_when_the_patch_ends_and_none_without_a_message(tmp_path: Path) -> None:
    patch = Patch()
    beat, kept = patch.add("metro", "beat", interval=0.1), patch.add("midirecord", "kept", file="kept.mid")
    patch.add("midirecord", "none", file="none.mid")
    patch.connect(beat.bang, patch.add("message", "m", text="60 1 0.05").x)
    patch.connect("m.y", kept.notes)
    patch.save(tmp_path / "patch.ng")
    patch.render(seconds=0.45)
    song = read_song(tmp_path / "kept.mid")
    assert sum(item.data[:1] == b"\x90" for item in song.events) >= 5
    assert not (tmp_path / "none.mid").exists()


def test_a_song_there_and_back(tmp_path: Path) -> None:
    choose = random.Random(4)
    events = [Played(0.0, b"", 100.0)]
    beat = 0.0
    for _ in range(500):
        beat += choose.randrange(0, 3_000) / 960
        kind = choose.randrange(4)
        data = (
            words.note_on(1, 60, 5), words.bend(9, choose.uniform(-1, 1)), words.sysex(range(20)), words.program(3, 9)
        )[kind]  # fmt: skip
        events.append(Played(beat, data))
    write_song(tmp_path / "a.mid", events, beat + 1.0)
    song = read_song(tmp_path / "a.mid")
    assert [item.data for item in song.events] == [item.data for item in events]
    assert all(abs(a.beat - b.beat) < 1e-9 for a, b in zip(song.events, events, strict=True))
    assert song.beats == pytest.approx(beat + 1.0)


def test_a_broken_file_is_named_before_the_patch_plays_and_an_edit_to_one_is_refused(tmp_path: Path) -> None:
    whole = tune(tmp_path / "whole.mid").read_bytes()
    (tmp_path / "broken.mid").write_bytes(whole[:40])
    patch = Patch()
    patch.add("midifile", "song", file="broken.mid")
    patch.save(tmp_path / "patch.ng")
    with pytest.raises(MediaError, match=r"'song'.*'broken.mid' cannot be read as MIDI") as caught:
        patch.render(seconds=0.1)
    assert caught.value.problems[0].code == "bad-midi"
    patch.set("song.file", "whole.mid")
    with patch.play(seconds=20, driver="null") as playing:
        patch.set("song.file", "broken.mid")
        with pytest.raises(NodegraphError, match="cannot be read as MIDI"):
            playing.update()
        assert playing.running
        playing.stop()


def test_damaged_files_are_refused_with_a_reason_whatever_is_damaged(tmp_path: Path) -> None:
    whole = bytearray(tune(tmp_path / "whole.mid").read_bytes())
    choose = random.Random(3)
    path = tmp_path / "damaged.mid"
    refused = 0
    for _ in range(2_000):
        data = bytearray(whole)
        for _ in range(choose.randrange(1, 6)):
            data[choose.randrange(len(data))] = choose.randrange(256)
        path.write_bytes(data[: choose.randrange(len(data) + 1)])
        try:
            read_song(path)
        except MediaError as error:
            assert error.problems[0].code == "bad-midi"
            refused += 1
    assert refused > 500
    path.write_bytes(b"")
    with pytest.raises(MediaError, match="cannot be read"):
        read_song(path)


def test_a_recording_needs_the_right_suffix_and_a_folder(tmp_path: Path) -> None:
    patch = Patch()
    patch.add("midirecord", "kept", file="kept.wav")
    patch.save(tmp_path / "patch.ng")
    with pytest.raises(NodegraphError, match=r"no suffix of a MIDI file. Name it .mid"):
        patch.render(seconds=0.1)
    with pytest.raises(MediaError, match="cannot be written"):
        write_song(tmp_path / "nowhere" / "a.mid", [], 0.0)
