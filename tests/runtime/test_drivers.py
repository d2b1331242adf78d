"""Drivers: what is absent is named, the null driver keeps time, and a device that vanishes does not end the music."""

from __future__ import annotations

import time

import numpy as np
import pytest

from nodegraph.core.errors import DeviceError
from nodegraph.runtime.drivers import open_driver
from nodegraph.runtime.drivers.jack import JackDriver
from nodegraph.runtime.drivers.null import NullDriver
from nodegraph.runtime.player import Player
from tests.needs import needs
from tests.runtime.conftest import JackServer
from tests.runtime.playing import voices


def player() -> Player:
    return Player(voices(4).view, 48_000)


def test_the_null_driver_keeps_real_time() -> None:
    one = player()
    driver = open_driver("null", one.engine, block=128)
    began = time.monotonic()
    driver.start()
    one.live(lambda: one.engine.done < 24_000 and time.monotonic() < began + 120)
    took = time.monotonic() - began
    driver.stop()
    assert one.engine.done >= 24_000
    assert took > 0.45, f"half a second of sound took {took:.2f} s: it does not run ahead"
    stopped = one.engine.done
    assert not driver.alive and one.engine.done == stopped
    one.close()


@pytest.mark.parametrize(
    "why", ["there is no sound device", "the device does not open for 2 channels at 48000 Hz: busy"]
)
def test_auto_without_a_device_that_opens_is_the_null_driver_and_says_why(
    why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise DeviceError(f"{why}.", "Do something.")

    monkeypatch.setattr("nodegraph.runtime.drivers.portaudio.PortAudioDriver", refuse)
    one = player()
    driver = open_driver("auto", one.engine)
    assert isinstance(driver, NullDriver) and driver.describe().startswith(f"null driver ({why}), real time, 48000 Hz")
    one.close()


@pytest.mark.parametrize(
    ("kind", "device", "text"),
    [
        ("portaudio", "no such thing", "no device is called 'no such thing'"),
        ("portaudio", 12345, "there is no device 12345"),
        ("nothing", None, "there is no driver 'nothing'"),
    ],
)
def test_absent_devices_are_named(kind: str, device: object, text: str) -> None:
    needs("/usr/lib/x86_64-linux-gnu/libportaudio.so.2", install="apt install libportaudio2")
    one = player()
    with pytest.raises(DeviceError, match=text):
        open_driver(kind, one.engine, device=device)
    one.close()


def test_stopping_fades_to_silence() -> None:
    one = player()
    out = np.zeros((2, 4_800), np.float32)
    one.render(out)
    one.engine.stop()
    tail = np.zeros((2, 4_800), np.float32)
    one.render(tail)
    assert one.engine.silent
    assert np.abs(tail[:, :100]).max() > 1e-3
    assert np.abs(tail[:, 960:]).max() == 0.0
    assert np.abs(np.diff(tail[0, :1_000])).max() <= np.abs(np.diff(out[0])).max() * 1.01
    one.close()


def test_a_server_that_is_killed_is_noticed(jack_server: JackServer) -> None:
    one = player()
    driver = JackDriver(one.engine, "victim", server=jack_server.name)
    driver.start()
    until = time.monotonic() + 120
    one.live(lambda: one.engine.done < 4_800 and time.monotonic() < until)
    assert driver.alive and one.engine.done >= 4_800
    jack_server.kill()
    one.live(lambda: driver.alive and time.monotonic() < until)
    assert not driver.alive
    driver.stop()
    one.close()


@pytest.mark.parametrize(("gives", "takes"), [(0, 1), (1, 2), (2, 4), (64, 64)])
def test_a_device_with_other_channels_than_the_patch(gives: int, takes: int) -> None:
    """PortAudio's callback, called by hand: what one of the two lacks is silent."""
    import ctypes

    from nodegraph.core.graph import Graph
    from nodegraph.runtime.drivers.gate import Gate
    from nodegraph.runtime.native import callbacks
    from nodegraph.runtime.native.compiled import address

    graph = Graph()
    graph.add("in~", "mic", channels=3)
    graph.add("out~", "out", channels=3)
    graph.connect("mic.y", "out.x")
    one = Player(graph.view, 48_000)
    gate = Gate(one.engine, gives, takes)
    given = np.tile(np.arange(1, max(1, gives) + 1, dtype=np.float32) / 100, (64, 1))
    wanted = np.full((64, takes), 9.0, np.float32)
    call = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 6)(address(callbacks.portaudio))
    one.advance()
    call(given.ctypes.data if gives else 0, wanted.ctypes.data, 64, 0, 0, gate.address)
    expected = [(c + 1) / 100 if c < min(gives, 3) else 0.0 for c in range(takes)]
    assert np.array_equal(wanted, np.tile(np.array(expected, np.float32), (64, 1)))
    gate.shut()
    before = one.engine.done
    call(given.ctypes.data if gives else 0, wanted.ctypes.data, 64, 0, 0, gate.address)
    assert not wanted.any() and one.engine.done == before and gate.calls == 2, "a shut gate plays nothing"
    one.close()
