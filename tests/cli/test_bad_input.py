"""Every kind of bad input: one clear message that says where and what to do, exit code 2, nothing half-written."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nodegraph import Patch
from nodegraph.core.errors import DeviceError
from tests.cli.conftest import Command

ROOT = Path(__file__).parents[2]
HEAD = '{\n"nodegraph": 1,\n"nodes": {\n'


@dataclass
class Bad:
    """A patch (line 4 is its first node), and what the message about it must say."""

    name: str
    nodes: str
    cables: str
    line: int
    says: tuple[str, ...]


PATCHES = [
    Bad("unknown kind", '"osc": {"kind": "sinus~"}', "", 4, ("node 'osc'", "sinus~", "Did you mean", "sine~")),
    Bad(
        "unknown outlet", '"osc": {"kind": "sine~"},\n"out": {"kind": "out~"}', '"osc.wave -> out.x"', 8,
        ("node 'osc'", "port 'wave'", "outlet"),
    ),
    Bad(
        "unknown inlet", '"osc": {"kind": "sine~"},\n"cut": {"kind": "svf~"}', '"osc.y -> cut.cutof"', 8,
        ("node 'cut'", "port 'cutof'", "Did you mean 'cutoff'?"),
    ),
    Bad(
        "wrong cable kind", '"clock": {"kind": "metro"},\n"out": {"kind": "out~"}', '"clock.bang -> out.x"', 8,
        ("node 'out'", "port 'x'", "event", "signal"),
    ),
    Bad(
        "two cables into one inlet",
        '"a": {"kind": "sine~"},\n"b": {"kind": "sine~"},\n"cut": {"kind": "svf~"}',
        '"a.y -> cut.cutoff",\n"b.y -> cut.cutoff"', 10, ("node 'cut'", "port 'cutoff'", "a.y"),
    ),
    Bad(
        "event loop without a delay", '"a": {"kind": "number"},\n"b": {"kind": "number"}',
        '"a.y -> b.x",\n"b.y -> a.x"', 9, ("a -> b -> a", "delay"),
    ),
    Bad(
        "parameter out of its span", '"cut": {"kind": "svf~",\n"cutoff": 90000}', "", 5,
        ("node 'cut'", "port 'cutoff'", "90000", "10 to 20000 Hz"),
    ),
    Bad(
        "parameter of the wrong type", '"cut": {"kind": "svf~",\n"cutoff": "high"}', "", 5,
        ("node 'cut'", "port 'cutoff'", '"high"', "a number"),
    ),
    Bad(
        "unknown parameter", '"cut": {"kind": "svf~",\n"cuttoff": 900}', "", 5,
        ("node 'cut'", "port 'cuttoff'", "Did you mean 'cutoff'?"),
    ),
    Bad(
        "missing file", '"voice": {"kind": "play~",\n"file": "gone.wav"}', "", 5,
        ("node 'voice'", "port 'file'", "gone.wav", "folder of the patch"),
    ),
    Bad(
        "no file", '"voice": {"kind": "play~"}', "", 4, ("node 'voice'", "port 'file'", "no file"),
    ),
    Bad(
        "a file outside the patch's folder", '"voice": {"kind": "play~",\n"file": "/etc/hostname"}', "", 5,
        ("node 'voice'", "port 'file'", "outside", "NODEGRAPH_MEDIA"),
    ),
    Bad(
        "a damaged sound file", '"voice": {"kind": "play~",\n"file": "damaged.wav"}', "", 5,
        ("node 'voice'", "port 'file'", "damaged.wav", "cannot be read as sound"),
    ),
    Bad(
        "a sound file without frames", '"voice": {"kind": "play~",\n"file": "empty.wav"}', "", 5,
        ("node 'voice'", "port 'file'", "empty.wav", "no sound"),
    ),
    Bad(
        "an unwritable recording", '"tape": {"kind": "record~",\n"file": "nowhere/take.wav"}', "", 5,
        ("node 'tape'", "port 'file'", "nowhere/take.wav"),
    ),
    Bad(
        "a recording of no known format", '"tape": {"kind": "record~",\n"file": "take.xyz"}', "", 5,
        ("node 'tape'", "port 'file'", "take.xyz", ".wav or .flac"),
    ),
]  # fmt: skip


def written(folder: Path, nodes: str, cables: str) -> Path:
    path = folder / "bad.ng"
    path.write_text(f'{HEAD}{nodes}\n}},\n"cables": [\n{cables}\n]\n}}\n')
    (folder / "damaged.wav").write_bytes(b"RIFF\x24\0\0\0WAVEfmt and then nothing that anybody could play")
    soundfile.write(folder / "empty.wav", np.zeros((0, 1)), 48_000)
    return path


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("bad", PATCHES, ids=lambda bad: bad.name)
@pytest.mark.parametrize("command", ["check", "render", "run"])
def test_a_bad_patch_is_told_with_file_line_node_and_port(
    command: str, bad: Bad, tmp_path: Path, nodegraph: Command
) -> None:
    path = written(tmp_path, bad.nodes, bad.cables)
    before = names(tmp_path)
    more = {"render": ("-o", tmp_path / "out.wav"), "run": ("--record", tmp_path / "out.wav")}.get(command, ())
    said = nodegraph(command, path, *more)
    assert said.code == 2, said
    lines = said.err.strip().splitlines()
    assert len(lines) == 1, f"one message, not {len(lines)}:\n{said.err}"
    assert lines[0].startswith(f"{path}:{bad.line}"), lines[0]
    for word in bad.says:
        assert word in lines[0], f"{word!r} is not in: {lines[0]}"
    assert names(tmp_path) == before, "something was left behind"


TEXTS = {
    "not JSON": ('{"nodegraph": 1,\n"nodes": {"a" {}}}', 2, ("JSON",)),
    "not text": (b"\xff\xfe\x00\x01", 1, ("UTF-8",)),
    "no patch": ('{"name": "something else"}', 1, ('"nodegraph": 1',)),
    "a newer version": ('{"nodegraph": 99,\n"nodes": {}}', 1, ("99", "Update nodegraph")),
    "a key twice": ('{"nodegraph": 1,\n"nodes": {"a": {"kind": "sine~"},\n"a": {"kind": "saw~"}}}', 3, ("a", "twice")),
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("command", ["check", "render", "run"])
def test_a_file_that_is_no_patch_is_told_with_its_line(
    command: str, name: str, tmp_path: Path, nodegraph: Command
) -> None:
    text, line, words = TEXTS[name]
    path = tmp_path / "bad.ng"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    said = nodegraph(command, path, *(("-o", tmp_path / "out.wav") if command == "render" else ()))
    assert said.code == 2, said
    assert said.err.startswith(f"{path}:{line}: "), said.err
    assert all(word in said.err for word in words), said.err
    assert names(tmp_path) == ["bad.ng"]


def test_a_patch_that_is_not_there_is_told(tmp_path: Path, nodegraph: Command) -> None:
    said = nodegraph("run", tmp_path / "gone.ng")
    assert (said.code, said.out) == (2, "")
    assert f"{tmp_path / 'gone.ng'}: There is no such file" in said.err


def test_check_tells_every_problem_at_once(tmp_path: Path, nodegraph: Command) -> None:
    nodes = ",\n".join(bad.nodes.replace('": {', f'{number}": {{', 1) for number, bad in enumerate(PATCHES[6:14]))
    path = written(tmp_path, nodes, "")
    other = tmp_path / "other.ng"
    other.write_text('{"nodegraph": 1, "nodes": {"osc": {"kind": "sinus~"}}}')
    said = nodegraph("check", path, other)
    assert said.code == 2
    assert len(said.err.strip().splitlines()) == 8 + 1, said.err
    told = nodegraph("check", path, other, "--json")
    problems = json.loads(told.out)["problems"]
    assert len(problems) == 9
    assert all({"code", "what", "file", "line", "node"} <= set(problem) for problem in problems), problems


OUTPUTS = {
    "a folder that is not there": ("nowhere/out.wav", "nowhere"),
    "a folder": (".", "no suffix"),
    "no known format": ("out.mp3", ".wav or .flac"),
    "no suffix": ("out", ".wav or .flac"),
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_an_output_that_cannot_be_written_is_told_before_the_work(
    name: str, tone: Path, tmp_path: Path, nodegraph: Command
) -> None:
    file, word = OUTPUTS[name]
    for said in (
        nodegraph("render", tone, "-o", tmp_path / file, "--seconds", "1"),
        nodegraph("run", tone, "--driver", "null", "--seconds", "1", "--record", tmp_path / file),
    ):
        assert said.code == 2, said
        assert str(tmp_path / file) in said.err and word in said.err, said.err
    assert names(tmp_path) == ["tone.ng"]


def test_a_picture_that_cannot_be_written_is_told_before_the_work(
    tone: Path, tmp_path: Path, nodegraph: Command
) -> None:
    said = nodegraph("render", tone, "-o", tmp_path / "out.wav", "--picture", tmp_path / "nowhere" / "out.png")
    assert said.code == 2 and "nowhere" in said.err
    assert names(tmp_path) == ["tone.ng"]


SETS = {
    "level.gain=9": ("node 'level'", "port 'gain'", "0 to 4"),
    "level.gain=loud": ("node 'level'", "port 'gain'", '"loud"'),
    "level.gian=1": ("node 'level'", "port 'gian'", "Did you mean 'gain'?"),
    "levle.gain=1": ("'levle'", "Did you mean 'level'?"),
    "level.gain": ("--set 'level.gain'", "node.port=value"),
}


@pytest.mark.parametrize("text", SETS)
def test_a_value_that_cannot_be_set_is_told(text: str, tone: Path, tmp_path: Path, nodegraph: Command) -> None:
    said = nodegraph("render", tone, "-o", tmp_path / "out.wav", "--set", text)
    assert said.code == 2
    assert all(word in said.err for word in SETS[text]), said.err
    assert names(tmp_path) == ["tone.ng"]


def test_all_values_that_cannot_be_set_are_told_at_once(tone: Path, tmp_path: Path, nodegraph: Command) -> None:
    said = nodegraph("render", tone, "-o", tmp_path / "out.wav", *(word for text in SETS for word in ("--set", text)))
    assert said.code == 2 and len(said.err.strip().splitlines()) == len(SETS), said.err


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [("--rate", "10", "8000 to 384000 Hz"), ("--block", "0", "1 to 8192"), ("--seconds", "-1", "above 0")],
)
def test_numbers_that_cannot_be_are_told(
    option: str, value: str, words: str, tone: Path, tmp_path: Path, nodegraph: Command
) -> None:
    said = nodegraph("render", tone, "-o", tmp_path / "out.wav", option, value)
    assert said.code == 2 and words in said.err, said.err


def test_an_input_that_is_no_sound_is_told(tone: Path, tmp_path: Path, nodegraph: Command) -> None:
    said = nodegraph("render", tone, "-o", tmp_path / "out.wav", "--in", tone)
    assert said.code == 2 and f"{tone}: The patch hears no file" in said.err, said.err
    path = tmp_path / "through.ng"
    path.write_text(
        '{"nodegraph": 1, "nodes": {"in": {"kind": "in~"}, "out": {"kind": "out~"}}, "cables": ["in.y -> out.x"]}'
    )
    for file, words in ((tone, "cannot be read as sound"), (tmp_path / "gone.wav", "no sound file")):
        said = nodegraph("render", path, "-o", tmp_path / "out.wav", "--in", file)
        assert said.code == 2 and str(file) in said.err and words in said.err, said.err
    assert names(tmp_path) == ["through.ng", "tone.ng"]


def test_a_device_that_is_absent_is_told(tone: Path, nodegraph: Command) -> None:
    said = nodegraph("run", tone, "--driver", "portaudio", "--device", "no such device anywhere")
    assert said.code == 2
    assert "no such device anywhere" in said.err or "PortAudio's library is not installed" in said.err, said.err
    assert "nodegraph devices" in said.err or "--driver null" in said.err


def test_a_device_that_vanishes_is_told_and_the_recording_is_kept(
    tone: Path, tmp_path: Path, nodegraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nodegraph.runtime.drivers.null import NullDriver

    class Unplugged(NullDriver):
        """Gone after a tenth of a second of sound."""

        @property
        def alive(self) -> bool:
            return self.engine.done < self.engine.rate // 10 and super().alive

    monkeypatch.setattr("nodegraph.api.playing.open_driver", lambda kind, engine, **_: Unplugged(engine, 64))
    said = nodegraph("run", tone, "--seconds", "1", "--record", tmp_path / "take.wav")
    assert said.code == 0
    assert "the sound device has gone after 0." in said.out and "plays on without it" in said.out, said.out
    sound, rate = soundfile.read(tmp_path / "take.wav", dtype="float32")
    assert len(sound) == rate, "what was asked for is in the file, all of it"
    assert np.array_equal(sound.T, Patch.open(tone).render(seconds=1).audio), "without a gap"
    assert names(tmp_path) == ["take.wav", "tone.ng"]


def test_a_device_that_refuses_is_told(tone: Path, nodegraph: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise DeviceError("the device does not open for 2 channels at 48000 Hz.", "Use --rate 44100.")

    monkeypatch.setattr("nodegraph.api.playing.open_driver", refuse)
    said = nodegraph("run", tone)
    assert (said.code, said.err.strip()) == (
        2, "the device does not open for 2 channels at 48000 Hz. Use --rate 44100.",
    )  # fmt: skip


EARS = '"mic": {"kind": "in~"},\n"ears": {"kind": "yamnet.tag~"}'


@pytest.mark.parametrize("command", ["check", "render", "run"])
def test_a_model_that_is_missing_is_told_with_the_command_that_brings_it(
    command: str, tmp_path: Path, nodegraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODEGRAPH_MODELS", str(tmp_path / "models"))
    path = written(tmp_path, EARS, '"mic.y -> ears.x"')
    said = nodegraph(command, path, *(("-o", tmp_path / "out.wav") if command == "render" else ()))
    assert said.code == 2
    assert said.err.startswith(f"{path}:5, node 'ears': "), said.err
    assert "Run: nodegraph models fetch yamnet" in said.err
    assert not (tmp_path / "out.wav").exists()


def test_a_model_that_is_not_the_one_that_was_checked_is_told(
    tmp_path: Path, nodegraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nodegraph.models import Store

    monkeypatch.setenv("NODEGRAPH_MODELS", str(tmp_path / "models"))
    for file in Store().info("yamnet").manifest.files:
        place = Store().info("yamnet").folder / file.save
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"\0" * file.size)
    path = written(tmp_path, EARS, '"mic.y -> ears.x"')
    said = nodegraph("render", path, "-o", tmp_path / "out.wav", "--seconds", "1")
    assert said.code == 2
    assert "node 'ears'" in said.err and "is not the file that was checked" in said.err, said.err
    assert "nodegraph models fetch yamnet" in said.err
    said = nodegraph("models", "verify", "yamnet")
    assert said.code == 2 and "is not the file that was checked" in said.err


def test_a_stored_sound_that_is_missing_is_told(
    tmp_path: Path, nodegraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODEGRAPH_MODELS", str(tmp_path / "models"))
    path = written(tmp_path, '"voice": {"kind": "play~",\n"file": "sound:demo-sound/voice"}', "")
    said = nodegraph("check", path)
    assert said.code == 2
    assert said.err.startswith(f"{path}:5, node 'voice', port 'file': "), said.err
    assert "nodegraph models fetch demo-sound" in said.err


PACKAGE = '''
from nodegraph.core import KernelNode, inlet, node, outlet

@node("{kind}")
class Bad(KernelNode):
    """Do what no kernel can."""

    x = inlet.signal("sound")
    y = outlet.signal("sound")

    @staticmethod
    def tick({arguments}):
        {body}
'''
CLASSES = {
    "a tick that cannot be compiled": ("x", "return sorted([x])[0]", ("bad~", "cannot use", "adding-a-node.md")),
    "a name that is no port": ("x, cutof", "return x * cutof", ("'cutof'", "no port")),
}


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("command", ["check", "render"])
def test_a_node_class_that_cannot_be_is_told(command: str, name: str, tmp_path: Path) -> None:
    arguments, body, says = CLASSES[name]
    site = tmp_path / "site"
    (site / "bad-1.0.dist-info").mkdir(parents=True)
    (site / "bad-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: bad\nVersion: 1.0\n")
    (site / "bad-1.0.dist-info" / "entry_points.txt").write_text("[nodegraph.nodes]\nbad = bad_nodes\n")
    (site / "bad_nodes.py").write_text(PACKAGE.format(kind="bad~", arguments=arguments, body=body))
    path = tmp_path / "bad.ng"
    path.write_text(
        '{"nodegraph": 1, "nodes": {\n"osc": {"kind": "sine~"},\n"bad": {"kind": "bad~"},\n"out": {"kind": "out~"}},'
        '\n"cables": ["osc.y -> bad.x", "bad.y -> out.x"]}'
    )
    more = ["-o", str(tmp_path / "out.wav"), "--seconds", "1"] if command == "render" else []
    words = [sys.executable, "-m", "nodegraph", command, str(path), *more]
    environment = os.environ | {"PYTHONPATH": f"{site}{os.pathsep}{ROOT}"}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2, done
    assert "Traceback" not in done.stderr, done.stderr
    assert all(word in done.stderr for word in says), done.stderr
    assert "bad_nodes.py" in done.stderr, f"it says where: {done.stderr}"
    assert not (tmp_path / "out.wav").exists()


def test_a_disk_without_room_is_told_and_nothing_is_left(tone: Path, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="limits of the file size are a thing of Unix")

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run(  # so that the kernels are cached, whose files are files, too
        [sys.executable, "-m", "nodegraph", "render", str(tone), "-o", str(tmp_path / "first.wav"), "--seconds", "0.1"],
        env=environment, check=True, capture_output=True,
    )  # fmt: skip
    os.unlink(tmp_path / "first.wav")
    old = b"what was there before"
    (tmp_path / "out.wav").write_bytes(old)
    command = [sys.executable, "-m", "nodegraph", "render", str(tone), "-o", str(tmp_path / "out.wav")]
    done = subprocess.run(command, env=environment, preexec_fn=small, capture_output=True, text=True)
    assert done.returncode == 2, done
    assert "Traceback" not in done.stderr, done.stderr
    assert "out.wav" in done.stderr and "cannot be written" in done.stderr and "room" in done.stderr, done.stderr
    assert names(tmp_path) == ["out.wav", "tone.ng"], "nothing is left beside it"
    assert (tmp_path / "out.wav").read_bytes() == old, "what stood there stays"


def test_words_that_are_no_command_are_told(nodegraph: Command) -> None:
    for words in (["dance"], ["render"], ["run", "a.ng", "--loud"], ["models"]):
        said = nodegraph(*words)
        assert said.code == 2 and "usage: nodegraph" in said.err, said


def test_a_folder_that_takes_no_files_is_told(tone: Path, nodegraph: Command) -> None:
    if not Path("/proc/self").exists():  # macOS
        pytest.skip("there is no /proc here: the folder in which nobody may make files")
    said = nodegraph("render", tone, "-o", "/proc/out.wav")
    assert said.code == 2 and said.err.startswith("/proc/out.wav: ") and "cannot be written" in said.err, said
