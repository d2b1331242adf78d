"""Spectra against numpy and known amplitudes; onsets against recorded instruments whose notes begin at known times."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from nodegraph.core import registry
from tests.contracts.harness import Unit
from tests.listeners.sounds import SAMPLES, played, recording

RATE = 48_000


def columns(x, window="2048", hop=512):
    node = registry().get("spectrum~").cls()
    found = []
    node.id, node.settings = "it", {"window": window, "hop": hop}
    node.host = SimpleNamespace(rate=RATE, send=lambda node, outlet, value: found.append(value))
    stride = node.stride()
    for start in range(0, x.shape[1], stride):
        node.hear(x[:, start : start + stride], None)
    return np.array(found)


@pytest.mark.parametrize("window", ["256", "2048", "16384"])
def test_a_sine_reads_its_amplitude_on_its_line(window):
    size = int(window)
    hz, amplitude = 20 * RATE / size, 0.37
    x = amplitude * np.sin(2 * np.pi * hz * np.arange(2 * size) / RATE)[None].astype(np.float32)
    found = columns(x, window)
    assert found.shape[1] == size // 2 + 1 and found.dtype == np.float32
    assert found[-1].argmax() == 20 and found[-1][20] == pytest.approx(amplitude, rel=1e-5)
    assert found[-1][23:].max() < 1e-5, "a Hann window leaks into the next line only"


@pytest.mark.filterwarnings("error")
def test_what_is_no_number_is_silence_to_a_spectrum():
    x = np.random.default_rng(0).standard_normal((2, 8_192)).astype(np.float32)
    silenced = x.copy()
    x[0, 3_000:3_010], x[:, 5_000], x[1, 6_000] = np.nan, np.inf, -np.inf
    silenced[0, 3_000:3_010] = silenced[:, 5_000] = silenced[1, 6_000] = 0.0
    np.testing.assert_array_equal(columns(x), columns(silenced))


def test_columns_come_every_hop_from_the_first_full_window_on():
    x = np.random.default_rng(0).standard_normal((2, 10_000)).astype(np.float32)
    found = columns(x, "1024", 400)
    mono = x.mean(axis=0)
    ends = [end for end in range(400, 10_001, 400) if end >= 1024]
    assert len(found) == len(ends)
    window = np.hanning(1025)[:-1]
    for column, end in zip(found, ends, strict=True):
        wanted = np.abs(np.fft.rfft(mono[end - 1024 : end] * window)) * 2 / window.sum()
        np.testing.assert_allclose(column, wanted, atol=1e-5)


def onsets(x, rate=RATE, **controls):
    """Times in seconds at which onset~ tells one; the event and the trigger must say the same."""
    found = Unit(registry().get("onset~"), rate).run(len(x), {"x": x[None], **controls}, [64])
    frames = np.flatnonzero(found["trigger"][0])
    assert frames.tolist() == np.flatnonzero(found["onset"][0]).tolist()
    return frames / rate


def score(told, true, late=0.05, early=0.005):
    """Precision and recall, each onset used once."""
    left, hits = list(true), 0
    for time in told:
        near = [begin for begin in left if begin - early <= time <= begin + late]
        if near:
            left.remove(min(near, key=lambda begin: abs(time - begin)))
            hits += 1
    return hits / max(len(told), 1), hits / len(true)


def drums():
    """Recorded drums, one every 0.15 to 0.6 s, over those that still ring."""
    random = np.random.default_rng(3)
    names = "drum_snare_hard drum_heavy_kick drum_tom_mid_hard drum_cymbal_closed bd_haus drum_cowbell sn_dolf"
    hits = [recording(SAMPLES / f"{name}.flac", RATE) for name in names.split()]
    x, true, time = np.zeros(20 * RATE, np.float32), [], 0.3
    while time < 18:
        hit = hits[random.integers(len(hits))]
        hit = hit / np.abs(hit).max() * random.uniform(0.15, 0.5)
        hit = hit[max(int(np.argmax(np.abs(hit) > 0.05 * np.abs(hit).max())) - 48, 0) :][: round(1.5 * RATE)]
        start = round(time * RATE)
        x[start : start + len(hit)] += hit[: len(x) - start]
        true.append(time + 0.001)
        time += random.uniform(0.15, 0.6)
    return x, true


def test_onsets_of_recorded_drums():
    told, true = onsets(drums()[0]), drums()[1]
    precision, recall = score(told, true, late=0.02)
    assert precision >= 0.95 and recall >= 0.95, (precision, recall)


@pytest.mark.parametrize(("program", "name"), [(0, "piano"), (24, "guitar"), (12, "marimba")])
def test_onsets_of_sampled_instruments(program, name, tmp_path: Path):
    random = np.random.default_rng(program)
    notes, time = [], 0.3
    while time < 15:
        length = random.uniform(0.15, 0.6)
        notes.append((round(time, 3), 0.95 * length, int(random.integers(48, 84))))
        time += length
    x = played(notes, RATE, tmp_path, program)
    precision, recall = score(onsets(x), [start for start, _, _ in notes])
    assert precision >= 0.95 and recall >= 0.95, (name, precision, recall)


@pytest.mark.parametrize("rate", [22_050, 44_100, 96_000])
def test_clicks_are_told_at_every_rate_within_13_ms(rate):
    x = np.zeros(2 * rate, np.float32)
    true = np.arange(0.2, 1.8, 0.2)
    for time in true:
        start = round(time * rate)
        x[start : start + rate // 100] = 0.5 * np.random.default_rng(0).standard_normal(rate // 100)
    assert score(onsets(x, rate), true, late=0.013, early=0.0) == (1.0, 1.0)


def test_steady_sound_and_silence_tell_nothing():
    noise = 0.1 * np.random.default_rng(1).standard_normal(5 * RATE).astype(np.float32)
    tone = 0.3 * np.sin(2 * np.pi * 220 * np.arange(5 * RATE) / RATE).astype(np.float32)
    for x in (noise, tone):
        assert (onsets(x) < 0.05).all(), "only the beginning is an onset"
    assert not len(onsets(np.zeros(RATE, np.float32)))


def test_the_gap_holds_onsets_apart():
    x, _ = drums()
    assert np.diff(onsets(x, gap=0.5)).min() >= 0.5 - 1e-9
