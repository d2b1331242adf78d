"""Listening nodes with their real weights, one of each for a test process."""

import pytest

from nodegraph.models import Store
from nodegraph.nodes.analysis.beats import Beats
from nodegraph.nodes.analysis.crepe import CrepePitch
from nodegraph.nodes.analysis.denoise import Denoiser
from nodegraph.nodes.analysis.embeddings import SoundEffectEmbedding, VoiceEmbedding
from nodegraph.nodes.analysis.music_tags import MusicTagger
from nodegraph.nodes.analysis.notes import BasicPitchNotes
from nodegraph.nodes.analysis.pitch import SwiftPitch
from nodegraph.nodes.analysis.taggers import YamnetTagger
from nodegraph.nodes.analysis.voice import VoiceActivity
from tests.listeners.driver import Floats, read
from tests.models.weights import fetched


def loaded(node):
    store = Store()
    name = node.weights.of({}, node.spec.settings)
    fetched(store, name)
    node.load(store.files(name), "cpu")
    return node


def fresh(node):
    """The node as it is declared, whatever tests before set."""
    node.controls.clear()
    node.settings.clear()
    node.reset()
    return node


@pytest.fixture(scope="session")
def every_yamnet():
    return loaded(YamnetTagger())


@pytest.fixture(scope="session")
def every_vad():
    return loaded(VoiceActivity())


@pytest.fixture(scope="session")
def every_swift():
    return loaded(SwiftPitch())


@pytest.fixture(scope="session")
def every_notes():
    return loaded(BasicPitchNotes())


@pytest.fixture(scope="session")
def every_crepe():
    return loaded(CrepePitch())


@pytest.fixture(scope="session")
def every_music():
    return loaded(MusicTagger())


@pytest.fixture(scope="session")
def every_voice():
    return loaded(VoiceEmbedding())


@pytest.fixture(scope="session")
def every_sfx():
    return loaded(SoundEffectEmbedding())


@pytest.fixture(scope="session")
def every_beat():
    return loaded(Beats())


@pytest.fixture(scope="session")
def every_denoiser():
    return loaded(Denoiser())


@pytest.fixture
def denoiser(every_denoiser) -> Denoiser:
    return fresh(every_denoiser)


@pytest.fixture
def crepe(every_crepe) -> CrepePitch:
    return fresh(every_crepe)


@pytest.fixture
def music(every_music) -> MusicTagger:
    return fresh(every_music)


@pytest.fixture
def voice(every_voice) -> VoiceEmbedding:
    return fresh(every_voice)


@pytest.fixture
def sfx(every_sfx) -> SoundEffectEmbedding:
    return fresh(every_sfx)


@pytest.fixture
def beat(every_beat) -> Beats:
    return fresh(every_beat)


@pytest.fixture
def yamnet(every_yamnet) -> YamnetTagger:
    return fresh(every_yamnet)


@pytest.fixture
def vad(every_vad) -> VoiceActivity:
    return fresh(every_vad)


@pytest.fixture
def swift(every_swift) -> SwiftPitch:
    return fresh(every_swift)


@pytest.fixture
def notes(every_notes) -> BasicPitchNotes:
    return fresh(every_notes)


@pytest.fixture(scope="session")
def demo():
    """``demo("voice", 16_000)``: a recording of the demo's, as one channel at that rate."""
    store = Store()
    fetched(store, "demo-sound")
    files = store.files("demo-sound")

    def recording(key: str, rate: int) -> Floats:
        return read(files[key], rate)

    return recording
