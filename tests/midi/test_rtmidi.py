"""rtmidi itself, through JACK: messages go both ways, ports come and go. In a process and on a server of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.runtime.conftest import JackServer

ROOT = Path(__file__).parents[2]
PROGRAM = """
import time
from nodegraph import Patch
from nodegraph.midi.door import MidiDoor
from nodegraph.midi.ports import rtmidi_system
import rtmidi

def until(what, why):
    end = time.monotonic() + 60
    while not what():
        assert time.monotonic() < end, why
        time.sleep(0.005)

patch = Patch(title="Echo")
patch.connect(patch.add("sine~", "tone"), patch.add("out~"))
patch.connect(patch.add("midiin", "from", port="device").message, patch.add("midiout", "to", port="device").x)
heard = []

def plug():
    out, into = (kind(rtmidi.API_UNIX_JACK, name="device") for kind in (rtmidi.MidiOut, rtmidi.MidiIn))
    into.ignore_types(sysex=False)
    into.set_callback(lambda event, _: heard.append(bytes(event[0])))
    out.open_virtual_port("keys")
    into.open_virtual_port("synth")
    return out, into

with patch.play(driver="null") as playing:
    door = MidiDoor(playing, system=lambda: rtmidi_system("jack"), look_s=0.05)
    for count in (1, 2):
        device = plug()
        status = lambda: [name for end in ("inputs", "outputs") for name in door.status()[end] if "device" in name]
        until(lambda: len(status()) == 2, f"the device is open: {door.status()}")
        sent = [bytes((0x90, k, 1)) for k in range(40)] + [b"\\xf0" + bytes(500) + b"\\xf7"]
        for data in sent:
            again, end = 0.0, time.monotonic() + 60
            while data not in heard:  # JACK loses what a client sends that is late, as on a machine with other work
                assert time.monotonic() < end, f"{data.hex(' ')} does not come back: {door.status()}"
                if time.monotonic() > again:
                    device[0].send_message(data)
                    again = time.monotonic() + 0.5
                time.sleep(0.001)
        assert set(heard) == set(sent), "what comes is what was sent"
        heard.clear()
        for end in device:
            end.close_port()
            end.delete()
        until(lambda: not status(), "it is noticed that the device has gone")
        heard.clear()
    playing.stop()
    assert door.wait(60)
print("rtmidi", "done")
"""


def test_rtmidi_carries_messages_and_its_ports_come_and_go(jack_server: JackServer) -> None:
    environment = os.environ | {"JACK_DEFAULT_SERVER": jack_server.name, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=400
    )
    assert done.returncode == 0 and "rtmidi done" in done.stdout, done.stdout + done.stderr
