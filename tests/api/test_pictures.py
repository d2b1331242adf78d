"""Pictures: what they show is what was heard, and anything can be drawn."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from nodegraph import BANG, Event, MediaError, Note, Tag
from nodegraph.pictures import log_spectrogram, picture, png


def pixels(data: bytes) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.open(BytesIO(data)).convert("RGB"))


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("hz", [110.0, 440.0, 1_000.0, 5_000.0])
def test_a_tone_stands_at_its_pitch(hz: float, rate: int) -> None:
    sound = np.sin(2 * np.pi * hz * np.arange(rate) / rate).astype(np.float32)
    shades, low, high = log_spectrogram(sound, rate)
    rows = np.geomspace(low, high, len(shades))
    found = rows[shades[:, shades.shape[1] // 2].argmax()]
    width = max(2.0 * rate / (2048 if hz >= 500 else 8192) * 48_000 / rate / hz, 0.01)
    assert abs(found / hz - 1) < width, f"{found} Hz, not {hz}"
    assert shades.max() == pytest.approx(0.0, abs=1e-9), "levels are below the loudest"


EVENTS = [
    Event(4_800, 0.1, Tag("Bell", 0.9), "ears", "tags"),
    Event(4_800, 0.1, Tag("Chime", 0.2), "ears", "tags"),
    Event(9_600, 0.2, 440.0, "pitch", "pitch"),
    Event(10_400, 0.217, 450.0, "pitch", "pitch"),
    Event(9_600, 0.2, 0.7, "vad", "speech"),
    Event(12_000, 0.25, Note(60, 0.8, 0.1), "notes", "notes"),
    Event(13_000, 0.27, Note(64, 0.8), "notes", "notes"),
    Event(15_000, 0.31, Note(64, 0.0), "notes", "notes"),
    Event(20_000, 0.41, 7.0, "hits", "onset"),
    Event(20_000, 0.41, BANG, "clock", "bang"),
    Event(20_000, 0.41, np.zeros(3, np.float32), "spectrum", "column"),
]


@pytest.mark.parametrize("channels", [1, 64])
@pytest.mark.parametrize("frames", [0, 1, 24_000])
def test_any_sound_can_be_drawn(channels: int, frames: int) -> None:
    sound = np.random.default_rng(1).uniform(-1, 1, (channels, frames)).astype(np.float32)
    assert pixels(png(sound, 48_000, EVENTS if frames > 1 else ())).shape == (1080, 1920, 3)


def test_what_was_heard_is_in_the_picture() -> None:
    sound = np.zeros((1, 24_000), np.float32)
    empty = pixels(png(sound, 48_000))
    for kind in ("ears", "pitch", "notes", "hits", "vad"):
        shown = pixels(png(sound, 48_000, [event for event in EVENTS if event.node == kind]))
        assert (shown != empty).any(axis=2).mean() > 0.001, kind
    same = pixels(png(sound, 48_000, [event for event in EVENTS if event.node in ("clock", "spectrum")]))
    assert np.array_equal(same, empty), "bangs and tensors are not drawn"


def test_a_picture_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    sound = np.zeros((1, 4_800), np.float32)
    path = picture(tmp_path / "a.png", sound, 48_000, title="Silence")
    assert path.read_bytes().startswith(b"\x89PNG")
    (tmp_path / "folder").mkdir()
    for wrong in (tmp_path / "folder", tmp_path / "nowhere" / "a.png"):
        with pytest.raises(MediaError, match="cannot be written"):
            picture(wrong, sound, 48_000)
    assert sorted(item.name for item in tmp_path.rglob("*")) == ["a.png", "folder"]
