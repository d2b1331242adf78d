"""Networks that are drawn from weights, by the names under which manifests ask for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import onnx

    from nodegraph.models.convert.drawing import Array

Files = Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class Network:
    """How one is made: a function of `networks` that draws it, and what reads its weights.

    `version` goes up with every change of what is drawn: files made before it are made anew.
    """

    place: str
    version: int
    reads: str

    @property
    def files(self) -> tuple[str, ...]:
        """The keys of the files that it is drawn from."""
        return ("index", "weights") if self.reads == "tensorflow" else ("weights",)

    def draw(self, files: Files) -> onnx.ModelProto:
        """The network with the weights in these files. Raises ModelError."""
        module, _, name = self.place.partition(":")
        draw: Callable[[Mapping[str, Array]], onnx.ModelProto]
        draw = getattr(import_module(f"{__name__}.{module}"), name)
        return draw(READERS[self.reads](files))


def _torch(files: Files) -> Mapping[str, Any]:
    from nodegraph.models.convert.torchfile import read_tensors, tensors_of

    return tensors_of(read_tensors(files["weights"]))


def _torch_model_state(files: Files) -> Mapping[str, Any]:
    """As training programs keep it: the weights under ``model_state``, beside the optimiser's."""
    from nodegraph.models.convert.torchfile import read_tensors, tensors_of

    return tensors_of(read_tensors(files["weights"])["model_state"])


def _torch_first(files: Files) -> Mapping[str, Any]:
    """The weights stand first in a list."""
    from nodegraph.models.convert.torchfile import read_tensors, tensors_of

    return tensors_of(read_tensors(files["weights"])[0])


def _tensorflow(files: Files) -> Mapping[str, Any]:
    from nodegraph.models.convert.tensorbundle import read_bundle

    return read_bundle(files["index"], files["weights"])


READERS: Final[Mapping[str, Callable[[Files], Mapping[str, Any]]]] = {
    "torch": _torch,
    "torch-model-state": _torch_model_state,
    "torch-first": _torch_first,
    "tensorflow": _tensorflow,
}
NETWORKS: Final[Mapping[str, Network]] = {
    "crepe": Network("pitch:crepe", 1, "torch"),
    "musicnn": Network("music_tags:musicnn", 1, "tensorflow"),
    "voice-encoder": Network("voices:voice_encoder", 1, "torch-model-state"),
    "sound-effects": Network("sound_effects:sound_effects", 1, "torch-first"),
    "beatnet": Network("beats:beat_activations", 1, "torch"),
}
