"""Frames and time: through jitter, drift, lost blocks, another device, freewheel, and a wall clock that is set."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nodegraph import Patch
from nodegraph.timing.loop import Loop
from nodegraph.timing.timebase import TimeBase

RATE = 48_000
PATIENCE_S = 60.0


def stamps(seconds: float, ppm: float, *, block: int = 256, late_s: float = 0.0, seed: int = 1) -> list[Any]:
    """(frame, when it is due, when its stamp says that it was asked for): late by chance, now and then by 10 ms."""
    chance = np.random.default_rng(seed)
    found = []
    for number in range(int(seconds * RATE / block)):
        due = 1_000.0 + number * block / (RATE * (1.0 + 1e-6 * ppm))
        late = chance.exponential(late_s) if late_s else 0.0
        if late_s and chance.random() < 0.02:
            late += chance.uniform(0.0, 0.01)
        found.append((number * block, due, due + late))
    return found


@pytest.mark.parametrize("block", [64, 256, 1_024])
@pytest.mark.parametrize("ppm", [0.0, 300.0, -300.0])
def test_a_device_that_drifts_and_wakes_late_is_known_to_a_fifth_of_a_millisecond(ppm: float, block: int) -> None:
    base = TimeBase(RATE)
    worst = 0.0
    for frame, due, at in stamps(60.0, ppm, block=block, late_s=0.000_1):
        base.feed(frame, at)
        if due > 1_010.0:
            worst = max(worst, abs(base.time_of(frame + RATE) - (due + 1.0 / (1.0 + 1e-6 * ppm))))
    assert worst < 0.000_3, f"{worst * 1e6:.0f} us"
    assert base.drift_ppm == pytest.approx(ppm, abs=20.0)
    assert base.steps == 0


def test_the_line_does_not_jump_from_stamp_to_stamp() -> None:
    base = TimeBase(RATE)
    before, worst = None, 0.0
    for frame, due, at in stamps(30.0, 100.0, late_s=0.000_1):
        base.feed(frame, at)
        if before is not None and due > 1_002.0:
            worst = max(worst, abs(base.time_of(frame) - before))
        before = base.time_of(frame + 256)
    assert worst < 0.000_02, f"{worst * 1e6:.1f} us"


def test_frames_and_times_are_each_others_inverse() -> None:
    base = TimeBase(RATE)
    for frame, _, at in stamps(5.0, 80.0):
        base.feed(frame, at)
    for frame in (0, 12_345, 10_000_000):
        assert base.frame_at(base.time_of(frame)) == frame
        assert base.frame_of(base.wall_of(frame)) == frame
    assert base.wall_of(0) - base.time_of(0) == pytest.approx(time.time() - time.monotonic(), abs=0.1)


@pytest.mark.parametrize("off_s", [0.02, -0.02])
def test_blocks_that_the_device_lost_move_the_line_within_half_a_second(off_s: float) -> None:
    base = TimeBase(RATE)
    for frame, due, at in stamps(20.0, 50.0, late_s=0.000_1):
        moved = off_s if due > 1_010.0 else 0.0
        base.feed(frame, at + moved)
        if due > 1_010.5:
            assert abs(base.time_of(frame) - due - moved) < 0.003, due
    assert base.steps == 1 and base.drift_ppm == pytest.approx(50.0, abs=30.0)


def test_one_stamp_that_is_very_late_moves_it_hardly() -> None:
    base = TimeBase(RATE)
    for frame, due, at in stamps(10.0, 0.0):
        base.feed(frame, at + (0.1 if 1_005.0 <= due < 1_005.005 else 0.0))
        if due > 1_001.0:
            assert abs(base.time_of(frame) - due) < 0.000_1
    assert base.steps == 0


def test_another_device_after_a_gap_begins_another_line() -> None:
    base = TimeBase(RATE)
    for frame, _, at in stamps(3.0, 0.0):
        base.feed(frame, at)
    for frame, due, at in stamps(3.0, -200.0, block=512):
        base.feed(frame + 3 * RATE, at + 4.0)
        assert abs(base.time_of(frame + 3 * RATE) - due - 4.0) < 0.000_2


def test_an_anchor_pins_it_until_it_is_released() -> None:
    base = TimeBase(RATE)
    base.anchor(5_000.0, 96_000)
    for frame, _, at in stamps(2.0, 300.0):
        base.feed(frame, at)
    assert base.wall_of(96_000) == pytest.approx(5_000.0, abs=1e-6)
    assert base.frame_of(5_001.5) == 96_000 + 72_000
    assert base.frame_of(4_999.0) == 48_000
    base.release()
    for frame, _, at in stamps(2.0, 0.0):
        base.feed(frame, at)
    assert base.time_of(0) == pytest.approx(1_000.0, abs=0.001)


class FakeEngine(SimpleNamespace):
    rate = RATE
    waiting = False

    def stamp(self) -> Any:
        return self.now


def test_while_a_server_freewheels_the_line_stays() -> None:
    base, engine = TimeBase(RATE), FakeEngine(now=None)
    for frame, _, at in stamps(3.0, 0.0):
        engine.now = frame, at
        base.look(engine)  # type: ignore[arg-type]
    before = base.time_of(0)
    engine.waiting = True
    for frame, _, at in stamps(3.0, 0.0):
        engine.now = 3 * RATE + 50 * frame, at + 3.0
        base.look(engine)  # type: ignore[arg-type]
    assert base.time_of(0) == before
    engine.waiting = False
    for frame, due, at in stamps(3.0, 0.0):
        engine.now = 200 * RATE + frame, at + 6.0
        base.look(engine)  # type: ignore[arg-type]
        assert abs(base.time_of(200 * RATE + frame) - due - 6.0) < 0.000_2


def test_a_wall_clock_that_is_set_is_followed_and_frames_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    base, engine = TimeBase(RATE), FakeEngine(now=(0, 1_000.0))
    base.look(engine)  # type: ignore[arg-type]
    before = base.wall_of(0)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 3_600.0)
    end = time.monotonic() + PATIENCE_S
    while abs(base.wall_of(0) - before - 3_600.0) > 0.05 and time.monotonic() < end:
        base.look(engine)  # type: ignore[arg-type]
    assert base.wall_of(0) == pytest.approx(before + 3_600.0, abs=0.05)
    assert base.time_of(0) == 1_000.0


def test_a_loop_begins_as_the_line_of_least_squares() -> None:
    chance = np.random.default_rng(3)
    places = np.arange(40.0)
    values = 7.0 + 3.0 * places + chance.normal(0.0, 0.5, 40)
    loop = Loop(0.0, values[0])
    for place, value in zip(places[1:], values[1:], strict=True):
        loop.take(place, value - loop.value_at(place), 1_000)
    step, start = np.polyfit(places, values, 1)
    assert loop.step == pytest.approx(step, rel=1e-9)
    assert loop.value == pytest.approx(start + step * places[-1], rel=1e-9)


def test_a_patch_that_plays_knows_when_its_frames_are_due() -> None:
    """Against what the engine has done when somebody looks: a block and the look's own lateness apart."""
    patch = Patch()
    patch.connect(patch.add("sine~"), patch.add("out~"))
    with patch.play(driver="null", block=256) as playing:
        end = time.monotonic() + PATIENCE_S
        off: list[float] = []
        while time.monotonic() < end:
            before = time.monotonic()
            done = playing.player.engine.done
            off.append(playing.timebase.frame_at(before) - done)
            if len(off) >= 50 and abs(np.median(off[-50:])) < 512:
                break
            time.sleep(0.01)
        assert abs(np.median(off[-50:])) < 512, "frames"
        assert playing.timebase.rate == playing.rate
