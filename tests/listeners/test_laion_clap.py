"""CLAPs as LAION's own program saves them become the network that hubs publish, to the bit, and answer as theirs does.

The network is small and its weights are random: names and shapes were taken by LAION's own modules (make_laion_golden).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodegraph.core.errors import ModelError
from nodegraph.core.graph import Graph
from nodegraph.models import Store
from nodegraph.models.convert.networks import NETWORKS, TOGETHER
from nodegraph.models.manifest import shipped
from nodegraph.models.users import kinds_of
from nodegraph.nodes.analysis.clap import ClapEmbedding, ClapQuery
from nodegraph.nodes.analysis.sessions import note_in, open_session
from nodegraph.runtime.player import Player
from tests.cli.conftest import Command, nodegraph
from tests.listeners.checkpoints import Golden, random_weights
from tests.listeners.laion_layout import Arrays, as_laion, filters, save_laion, with_the_rest
from tests.listeners.sounds import random_input
from tests.listeners.test_networks import close
from tests.models.conftest import left_behind

__all__ = ["nodegraph"]

GOLDEN = Golden("laion-clap")
HUB = random_weights(GOLDEN.shapes)
STATE = with_the_rest(as_laion(HUB))
IDS: dict[str, list[int]] = json.loads(str(GOLDEN["ids"]))
ASKED = list(IDS)[:4]
SOUND = random_input((480_000,), 21) * np.float32(0.1)
PAGE = (Path(__file__).parents[2] / "docs/models.md").read_text(encoding="utf-8")
BLOCK = "audio_branch.layers.1.blocks.0"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file as LAION publishes it, alone in its folder."""
    return save_laion(tmp_path_factory.mktemp("laion") / "630k-tiny.pt", STATE)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("words") / "tokenizer.json"
    path.write_text(str(GOLDEN["tokenizer"]), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def store(checkpoint: Path, tokenizer: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    made = Store(tmp_path_factory.mktemp("store"))
    made.add(checkpoint, "mine", network="laion-clap", more={"tokenizer": tokenizer}, licence="CC0-1.0")
    return made


def test_one_file_becomes_both_networks_of_the_hub_to_the_bit(store: Store, tmp_path: Path) -> None:
    files = store.files("mine")
    assert set(files) == {"audio", "text", "tokenizer"}
    published = GOLDEN.checkpoint(tmp_path)
    columns = random_input((2, 1001, 64), 22) * np.float32(20.0) - np.float32(30.0)
    for side, given in (("audio", {"columns": columns}), ("text", {"ids": np.array([IDS["rain"]], np.int64)})):
        network = NETWORKS[f"clap-{side}"].draw(published).SerializeToString()
        assert network == files[side].read_bytes(), side
        (tmp_path / f"{side}.onnx").write_bytes(network)
        ours, theirs = (open_session(path).run(None, given)[0] for path in (files[side], tmp_path / f"{side}.onnx"))
        np.testing.assert_array_equal(ours, theirs)


def test_sounds_and_texts_are_answered_as_by_laions_own_program(store: Store) -> None:
    """From the samples on: columns, network, projection."""
    node = ClapQuery()
    node.settings = {"prompts": "\n".join(ASKED), "template": "{}"}
    node.load(store.files("mine"), "cpu")
    close(node.heard(SOUND), GOLDEN["heard"], 1e-4)
    close(node.vectors, GOLDEN["texts"])
    assert node.scale == pytest.approx(float(GOLDEN["scale"]))
    assert note_in(node.words, "longest") == 38


def test_the_node_makes_the_columns_on_which_they_were_taught(store: Store) -> None:
    seen: list[Any] = []

    class Listening:
        def run(self, wanted: list[str], given: dict[str, Any]) -> list[Any]:
            seen.append(given["columns"][0])
            return [np.zeros((1, 512), np.float32)]

    node = ClapEmbedding()
    node.load(store.files("mine"), "cpu")
    close(node.bank, GOLDEN["filters"])
    node.session = Listening()
    node.heard(SOUND)
    close(seen[0][::50], GOLDEN["columns"])


def test_layouts_of_other_training_programs_are_read_alike(store: Store, tmp_path: Path) -> None:
    """Without `module.`, and with nothing around the state."""
    from tests.listeners.random_weights import save_torch

    whole = NETWORKS["laion-clap-audio"].draw({"weights": save_laion(tmp_path / "a.pt", STATE, module="")})
    bare = NETWORKS["laion-clap-audio"].draw({"weights": save_torch(tmp_path / "b.pt", STATE)})
    for made in (whole, bare):
        assert made.SerializeToString() == store.files("mine")["audio"].read_bytes()


def test_what_is_not_drawn_may_be_absent(store: Store, tmp_path: Path) -> None:
    path = save_laion(tmp_path / "a.pt", as_laion(HUB))
    for side in ("audio", "text"):
        made = NETWORKS[f"laion-clap-{side}"].draw({"weights": path})
        assert made.SerializeToString() == store.files("mine")[side].read_bytes()


def without(pattern: str) -> Callable[[Arrays], Arrays]:
    return lambda state: {name: array for name, array in state.items() if not re.match(pattern, name)}


def put(name: str, *shape: int) -> Callable[[Arrays], Arrays]:
    return lambda state: state | {name: np.zeros(shape, np.float32)}


def deeper(state: Arrays) -> Arrays:
    """A fifth stage, which finds only 4 × 4 places."""
    table = "audio_branch.layers.{}.blocks.0.attn.relative_position_bias_table"
    return state | {table.format(4): state[table.format(3)]}


TEXT = "text_branch.embeddings"
MELS = "audio_branch.logmel_extractor.melW"
REFUSED: dict[str, tuple[Callable[[Arrays], Arrays], str]] = {
    "fusion": (put("audio_branch.patch_embed.mel_conv2d.weight", 8, 1, 4, 12), "several views.*630k-audioset-best"),
    "fusion in one dimension": (put("audio_branch.fusion_model.local_att.0.weight", 16, 64, 1), "several views"),
    "fusion by channels": (put("audio_branch.patch_embed.proj.weight", 8, 4, 4, 4), "8×4×4×4 where 8×1×4×4"),
    "another network": (lambda state: {"conv1.weight": state[MELS]}, "no CLAP as LAION publishes them"),
    "of the hub": (lambda state: dict(HUB), "no CLAP as LAION.*config.json are 'clap'"),
    "no sound": (without("audio_branch"), "sound's side is missing"),
    "PANNs": (lambda state: without("audio_branch")(state) | {"audio_branch.conv_block1.conv1.weight": state[MELS]},
              "is no HTSAT"),
    "no text": (without("text_branch"), "text's side is missing.*whole checkpoint"),
    "BERT": (put(f"{TEXT}.token_type_embeddings.weight", 2, 128), "no RoBERTa"),
    "BART": (without(rf"{TEXT}\.token_type"), "no RoBERTa"),
    "no blocks": (without(r"audio_branch\.layers"), r"it has no audio_branch\.layers\.0"),
    "a block is missing": (without(r"audio_branch\.layers\.2\.blocks\.1"), r"it has no .*layers\.2\.blocks\.1"),
    "query, key, value": (put(f"{BLOCK}.attn.qkv.weight", 32, 16), r"qkv\.weight is 32×16 where 48×16 is needed"),
    "heads": (put(f"{BLOCK}.attn.relative_position_bias_table", 225, 3), "16 numbers cannot be parted among 3 heads"),
    "windows": (put(f"{BLOCK}.attn.relative_position_bias_table", 169, 2), "169×2 where 225×2"),
    "a text of another width": (put(f"{TEXT}.word_embeddings.weight", 600, 100), "among heads of 64"),
    "no width": (put("audio_branch.patch_embed.proj.weight", 0, 1, 4, 4), "hold no numbers"),
    "no width of a text": (put(f"{TEXT}.word_embeddings.weight", 600, 0), "hold no numbers"),
    "no table": (put("audio_branch.layers.0.blocks.0.attn.relative_position_bias_table", 0, 1), "where 1×1 is needed"),
    "too many stages": (deeper, "after 5 stages a side of 4 places"),
    "one axis": (put(f"{TEXT}.word_embeddings.weight", 600), "other axes"),
    "projection": (put("text_projection.2.weight", 256, 512), "256×512 where 512×512"),
    "more than it should": (put("audio_branch.absolute_pos_embed", 1, 4096, 8), "absolute_pos_embed.*does not know"),
    "other windows": (put("audio_branch.spectrogram_extractor.stft.conv_real.weight", 769, 1, 1536), "other columns"),
    "other bands": (lambda state: state | {MELS: filters(0.0, 14_000.0)}, "64 mel bands from 50 to 14000 Hz"),
    "lower bands": (lambda state: state | {MELS: filters(50.0, 8_000.0)}, "other columns"),
    "no bands": (put(MELS, 513, 64), "other columns"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_such_clap_is_refused_with_the_reason(tmp_path: Path, name: str) -> None:
    from nodegraph.models.convert import __main__ as process

    change, said = REFUSED[name]
    path = save_laion(tmp_path / "a.pt", change(dict(STATE)))
    for side in ("audio", "text"):  # what spoils one side spoils both: no half of a model is left
        with pytest.raises(ModelError) as caught:
            process._make(f"laion-clap-{side}", tmp_path / "made.onnx", {"weights": path})
        (problem,) = caught.value.problems
        assert problem.code == "wrong-architecture" and problem.file == str(path) and problem.do
        assert re.search(said, f"{problem.what} {problem.do}"), str(problem)
    assert not (tmp_path / "made.onnx").exists()


def test_a_refused_file_leaves_nothing_in_the_store(checkpoint: Path, tokenizer: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.pt"
    cut.write_bytes(checkpoint.read_bytes()[: checkpoint.stat().st_size // 2])
    fused = save_laion(tmp_path / "fused.pt", REFUSED["fusion"][0](dict(STATE)))
    store = Store(tmp_path / "store")
    for path, code in ((cut, "damaged"), (fused, "wrong-architecture")):
        with pytest.raises(ModelError) as caught:
            store.add(path, "mine", network="laion-clap", more={"tokenizer": tokenizer})
        assert caught.value.problems[0].code == code
    assert not [item for item in store.list() if item.added] and not left_behind(store)


def test_without_a_tokenizer_it_says_what_to_bring(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        Store(tmp_path / "store").add(checkpoint, "mine", network="laion-clap")
    (problem,) = caught.value.problems
    source = next(file.source for item in shipped() if item.name == "clap-general"
                  for file in item.files if file.key == "tokenizer")  # fmt: skip
    assert problem.code == "no-tokenizer" and f"--with tokenizer={source}" in problem.do
    assert "clap-general or clap-music" in problem.do


def test_it_shares_the_tokenizer_of_a_clap_that_is_here(checkpoint: Path, tokenizer: Path, tmp_path: Path) -> None:
    from nodegraph.models.pins import pin

    store = Store(tmp_path / "store")
    for name in TOGETHER["laion-clap"].beside["tokenizer"]:
        manifest = store.info(name).manifest
        place = store.root / name / manifest.revision / "tokenizer.json"
        place.parent.mkdir(parents=True)
        place.write_bytes(tokenizer.read_bytes() if name == "clap-music" else b"{}")
        pin(manifest, store.root, {"tokenizer": place})
    (store.root / "clap-general" / store.info("clap-general").manifest.revision / "tokenizer.json").write_bytes(b"[]")
    store.add(checkpoint, "mine", network="laion-clap")
    assert store.files("mine")["tokenizer"].read_bytes() == tokenizer.read_bytes(), "an altered one is not taken"


def test_the_commands_of_its_page_do_what_it_says(
    checkpoint: Path, tokenizer: Path, store: Store, tmp_path: Path, nodegraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file and a tokenizer, a folder with both, a folder of the hub's: the same networks."""
    GOLDEN.checkpoint(tmp_path / "another-folder")
    (tmp_path / "a-folder").mkdir()
    for place in (tmp_path / "630k-audioset-best.pt", tmp_path / "a-folder/any.pt"):
        place.write_bytes(checkpoint.read_bytes())
    for folder in (tmp_path, tmp_path / "a-folder", tmp_path / "another-folder"):
        (folder / "tokenizer.json").write_bytes(tokenizer.read_bytes())
        (folder / "README.md").write_text("what else lies there is left")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NODEGRAPH_MODELS", str(tmp_path / "store"))
    commands = re.findall(r"^nodegraph (models add .*--network .*)$", PAGE, re.MULTILINE)
    assert len(commands) == 3
    wanted = {key: path.read_bytes() for key, path in store.files("mine").items()}
    for command in commands:
        said = nodegraph(*command.split())
        assert said.code == 0, said.err
        name = command.split()[command.split().index("--name") + 1]
        assert {key: path.read_bytes() for key, path in Store().files(name).items()} == wanted, command


def test_what_is_brought_beside_may_come_from_the_hub(
    checkpoint: Path, tokenizer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nodegraph.models.bring.download_from_hub", lambda *_: tokenizer)
    store, source = Store(tmp_path / "store"), "hf:somebody/something@main#tokenizer.json"
    entry = store.add(checkpoint, "mine", network="laion-clap", more={"tokenizer": source})
    assert store.files("mine")["tokenizer"].read_bytes() == tokenizer.read_bytes()
    assert source in {str(file.source) for file in entry.manifest.files} and not store.verify("mine")


def test_files_are_named_one_by_one_by_the_command(
    checkpoint: Path, tokenizer: Path, tmp_path: Path, nodegraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODEGRAPH_MODELS", str(tmp_path / "store"))
    add = ("models", "add", str(checkpoint), "--name", "mine", "--network", "laion-clap")
    assert nodegraph(*add, "--with", f"tokenizer={tokenizer}").code == 0
    (listed,) = [line for line in nodegraph("models", "list").out.splitlines() if line.startswith("mine ")]
    assert "clap.embed~, clap.query~" in listed and kinds_of(Store().info("mine").manifest) == (
        "clap.embed~",
        "clap.query~",
    )
    for wrong, said in (("tokenizer", "KEY=PATH"), ("words=a.json", "no file"), (f"words={tokenizer}", "is drawn from"),
                        (f"weights={checkpoint}", "named twice")):  # fmt: skip
        answer = nodegraph(*add, "--with", wrong)
        assert answer.code != 0 and said in answer.err, wrong


def test_of_two_files_that_could_be_the_weights_neither_is_taken(tmp_path: Path, tokenizer: Path) -> None:
    for name in ("a.pt", "b.pt"):
        (tmp_path / name).write_bytes(b"any")
    (tmp_path / "tokenizer.json").write_bytes(tokenizer.read_bytes())
    with pytest.raises(ModelError, match=r"several files could be the weights: a\.pt, b\.pt"):
        Store(tmp_path / "store").add(tmp_path, "mine", network="laion-clap")


def test_a_patch_names_it(store: Store) -> None:
    """Its own answers come from the worker, and the models that are declared are not asked for."""
    graph = Graph()
    graph.add("in~", "in", channels=1)
    graph.add("clap.query~", "ears", prompts="a dog|rain", template="{}", hop=0.5, model="mine", threshold=0.0)
    graph.add("clap.embed~", "vector", hop=0.5, model="mine")
    graph.add("out~", "out")
    for to in ("ears.x", "vector.x", "out.x"):
        graph.connect("in.y", to)
    asked: list[str] = []
    player = Player(graph.view, 48_000, weights=lambda name: asked.append(name) or store.files(name))
    said: list[Any] = []
    try:
        player.watch("ears", "tags", lambda event: said.append(event.value))
        player.render(np.zeros((player.engine.outputs, 96_000), np.float32), SOUND[None, :96_000], block=480)
    finally:
        player.close()
    assert set(asked) == {"mine"} and {tag.label for tag in said} == {"a dog", "rain"}


def test_a_model_that_is_no_clap_is_refused_by_the_node(store: Store) -> None:
    files = store.files("mine")
    for node, part in ((ClapEmbedding(), "audio"), (ClapQuery(), "text"), (ClapQuery(), "tokenizer")):
        with pytest.raises(ModelError, match=f"it has no {part}"):
            node.load({key: path for key, path in files.items() if key != part}, "cpu")


def test_a_patch_that_names_none_is_told_so_before_it_plays(
    tmp_path: Path, nodegraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODEGRAPH_MODELS", str(tmp_path / "store"))
    (tmp_path / "a.ng").write_text('{"nodegraph": 1, "nodes": {"ears": {"kind": "clap.embed~", "model": "my-clap"}}}')
    said = nodegraph("check", str(tmp_path / "a.ng"))
    assert said.code != 0 and "the store knows no model 'my-clap'" in said.out + said.err


def test_a_faster_version_is_measured_as_its_node_feeds_it(store: Store) -> None:
    version = store.optimize("mine", "int8", lambda *_: None)
    assert {item.key: item.node for item in version.figures} == {"audio": "clap.embed~", "text": "clap.query~"}
