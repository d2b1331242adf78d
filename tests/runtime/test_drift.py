"""Two devices with two clocks: the bridge follows the difference, in tune, without a click, at a bounded latency.

The clocks are simulated, so everything here is the same at every run.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from nodegraph.runtime.drivers.bridge import MOST_S, Bridge, filter_table
from nodegraph.runtime.native import words as w
from tests.runtime.playing import click, same_bits
from tests.runtime.two_clocks import RATE, run, snr_db

SMOOTH = 2e-4


def sine(freq: float, level: float = 0.5) -> Callable[[np.ndarray], np.ndarray]:
    return lambda frames: level * np.sin(2.0 * np.pi * freq / RATE * frames)


@pytest.mark.parametrize("ppm", [0.0, 300.0, -300.0])
@pytest.mark.parametrize("freq", [440.0, 1_000.0, 10_000.0])
def test_tones_stay_clean_at_any_drift(ppm: float, freq: float) -> None:
    out, bridge = run(sine(freq), 40.0, ppm=ppm)
    assert bridge.status()["drift_ppm"] == pytest.approx(ppm, abs=0.1), "it has found the difference of the clocks"
    heard = freq * (1.0 + 1e-6 * ppm)
    assert snr_db(out[0, -2 * RATE :], heard) > 90.0
    assert bridge.status()["restarts"] == 0


@pytest.mark.parametrize(("in_block", "out_block"), [(64, 512), (512, 64), (1024, 256), (441, 256), (32, 32)])
def test_blocks_of_any_two_sizes(in_block: int, out_block: int) -> None:
    out, bridge = run(sine(5_000.0), 40.0, ppm=300.0, in_block=in_block, out_block=out_block)
    assert snr_db(out[0, -2 * RATE :], 5_001.5) > 90.0
    status = bridge.status()
    assert status["restarts"] == 0
    assert status["latency_s"] * RATE <= in_block + 1.05 * out_block + 250
    assert status["delay_s"] == pytest.approx(status["latency_s"], abs=1e-5)


def test_the_delay_is_the_one_that_is_told() -> None:
    """A step that comes in at a known time goes out so much later."""
    out, bridge = run(lambda frames: np.where(frames < 10 * RATE, 0.0, 0.5), 12.0)
    edge = int(np.argmax(out[0] > 0.25))
    # the first pull covers the output's first block; the input's frame k comes in at 0.0013 s + k / rate
    came, went = 10.0 + 0.0013, edge / RATE + 256 / RATE
    assert went - came == pytest.approx(bridge.latency_s, abs=2 / RATE)


def test_ten_minutes_of_a_clock_that_wanders() -> None:
    """The delay stays where it is, and the ring neither runs dry nor over."""
    delays: list[float] = []
    out, bridge = run(
        sine(330.0, 0.25), 600.0, in_block=512, out_block=512,
        ppm=lambda time: 200.0 * np.sin(2 * np.pi * time / 300.0),
        each=lambda time, bridge: delays.append(bridge.status()["delay_s"]) if time > 15.0 else None,
    )  # fmt: skip
    assert bridge.status()["restarts"] == 0
    assert max(abs(delay - bridge.latency_s) for delay in delays) < 0.002
    assert click(out[0, RATE:]) < SMOOTH


@pytest.mark.parametrize("jitter_s", [0.0005, 0.002])
def test_callbacks_that_come_unevenly(jitter_s: float) -> None:
    """What remains of two milliseconds of jitter is a wobble of a few millionths of the pitch: no click, no restart."""
    ratios: list[float] = []
    out, bridge = run(
        sine(330.0, 0.25), 60.0, ppm=150.0, jitter_s=jitter_s,
        each=lambda time, bridge: ratios.append(bridge.status()["drift_ppm"]) if time > 30.0 else None,
    )  # fmt: skip
    assert bridge.status()["restarts"] == 0
    assert click(out[0, RATE:]) < SMOOTH
    assert max(abs(ratio - 150.0) for ratio in ratios) < 60.0, "a tenth of a cent"


def test_an_input_that_stops_fades_and_comes_back_faded_in() -> None:
    out, bridge = run(sine(330.0, 0.25), 20.0, ppm=100.0, input_runs=lambda time: not 5.0 < time < 6.0)
    assert bridge.status()["restarts"] == 1 and bridge.status()["playing"]
    silent = np.abs(out[0, round(5.2 * RATE) : round(5.9 * RATE)])
    assert silent.max() == 0.0
    assert np.abs(out[0, 10 * RATE :]).max() > 0.24
    assert click(out[0]) < 2e-3, "no edge anywhere: the shortest fade is 2 ms"


def test_an_output_that_stops_begins_anew_instead_of_lagging() -> None:
    out, bridge = run(sine(330.0, 0.25), 20.0, output_runs=lambda time: not 5.0 < time < 6.0)
    status = bridge.status()
    assert status["playing"] and status["delay_s"] == pytest.approx(status["latency_s"], abs=1e-3)
    assert np.abs(out[0, -RATE:]).max() > 0.24


def test_latency_grows_when_it_must_and_never_beyond_its_bound() -> None:
    _, bridge = run(sine(330.0), 60.0, jitter_s=0.05, in_block=128, out_block=128)
    status = bridge.status()
    assert status["latency_s"] <= MOST_S + 1e-9
    assert status["restarts"] < 60, "it has learnt how late blocks may come"


@pytest.mark.parametrize("channels", [1, 2, 16, 17, 64])
def test_channels_are_kept_apart_and_alike(channels: int) -> None:
    """Every channel of many is what it is alone."""
    levels = np.linspace(0.1, 0.9, channels)
    out, _ = run(
        lambda frames: np.sin(2 * np.pi * 440 / RATE * frames)[:, None] * levels, 0.5, ppm=80.0, channels=channels
    )
    for c in range(channels):
        alone, _ = run(lambda frames, c=c: np.sin(2 * np.pi * 440 / RATE * frames) * levels[c], 0.5, ppm=80.0)
        assert same_bits(out[c], alone[0]), f"channel {c}"


def test_the_filter_is_flat_below_and_silent_above() -> None:
    table = filter_table().astype(np.float64)
    row = table[0]
    n = np.arange(len(row))
    for freq, least, most in (
        (0.0, 0.999, 1.001),
        (10_000.0, 0.999, 1.001),
        (18_000.0, 0.98, 1.02),
        (26_000.0, 0, 1e-4),
    ):
        gain = abs(np.sum(row * np.exp(-2j * np.pi * freq / RATE * n))) if freq <= 24_000 else _image(table, freq)
        assert least <= gain <= most, f"{freq} Hz: {gain}"


def _image(table: np.ndarray, freq: float) -> float:
    """The filter's gain above half the rate: seen over all phases, it is one long filter."""
    phases = table.shape[0] - 1
    long = table[:-1][::-1].T.reshape(-1) / phases
    n = np.arange(len(long)) / phases
    return float(abs(np.sum(long * np.exp(-2j * np.pi * freq / RATE * n))))


def test_the_detector_finds_a_lost_frame() -> None:
    out, _ = run(sine(330.0, 0.25), 4.0)
    assert click(out[0, RATE:]) < SMOOTH < click(np.delete(out[0, RATE:], 50_000))


def test_its_memory_is_made_once() -> None:
    bridge = Bridge(RATE, 64, 256, 256)
    assert bridge.words[w.B_GROUPS] == 4 and bridge.words[w.B_RING] % 64 == 0 and bridge.words[w.B_TABLE] % 64 == 0
