"""Weights of one's own become a network that nodes can use, or are refused; the store is left as it was then."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from nodegraph.core.errors import ModelError
from nodegraph.models import Store
from nodegraph.nodes.analysis.sessions import open_session
from tests.cli.conftest import Command, nodegraph
from tests.models.conftest import left_behind
from tests.models.weights import fetched

__all__ = ["nodegraph"]


@pytest.fixture(scope="module")
def tiny() -> Path:
    """The weights of CREPE as they are published."""
    entry = fetched(Store(), "crepe-tiny")
    return entry.folder / "tiny.pth"


def test_a_checkpoint_is_drawn_and_answers_as_the_one_that_comes_with_us(tiny: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    entry = store.add(tiny, "mine", network="crepe", licence="MIT")
    files = store.files("mine")
    assert set(files) == {"model"} and entry.manifest.networks[0].draws == "crepe"
    frames = np.random.default_rng(1).standard_normal((2, 1024)).astype(np.float32)
    ours, theirs = (
        open_session(item.files(name)["model"]).run(None, {"frames": frames})[0]
        for item, name in ((store, "mine"), (Store(), "crepe-tiny"))
    )
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("network", ["voice-encoder", "beatnet", "sound-effects"])
def test_weights_of_another_network_are_refused(tiny: Path, tmp_path: Path, network: str) -> None:
    store = Store(tmp_path / "store")
    with pytest.raises(ModelError) as caught:
        store.add(tiny, "mine", network=network)
    assert caught.value.problems[0].code == "wrong-architecture" and network in caught.value.problems[0].what
    assert not [item for item in store.list() if item.added] and not [
        name for name in left_behind(store) if name.endswith((".pth", ".onnx"))
    ]


def test_what_is_no_checkpoint_runs_nothing(tmp_path: Path) -> None:
    class Canary:
        def __reduce__(self):  # type: ignore[no-untyped-def]
            return exec, (f"open({str(tmp_path / 'canary')!r}, 'w')",)

    (tmp_path / "evil.pt").write_bytes(pickle.dumps({"conv1.weight": Canary()}))
    (tmp_path / "text.pt").write_text("hello")
    store = Store(tmp_path / "store")
    for name in ("evil.pt", "text.pt"):
        with pytest.raises(ModelError) as caught:
            store.add(tmp_path / name, "mine", network="crepe")
        assert caught.value.problems[0].code in ("damaged", "unsafe-model")
    assert not (tmp_path / "canary").exists() and not [item for item in store.list() if item.added]


def test_what_is_missing_or_unknown_is_said(tiny: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    with pytest.raises(ModelError, match="There is no network 'creep'"):
        store.add(tiny, "mine", network="creep")
    with pytest.raises(ModelError, match="'musicnn' is drawn from index and weights"):
        store.add({"weights": tiny}, "mine", network="musicnn")
    with pytest.raises(ModelError, match="can run code"):
        store.add(tiny, "mine")


def test_what_was_drawn_goes_with_the_model(tmp_path: Path) -> None:
    """Of one file and of two: nothing is left behind."""
    entry = fetched(Store(), "musicnn-mtt")
    store = Store(tmp_path / "store")
    both = {"index": entry.folder / "musicnn.index", "weights": entry.folder / "musicnn.data-00000-of-00001"}
    store.add(both, "two", network="musicnn")
    assert list((store.root / ".derived").rglob("model.onnx"))
    store.remove("two")
    assert not list((store.root / ".derived").rglob("model.onnx"))


def test_the_command_draws_it(tiny: Path, tmp_path: Path, nodegraph: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODEGRAPH_MODELS", str(tmp_path / "store"))
    said = nodegraph("models", "add", str(tiny), "--name", "mine", "--network", "crepe", "--licence", "MIT")
    assert said.code == 0, said.err
    assert set(Store(tmp_path / "store").files("mine")) == {"model"}
