"""A synthesizer that others have made, played by our notes through JACK MIDI: it is heard in tune."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator

import numpy as np
import pytest

from nodegraph import Patch
from nodegraph.midi.door import MidiDoor
from tests.midi.jack_peer import Peer
from tests.midi.waiting import until
from tests.needs import needs
from tests.runtime.conftest import JackServer

FONT = "/usr/share/sounds/sf2/TimGM6mb.sf2"
FLUTE = 73
SECONDS = 1.0
PIECE = 8_192


def free_port() -> int:
    """A port for its shell, which it opens as a server: not the usual one, which another may have."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def fluidsynth(jack_server: JackServer) -> Iterator[str]:
    """A running fluidsynth; the name of its JACK client."""
    needs("fluidsynth", install="apt install fluidsynth")
    font = needs(FONT, install="apt install timgm6mb-soundfont")
    command = [
        "fluidsynth", "-a", "jack", "-m", "jack", "-s", "-i", "-q", "-o", f"audio.jack.server={jack_server.name}",
        "-o", f"midi.jack.server={jack_server.name}", "-o", "audio.jack.id=peer-synth", "-o", "midi.jack.id=peer-synth",
        "-o", "synth.reverb.active=0", "-o", "synth.chorus.active=0", "-o", f"shell.port={free_port()}", str(font),
    ]  # fmt: skip
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield "peer-synth"
    process.terminate()
    process.wait(20)


@pytest.mark.parametrize(("pitch", "hertz"), [(69, 440.0), (57, 220.0)])
def test_fluidsynth_plays_our_notes_in_tune(jack_server: JackServer, fluidsynth: str, pitch: int, hertz: float) -> None:
    patch = Patch()
    patch.connect(patch.add("message", "flute", text=str(FLUTE)).y, patch.add("pgmout", "program").program)
    patch.connect(patch.add("message", "note", text=f"{pitch} 0.8").y, patch.add("noteout", "out").notes)
    patch.connect(patch.add("sine~", "tone"), patch.add("out~"))
    peer = Peer(jack_server.name, "ear")
    peer.start()

    def ports(**kind: bool) -> list[str]:
        return [port.name for port in peer.client.get_ports(fluidsynth, **kind)]

    until(lambda: ports(is_midi=True, is_input=True) and ports(is_audio=True, is_output=True), "fluidsynth is there")
    with patch.play(driver="jack", device=jack_server.name) as playing:
        door = MidiDoor(playing, system=None)
        until(lambda: door.line.device is not None, "the device's MIDI is found")
        peer.client.connect("nodegraph:midi_out", ports(is_midi=True, is_input=True)[0])
        peer.client.connect(ports(is_audio=True, is_output=True)[0], peer.sound)
        peer.records = peer.runs = True
        peer.client.set_freewheel(True)  # nobody is late, so nothing is lost
        playing.set("flute.x", "bang")
        playing.set("note.x", "bang")
        wanted = SECONDS * jack_server.rate
        until(lambda: sum(map(len, peer.recorded[_onset(peer) :])) > 1.5 * wanted, "it is heard")
        sound = np.concatenate(list(peer.recorded)[_onset(peer) :])[: int(1.5 * wanted)]
        assert door.status()["sent"] >= 2
        peer.client.set_freewheel(False)
    peer.close()
    steady = sound[len(sound) // 3 :]
    pieces = [steady[start : start + PIECE] for start in range(0, len(steady) - PIECE, PIECE // 4)]
    found = float(np.median([frequency(piece, jack_server.rate) for piece in pieces]))
    cents = 1_200 * np.log2(found / hertz)
    assert abs(cents) < 10.0, f"{found:.2f} Hz is {cents:+.1f} cents from {hertz} Hz"


def _onset(peer: Peer) -> int:
    """The first block that is heard; behind the last one before."""
    for number, block in enumerate(list(peer.recorded)):
        if np.abs(block).max() > 1e-3:
            return number
    return len(peer.recorded)


def frequency(sound: np.ndarray, rate: int) -> float:
    """The fundamental: a late peak of the autocorrelation, found step by step from the first one, between samples."""
    spectrum = np.fft.rfft(sound, 2 * len(sound))
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)[: len(sound)]
    low, high = rate // 1_000, rate // 100
    period = peak(correlation, low + int(np.argmax(correlation[low:high])))
    for count in range(2, int(len(sound) / 4 / period)):
        near = round(count * period) - 2
        period = peak(correlation, near + int(np.argmax(correlation[near : near + 5]))) / count
    return rate / period


def peak(correlation: np.ndarray, lag: int) -> float:
    """Where a peak is, from a parabola through three lags."""
    a, b, c = correlation[lag - 1 : lag + 2]
    return float(lag + 0.5 * (a - c) / (a - 2 * b + c))
