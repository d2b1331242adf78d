"""Sounds and texts in one space: which of some descriptions fits what is heard."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any, Final

import numpy as np

from nodegraph.core import Clip, InferenceNode, Weights, inlet, node, outlet, setting
from nodegraph.core.errors import ModelError, Problem
from nodegraph.nodes.analysis.mels import Floats, columns, hann, mel_bank
from nodegraph.nodes.analysis.prompts import Prompts
from nodegraph.nodes.analysis.sessions import note_in, open_session
from nodegraph.nodes.analysis.taggers import likeliest, softmax
from nodegraph.nodes.analysis.tokens import read_tokenizer

RATE: Final = 48_000
SECONDS: Final = 10.0
FFT, HOP, BANDS = 1_024, 480, 64
LOW_HZ, HIGH_HZ = 50.0, 14_000.0
FLOOR: Final = 1e-10
AT_ONCE: Final = 4
"""New texts that are taken up with one clip: each takes some ten milliseconds."""
KEPT: Final = 256
"""Texts whose vectors are kept, should they come again."""


class ClapAudio(InferenceNode):
    """What listeners with CLAP share: its sound side."""

    seconds: Any  # a control of those that are declared
    hears = Clip(seconds=SECONDS, rate=RATE, hop_s=0.5)
    weights = Weights("clap-{learned}", own="model")
    answer_s = 0.75
    parts: tuple[str, ...] = ("audio",)
    """The files without which it is no CLAP."""

    def load(self, files: dict[str, Path], device: str) -> None:
        if missing := [part for part in self.parts if part not in files]:
            what = f"the model is no CLAP: it has no {' and no '.join(missing)}."
            do = "Name one that was added with --network laion-clap (or clap), or none in `model`."
            raise ModelError(Problem("wrong-architecture", what, do))
        self.session = open_session(files["audio"], device)
        self.window, self.bank = hann(FFT), mel_bank(BANDS, LOW_HZ, HIGH_HZ, FFT, RATE, scale="slaney", area="hz")

    def heard(self, clip: Floats) -> Floats:
        """The vector of the clip's last `seconds`, of length 1."""
        count = min(max(round(float(self.seconds) * RATE), FFT), len(clip))
        clip = clip[-count:]
        whole = np.zeros(round(SECONDS * RATE), np.float32)
        repeated = np.tile(clip, len(whole) // count)  # as often as it fits; what is left stays silent
        whole[: len(repeated)] = repeated
        power = columns(np.pad(whole, FFT // 2, mode="reflect"), self.window, HOP, FFT, self.bank, 2.0)
        seen = np.float32(10.0) * np.log10(np.maximum(power, np.float32(FLOOR)))
        found: Floats = self.session.run(["embedding"], {"columns": seen[None]})[0][0]
        return found


@node("clap.embed~", aliases=("clap.vector~",))
class ClapEmbedding(ClapAudio):
    """Describe a sound as CLAP does: 512 numbers, alike for sounds of which one would say the same.

    Hears the last 10 s every `hop` seconds, of which the last `seconds` count; a shorter sound is repeated, as the
    model was taught. Texts have vectors in the same space (`clap.query~`). Compare with `vector.distance` (cosine) or
    `vector.nearest`. `learned` chooses the model: ``general`` (all kinds of sound) or ``music``; `model` names another
    CLAP that you have added to the store.
    Shapes: clip (480_000,) float32 at 48 kHz; embedding (512,) float32, of length 1.
    Answers stand 0.75 s after the clip's end. Cost: about 0.3 s a clip on one core, `music` twice that.
    Errors: WeightsMissing when `clap-general` (or `clap-music`) is not in the model store; ModelError when the store
    has no `model` of that name, or it is no CLAP.

    Source: Y. Wu and others, "Large-Scale Contrastive Language-Audio Pretraining with Feature Fusion and
    Keyword-to-Caption Augmentation", ICASSP 2023. Weights: laion/clap-htsat-unfused and laion/larger_clap_music on the
    hub, Apache-2.0.
    """

    x = inlet.signal("sound to describe; channels are mixed to one", channels=1)
    learned = setting.choice("general", "what the model has learned from", ("general", "music"))
    model = setting.text("", "a CLAP of your own in the store, by its name, instead; empty: none")
    hop = inlet.control(0.5, "time from one answer to the next", unit="s", span=(0.1, 10.0), curve="log")
    seconds = inlet.control(10.0, "how much of the last sound counts", unit="s", span=(0.5, 10.0), curve="log")
    embedding = outlet.tensor("what kind of sound it is: alike for alike sounds", shape=(512,))

    def infer(self, clip: Floats) -> dict[str, Any]:
        return {"embedding": self.heard(clip)}


@node("clap.query~", aliases=("clap~", "clap.tag~"))
class ClapQuery(ClapAudio):
    """Ask a sound in words: which of some descriptions fits best what is heard.

    `prompts` are descriptions, one a line or between ``|``; a message to the inlet of that name asks for others, from
    the next clip on (at most four new ones a clip; the old ones hold until all are there). Each is put in the place of
    ``{}`` in `template`. `tags` says them, likeliest first, at the same instant: their probabilities add up to 1, so
    say what else it might be, too. `likeness` is the cosine between the sound and the first prompt, for one description
    by itself. At most 64 prompts of 300 letters: what is beyond is left out, and said in the log.
    Hears the last 10 s every `hop` seconds, of which the last `seconds` count; a shorter sound is repeated, as the
    model was taught. `learned` chooses the model: ``general`` (all kinds of sound) or ``music``; `model` names another
    CLAP that you have added to the store.
    Shapes: clip (480_000,) float32 at 48 kHz; scores, cosines (prompts,) float32; embedding (512,) float32.
    Answers stand 0.75 s after the clip's end. Cost: about 0.3 s a clip on one core, `music` twice that, and 50 ms for
    each new prompt.
    Errors: WeightsMissing when `clap-general` (or `clap-music`) is not in the model store; ModelError when the store
    has no `model` of that name, or it is no CLAP.

    Source: Y. Wu and others, "Large-Scale Contrastive Language-Audio Pretraining with Feature Fusion and
    Keyword-to-Caption Augmentation", ICASSP 2023. Weights: laion/clap-htsat-unfused and laion/larger_clap_music on the
    hub, Apache-2.0.
    """

    x = inlet.signal("sound to ask; channels are mixed to one", channels=1)
    asked = inlet.event("other prompts, between |")
    prompts = setting.text("speech|music|silence", "descriptions, one a line or between |")
    template = setting.text("This is a sound of {}.", "the sentence in which each prompt stands")
    learned = setting.choice("general", "what the model has learned from", ("general", "music"))
    model = setting.text("", "a CLAP of your own in the store, by its name, instead; empty: none")
    hop = inlet.control(0.5, "time from one answer to the next", unit="s", span=(0.1, 10.0), curve="log")
    seconds = inlet.control(10.0, "how much of the last sound counts", unit="s", span=(0.5, 10.0), curve="log")
    threshold = inlet.control(0.1, "least probability of a tag", span=(0.0, 1.0))
    most = inlet.control(5.0, "tags in one answer at most", span=(1.0, 64.0), curve="integer")
    tags = outlet.event("prompt and probability, likeliest first")
    likeness = outlet.event("cosine between the sound and the first prompt, -1 to 1")
    scores = outlet.tensor("probability of each prompt", shape=("prompts",))
    cosines = outlet.tensor("cosine between the sound and each prompt, -1 to 1", shape=("prompts",))
    embedding = outlet.tensor("what kind of sound it is: alike for alike sounds", shape=(512,))

    lasting = ("asked",)
    parts = ("audio", "text", "tokenizer")

    def load(self, files: dict[str, Path], device: str) -> None:
        super().load(files, device)
        self.words = open_session(files["text"], device)
        self.longest, self.scale = int(note_in(self.words, "longest")), float(note_in(self.words, "scale"))
        self.tokens = read_tokenizer(files["tokenizer"])
        self.known: OrderedDict[str, Floats] = OrderedDict()
        self.wanted = self.told(Prompts.of(self.prompts))
        if not self.wanted.texts:
            raise ModelError(Problem("no-prompts", "it has no prompts.", "Write some, one a line or between |."))
        self.labels = self.wanted.texts
        self.vectors = np.stack([self.vector(text) for text in self.labels])

    def on_asked(self, message: Any) -> None:
        prompts = Prompts.of(message)
        if prompts.texts:
            self.wanted = self.told(prompts)

    def infer(self, clip: Floats) -> dict[str, Any]:
        self.take_up()
        embedding = self.heard(clip)
        cosines = np.clip(self.vectors @ embedding, -1.0, 1.0)
        scores = softmax(self.scale * cosines)
        return {
            "tags": likeliest(self.labels, scores, self.most, self.threshold),
            "likeness": float(cosines[0]), "scores": scores, "cosines": cosines, "embedding": embedding,
        }  # fmt: skip

    def take_up(self) -> None:
        """Learn some of the prompts that are asked for; when all are known, they are in force."""
        if self.wanted.texts == self.labels:
            return
        new = [text for text in self.wanted.texts if text not in self.known]
        for text in new[:AT_ONCE]:
            self.vector(text)
        if len(new) <= AT_ONCE:
            self.labels = self.wanted.texts
            self.vectors = np.stack([self.vector(text) for text in self.labels])

    def vector(self, text: str) -> Floats:
        """A prompt as 512 numbers, of length 1."""
        found = self.known.get(text)
        if found is None:
            template = str(self.template)
            sentence = template.replace("{}", text) if "{}" in template else text
            ids = np.array([self.tokens.ids(sentence, self.longest)], np.int64)
            found = self.words.run(["embedding"], {"ids": ids})[0][0]
        self.known[text] = found
        self.known.move_to_end(text)
        while len(self.known) > KEPT:
            self.known.popitem(last=False)
        return found

    def told(self, prompts: Prompts) -> Prompts:
        """The same, with a word to the log where something was left out."""
        if prompts.left_out:
            self.log(prompts.left_out)
        return prompts
