"""A sound, or codes, given to one half of a codec piece by piece."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from nodegraph.nodes.codecs.coding import Decoder, Encoder


def encoded(encoder: Encoder, sound: Any, cuts: list[int], stages: int) -> Any:
    """Codes of ``(channels, samples)``, in pieces of so many frames."""
    hop = encoder.hop
    parts = [encoder.encode(sound[..., a * hop : b * hop], stages)[0] for a, b in pairwise(np.cumsum([0, *cuts]))]
    return np.concatenate(parts, axis=1)


def decoded(decoder: Decoder, codes: Any, cuts: list[int]) -> Any:
    """The sound of codes ``(stages, frames)``, in pieces of so many frames."""
    return np.concatenate([decoder.decode(codes[:, a:b]) for a, b in pairwise(np.cumsum([0, *cuts]))], axis=1)
