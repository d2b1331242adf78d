"""What LAION's own program answers with a small CLAP, written down for tests/listeners to compare ours with.

    python -m tests.listeners.make_laion_golden FOLDER

It needs a Python with torch 2.13, transformers 5.23, librosa and torchlibrosa 0.1.0. FOLDER holds the unpacked wheel of
laion_clap 1.1.7, of which only the modules of the network are imported: what else it imports (torchvision, h5py, timm)
is not there and not needed. The weights are random; those of the sound's and of the text's side are saved as
transformers saves them, and get LAION's names by `tests.listeners.laion_layout`.
"""

from __future__ import annotations

import importlib
import json
import sys
import types
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from tests.listeners.checkpoints import random_weights
from tests.listeners.laion_layout import JOINT, as_laion, with_the_rest
from tests.listeners.make_golden import save
from tests.listeners.make_transformer_golden import TEXTS, again, tiny_bpe
from tests.listeners.sounds import random_input

AUDIO: dict[str, Any] = {"embed_dim": 8, "depths": [2, 2, 4, 2], "num_heads": [1, 2, 2, 4]}
TEXT: dict[str, Any] = {
    "vocab_size": 600, "hidden_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24,
    "max_position_embeddings": 40, "layer_norm_eps": 1e-5,
}  # fmt: skip


def main(folder: str) -> None:
    import torch
    from transformers import ClapConfig, ClapModel

    audio = {"patch_embeds_hidden_size": AUDIO["embed_dim"], "depths": AUDIO["depths"],
             "num_attention_heads": AUDIO["num_heads"], "hidden_size": 8 * AUDIO["embed_dim"]}  # fmt: skip
    model, told = again(ClapModel(ClapConfig(text_config=TEXT, audio_config=audio)))
    weights = random_weights(json.loads(told["shapes"]))
    theirs = laion(Path(folder))
    state = theirs.state_dict()
    named = as_laion(weights)
    rest = {key: tuple(array.shape) for key, array in with_the_rest(named).items()}
    found = {key: tuple(tensor.shape) for key, tensor in state.items()}
    places = {key for key in found if key.startswith("text_branch.embeddings.")} - set(named)  # as the version has them
    differ = {key for key in {*rest, *found} if rest.get(key) != found.get(key)}
    assert differ <= places | {"text_branch.embeddings.position_ids"}, differ
    theirs.load_state_dict(state | {key: torch.from_numpy(np.asarray(array)) for key, array in named.items()})
    text, ids = tiny_bpe()
    sound = torch.from_numpy(random_input((1, 480_000), 21) * np.float32(0.1))
    batches = [torch.tensor([ids[name]]) for name in TEXTS[:4]]
    unit = torch.nn.functional.normalize
    with torch.no_grad():
        heard = unit(theirs.audio_projection(theirs.encode_audio({"waveform": sound}, "cpu")["embedding"]), dim=-1)
        asked = [{"input_ids": item, "attention_mask": torch.ones_like(item)} for item in batches]
        texts = [unit(theirs.encode_text(item, "cpu"), dim=-1)[0].numpy() for item in asked]
        others = [model.get_text_features(item).pooler_output[0].numpy() for item in batches]
        columns = theirs.audio_branch.logmel_extractor(theirs.audio_branch.spectrogram_extractor(sound))
        other = model.get_audio_features(columns).pooler_output.numpy()
    for ours, hub in ((heard.numpy(), other), (np.stack(texts), np.stack(others))):
        sys.stdout.write(f"LAION's and transformers' answers differ by {np.abs(ours - hub).max():.2g}\n")
    save("laion-clap", **told, heard=heard[0].numpy(), texts=np.stack(texts), columns=columns[0, 0, ::50].numpy(),
         filters=theirs.audio_branch.logmel_extractor.melW.numpy(), tokenizer=text, ids=json.dumps(ids),
         scale=theirs.get_logit_scale()[0].detach().numpy())  # fmt: skip


def laion(folder: Path) -> Any:
    """Their network, of the sizes above: their code, from the wheel, with the sizes in the place of HTSAT-tiny's."""
    import torch
    from transformers import RobertaConfig, RobertaModel

    package = types.ModuleType("clap_module")
    package.__path__ = [str(folder / "laion_clap/clap_module")]
    absent = ("torchvision", "torchvision.ops", "torchvision.ops.misc", "h5py", "clap_module.timm_model")
    strange = {name: mock.MagicMock() for name in absent}
    with mock.patch.dict(sys.modules, {"clap_module": package, **strange}):
        model, htsat = (importlib.import_module(f"clap_module.{name}") for name in ("model", "htsat"))

        def create(config: Any, fusion: bool, kind: str) -> Any:
            return htsat.HTSAT_Swin_Transformer(
                spec_size=256, patch_size=4, patch_stride=(4, 4), num_classes=config.class_num, window_size=8,
                config=config, enable_fusion=fusion, fusion_type=kind, **AUDIO,
            )  # fmt: skip

        roberta = mock.Mock()
        roberta.from_pretrained = lambda name: RobertaModel(RobertaConfig(**TEXT, type_vocab_size=1))
        sizes = {"audio_length": 1024, "clip_samples": 480_000, "mel_bins": 64, "sample_rate": 48_000,
                 "window_size": 1024, "hop_size": 480, "fmin": 50, "fmax": 14_000, "class_num": 527,
                 "model_type": "HTSAT", "model_name": "tiny"}  # fmt: skip
        text = model.CLAPTextCfg(
            context_length=77, vocab_size=49_408, width=512, heads=8, layers=12, model_type="roberta"
        )
        with mock.patch.multiple(model, create_htsat_model=create, RobertaModel=roberta):
            made = model.CLAP(8 * AUDIO["embed_dim"], sizes, text)
    made.text_projection[0] = torch.nn.Linear(TEXT["hidden_size"], JOINT)  # theirs is for the 768 of roberta-base
    return made.eval()


if __name__ == "__main__":
    main(*sys.argv[1:])
