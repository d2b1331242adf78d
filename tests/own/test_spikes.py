"""`spikes~` says what PyTorch says, step by step, the same to the bit however the sound comes, when the frames are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodegraph import Patch
from nodegraph.core import At, WorkerError
from nodegraph.nodes.analysis.mels import log_columns
from nodegraph.nodes.analysis.spikes import Spikes
from nodegraph.runtime.lane.streams import answer_frames
from tests.own.nets import GOLDEN, SPIKES, gather, save, told
from tests.own.sounds import RATE, Floats, scene, sound
from tests.own.test_format import changed

ANSWERS = np.load(GOLDEN / "answers.npz")
HOP, WINDOW = 256, 512
LABELS = ("a", "b", "c", "d")


def loaded(path: Path, **settings: Any) -> Any:
    """The node with the network of this file, as a worker has it."""
    given = {item.name: item.default for item in Spikes.spec.settings} | {"file": path} | settings
    node: Any = Spikes.shaped(given).cls()
    node.settings = given
    node.load({}, "cpu")
    return node


@pytest.fixture
def node() -> Any:
    return loaded(GOLDEN / "step.onnx")


def hear(node: Any, sound: Floats, *cuts: int) -> dict[str, list[tuple[int, Any]]]:
    """All that it says, by outlet, with the sample of each answer; the sound comes in pieces that end at these."""
    said: dict[str, list[tuple[int, Any]]] = {item.name: [] for item in node.spec.outlets}
    start = 0
    for end in (*cuts, len(sound)):
        for outlet, items in node.infer(sound[start:end]).items():
            assert all(isinstance(item, At) and 0.0 < item.offset_s <= (end - start) / RATE for item in items)
            said[outlet] += [(start + round(item.offset_s * RATE), item.message) for item in items]
        start = end
    return said


def same(one: Any, other: Any) -> bool:
    """Whether two runs said the same, to the bit and to the sample."""
    return one.keys() == other.keys() and all(
        len(one[name]) == len(other[name])
        and all(a[0] == b[0] and np.array_equal(a[1], b[1]) for a, b in zip(one[name], other[name], strict=True))
        for name in one
    )


def test_step_by_step_it_is_pytorch(node: Any) -> None:
    """The same columns: every spike, and each membrane to float32 rounding."""
    said: dict[str, list[Any]] = {item.name: [] for item in node.spec.outlets}
    for number, frame in enumerate(ANSWERS["frames"]):
        node._step(frame, float(number), said)
    fired = np.stack([item.message for item in said["fired"]])
    membranes = np.stack([item.message for item in said["membrane"]])
    assert np.array_equal(fired, ANSWERS["spikes"]) and 0.03 < fired.mean() < 0.6
    assert np.abs(membranes - ANSWERS["membranes"]).max() < 1e-5


def test_from_the_sound_on_it_is_pytorch(node: Any) -> None:
    heard = scene(5)
    assert np.abs(log_columns(heard, node.network.mels) - ANSWERS["frames"]).max() < 1e-3
    said = hear(node, heard)
    fired = np.stack([message for _, message in said["fired"]])
    assert np.array_equal(fired, ANSWERS["spikes"])
    assert [at for at, _ in said["fired"]] == [WINDOW + HOP * number for number in range(len(fired))]
    lists = [(at, tuple(LABELS[k] for k in np.flatnonzero(row))) for (at, row) in said["fired"] if row.any()]
    assert said["spikes"] == lists and len(lists) > 30


@pytest.mark.parametrize("size", [1, 100, 256, 320, 512, 513, 4_096])
def test_in_pieces_it_says_what_it_says_in_one(node: Any, size: int) -> None:
    heard = scene(6, 48_000 if size > 1 else 2_000)
    whole = hear(node, heard)
    node.reset()
    assert same(whole, hear(node, heard, *range(size, len(heard), size)))
    assert len(whole["fired"]) == (len(heard) - WINDOW) // HOP + 1


def test_it_begins_anew_where_the_sound_does(node: Any) -> None:
    heard = scene(7, 20_000)
    first = hear(node, heard)
    hear(node, scene(8, 9_999))
    node.reset()
    assert same(first, hear(node, heard))


def test_a_message_lets_the_membranes_begin_at_zero_and_leaves_the_frames_where_they_are(node: Any) -> None:
    heard = scene(9, 32_000)
    whole = hear(node, heard)
    node.reset()
    begun = 20_000
    before = hear(node, heard[:16_000])
    node.on_begin((begun - 16_000) / RATE)
    after = {name: [(16_000 + at, value) for at, value in items] for name, items in hear(node, heard[16_000:]).items()}
    first = next(number for number in range(200) if WINDOW + HOP * number > begun)
    states = {item.into: np.zeros(item.shape, np.float32) for item in node.network.states}
    other = loaded(GOLDEN / "step.onnx")
    frames = log_columns(heard, node.network.mels)
    for number, (at, membrane) in enumerate(before["membrane"] + after["membrane"]):
        assert at == WINDOW + HOP * number
        if number < first:
            assert np.array_equal(membrane, whole["membrane"][number][1])
            continue
        names = ["membrane", "first_after"]
        found = other.answers(names, {"frame": frames[number][None], **states})
        states = {"first": found[1], "second": found[0]}
        assert np.array_equal(membrane, found[0][0]), f"frame {number}"
    assert first > 70 and not node.begins


def test_a_message_behind_the_last_frame_of_a_piece_waits_for_the_next(node: Any) -> None:
    node.infer(scene(9, 1_000))
    node.on_begin(10 / RATE)
    node.infer(scene(9, 1_000)[:20])
    assert any(state.any() for state in node.states.values())
    assert len(node.begins) == 1 and node.begins[0] < 0
    node.infer(scene(10, 300))
    assert not node.begins


def test_rates_are_counts_within_the_window(node: Any) -> None:
    node.controls["window"] = 0.4
    said = hear(node, scene(5))
    fired = np.stack([message for _, message in said["fired"]])
    frames = round(0.4 * RATE / HOP)
    for number, (_, rates) in enumerate(said["rates"]):
        counted = fired[max(0, number + 1 - frames) : number + 1].sum(0) / (frames * HOP / RATE)
        assert np.allclose(rates, counted, rtol=1e-6) and rates.dtype == np.float32
    node.controls["window"] = 0.05
    last = [rates for _, rates in hear(node, scene(5, 4_000))["rates"]][-1]
    assert set(np.round(last * 3 * HOP / RATE, 3)) <= {0.0, 1.0, 2.0, 3.0}, "a shorter window forgets at once"


@pytest.mark.parametrize(
    ("names", "form", "wanted"),
    [
        ("labels", "list", [("low",), ("high",)]), ("numbers", "list", [(0,), (1,)]),
        ("labels", "single", ["low", "high"]), ("numbers", "single", [0, 1]),
    ],
)  # fmt: skip
def test_neurons_are_called_as_it_is_wanted(tmp_path: Path, names: str, form: str, wanted: list[Any]) -> None:
    node = loaded(save(told(gather(gain=0.2), SPIKES), tmp_path / "net.onnx"), names=names, form=form)
    for label, message in zip(("low", "high"), wanted, strict=True):
        node.reset()
        said = [value for _, value in hear(node, sound(label, 3, 16_000))["spikes"]]
        assert said and set(said) == {message}
    node.reset()
    both = hear(node, sound("low", 3, 16_000) + sound("high", 3, 16_000))["spikes"]
    if form == "single":
        assert {value for _, value in both} == set(wanted)
        assert all(isinstance(value, (int, str)) for _, value in both)
    else:
        assert {item for _, value in both for item in value} == {item for (item,) in wanted}


@pytest.mark.parametrize("rate", [16_000, 48_000, 44_100])
def test_in_a_patch_frames_stand_a_fixed_time_after_their_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rate: int
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "step.onnx").write_bytes((GOLDEN / "step.onnx").read_bytes())
    patch = Patch()
    patch.add("in~", "in", channels=1)
    patch.connect("in", patch.add("spikes~", "ears", file="step.onnx", time=0.1))
    heard = scene(5)
    if rate != RATE:
        import soxr

        heard = soxr.resample(heard, RATE, rate).astype(np.float32)
    made = patch.render(seconds=3.4, rate=rate, input=heard[None])
    late = answer_frames(cls := patch.graph.view.nodes["ears"].spec.cls, rate) + round(cls.hears.seconds * rate)
    frames = [event.frame for event in made["ears.fired"]]
    assert len(frames) >= 180
    for number, frame in enumerate(frames):
        assert abs(frame - late - (WINDOW + HOP * number) * rate / RATE) <= 1.0, f"frame {number}"
    if rate != RATE:
        return
    fired, membranes = made.array("ears.fired"), made.array("ears.membrane")
    node = loaded(GOLDEN / "step.onnx")
    alone = hear(node, scene(5))
    count = len(alone["fired"])
    assert np.array_equal(fired[:count], ANSWERS["spikes"])
    assert np.array_equal(membranes[:count], np.stack([value for _, value in alone["membrane"]]))
    lists = [(event.frame - late, event.value) for event in made["ears.spikes"]]
    assert lists[: len(alone["spikes"])] == alone["spikes"]
    whole, pieces = made, patch.render(seconds=3.4, rate=rate, input=heard[None], block=100)
    for port in ("ears.spikes", "ears.rates", "ears.membrane"):
        assert [event.frame for event in whole[port]] == [event.frame for event in pieces[port]]
        assert all(np.array_equal(a.value, b.value) for a, b in zip(whole[port], pieces[port], strict=True)), (
            "another block says something else"
        )


def test_in_a_patch_a_message_begins_it_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "step.onnx").write_bytes((GOLDEN / "step.onnx").read_bytes())
    patch = Patch()
    patch.add("in~", "in", channels=1)
    patch.connect("in", patch.add("spikes~", "ears", file="step.onnx"))
    patch.add("delay", "second", time=1.0)
    patch.connect(patch.add("loadbang"), "second", "ears.begin")
    made = patch.render(seconds=2.0, rate=RATE, input=scene(5)[None])
    node = loaded(GOLDEN / "step.onnx")
    node.on_begin(1.0)
    alone = [value for _, value in hear(node, scene(5))["membrane"]]
    membranes = made.array("ears.membrane")
    assert np.array_equal(membranes, np.stack(alone[: len(membranes)])) and len(membranes) > 100
    plain = hear(loaded(GOLDEN / "step.onnx"), scene(5))["membrane"]
    assert not np.array_equal(membranes[70], plain[70][1]), "the message has changed nothing"


def test_spikes_reach_the_nodes_for_tags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save(told(gather(), SPIKES), tmp_path / "net.onnx")
    patch = Patch()
    patch.connect(patch.add("sine~", freq=300), patch.add("spikes~", "ears", file="net.onnx", form="single"))
    patch.connect("ears.spikes", patch.add("tags.map", "map", map="low = note 40; high = note 80").x)
    made = patch.render(seconds=1)
    assert {event.value for event in made["map.y"]} == {("note", 40)}


def test_loud_and_broken_networks_go_on(tmp_path: Path) -> None:
    """Sound beyond all measure is held; a membrane that bursts is told, and begins at zero with the next sound."""
    node = loaded(GOLDEN / "step.onnx")
    for level in (1e30, np.finfo(np.float32).max, -1e30):
        hear(node, np.full(4_000, level, np.float32))
    assert all(np.isfinite(state).all() for state in node.states.values())
    wild = loaded(save(told(gather(gain=1e38), SPIKES), tmp_path / "wild.onnx"))
    for _ in range(2):
        with pytest.raises(WorkerError, match="no number"):
            wild.infer(sound("noise", 1, 4_000))
        assert not any(state.any() for state in wild.states.values())


def test_without_a_membrane_there_is_no_outlet_for_it(tmp_path: Path) -> None:
    made = gather(gain=0.2)
    for node in made.graph.node:
        node.input[:] = ["after" if name == "membrane" else name for name in node.input]
        node.output[:] = ["after" if name == "membrane" else name for name in node.output]
    made.graph.output[1].name = "after"
    found = loaded(save(told(made, changed(SPIKES, states=[["before", "after"]])), tmp_path / "net.onnx"))
    assert [item.name for item in found.spec.outlets] == ["spikes", "fired", "rates"]
    assert hear(found, sound("low", 3, 16_000))["spikes"]


def test_columns_are_what_their_definition_says() -> None:
    """Against a transform and triangles written out in float64."""
    from nodegraph.models.own_networks import Mels

    mels = Mels(RATE, 512, 400, 160, 20, 100.0, 7_000.0, "htk", "slaney", 2.0, 1e-6)
    heard = scene(3, 4_000)
    found = log_columns(heard, mels)
    assert found.shape == (mels.frames(4_000), 20) == ((4_000 - 400) // 160 + 1, 20)
    corners = np.linspace(*(2595.0 * np.log10(1.0 + hz / 700.0) for hz in (100.0, 7_000.0)), 22)
    corners = 700.0 * (10.0 ** (corners / 2595.0) - 1.0)
    window = np.sin(np.pi * np.arange(400) / 400) ** 2
    turns = np.exp(-2j * np.pi * np.outer(np.arange(257), np.arange(400)) / 512)
    for number in (0, 7, len(found) - 1):
        spectrum = np.abs(turns @ (window * heard[160 * number :][:400].astype(np.float64))) ** 2
        for band in range(20):
            low, middle, high = corners[band : band + 3]
            hz = np.arange(257) * RATE / 512
            triangle = np.clip(np.minimum((hz - low) / (middle - low), (high - hz) / (high - middle)), 0.0, None)
            wanted = np.log(max(float(triangle @ spectrum) * 2.0 / (high - low), 1e-6))
            assert abs(found[number, band] - wanted) < 2e-3, (number, band)
    assert log_columns(heard[:399], mels).shape == (0, 20)
