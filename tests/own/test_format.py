"""A network's description is compared with its graph; whatever does not fit is refused by a sentence that says what to
do, wherever the file is named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from nodegraph import Patch
from nodegraph.core import ModelError, PatchError
from nodegraph.models.onnxfile import MOST_METADATA_BYTES
from nodegraph.models.own_networks import KEY, Mels, describe, network_in, network_of
from tests.own.nets import GOLDEN, MEL, SOUND, SPIKES, TAGGER, gather, loudness, low_or_high, save, told, value
from tests.own.test_onnxfile import outside

ROOT = Path(__file__).parents[2]


def changed(description: Any, **keys: Any) -> dict[str, Any]:
    """A description with other keys; ``...`` takes one away."""
    return {key: item for key, item in {**description, **keys}.items() if item is not ...}


def mel(description: Any, **keys: Any) -> dict[str, Any]:
    return changed(description, mel=changed(description["mel"], **keys))


def with_tensor(made: Any, tensor: Any) -> Any:
    made.graph.initializer.append(tensor)
    return made


def twice(made: Any) -> Any:
    entry = made.metadata_props.add()
    entry.key, entry.value = KEY, "{}"
    return made


def extra_output(made: Any, name: str, shape: Any, of: str) -> Any:
    made.graph.node.append(helper.make_node("Identity", [of], [name]))
    made.graph.output.append(value(name, shape))
    return made


GOOD = told(low_or_high(), TAGGER).SerializeToString()
Bad = tuple[str, str, Any, str]
"""The node's kind, the problem's code, the file (bytes or a model), and words of the sentence."""
BAD: dict[str, Bad] = {
    "empty": ("tagger~", "no-onnx", b"", "no graph"),
    "text": ("tagger~", "no-onnx", b"hello, this is no network at all", "ONNX"),
    "a picture": ("tagger~", "no-onnx", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "ONNX"),
    "a zip": ("tagger~", "no-onnx", b"PK\x03\x04" + bytes(100), "ONNX"),
    "cut": ("tagger~", "no-onnx", GOOD[: len(GOOD) // 2], "cut off"),
    "of onnxruntime": ("tagger~", "no-onnx", b"\x18\0\0\0ORTM" + bytes(64), "own format"),
    "weights elsewhere": ("tagger~", "outside", with_tensor(told(low_or_high(), TAGGER), outside()), "secret.bin"),
    "an opset of tomorrow": ("tagger~", "bad-opset", told(_newer := low_or_high(), TAGGER), "opset 99"),
    "nothing said": ("tagger~", "no-description", low_or_high(), "no metadata under the key 'nodegraph'"),
    "said twice": ("tagger~", "no-description", twice(told(low_or_high(), TAGGER)), "2 metadata"),
    "no JSON": ("tagger~", "bad-description", told(low_or_high(), "kind: tagger"), "no JSON"),
    "a list": ("tagger~", "bad-description", told(low_or_high(), "[1, 2]"), "no JSON object"),
    "deep": ("tagger~", "bad-description", told(low_or_high(), "[" * 100_000), "nests too deep"),
    "huge": ("tagger~", "too-large", told(low_or_high(), " " * (MOST_METADATA_BYTES + 1)), "1,048,577 bytes"),
    "format of tomorrow": ("tagger~", "bad-description", told(low_or_high(), changed(TAGGER, format=2)), "format 2"),
    "no kind": ("tagger~", "bad-description", told(low_or_high(), changed(TAGGER, kind=...)), "at 'kind'"),
    "unknown kind": ("tagger~", "bad-description", told(low_or_high(), changed(TAGGER, kind="codec")), "'tagger'"),
    "for spikes": ("tagger~", "wrong-kind", told(gather(), SPIKES), "is one for spikes~"),
    "for a tagger": ("spikes~", "wrong-kind", told(low_or_high(), TAGGER), "is one for tagger~"),
    "no rate": ("tagger~", "bad-description", told(low_or_high(), changed(TAGGER, rate=...)), "8000 to 192000"),
    "a word for a rate": ("tagger~", "bad-description", told(low_or_high(), changed(TAGGER, rate="16k")), '"16k"'),
    "a rate that is none": ("tagger~", "bad-description", told(low_or_high(), changed(TAGGER, rate=0)), "at 'rate'"),
    "half a rate": ("tagger~", "bad-description", told(low_or_high(), changed(TAGGER, rate=16_000.5)), "whole number"),
    "true for a rate": ("tagger~", "bad-description", told(low_or_high(), changed(TAGGER, rate=True)), "true stands"),
    "another rate": ("tagger~", "wrong-shape", told(low_or_high(), changed(TAGGER, rate=22_050)), "(1, 42, 24)"),
    "no number": ("tagger~", "bad-description", told(low_or_high(), changed(TAGGER, seconds=float("nan"))), "0.02 to"),
    "misspelt": (
        "tagger~", "bad-description", told(low_or_high(), changed(TAGGER, seconds=..., second=0.5)), "wrote 'second'",
    ),
    "no labels": ("tagger~", "bad-description", told(low_or_high(), changed(TAGGER, labels=...)), "at 'labels'"),
    "too few labels": ("tagger~", "wrong-shape", told(low_or_high(), changed(TAGGER, labels=["low"])), "has 1 labels"),
    "labels that are numbers": (
        "tagger~", "bad-description", told(low_or_high(), changed(TAGGER, labels=[0, 1])), "in place 0",
    ),
    "a label twice": (
        "tagger~", "bad-description", told(low_or_high(), changed(TAGGER, labels=["a", "a"])), "twice",
    ),
    "a label of control characters": (
        "tagger~", "bad-description", told(low_or_high(), changed(TAGGER, labels=["a", "\x1b[2J"])), "in place 1",
    ),
    "unknown activation": (
        "tagger~", "bad-description", told(low_or_high(), changed(TAGGER, activation="relu")), "'logits-softmax'",
    ),
    "no mel": ("tagger~", "bad-description", told(low_or_high(), changed(TAGGER, mel=...)), "at 'mel'"),
    "window longer than n_fft": ("tagger~", "bad-description", told(low_or_high(), mel(TAGGER, window=1_024)), "512"),
    "bands upside down": ("tagger~", "bad-description", told(low_or_high(), mel(TAGGER, low_hz=7_900)), "low_hz"),
    "bands beyond half the rate": (
        "tagger~", "bad-description", told(low_or_high(), mel(TAGGER, high_hz=9_000)), "0 to 8000",
    ),
    "a scale of its own": ("tagger~", "bad-description", told(low_or_high(), mel(TAGGER, scale="bark")), "'slaney'"),
    "other bins": ("tagger~", "wrong-shape", told(low_or_high(), mel(TAGGER, bins=32)), "(1, 30, 32)"),
    "a clip shorter than a window": (
        "tagger~", "bad-description", told(low_or_high(), changed(TAGGER, seconds=0.02)), "shorter than one window",
    ),
    "bands first": (
        "tagger~", "wrong-shape", told(low_or_high(columns=(1, 24, 30)), TAGGER), "'columns' is (1, 24, 30)",
    ),
    "a picture's shape": (
        "tagger~", "wrong-shape", told(low_or_high(columns=(1, 1, 30, 24)), TAGGER), "(1, 1, 30, 24)",
    ),
    "half precision": ("tagger~", "wrong-shape", told(low_or_high(type_=10), TAGGER), "not made of float32"),
    "two outputs": (
        "tagger~", "wrong-shape", told(extra_output(low_or_high(), "more", [1, 2], "scores"), TAGGER), "'more'",
    ),
    "an embedding without a size": (
        "tagger~", "wrong-shape", told(extra_output(low_or_high(), "embedding", [1, "n"], "scores"), TAGGER), "1 to",
    ),
    "another length of sound": ("tagger~", "wrong-shape", told(loudness(samples=2_001), SOUND), "(1, 2000)"),
    "labels for other neurons": ("spikes~", "bad-description", told(gather(), changed(SPIKES, neurons=3)), "2 labels"),
    "no spikes": (
        "spikes~", "wrong-shape",
        told(gather(), changed(SPIKES, states=[["before", "membrane"], ["nothing", "spikes"]])), "'nothing'",
    ),
    "a state that does not come back": (
        "spikes~", "wrong-shape", told(gather(), changed(SPIKES, states=[["before", "after"]])), "no output",
    ),
    "a state twice": (
        "spikes~", "bad-description",
        told(gather(), changed(SPIKES, states=[["before", "membrane"], ["before", "spikes"]])), "twice",
    ),
    "states that are none": ("spikes~", "bad-description", told(gather(), changed(SPIKES, states="all")), "pairs"),
    "a state without a size": ("spikes~", "wrong-shape", told(gather(state=(1, "n")), SPIKES), "left open"),
    "a state without a shape": ("spikes~", "wrong-shape", told(gather(state=None), SPIKES), "how large"),
    "two inputs": ("spikes~", "wrong-shape", told(gather(), changed(SPIKES, states=[])), "beside its states"),
    "frames of other bins": ("spikes~", "wrong-shape", told(gather(frame=(1, 32)), SPIKES), "(1, 32)"),
    "spikes of the sound": ("spikes~", "bad-description", told(gather(), changed(SPIKES, hears="sound")), "'mel'"),
    "frames too fast": ("spikes~", "bad-description", told(gather(), mel(SPIKES, hop=8)), "0.5 ms"),
}  # fmt: skip
_newer.opset_import[0].version = 99


def content_of(made: Any) -> bytes:
    return made if isinstance(made, bytes) else made.SerializeToString()


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_by_a_sentence(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kind, code, made, words = BAD[name]
    path = tmp_path / "bad.onnx"
    path.write_bytes(content_of(made))
    with pytest.raises(ModelError) as caught:
        network_of(path, "spikes" if kind == "spikes~" else "tagger")
    (problem,) = caught.value.problems
    assert problem.code == code and words in f"{problem.what} {problem.do}", problem.describe()
    assert problem.what.endswith(".") and problem.do.endswith((".", "?")) and problem.file == str(path)
    assert len(problem.describe()) < 600 + len(str(path)) and problem.describe().isprintable()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PatchError, match="node 'ears'"):
        Patch().add(kind, "ears", file="bad.onnx")


def test_a_patch_that_names_a_bad_one_is_told_of_it_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "bad.onnx").write_bytes(content_of(BAD["too few labels"][2]))
    lines = '{"nodegraph": 1, "nodes": {\n "ears": {"kind": "tagger~",\n  "file": "bad.onnx"}}, "cables": []}'
    (tmp_path / "main.ng").write_text(lines)
    done = subprocess.run(
        [sys.executable, "-m", "nodegraph", "check", "main.ng"], cwd=tmp_path, capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    assert done.returncode == 2 and "has 1 labels" in done.stderr and "'ears'" in done.stderr, done.stderr


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        network_of(tmp_path / "missing.onnx", "tagger")
    with pytest.raises(ModelError, match="no such file"):
        network_of(tmp_path, "tagger")


def test_good_ones_say_what_is_in_them() -> None:
    found = network_in(GOOD, "tagger")
    assert found.mels == Mels(16_000, 512, 512, 256, 24, 50.0, 7_800.0, "htk", "none", 2.0, 1e-10)
    assert (found.samples, found.input, found.output, found.labels) == (8_000, "columns", "scores", ("low", "high"))
    small, step = (
        network_of(GOLDEN / f"{name}.onnx", kind) for name, kind in (("small", "tagger"), ("step", "spikes"))
    )  # type: ignore[arg-type]
    assert small.embedding == 80 and small.labels == ("low", "high", "noise") and small.licence == "CC0-1.0"
    assert [(state.into, state.out, state.shape) for state in step.states] == [
        ("first", "first_after", (1, 16)), ("second", "membrane", (1, 4)),
    ]  # fmt: skip
    assert step.membrane and step.samples == 0


def test_open_sizes_unknown_keys_and_whole_numbers_with_a_point_are_taken() -> None:
    made = low_or_high(columns=("batch", "time", 24), scores=None)
    more = changed(TAGGER, rate=16_000.0, format=1, trained={"epochs": [1, 2]}, licence="mine", source="é")
    found = network_in(told(made, more).SerializeToString(), "tagger")
    assert found.rate == 16_000 and (found.licence, found.source) == ("mine", "é")
    assert network_in(told(loudness(samples="n", embedding=True), SOUND).SerializeToString(), "tagger").embedding == 2
    assert network_in(told(gather(state=("batch", 2)), SPIKES).SerializeToString(), "spikes").states[0].shape == (1, 2)


def test_describe_writes_only_what_fits_and_brings_the_weights_into_the_file(tmp_path: Path) -> None:
    import onnx

    path = tmp_path / "net.onnx"
    made = low_or_high()
    made.metadata_props.add(key="author", value="somebody")
    onnx.save(made, str(path), save_as_external_data=True, location="net.bin", size_threshold=0)
    with pytest.raises(ModelError, match="another file"):
        network_of(path, "tagger")
    before = path.read_bytes()
    with pytest.raises(ModelError, match="has 3 labels"):
        describe(path, changed(TAGGER, labels=["a", "b", "c"]))
    assert path.read_bytes() == before
    describe(path, {**TAGGER, "labels": ["old", "older"]})
    assert describe(path, TAGGER) == network_of(path, "tagger")
    kept = {item.key: item.value for item in onnx.load(str(path)).metadata_props}
    assert kept["author"] == "somebody" and json.loads(kept[KEY])["labels"] == ["low", "high"]


def test_another_file_in_its_place_is_read_anew(tmp_path: Path) -> None:
    path = save(told(low_or_high(), TAGGER), tmp_path / "net.onnx")
    assert network_of(path, "tagger").labels == ("low", "high")
    save(told(low_or_high(), changed(TAGGER, labels=["lower", "higher"])), path)
    assert network_of(path, "tagger").labels == ("lower", "higher")


def test_names_that_a_terminal_would_obey_are_shown_as_they_are_written(tmp_path: Path) -> None:
    made = told(low_or_high(columns=(1, 2, 3)), TAGGER)
    made.graph.input[0].name = made.graph.node[0].input[0] = "\x1b[2J" + "x" * 500
    with pytest.raises(ModelError) as caught:
        network_in(made.SerializeToString(), "tagger")
    assert str(caught.value).isprintable() and len(str(caught.value)) < 600


def test_what_is_no_onnx_cannot_be_described(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"hello, this is no network")
    with pytest.raises(ModelError, match="no ONNX"):
        describe(tmp_path / "net.onnx", TAGGER)
    with pytest.raises(ModelError, match="at 'kind'"):
        describe(save(low_or_high(), tmp_path / "net.onnx"), changed(TAGGER, kind=["tagger"]))


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([TAGGER, SPIKES]), st.data())
def test_whatever_stands_in_a_description_is_taken_or_refused_by_a_sentence(good: Any, data: st.DataObject) -> None:
    keys = data.draw(
        st.lists(st.sampled_from([*good, *(f"mel.{key}" for key in MEL), "format", "licence"]), min_size=1)
    )
    description = json.loads(json.dumps(dict(good)))
    for key in keys:
        place = description.get("mel") if key.startswith("mel.") else description
        if isinstance(place, dict):
            place[key.removeprefix("mel.")] = data.draw(ODD)
    made = told(low_or_high() if good is TAGGER else gather(), description)
    try:
        network_in(made.SerializeToString(), "tagger" if good is TAGGER else "spikes")
    except ModelError as error:
        (problem,) = error.problems
        assert problem.what and problem.do and problem.describe().isprintable(), problem
