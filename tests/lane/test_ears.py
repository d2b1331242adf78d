"""What a model hears depends on the sound and on what was asked for, to the bit."""

import numpy as np
import pytest
import soxr

from nodegraph.core import Chunks, Clip
from nodegraph.runtime.lane import Ring, SoundLost, held_back_frames
from nodegraph.runtime.lane.ears import ChunkEar, ClipEar, make_ear


def noise(frames: int, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(7).uniform(-0.5, 0.5, (channels, frames)).astype(np.float32)


def ring_with(sound: np.ndarray, frames: int = 1 << 18) -> Ring:
    ring = Ring(sound.shape[0], frames)
    ring.write(0, sound)
    return ring


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000, 88_200, 96_000])
@pytest.mark.parametrize("hears", [Clip(0.975, 16_000), Clip(43_844 / 22_050, 22_050), Clip(0.5, 48_000)])
def test_a_clip_has_exactly_the_samples_that_the_model_wants(rate, hears) -> None:
    ring = ring_with(noise(3 * rate), 1 << 19)
    (heard,) = ClipEar(hears, ring, rate).listen(2 * rate)
    assert heard.sound.shape == (hears.samples,)
    assert heard.sound.dtype == np.float32
    assert heard.end_frame == 2 * rate
    ring.close()


def test_a_clip_is_what_soxr_makes_of_the_last_seconds() -> None:
    sound = noise(48_000)
    ring = ring_with(sound)
    (heard,) = ClipEar(Clip(0.25, 16_000), ring, 48_000).listen(40_000)
    np.testing.assert_array_equal(heard.sound, soxr.resample(sound[0, 28_000:40_000], 48_000, 16_000))
    ring.close()


def test_a_clip_at_the_models_own_rate_is_the_sound_itself() -> None:
    sound = noise(16_000, channels=2)
    ring = ring_with(sound)
    (heard,) = ClipEar(Clip(0.25, 16_000), ring, 16_000).listen(9_000)
    np.testing.assert_array_equal(heard.sound, sound[:, 5_000:9_000])
    ring.close()


def test_the_first_clips_begin_with_silence() -> None:
    sound = noise(48_000)
    ring = ring_with(sound)
    (heard,) = ClipEar(Clip(0.25, 16_000), ring, 48_000).listen(6_000)
    padded = np.concatenate([np.zeros(6_000, np.float32), sound[0, :6_000]])
    np.testing.assert_array_equal(heard.sound, soxr.resample(padded, 48_000, 16_000))
    ring.close()


@pytest.mark.parametrize(("rate", "model"), [(48_000, 16_000), (44_100, 22_050), (96_000, 16_000), (16_000, 16_000)])
def test_chunks_are_the_resampled_whole_however_it_was_asked_for(rate, model) -> None:
    sound = noise(2 * rate)
    whole = soxr.resample(sound[0], rate, model) if rate != model else sound[0]
    hears = Chunks(512, model)
    for seed in range(3):
        random = np.random.default_rng(seed)
        ring = ring_with(sound)
        ear = ChunkEar(hears, ring, rate, 0)
        end, chunks, stamps = 0, [], []
        while end < 2 * rate:
            end = min(2 * rate, end + int(random.integers(1, [64, 2_000, 30_000][seed])))
            for heard in ear.listen(end):
                chunks.append(heard.sound)
                stamps.append(heard.end_frame)
                assert heard.end_frame <= end, "a chunk came before its sound"
        heard_all = np.concatenate(chunks)
        np.testing.assert_array_equal(heard_all, whole[: len(heard_all)])
        assert stamps == [round((k + 1) * 512 * rate / model) for k in range(len(stamps))]
        assert 2 * rate - stamps[-1] <= held_back_frames(hears, rate) + 512 * rate // model + 1
        ring.close()


def test_no_chunk_is_held_back_longer_than_declared() -> None:
    rate, hears = 48_000, Chunks(512, 16_000)
    ring = ring_with(noise(rate))
    ear = ChunkEar(hears, ring, rate, 0)
    most = max(end - heard.end_frame for end in range(64, rate, 64) for heard in ear.listen(end))
    assert most <= held_back_frames(hears, rate) + 64
    assert held_back_frames(Chunks(512, rate), rate) == held_back_frames(Clip(1.0, 16_000), rate) == 0
    ring.close()


def test_after_lost_sound_the_flow_begins_anew_where_it_was_asked_for() -> None:
    rate, hears = 16_000, Chunks(100, 16_000)
    ring = Ring(1, 1 << 15)
    sound = noise(100_000)
    ear = ChunkEar(hears, ring, rate, 0)
    ring.write(0, sound[:, :1_050])
    assert [heard.end_frame for heard in ear.listen(1_050)] == list(range(100, 1_001, 100))
    assert ear.fresh, "the first flow begins anew too"
    ear.fresh = False
    ring.write(1_050, sound[:, 1_050:60_000])
    with pytest.raises(SoundLost):
        list(ear.listen(59_000))
    assert ear.fresh
    heard = list(ear.listen(59_250))
    assert [item.end_frame for item in heard] == [59_100, 59_200]
    np.testing.assert_array_equal(np.concatenate([item.sound for item in heard]), sound[0, 59_000:59_200])
    ring.close()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("model", [16_000, 48_000], ids=["resampled", "as it is"])
def test_what_is_no_number_is_silence_to_a_model(bad, model) -> None:
    """A model with a memory would keep NaN for ever."""
    sound, silenced = noise(48_000), noise(48_000)
    sound[:, 10_000:10_100] = bad
    silenced[:, 10_000:10_100] = 0.0
    for hears in (Clip(0.25, model), Chunks(512, model)):
        heard = []
        for given in (sound, silenced):
            ring = ring_with(given)
            heard.append([piece.sound for piece in make_ear(hears, ring, 48_000, 0).listen(20_000)])
            ring.close()
        assert len(heard[0]) > 0
        np.testing.assert_array_equal(heard[0], heard[1])
