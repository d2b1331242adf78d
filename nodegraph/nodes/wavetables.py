"""Oscillators that read their wave from a table."""

from __future__ import annotations

from math import floor, log
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nodegraph.core import BlockNode, MediaError, Problem, inlet, memory, node, outlet, setting
from nodegraph.core.arithmetic import i64, rows, signed
from nodegraph.nodes.delays import lagrange
from nodegraph.nodes.oscillators import phase_of
from nodegraph.nodes.soundfiles import read_sound

BITS: Final = 12
SIZE: Final = 1 << BITS  # frames of a table: four times as many as it has harmonics, for the interpolation
HARMONICS: Final = 1_024
LEVELS: Final = 31  # a third of an octave from one to the next: from 1024 harmonics down to 1
WAVES: Final = 64
MOST: Final = 1e6  # of a partial's level
THIRDS = 3.0 / 0.6931471805599453
LEAST_STEP = 1e-6  # of a cycle a frame: far below where the first table serves


def tables(waves: list[NDArray[np.float64]]) -> NDArray[np.float32]:
    """Each spectrum (harmonic 0 first) as `LEVELS` tables, less and less of its harmonics in each.

    A row is one cycle with one frame before it and two after it, so that four points can be read anywhere.
    """
    found = np.zeros((len(waves) * LEVELS, SIZE + 3), np.float32)
    for number, wave in enumerate(waves):
        for level in range(LEVELS):
            spectrum = np.zeros(SIZE // 2 + 1, np.complex128)
            most = min(int(HARMONICS * 2.0 ** (-level / 3.0) + 1e-9), len(wave) - 1)
            spectrum[1 : most + 1] = wave[1 : most + 1]
            cycle = np.fft.irfft(spectrum, SIZE)
            found[number * LEVELS + level] = np.concatenate([cycle[-1:], cycle, cycle[:2]])
    return found


def spectra_of_file(file: Path, cycle: int) -> list[Any]:
    """The spectra of the cycles in a sound file (the mean of its channels); of more than 64 an even choice."""
    sound = read_sound(file)[0].mean(axis=0, dtype=np.float64)
    length = cycle or len(sound)
    count = max(1, len(sound) // length)
    waves = [sound[k * length : (k + 1) * length] for k in range(count)]
    if count > WAVES:
        waves = [waves[round(k)] for k in np.linspace(0, count - 1, WAVES)]
    return [np.fft.rfft(wave) * (SIZE / len(wave)) for wave in waves]


def spectra_of_levels(given: list[Any]) -> list[Any]:
    """The spectra of waves that are given as the levels of their partials; each wave peaks at 1."""
    lists = [item if isinstance(item, list) else [item] for item in given]
    lists = lists if any(isinstance(item, list) for item in given) else [list(given)]
    found = []
    for levels in lists[:WAVES]:
        numbers = [float(level) for level in levels[:HARMONICS] if isinstance(level, (int, float))]
        numbers = [min(max(level, -MOST), MOST) for level in numbers]
        spectrum = np.zeros(HARMONICS + 1, np.complex128)
        spectrum[1 : len(numbers) + 1] = -0.5j * SIZE * np.array(numbers)  # sines, which all begin at 0
        peak = np.abs(np.fft.irfft(spectrum, SIZE)).max() if numbers else 0.0
        found.append(spectrum / peak if peak > 0.0 else spectrum)
    return found


def look_up(table, row, angle):
    """The value of a row at a phase, between four frames."""
    place = angle >> (32 - BITS)
    t = signed((angle << BITS) >> 8) * (1.0 / 16_777_216.0)
    k = i64(place)
    return lagrange(table[row, k], table[row, k + 1], table[row, k + 2], table[row, k + 3], t)


def blended(table, row, lower, upper, fade, angle):
    """A wave between two of its tables."""
    found = look_up(table, row + lower, angle)
    if fade > 0.0:
        found += fade * (look_up(table, row + upper, angle) - found)
    return found


class Tables(BlockNode):
    """What the nodes below share: how a table is read."""

    freq = inlet.control(440.0, "cycles a second", unit="Hz", span=(-20_000.0, 20_000.0))
    position = inlet.control(0.0, "0 first wave, 1 last wave", span=(0.0, 1.0))
    phase = inlet.control(0.0, "shift in cycles; as a signal, phase modulation", unit="cycles", span=(-1.0, 1.0))
    y = outlet.signal("the wave")
    table = memory.array(rows=True)
    angle = memory(0)

    @staticmethod
    def process(freq, position, phase, y, table, angle, rate, frames):
        waves = rows(table) // LEVELS
        for i in range(frames):
            step = freq[i] * (1.0 / rate)
            # the level from which on every harmonic is below half the rate, and how far the pitch is beyond it
            need = THIRDS * log(max(min(abs(step), 1.0), LEAST_STEP) * (2.0 * HARMONICS))
            whole = floor(need)
            fade = need - whole if need > -1.0 else 0.0
            lower = max(min(i64(whole) + 1, LEVELS - 1), 0)
            upper = min(lower + 1, LEVELS - 1)
            place = min(max(position[i], 0.0), 1.0) * (waves - 1)
            wave = floor(place)
            between = place - wave
            row = i64(wave) * LEVELS
            now = angle + phase_of(phase[i])
            found = blended(table, row, lower, upper, fade, now)
            if between > 0.0:
                found += between * (blended(table, row + LEVELS, lower, upper, fade, now) - found)
            y[i] = found
            angle = angle + phase_of(step)


@node("wavetable~", aliases=("Osc", "OscN", "VOsc", "tabosc4~", "wave~", "table~", "wt~"))
class Wavetable(Tables):
    """Play a wave from a sound file, band-limited.

    Each `cycle` frames of the file are one wave; 0 takes the whole file as one. Their level stays, a constant offset is
    left out, several channels are mixed. `position` goes through up to 64 waves and mixes those that it stands between;
    of more waves an even choice is kept.

    Every wave is kept 31 times, from 1024 harmonics to one, a third of an octave apart (half a megabyte a wave). Two
    that fit below half the rate are read and faded as `freq` moves, so nothing folds back, a glide has no seam, and all
    harmonics below 0.31 times the rate are there at their level (15 kHz at 48 kHz), up to the 1024th. Tables have 4096
    frames and are read with four points: what that adds to a saw stays below -75 dB. `freq` and `phase` may be
    modulated, through zero, too; fast modulation adds sidebands of its own. Latency 0 frames.

    Errors: MediaError when the file is missing, damaged or has no frames.

    Source: M. Puckette, *The Theory and Technique of Electronic Music*, chapter 2; T. Laakso and others, "Splitting the
    Unit Delay", IEEE Signal Processing Magazine, 1996.
    """

    file = setting.file("a sound file with one cycle or more")
    cycle = setting.number(0, "frames of a cycle in the file; 0 is the whole file", span=(0, 1_000_000))

    @staticmethod
    def arrange(file: Path | str, cycle: float) -> dict[str, Any]:
        if not file:
            raise MediaError(Problem("no-file", "'wavetable~' has no file.", "Set 'file' to the name of a sound file."))
        return {"table": tables(spectra_of_file(Path(file), int(cycle)))}


@node("partials~", aliases=("sinesum", "sine1", "harmonics~", "additive~", "GEN10"))
class Partials(Tables):
    """Play a wave of harmonics whose levels are given: an organ's drawbars.

    `levels` are those of harmonic 1, 2, 3 and so on, up to the 1024th, all of them sines; below 0 turned over. A list
    of such lists makes several waves, up to 64, through which `position` goes. Each wave peaks at 1. Made into tables
    and read as in `wavetable~`: band-limited at every pitch. Latency 0 frames.

    Source: M. Puckette, *The Theory and Technique of Electronic Music*, chapter 2; as Pd's sinesum.
    """

    levels = setting.list([1.0, 0.5, 0.333, 0.25], "levels of the harmonics, or several lists of them")

    @staticmethod
    def arrange(levels: list[Any]) -> dict[str, Any]:
        return {"table": tables(spectra_of_levels(levels))}
