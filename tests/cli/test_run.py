"""`nodegraph run`: a patch live, here on the null driver; and how it ends."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nodegraph import Patch
from tests.cli.conftest import Command

ROOT = Path(__file__).parents[2]


def start(*words: object, cwd: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "nodegraph", *(str(word) for word in words)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )  # fmt: skip


def test_the_recording_is_what_was_played_and_what_a_render_gives(
    tone: Path, tmp_path: Path, nodegraph: Command
) -> None:
    said = nodegraph("run", tone, "--driver", "null", "--seconds", "1", "--record", tmp_path / "take.wav")
    assert said.code == 0, said.err
    assert f"{tmp_path / 'take.wav'}: what was played, 1.00 s" in said.out
    take, rate = soundfile.read(tmp_path / "take.wav", dtype="float32")
    assert len(take) == rate == 48_000
    assert np.array_equal(take.T, Patch.open(tone).render(seconds=1).audio), "live is offline, to the bit"
    assert str(Patch.open(tmp_path / "take.wav")) == str(Patch.open(tone)), "the patch is inside"


def test_status_lines_for_people(tone: Path, nodegraph: Command) -> None:
    said = nodegraph("run", tone, "--driver", "null", "--seconds", "1.6")
    lines = said.out.splitlines()
    assert lines[0].startswith("Tone: null driver"), lines
    assert any("-12.0 dB" in line and "load" in line for line in lines[1:]), "the level of 0.25 is -12 dB"


def test_status_lines_for_programs(tone: Path, nodegraph: Command) -> None:
    said = nodegraph("run", tone, "--driver", "null", "--seconds", "1.6", "--json")
    told = [json.loads(line) for line in said.out.splitlines()]
    assert [item["type"] for item in told[:1] + told[-1:]] == ["begin", "end"]
    status = next(item for item in told if item["type"] == "status")
    assert status["outputs"] == pytest.approx([0.25, 0.25], abs=1e-3)
    wanted = {"driver", "time", "latency_s", "load", "xruns", "late", "inputs", "outputs", "listeners", "heard"}
    assert wanted <= set(status), status
    assert told[-1]["time"] >= 1.6


def test_a_picture_of_what_was_played(tone: Path, tmp_path: Path, nodegraph: Command) -> None:
    said = nodegraph("run", tone, "--driver", "null", "--seconds", "0.5", "--picture", tmp_path / "a.png")
    assert said.code == 0, said.err
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_a_file_is_heard_in_real_time(tmp_path: Path, nodegraph: Command) -> None:
    sound = np.random.default_rng(5).uniform(-0.5, 0.5, (9_600, 1)).astype(np.float32)
    soundfile.write(tmp_path / "in.wav", sound, 48_000, subtype="FLOAT")
    (tmp_path / "through.ng").write_text(
        '{"nodegraph": 1, "nodes": {"in": {"kind": "in~"}, "out": {"kind": "out~"}}, "cables": ["in.y -> out.x"]}'
    )
    said = nodegraph(
        "run", tmp_path / "through.ng", "--in", tmp_path / "in.wav", "--driver", "null", "--seconds", "0.5",
        "--record", tmp_path / "out.wav",
    )  # fmt: skip
    assert said.code == 0, said.err
    out, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    assert np.array_equal(out[:9_600, 0], sound[:, 0]) and not out[9_600:].any()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_with_the_sound_faded_out_and_the_file_finished(
    number: int, code: int, tone: Path, tmp_path: Path
) -> None:
    running = start("run", tone, "--driver", "null", "--record", "take.wav", "--json", cwd=tmp_path)
    assert running.stdout is not None
    for line in running.stdout:
        if json.loads(line)["type"] == "status":
            break
    running.send_signal(number)
    out, err = running.communicate(timeout=60)
    assert running.returncode == code, err
    assert "Traceback" not in err, err
    assert json.loads(out.splitlines()[-1])["record"] == "take.wav"
    take, rate = soundfile.read(tmp_path / "take.wav", dtype="float32")
    assert np.abs(take[: rate // 4]).max() > 0.24, "it sounded"
    assert not take[-1].any(), "and ended in silence"
    fade = np.abs(np.diff(take[:, 0])).max()
    assert fade <= 0.25 * 2 * np.pi * 330 / rate * 1.2, f"no step is larger than the sine's own: {fade}"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["take.wav", "tone.ng"]


def test_the_engine_process_loads_nothing_heavy(tone: Path, tmp_path: Path) -> None:
    program = (
        "import sys, json\nfrom nodegraph.cli import main\n"
        f"code = main(['run', {str(tone)!r}, '--driver', 'null', '--seconds', '0.2'])\n"
        "heavy = {'torch', 'onnxruntime', 'transformers', 'librosa', 'dearpygui', 'pyglet', 'moderngl', 'numba',"
        " 'scipy', 'matplotlib', 'huggingface_hub'}\n"
        "print(json.dumps([code, sorted(heavy & set(sys.modules))]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert json.loads(done.stdout.splitlines()[-1]) == [0, []], done.stderr
