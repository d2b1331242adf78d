"""Playing: live, watched, changed while it sounds. On the null driver, which keeps real time."""

import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nodegraph import DeviceError, MediaError, Patch, PatchError


def tone() -> Patch:
    patch = Patch("Tone")
    patch.connect(patch.add("sine~", "osc", freq=330), patch.add("gain~", "level", gain=0.25), patch.add("out~", "out"))
    return patch


def test_what_is_played_is_recorded_to_the_sample(tmp_path: Path) -> None:
    patch = tone()
    with patch.play(seconds=0.5, driver="null", record=tmp_path / "take.wav") as playing:
        assert playing.wait(20)
    assert not playing.running
    take, _ = soundfile.read(tmp_path / "take.wav", dtype="float32")
    assert np.array_equal(take.T, patch.render(seconds=0.5).audio)


def test_messages_are_watched_as_they_come_from_the_very_first() -> None:
    patch = tone()
    clock = patch.add("metro", "clock", interval=0.05)
    found = list(patch.play(seconds=0.42, driver="null").watch(clock.bang))
    assert [event.frame for event in found[:9]] == [2_400 * beat for beat in range(9)]
    assert {(event.node, event.port) for event in found} == {("clock", "bang")}


def test_what_happens_in_the_beginning_acts_at_the_first_sample(tmp_path: Path) -> None:
    patch = tone()
    patch.connect(patch.add("loadbang"), patch.add("message", text="0.5"), patch["level"].gain)
    with patch.play(seconds=0.1, driver="null", record=tmp_path / "take.wav") as playing:
        playing.wait(20)
    take, _ = soundfile.read(tmp_path / "take.wav", dtype="float32")
    assert np.array_equal(take.T, patch.render(seconds=0.1).audio)
    assert np.abs(take).max() == pytest.approx(0.5, abs=1e-3)


def test_watching_ends_when_the_playing_is_stopped_by_somebody_else() -> None:
    patch = tone()
    patch.add("metro", "clock", interval=0.02)
    with patch.play(driver="null") as playing:
        threading.Timer(0.3, playing.stop).start()
        found = list(playing.watch())
    assert len(found) >= 5 and not playing.running


def test_controls_move_while_it_plays_and_the_patch_keeps_its_values(tmp_path: Path) -> None:
    patch = tone()
    with patch.play(driver="null", record=tmp_path / "take.wav") as playing:
        wait_until(playing, 0.2)
        playing.set(patch["level"].gain, 1.0)
        wait_until(playing, playing.time + 0.3)
        with pytest.raises(PatchError, match="0 to 4"):
            playing.set("level.gain", 5)
        with pytest.raises(PatchError, match="takes no messages"):
            playing.set("osc.y", 1)
    take, _ = soundfile.read(tmp_path / "take.wav", dtype="float32")
    assert np.abs(take[:7_000]).max() == pytest.approx(0.25, abs=1e-3)
    assert np.abs(take).max() == pytest.approx(1.0, abs=1e-3)
    assert patch["level"].gain.value == 0.25
    assert not take[-1].any(), "it was faded out"


def before_its_end(take: np.ndarray, frames: int) -> np.ndarray:
    """The last so many frames before a recording fades out; how much silence follows depends on the machine."""
    end = int(np.flatnonzero(take[:, 0])[-1]) - 1_200
    return take[end - frames : end, 0]


def test_the_patch_changes_while_it_plays(tmp_path: Path) -> None:
    patch = tone()
    with patch.play(driver="null", record=tmp_path / "take.wav") as playing:
        wait_until(playing, 0.2)
        clock = patch.add("metro", "clock", interval=0.05)
        patch.connect(patch.add("sine~", "second", freq=1_000), "level")
        patch["level"].set(gain=0.4)
        playing.update()
        heard = playing.watch(clock.bang)
        assert next(heard).node == "clock"
        wait_until(playing, playing.time + 0.3)
        patch.add("play~", file="gone.wav")
        with pytest.raises(MediaError, match=r"gone\.wav"):
            playing.update()
        assert playing.running, "a patch that cannot be played leaves the sound as it was"
    take, rate = soundfile.read(tmp_path / "take.wav", dtype="float32")
    late = np.abs(np.fft.rfft(before_its_end(take, rate // 8) * np.hanning(rate // 8))) * 4 / (rate // 8)
    pitches = np.fft.rfftfreq(rate // 8, 1 / rate)
    assert late[np.abs(pitches - 1_000).argmin()] == pytest.approx(0.4, abs=0.02)
    assert late[np.abs(pitches - 330).argmin()] == pytest.approx(0.4, abs=0.04)


def test_another_patch_is_loaded_while_one_plays(tmp_path: Path) -> None:
    """It brings its own files; what cannot be played is refused and the sound goes on."""
    home = tmp_path / "elsewhere"
    home.mkdir()
    soundfile.write(home / "hum.wav", 0.4 * np.sin(2 * np.pi * 1_000 * np.arange(48_000) / 48_000), 48_000)
    patch, other = tone(), Patch("Other")
    other.save(home / "other.ng")
    hum = other.add("play~", "osc", file="hum.wav", loop=True)
    other.connect(hum, other.add("out~", "out"))
    clock = other.add("metro", "clock", interval=0.05)
    broken = Patch("Broken")
    broken.connect(broken.add("play~", file="gone.wav"), broken.add("out~"))
    with patch.play(driver="null", record=tmp_path / "take.wav") as playing:
        wait_until(playing, 0.2)
        with pytest.raises(MediaError, match=r"gone\.wav"):
            playing.load(broken)
        assert playing.running and playing.patch is patch
        playing.load(other)
        assert playing.patch is other
        assert next(playing.watch(clock.bang)).node == "clock"
        other.rename("clock", "beat")
        playing.update()
        assert next(playing.watch("beat.bang")).node == "beat"
        playing.set("beat.interval", 0.02)
        wait_until(playing, playing.time + 0.2)
    take, rate = soundfile.read(tmp_path / "take.wav", dtype="float32")
    late = np.abs(np.fft.rfft(before_its_end(take, rate // 8) * np.hanning(rate // 8))) * 4 / (rate // 8)
    pitches = np.fft.rfftfreq(rate // 8, 1 / rate)
    assert late[np.abs(pitches - 1_000).argmin()] == pytest.approx(0.4, abs=0.02)
    assert late[np.abs(pitches - 330).argmin()] < 0.01, "the first patch has gone"


def test_status_is_plain_data() -> None:
    import json

    with tone().play(driver="null") as playing:
        wait_until(playing, 0.1)
        status = playing.status()
    json.dumps(status)
    assert status["outputs"] == pytest.approx([0.25, 0.25], abs=1e-3)
    assert "null driver" in status["driver"] and status["latency_s"] > 0 and status["listeners"] == {}
    assert playing.status()["time"] >= status["time"], "and at the end it stays"


def test_a_mistake_ends_it_where_it_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device's thread that does not come back out of the engine: nobody else may play it, so nothing can go on."""
    from nodegraph.runtime.drivers.null import NullDriver

    class Stuck(NullDriver):
        @property
        def alive(self) -> bool:
            return self.engine.done < 4_800 and super().alive

        def start(self) -> None:
            super().start()
            monkeypatch.setattr(self.gate, "shut", self._never)

        def _never(self) -> None:
            if not self.alive and self.engine.done >= 4_800 and threading.current_thread().name == "driver supervisor":
                raise DeviceError("the device's thread has been stuck for 5 s.")

    monkeypatch.setattr("nodegraph.api.playing.open_driver", lambda kind, engine, **_: Stuck(engine, 64))
    patch = tone()
    with pytest.raises(DeviceError, match="has been stuck"):
        list(patch.play().watch())
    with pytest.raises(DeviceError, match="has been stuck"), patch.play() as playing:
        playing.wait(20)


def test_a_device_that_vanishes_does_not_end_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nodegraph.runtime.drivers.null import NullDriver

    class Unplugged(NullDriver):
        @property
        def alive(self) -> bool:
            return self.engine.done < 4_800 and super().alive

    monkeypatch.setattr("nodegraph.api.playing.open_driver", lambda kind, engine, **_: Unplugged(engine, 64))
    patch = tone()
    clock = patch.add("metro", "clock", interval=0.05)
    with patch.play(seconds=0.8, record=tmp_path / "take.wav") as playing:
        beats = [event.frame for event in playing.watch(clock.bang)]
        assert playing.wait(20)
    assert beats[:16] == [2_400 * beat for beat in range(16)], "messages go on"
    take, _ = soundfile.read(tmp_path / "take.wav", dtype="float32")
    assert np.array_equal(take.T, patch.render(seconds=0.8).audio), "and so does the recording, to the bit"
    assert any("the sound device has gone after 0." in text for _, text in playing.log), playing.log
    status = playing.status()
    assert status["device"]["state"] == "gone" and status["device"]["losses"] == 1
    assert "null driver (the device has gone)" in status["driver"]


def test_a_device_that_is_not_there_is_told_before_anything_plays() -> None:
    with pytest.raises(DeviceError):
        tone().play(driver="portaudio", device="no such device anywhere")
    with pytest.raises(DeviceError, match="there is no driver 'radio'"):
        tone().play(driver="radio")


def test_outlets_that_send_no_messages_cannot_be_watched() -> None:
    with tone().play(driver="null") as playing, pytest.raises(PatchError, match=r"'osc\.y' sends no messages"):
        playing.watch("osc.y")


def wait_until(playing, seconds: float) -> None:
    """Until so much has been played."""
    while playing.time < seconds:
        assert not playing.wait(0.005), f"it ended at {playing.time} s: {playing.error}"
