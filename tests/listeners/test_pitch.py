"""SwiftF0 gives the right pitch of tones, voices and instruments, as its package does, in rhythm."""

from pathlib import Path

import numpy as np
import pytest

from tests.listeners.driver import hear, values
from tests.listeners.sounds import SAMPLES, SPOKEN, recording, tone

GOLDEN = np.load(Path(__file__).parent / "golden/swift-f0.npz")
FRAME_S = 256 / 16_000


def cents(found, hz):
    return 1200 * np.log2(np.asarray(found, np.float64) / hz)


def key(hz):
    return 69 + 12 * np.log2(np.asarray(hz, np.float64) / 440)


@pytest.mark.parametrize("hz", [55.0, 82.41, 110.0, 220.0, 261.63, 440.0, 659.26, 880.0, 1318.5, 1760.0])
def test_a_tone_has_its_pitch_within_8_cents(swift, hz):
    # SwiftF0's candidates stand 70 cents apart and it reads between them. 8 cents lie within what is just noticeable
    # between notes (5 to 10 cents); measured: 6 at most.
    found = values(hear(swift, tone(hz, 1.5, 16_000), settle_s=0.3), "pitch")
    assert len(found) > 70, "most of the 93 frames are sure"
    off = cents(found, hz)
    assert abs(np.median(off)) < 8, f"{hz} Hz: off by {np.median(off):.1f} cents"
    assert np.percentile(np.abs(off), 90) < 12


def test_a_sung_scale_is_c_major(swift, demo):
    """The demo's voice sings one note a second from C4: MIDI 60 62 64 65 67 69 71."""
    said = hear(swift, demo("voice", 16_000), settle_s=0.3)
    delay = (swift.lookahead + 4) * FRAME_S
    sung = [(item.time - delay, key(item.value)) for item in said if item.outlet == "pitch"]
    for second, right in enumerate([60, 62, 64, 65, 67, 69, 71], start=1):
        near = [pitch for time, pitch in sung if second - 0.1 < time < second + 0.5]
        assert len(near) > 15 and abs(np.median(near) - right) < 0.3, (
            f"second {second}: {np.median(near):.2f}, not {right}"
        )


# The letter in the name is the package's own statement of the pitch.
NAMED = {
    "bass_hard_c": 0, "bass_thick_c": 0, "bass_trance_c": 0, "bass_voxy_c": 0, "bass_woodsy_c": 0, "bass_drop_c": 0,
    "bass_voxy_hit_c": 0, "loop_drone_g_97": 7,
}  # fmt: skip


@pytest.mark.parametrize("name", NAMED)
def test_a_recorded_bass_has_the_pitch_in_its_name(swift, name):
    found = values(hear(swift, recording(SAMPLES / f"{name}.flac", 16_000), settle_s=0.3), "pitch")
    assert len(found) > 20
    off = (np.median(key(found)) - NAMED[name] + 6) % 12 - 6
    assert abs(off) < 0.3, f"{name}: {off:+.2f} semitones from its name"


@pytest.mark.parametrize(("name", "path"), [("sung", None), ("spoken", SPOKEN[0])])
def test_with_all_its_lookahead_it_is_the_package(swift, demo, name, path):
    swift.settings["lookahead"] = 10
    swift.controls["threshold"] = 0.0
    said = hear(swift, recording(path, 16_000) if path else demo("voice", 16_000))
    pitch, sure = values(said, "pitch"), values(said, "confidence")
    count = len(sure)
    assert count >= len(GOLDEN[f"{name}_pitch"]) - 10 - 4, "all but the last frames, which would need more sound"
    # The same arithmetic on windows of another length: float32 rounding, no more.
    assert np.abs(np.array(sure) - GOLDEN[f"{name}_confidence"][:count]).max() < 1e-3
    voiced = GOLDEN[f"{name}_confidence"][:count] >= 0.5
    assert np.abs(cents(pitch, GOLDEN[f"{name}_pitch"][:count]))[voiced].max() < 0.1


def test_with_half_its_lookahead_it_is_near_the_package(swift, demo):
    swift.controls["threshold"] = 0.0
    said = hear(swift, demo("voice", 16_000))
    pitch, sure = np.array(values(said, "pitch")), np.array(values(said, "confidence"))
    theirs, theirs_sure = GOLDEN["sung_pitch"][: len(pitch)], GOLDEN["sung_confidence"][: len(pitch)]
    both = (sure >= 0.5) & (theirs_sure >= 0.5)
    assert np.mean((sure >= 0.5) != (theirs_sure >= 0.5)) < 0.03, "frames on which they disagree about voicing"
    # The help says: within 4 cents in 99 of 100 frames.
    assert np.percentile(np.abs(cents(pitch, theirs))[both], 99) < 4


def test_answers_keep_the_rhythm_of_the_sound(swift):
    said = hear(swift, tone(220.0, 1.0, 16_000))
    times = [item.time for item in said if item.outlet == "confidence"]
    assert np.allclose(np.diff(times), FRAME_S), "one answer every 16 ms, each as late as the others"
    assert times[0] == pytest.approx((swift.lookahead + 4) * FRAME_S), "frame 0 with the declared delay"


def test_a_tone_is_heard_when_it_begins(swift):
    sound = np.concatenate([np.zeros(16_000, np.float32), tone(330.0, 1.0, 16_000)])
    said = hear(swift, sound, settle_s=0.5)
    times = [item.time for item in said if item.outlet == "pitch"]
    delay = (swift.lookahead + 4) * FRAME_S
    # The analysis window is 128 ms wide, so a frame up to 64 ms away from the tone may hear it.
    assert abs(times[0] - delay - 1.0) < 0.064 and abs(times[-1] - delay - 2.0) < 0.064


@pytest.mark.parametrize("level", [0.0, 0.0005])
def test_silence_has_no_pitch(swift, level):
    noise = np.random.Generator(np.random.PCG64(1)).uniform(-level, level, 32_000).astype(np.float32)
    said = hear(swift, noise)
    assert values(said, "pitch") == [] and set(values(said, "confidence")) == {0.0}


def test_noise_has_hardly_a_pitch(swift):
    noise = np.random.Generator(np.random.PCG64(1)).normal(0, 0.1, 64_000).astype(np.float32)
    said = hear(swift, noise)
    assert len(values(said, "pitch")) < 0.05 * len(values(said, "confidence"))


def test_a_band_keeps_pitches_inside(swift):
    swift.controls |= {"low": 300.0, "high": 600.0, "threshold": 0.0}
    found = values(hear(swift, tone(220.0, 1.0, 16_000)), "pitch")
    assert min(found) > 300 / 1.05 and max(found) < 600 * 1.05


def test_a_band_that_is_turned_over_does_not_break_it(swift):
    swift.controls |= {"low": 2000.0, "high": 50.0, "threshold": 0.0}
    assert all(np.isfinite(values(hear(swift, tone(220.0, 0.5, 16_000)), "pitch")))


def test_reset_forgets_everything(swift):
    sound = tone(220.0, 0.7, 16_000)
    assert hear(swift, sound) == hear(swift, sound)
