"""Faster versions of models: measured, used when told, undone easily; and nothing half-made when they cannot be."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import soundfile
from onnxruntime.quantization import quantize_dynamic

from nodegraph.core.errors import ModelError
from nodegraph.models import Store, making, versions
from nodegraph.models.optimize import MEAN, WORST, hearing
from nodegraph.nodes.analysis.crepe import CrepePitch
from nodegraph.providers import session_options
from tests.cli.conftest import Command, nodegraph
from tests.models.conftest import left_behind
from tests.models.nets import convolutions, matrices
from tests.models.weights import fetched

__all__ = ["nodegraph"]


def quiet(done: int, total: int | None, text: str) -> None:
    """Progress for nobody."""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with one model of the user's: matrices that gain by int8."""
    found = Store(tmp_path / "store")
    found.add(matrices(tmp_path / "big.onnx", 768, 6), "big", licence="MIT")
    return found


def with_model(store: Store, name: str) -> Store:
    """The store with a real model in it, as it was fetched."""
    folder = fetched(Store(), name).folder
    shutil.copytree(folder, store.root / name / folder.name)
    return store


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    """A folder of sounds: tones and noise, mono and stereo, and one file that is none."""
    folder = tmp_path / "sounds"
    (folder / "below").mkdir(parents=True)
    dice = np.random.default_rng(3)
    for number, hz in enumerate((110.0, 220.0, 440.0, 660.0)):
        time_s = np.arange(3 * 22_050) / 22_050
        tone = 0.3 * np.sin(2 * np.pi * hz * time_s) + 0.01 * dice.standard_normal(len(time_s))
        soundfile.write(folder / f"tone{number}.wav", tone, 22_050)
    soundfile.write(folder / "below" / "noise.flac", 0.1 * dice.standard_normal((96_000, 2)), 48_000)
    (folder / "broken.wav").write_text("no sound")
    return folder


def run(path: Path, feed: dict) -> list:
    options = session_options(path.parent)
    return onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"]).run(None, feed)


def test_a_version_is_measured_used_when_told_and_undone(store: Store) -> None:
    original = store.files("big")["model"]
    version = store.optimize("big", "int8", quiet)
    (figures,) = version.figures
    assert store.files("big")["model"] == original and not version.used, "it is not used before somebody says so"
    assert figures.is_ms < figures.was_ms and figures.heard == "noise" and not figures.node
    assert figures.is_bytes < 0.3 * figures.was_bytes

    store.use("big", "int8", anyway=True)
    files = store.files("big")
    assert files["model"] != original and files.version == "int8" and not files.note
    assert [item.used for item in store.info("big").versions] == [True]
    dice = np.random.default_rng(9)
    feeds = [{"x": dice.standard_normal((1, 768)).astype(np.float32)} for _ in range(20)]
    true = np.concatenate([run(original, feed)[0] for feed in feeds])
    off = np.abs(np.concatenate([run(files["model"], feed)[0] for feed in feeds]) - true) / np.abs(true).max()
    assert 0 < off.max() < 3 * figures.greatest and 0.3 < off.mean() / figures.mean < 3, "what was measured is so"

    store.use("big", "original")
    assert store.files("big")["model"] == original and store.files("big").version == ""
    store.use("big", "int8", anyway=True)
    store.remove("big")
    assert left_behind(store) == []


def test_what_a_model_is_fed_is_what_its_node_feeds_it(tmp_path: Path, sounds: Path) -> None:
    """Caught from `infer`: frames of CREPE have mean 0 and deviation 1, and are those of the sound."""
    store = with_model(Store(tmp_path / "store"), "crepe-tiny")
    path = store.files("crepe-tiny")["model"]
    tone = sounds / "tone1.wav"
    caught = hearing.hear(path.read_bytes(), "pitch.crepe~", {}, {"model": path}, [tone], lambda *_: None)
    node = CrepePitch()
    node.load({"model": path}, "cpu")
    fed = []
    node.session = type("Session", (), {"run": lambda self, names, feed: (fed.append(feed["frames"]),
                        onnxruntime.InferenceSession(path).run(names, feed))[1]})()  # fmt: skip
    node.reset()
    sound = hearing.read(tone, 16_000, 3.0, 1)
    assert sound is not None
    for start in range(0, 3 * 16_000 - 1023, 1024):
        node.infer(sound[0, start : start + 1024])
    assert caught.calls and len(fed) >= len(caught.calls)
    assert all(any(np.array_equal(call.feed["frames"], other) for other in fed) for call in caught.calls)
    assert type(onnxruntime.InferenceSession(path)).__name__ == "InferenceSession", "nothing listens any more"


def test_convolutions_are_scaled_by_what_they_are_fed(tmp_path: Path, sounds: Path) -> None:
    store = with_model(Store(tmp_path / "store"), "crepe-tiny")
    version = store.optimize("crepe-tiny", "static", quiet, sounds=sounds)
    (figures,) = version.figures
    assert figures.node == "pitch.crepe~" and figures.heard == "sounds" and figures.sounds == 5
    assert figures.mean < MEAN and figures.is_ms < figures.was_ms
    path = versions.found_at(store.root, versions.spot(store.info("crepe-tiny").manifest, "model", "static"))
    assert path and "QuantizeLinear" in {item.op_type for item in onnx.load(path[0]).graph.node}
    store.use("crepe-tiny", "static", anyway=True)
    node = CrepePitch()
    node.load(store.files("crepe-tiny"), "cpu")
    tone = np.sin(2 * np.pi * 440.0 * np.arange(16_384) / 16_000).astype(np.float32)
    said = [
        pitch for start in range(0, 16_384, 1024) for pitch in node.infer(tone[start : start + 1024]).get("pitch", [])
    ]
    assert said and abs(np.median([item.message for item in said]) - 440.0) < 5.0


def test_tags_are_compared_as_the_node_says_them(tmp_path: Path, sounds: Path) -> None:
    store = with_model(Store(tmp_path / "store"), "musicnn-mtt")
    (figures,) = store.optimize("musicnn-mtt", "int8", quiet, sounds=sounds).figures
    assert figures.clips >= 5 and 0 <= figures.labels_changed <= figures.clips
    assert f"top label is another one in {figures.labels_changed} of {figures.clips} clips" in " ".join(figures.lines())


def test_half_precision_is_for_a_gpu_alone(store: Store) -> None:
    (figures,) = store.optimize("big", "fp16", quiet).figures
    assert figures.greatest < 0.01 and figures.is_bytes < 0.6 * figures.was_bytes
    if figures.where == "cpu":
        with pytest.raises(ModelError, match="its speed on a GPU is not known"):
            store.use("big", "fp16")
    store.use("big", "fp16", anyway=True)
    files = store.files("big")
    assert files["model"] == store._originals("big")["model"] and set(files.on_gpu) == {"model"}


def test_a_version_that_is_no_gain_says_so_and_is_not_used_by_itself(
    tmp_path: Path, nodegraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODEGRAPH_MODELS", str(tmp_path / "store"))
    store = Store()
    store.add(matrices(tmp_path / "small.onnx", 8, 2), "small", licence="MIT")
    monkeypatch.setattr(versions, "GAIN", 1000.0)  # so that none is a gain, whatever is measured
    said = nodegraph("models", "optimize", "small", "--to", "int8", "--use")
    assert said.code == 0, said.err
    assert "no gain: it is not 1000 times as fast" in said.out and "go on with the original" in said.out
    assert "of the largest number" in said.out and "seeded noise, as no node uses it" in said.out
    refused = nodegraph("models", "use", "small", "int8")
    assert refused.code == 2 and "no gain" in refused.err and "--anyway" in refused.err
    assert nodegraph("models", "use", "small", "int8", "--anyway").code == 0
    assert "int8 in use" in nodegraph("models", "list").out
    assert "int8: in use" in nodegraph("models", "info", "small").out
    assert nodegraph("models", "use", "small", "original").code == 0
    assert "int8 in use" not in nodegraph("models", "list").out
    again = nodegraph("models", "optimize", "small", "--to", "int8")
    assert "was made before" in again.out


def test_a_version_of_another_original_or_other_tools_is_stale(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.optimize("big", "int8", quiet)
    store.use("big", "int8", anyway=True)
    with monkeypatch.context() as changed:
        changed.setattr(versions, "tools", lambda: "onnxruntime-9.9")
        assert store.files("big")["model"].name == "big.onnx"
        assert "int8 version is not used" in store.files("big").note and store.info("big").stale
    assert store.files("big").version == "int8"
    store.add(matrices(tmp_path / "big.onnx", 768, 6, seed=2), "big", licence="MIT")
    assert store.files("big")["model"].name == "big.onnx" and "int8" in store.info("big").stale[0]
    assert not store.info("big").versions


def test_one_that_is_cut_off_is_not_used(store: Store) -> None:
    store.optimize("big", "int8", quiet)
    store.use("big", "int8", anyway=True)
    path = store.files("big")["model"]
    path.write_bytes(path.read_bytes()[:-100])
    assert store.files("big")["model"].name == "big.onnx" and store.files("big").note


def test_shapes_that_an_exporter_noted_wrongly_do_no_harm(tmp_path: Path) -> None:
    path = matrices(tmp_path / "wrong.onnx", 64, 2, wrong_shapes=True)
    with pytest.raises(Exception, match=r"shape|Shape|inferred"):
        quantize_dynamic(path, tmp_path / "made.onnx")  # the control: the tool itself gives up
    store = Store(tmp_path / "store")
    store.add(path, "wrong", licence="MIT")
    assert store.optimize("wrong", "int8", quiet).figures[0].mean < MEAN


@pytest.mark.parametrize(
    ("name", "to", "words"),
    [
        ("conv", "int8", "Its convolutions take --to static"),
        ("conv", "static", "Give a folder of sounds"),
        ("big", "int4", "There is no version 'int4'"),
        ("bag", "int8", "the store knows no model 'bag'"),
    ],
)
def test_what_cannot_be_asked_is_said(store: Store, tmp_path: Path, name: str, to: str, words: str) -> None:
    store.add(convolutions(tmp_path / "conv.onnx"), "conv", licence="MIT")
    with pytest.raises(ModelError, match=words):
        store.optimize(name, to, quiet)
    with pytest.raises(ModelError, match=r"There is no version|there is no|knows no model"):
        store.use(name, to)


def test_what_is_8_bits_already_or_no_network_is_refused(tmp_path: Path) -> None:
    store = with_model(with_model(Store(tmp_path / "store"), "yamnet"), "rnnoise")
    with pytest.raises(ModelError, match="8-bit numbers already"):
        store.optimize("yamnet", "int8", quiet)
    with pytest.raises(ModelError, match="has no ONNX file"):
        store.optimize("rnnoise", "int8", quiet)


def test_sounds_that_are_not_there(store: Store, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.wav").write_bytes(b"RIFF....WAVE")
    with_model(store, "crepe-tiny")
    for folder, words in (("nowhere", "there is no folder"), ("empty", "no sound file in"), ("bad", "can be read")):
        with pytest.raises(ModelError, match=words):
            store.optimize("crepe-tiny", "static", quiet, sounds=tmp_path / folder)
    assert not [name for name in left_behind(store) if "static" in name or ".incoming" in name]


def test_a_full_disk_leaves_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    before = left_behind(store)
    with monkeypatch.context() as full:
        usage = shutil.disk_usage(store.root)
        full.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
        with pytest.raises(ModelError, match="no room in"):
            store.optimize("big", "int8", quiet)
    popen = subprocess.Popen

    def cramped(*args, **options):  # type: ignore[no-untyped-def]
        """The disk fills up while it is made: no file of the process may grow beyond 100 kB."""
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))  # noqa: E731
        return popen(*args, **options, preexec_fn=limit)

    monkeypatch.setattr(making.subprocess, "Popen", cramped)
    with pytest.raises(ModelError, match=r"cannot be written \(File too large\)|no room"):
        store.optimize("big", "int8", quiet)
    assert left_behind(store) == before


def test_two_at_once_make_it_once(store: Store) -> None:
    said: list[list[str]] = [[], []]
    found = []

    def work(number: int) -> None:
        tell = lambda done, total, text: said[number].append(text)  # noqa: E731
        found.append(Store(store.root).optimize("big", "int8", tell))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(version.fresh for version in found) == [False, True]
    assert found[0].figures == found[1].figures
    assert sum(any("waiting for another process" in text for text in texts) for texts in said) == 1


def test_cancelled_in_the_middle_nothing_is_left(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    before, made = left_behind(store), []
    popen = subprocess.Popen
    monkeypatch.setattr(making.subprocess, "Popen", lambda *a, **o: made.append(popen(*a, **o)) or made[-1])

    def cancel(done: int, total: int | None, text: str) -> None:
        if "measuring" in text:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.optimize("big", "int8", cancel)
    assert made[0].poll() is not None and left_behind(store) == before
    assert store.optimize("big", "int8", quiet).fresh


def test_killed_in_the_middle_its_process_ends_and_the_next_one_clears_up(store: Store) -> None:
    program = (
        "import sys; from nodegraph.models import Store\n"
        "Store(sys.argv[1]).optimize('big', 'int8', lambda done, total, text: print(text, flush=True))"
    )
    command = [sys.executable, "-c", program, str(store.root)]
    asker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert asker.stdout
    while "making" not in asker.stdout.readline():
        pass
    (child,) = (
        int(path.name)
        for path in Path("/proc").iterdir()
        if path.name.isdigit() and str(store.root).encode() in _words(path) and b"models.optimize" in _words(path)
    )
    asker.kill()
    asker.wait()
    end = time.monotonic() + 30
    while Path(f"/proc/{child}").exists() and _words(Path(f"/proc/{child}")):
        assert time.monotonic() < end, "it outlived whoever asked"
        time.sleep(0.05)
    store.optimize("big", "int8", quiet)
    assert not [name for name in left_behind(store) if ".incoming" in name]


def _words(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


def test_a_process_that_dies_is_told(store: Store) -> None:
    def murder(done: int, total: int | None, text: str) -> None:
        for path in Path("/proc").iterdir():
            words = _words(path) if path.name.isdigit() else b""
            if b"models.optimize" in words and str(store.root).encode() in words:
                os.kill(int(path.name), signal.SIGKILL)

    before = left_behind(store)
    with pytest.raises(ModelError, match="making it failed while"):
        store.optimize("big", "int8", murder)
    assert left_behind(store) == before


def test_the_bounds_are_what_the_figures_are_held_against() -> None:
    good = versions.Figures("model", 10, 5, WORST, MEAN, 9, "", "noise", 0, 100, 5, "cpu", 8, 2)
    assert good.complaints("int8") == []
    for bad, word in (
        (replace(good, is_ms=9.2), "times as fast"), (replace(good, greatest=0.11), "a number of it is off"),
        (replace(good, mean=0.011), "on the mean"), (replace(good, labels_changed=6), "top label"),
        (replace(good, greatest=float("inf")), "no number"), (replace(good, greatest=float("nan")), "off by"),
    ):  # fmt: skip
        assert len(bad.complaints("int8")) == 1 and word in bad.complaints("int8")[0]
