"""Another version of a node takes the old one's place while it plays: memories stay where they fit, nothing clicks, and
what was not touched keeps every bit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodegraph.core.graph import Graph
from nodegraph.core.ownfiles import own_file
from nodegraph.core.spec import NodeSpec
from nodegraph.core.view import NodeEntry
from nodegraph.runtime import carrying
from nodegraph.runtime.player import Player
from nodegraph.usernodes.loading import load
from tests.runtime.editing import SMOOTH, two_paths
from tests.runtime.playing import assert_same, click
from tests.usernodes.files import COUNT, ECHO, TONE, WOBBLE, write

EDIT = 9_600
FADED = EDIT + 1_200
"""After the fade, and the stage that follows it."""


@pytest.fixture
def version(tmp_path: Path) -> Callable[[str], NodeSpec]:
    """Loads a version of the one file ``mine.py``."""

    def loaded(text: str) -> NodeSpec:
        write(tmp_path / "mine.py", text)
        return replace(load(own_file(tmp_path, "mine.py")), kind="mine.py")

    return loaded


def put(graph: Graph, id: str, spec: NodeSpec, **params: Any) -> None:
    """A node of one's own, or another version of it."""
    entry = graph.nodes.get(id)
    if entry is None:
        graph.put(NodeEntry(id, spec.kind, params, {}, spec))
    else:
        graph._store.nodes[id] = replace(entry, spec=spec)


def tones(spec: NodeSpec, count: int = 1, **params: Any) -> Graph:
    """An untouched path on output 1, and nodes of one's own on output 2."""
    graph = two_paths()
    for id in [id for id in graph.nodes if id.startswith("tone")]:
        graph.remove(id)
    graph._store.nodes["open"] = replace(graph.node("open"), params={"gain": 1.0})
    for k in range(count):
        put(graph, f"mine{k}", spec, **({"freq": 80.0 + 20 * k} | params))
        graph.connect(f"mine{k}.y", "open.x")
    return graph


def played(graph: Graph, edit: Callable[[], None] | None, frames: int = 24_000, block: int = 64) -> np.ndarray:
    player = Player(graph.view, 48_000)
    out = np.zeros((2, frames), np.float32)
    player.render(out[:, :EDIT], block=block)
    if edit is not None:
        edit()
        player.edit(graph.view)
    player.render(out[:, EDIT:], block=block)
    player.close()
    return out


@pytest.mark.parametrize("count", [1, 3, 20])
def test_the_same_code_again_goes_on_as_if_nothing_had_been(version: Callable[[str], NodeSpec], count: int) -> None:
    """Alone and packed: after the fade every bit is what it would have been."""
    before, after = version(TONE), version(TONE + "\n# saved again\n")
    plain = played(tones(before, count), None)
    graph = tones(before, count)
    edited = played(graph, lambda: [put(graph, f"mine{k}", after) for k in range(count)] and None)
    assert_same(edited[:1], plain[:1], "the untouched path")
    assert np.abs(edited[1] - plain[1]).max() < 1e-6, "both sound the same while they fade"
    assert_same(edited[:, FADED:], plain[:, FADED:], "after the fade")


def test_another_sound_comes_without_a_click_from_where_the_old_one_was(version: Callable[[str], NodeSpec]) -> None:
    louder = version(TONE.replace("0.02 *", "0.05 *"))
    graph = tones(version(TONE))
    plain = played(tones(louder), None)
    edited = played(graph, lambda: put(graph, "mine0", louder))
    assert click(edited[1]) < SMOOTH
    assert_same(edited[1:, FADED:], plain[1:, FADED:], "the angle went over")


@pytest.mark.parametrize(
    "change", [("angle", "place"), ("memory(0)", 'memory(0, "i64")')], ids=str
)  # fmt: skip
def test_a_memory_of_another_name_or_type_begins_anew_and_fades(
    version: Callable[[str], NodeSpec], change: tuple[str, str]
) -> None:
    text = TONE.replace(*change)
    if change[0] == "memory(0)":
        text = text.replace("signed(angle)", "signed(u32(angle))")
        text = text.replace("angle + u32(step)", "i64(u32(angle) + u32(step))")
    other = version(text)
    graph = tones(version(TONE))
    edited = played(graph, lambda: put(graph, "mine0", other))
    assert click(edited[1]) < SMOOTH
    fresh = played(tones(other), None)
    assert np.abs(edited[1, FADED:] - fresh[1, FADED - EDIT : -EDIT]).max() < 2e-3, "as one that began at the edit"


def test_memories_go_over_one_by_one(version: Callable[[str], NodeSpec]) -> None:
    text = TONE.replace("angle = memory(0)\n", "angle = memory(0)\n    beats = memory(0.0)\n").replace(
        "tick(step, angle)", "tick(step, angle, beats)").replace(
        "angle + u32(step)", "angle + u32(step), beats + 1.0").replace(
        "0.02 *", "0.02 * min(beats / 4800.0, 1.0) *")  # fmt: skip
    graph = tones(version(TONE))
    after = version(text)
    edited = played(graph, lambda: put(graph, "mine0", after))
    plain = played(tones(version(TONE)), None)
    assert click(edited[1]) < SMOOTH
    end = slice(EDIT + 4_800 + 480, None)
    assert_same(edited[1:, end], plain[1:, end], "the angle went over, and the new memory began at 0")


def test_a_control_that_was_moved_keeps_its_value(version: Callable[[str], NodeSpec]) -> None:
    before, after = version(TONE), version(TONE + "#")
    graph = tones(before)
    player = Player(graph.view, 48_000)
    player.set("mine0", "freq", 150.0)
    out = np.zeros((2, 24_000), np.float32)
    player.render(out[:, :EDIT])
    put(graph, "mine0", after)
    player.edit(graph.view)
    player.render(out[:, EDIT:])
    player.close()
    late = out[1, FADED:]
    spectrum = np.abs(np.fft.rfft(late * np.hanning(len(late))))
    assert abs(np.argmax(spectrum) * 48_000 / len(late) - 150.0) < 4.0


def echoes(spec: NodeSpec, **params: Any) -> Graph:
    graph = Graph()
    graph.add("out~", "out")
    graph.add("sine~", "source", freq=100)
    graph.add("gain~", "soft", gain=0.005)
    graph.add("gain~", "loud", gain=1.0)
    put(graph, "mine", spec, **params)
    graph.connect("source.y", "soft.x")
    graph.connect("soft.y", "mine.x")
    graph.connect("mine.y", "loud.x")
    graph.connect("loud.y", "out.x")
    return graph


def test_what_an_array_holds_goes_over_sample_by_sample(version: Callable[[str], NodeSpec]) -> None:
    before, after = version(ECHO), version(ECHO + "#")
    plain = played(echoes(before), None)
    graph = echoes(before)
    edited = played(graph, lambda: put(graph, "mine", after))
    assert np.abs(edited - plain).max() < 1e-6
    assert_same(edited[:, FADED:], plain[:, FADED:], "the echoes went over")


def test_an_array_that_is_only_read_is_the_new_text_s(version: Callable[[str], NodeSpec]) -> None:
    after = version(ECHO.replace("np.full(4, 0.6)", "np.full(4, -0.4)"))
    graph = echoes(version(ECHO))
    edited = played(graph, lambda: put(graph, "mine", after))
    plain = played(echoes(version(ECHO)), None)
    assert click(edited) < SMOOTH
    assert np.abs(edited[:, -4_800:] - plain[:, -4_800:]).max() > 1e-3, "the change is heard"


def test_an_array_of_another_length_begins_anew_without_a_click(version: Callable[[str], NodeSpec]) -> None:
    after = version(ECHO.replace("round(time * rate)", "round(0.5 * time * rate)"))
    graph = echoes(version(ECHO))
    edited = played(graph, lambda: put(graph, "mine", after))
    assert click(edited) < SMOOTH and np.isfinite(edited).all()


def test_what_is_too_long_for_one_sample_begins_anew_and_is_told(
    version: Callable[[str], NodeSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrying, "MOST_WORDS", 1_000)
    before, after = version(ECHO), version(ECHO + "#")
    graph = echoes(before)
    said: list[tuple[str, str]] = []
    player = Player(graph.view, 48_000, report=lambda node, text: said.append((node, text)))
    out = np.zeros((2, 24_000), np.float32)
    player.render(out[:, :EDIT])
    put(graph, "mine", after)
    player.edit(graph.view)
    player.render(out[:, EDIT:])
    player.close()
    assert said == [("mine", "'line' is too long to be carried over at one sample; it begins anew.")]
    assert click(out) < SMOOTH


def test_many_versions_one_after_another_never_click(version: Callable[[str], NodeSpec]) -> None:
    versions = [version(TONE.replace("0.02", f"{0.02 + 0.001 * (k % 3):g}") + f"\n# {k}\n") for k in range(12)]
    graph = tones(versions[0], 5)
    player = Player(graph.view, 48_000)
    out = np.zeros((2, 48_000), np.float32)
    for number in range(48):
        put(graph, f"mine{number % 5}", versions[number % 12])
        player.edit(graph.view)
        player.render(out[:, 1_000 * number : 1_000 * (number + 1)], block=100)
    player.close()
    still = played(tones(versions[0], 5), None, 48_000)
    assert_same(out[:1], still[:1], "the untouched path")
    assert click(out[1]) < SMOOTH


def test_a_message_counter_goes_over_and_rings_no_bell(version: Callable[[str], NodeSpec]) -> None:
    """A tick sees messages as a number that grows: it must not jump."""
    text = TONE.replace(
        'y = outlet.signal("sine")', 'hit = inlet.event("begin")\n    y = outlet.signal("sine")').replace(
        "angle = memory(0)\n", "angle = memory(0)\n    seen = memory(0.0)\n").replace(
        "tick(step, angle)", "tick(step, hit, angle, seen)").replace(
        "return 0.02", "if hit != seen:\n            angle = 0\n            seen = hit\n        return 0.02").replace(
        "angle + u32(step)", "angle + u32(step), seen")  # fmt: skip
    before, after = version(text), version(text + "#")

    def run(edit: bool) -> np.ndarray:
        graph = tones(before)
        player = Player(graph.view, 48_000)
        player.set("mine0", "hit", 1.0)
        player.set("mine0", "hit", 1.0)
        out = np.zeros((2, 24_000), np.float32)
        player.render(out[:, :EDIT])
        if edit:
            put(graph, "mine0", after)
            player.edit(graph.view)
        player.render(out[:, EDIT:])
        player.close()
        return out

    assert_same(run(True)[:, FADED:], run(False)[:, FADED:], "after the fade")


def counted(version: Callable[[str], NodeSpec], after: str) -> list[tuple[float, str, Any]]:
    graph = Graph()
    put(graph, "mine", version(COUNT))
    said: list[tuple[float, str, Any]] = []
    player = Player(graph.view, 48_000)
    for outlet in ("y", "tick"):
        player.watch("mine", outlet, lambda event: said.append((round(event.time, 2), event.port, event.value)))
    out = np.zeros((2, 48_000), np.float32)
    for _ in range(3):
        player.set("mine", "x", 1.0)
    player.render(out[:, :24_000])
    put(graph, "mine", version(after))
    player.edit(graph.view)
    player.render(out[:, 24_000:36_000])
    player.set("mine", "x", 1.0)
    player.render(out[:, 36_000:])
    player.close()
    return said


def test_a_node_in_python_counts_on_and_ticks_once(version: Callable[[str], NodeSpec]) -> None:
    said = counted(version, COUNT + "#")
    assert [value for _, port, value in said if port == "y"] == [1, 2, 3, 4]
    late = [time for time, port, _ in said if port == "tick" and time > 0.65]
    assert len(late) in (3, 4), f"one clock, not two: {late}"


def test_an_attribute_of_another_type_begins_anew(version: Callable[[str], NodeSpec]) -> None:
    said = counted(version, COUNT.replace("self.number = 0", "self.number = 100.0"))
    assert [value for _, port, value in said if port == "y"] == [1, 2, 3, 101.0]


def test_a_file_of_another_name_takes_nothing_over(version: Callable[[str], NodeSpec], tmp_path: Path) -> None:
    write(tmp_path / "other.py", TONE)
    other = replace(load(own_file(tmp_path, "other.py")), kind="other.py")
    graph = tones(version(TONE))
    edited = played(graph, lambda: put(graph, "mine0", other))
    fresh = played(tones(other), None)
    assert click(edited[1]) < SMOOTH
    assert np.abs(edited[1, FADED:] - fresh[1, FADED - EDIT : -EDIT]).max() < 2e-3


def test_a_modulated_wobble_is_carried_through_its_moving_form(version: Callable[[str], NodeSpec]) -> None:
    before, after = version(WOBBLE), version(WOBBLE + "#")

    def made() -> Graph:
        graph = Graph()
        for kind, id, params in (("out~", "out", {}), ("sine~", "source", {"freq": 100}),
                                 ("gain~", "soft", {"gain": 0.02}), ("sine~", "lfo", {"freq": 3}),
                                 ("scale~", "up", {"mul": 2, "add": 4})):  # fmt: skip
            graph.add(kind, id, **params)
        put(graph, "mine", before)
        for cable in (
            "source.y -> soft.x",
            "soft.y -> mine.x",
            "lfo.y -> up.x",
            "up.y -> mine.freq",
            "mine.y -> out.x",
        ):
            graph.connect(*cable.split(" -> "))
        return graph

    graph = made()
    edited = played(graph, lambda: put(graph, "mine", after))
    plain = played(made(), None)
    assert np.abs(edited - plain).max() < 1e-6
    assert_same(edited[:, FADED:], plain[:, FADED:], "after the fade")
