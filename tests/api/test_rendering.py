"""Rendering: arrays, events, tensors."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from nodegraph import BANG, MediaError, Patch, PatchError, Rendered


def tone(freq: float = 330.0, gain: float = 0.25) -> Patch:
    patch = Patch("Tone")
    patch.connect(patch.add("sine~", freq=freq), patch.add("gain~", gain=gain), patch.add("out~"))
    return patch


def test_a_render_is_an_array_at_its_rate() -> None:
    made = tone().render(seconds=0.25, rate=44_100)
    assert (made.audio.dtype, made.audio.shape, made.rate) == (np.float32, (2, 11_025), 44_100)
    assert made.seconds == 0.25
    expected = 0.25 * np.sin(2 * np.pi * 330 * np.arange(11_025) / 44_100)
    assert np.abs(made.audio - expected).max() < 2e-4


def test_a_render_repeats_at_any_block() -> None:
    patch = tone()
    first = patch.render(seconds=0.3).audio
    assert all(np.array_equal(patch.render(seconds=0.3, block=block).audio, first) for block in (1, 7, 480, 8_192))


def test_an_array_can_be_heard() -> None:
    patch = Patch()
    patch.connect(patch.add("in~", channels=2), patch.add("out~"))
    sound = np.random.default_rng(1).uniform(-1, 1, (2, 5_000)).astype(np.float32)
    made = patch.render(seconds=0.2, input=sound)
    assert np.array_equal(made.audio[:, :5_000], sound) and not made.audio[:, 5_000:].any()
    mono = patch.render(seconds=0.1, input=list(sound[0, :100]))
    assert np.array_equal(mono.audio[:, :100], sound[:1, :100].repeat(2, axis=0)), "one channel goes to every input"
    assert patch.render(input=sound[:, :4_800]).seconds == pytest.approx(2.1), "its length, and 2 s of tail"
    for wrong in (np.zeros((2, 2, 2)), np.zeros((65, 10)), "no such file.wav", "text"):
        with pytest.raises(MediaError):
            patch.render(seconds=0.1, input=wrong)


def test_messages_come_back_by_their_port_at_their_sample() -> None:
    patch = tone()
    clock = patch.add("metro", "clock", interval=0.1)
    draw = patch.add("random", "draw", low=5, high=6)
    patch.connect(clock, draw)
    made = patch.render(seconds=0.55)
    beats = made[clock.bang]
    assert [event.frame for event in beats] == [0, 4_800, 9_600, 14_400, 19_200, 24_000]
    assert all(event.value is BANG and (event.node, event.port) == ("clock", "bang") for event in beats)
    drawn = made.array(draw.y)
    assert drawn.shape == (6,) and ((drawn >= 5) & (drawn <= 6)).all()
    assert np.allclose(made.times("draw.y"), np.arange(6) / 10)
    assert made["draw.nothing"] == [] and made.array("draw.nothing").shape == (0,)
    with pytest.raises(PatchError, match=r"clock\.bang"):
        made.array(clock.bang)


def test_tensors_come_back_as_arrays() -> None:
    patch = tone(freq=3_000.0, gain=1.0)
    spectrum = patch.add("spectrum~", "spectrum", window="1024", hop=512)
    patch.connect("gain1", spectrum)
    columns = patch.render(seconds=0.5).array(spectrum.column)
    assert columns.dtype == np.float32 and columns.shape[1] == 513 and len(columns) > 30
    assert (columns.argmax(axis=1) == 64).all(), "3000 Hz is frequency 64 of 1024 at 48 kHz"
    assert columns.max() == pytest.approx(1.0, abs=0.01)


def test_native_triggers_are_heard_without_a_cable() -> None:
    patch = Patch()
    patch.connect(patch.add("in~"), patch.add("onset~", "hits"))
    clicks = np.zeros((1, 48_000), np.float32)
    for start in (9_600, 24_000, 38_400):
        clicks[0, start : start + 600] = np.random.default_rng(2).uniform(-0.9, 0.9, 600)
    found = patch.render(seconds=1, input=clicks).times("hits.onset")
    assert len(found) == 3
    assert (np.abs(found - np.array([0.2, 0.5, 0.8]) - 0.06) < 0.03).all(), f"{found}: soon after the sound"


def test_a_render_is_saved_whole_with_its_patch(tmp_path: Path) -> None:
    made = tone().render(seconds=0.1)
    for name in ("a.wav", "a.flac"):
        path = made.save(tmp_path / name)
        sound, rate = soundfile.read(path, dtype="float32")
        assert rate == 48_000 and np.abs(sound.T - made.audio).max() <= 2.0**-23
        assert str(Patch.open(path)) == str(tone())
    first = (tmp_path / "a.wav").read_bytes()
    assert made.save(tmp_path / "b.wav").read_bytes() == first
    for wrong in ("a.mp3", "nowhere/a.wav"):
        with pytest.raises(MediaError, match=r"a\.(mp3|wav)"):
            made.save(tmp_path / wrong)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.flac", "a.wav", "b.wav"]


def test_progress_is_told_and_may_end_it() -> None:
    told: list[tuple[float, float]] = []

    def progress(done: float, whole: float) -> bool:
        told.append((done, whole))
        return len(told) < 2

    made = tone().render(seconds=5, progress=progress)
    assert told == [(0.5, 5), (1.0, 5)] and made.seconds == 1.0


def test_the_length_is_that_of_what_is_played(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros((12_000, 1)), 24_000)
    patch = Patch(media=[tmp_path])
    voice = patch.add("play~", file="a.wav")
    patch.connect(voice, patch.add("out~"))
    assert patch.render().seconds == pytest.approx(2.5)
    voice.set(speed=2)
    assert patch.render().seconds == pytest.approx(2.25)
    voice.set(loop=True)
    assert patch.render().seconds == 10.0


def test_numbers_that_cannot_be_are_all_told() -> None:
    with pytest.raises(PatchError) as caught:
        tone().render(seconds=0, rate=1, block=0)
    assert {problem.code for problem in caught.value.problems} == {"bad-seconds", "bad-rate", "bad-block"}


def test_logs_come_back() -> None:
    patch = tone()
    clock, said = patch.add("metro", interval=0.1), patch.add("print", "said", label="tick")
    patch.connect(clock, said)
    made: Rendered = patch.render(seconds=0.15)
    assert made.log == [("said", "tick: bang")] * 2
