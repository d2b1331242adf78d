"""`nodegraph render`: a patch into a file."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nodegraph import Patch
from tests.cli.conftest import Command

THROUGH = (
    '{"nodegraph": 1, "nodes": {"in": {"kind": "in~", "channels": 2}, "out": {"kind": "out~"}},'
    ' "cables": ["in.y -> out.x"]}'
)


def test_the_same_patch_gives_the_same_bytes_at_any_block(tone: Path, tmp_path: Path, nodegraph: Command) -> None:
    files = []
    for number, block in enumerate(("64", "64", "1000", "17")):
        files.append(tmp_path / f"{number}.wav")
        said = nodegraph("render", tone, "-o", files[-1], "--seconds", "0.7", "--block", block)
        assert said.code == 0, said.err
    first = files[0].read_bytes()
    assert all(file.read_bytes() == first for file in files)
    sound, rate = soundfile.read(files[0], dtype="float32")
    assert (rate, sound.shape) == (48_000, (33_600, 2))
    expected = 0.25 * np.sin(2 * np.pi * 330 * np.arange(33_600) / 48_000)
    assert np.abs(sound[:, 0] - expected).max() < 2e-4, "a sine of 330 Hz at 0.25"
    assert soundfile.info(files[0]).subtype == "FLOAT"


def test_the_same_patch_gives_the_same_bytes_with_any_threads(tone: Path, tmp_path: Path, nodegraph: Command) -> None:
    files = [tmp_path / f"{threads}.wav" for threads in ("1", "2", "auto")]
    for file in files:
        said = nodegraph("render", tone, "-o", file, "--seconds", "0.3", "--threads", file.stem)
        assert said.code == 0, said.err
    assert all(file.read_bytes() == files[0].read_bytes() for file in files)


@pytest.mark.parametrize("threads", ["0", "17", "-1", "many"])
def test_what_is_no_number_of_threads_is_refused(threads: str, tone: Path, tmp_path: Path, nodegraph: Command) -> None:
    said = nodegraph("render", tone, "-o", tmp_path / "a.wav", f"--threads={threads}")
    assert said.code != 0 and threads in said.err
    assert not (tmp_path / "a.wav").exists()


def test_flac_holds_the_same_in_24_bits(tone: Path, tmp_path: Path, nodegraph: Command) -> None:
    for name in ("a.wav", "a.flac"):
        assert nodegraph("render", tone, "-o", tmp_path / name, "--seconds", "0.3").code == 0
    wav, _ = soundfile.read(tmp_path / "a.wav", dtype="float64")
    flac, _ = soundfile.read(tmp_path / "a.flac", dtype="float64")
    assert soundfile.info(tmp_path / "a.flac").subtype == "PCM_24"
    assert np.abs(wav - flac).max() <= 2.0**-23, "one step of 24 bits"


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_the_sound_carries_its_patch_and_can_be_rendered_again(
    suffix: str, tone: Path, tmp_path: Path, nodegraph: Command
) -> None:
    first, second = tmp_path / f"first{suffix}", tmp_path / f"second{suffix}"
    assert nodegraph("render", tone, "-o", first, "--seconds", "0.2", "--set", "osc.freq=500").code == 0
    assert Patch.open(first)["osc"].freq.value == 500, "the patch as it was played"
    assert nodegraph("render", first, "-o", second, "--seconds", "0.2").code == 0
    assert first.read_bytes() == second.read_bytes()


def test_values_are_set_from_outside_and_the_patch_stays(tone: Path, tmp_path: Path, nodegraph: Command) -> None:
    before = tone.read_bytes()
    said = nodegraph("render", tone, "-o", tmp_path / "a.wav", "--seconds", "0.2", "--set", "level.gain=0.5", "--json")
    told = json.loads(said.out)
    assert told["peak"] == pytest.approx(0.5, abs=1e-3)
    assert (told["seconds"], told["rate"], told["channels"]) == (0.2, 48_000, 2)
    assert tone.read_bytes() == before


def test_a_message_is_sent_in_the_beginning(tmp_path: Path, nodegraph: Command) -> None:
    path = tmp_path / "gate.ng"
    path.write_text(
        '{"nodegraph": 1, "nodes": {"osc": {"kind": "sine~"}, "vca": {"kind": "*~", "b": 0}, "say":'
        ' {"kind": "message", "text": "0.5"}, "out": {"kind": "out~"}},'
        ' "cables": ["osc.y -> vca.x", "say.y -> vca.b", "vca.y -> out.x"]}'
    )
    silent = json.loads(nodegraph("render", path, "-o", tmp_path / "a.wav", "--seconds", "0.1", "--json").out)
    heard = nodegraph("render", path, "-o", tmp_path / "a.wav", "--seconds", "0.1", "--set", "say.x=bang", "--json")
    assert silent["peak"] == 0.0
    assert json.loads(heard.out)["peak"] == pytest.approx(0.5, abs=1e-3)


def test_a_file_is_what_the_input_hears_to_the_bit(tmp_path: Path, nodegraph: Command) -> None:
    sound = np.random.default_rng(4).uniform(-0.9, 0.9, (4_800, 2)).astype(np.float32)
    soundfile.write(tmp_path / "in.wav", sound, 48_000, subtype="FLOAT")
    (tmp_path / "through.ng").write_text(THROUGH)
    said = nodegraph("render", tmp_path / "through.ng", "--in", tmp_path / "in.wav", "-o", tmp_path / "out.wav")
    assert said.code == 0, said.err
    out, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    assert len(out) == 4_800 + 2 * 48_000, "the length of what it hears, and 2 s of tail"
    assert np.array_equal(out[:4_800], sound) and not out[4_800:].any()


def test_a_file_of_another_rate_is_resampled(tmp_path: Path, nodegraph: Command) -> None:
    time = np.arange(22_050) / 22_050
    soundfile.write(tmp_path / "in.wav", 0.5 * np.sin(2 * np.pi * 1_000 * time), 22_050, subtype="FLOAT")
    (tmp_path / "through.ng").write_text(THROUGH)
    said = nodegraph(
        "render", tmp_path / "through.ng", "--in", tmp_path / "in.wav", "-o", tmp_path / "out.wav", "--rate", "48000"
    )
    assert said.code == 0, said.err
    out, rate = soundfile.read(tmp_path / "out.wav", dtype="float32")
    middle = out[4_800:43_200, 0]
    expected = 0.5 * np.sin(2 * np.pi * 1_000 * np.arange(4_800, 43_200) / rate)
    assert np.abs(middle - expected).max() < 1e-3, "-60 dB: far above soxr's error, far below any mistake"


def test_without_an_input_the_file_is_what_the_patch_plays(tmp_path: Path, nodegraph: Command) -> None:
    (tmp_path / "sounds").mkdir()
    (tmp_path / "patches").mkdir()
    soundfile.write(tmp_path / "sounds" / "mine.wav", np.full((2_400, 1), 0.25, np.float32), 48_000, subtype="FLOAT")
    path = tmp_path / "patches" / "player.ng"
    path.write_text(
        '{"nodegraph": 1, "nodes": {"voice": {"kind": "play~"}, "out": {"kind": "out~"}},'
        ' "cables": ["voice.y -> out.x"]}'
    )
    for option in (("--in", tmp_path / "sounds" / "mine.wav"), ("--set", f"voice.file={tmp_path}/sounds/mine.wav")):
        said = nodegraph("render", path, "-o", tmp_path / "out.wav", *option)
        assert said.code == 0, said.err
        out, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
        assert len(out) == 2_400 + 96_000
        assert (out[:2_400] == 0.25).all() and not out[2_400:].any()


def test_a_picture_is_drawn(tone: Path, tmp_path: Path, nodegraph: Command) -> None:
    said = nodegraph("render", tone, "-o", tmp_path / "a.wav", "--seconds", "0.5", "--picture", tmp_path / "a.png")
    assert said.code == 0, said.err
    data = (tmp_path / "a.png").read_bytes()
    assert data.startswith(b"\x89PNG") and len(data) > 20_000
    assert str(tmp_path / "a.png") in said.out


def test_an_old_file_is_replaced_only_by_a_whole_one(
    tone: Path, tmp_path: Path, nodegraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nodegraph.runtime.player import Player

    (tmp_path / "a.wav").write_bytes(b"old")
    render = Player.render
    calls = []

    def interrupted(self: Player, *args: object, **kwargs: object) -> None:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        render(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Player, "render", interrupted)
    assert nodegraph("render", tone, "-o", tmp_path / "a.wav", "--seconds", "10").code == 130
    assert (tmp_path / "a.wav").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.wav", "tone.ng"]
