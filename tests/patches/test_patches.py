"""Every patch in patches/ can be played, sounds, and says what to listen for."""

from pathlib import Path

import numpy as np
import pytest

from nodegraph import Patch
from nodegraph.api.rendering import Rendering
from nodegraph.models import Store
from tests.models.weights import fetched

ROOT = Path(__file__).parents[2]
PATCHES = sorted((ROOT / "patches").glob("*.ng"))
MODELS = ("yamnet", "silero-vad", "swift-f0", "basic-pitch", "demo-sound")


@pytest.fixture(scope="session", autouse=True)
def models() -> Store:
    store = Store()
    for name in MODELS:
        fetched(store, name)
    return store


def test_there_are_patches_to_play() -> None:
    assert len(PATCHES) >= 6 and ROOT / "patches" / "demo.ng" in PATCHES


@pytest.mark.parametrize("path", PATCHES, ids=lambda path: path.stem)
def test_it_is_well_formed_and_says_what_to_listen_for(path: Path) -> None:
    patch = Patch.open(path)
    assert patch.check() == []
    assert patch.title and len(patch.about) > 80, "a title, and what to listen for"
    assert path.read_text(encoding="utf-8") == str(patch), "as nodegraph would save it"
    assert set(patch.document.view) == {node.id for node in patch}, "every box has its place"


@pytest.mark.parametrize("path", PATCHES, ids=lambda path: path.stem)
def test_it_sounds_and_does_not_clip(path: Path) -> None:
    patch = Patch.open(path)
    heard = None
    if any(node.kind == "in~" for node in patch):
        heard = np.random.default_rng(3).uniform(-0.3, 0.3, (1, 48_000)).astype(np.float32)
    rendering = Rendering(patch, 3.0, input=heard)
    sound = np.concatenate(list(rendering), axis=1)
    assert sound.shape == (2, 144_000)
    assert np.isfinite(sound).all()
    for channel in sound:
        assert np.sqrt(np.mean(channel * channel)) > 0.01, "louder than -40 dB on each side"
    assert np.abs(sound).max() <= 0.9, "its limiter holds it below -1 dB"
    assert rendering.status["limited"] == 0 and rendering.status["bad"] == 0, rendering.status
    assert np.abs(sound.mean(axis=1)).max() < 0.02, "no constant offset"
    assert not rendering.log or patch["speech"].kind == "print", rendering.log


def test_the_demo_hears_the_scale_and_knows_that_somebody_sings() -> None:
    made = Patch.open(ROOT / "patches" / "demo.ng").render(seconds=8.2)
    keys = 69 + 12 * np.log2(made.array("pitch.pitch") / 440)
    # the recording sings C4 D4 E4 F4 G4 A4 B4, a note a second, from 0.9 s on (see its manifest)
    middles = 0.9 + 0.45 + np.arange(7) * 1.0
    times = made.times("pitch.pitch") - 0.308
    sung = [float(np.median(keys[np.abs(times - middle) < 0.2])) for middle in middles]
    assert np.abs(np.array(sung) - [60, 62, 64, 65, 67, 69, 71]).max() < 0.6, f"within half a semitone: {sung}"
    labels = {event.label for event in made["ears.tags"]}
    assert labels & {"Singing", "Lullaby", "Chant", "Music"}, labels
    assert not labels & {"Dog", "Vehicle", "Gunshot, gunfire"}, labels


def test_the_guitar_is_written_down_and_known() -> None:
    made = Patch.open(ROOT / "patches" / "guitar.ng").render(seconds=5)
    labels = {event.label for event in made["ears.tags"]}
    assert {"Guitar", "Music"} <= labels, labels
    assert len(made["notes.notes"]) >= 5
    assert len(made["strums.onset"]) >= 3


def test_a_patch_with_listeners_renders_to_the_same_bits_each_time() -> None:
    """The listeners' answers are part of the sound: pitch moves the oscillators of the demo."""
    patch = Patch.open(ROOT / "patches" / "demo.ng")
    first, second = (patch.render(seconds=2.5, block=block) for block in (64, 333))
    assert np.array_equal(first.audio, second.audio)
    assert [(event.frame, event.value) for event in first["pitch.pitch"]] == [
        (event.frame, event.value) for event in second["pitch.pitch"]
    ]
