"""Basic Pitch writes down the notes that are played; decoding is the package's, streaming adds and loses hardly any."""

from pathlib import Path

import numpy as np
import pytest

from nodegraph.core import Note
from nodegraph.nodes.analysis.note_decoding import Begin, End, Found, NoteStream, decode
from nodegraph.nodes.analysis.notes import CHUNK_FRAMES, EDGE, SECONDS
from tests.listeners.driver import hear, values
from tests.listeners.sounds import SAMPLES, played, random_likelihoods, recording, tone

GOLDEN = np.load(Path(__file__).parent / "golden/basic-pitch.npz")
RATE = 22_050


def written(node, sound) -> list[tuple[float, Note, float]]:
    """(beginning in s, note, length in s) of every note in the sound; a held note takes its length from its end."""
    delay = (EDGE + CHUNK_FRAMES + node.stream.patience) * SECONDS
    found: list[tuple[float, Note, float]] = []
    for item in hear(node, sound, settle_s=delay + 0.8):
        if item.outlet != "notes":
            continue
        time, note = item.time - delay, item.value
        if note.velocity > 0:
            found.append((time, note, note.duration_s or 0.0))
        else:
            open_ = [i for i, (_, n, length) in enumerate(found) if n[::2] == (note.pitch, None) and length == 0.0]
            assert len(open_) == 1, f"at {time:.2f} s {note} ends one held note, not {len(open_)}"
            found[open_[0]] = (found[open_[0]][0], found[open_[0]][1], time - found[open_[0]][0])
    return found


def missing(right, found, within_s=0.05):
    """The (start, key) of `right` that nothing in `found` answers, and what in `found` answers none of them."""
    left = [(time, note.pitch) for time, note, _ in found]
    lost = []
    for start, key in right:
        near = [item for item in left if item[1] == key and abs(item[0] - start) <= within_s]
        if near:
            left.remove(near[0])
        else:
            lost.append((start, key))
    return lost, left


# 50 ms is the usual bound for onsets in note transcription (MIREX, mir_eval's default).
CHORDS = [(0.5, (60, 64, 67)), (1.5, (57, 60, 64)), (2.5, (53, 57, 60)), (3.5, (55, 59, 62))]
# Where Basic Pitch errs: it takes a strong overtone (2nd to 8th), or the octave below, for a note of its own.
OVERTONES = {-12, 12, 19, 24, 28, 31, 34, 36}


INSTRUMENTS = {"piano": 0, "electric piano": 4, "marimba": 12, "guitar": 24, "violin": 40, "cello": 42, "clarinet": 71}


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_chords_that_fluidsynth_plays_are_all_written_down(notes, tmp_path, instrument):
    score = [(start, 0.8, key) for start, keys in CHORDS for key in keys]
    found = written(notes, played(score, RATE, tmp_path, INSTRUMENTS[instrument]))
    lost, extra = missing([(start, key) for start, _, key in score], found)
    assert not lost, f"{instrument}: lost {lost}, extra {extra}"
    for time, key in extra:
        sounding = [right for start, _, right in score if 0.0 <= time + 0.1 - start < 1.0]
        assert any(key - right in OVERTONES for right in sounding), f"{instrument}: {key} at {time:.2f} s"
    assert len(extra) <= len(score) / 2, f"{instrument}: {extra}"


def test_a_melody_keeps_its_lengths(notes, tmp_path):
    score = [(0.5 * n + 0.3, length, 60 + 2 * n) for n, length in enumerate([0.4, 0.2, 0.45, 0.25, 0.4])]
    found = written(notes, played(score, RATE, tmp_path, INSTRUMENTS["violin"]))
    lost, extra = missing([(start, key) for start, _, key in score], found)
    assert not lost and not extra
    for (_, length, key), (_, note, heard) in zip(score, found, strict=True):
        # The violin of this soundfont rings on for about 0.15 s.
        assert note.pitch == key and -0.05 < heard - length < 0.2, f"key {key}: {heard:.2f} s, played {length} s"


def test_a_chord_of_plain_tones_is_written_down(notes):
    chord = sum(tone(440.0 * 2 ** ((key - 69) / 12), 1.5, RATE, level=0.15) for key in (60, 64, 67, 71))
    found = written(notes, np.concatenate([np.zeros(RATE, np.float32), chord]))
    lost, extra = missing([(1.0, key) for key in (60, 64, 67, 71)], found)
    assert not lost
    assert all(any(key - right in OVERTONES for right in (60, 64, 67, 71)) for _, key in extra) and len(extra) <= 2


def test_the_sung_scale_is_written_down(notes, demo):
    found = written(notes, demo("voice", RATE))
    scale = [(1.0 * n, key) for n, key in enumerate([60, 62, 64, 65, 67, 69, 71], start=1)]
    lost, extra = missing(scale, found, within_s=0.25)  # the singer begins a little early
    assert not lost and len(extra) <= 2, f"lost {lost}, extra {extra}"


# The package says in the file's name what is played: chord tones, as distances from C.
NAMED = {
    "bass_hard_c": {0}, "bass_thick_c": {0}, "bass_trance_c": {0}, "bass_woodsy_c": {0}, "bass_voxy_c": {0, 10},
    "bass_voxy_hit_c": {0}, "bass_dnb_f": {5}, "loop_drone_g_97": {7, 2, 5}, "guit_em9": {4, 7, 11, 2, 6},
    "guit_e_slide": {4}, "guit_e_fifths": {4, 11, 6},
}  # fmt: skip


@pytest.mark.parametrize("name", NAMED)
def test_a_recording_has_the_notes_in_its_name(notes, name):
    found = written(notes, recording(SAMPLES / f"{name}.flac", RATE))
    weight = {}
    for _, note, length in found:
        weight[int(note.pitch) % 12] = weight.get(int(note.pitch) % 12, 0.0) + note.velocity * length
    right = sum(value for pitch, value in weight.items() if pitch in NAMED[name])
    assert right > 0.9 * sum(weight.values()) > 0, f"{name}: {weight}"


def test_silence_and_noise_have_no_notes(notes):
    assert written(notes, np.zeros(2 * RATE, np.float32)) == []
    noise = np.random.Generator(np.random.PCG64(1)).normal(0, 0.1, 3 * RATE).astype(np.float32)
    assert written(notes, noise) == []


def test_no_note_is_said_twice(notes, demo):
    found = written(notes, demo("guitar", RATE))
    by_key = {}
    for time, note, length in found:
        by_key.setdefault(note.pitch, []).append((time, time + length))
    for key, spans in by_key.items():
        for (start, end), (again, _) in zip(sorted(spans), sorted(spans)[1:], strict=False):
            assert again >= end - 2 * SECONDS, (
                f"key {key} again at {again:.2f} s while it sounds ({start:.2f} to {end:.2f})"
            )


def test_every_held_note_ends_and_only_held_notes_do(notes, demo):
    notes.settings["patience"] = 0.35
    held = []
    for note in values(hear(notes, demo("guitar", RATE), settle_s=3.0), "notes"):
        if note.velocity == 0.0:
            assert note.pitch in held, f"{note} ends, and was not held"
            held.remove(note.pitch)
        elif note.duration_s is None:
            held.append(note.pitch)
    assert held == []


def test_more_patience_gives_more_lengths(notes, demo):
    held = []
    for patience in (0.35, 2.0):
        notes.settings["patience"] = patience
        said = values(hear(notes, demo("voice", RATE), settle_s=4.0), "notes")
        held.append(sum(note.velocity > 0 and note.duration_s is None for note in said))
    assert held[0] > held[1] == 0


def test_keys_come_in_frames_once_a_chunk(notes, tmp_path):
    sound = played([(0.5, 1.0, 69)], RATE, tmp_path)
    keys = np.concatenate(values(hear(notes, sound), "keys"))
    assert keys.shape[1] == 88 and keys.dtype == np.float32
    # Row n stands at chunk end - 0.17 s: the first chunk's rows begin 15 frames before the sound does.
    sounding = np.flatnonzero(keys[:, 69 - 21] > 0.5)
    assert abs((sounding[0] - EDGE) * SECONDS - 0.5) < 0.05


@pytest.mark.parametrize("seed", range(8))
def test_decoding_is_the_packages(seed):
    theirs = [tuple(row[:3]) for row in GOLDEN[f"notes_{seed}"]]
    mine = decode(*random_likelihoods(seed))
    assert [(note.start, note.end, note.key + 21) for note in mine] == theirs
    assert np.allclose([note.loudness for note in mine], GOLDEN[f"notes_{seed}"][:, 3], atol=1e-9)


@pytest.mark.parametrize("patience", [30, 86])
@pytest.mark.parametrize("seed", range(8))
def test_streaming_says_what_decoding_at_once_says(seed, patience):
    keys, onsets = random_likelihoods(seed)
    keys[460:], onsets[460:] = 0.0, 0.0  # at the end of all sound there are no more frames to be sure
    at_once = decode(keys, onsets)
    stream, said = NoteStream(patience=patience), []
    quiet = np.zeros((43 * 4, 88))
    keys, onsets = np.concatenate([keys, quiet]), np.concatenate([onsets, quiet])
    for start in range(0, len(keys) - 42, 43):
        said += stream.feed(keys[start : start + 43], onsets[start : start + 43])
    begun = [event for event in said if isinstance(event, Begin)]
    assert len([event for event in said if isinstance(event, End)]) == sum(event.frames is None for event in begun)
    same = sum(any(event.key == note.key and abs(event.frame - note.start) <= 4 for event in begun) for note in at_once)
    # A stream cannot know the loudest onset that is still to come; that moves a few weak notes.
    assert same >= 0.95 * len(at_once), f"{len(at_once) - same} of {len(at_once)} notes were lost"
    assert len(begun) <= 1.1 * len(at_once), f"{len(begun)} notes were said, {len(at_once)} are there"


def test_decoding_nothing_finds_nothing():
    assert decode(np.zeros((0, 88)), np.zeros((0, 88))) == []
    assert decode(np.zeros((400, 88)), np.zeros((400, 88))) == []


def test_one_struck_note_is_found_exactly():
    keys, onsets = np.zeros((100, 88)), np.zeros((100, 88))
    keys[20:60, 48], onsets[20, 48] = 0.8, 0.9
    # Its rise is over at frame 20, where the onset stands.
    assert decode(keys, onsets) == [Found(20, 60, 48, pytest.approx(0.8), True)]


def test_reset_forgets_everything(notes):
    sound = recording(SAMPLES / "guit_em9.flac", RATE)[: 4 * RATE]

    def said():
        return [(item.time, item.value) for item in hear(notes, sound) if item.outlet == "notes"]

    assert said() == said()
