"""Real peers: liblo's tools and library, Pure Data, scsynth. What they send acts, and what we send they hear."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodegraph import Patch
from nodegraph.osc.building import message
from nodegraph.osc.door import Door
from nodegraph.osc.packets import parse
from nodegraph.session.session import Session
from tests.needs import needs
from tests.osc.conftest import Client, until
from tests.runtime.conftest import JackServer


def free_port() -> int:
    """A UDP port that was free a moment ago."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextmanager
def running(command: list[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A peer, ended at the end."""
    process = subprocess.Popen(command, text=True, stdin=subprocess.DEVNULL, **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def sender(port: int, **settings: Any) -> Patch:
    """A patch that can send, and plays a tone."""
    patch = Patch("Sender")
    patch.connect(patch.add("sine~", "osc"), patch.add("gain~", "level", gain=0.25), patch.add("out~", "out"))
    patch.add("osc.send", "send", port=port, rate=0.0, **settings)
    patch.add("osc.receive", "got", address="/from/*")
    return patch


def test_oscsend_plays_us(session: Session, door: Door) -> None:
    tool = str(needs("oscsend", install="apt install liblo-tools"))
    session.play()
    for types, words, expected in (
        ("f", ["0.5"], 0.5),
        ("i", ["1"], 1.0),
        ("d", ["0.125"], 0.125),
        ("fi", ["2", "20"], 2.0),
    ):
        subprocess.run([tool, "127.0.0.1", str(door.port), "/patch/level/gain", types, *words], check=True, timeout=60)
        until(lambda expected=expected: session.get("level.gain") == expected, f"{types} {words}")
    subprocess.run(
        [tool, f"osc.tcp://127.0.0.1:{door.tcp_port}", "/patch/level/gain", "f", "0.75"], check=True, timeout=60
    )
    until(lambda: session.get("level.gain") == 0.75, "by TCP")


def test_oscdump_hears_our_feedback_and_our_nodes(tmp_path: Path) -> None:
    tool = str(needs("oscdump", install="apt install liblo-tools"))
    port = free_port()
    said = tmp_path / "said"
    with (
        said.open("w") as out,
        running([tool, "-L", str(port)], stdout=out),
        Session(sender(port), driver="null") as session,
        Door(session, port=0) as door,
    ):
        session.play()
        client = Client(door)

        def heard(text: str, value: float) -> bool:
            client.send("/subscribe", "/patch/level/gain", port)  # until it is there to hear it
            session.set("level.gain", value)
            session.set("send.x", (value, "word", 7))
            return text in said.read_text()

        until(lambda: heard("/patch/level/gain f 0.5", 0.5), "feedback")
        until(lambda: heard('/nodegraph fsi 0.750000 "word" 7', 0.75), "what a node sends")
        client.close()


@pytest.mark.parametrize("protocol", ["udp", "tcp", "tcp-slip"])
def test_liblo_and_we_talk_both_ways(protocol: str) -> None:
    import pyliblo3

    server = pyliblo3.Server(proto=pyliblo3.UDP if protocol == "udp" else pyliblo3.TCP)
    heard: list[tuple[str, list[Any], str]] = []
    server.add_method(None, None, lambda path, args, types: heard.append((path, args, types)))
    with (
        Session(sender(server.port, protocol=protocol), driver="null") as session,
        Door(session, port=0, tcp_port=0) as door,
    ):
        session.play()
        session.set("send.x", (1, 0.5, "text", b"blob", True, None, 2**40))

        def came() -> bool:
            server.recv(10)
            return bool(heard)

        until(came, "a message of ours")
        path, args, types = heard[0]
        assert (path, types) == ("/nodegraph", "ifsbTNh")
        assert args[:3] == [1, 0.5, "text"] and bytes(args[3]) == b"blob" and args[4:] == [True, None, 2**40]

        events: list[Any] = []
        session.news.listen(lambda topic, data: events.extend(data["events"]), ("events",))
        tcp = protocol != "udp"
        port = door.tcp_port if tcp else door.port
        target = pyliblo3.Address("127.0.0.1", port, pyliblo3.TCP if tcp else pyliblo3.UDP)
        pyliblo3.send(target, pyliblo3.Bundle(
            pyliblo3.Message("/patch/level/gain", 0.5), pyliblo3.Message("/from/liblo", "hello", ("d", 0.125)),
        ))  # fmt: skip
        until(lambda: session.get("level.gain") == 0.5, "its number")
        until(lambda: any(item[2] == ["hello", 0.125] for item in events), "its message at a node")
    server.free()


PD = """#N canvas 0 0 400 300 10;
#X obj 10 10 netreceive -u -b {ours};
#X obj 10 40 oscparse;
#X obj 10 70 list trim;
#X obj 10 100 route ping;
#X obj 10 130 oscformat patch level gain;
#X obj 10 160 list prepend send;
#X obj 10 190 list trim;
#X obj 10 220 netsend -u -b;
#X msg 200 160 connect 127.0.0.1 {theirs};
#X obj 200 130 loadbang;
#X connect 0 0 1 0;
#X connect 1 0 2 0;
#X connect 2 0 3 0;
#X connect 3 0 4 0;
#X connect 4 0 5 0;
#X connect 5 0 6 0;
#X connect 6 0 7 0;
#X connect 8 0 7 0;
#X connect 9 0 8 0;
"""


def test_pure_data_gets_our_numbers_and_plays_us_with_them(tmp_path: Path) -> None:
    """A number leaves by a node, goes through Pd, and comes back to a parameter: there and back, a hundred times."""
    tool = str(needs("pd", install="apt install puredata-core"))
    port = free_port()
    with Session(sender(port, address="/ping"), driver="null") as session, Door(session, port=0) as door:
        (tmp_path / "echo.pd").write_text(PD.format(ours=port, theirs=door.port))
        session.play()
        command = [tool, "-nogui", "-noprefs", "-noaudio", "-nomidi", "-nrt", "-open", str(tmp_path / "echo.pd")]
        with running(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
            for number in range(1, 101):
                value = number / 128.0

                def back(value: float = value) -> bool:
                    session.set("send.x", value)
                    return session.get("level.gain") == value

                until(back, f"{value} from Pd")
    assert door.counters.malformed == 0 and door.counters.errors == 0


def synth_def() -> bytes:
    """A tone as scsynth's own bytes: Out.ar(0, SinOsc.ar(freq)), with a control of the name of freq."""

    def text(word: str) -> bytes:
        return bytes([len(word)]) + word.encode()

    def ugen(name: str, rate: int, inputs: list[tuple[int, int]], outputs: int) -> bytes:
        head = text(name) + struct.pack(">biih", rate, len(inputs), outputs, 0)
        return head + b"".join(struct.pack(">ii", *item) for item in inputs) + bytes([rate]) * outputs

    ugens = [ugen("Control", 1, [], 1), ugen("SinOsc", 2, [(0, 0), (-1, 0)], 1), ugen("Out", 2, [(-1, 0), (1, 0)], 0)]
    body = text("tone") + struct.pack(">if", 1, 0.0) + struct.pack(">if", 1, 220.0)
    body += struct.pack(">i", 1) + text("freq") + struct.pack(">i", 0)
    return b"SCgf" + struct.pack(">ih", 2, 1) + body + struct.pack(">i", len(ugens)) + b"".join(ugens) + b"\0\0"


def test_scsynth_plays_what_we_tell_it(jack_server: JackServer) -> None:
    """A node of ours defines a tone, starts it and moves it; it is heard in tune on the other side of JACK."""
    import jack

    tool = str(needs("scsynth", install="apt install supercollider-server"))
    port = free_port()
    environment = {**os.environ, "JACK_DEFAULT_SERVER": jack_server.name, "SC_JACK_DEFAULT_OUTPUTS": ""}
    command = [tool, "-u", str(port), "-B", "127.0.0.1", "-R", "0", "-i", "0", "-o", "1"]
    with running(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        asker.settimeout(0.2)

        def answered(question: bytes, address: str) -> Any:
            asker.sendto(question, ("127.0.0.1", port))
            try:
                return next((item.args for item in parse(asker.recv(65_536)) if item.address == address), None)
            except (TimeoutError, ConnectionError):
                return None

        until(lambda: answered(message("/status"), "/status.reply"), "scsynth is up")
        with Session(sender(port), driver="null") as session, Door(session, port=0):
            session.play()
            session.set("send.x", ("/d_recv", synth_def()))
            until(lambda: _started(session, answered), "its tone plays")
            session.set("send.x", ("/n_set", 1_000, "freq", 660.0))
            until(
                lambda: answered(message("/s_get", (1_000, "freq")), "/n_set") == (1_000, "freq", 660.0), "it is moved"
            )
            heard: deque[np.ndarray] = deque(maxlen=64)
            client = jack.Client("ear", servername=jack_server.name, no_start_server=True)
            ear = client.inports.register("in")
            client.set_process_callback(lambda frames: heard.append(ear.get_array().copy()))
            client.activate()
            try:
                client.connect(client.get_ports("SuperCollider", is_output=True)[0], ear)

                def in_tune() -> bool:
                    if len(heard) < 64:
                        return False
                    sound = np.concatenate(list(heard))
                    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
                    return (
                        abs(np.argmax(spectrum) * jack_server.rate / len(sound) - 660.0) < 5.0
                        and spectrum.max() > 100.0
                    )

                until(in_tune, "660 Hz")
            finally:
                client.deactivate()
                client.close()
        asker.close()


def _started(session: Session, answered: Any) -> bool:
    session.set("send.x", ("/s_new", "tone", 1_000, 0, 0, "freq", 440.0))
    return answered(message("/s_get", (1_000, "freq")), "/n_set") == (1_000, "freq", 440.0)


def test_python_osc_plays_us(session: Session, door: Door) -> None:
    from pythonosc.udp_client import SimpleUDPClient

    theirs = SimpleUDPClient("127.0.0.1", door.port)
    theirs.send_message("/patch/level/gain", 0.375)
    until(lambda: session.get("level.gain") == 0.375, "its number")
    theirs._sock.close()
