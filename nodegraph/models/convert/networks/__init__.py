"""Networks that are drawn from weights, by the names under which manifests ask for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import onnx

Files = Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class Network:
    """How one is made: a function of `networks` that draws it, and what reads its weights.

    `version` goes up with every change of what is drawn: files made before it are made anew. The function gets the
    weights by their names, and the settings beside them where the format has some (``hub``: a config.json).
    """

    place: str
    version: int
    reads: str

    @property
    def files(self) -> tuple[str, ...]:
        """The keys of the files that it is drawn from."""
        return INGREDIENTS.get(self.reads, ("weights",))

    def draw(self, files: Files) -> onnx.ModelProto:
        """The network with the weights in these files. Raises ModelError."""
        module, _, name = self.place.partition(":")
        draw: Callable[..., onnx.ModelProto]
        draw = getattr(import_module(f"{__name__}.{module}"), name)
        return draw(*READERS[self.reads](files))


def _torch(files: Files) -> tuple[Mapping[str, Any]]:
    from nodegraph.models.convert.torchfile import read_tensors, tensors_of

    return (tensors_of(read_tensors(files["weights"])),)


def _torch_model_state(files: Files) -> tuple[Mapping[str, Any]]:
    """As training programs keep it: the weights under ``model_state``, beside the optimiser's."""
    from nodegraph.models.convert.torchfile import read_tensors, tensors_of

    return (tensors_of(read_tensors(files["weights"])["model_state"]),)


def _torch_model(files: Files) -> tuple[Mapping[str, Any]]:
    """The weights stand under ``model``, or are all that there is."""
    from nodegraph.models.convert.torchfile import read_tensors, tensors_of

    found = read_tensors(files["weights"])
    return (tensors_of(found["model"] if isinstance(found, dict) and "model" in found else found),)


def _torch_settings(files: Files) -> tuple[Mapping[str, Any], Mapping[str, Any], Mapping[Any, Any]]:
    """The weights stand under ``model``, their network's settings under ``cfg``, names of classes under
    ``label_dict``, if there are any."""
    from nodegraph.models.convert.torchfile import read_tensors, tensors_of

    found = read_tensors(files["weights"])
    return tensors_of(found["model"]), dict(found["cfg"]), dict(found.get("label_dict", {}))


def _torch_first(files: Files) -> tuple[Mapping[str, Any]]:
    """The weights stand first in a list."""
    from nodegraph.models.convert.torchfile import read_tensors, tensors_of

    return (tensors_of(read_tensors(files["weights"])[0]),)


def _tensorflow(files: Files) -> tuple[Mapping[str, Any]]:
    from nodegraph.models.convert.tensorbundle import read_bundle

    return (read_bundle(files["index"], files["weights"]),)


def _hub(files: Files) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """As models of transformers and diffusers are published: weights, and config.json beside them."""
    from nodegraph.models.convert.hubfile import read_config, read_weights

    return read_weights(files["weights"]), read_config(files["config"])


def _laion_clap(files: Files) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """As LAION publishes CLAP: both sides in one file, and no settings."""
    from nodegraph.models.convert.laion_clap import read_laion_clap

    return read_laion_clap(files["weights"])


def _hub_before_vocoder(files: Files) -> tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]]:
    """What makes columns for a vocoder: how many bands they have, and how long each is, the vocoder's settings say."""
    from nodegraph.models.convert.hubfile import read_config

    return (*_hub(files), read_config(files["vocoder-config"]))


def _hub_vocoder(files: Files) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """A vocoder that stands beside another model, in a folder of its own."""
    return _hub({"weights": files["vocoder-weights"], "config": files["vocoder-config"]})


INGREDIENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "tensorflow": ("index", "weights"),
    "hub": ("config", "weights"),
    "hub-before-vocoder": ("config", "weights", "vocoder-config"),
    "hub-vocoder": ("vocoder-config", "vocoder-weights"),
}
READERS: Final[Mapping[str, Callable[[Files], tuple[Any, ...]]]] = {
    "torch": _torch,
    "torch-model-state": _torch_model_state,
    "torch-model": _torch_model,
    "torch-settings": _torch_settings,
    "torch-first": _torch_first,
    "tensorflow": _tensorflow,
    "hub": _hub,
    "laion-clap": _laion_clap,
    "hub-before-vocoder": _hub_before_vocoder,
    "hub-vocoder": _hub_vocoder,
}
NETWORKS: Final[Mapping[str, Network]] = {
    "crepe": Network("pitch:crepe", 1, "torch"),
    "musicnn": Network("music_tags:musicnn", 1, "tensorflow"),
    "voice-encoder": Network("voices:voice_encoder", 1, "torch-model-state"),
    "sound-effects": Network("sound_effects:sound_effects", 1, "torch-first"),
    "beatnet": Network("beats:beat_activations", 1, "torch"),
    "encodec-encoder": Network("encodec:encodec_encoder", 1, "hub"),
    "encodec-decoder": Network("encodec:encodec_decoder", 1, "hub"),
    "dac-encoder": Network("snakes:dac_encoder", 1, "hub"),
    "dac-decoder": Network("snakes:dac_decoder", 1, "hub"),
    "oobleck-encoder": Network("snakes:oobleck_encoder", 1, "hub"),
    "oobleck-decoder": Network("snakes:oobleck_decoder", 1, "hub"),
    "audioldm-encoder": Network("autoencoder_kl:audioldm_encoder", 1, "hub-before-vocoder"),
    "audioldm-decoder": Network("autoencoder_kl:audioldm_decoder", 1, "hub-before-vocoder"),
    "audioldm-vocoder": Network("hifigan:hifigan", 1, "hub-vocoder"),
    "cnn14": Network("audioset_cnn:cnn14", 1, "torch-model"),
    "openl3": Network("openl3:openl3", 1, "torch"),
    "beats": Network("audio_transformers:beats", 1, "torch-settings"),
    "spectrogram-transformer": Network("spectrogram_transformer:spectrogram_transformer", 1, "hub"),
    "clap-audio": Network("clap:clap_audio", 1, "hub"),
    "clap-text": Network("clap:clap_text", 1, "hub"),
    "laion-clap-audio": Network("clap:clap_audio", 1, "laion-clap"),
    "laion-clap-text": Network("clap:clap_text", 1, "laion-clap"),
    "sentence-encoder": Network("sentences:sentence_encoder", 1, "hub"),
    "wav2vec2": Network("wav2vec2:wav2vec2", 1, "hub"),
    "wav2vec2-classifier": Network("wav2vec2:wav2vec2_classifier", 1, "hub"),
}


@dataclass(frozen=True, slots=True)
class Together:
    """Networks that belong together, drawn from the same files, and what the node needs beside them.

    `networks`: by the keys under which a node gets them. `beside`: keys of files that the node gets as they are, and
    the models of the store that have the same file, should nobody bring one.
    """

    networks: Mapping[str, str]
    beside: Mapping[str, tuple[str, ...]]

    @property
    def files(self) -> tuple[str, ...]:
        """The keys of the files that they are drawn from."""
        return tuple(dict.fromkeys(key for name in self.networks.values() for key in NETWORKS[name].files))


_ROBERTA: Final = {"tokenizer": ("clap-general", "clap-music")}
TOGETHER: Final[Mapping[str, Together]] = {
    "clap": Together({"audio": "clap-audio", "text": "clap-text"}, _ROBERTA),
    "laion-clap": Together({"audio": "laion-clap-audio", "text": "laion-clap-text"}, _ROBERTA),
}
