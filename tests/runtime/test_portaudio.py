"""PortAudio itself, on ALSA devices of the tests' own: nothing (`type null`) and files (`type file`).

They have no clock and run as fast as they can. PortAudio reads ALSA's configuration once, so each test is a process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.needs import needs

CONFIGURATION = """
</usr/share/alsa/alsa.conf>
pcm.quiet {{ type null hint {{ show on description "quiet" }} }}
pcm.mic {{ type null hint {{ show on description "mic" }} }}
"""
PAIR = """
pcm.pair {{
    type multi slaves.a.pcm "quiet" slaves.a.channels 2
    bindings.0.slave a bindings.0.channel 0 bindings.1.slave a bindings.1.channel 1
    hint {{ show on description "pair" }}
}}
"""
TAPE = """
pcm.tape {{
    type file slave.pcm "quiet" format "raw" file "{folder}/out.raw" infile "{folder}/in.raw"
    hint {{ show on description "tape" }}
}}
"""

PRELUDE = """
import json, sys
import numpy as np
from nodegraph import DeviceError, Patch
from tests.runtime.test_supervisor import until

def through(channels):
    patch = Patch()
    patch.connect(patch.add("in~", "mic", channels=channels), patch.add("out~", "out", channels=max(2, channels)))
    return patch

def tell(**found):
    print(json.dumps(found))
"""


@pytest.fixture
def alsa(tmp_path: Path) -> Path:
    """A folder with a configuration of ALSA."""
    needs("/usr/share/alsa/alsa.conf", install="apt install libasound2-data")
    needs("/usr/lib/x86_64-linux-gnu/libportaudio.so.2", install="apt install libportaudio2")
    (tmp_path / "asoundrc").write_text((CONFIGURATION + PAIR + TAPE).format(folder=tmp_path))
    return tmp_path


def run(folder: Path, program: str) -> dict[str, Any]:
    """What a program tells that runs with these devices."""
    environment = {**os.environ, "ALSA_CONFIG_PATH": str(folder / "asoundrc")}
    said = subprocess.run(
        [sys.executable, "-c", PRELUDE + program], env=environment, capture_output=True, text=True, timeout=120
    )
    assert said.returncode == 0, said.stderr
    return dict(json.loads(said.stdout.splitlines()[-1]))


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ALSA_CONFIG_PATH": str(folder / "asoundrc")}
    return subprocess.run(
        [sys.executable, "-m", "nodegraph", *words], env=environment, capture_output=True, text=True, timeout=120
    )


def test_devices_are_listed_with_the_rates_that_they_take(alsa: Path) -> None:
    """Without `pair`: ALSA takes two seconds to close it, once a rate."""
    (alsa / "asoundrc").write_text((CONFIGURATION + TAPE).format(folder=alsa))
    said = command(alsa, "devices")
    assert said.returncode == 0 and said.stderr == ""
    line = next(line for line in said.stdout.splitlines() if "quiet (ALSA)" in line)
    assert "128 in, 128 out" in line and "takes 8000, 11025, 16000, 22050, 32000, 44100, 48000" in line
    told = json.loads(command(alsa, "devices", "--json").stdout)
    assert {"quiet", "mic", "tape"} <= {item["name"] for item in told["devices"]}
    assert all(48_000 in item["rates"] for item in told["devices"] if item["name"] == "quiet")


@pytest.mark.parametrize("channels", [1, 2, 3, 64])
def test_any_number_of_channels_goes_through_each_in_its_place(alsa: Path, channels: int) -> None:
    """Each channel of the input is a constant of its own, and so is each channel of the output."""
    levels = np.linspace(-0.9, 0.9, channels).astype(np.float32)
    np.tile(levels, 400_000).tofile(alsa / "in.raw")
    run(alsa, f"""
with through({channels}).play(0.5, driver="portaudio", device="tape") as playing:
    until(lambda: playing.time > 0.2, "some sound")
tell(done=True)
""")  # fmt: skip
    out = np.fromfile(alsa / "out.raw", np.float32)
    outputs = max(2, channels)
    frames = out[: len(out) // outputs * outputs].reshape(-1, outputs)
    assert np.array_equal(frames[4_800:9_600, :channels], np.tile(levels, (4_800, 1)))
    assert channels > 1 or np.array_equal(frames[:, 0], frames[:, 1]), "one channel goes to both"


def test_channels_that_a_device_lacks_are_told(alsa: Path) -> None:
    """This device is opened only: ALSA's `multi` on top of nothing never asks for sound."""
    found = run(alsa, """
from nodegraph.runtime.drivers import open_driver
from nodegraph.runtime.engine import Engine
driver = open_driver("portaudio", Engine(48_000, 8, 8), device="pair")
tell(notices=driver.notices, line=driver.describe())
driver.stop()
""")  # fmt: skip
    assert found["notices"] == [
        "pair has 2 outputs: channels 3 to 8 of out~ are not heard.",
        "pair has 2 inputs: channels 3 to 8 of in~ are silent.",
    ]
    assert found["line"] == "pair, 48000 Hz, blocks of 256"


def test_a_device_that_opens_and_does_not_ask_is_refused(alsa: Path) -> None:
    found = run(alsa, """
with through(2).play(driver="portaudio", device="quiet") as playing:
    try:
        playing.switch(device="pair")
    except DeviceError as error:
        time = playing.time
        until(lambda: playing.time > time + 0.1, "it plays on")
        tell(said=str(error), driver=playing.status()["driver"])
""")  # fmt: skip
    assert found["said"] == "pair, 48000 Hz, blocks of 256: it opens, but does not ask for sound."
    assert found["driver"] == "quiet, 48000 Hz, blocks of 256"


def test_another_device_for_the_inputs_is_bridged_and_told(alsa: Path) -> None:
    found = run(alsa, """
with through(2).play(driver="portaudio", device="quiet", input_device="mic") as playing:
    until(lambda: playing.status()["input"]["delay_s"] > 0, "the bridge")
    tell(status=playing.status(), log=playing.log)
""")  # fmt: skip
    status = found["status"]
    assert status["driver"].startswith("quiet (inputs: mic), 48000 Hz")
    assert status["input"]["device"] == "mic" and not status["input"]["gone"]
    assert 0.0 < status["input"]["latency_s"] <= 0.25
    assert {"delay_s", "drift_ppm", "restarts", "playing"} <= set(status["input"])


def test_device_block_and_rate_are_changed_while_it_plays(alsa: Path) -> None:
    (alsa / "in.raw").write_bytes(bytes(1 << 20))
    found = run(alsa, """
refused = []
with through(2).play(driver="portaudio", device="quiet") as playing:
    until(lambda: playing.time > 0.2, "some sound")
    drivers = [playing.status()["driver"]]
    for change in ({"block": 64}, {"device": "tape"}, {"rate": 44_100}, {"input_device": "mic"}, {"driver": "null"}):
        playing.switch(**change)
        drivers.append(playing.status()["driver"])
    for change in ({"device": "nobody"}, {"device": 99}, {"driver": "jack"}, {"driver": "radio"}):
        try:
            playing.switch(**change)
        except DeviceError as error:
            refused.append(str(error))
    time = playing.time
    until(lambda: playing.time > time + 0.1, "it plays on")
    drivers.append(playing.status()["driver"])
tell(drivers=drivers, refused=refused)
""")  # fmt: skip
    quiet, block, device, rate, source, null, last = found["drivers"]
    assert quiet == "quiet, 48000 Hz, blocks of 256"
    assert block == "quiet, 48000 Hz, blocks of 64"
    assert device == "tape, 48000 Hz, blocks of 64"
    assert rate == "tape, 44100 Hz, blocks of 64"
    assert source == "tape (inputs: mic), 44100 Hz, blocks of 64"
    assert null == last and null.startswith("null driver")
    words = ("no device is called 'nobody'", "there is no device 99", "no JACK server", "there is no driver 'radio'")
    assert all(word in said for word, said in zip(words, found["refused"], strict=True)), found["refused"]


def test_portaudio_is_looked_at_again_only_while_no_stream_is_open(alsa: Path) -> None:
    found = run(alsa, """
from nodegraph.runtime.drivers.devices import look_again
before = look_again()
with through(2).play(driver="portaudio", device="quiet") as playing:
    meanwhile = look_again()
    time = playing.time
    until(lambda: playing.time > time, "it plays on")
tell(before=before, meanwhile=meanwhile, after=look_again())
""")  # fmt: skip
    assert found == {"before": True, "meanwhile": False, "after": True}


def test_the_command_line_chooses_devices(alsa: Path) -> None:
    patch = alsa / "through.ng"
    nodes = '"mic": {"kind": "in~"}, "out": {"kind": "out~"}'
    patch.write_text(f'{{"nodegraph": 1, "nodes": {{{nodes}}}, "cables": ["mic.y -> out.x"]}}')
    devices = ["--device", "quiet", "--input-device", "mic", "--rate", "44100", "--block", "128"]
    said = command(alsa, "run", str(patch), "--seconds", "1", *devices)
    assert said.returncode == 0 and "quiet (inputs: mic), 44100 Hz, blocks of 128" in said.stdout, said
    said = command(alsa, "run", str(patch), "--seconds", "1", "--device", "quiet", "--input-device", "nothing like it")
    assert said.returncode == 2 and "no device is called 'nothing like it'" in said.stderr, said
    assert "nodegraph devices" in said.stderr
    shown = command(alsa, "run", "--help").stdout
    assert "--input-device" in shown and "nodegraph devices" in shown
