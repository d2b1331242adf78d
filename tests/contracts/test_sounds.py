"""Sound files: what is played is what is in the file; what is recorded is whole, carries its patch, or is not there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from nodegraph.core import MediaError, registry
from nodegraph.nodes.soundfiles import SoundWriter, load_sound, patch_in
from nodegraph.nodes.sounds import Record
from tests.contracts.harness import Unit, play

PLAY = registry().get("play~")
PATCH = '{"nodegraph": 1, "title": "Grüße", "nodes": {}}'
LONG_PATCH = '{"nodegraph": 1, "about": "' + "x" * 300_000 + '"}'


@pytest.fixture
def sound():
    return np.random.default_rng(0).uniform(-0.9, 0.9, (1_000, 2)).astype(np.float32)


@pytest.fixture
def path(tmp_path, sound):
    soundfile.write(tmp_path / "sound.wav", sound, 48_000, "FLOAT")
    return tmp_path / "sound.wav"


def played(path, frames, speed=1.0, loop=False, split=None):
    speed = np.atleast_2d(speed) if np.ndim(speed) else speed
    return play(PLAY, frames, {"speed": speed}, settings={"file": path, "loop": loop}, split=split)


def test_at_speed_1_every_frame_comes_out_as_it_is(path, sound):
    found = played(path, 1_500, split=[64])
    np.testing.assert_array_equal(found["y"][:, :1_000], sound.T)
    assert not found["y"][:, 1_000:].any()
    assert np.flatnonzero(found["done"][0]).tolist() == [1_000]


def test_a_loop_begins_again_without_a_gap(path, sound):
    found = played(path, 2_500, loop=True, split=[64])
    np.testing.assert_array_equal(found["y"], np.tile(sound.T, 3)[:, :2_500])
    assert np.flatnonzero(found["done"][0]).tolist() == [1_000, 2_000]


def test_backwards(path, sound):
    found = played(path, 1_200, speed=-1.0)
    np.testing.assert_array_equal(found["y"][:, :1_000], sound.T[:, ::-1])
    assert not found["y"][:, 1_000:].any() and found["done"][0, 1_000] == 1.0


@pytest.mark.parametrize("speed", [0.5, 2.0, -0.25])
def test_whole_frames_stay_exact_at_any_speed(path, sound, speed):
    found = played(path, 400, speed=speed)["y"]
    at = (999 if speed < 0 else 0) + speed * np.arange(400)
    whole = at == np.floor(at)
    np.testing.assert_array_equal(found[:, whole], sound.T[:, at[whole].astype(int)])


def test_between_frames_a_sine_stays_a_sine(tmp_path):
    """Catmull-Rom on 48 frames a cycle: the error of the cubic is below (2 pi / 48)^4 / 10 = 3e-5."""
    soundfile.write(tmp_path / "sine.wav", np.sin(2 * np.pi * np.arange(48_000) / 48), 48_000, "FLOAT")
    y = played(tmp_path / "sine.wav", 2_000, speed=0.7371)["y"][0]
    at = np.float32(0.7371) * np.arange(2_000, dtype=float)
    assert np.abs(y - np.sin(2 * np.pi * at / 48))[2:].max() < 2e-4


def test_speed_as_a_signal_moves_the_position(path, sound):
    speed = np.where(np.arange(300) % 2, 2.0, 0.0)
    y = played(path, 300, speed=speed)["y"]
    at = np.concatenate([[0], np.cumsum(speed)[:-1]]).astype(int)
    np.testing.assert_array_equal(y, sound.T[:, at])


def test_a_message_begins_again_at_its_frame(path, sound):
    unit = Unit(PLAY, settings={"file": path})
    unit.run(300, {"speed": 1.0})
    y = unit.run(200, {"speed": 1.0}, messages={"start": 1})["y"]
    np.testing.assert_array_equal(y, sound.T[:, :200])
    unit.run(2_000, {"speed": 1.0})
    np.testing.assert_array_equal(unit.run(10, {"speed": 1.0}, messages={"start": 3})["y"], sound.T[:, :10])


def test_another_rate_is_converted(tmp_path, sound):
    soundfile.write(tmp_path / "cd.wav", sound, 44_100, "FLOAT")
    wanted = soxr.resample(sound, 44_100, 48_000, quality="HQ").T
    np.testing.assert_array_equal(load_sound(tmp_path / "cd.wav", 48_000), wanted)


@pytest.mark.parametrize(("channels", "suffix"), [(1, "wav"), (6, "wav"), (2, "flac"), (1, "ogg")])
def test_channels_and_formats(tmp_path, channels, suffix):
    x = 0.1 * np.random.default_rng(1).standard_normal((4_800, channels))
    soundfile.write(tmp_path / f"a.{suffix}", x, 48_000)
    found = load_sound(tmp_path / f"a.{suffix}", 48_000)
    assert found.shape[0] == channels and found.dtype == np.float32 and found.flags.c_contiguous


def test_what_is_not_a_number_in_a_file_is_silence(tmp_path):
    x = np.float32([0.5, np.nan, np.inf, -np.inf, -0.5])
    soundfile.write(tmp_path / "bad.wav", x, 48_000, "FLOAT")
    np.testing.assert_array_equal(load_sound(tmp_path / "bad.wav", 48_000), [[0.5, 0, 0, 0, -0.5]])


def test_a_file_that_cannot_be_played_is_named(tmp_path, path):
    soundfile.write(tmp_path / "empty.wav", np.zeros((0, 1)), 48_000)
    (tmp_path / "text.wav").write_text("this is no sound")
    (tmp_path / "half.wav").write_bytes(path.read_bytes()[:30])
    cases = {
        "none.wav": "no sound file",
        "empty.wav": "holds no sound",
        "text.wav": "cannot be read",
        "half.wav": "cannot",
    }
    for name, words in cases.items():
        with pytest.raises(MediaError, match=words) as caught:
            load_sound(tmp_path / name, 48_000)
        assert name in str(caught.value) and caught.value.problems[0].do
    with pytest.raises(MediaError, match="no file"):
        PLAY.cls.arrange("", 48_000)


def test_a_cut_off_file_plays_as_far_as_it_goes(tmp_path, path, sound):
    (tmp_path / "cut.wav").write_bytes(path.read_bytes()[:-800])
    np.testing.assert_array_equal(load_sound(tmp_path / "cut.wav", 48_000), sound[:900].T)


# -- writing


DEPTHS = [("a.wav", "32 float", 0.0)]
DEPTHS += [(name, bits, bound) for name in ("a.wav", "a.flac") for bits, bound in (("24", 2**-23), ("16", 2**-15))]


@pytest.mark.parametrize(("name", "bits", "bound"), DEPTHS)
@pytest.mark.parametrize("patch", ["", PATCH, LONG_PATCH], ids=["none", "short", "long"])
def test_a_recording_is_whole_and_carries_its_patch(tmp_path, sound, name, bits, bound, patch):
    """Rounding to n bits is off by one step at most. A patch may be longer than libsndfile's own comments in WAV."""
    writer = SoundWriter(tmp_path / name, 48_000, 2, bits=bits, patch=patch)
    for start in range(0, 1_000, 300):
        writer.write(sound[start : start + 300].T)
    assert os.listdir(tmp_path) != [name], "it has its name before it is whole"
    writer.close()
    assert os.listdir(tmp_path) == [name]
    found, rate = soundfile.read(tmp_path / name, dtype="float32")
    assert rate == 48_000 and np.abs(found - sound).max() <= bound
    assert patch_in(tmp_path / name) == (patch or None)


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_the_same_sound_makes_the_same_bytes(tmp_path, sound, name, monkeypatch):
    """libsndfile writes the time of day into float WAV files."""
    made = []
    for _ in range(2):
        bits = "32 float" if name.endswith("wav") else "24"
        writer = SoundWriter(tmp_path / name, 48_000, 2, bits=bits, patch=PATCH)
        writer.write(sound.T)
        writer.close()
        content = (tmp_path / name).read_bytes()
        at = content.find(b"PEAK")
        assert at < 0 or content[at + 12 : at + 16] == b"\0\0\0\0"
        made.append(content)
    assert made[0] == made[1]


def test_too_loud_is_clipped_and_what_is_not_a_number_is_silence(tmp_path):
    writer = SoundWriter(tmp_path / "a.wav", 48_000, 1, bits="16")
    writer.write(np.float32([[2.0, -2.0, np.nan, np.inf, 0.25]]))
    writer.close()
    np.testing.assert_allclose(soundfile.read(tmp_path / "a.wav")[0], [1, -1, 0, 0, 0.25], atol=2**-14)


def test_channels_may_come_and_go_while_recording(tmp_path):
    writer = SoundWriter(tmp_path / "a.wav", 48_000, 2, bits="32 float")
    for channels in (2, 1, 3):
        writer.write(np.full((channels, 10), 0.5, np.float32))
    writer.close()
    found = soundfile.read(tmp_path / "a.wav")[0]
    np.testing.assert_array_equal(found[:, 0], 0.5)
    np.testing.assert_array_equal(found[:, 1], np.repeat([0.5, 0.0, 0.5], 10))


def test_what_was_there_stays_until_the_new_one_is_whole(tmp_path, sound):
    target = tmp_path / "take.wav"
    target.write_text("the old take")
    writer = SoundWriter(target, 48_000, 2)
    writer.write(sound.T)
    assert target.read_text() == "the old take"
    writer.abandon()
    assert os.listdir(tmp_path) == ["take.wav"] and target.read_text() == "the old take"


REFUSED = [
    ("a.mp3", 1, "24", "no suffix"),
    ("a", 1, "24", "no suffix"),
    ("a.flac", 1, "32 float", "no floats"),
    ("a.flac", 9, "24", "8 channels at most"),
    ("none/a.wav", 1, "24", "no folder"),
    ("folder.wav", 1, "24", "is a folder"),
]


@pytest.mark.parametrize(("name", "channels", "bits", "words"), REFUSED)
def test_a_file_that_cannot_be_written_is_refused(tmp_path, name, channels, bits, words):
    (tmp_path / "folder.wav").mkdir()
    with pytest.raises(MediaError, match=words) as caught:
        SoundWriter(tmp_path / name, 48_000, channels, bits=bits)
    assert caught.value.problems[0].do
    assert os.listdir(tmp_path) == ["folder.wav"]


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_a_full_disk_leaves_nothing_behind(tmp_path, name):
    """A limit on the size of files stands for the full disk: writing fails in the same place, with the same call."""
    program = f"""
import resource, signal, sys, numpy as np
from pathlib import Path
from nodegraph.core import MediaError
from nodegraph.nodes.soundfiles import SoundWriter
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
writer = SoundWriter(Path({str(tmp_path / name)!r}), 48_000, 2, patch={PATCH!r})
try:
    for k in range(50):
        writer.write(np.random.default_rng(k).uniform(-1, 1, (2, 4_800)).astype(np.float32))
    writer.close()
except MediaError as error:
    print("refused:", error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, cwd=Path.cwd(),
                          env={**os.environ, "PYTHONPATH": "."})  # fmt: skip
    assert "refused:" in done.stdout and name in done.stdout, done.stdout + done.stderr
    assert os.listdir(tmp_path) == []


def test_patch_in_says_what_it_cannot_read(tmp_path, path):
    assert patch_in(path) is None
    (tmp_path / "text.wav").write_text("no sound")
    for name in ("text.wav", "none.wav"):
        with pytest.raises(MediaError, match=name):
            patch_in(tmp_path / name)


class FakeHost:
    rate = 48_000
    patch_text = PATCH

    def __init__(self):
        self.logged = []

    def log(self, node, text):
        self.logged.append(text)


def recorder(path, bits="24"):
    node = Record()
    node.id, node.host, node.settings = "tape", FakeHost(), {"file": path, "bits": bits}
    return node


def test_record_writes_what_it_hears_with_the_patch_inside(tmp_path, sound):
    node = recorder(tmp_path / "tape.flac")
    node.start(None)
    node.hear(sound[:512].T, None)
    node.hear(sound[512:].T, None)
    assert not (tmp_path / "tape.flac").exists()
    node.stop()
    found = soundfile.read(tmp_path / "tape.flac", dtype="float32")[0]
    assert np.abs(found - sound).max() <= 2**-23 and patch_in(tmp_path / "tape.flac") == PATCH


def test_record_refuses_at_the_start_and_fails_once(tmp_path, sound):
    for path in ("", tmp_path / "none" / "tape.wav"):
        with pytest.raises(MediaError):
            recorder(path).start(None)
    node = recorder(tmp_path / "gone" / "tape.wav")
    (tmp_path / "gone").mkdir()
    node.start(None)
    (tmp_path / "gone").rmdir()
    with pytest.raises(MediaError):
        node.hear(sound.T, None)
    node.hear(sound.T, None)
    node.stop()


def test_a_wav_file_ends_before_its_size_does_not_fit(tmp_path, sound):
    node = recorder(tmp_path / "tape.wav")
    node.start(None)
    node.hear(sound.T, None)
    node.writer.frames = 4_294_000_000 // 6
    node.hear(sound.T, None)
    node.hear(sound.T, None)
    node.stop()
    assert "4 GB" in node.host.logged[0]
    assert len(soundfile.read(tmp_path / "tape.wav")[0]) == 2_000
