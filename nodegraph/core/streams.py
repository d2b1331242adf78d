"""Nodes whose sound a model makes while it listens: denoisers, codecs, latent models."""

from __future__ import annotations

from typing import ClassVar

from nodegraph.core.declare import InferenceNode
from nodegraph.core.listening import Chunks
from nodegraph.core.ports import setting


class StreamNode(InferenceNode):
    """A model that answers sound with sound, chunk by chunk.

    `infer` gets a chunk, float32 ``(samples,)``, or ``(channels, samples)`` where its inlet has several, and returns
    for each signal outlet float32 ``(samples,)`` or ``(channels, samples)``: as many
    samples as it heard, at the same rate. Other outlets answer as those of any `InferenceNode` do.
    What comes out stands a fixed time behind what went in, which is declared to the graph, so that paths beside it
    wait: a chunk, the time for inference (`answer_s`: at least 10 ms more than it takes; or what resamplers and
    processes need), and `delay`, the samples by which the model's own sound lags. While the model is late, or not
    there, the sound fades to silence, or to what went in (`late`), and back; misses are counted.
    """

    late = setting.choice("silence", "what is heard while the model is late", ("silence", "dry"))

    hears: ClassVar[Chunks]
    delay: ClassVar[int] = 0
    answer_s: ClassVar[float] = 0.02
