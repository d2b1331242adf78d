"""Files of codes: what was kept is said again to the bit and the frame; what is damaged says how."""

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
from nodegraph.codes.files import Array, Taken, read, write
from nodegraph.codes.kinds import KNOWN, Codec
from nodegraph.core.document import Document
from nodegraph.core.errors import MediaError, NodegraphError
from nodegraph.core.graph import Graph
from nodegraph.runtime.player import Player
from tests.codes.fake_codec import KINDS, numbered

RATE = 48_000
ENCODEC = KNOWN["encodec-24khz"]
Arrays = list[tuple[int, Any]]


def some() -> Taken:
    """Three arrays, of other stages, with a hole between."""
    random = np.random.default_rng(1)
    codes = [random.integers(0, 1024, shape) for shape in ((8, 3), (2, 3), (8, 1))]
    return Taken(
        ENCODEC, "abc", RATE, tuple(Array(at, found) for at, found in zip((0, 1_920, 9_000), codes, strict=True))
    )


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    write(tmp_path / "some.safetensors", some())
    return tmp_path / "some.safetensors"


def test_what_was_written_is_read_to_the_bit(whole: Path) -> None:
    found = read(whole, ENCODEC)
    assert (found.codec, found.revision, found.clock) == (ENCODEC, "abc", RATE)
    assert [one.at for one in found.arrays] == [0, 1_920, 9_000]
    for one, other in zip(found.arrays, some().arrays, strict=True):
        np.testing.assert_array_equal(one.codes, other.codes)
    assert found.length(RATE) == 9_640 and found.length(24_000) == 4_820


def test_it_is_a_safetensors_file_for_everybody(whole: Path) -> None:
    arrays = load_file(whole)
    assert arrays["codes"].dtype == np.uint16 and arrays["codes"].shape == (8, 7)
    header = json.loads(whole.read_bytes()[8 : 8 + int.from_bytes(whole.read_bytes()[:8], "little")])
    assert header["__metadata__"] == {
        "format": "nodegraph-codes", "version": "1", "codec": "encodec-24khz", "revision": "abc", "rate": "24000",
        "hop": "320", "stages": "8", "bits": "10", "frames": "7", "clock": "48000",
    }  # fmt: skip


def played(graph: Graph, frames: int, acts: list[tuple[Any, ...]] = [], rate: int = RATE) -> tuple[Arrays, list[str]]:  # noqa: B006
    """What leaves ``it.codes`` and ``it.done``, and the log."""
    found: Arrays = []
    log: list[str] = []
    player = Player(graph.view, rate, report=lambda node, text: log.append(text))
    try:
        for node, port in (("it", "codes"), ("it", "done")):
            if node in graph.nodes and port in graph.node(node).spec.outlet_named:
                player.watch(node, port, lambda event: found.append((event.frame, event.value)))
        for frame, *act in acts:
            player.act("set", *act, frame=frame)
        player.render(np.zeros((player.engine.outputs, frames), np.float32), None, block=100)
    finally:
        player.close()
    return found, log


def keeping(path: Path, **values: Any) -> Graph:
    graph = Graph(KINDS)
    graph.add("test.numbered", "from")
    graph.add("codes.write", "to", file=str(path), **values)
    graph.add("out~", "out")
    graph.connect("from.codes", "to.codes")
    return graph


def reading(path: Path, **values: Any) -> Graph:
    graph = Graph(KINDS)
    graph.add("codes.read", "it", file=str(path), **values)
    graph.add("out~", "out")
    return graph


def test_what_was_kept_is_said_again_at_its_frames(tmp_path: Path) -> None:
    path = tmp_path / "kept.safetensors"
    played(keeping(path), RATE)
    kept = read(path).arrays
    assert [one.at for one in kept[:24]] == [1_920 * (number + 1) for number in range(24)]
    found, log = played(reading(path), RATE + 5_000)
    codes = [item for item in found if isinstance(item[1], np.ndarray)]
    assert [frame for frame, _ in codes] == [one.at for one in kept] and not log
    for number, (_, value) in enumerate(codes):
        np.testing.assert_array_equal(value, numbered(number))
    half, _ = played(reading(path), RATE // 2, rate=RATE // 2)
    assert [frame for frame, _ in half][:3] == [960, 1_920, 2_880]


def test_it_loops_begins_again_and_rests(tmp_path: Path) -> None:
    path = tmp_path / "kept.safetensors"
    write(path, Taken(ENCODEC, "", RATE, (Array(0, numbered(0)), Array(1_920, numbered(1)))))
    found, _ = played(reading(path, loop=True), 10_000)
    codes = [frame for frame, value in found if isinstance(value, np.ndarray)]
    done = [frame for frame, value in found if not isinstance(value, np.ndarray)]
    assert codes == [0, 1_920, 3_840, 5_760, 7_680, 9_600] and done == [3_840, 7_680]
    acts: list[tuple[Any, ...]] = [(1_000, "it", "on", 0.0), (5_000, "it", "on", 1.0), (5_500, "it", "again", 1)]
    found, _ = played(reading(path), 20_000, acts)
    assert [frame for frame, _ in found] == [0, 5_000, 5_500, 7_420, 9_340]


def test_the_file_is_made_when_recording_stops_and_only_with_codes(tmp_path: Path) -> None:
    path = tmp_path / "kept.safetensors"
    played(keeping(path, on=0.0), RATE, [(10_000, "to", "on", 1.0), (30_000, "to", "on", 0.0)])
    assert read(path).arrays[0].at == 6 * 1_920 - 10_000 and len(read(path).arrays) == 10
    other = tmp_path / "none.safetensors"
    played(keeping(other, on=0.0), RATE)
    assert not other.exists() and not list(tmp_path.glob(".*"))


def test_a_file_made_elsewhere_is_played_frame_by_frame(tmp_path: Path) -> None:
    path = tmp_path / "made.safetensors"
    metadata = {
        "format": "nodegraph-codes", "version": "1", "codec": "encodec-24khz", "revision": "", "rate": "24000",
        "hop": "320", "stages": "2", "bits": "10", "frames": "5", "clock": "24000",
    }  # fmt: skip
    save_file({"codes": np.arange(10, dtype=np.uint16).reshape(2, 5)}, path, metadata)
    found, _ = played(reading(path), 5_000)
    assert [frame for frame, _ in found] == [0, 640, 1_280, 1_920, 2_560, 3_200]
    np.testing.assert_array_equal(found[1][1], [[1], [6]])


def rewritten(change: Callable[[dict[str, Any], dict[str, str]], Any]) -> Callable[[Path], None]:
    """Damage as a liar does it: a whole file that says something else."""

    def damage(path: Path) -> None:
        data = path.read_bytes()
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        arrays, metadata = load_file(path), header["__metadata__"]
        change(arrays, metadata)
        save_file(arrays, path, metadata)

    return damage


def cut(at: Any) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(path.read_bytes()[:at]) and None


def lying(data: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(data) and None


def table(*rows: tuple[int, int, int]) -> Callable[[dict[str, Any], dict[str, str]], None]:
    return lambda arrays, metadata: arrays.update(arrays=np.array(rows, np.int64).reshape(-1, 3))


DAMAGES: dict[str, Callable[[Path], None]] = {
    "nothing in it": cut(0),
    "five bytes": cut(5),
    "no header": cut(8),
    "cut in the header": cut(100),
    "cut in the numbers": cut(-1),
    "no safetensors": lying(b"RIFF\x24\0\0\0WAVEfmt " + b"\0" * 64),
    "a header longer than the file": lying((1 << 40).to_bytes(8, "little") + b"{}"),
    "a header of nonsense": lying((8).to_bytes(8, "little") + b"notjson!"),
    "a header beyond us": lying((200_000).to_bytes(8, "little") + b"{}" + b" " * 199_998),
    "places that overlap": lying(
        (lambda text: len(text).to_bytes(8, "little") + text + b"\0" * 16)(
            b'{"codes":{"dtype":"U16","shape":[2,4],"data_offsets":[0,16]},'
            b'"arrays":{"dtype":"I64","shape":[1,1],"data_offsets":[8,16]}}'
        )
    ),
    "weights of a model": lambda path: save_file({"weight": np.zeros((2, 2), np.float32)}, path),
    "another version": rewritten(lambda arrays, metadata: metadata.update(version="2")),
    "another array": rewritten(lambda arrays, metadata: arrays.update(more=np.zeros(3, np.float32))),
    "floats": rewritten(lambda arrays, metadata: arrays.update(codes=np.zeros((8, 7), np.float32))),
    "one dimension": rewritten(lambda arrays, metadata: arrays.update(codes=np.zeros(56, np.uint16))),
    "other frames": rewritten(lambda arrays, metadata: metadata.update(frames="8")),
    "no rate": rewritten(lambda arrays, metadata: metadata.pop("rate")),
    "a rate that is none": rewritten(lambda arrays, metadata: metadata.update(rate="-1")),
    "a name that is none": rewritten(lambda arrays, metadata: metadata.update(codec="../x")),
    "a clock of nothing": rewritten(lambda arrays, metadata: metadata.update(clock="0")),
    "empty": rewritten(lambda arrays, metadata: (arrays.update(codes=np.zeros((8, 0), np.uint16)),
                                                 metadata.update(frames="0"))),
    "codes out of range": rewritten(lambda arrays, metadata: arrays["codes"].__setitem__((0, 0), 1024)),
    "other sums": rewritten(table((0, 3, 8), (1_920, 3, 2))),
    "back in time": rewritten(table((1_920, 3, 8), (0, 3, 2), (9_000, 1, 8))),
    "before the beginning": rewritten(table((-1, 7, 8))),
    "beyond all time": rewritten(table((1 << 60, 7, 8))),
    "too many stages": rewritten(table((0, 7, 9))),
    "negative frames": rewritten(table((0, 9, 8), (1, -2, 8))),
    "no arrays": rewritten(lambda arrays, metadata: arrays.update(arrays=np.zeros((0, 3), np.int64))),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_what_is_damaged_or_of_others_is_refused_and_says_why(whole: Path, name: str) -> None:
    DAMAGES[name](whole)
    with pytest.raises(MediaError) as caught:
        read(whole)
    (problem,) = caught.value.problems
    assert problem.code == "bad-codes" and "some.safetensors" in problem.what and problem.do and len(problem.what) < 300


def test_all_at_once_is_refused(tmp_path: Path) -> None:
    """Thousands of arrays at one instant would hold up the engine."""
    arrays = tuple(Array(0, np.zeros((1, 1), np.int64)) for _ in range(5_000))
    write(tmp_path / "burst.safetensors", Taken(ENCODEC, "", RATE, arrays))
    with pytest.raises(MediaError, match="half a second"):
        read(tmp_path / "burst.safetensors")


def test_another_codec_is_refused_by_name(whole: Path) -> None:
    with pytest.raises(MediaError, match=r"encodec-24khz .* not of encodec-32khz") as caught:
        read(whole, KNOWN["encodec-32khz"])
    assert caught.value.problems[0].code == "wrong-codec"


def test_a_patch_with_such_a_file_does_not_begin(whole: Path) -> None:
    patch = Patch(document=Document(Graph(), "Codes"))
    patch.document.path = whole.parent / "codes.ng"
    patch.add("codes.read", "it", file="some.safetensors", codec="encodec-32khz")
    patch.add("out~", "out")
    with pytest.raises(MediaError, match="encodec-32khz"):
        patch.render(seconds=0.1)
    whole.write_bytes(b"")
    with pytest.raises(MediaError, match="breaks off"):
        patch.render(seconds=0.1)
    whole.unlink()
    with pytest.raises(NodegraphError, match=r"some\.safetensors"):
        patch.render(seconds=0.1)


def test_random_damage_has_one_kind_of_error(whole: Path) -> None:
    chance = random.Random(1)
    data = whole.read_bytes()
    refused = 0
    for _ in range(2_000):
        made = bytearray(data)
        for _ in range(chance.randrange(1, 4)):
            made[chance.randrange(len(made))] = chance.randrange(256)
        if chance.random() < 0.2:
            del made[chance.randrange(len(made)) :]
        whole.write_bytes(made)
        try:
            found = read(whole)
            assert all(one.codes.max() < 1 << found.codec.bits for one in found.arrays)
        except MediaError:
            refused += 1
    assert refused > 1_000


def test_what_cannot_be_written_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="suffix"):
        write(tmp_path / "codes.txt", some())
    with pytest.raises(MediaError, match="cannot be written"):
        write(tmp_path / "nowhere" / "codes.safetensors", some())
    with pytest.raises(MediaError, match="no codes"):
        write(tmp_path / "codes.safetensors", Taken(ENCODEC, "", RATE, ()))
    assert not list(tmp_path.iterdir())
    other = Codec("own", 16_000, 320, 16)
    write(tmp_path / "own.safetensors", Taken(other, "", RATE, (Array(3, np.full((2, 2), 65_535)),)))
    assert read(tmp_path / "own.safetensors").arrays[0].codes.max() == 65_535
