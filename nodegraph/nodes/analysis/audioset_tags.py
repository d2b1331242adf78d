"""Taggers that know AudioSet's 527 classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nodegraph.core import Clip, Weights, WorkerError, inlet, node, outlet
from nodegraph.nodes.analysis.audioset import audioset_labels, audioset_names
from nodegraph.nodes.analysis.kaldi_mels import kaldi_columns
from nodegraph.nodes.analysis.mels import Floats, hann, powers
from nodegraph.nodes.analysis.sessions import labels_in, open_session
from nodegraph.nodes.analysis.taggers import SoundTagger

RATE, WINDOW, HOP = 32_000, 1_024, 320
BEATS_RATE, BEATS_BANDS, BEATS_FRAMES = 16_000, 128, 512
BEATS_SAMPLES = (BEATS_FRAMES - 1) * 160 + 400  # so many that every column is in a patch of 16
MEAN, DEVIATION = 15.41663, 6.55582
"""Of the columns that BEATs was trained on."""
INTEGERS = 32_768.0  # its sounds had the scale of 16 bits


class Cnn14Tagger(SoundTagger):
    """What both have: a CNN14, pruned or not. Windows stand around their instants; the ends are mirrored."""

    scores = outlet.tensor("probability of each class", shape=(527,))
    embedding = outlet.tensor("what the classes were decided from: alike for alike sounds", shape=(2_048,))

    def load(self, files: dict[str, Path], device: str) -> None:
        self.session, self.labels = open_session(files["model"], device), audioset_labels()

    def heard(self, clip: Floats) -> tuple[Floats, Floats]:
        power = powers(np.pad(clip, WINDOW // 2, "reflect"), hann(WINDOW), HOP)
        scores, embedding = self.session.run(["tags", "embedding"], {"power": power[None]})
        return scores[0], embedding[0]


@node("panns.tag~", aliases=("panns~", "cnn14~"))
class PannsTagger(Cnn14Tagger):
    """Say what is heard, in the 527 classes of AudioSet, with the large CNN14.

    Hears the last 2 s every `hop` seconds. `tags` sends one label after another, likeliest first, at the same
    instant; `scores` are independent probabilities, in the order of AudioSet's list of classes.
    Shapes: clip (64_000,) float32 at 32 kHz; scores (527,) float32, 0 to 1; embedding (2_048,) float32, 0 or more.
    Answers stand 0.4 s after the clip's end. Cost: about 0.11 s a clip on one core, and 0.8 GB of memory.
    Errors: WeightsMissing when `panns-cnn14` is not in the model store.

    Source: Q. Kong and others, "PANNs: Large-Scale Pretrained Audio Neural Networks for Audio Pattern Recognition",
    IEEE/ACM TASLP 28, 2020. Weights: Zenodo 3987831, Cnn14_mAP=0.431.pth, CC BY 4.0.
    """

    hears = Clip(seconds=2.0, rate=RATE, hop_s=1.0)
    weights = Weights("panns-cnn14")
    answer_s = 0.4


@node("epanns.tag~", aliases=("epanns~",))
class EfficientPannsTagger(Cnn14Tagger):
    """Say what is heard, in the 527 classes of AudioSet, with a pruned CNN14.

    Seven tenths of the weights of `panns.tag~` are gone; in its authors' figures it is as good, and it costs half.
    Hears the last 2 s every `hop` seconds. `tags` sends one label after another, likeliest first, at the same
    instant; `scores` are independent probabilities, as the network was trained for (its authors' demonstration makes
    them add up to one instead).
    Shapes: clip (64_000,) float32 at 32 kHz; scores (527,) float32, 0 to 1; embedding (2_048,) float32, 0 or more.
    Answers stand 0.3 s after the clip's end. Cost: about 60 ms a clip on one core, and 0.4 GB of memory.
    Errors: WeightsMissing when `epanns` is not in the model store.

    Source: A. Singh, H. Liu and M. D. Plumbley, "E-PANNs: Sound Recognition Using Efficient Pre-Trained Audio Neural
    Networks", Inter-Noise 2023. Weights: Zenodo 7939403, CC BY 4.0.
    """

    hop = inlet.control(0.5, "time from one answer to the next", unit="s", span=(0.1, 10.0), curve="log")
    hears = Clip(seconds=2.0, rate=RATE, hop_s=0.5)
    weights = Weights("epanns")
    answer_s = 0.3


@node("beats.tag~", aliases=("beats.tagger~",))
class BeatsTagger(SoundTagger):
    """Say what is heard, in the 527 classes of AudioSet, with the transformer BEATs.

    Surer than `panns.tag~` in their authors' figures, and slower. It has nothing to do with the beats of music: those
    are `beat~`. Hears the last 5.135 s every `hop` seconds; it was trained on 10 s. `tags` sends one label after
    another, likeliest first, at the same instant; `scores` are independent probabilities, in the order of AudioSet's
    list of classes.
    Shapes: clip (82_160,) float32 at 16 kHz; scores (527,) float32, 0 to 1; embedding (768,) float32.
    Answers stand 1.5 s after the clip's end. Cost: 0.6 to 0.9 s a clip on one core, and 1 GB of memory.
    Errors: WeightsMissing when `beats-audioset` is not in the model store.

    Source: S. Chen and others, "BEATs: Audio Pre-Training with Acoustic Tokenizers", ICML 2023. Weights: iter3+ (AS2M),
    fine-tuned on AudioSet, second checkpoint; MIT.
    """

    hop = inlet.control(2.0, "time from one answer to the next", unit="s", span=(0.2, 10.0), curve="log")
    scores = outlet.tensor("probability of each class", shape=(527,))
    embedding = outlet.tensor("what it made of the sound: alike for alike sounds", shape=(768,))

    hears = Clip(seconds=BEATS_SAMPLES / BEATS_RATE, rate=BEATS_RATE, hop_s=2.0)
    weights = Weights("beats-audioset")
    answer_s = 1.5

    def load(self, files: dict[str, Path], device: str) -> None:
        self.session = open_session(files["model"], device)
        try:
            signs = labels_in(self.session)
        except ValueError as error:
            what = "this BEATs was not fine-tuned: it names no classes. Use it with beats.embed~."
            raise WorkerError(what) from error
        names = audioset_names()
        # The checkpoint has an order of its own; what is no class of AudioSet keeps its name, at the end.
        places = {sign: place for place, sign in enumerate(names)}
        self.order = np.argsort([places.get(sign, len(places)) for sign in signs], kind="stable")
        self.labels = [names.get(signs[place], signs[place]) for place in self.order]

    def heard(self, clip: Floats) -> tuple[Floats, Floats]:
        found, embedding = self.session.run(["tags", "embedding"], {"columns": beats_columns(clip)})
        return found[0][self.order], embedding[0]


def beats_columns(clip: Floats) -> Floats:
    """What BEATs sees of a sound at 16 kHz: (1, frames, 128)."""
    columns = kaldi_columns(clip * np.float32(INTEGERS), BEATS_RATE, BEATS_BANDS)
    return ((columns - np.float32(MEAN)) / np.float32(2.0 * DEVIATION))[None]
