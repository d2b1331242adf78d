"""Latents that are kept: in a file and said again to the bit and the frame, and in a loop that is played."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from nodegraph import Patch
from nodegraph.core.document import Document
from nodegraph.core.errors import MediaError, NodegraphError
from nodegraph.core.graph import Graph
from nodegraph.nodes.latentfiles import MOST_A_SECOND, read
from nodegraph.runtime.player import Player

RATE = 48_000
LATENTS = np.random.default_rng(3).standard_normal((8, 4)).astype(np.float32)
USUAL = [(1_000 * (number + 1), latent) for number, latent in enumerate(LATENTS)]


def played(
    kind: str,
    frames: int,
    came: Any = (),
    *,
    rate: int = RATE,
    **values: Any,
) -> tuple[list[tuple[int, str, Any]], list[str]]:
    """What a node ``it`` said, and the log. `came`: ``frame, value`` for its ``x``, or ``frame, inlet, value``."""
    graph = Graph()
    graph.add(kind, "it", **values)
    graph.add("out~", "out")
    found: list[tuple[int, str, Any]] = []
    log: list[str] = []
    player = Player(graph.view, rate, report=lambda node, text: log.append(text))
    try:
        for port in (item.name for item in graph.node("it").spec.outlets):
            player.watch("it", port, lambda event: found.append((event.frame, event.port, event.value)))
        for frame, *rest in came:
            inlet, value = rest if len(rest) == 2 else ("x", rest[0])
            player.messages.post(frame, "it", inlet, value)
        player.render(np.zeros((player.engine.outputs, frames), np.float32), None, block=100)
    finally:
        player.close()
    return sorted((item for item in found if item[0] < frames), key=lambda item: item[0]), log


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    _, log = played("latent.record", 10_000, USUAL, file=str(tmp_path / "some.safetensors"))
    assert not log
    return tmp_path / "some.safetensors"


def test_what_was_kept_is_said_again_to_the_bit_and_the_frame(whole: Path) -> None:
    latents, times, clock = read(whole)
    assert (times, clock) == ([frame for frame, _ in USUAL], RATE) and np.array_equal(latents, LATENTS)
    found, log = played("latent.replay", 20_000, file=str(whole))
    said = [(frame, value) for frame, port, value in found if port == "y"]
    assert [frame for frame, _ in said] == times and not log
    for (_, value), latent in zip(said, LATENTS, strict=True):
        np.testing.assert_array_equal(value, latent)
    assert [frame for frame, port, _ in found if port == "done"] == [9_000], "a usual distance after the last"
    half, _ = played("latent.replay", 20_000, file=str(whole), rate=RATE // 2)
    assert [frame for frame, port, _ in half if port == "y"] == [frame // 2 for frame in times]


def test_it_loops_begins_again_and_rests(whole: Path) -> None:
    found, _ = played("latent.replay", 19_500, file=str(whole), loop=True)
    assert [frame for frame, port, _ in found if port == "y"] == [
        9_000 * turn + frame for turn in (0, 1, 2) for frame, _ in USUAL if 9_000 * turn + frame < 19_500
    ]
    acts = [(2_500, "on", 0.0), (6_000, "on", 1.0), (7_500, "again", 1)]
    found, _ = played("latent.replay", 10_000, acts, file=str(whole))
    assert [frame for frame, port, _ in found if port == "y"] == [1_000, 2_000, 7_000, 8_500, 9_500]


def test_it_is_kept_from_on_to_off_and_what_is_of_another_length_is_left_out_and_told(tmp_path: Path) -> None:
    path = tmp_path / "part.safetensors"
    came = [*USUAL, (3_600, LATENTS[0][:3]), (3_700, (1.0, "two")), (2_500, "on", 1.0), (6_500, "on", 0.0)]
    _, log = played("latent.record", 10_000, came, file=str(path), on=0.0)
    latents, times, _ = read(path)
    assert times == [500, 1_500, 2_500, 3_500] and np.array_equal(latents, LATENTS[2:6])
    assert log == ["It was not kept: a latent of 3 numbers came after some of 4."]
    none = tmp_path / "none.safetensors"
    played("latent.record", 1_000, file=str(none))
    assert not none.exists() and [item.name for item in tmp_path.iterdir()] == [path.name]


def test_it_is_a_safetensors_file_for_everybody(whole: Path) -> None:
    arrays = load_file(whole)
    assert arrays["latents"].dtype == np.float32 and arrays["times"].dtype == np.int64
    header = json.loads(whole.read_bytes()[8 : 8 + int.from_bytes(whole.read_bytes()[:8], "little")])
    assert header["__metadata__"] == {"format": "nodegraph-latents", "version": "1", "clock": "48000"}


Change = Callable[[dict[str, Any], dict[str, str]], Any]
DAMAGES: dict[str, Change] = {
    "another format": lambda arrays, about: about.update(format="nodegraph-codes"),
    "another version": lambda arrays, about: about.update(version="2"),
    "no clock": lambda arrays, about: about.pop("clock"),
    "a clock that is none": lambda arrays, about: about.update(clock="-1"),
    "a clock of nothing": lambda arrays, about: about.update(clock="0"),
    "another array": lambda arrays, about: arrays.update(more=np.zeros(3, np.float32)),
    "no times": lambda arrays, about: arrays.pop("times"),
    "doubles": lambda arrays, about: arrays.update(latents=LATENTS.astype(np.float64)),
    "one dimension": lambda arrays, about: arrays.update(latents=LATENTS[0]),
    "empty": lambda arrays, about: arrays.update(latents=LATENTS[:0], times=np.zeros(0, np.int64)),
    "too long": lambda arrays, about: arrays.update(latents=np.zeros((8, 4_097), np.float32)),
    "fewer times": lambda arrays, about: arrays.update(times=arrays["times"][1:]),
    "back in time": lambda arrays, about: arrays.update(times=arrays["times"][::-1].copy()),
    "before the beginning": lambda arrays, about: arrays.update(times=arrays["times"] - 1_001),
    "beyond all time": lambda arrays, about: arrays.update(times=arrays["times"] + (1 << 60)),
    "no number": lambda arrays, about: arrays["latents"].__setitem__((1, 2), np.nan),
    "all at once": lambda arrays, about: arrays.update(
        latents=np.zeros((MOST_A_SECOND + 1, 1), np.float32), times=np.zeros(MOST_A_SECOND + 1, np.int64)
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_what_is_damaged_is_refused_and_says_why(whole: Path, name: str) -> None:
    data = whole.read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    arrays, about = load_file(whole), header["__metadata__"]
    DAMAGES[name](arrays, about)
    save_file(arrays, whole, about)
    with pytest.raises(MediaError) as caught:
        read(whole)
    (problem,) = caught.value.problems
    assert problem.code == "bad-latents" and "some.safetensors" in problem.what and problem.do
    assert len(problem.what) < 300


def test_random_damage_has_one_kind_of_error(whole: Path) -> None:
    chance, data, refused = random.Random(1), whole.read_bytes(), 0
    for _ in range(500):
        made = bytearray(data)
        for _ in range(chance.randrange(1, 4)):
            made[chance.randrange(len(made))] = chance.randrange(256)
        if chance.random() < 0.2:
            del made[chance.randrange(len(made)) :]
        whole.write_bytes(made)
        try:
            latents, times, _ = read(whole)
            assert len(latents) == len(times) and np.isfinite(latents).all()
        except MediaError:
            refused += 1
    assert refused > 100


def test_a_patch_with_a_damaged_file_does_not_begin(whole: Path) -> None:
    patch = Patch(document=Document(Graph(), "Latents"))
    patch.document.path = whole.parent / "latents.ng"
    patch.add("latent.replay", "it", file="some.safetensors")
    patch.add("out~", "out")
    whole.write_bytes(whole.read_bytes()[:-1])
    with pytest.raises(NodegraphError, match=r"'file'.*some\.safetensors.*cannot be read as latents"):
        patch.render(seconds=0.1)
    whole.unlink()
    with pytest.raises(NodegraphError, match=r"some\.safetensors"):
        patch.render(seconds=0.1)


def test_a_loop_repeats_what_came_while_it_was_recorded() -> None:
    came = [*USUAL, (1_500, "record", 1.0), (5_500, "record", 0.0), (30_000, LATENTS[7])]
    found, _ = played("latent.loop", 20_000, came)
    said = [(frame, value) for frame, port, value in found if port == "y"]
    through = [1_000, 2_000, 3_000, 4_000, 5_000]
    looped = [5_500 + 4_000 * turn + place for turn in range(4) for place in (500, 1_500, 2_500, 3_500)]
    assert [frame for frame, _ in said] == [frame for frame in through + looped if frame < 20_000]
    for number, (_, value) in enumerate(said[5:]):
        np.testing.assert_array_equal(value, LATENTS[1 + number % 4])
    assert [frame for frame, port, _ in found if port == "again"] == [5_500, 9_500, 13_500, 17_500]


def test_a_loop_rests_changes_its_speed_and_lets_through() -> None:
    came = [
        *USUAL[:4], (500, "record", 1.0), (4_500, "record", 0.0), (7_750, "speed", 2.0), (12_000, "play", 0.0),
        (13_000, LATENTS[7]), (14_000, "play", 1.0),
    ]  # fmt: skip
    found, _ = played("latent.loop", 15_000, came)
    said = [frame for frame, port, _ in found if port == "y"]
    assert said == [
        1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000, 8_000, 8_500, 9_000, 9_500, 10_000, 10_500, 11_000, 11_500,
        13_000, 14_250, 14_750,
    ]  # fmt: skip


def test_a_loop_of_nothing_and_one_that_is_too_short_let_through() -> None:
    for came in (
        [(100, "record", 1.0), (900, "record", 0.0), *USUAL],
        [(900, "record", 1.0), (1_300, "record", 0.0), *USUAL],
    ):
        found, log = played("latent.loop", 10_000, came)
        assert [frame for frame, _, _ in found] == [frame for frame, _ in USUAL] and not log
