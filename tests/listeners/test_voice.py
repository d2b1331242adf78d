"""Silero hears who speaks and who does not, and decides as its package does."""

from pathlib import Path

import numpy as np
import pytest

from tests.listeners.driver import hear, values
from tests.listeners.sounds import ALSA, DESKTOP, SAMPLES, SPOKEN, joined, recording, spoken

GOLDEN = np.load(Path(__file__).parent / "golden/silero-vad.npz")
CHUNK_S = 512 / 16_000

SPEAKING = [
    ALSA / f"{place}_{side}.wav"
    for place, sides in {"Front": "Center Left Right", "Rear": "Center Left Right", "Side": "Left Right"}.items()
    for side in sides.split()
]
NOT_SPEAKING = [
    ALSA / "Noise.wav",
    SAMPLES / "misc_crow.flac",
    SAMPLES / "loop_amen_full.flac",
    SAMPLES / "loop_drone_g_97.flac",
    SAMPLES / "ambi_glass_hum.flac",
    SAMPLES / "drum_cymbal_open.flac",
    DESKTOP / "camera-shutter.oga",
    DESKTOP / "phone-incoming-call.oga",
]


@pytest.fixture(scope="module")
def words() -> np.ndarray:
    return joined([Path(path) for path in SPOKEN if recording(path, 16_000) is not None], 16_000, 0.7)


@pytest.mark.parametrize("path", SPEAKING, ids=lambda path: path.stem)
def test_spoken_words_are_speech(vad, path):
    said = hear(vad, recording(path, 16_000), settle_s=0.5)
    assert max(values(said, "speech")) > 0.95
    turns = values(said, "speaking")
    assert turns[:2] == [0, 1] and turns[-1] == 0, f"silence, speech, silence expected; it said {turns}"


@pytest.mark.parametrize("path", NOT_SPEAKING, ids=lambda path: path.stem)
def test_other_sounds_are_not(vad, path):
    assert values(hear(vad, recording(path, 16_000)), "speaking") == [0]


def test_synthesised_speech_begins_and_ends_where_it_does(vad, tmp_path):
    speech = spoken("Please listen to the music", 16_000, tmp_path)
    loud = np.flatnonzero(np.abs(speech) > 0.01) / 16_000
    said = hear(vad, np.concatenate([np.zeros(16_000, np.float32), speech]), settle_s=1.0)
    turns = [(item.time, item.value) for item in said if item.outlet == "speaking"]
    begin, end = turns[1], turns[-1]
    # A chunk or three to be sure; at the end the hangover of 0.1 s and Silero's own slow fall.
    assert begin[1] == 1 and 0.0 <= begin[0] - (1.0 + loud[0]) < 0.15, turns
    assert end[1] == 0 and 0.0 <= end[0] - (1.0 + loud[-1]) < 0.6, turns


def test_probabilities_are_the_packages(vad, words):
    speech = np.array(values(hear(vad, words), "speech"))
    assert len(speech) == len(GOLDEN["speech"])
    # The same file in the same runtime; 1e-3 leaves room for another processor's arithmetic, which the state carries.
    assert np.abs(speech - GOLDEN["speech"]).max() < 1e-3


def test_turns_are_those_of_the_packages_iterator(vad, words):
    said = hear(vad, words)
    turns = [(round(item.time / CHUNK_S) - 1, item.value) for item in said if item.outlet == "speaking"]
    assert turns[0] == (0, 0), "the first answer says where it starts from"
    assert turns[1:] == [tuple(turn) for turn in GOLDEN["turns"].tolist()]


def test_reset_forgets_everything(vad, words):
    assert hear(vad, words) == hear(vad, words)


class Scripted:
    """Stands in for the model: says these probabilities, one a chunk."""

    def __init__(self, speech):
        self.speech = iter(speech)

    def run(self, outputs, feed):
        return np.array([[next(self.speech)]], np.float32), feed["state"]


def turns_of(vad, speech, **controls):
    real, vad.session = vad.session, Scripted(speech)
    vad.controls |= controls
    try:
        said = hear(vad, np.zeros(512 * len(speech), np.float32))
    finally:
        vad.session = real
    return [(round(item.time / CHUNK_S) - 1, item.value) for item in said if item.outlet == "speaking"]


def test_hysteresis_keeps_a_wavering_voice_speaking(vad):
    wavering = [0.1, 0.6, 0.4, 0.45, 0.4, 0.6, 0.1, 0.1]
    assert turns_of(vad, wavering, hysteresis=0.15, hangover=0.0) == [(0, 0), (1, 1), (6, 0)]
    assert turns_of(vad, wavering, hysteresis=0.0, hangover=0.0) == [(0, 0), (1, 1), (2, 0), (5, 1), (6, 0)]


def test_hangover_bridges_a_pause_of_its_length(vad):
    pause = [0.9, 0.1, 0.1, 0.1, 0.9, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]
    # 0.128 s are four chunks: the first quiet one starts the count, the fourth after it ends the speech.
    assert turns_of(vad, pause, hangover=0.128) == [(0, 1), (9, 0)]
    assert turns_of(vad, pause, hangover=0.032) == [(0, 1), (2, 0), (4, 1), (6, 0)]


def test_the_context_of_64_samples_comes_from_the_chunk_before(vad):
    fed = []
    real = vad.session

    class Keeps:
        def run(self, outputs, feed):
            fed.append(feed["input"][0].copy())
            return real.run(outputs, feed)

    vad.session = Keeps()
    try:
        hear(vad, np.arange(1024, dtype=np.float32) / 1024)
    finally:
        vad.session = real
    assert (fed[0][:64] == 0.0).all() and (fed[1][:64] == fed[0][-64:]).all() and len(fed[1]) == 576
