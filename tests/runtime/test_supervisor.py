"""Devices vanish, return and are changed; the music goes on, and nothing clicks.

A card of the tests' own calls the native callback that PortAudio calls, and keeps every sample that it got.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nodegraph import DeviceError, Patch
from nodegraph.api.playing import Playing
from tests.runtime.fake_device import Card
from tests.runtime.playing import click

PATIENCE_S = 60.0
SMOOTH = 2e-4
"""The fourth difference of a sine of 330 Hz and level 0.25 under a fade of 10 ms stays far below this."""


def tone() -> Patch:
    patch = Patch("Tone")
    patch.connect(patch.add("sine~", "osc", freq=330), patch.add("gain~", "level", gain=0.25), patch.add("out~", "out"))
    return patch


def until(true: Callable[[], object], what: str) -> None:
    """Wait for a condition; fail with what it was when it does not come."""
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, f"it never came: {what}"
        time.sleep(0.005)


def played(playing: Playing, seconds: float) -> None:
    end = playing.time + seconds
    until(lambda: playing.time >= end, f"{seconds} s more")


def unfaded(take: np.ndarray) -> int:
    """Frames of a recording before its end fades out: the fade takes 20 ms, and silence may follow it."""
    return int(np.flatnonzero(take[:, 0])[-1]) - 1_000


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Iterator[Card]:
    made = Card()
    monkeypatch.setattr("nodegraph.api.playing.open_driver", made.driver)
    yield made
    assert made.open == 0, "every stream was closed"


def test_the_click_detector_finds_a_planted_click() -> None:
    sound = 0.25 * np.sin(2 * np.pi * 330 / 48_000 * np.arange(48_000))
    assert click(sound) < SMOOTH
    cut = sound.copy()
    cut[20_000:] = 0.0
    assert click(cut) > 10 * SMOOTH
    assert click(np.delete(sound, 20_010)) > 2 * SMOOTH, "one lost sample is a click"


def test_a_card_is_unplugged_and_comes_back(card: Card, tmp_path: Path) -> None:
    patch = tone()
    with patch.play(record=tmp_path / "take.wav") as playing:
        played(playing, 0.2)
        card.plugged = False
        until(lambda: playing.status()["device"]["state"] == "gone", "the loss is noticed")
        until(lambda: card.open == 0, "the end of the old stream")
        before = len(card.blocks)
        assert "null driver (the device has gone)" in playing.status()["driver"]
        played(playing, 0.3)
        card.plugged = True
        until(lambda: playing.status()["device"]["returns"] == 1, "the return")
        played(playing, 0.2)
        status = playing.status()
        assert status["device"]["state"] == "playing" and "the card" in status["driver"]
        assert status["device"]["losses"] == 1
        after = np.concatenate(card.blocks[before:])
    said = [text for _, text in playing.log]
    assert any("has gone after 0." in text for text in said) and any("is back after" in text for text in said), said
    assert np.abs(after[0]).max() < 1e-4, "it comes in from silence"
    assert np.abs(after).max() > 0.2
    assert click(after.T) < SMOOTH
    take, _ = soundfile.read(tmp_path / "take.wav", dtype="float32")
    reference = patch.render(seconds=len(take) / 48_000).audio.T
    whole = unfaded(take)
    assert np.array_equal(take[:whole], reference[:whole]), "the recording goes on without a gap, to the bit"


def test_it_vanishes_again_and_again(card: Card) -> None:
    with tone().play() as playing:
        for count in range(1, 4):
            played(playing, 0.05)
            card.plugged = False
            until(lambda n=count: playing.status()["device"]["losses"] == n, "the loss")
            card.plugged = True
            until(lambda n=count: playing.status()["device"]["returns"] == n, "the return")
        assert playing.running


def test_what_came_from_a_lost_device_is_let_go_softly(card: Card, tmp_path: Path) -> None:
    """The input stood at 0.5 when the card went: what the patch hears glides to zero, and back when it returns."""
    card.inputs, card.input_value = 1, 0.5
    patch = Patch()
    patch.connect(patch.add("in~", "mic", channels=1), patch.add("out~", "out"))
    with patch.play(record=tmp_path / "take.wav") as playing:
        played(playing, 0.1)
        card.plugged = False
        until(lambda: playing.status()["device"]["state"] == "gone", "the loss")
        played(playing, 0.1)
        card.plugged = True
        until(lambda: playing.status()["device"]["returns"] == 1, "the return")
        played(playing, 0.1)
    take, _ = soundfile.read(tmp_path / "take.wav", dtype="float32")
    silent = int(np.argmax(take[:, 0] == 0.0))
    assert take[0, 0] == 0.5 and silent and take[silent:, 0].max() == 0.5
    assert np.abs(np.diff(take[:, 0])).max() < 0.5 * 1.6 / 480, "a smooth way down and up again"


def test_the_block_changes_while_it_plays(card: Card, tmp_path: Path) -> None:
    """The card opens once only, so it is given up first; the recording does not notice."""
    patch = tone()
    with patch.play(record=tmp_path / "take.wav") as playing:
        played(playing, 0.1)
        playing.switch(block=64)
        played(playing, 0.2)
        status, heard = playing.status(), card.heard
    assert "blocks of 64" in status["driver"] and status["device"]["losses"] == 0
    assert card.opened_blocks == [256, 64]
    assert click(heard.T) < SMOOTH, "out and in without a click"
    take, _ = soundfile.read(tmp_path / "take.wav", dtype="float32")
    whole = unfaded(take)
    assert np.array_equal(take[:whole], patch.render(seconds=len(take) / 48_000).audio.T[:whole])


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"rate": 22_050}, "does not run at 22050 Hz. It takes 44100, 48000 Hz"),
        ({"rate": 100}, "8000 to 384000"),
        ({"block": 8_000}, "does not take blocks of 8000"),
        ({"block": 0}, "It takes 1 to 8192"),
    ],
)
def test_what_is_refused_leaves_the_sound_as_it_was(card: Card, times: int, change: dict[str, int], text: str) -> None:
    card.times = times
    with tone().play() as playing:
        played(playing, 0.1)
        with pytest.raises(DeviceError, match=text):
            playing.switch(**change)
        played(playing, 0.1)
        status, heard = playing.status(), card.heard
        assert status["rate"] == playing.rate == 48_000 and "blocks of 256" in status["driver"]
        assert status["device"]["state"] == "playing" and status["device"]["losses"] == 0
        assert np.abs(heard[-4_000:]).max() > 0.2 and click(heard.T) < SMOOTH


@pytest.mark.parametrize("times", [1, 2])
def test_the_rate_changes_while_it_plays(card: Card, times: int, tmp_path: Path) -> None:
    card.times = times
    patch = tone()
    patch.add("transport", "time", tempo=90)
    patch.add("every", "grid", beats=0.25)
    ticks = patch.add("metro", "clock", interval=0.05)
    with patch.play(record=tmp_path / "take.wav") as playing:
        played(playing, 0.1)
        playing.set("level.gain", 0.125)
        playing.set("time.tempo", 150)
        played(playing, 0.1)
        first, before = len(card.blocks), playing.time
        beat = playing.player.messages.clock.beat_at
        began = beat(playing.player.engine.done)
        playing.switch(rate=44_100)
        assert playing.rate == 44_100 and playing.status()["rate"] == 44_100
        assert before <= playing.time < before + 4.0, "the second goes on"
        played(playing, 0.3)
        clock = playing.player.messages.clock
        assert clock.tempo_at(playing.player.engine.done) == 150
        passed = (playing.player.engine.done / 44_100 - before) * 150 / 60
        assert clock.beat_at(playing.player.engine.done) - began == pytest.approx(passed, abs=0.2)
        heard = np.concatenate(card.blocks[first:])
        times_of = [event.time for event in playing.heard.taken() if (event.node, event.port) == ("clock", "bang")]
    assert ticks and np.all(np.diff(times_of) > 0), "logical time never goes back"
    assert np.abs(heard[-8_000:]).max() == pytest.approx(0.125, abs=2e-3), "the control kept its value"
    assert click(heard.T) < SMOOTH
    take, rate = soundfile.read(tmp_path / "take.wav", dtype="float32")
    assert rate == 48_000
    assert abs(len(take) / rate - playing.time) < 0.1, "the recording has every second, at the rate that it began with"
    late = take[unfaded(take) - 7_200 : unfaded(take), 0]
    spectrum = np.abs(np.fft.rfft(late * np.hanning(len(late)), 1 << 17))
    assert spectrum.argmax() * rate / (1 << 17) == pytest.approx(330, abs=1.0), "and its pitch"


def test_a_device_is_given_to_what_played_without_one(card: Card) -> None:
    patch = tone()
    with patch.play() as playing:
        played(playing, 0.05)
        card.plugged = False
        until(lambda: playing.status()["device"]["state"] == "gone", "the loss")
        with pytest.raises(DeviceError, match="there is no sound device"):
            playing.switch(block=128)
        played(playing, 0.05)
        card.plugged = True
        playing.switch(block=128)
        assert "blocks of 128" in playing.status()["driver"]
        assert playing.status()["device"]["state"] == "playing"


def test_nothing_is_switched_when_it_is_over(card: Card) -> None:
    playing = tone().play(seconds=0.05)
    assert playing.wait(20)
    from nodegraph import PatchError

    with pytest.raises(PatchError, match="does not play any more"):
        playing.switch(block=64)


def test_the_rate_changes_again_and_again_on_the_null_driver(tmp_path: Path) -> None:
    """Each time another engine comes in through a gate that led elsewhere before; nothing of the old one is used."""
    with tone().play(driver="null", record=tmp_path / "take.wav") as playing:
        for rate in (44_100, 96_000, 22_050, 48_000):
            playing.switch(rate=rate)
            played(playing, 0.05)
            status = playing.status()
            assert status["rate"] == rate and f"{rate} Hz" in status["driver"]
            assert status["outputs"][0] == pytest.approx(0.25, abs=1e-2)
    take, rate = soundfile.read(tmp_path / "take.wav", dtype="float32")
    assert rate == 48_000 and abs(len(take) / rate - playing.time) < 0.1
