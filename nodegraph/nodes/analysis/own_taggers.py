"""Taggers of the user's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nodegraph.core import Chunks, Clip, Outlet, node, outlet
from nodegraph.nodes.analysis.mels import Floats, held, log_columns
from nodegraph.nodes.analysis.own_networks import OwnNetwork, expect
from nodegraph.nodes.analysis.taggers import SoundTagger, likeliest, logistic, softmax

if TYPE_CHECKING:
    from nodegraph.models.own_networks import Kind, Network

EMBEDDING = "embedding"


@node("tagger~", aliases=("classifier~", "fluid.mlpclassifier~", "ml.mlp"))
class OwnTagger(OwnNetwork, SoundTagger):
    """Say what is heard, with a network of your own: a small CNN, or any other.

    `file` is an ONNX file that says what it hears and which labels it knows: docs/own-networks.md shows how to make
    one. Hears the last seconds of sound, as many as the file says, every `hop` seconds. `tags` sends one label after
    another, likeliest first, at the same instant; `scores` are in the order of the labels. Where the file says
    ``logits-softmax`` they add up to 1, else each is a probability by itself. A network with a second output called
    ``embedding`` gives `embedding`, too. A network whose weights a quantum circuit made is one like any other. ONNX is
    no code: nobody has to be trusted for it.
    Shapes: clip (samples,) float32 at the file's rate, or its log-mel columns (frames, bins); scores (labels,) float32,
    0 to 1; embedding (numbers,) float32.
    Answers stand `time` (0.25 s) after the clip's end. Cost: 0.5 ms a clip of 0.5 s on one core for a CNN of 1500
    weights, most of it for the columns.
    Errors: ModelError when the file is no ONNX, has weights elsewhere, or is not what it says of itself; WorkerError
    when onnxruntime cannot run it, or it answers with what is no number.

    Source: the format is defined in docs/own-networks.md; its columns in S. B. Davis and P. Mermelstein, 1980. Weights:
    your own.
    """

    scores = outlet.tensor("probability of each label", shape=("labels",))

    hears = Clip(seconds=1.0, rate=16_000, hop_s=1.0)
    answer_s = 0.25
    runs: ClassVar[Kind] = "tagger"

    @classmethod
    def of_network(cls, network: Network) -> tuple[Clip | Chunks, dict[str, Outlet]]:
        outlets: dict[str, Outlet] = {
            "tags": outlet.event("label and probability, likeliest first"),
            "scores": outlet.tensor("probability of each label", shape=(len(network.labels),)),
        }
        if network.embedding:
            help = "what the labels were decided from: alike for alike sounds"
            outlets["embedding"] = outlet.tensor(help, shape=(network.embedding,))
        return Clip(seconds=network.samples / network.rate, rate=network.rate, hop_s=1.0), outlets

    def heard(self, clip: Floats) -> tuple[Floats, Floats]:
        network = self.network
        given = held(clip) if network.mels is None else log_columns(clip, network.mels)
        names = [network.output, *((EMBEDDING,) if network.embedding else ())]
        found = self.answers(names, {network.input: given[None]})
        expect(network.output, found[0], (1, len(network.labels)))
        if network.embedding:
            expect(EMBEDDING, found[1], (1, network.embedding))
        scores = found[0][0]
        if network.activation == "logits-softmax":
            scores = softmax(scores)
        elif network.activation == "logits-sigmoid":
            scores = logistic(scores)
        else:
            scores = np.clip(scores, np.float32(0.0), np.float32(1.0))
        return scores, found[-1][0]

    def infer(self, clip: Floats) -> dict[str, Any]:
        scores, embedding = self.heard(clip)
        said: dict[str, Any] = {"tags": likeliest(self.network.labels, scores, self.most, self.threshold)}
        return said | {"scores": scores} | ({"embedding": embedding} if self.network.embedding else {})
