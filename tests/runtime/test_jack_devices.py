"""Real servers that die, come again and are exchanged, while a patch plays. They have JACK's dummy back end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nodegraph import DeviceError
from tests.runtime.conftest import JackServer, start_jack
from tests.runtime.test_supervisor import played, tone, unfaded, until


@pytest.fixture
def other_server() -> Iterator[JackServer]:
    server = start_jack("nodegraph-other", block=512, rate=44_100)
    yield server
    server.stop()


def listens_to(server: JackServer) -> list[str]:
    """What the server's first loudspeaker is connected to; asked elsewhere, as libjack knows one server at a time."""
    said = subprocess.run(
        ["jack_lsp", "-s", server.name, "-c", "system:playback_1"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return [line.strip() for line in said.stdout.splitlines() if line.startswith(" ")]


def test_a_server_is_killed_while_it_plays_and_started_again(tmp_path: Path) -> None:
    server = start_jack("nodegraph-dies")
    again: JackServer | None = None
    patch = tone()
    try:
        with patch.play(driver="jack", device=server.name, record=tmp_path / "take.wav") as playing:
            played(playing, 0.3)
            assert "JACK client" in playing.status()["driver"]
            server.kill()
            until(lambda: playing.status()["device"]["state"] == "gone", "the loss is noticed")
            assert "null driver (the device has gone)" in playing.status()["driver"]
            played(playing, 0.3)
            again = JackServer(server.name, server.rate, server.block)
            until(lambda: playing.status()["device"]["returns"] == 1, "the return")
            assert "JACK client" in playing.status()["driver"]
            played(playing, 0.3)
            assert listens_to(again) == ["nodegraph:out_1"]
    finally:
        (again or server).stop()
    take, _ = soundfile.read(tmp_path / "take.wav", dtype="float32")
    whole = unfaded(take)
    assert np.array_equal(take[:whole], patch.render(seconds=len(take) / 48_000).audio.T[:whole])


def test_from_one_server_to_another_and_back_to_none(jack_server: JackServer, other_server: JackServer) -> None:
    with tone().play(driver="jack", device=jack_server.name) as playing:
        played(playing, 0.1)
        with pytest.raises(DeviceError, match=r"runs at 44100 Hz, the patch at 48000 Hz. Use --rate 44100"):
            playing.switch(device=other_server.name)
        with pytest.raises(DeviceError, match="no JACK server 'nobody-is-there' is running"):
            playing.switch(device="nobody-is-there")
        with pytest.raises(DeviceError, match="the JACK server's blocks are of 256 frames"):
            playing.switch(block=128)
        with pytest.raises(DeviceError, match="the JACK server runs at 48000 Hz, the patch at 96000 Hz"):
            playing.switch(rate=96_000)
        played(playing, 0.1)
        assert listens_to(jack_server) == ["nodegraph:out_1"], "the old one plays on"
        playing.switch(device=other_server.name, rate=44_100)
        assert "44100 Hz, blocks of 512" in playing.status()["driver"]
        played(playing, 0.2)
        assert playing.status()["outputs"][0] == pytest.approx(0.25, abs=1e-2)
        assert listens_to(other_server) == ["nodegraph:out_1"]
        until(lambda: not listens_to(jack_server), "the old client's end")
        playing.switch(driver="null", block=64)
        assert "null driver" in playing.status()["driver"] and "blocks of 64" in playing.status()["driver"]
        played(playing, 0.1)
        playing.switch(driver="jack", device=other_server.name)
        played(playing, 0.1)
        assert playing.status()["device"] == {"state": "playing", "gone_s": 0.0, "losses": 0, "returns": 0}


def test_portaudio_on_a_server_that_is_killed_goes_on_and_ends(tmp_path: Path) -> None:
    """PortAudio sees JACK as a device. It waits for a server that was killed for ever, when its stream is closed."""
    server = start_jack("nodegraph-pa")
    program = (
        "import sys\n"
        "from tests.runtime.test_supervisor import played, tone, until\n"
        "with tone().play(driver='portaudio', device='system', record=sys.argv[1]) as playing:\n"
        "    played(playing, 0.3)\n"
        "    print('playing', playing.status()['driver'], flush=True)\n"
        "    until(lambda: playing.status()['device']['state'] == 'gone', 'the loss')\n"
        "    print('gone', flush=True)\n"
        "    played(playing, 0.3)\n"
        "    print('end', playing.status()['driver'], flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "take.wav")],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, "JACK_DEFAULT_SERVER": server.name},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said.startswith("playing system, 48000 Hz"), said
        server.kill()
        assert process.stdout.readline() == "gone\n"
        out, _ = process.communicate(timeout=90)
        assert out.startswith("end null driver (the device has gone)") and process.returncode == 0, out
    finally:
        process.kill()
        process.wait()
        server.stop()
    take, _ = soundfile.read(tmp_path / "take.wav", dtype="float32")
    whole = unfaded(take)
    assert np.array_equal(take[:whole], tone().render(seconds=len(take) / 48_000).audio.T[:whole])
