"""What transformers answers with small networks of its own, written down for tests/listeners to compare ours with.

    python -m tests.listeners.make_transformer_golden [NAME…]

It needs a Python with torch 2.13 and transformers 5.23 in it. Each network is made small from a config, saved by
transformers, given random weights under the names that it was saved with, and loaded again by transformers.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.listeners.checkpoints import write_checkpoint
from tests.listeners.make_golden import save
from tests.listeners.sounds import random_input


def main(names: list[str]) -> None:
    for name in names or list(MAKERS):
        save(name, **MAKERS[name]())


def again(model: Any) -> tuple[Any, dict[str, Any]]:
    """The same network with random weights, and what describes it in a golden file."""
    from safetensors import safe_open

    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        model.save_pretrained(folder / "made")
        config = json.loads((folder / "made/config.json").read_text())
        with safe_open(folder / "made/model.safetensors", "np") as saved:
            shapes = {key: list(saved.get_slice(key).get_shape()) for key in saved.keys()  # noqa: SIM118
                      if saved.get_slice(key).get_dtype() == "F32"}  # fmt: skip
        write_checkpoint(folder / "random", config, shapes)
        loaded, found = type(model).from_pretrained(folder / "random", output_loading_info=True)
        missing = {key for key in found["missing_keys"] if key in shapes}
        assert not missing and not found["unexpected_keys"], found
    return loaded.eval(), {"config": json.dumps(config), "shapes": json.dumps(shapes)}


def spectrogram_transformer() -> dict[str, Any]:
    import torch
    from transformers import ASTConfig, ASTFeatureExtractor, ASTForAudioClassification

    config = ASTConfig(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24,
                       num_labels=527, layer_norm_eps=1e-12)  # fmt: skip
    config.id2label = {number: f"Class {number}" for number in range(527)}
    model, told = again(ASTForAudioClassification(config))
    extract = ASTFeatureExtractor()
    sound = random_input((163_840,), 11) * np.float32(0.1)
    columns = extract(sound, sampling_rate=16_000, return_tensors="pt")["input_values"]
    raw = ASTFeatureExtractor(max_length=30, do_normalize=False)(sound[:5_000], sampling_rate=16_000)["input_values"]
    other = torch.from_numpy(random_input((2, 1024, 128), 12))
    with torch.no_grad():
        return told | {
            "columns": columns[0, ::64].numpy(), "raw": np.asarray(raw[0]), "heard": model(columns).logits[0].numpy(),
            "logits": model(other).logits.numpy(),
            "embedding": model.audio_spectrogram_transformer(other).pooler_output.numpy(),
        }  # fmt: skip


def speech(classifier: bool) -> dict[str, Any]:
    import torch
    from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2ForSequenceClassification, Wav2Vec2Model

    config = Wav2Vec2Config(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24, conv_dim=[8] * 7,
        num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4, use_weighted_layer_sum=True,
        classifier_proj_size=8, num_labels=4, mask_time_prob=0.0,
    )  # fmt: skip
    config.id2label = {0: "neu", 1: "hap", 2: "ang", 3: "sad"}
    sound = random_input((32_080,), 31) * np.float32(0.05)
    model, told = again((Wav2Vec2ForSequenceClassification if classifier else Wav2Vec2Model)(config))
    heard = Wav2Vec2FeatureExtractor()(sound, sampling_rate=16_000, return_tensors="pt")["input_values"]
    with torch.no_grad():
        if classifier:
            return told | {"heard": model(heard).logits[0].numpy()}
        return told | {"heard": model(heard).last_hidden_state[0].numpy()}


def clap() -> dict[str, Any]:
    import torch
    from transformers import ClapConfig, ClapFeatureExtractor, ClapModel

    text, ids = tiny_bpe()
    config = ClapConfig(
        text_config={"vocab_size": 600, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
                     "intermediate_size": 24, "max_position_embeddings": 40},
        audio_config={"patch_embeds_hidden_size": 4, "depths": [2, 2, 2, 2], "num_attention_heads": [1, 2, 2, 4],
                      "hidden_size": 32},
    )  # fmt: skip
    model, told = again(ClapModel(config))
    # As preprocessor_config.json of what LAION published says; the library on its own begins at 0 Hz.
    extract = ClapFeatureExtractor(truncation="rand_trunc", frequency_min=50)
    sound = random_input((480_000,), 21) * np.float32(0.1)
    short = sound[:192_000]
    heard = [extract(item, sampling_rate=48_000, return_tensors="pt")["input_features"] for item in (sound, short)]
    other = torch.from_numpy(random_input((2, 1, 1001, 64), 22) * np.float32(20.0) - np.float32(30.0))
    batches = [torch.tensor([ids[name]]) for name in TEXTS[:4]]
    with torch.no_grad():
        audio = [model.get_audio_features(item).pooler_output.numpy() for item in (heard[0], heard[1], other)]
        texts = [model.get_text_features(item).pooler_output[0].numpy() for item in batches]
        logits = [model(input_ids=item, input_features=heard[0]).logits_per_audio[0, 0].numpy() for item in batches]
    return told | {
        "columns": heard[0][0, 0, ::50].numpy(), "heard": audio[0], "heard_short": audio[1], "audio": audio[2],
        "texts": np.stack(texts), "logits": np.stack(logits), "tokenizer": text, "ids": json.dumps(ids),
    }  # fmt: skip


TEXTS: tuple[str, ...] = (
    "This is a sound of a dog.", "rain", "A woman sings quietly, far away", "drums & bass at 174 BPM!!!",
    "", " ", "  two  spaces ", "it's, they've; I'll 'quote' it'd", "Ça va? Größe, naïve café", "日本の太鼓 🥁🥁",
    "tab\there\nand a new line\n\n", "x²+½ Ⅷ 12345 3.14", "don\u2019t \u201cquote\u201d\u2026", "\u00a0no\u3000break",
    "snake_case-and-dash/slash", "a" * 40, "ending in spaces   ",
)  # fmt: skip


def sentences() -> dict[str, Any]:
    """MiniLM with its real weights, as transformers and its tokenizer run it."""
    import torch
    from tokenizers import Tokenizer
    from transformers import BertModel

    from nodegraph.models import Store

    entry = Store().fetch("minilm")
    tokenizer = Tokenizer.from_file(str(entry.folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    ids = {text: tokenizer.encode(text).ids for text in (*TEXTS, *MORE_TEXTS)}
    model = BertModel.from_pretrained(entry.folder).eval()
    found = []
    with torch.no_grad():
        for text in SENTENCES:
            mean = model(torch.tensor([ids.get(text) or tokenizer.encode(text).ids])).last_hidden_state[0].mean(0)
            found.append((mean / mean.norm()).numpy())
    return {"ids": json.dumps(ids), "sentences": json.dumps(SENTENCES), "vectors": np.stack(found)}


MORE_TEXTS = (
    "ÀÉÎõü Ångström", "hello\x00\x07world\x85again", "unbelievably antidisestablishmentarianism",
    "e=mc^2; $5 <tag> [x]", "zero\u200bwidth", "a" * 101, "[MASK] ##ing",
)  # fmt: skip
SENTENCES = ("A dog barks in the yard.", "rain", "x²+½ Ⅷ 12345 3.14", "日本の太鼓 🥁🥁", "ÀÉÎõü Ångström")


def tiny_bpe() -> tuple[str, dict[str, list[int]]]:
    """A tokenizer as RoBERTa has it, taught some words, as its file; and what it makes of `TEXTS`."""
    from tokenizers import ByteLevelBPETokenizer
    from tokenizers.processors import RobertaProcessing

    made = ByteLevelBPETokenizer()
    words = [text for text in TEXTS for _ in range(3)] + [
        "This is a sound of rain, of a dog, of drums, of a woman."
    ] * 9
    made.train_from_iterator(
        words, 600, 2, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"], show_progress=False
    )
    made.post_processor = RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False)
    return made.to_str(), {text: made.encode(text).ids for text in TEXTS}


MAKERS: dict[str, Callable[[], dict[str, Any]]] = {
    "spectrogram-transformer": spectrogram_transformer, "clap": clap,
    "minilm": sentences,
    "wav2vec2": lambda: speech(False), "wav2vec2-classifier": lambda: speech(True),
}  # fmt: skip

if __name__ == "__main__":
    main(sys.argv[1:])
