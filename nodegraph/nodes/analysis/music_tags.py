"""Tags of music."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nodegraph.core import Clip, Weights, inlet, node, outlet, setting
from nodegraph.nodes.analysis.mels import Floats, columns, hann, mel_bank
from nodegraph.nodes.analysis.sessions import open_session
from nodegraph.nodes.analysis.taggers import SoundTagger

RATE = 16_000
FFT, HOP, BANDS, FRAMES = 512, 256, 96, 187
LABELS = {
    "mtt": (
        "guitar", "classical", "slow", "techno", "strings", "drums", "electronic", "rock", "fast", "piano", "ambient",
        "beat", "violin", "vocal", "synth", "female", "indian", "opera", "male", "singing", "vocals", "no vocals",
        "harpsichord", "loud", "quiet", "flute", "woman", "male vocal", "no vocal", "pop", "soft", "sitar", "solo",
        "man", "classic", "choir", "voice", "new age", "dance", "male voice", "female vocal", "beats", "harp", "cello",
        "no voice", "weird", "country", "metal", "female voice", "choral",
    ),
    "msd": (
        "rock", "pop", "alternative", "indie", "electronic", "female vocalists", "dance", "00s", "alternative rock",
        "jazz", "beautiful", "metal", "chillout", "male vocalists", "classic rock", "soul", "indie rock", "Mellow",
        "electronica", "80s", "folk", "90s", "chill", "instrumental", "punk", "oldies", "blues", "hard rock", "ambient",
        "acoustic", "experimental", "female vocalist", "guitar", "Hip-Hop", "70s", "party", "country", "easy listening",
        "sexy", "catchy", "funk", "electro", "heavy metal", "Progressive rock", "60s", "rnb", "indie pop", "sad",
        "House", "happy",
    ),
}  # fmt: skip
"""The tags in the order of the model's answers: a list of the datasets' commonest tags, as they are spelled there."""


@node("musicnn.tag~", aliases=("musicnn", "musictag~"))
class MusicTagger(SoundTagger):
    """Tag music by genre, instruments, voice and mood: fifty tags.

    Hears the last 3.0 s every `hop` seconds. `tags` sends one label after another, likeliest first, at the same
    instant; `scores` are independent probabilities. `learned` chooses what the model has learned from: ``mtt``
    (MagnaTagATune: instruments, voices, tempo, loudness) or ``msd`` (the Million Song Dataset: genres, eras, moods).
    Shapes: clip (48_128,) float32 at 16 kHz; scores (50,) float32, 0 to 1; embedding (200,) float32.
    Answers stand 0.25 s after the clip's end. Cost: about 50 to 80 ms a clip on one core.
    Errors: WeightsMissing when `musicnn-mtt` (or `musicnn-msd`) is not in the model store.

    Source: J. Pons and X. Serra, "musicnn: Pre-trained Convolutional Neural Networks for Music Audio Tagging", ISMIR
    2019 late-breaking. Weights: musicnn 0.1.0, ISC.
    """

    learned = setting.choice("mtt", "what the model has learned from", ("mtt", "msd"))
    hop = inlet.control(1.0, "time from one answer to the next", unit="s", span=(0.2, 10.0), curve="log")
    scores = outlet.tensor("probability of each tag", shape=(50,))
    embedding = outlet.tensor("what the tags were decided from: alike for alike music", shape=(200,))

    hears = Clip(seconds=((FRAMES - 1) * HOP + FFT) / RATE, rate=RATE, hop_s=1.0)
    weights = Weights("musicnn-{learned}")
    answer_s = 0.25

    def load(self, files: dict[str, Path], device: str) -> None:
        self.session, self.labels = open_session(files["model"], device), LABELS[str(self.learned)]
        self.window, self.bank = hann(FFT), mel_bank(BANDS, 0.0, RATE / 2, FFT, RATE, scale="slaney", area="hz")

    def heard(self, clip: Floats) -> tuple[Floats, Floats]:
        heard = np.log10(10_000.0 * columns(clip, self.window, HOP, FFT, self.bank, 2.0) + 1.0)
        scores, embedding = (found[0] for found in self.session.run(["tags", "embedding"], {"columns": heard[None]}))
        return scores, embedding
