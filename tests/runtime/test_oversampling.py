"""Oversampled subpatches: good filters, whole latencies that are declared, the same bits at every block, everything
inside at the higher rate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodegraph.core.cable import Cable
from nodegraph.core.errors import PatchError
from nodegraph.core.flatten import flatten
from nodegraph.core.graph import Graph
from nodegraph.core.patchfile import load
from nodegraph.core.view import GraphView
from nodegraph.runtime.compile.crossing import crossing_frames
from nodegraph.runtime.player import Player
from tests.runtime.late_nodes import KINDS
from tests.runtime.playing import assert_same, click, render

RATE = 48_000
THROUGH: dict[str, Any] = {"x": {"kind": "inlet~"}, "y": {"kind": "outlet~"}}


def played(folder: Path, inner: dict[str, Any], cables: list[str], factor: int) -> Graph:
    """A graph in which `mic` goes through an oversampled subpatch into `out`."""
    (folder / "inner.ng").write_text(json.dumps({"nodegraph": 1, "nodes": inner, "cables": cables}))
    nodes = {
        "mic": {"kind": "in~"}, "box": {"kind": "inner.ng", "oversample": str(factor)},
        "out": {"kind": "out~", "channels": 1},
    }  # fmt: skip
    path = folder / "main.ng"
    path.write_text(json.dumps({"nodegraph": 1, "nodes": nodes, "cables": ["mic.y -> box.x", "box.y -> out.x"]}))
    return as_graph(flatten(load(path, kinds=KINDS)))


def as_graph(view: GraphView) -> Graph:
    made = Graph(KINDS)
    made._store = view._store
    return made


def noise(frames: int) -> np.ndarray:
    return np.random.default_rng(3).uniform(-0.5, 0.5, (1, frames)).astype(np.float32)


def tones(frames: int, *frequencies: float) -> np.ndarray:
    t = np.arange(frames) / RATE
    return (0.2 * np.sum([np.sin(2 * np.pi * f * t) for f in frequencies], axis=0))[None].astype(np.float32)


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_there_and_back_is_the_same_sound_later(factor: int, tmp_path: Path) -> None:
    graph = played(tmp_path, THROUGH, ["x.y -> y.x"], factor)
    late = 2 * crossing_frames(1, factor)
    player = Player(graph.view, RATE)
    assert player.timing.total == late
    player.close()
    sound = tones(8_000, 50, 997, 5_000, 11_111, 19_000)
    found = render(graph, 8_000, ins=sound, outputs=1)
    error = np.abs(found[0, 1_000:7_000] - sound[0, 1_000 - late : 7_000 - late]).max()
    assert 20 * np.log10(error) < -80, f"{20 * np.log10(error):.1f} dB"
    for block in (1, 37, 500):
        assert_same(render(graph, 8_000, ins=sound, outputs=1, block=block), found, f"blocks of {block}")


def test_a_straight_path_waits_for_it(tmp_path: Path) -> None:
    graph = played(tmp_path, THROUGH, ["x.y -> y.x"], 4)
    graph.add("*~", "minus", b=-1.0)
    graph.connect("mic.y", "minus.x")
    graph.connect("minus.y", "out.x")
    sound = tones(6_000, 100, 3_000)
    assert np.abs(render(graph, 6_000, ins=sound, outputs=1)[0, 500:]).max() < 1e-5


def aliases_db(graph: Graph, frequency: float) -> float:
    """How much of a distorted sine lies beside its harmonics, below 18 kHz."""
    frames = 1 << 15
    bin_ = round(frequency * frames / RATE)
    sound = 0.9 * np.sin(2 * np.pi * bin_ * np.arange(2 * frames) / frames)[None].astype(np.float32)
    found = render(graph, 2 * frames, ins=sound, outputs=1)[0, frames:]
    spectrum = np.abs(np.fft.rfft(found * np.blackman(frames)))
    heard = np.arange(len(spectrum)) * RATE / frames < 18_000
    harmonic = np.zeros(len(spectrum), bool)
    for k in range(0, len(spectrum), bin_):
        harmonic[max(0, k - 4) : k + 5] = True
    return float(20 * np.log10(spectrum[heard & ~harmonic].max() / spectrum.max()))


def test_distortion_folds_back_less_the_higher_the_rate(tmp_path: Path) -> None:
    inner = {**THROUGH, "bend": {"kind": "tanh~", "drive": 10.0}, "soft": {"kind": "gain~", "gain": 0.3}}
    cables = ["x.y -> bend.x", "bend.y -> soft.x", "soft.y -> y.x"]
    levels = [aliases_db(played(tmp_path, inner, cables, factor), 3_001.0) for factor in (1, 2, 4, 8)]
    assert levels[0] > -40 and levels[1] < levels[0] - 12 and levels[2] < levels[1] - 10 and levels[3] < -70, levels


@pytest.mark.parametrize("factor", [2, 8])
def test_everything_inside_runs_at_the_higher_rate(factor: int, tmp_path: Path) -> None:
    """Oscillators keep their pitch, filters their corner, delays their time."""
    inner = {
        "tone": {"kind": "sine~", "freq": 440}, "wait": {"kind": "comb~", "time": 0.01, "feedback": 0.0},
        "x": {"kind": "inlet~"}, "y": {"kind": "outlet~"},
    }  # fmt: skip
    graph = played(tmp_path, inner, ["tone.y -> wait.x", "wait.y -> y.x"], factor)
    found = render(graph, 8_000, ins=np.zeros((1, 8_000), np.float32), outputs=1)[0]
    start = 480 + crossing_frames(factor, 1)
    t = np.arange(1_000, 8_000)
    assert np.abs(found[t] - np.sin(2 * np.pi * 440 * (t - start) / RATE)).max() < 1e-3


def test_messages_and_ramps_keep_their_time(tmp_path: Path) -> None:
    inner = {**THROUGH, "level": {"kind": "param", "default": 0.0}, "g": {"kind": "gain~"}}
    graph = played(tmp_path, inner, ["x.y -> g.x", "g.y -> y.x", "level.y -> g.gain"], 4)

    def start(player: Player) -> None:
        player.messages.post(1_000, "box/level", "value", 1.0)

    sound = np.full((1, 4_000), 0.5, np.float32)
    found = render(graph, 4_000, ins=sound, outputs=1, steps=[(0, start)])[0]
    late = crossing_frames(4, 1)
    expected = 0.5 * np.clip((np.arange(4_000) - 1_000 - late) / 480.0, 0.0, 1.0)
    assert np.abs(found - expected).max() < 2e-3


def test_like_voices_inside_are_packed_and_the_same_bits(tmp_path: Path) -> None:
    inner: dict[str, Any] = {**THROUGH, "sum": {"kind": "gain~", "gain": 0.02}}
    cables = ["sum.y -> y.x"]
    for k in range(20):
        inner |= {f"o{k}": {"kind": "saw~", "freq": 80 + 7 * k}, f"f{k}": {"kind": "svf~", "cutoff": 500 + 50 * k}}
        cables += [f"o{k}.y -> f{k}.x", f"f{k}.low -> sum.x"]
    graph = played(tmp_path, inner, cables, 2)
    quiet = np.zeros((1, 3_000), np.float32)
    packed = render(graph, 3_000, ins=quiet, outputs=1)
    assert np.abs(packed).max() > 0.01
    assert_same(packed, render(graph, 3_000, ins=quiet, outputs=1, packing=False), "packed at twice the rate")


def test_a_loop_inside_runs_at_the_higher_rate(tmp_path: Path) -> None:
    inner = {**THROUGH, "sum": {"kind": "mix~"}, "back": {"kind": "gain~", "gain": 0.5}}
    cables = ["x.y -> sum.x", "sum.y -> back.x", "back.y -> sum.x", "sum.y -> y.x"]
    graph = played(tmp_path, inner, cables, 2)
    sound = noise(3_000)
    found = render(graph, 3_000, ins=sound, outputs=1)
    for block in (1, 100):
        assert_same(render(graph, 3_000, ins=sound, outputs=1, block=block), found, f"blocks of {block}")
    one = render(played(tmp_path, inner, cables, 1), 3_000, ins=sound, outputs=1)
    assert np.abs(found).max() > 0.1 and not np.allclose(found, one)


def test_late_nodes_inside_are_counted_in_frames_of_the_engine(tmp_path: Path) -> None:
    inner = {**THROUGH, "late": {"kind": "late7~"}}
    graph = played(tmp_path, inner, ["x.y -> late.x", "late.y -> y.x"], 4)
    player = Player(graph.view, RATE)
    assert player.timing.total == 2 * crossing_frames(1, 4) + 2, "7 samples at four times the rate are 2 frames at most"
    player.close()
    graph.add("*~", "minus", b=-1.0)
    graph.connect("mic.y", "minus.x")
    graph.connect("minus.y", "out.x")
    assert np.abs(render(graph, 6_000, ins=tones(6_000, 100, 3_000), outputs=1)[0, 500:]).max() < 1e-5


def test_a_loop_through_two_rates_is_refused(tmp_path: Path) -> None:
    graph = played(tmp_path, THROUGH, ["x.y -> y.x"], 2)
    graph.add("gain~", "back", gain=0.5)
    graph.lay(Cable("box/y", "y", "back", "x"))
    graph.lay(Cable("back", "y", "box/x", "x"))
    with pytest.raises(PatchError, match="different rates"):
        Player(graph.view, RATE)


def test_factors_of_patches_inside_one_another_multiply_up_to_8(tmp_path: Path) -> None:
    played(tmp_path, THROUGH, ["x.y -> y.x"], 4)
    nodes: dict[str, Any] = {**THROUGH, "box": {"kind": "inner.ng", "oversample": "2"}}
    outer = {"nodegraph": 1, "nodes": nodes, "cables": ["x.y -> box.x", "box.y -> y.x"]}
    (tmp_path / "outer.ng").write_text(json.dumps(outer))
    main = json.loads((tmp_path / "main.ng").read_text())
    main["nodes"]["box"] = {"kind": "outer.ng", "oversample": "4"}
    (tmp_path / "main.ng").write_text(json.dumps(main))
    player = Player(flatten(load(tmp_path / "main.ng", kinds=KINDS)), RATE)
    assert player.timing.total == 2 * crossing_frames(1, 8)
    player.close()
    main["nodes"]["box"]["oversample"] = "8"
    (tmp_path / "main.ng").write_text(json.dumps(main))
    with pytest.raises(PatchError, match=r"node 'box/box'.*16 times.*8 at most"):
        flatten(load(tmp_path / "main.ng", kinds=KINDS))


def test_turning_it_on_while_it_plays_does_not_click(tmp_path: Path) -> None:
    graphs = [played(tmp_path, THROUGH, ["x.y -> y.x"], factor) for factor in (1, 4)]
    steps = [
        (2_000 + 2_000 * n, lambda player, n=n: player.edit(graphs[(n + 1) % 2].view)) for n in range(6)
    ]  # fmt: skip
    sound = tones(16_000, 150.0)
    found = render(graphs[0], 16_000, ins=sound, outputs=1, steps=steps)[0]
    assert click(found[200:]) < 2e-3
