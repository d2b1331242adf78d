"""Sound that a worker makes comes back a declared time later, the same however it is played, and never clicks."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

import tests.lane.fake_streams as fakes
from nodegraph.core.errors import PatchError
from nodegraph.core.graph import Graph
from nodegraph.runtime.lane.listener import Listener, Request
from nodegraph.runtime.lane.ring import Ring
from nodegraph.runtime.lane.streams import Outflow, answer_frames, latency_frames
from nodegraph.runtime.lane.worker import Worker
from nodegraph.runtime.native import streaming
from nodegraph.runtime.native.compiled import address
from nodegraph.runtime.native.words import NOW
from nodegraph.runtime.player import Player
from tests.runtime.playing import assert_same, discontinuity

RATE = 48_000
BOUND = 3.2e-5
"""-90 dBFS, as for edits (tests/soak)."""
OPTIONS: dict[str, Any] = {"weights": lambda name: {}, "modules": ["tests.lane.fake_streams"]}


def patch(kind: str, **params: Any) -> Graph:
    graph = Graph(fakes.KINDS)
    graph.add("in~", "in", channels=2 if kind == "test.stereo~" else 1)
    graph.add(kind, "model", **params)
    graph.add("out~", "out")
    graph.connect("in.y", "model.x")
    graph.connect("model.y", "out.x")
    return graph


def played(graph: Graph, sound: Any, *, block: int = 64, rate: int = RATE, **options: Any) -> Any:
    player = Player(graph.view, rate, **OPTIONS, **options)
    out = np.zeros((player.engine.outputs, sound.shape[1]), np.float32)
    try:
        player.render(out, sound, block=block)
    finally:
        player.close()
    return out


def noise(seconds: float, channels: int = 1, seed: int = 1) -> Any:
    return (0.2 * np.random.default_rng(seed).standard_normal((channels, round(seconds * RATE)))).astype(np.float32)


def shifted(sound: Any, frames: int) -> Any:
    return np.concatenate([np.zeros((len(sound), frames), np.float32), sound[:, : sound.shape[1] - frames]], axis=1)


@pytest.mark.parametrize("block", [64, 1, 333])
def test_it_comes_back_so_many_frames_later_as_are_declared(block: int) -> None:
    sound = noise(1.0 if block > 1 else 0.2)
    late = latency_frames(fakes.Halved, RATE)
    assert late == 480 + 960, "a chunk, and 20 ms"
    made = played(patch("test.halved~"), sound, block=block)[:1]
    wanted = shifted(sound * np.float32(0.5), late)
    fade = late + 242
    assert_same(made[:, fade:], wanted[:, fade:], "half of it, later")
    assert np.all(made[:, :late] == 0.0) and np.all(np.abs(made[:, :fade]) <= np.abs(wanted[:, :fade]))


@pytest.mark.parametrize("kind", ["test.halved~", "test.late-by-a-model~"])
def test_a_path_beside_it_waits_for_it(kind: str) -> None:
    """The model's own delay is declared, too: sound and model cancel out where they meet."""
    graph = patch(kind)
    graph.add("*~", "dry", b=-0.5 if kind == "test.halved~" else -1.0)
    graph.connect("in.y", "dry.x")
    graph.connect("dry.y", "out.x")
    made = played(graph, noise(0.5))[0]
    settled = made[latency_frames(getattr(fakes, "Halved" if "halved" in kind else "Delayed"), RATE) + 300 :]
    assert len(settled) > 10_000 and np.abs(settled).max() == 0.0


def test_several_channels_and_outlets() -> None:
    graph = patch("test.stereo~")
    graph.add("out~", "side", channel=3, channels=1)
    graph.connect("model.side", "side.x")
    sound = noise(0.5, 2) * np.float32(0.25)
    late = latency_frames(fakes.Stereo, RATE)
    made = played(graph, sound)
    fade = late + 242
    assert_same(made[:2, fade:], shifted(sound[::-1], late)[:, fade:], "exchanged")
    assert_same(made[2:3, fade:], shifted(sound[:1] - sound[1:], late)[:, fade:], "their difference")


@pytest.mark.parametrize("rate", [44_100, 96_000])
def test_at_another_rate_it_is_converted_there_and_back(rate: int) -> None:
    """A tone that the model's rate carries comes back as itself, so many frames later."""
    graph = patch("test.converted~")
    time_s = np.arange(rate) / rate
    sound = (0.5 * np.sin(2 * np.pi * 997.0 * time_s))[None].astype(np.float32)
    late = latency_frames(fakes.Converted, rate)
    made = played(graph, sound, rate=rate)[0]
    settled = slice(late + rate // 10, None)
    wanted = 0.5 * np.sin(2 * np.pi * 997.0 * (time_s - late / rate))
    error = made[settled] - wanted[settled]
    assert 20.0 * np.log10(np.sqrt(np.mean(error**2)) / 0.35) < -60.0


def test_a_loop_through_it_is_refused_with_its_name() -> None:
    graph = patch("test.halved~")
    graph.add("mix~", "sum")
    graph.disconnect("in.y", "model.x")
    for cable in (("in.y", "sum.x"), ("sum.y", "model.x"), ("model.y", "sum.x")):
        graph.connect(*cable)
    with pytest.raises(PatchError, match="leads through 'model', whose sound a worker makes"):
        Player(graph.view, RATE, **OPTIONS)


def test_it_is_told_how_late_it_is() -> None:
    player = Player(patch("test.halved~").view, RATE, **OPTIONS)
    try:
        assert player.status()["latency_frames"] == latency_frames(fakes.Halved, RATE)
        assert answer_frames(fakes.Halved, RATE) == player.status()["late_nodes"]["model"]
    finally:
        player.close()


def toned(**params: Any) -> Graph:
    graph = Graph(fakes.KINDS)
    graph.add("sine~", "tone", freq=220.0)
    graph.add("gain~", "level", gain=0.5)
    graph.add("test.slow-model~", "model", **params)
    graph.add("out~", "out")
    for cable in (("tone.y", "level.x"), ("level.y", "model.x"), ("model.y", "out.x")):
        graph.connect(*cable)
    return graph


TROUBLE = {"sleeps": 1.0, "raises": 2.0, "is too short": 3.0, "dies": 0.0, "is stopped": 0.0}
SIGNALS = {"dies": signal.SIGKILL, "is stopped": signal.SIGSTOP}


@pytest.mark.parametrize("late", ["silence", "dry"])
@pytest.mark.parametrize("name", TROUBLE)
def test_a_model_in_trouble_fades_and_comes_back(name: str, late: str) -> None:
    """Played at the speed of a device, with the sound kept: it never jumps, and it is back, sound as before."""
    graph = toned(late=late)
    player = Player(graph.view, RATE, **OPTIONS)
    blocks: list[Any] = []
    try:
        _wait(player, lambda: player.listeners.status()["model"]["state"] == "ready")
        clock = _Clock(player, blocks)
        clock.until_heard()
        begun = clock.frames
        player.set("model", "what", TROUBLE[name])
        if name in SIGNALS:
            assert player.lanes is not None and player.lanes.pids
            os.kill(player.lanes.pids[0], SIGNALS[name])
            stopped = time.monotonic()
            _wait(player, lambda: clock.played(0.02) and player.listeners.status()["model"]["restarts"] == 1)
            assert time.monotonic() - stopped < 5.0
        clock.play(0.2)
        _wait(player, lambda: clock.played(0.02) and player.listeners.status()["model"]["state"] == "ready")
        clock.play(1.0)
        clock.until_heard()
        status = player.listeners.status()["model"]
    finally:
        player.close()
    sound = np.concatenate(blocks, axis=1)[0]
    assert discontinuity(sound[None, 9_600:]) < BOUND, "it clicks"
    assert np.abs(sound[-9_600:]).max() <= 0.501
    meanwhile = np.abs(sound[begun:-9_600])
    lowest = np.lib.stride_tricks.sliding_window_view(meanwhile, 120).max(axis=1)  # more than half a period
    assert (lowest.min() < 0.01) == (late == "silence"), "what is heard meanwhile"
    assert status["misses"] >= (late == "silence"), status
    assert bool(status["error"]) == (name != "sleeps"), status


class _Clock:
    """Plays as a device would: so many frames as time has passed."""

    def __init__(self, player: Player, blocks: list[Any]) -> None:
        self.player, self.blocks = player, blocks
        self.begun, self.frames = time.monotonic(), 0

    def play(self, seconds: float) -> None:
        goal = self.frames + round(seconds * RATE)
        while self.frames < goal:
            self.played(0.0)

    def until_heard(self) -> None:
        """Play until the sound has been there, whole, for a fifth of a second."""
        end = time.monotonic() + 60.0
        while True:
            self.play(0.2)
            heard = np.abs(np.concatenate(self.blocks[-150:], axis=1)[0])
            if heard.reshape(-1, 480).max(axis=1).min() > 0.45:
                return
            assert time.monotonic() < end, self.player.listeners.status()

    def played(self, seconds: float) -> bool:
        """Play what is due; at least so many seconds."""
        self.player.advance()
        due = round((time.monotonic() - self.begun) * RATE)
        least = self.frames + round(seconds * RATE)
        while self.frames < due or self.frames < least:
            block = np.zeros((2, 64), np.float32)
            self.player.engine.process(None, block, 64)
            self.blocks.append(block)
            self.frames += 64
        time.sleep(0.002)
        return True


def _wait(player: Player, true: Callable[[], object]) -> None:
    end = time.monotonic() + 60.0
    while not true():
        assert time.monotonic() < end, player.listeners.status()
        player.advance()
        time.sleep(0.005)


def test_sound_comes_before_words() -> None:
    """Of all that is due, what is heard is answered first, whoever asked first."""
    worker = Worker(cast(Any, None), os.getppid())
    answered: list[str] = []
    for key, (name, order, sound) in enumerate([("words", 1, False), ("sound", 3, True), ("more", 2, False)]):
        listener = Listener(key, name, "test", cast(Any, SimpleNamespace(written=10_000)), {}, ready=True)
        listener.outflow = cast(Any, object()) if sound else None
        listener.requests.append(Request(1, 480, {}, 0.0, order, None))
        worker.listeners[key] = listener
    worker.door = cast(Any, SimpleNamespace(receive=list))

    def answer(listener: Listener) -> None:
        listener.requests.clear()
        answered.append(listener.id)
        if len(answered) == 3:
            raise EOFError

    worker._answer = answer  # type: ignore[method-assign]
    worker.run()
    assert answered == ["sound", "words", "more"]


class _Played:
    """The audio thread's end by itself: a ring in which the test lays the sound, and what is played of it."""

    def __init__(self) -> None:
        self.ring = Ring(1, 1 << 15)
        self.ring._planes[:] = 1.0  # what must never be heard
        self.engine = np.zeros(64, np.int64)
        ring = self.ring
        self.state = np.array(
            [self.engine.ctypes.data, 1, ring.header_address, ring.data_address, ring.size, 0, 240, 0, 1, 1], np.int64
        )
        kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
        self.call = kind(address(streaming.stream))
        self.sound: list[Any] = []

    def play(self, frames: int) -> None:
        out = np.zeros(frames, np.float32)
        outs = np.array([out.ctypes.data], np.int64)
        self.call(self.state.ctypes.data, 0, outs.ctypes.data, frames)
        self.engine[NOW] += frames
        self.sound.append(out)


def _tone(start: int, frames: int) -> Any:
    return (0.5 * np.sin(np.arange(start, start + frames) * (2 * np.pi * 220.0 / RATE))).astype(np.float32)[None]


@pytest.mark.parametrize("more", range(20, 240, 44))
def test_sound_that_comes_while_it_fades_does_not_turn_the_fade(more: int) -> None:
    played = _Played()
    played.ring.write(0, _tone(0, 1_440))
    played.play(1_440 - more)
    played.ring.write(1_440, _tone(1_440, 2_880))
    played.play(2_400)
    found = np.concatenate(played.sound)[None]
    assert discontinuity(found) < BOUND and np.abs(found[:, 2_000:]).max() > 0.45


def test_two_gaps_at_once_are_one() -> None:
    """A segment between them that nothing has been heard of is left out, and so is what lies in the gaps."""
    played = _Played()
    outflow = Outflow(played.ring, fakes.Halved.hears, RATE)
    outflow.begin(0)
    outflow.say(_tone(0, 1_920))
    played.play(960)
    for frame in (2_400, 3_360):
        outflow.begin(frame)
        outflow.say(_tone(frame, 480))
    outflow.say(_tone(3_840, 1_920))
    for _ in range(8):
        played.play(480)
    found = np.concatenate(played.sound)[None]
    assert discontinuity(found) < BOUND
    assert np.all(found[:, 1_920:3_360] == 0.0) and np.abs(found[:, 3_840:4_600]).max() > 0.45
