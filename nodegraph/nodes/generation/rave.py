"""RAVE: a variational autoencoder of sound, made for playing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nodegraph.core import node
from nodegraph.nodes.generation.nn import ScriptNode


@node("rave~", aliases=("RAVE",), extra="torch")
class Rave(ScriptNode):
    """Play sound through a RAVE model, which answers in the timbre of what it was trained on.

    The method ``forward`` of an export of RAVE, as `nn~` runs it; `nn~` tells of trust, settings and attributes.
    The model draws by chance while it encodes: the same `seed` and sound give the same again, live and rendered.
    Shapes: chunks (1, buffer) float32 at the model's rate.
    Latency: `buffer` (2048), `time` and `delay`.
    Errors: as `nn~`.

    Source: A. Caillon, P. Esling, "RAVE: A Variational Autoencoder for Fast and High-Quality Neural Audio Synthesis",
    2021. Models of others have licences of their own, many of them not for commercial use.
    """

    @classmethod
    def method_of(cls, settings: Mapping[str, Any]) -> str:
        return "forward"


@node("rave.encode~", aliases=("RAVEEncoder",), extra="torch")
class RaveEncoder(ScriptNode):
    """Turn sound into the latents of a RAVE model.

    The method ``encode`` of an export of RAVE, as `nn~` runs it. `latent` sends one array every 2048 samples or so (the
    model's ratio); with ``latents = signal`` there is `y` instead, which holds each, in a channel for each dimension.
    Move them about with the nodes ``latent.…``, and give them to `rave.decode~`.
    Shapes: chunks (1, buffer) float32 at the model's rate; latent (dimensions,) float32.
    Latency: `buffer` (2048), `time` and `delay`.
    Errors: as `nn~`.

    Source: A. Caillon, P. Esling, "RAVE: A Variational Autoencoder for Fast and High-Quality Neural Audio Synthesis",
    2021.
    """

    @classmethod
    def method_of(cls, settings: Mapping[str, Any]) -> str:
        return "encode"


@node("rave.decode~", aliases=("RAVEDecoder",), extra="torch")
class RaveDecoder(ScriptNode):
    """Make sound from the latents of a RAVE model.

    The method ``decode`` of an export of RAVE, as `nn~` runs it. An array at `latent` makes 2048 samples or so (the
    model's ratio), from where it came, and holds until the next one; before the first there is silence. With
    ``latents = signal`` there is `x` instead, with a channel for each dimension, of which the last of so many samples
    counts.
    Shapes: latent (dimensions,) float32; x (dimensions, buffer) float32 at the model's rate.
    Latency: `buffer` (2048), `time` and `delay`.
    Errors: as `nn~`.

    Source: A. Caillon, P. Esling, "RAVE: A Variational Autoencoder for Fast and High-Quality Neural Audio Synthesis",
    2021.
    """

    @classmethod
    def method_of(cls, settings: Mapping[str, Any]) -> str:
        return "decode"
