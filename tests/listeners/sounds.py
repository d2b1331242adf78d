"""The sounds that the listening tests use: recordings from Debian packages, and what numpy can make."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.listeners.driver import Floats, read
from tests.needs import needs

SAMPLES = Path("/usr/share/sonic-pi/samples")
ALSA = Path("/usr/share/sounds/alsa")
DESKTOP = Path("/usr/share/sounds/freedesktop/stereo")
BRINGS = {
    SAMPLES: "apt install sonic-pi-samples",
    ALSA: "apt install alsa-utils",
    DESKTOP: "apt install sound-theme-freedesktop",
}

SPOKEN = [ALSA / f"{name}.wav" for name in ("Front_Center", "Rear_Left", "Side_Right")]
TAGGED = {
    "crow": SAMPLES / "misc_crow.flac",
    "drums": SAMPLES / "loop_breakbeat.flac",
    "choir": SAMPLES / "ambi_choir.flac",
    "speech": ALSA / "Front_Center.wav",
    "noise": ALSA / "Noise.wav",
}


def joined(paths: list[Path], rate: int, pause_s: float) -> Floats:
    """Recordings one after another, with silence before, between and after."""
    pause = np.zeros(round(pause_s * rate), np.float32)
    return np.concatenate([pause] + [part for path in paths for part in (read(path, rate), pause)])


def tone(hz: float, seconds: float, rate: int, harmonics: int = 6, level: float = 0.3) -> Floats:
    """A steady tone whose harmonics fall off as 1/n, faded in and out over 10 ms."""
    time = np.arange(round(seconds * rate)) / rate
    wave = sum(np.sin(2 * np.pi * hz * n * time) / n for n in range(1, harmonics + 1) if hz * n < rate / 2)
    fade = np.minimum(1.0, np.minimum(time, time[::-1]) / 0.01)
    return np.asarray(level * wave * fade, np.float32)


def random_likelihoods(seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Something like what Basic Pitch says of music: (500, 88) keys that sound, and onsets; some weak, some blurred."""
    random = np.random.Generator(np.random.PCG64(seed))
    keys = 0.25 * random.random((500, 88))
    onsets = 0.3 * random.random((500, 88))
    for _ in range(60):
        start, key, length = int(random.integers(0, 490)), int(random.integers(0, 88)), int(random.integers(3, 120))
        sound = random.uniform(0.25, 0.95) * np.exp(-np.arange(length) / random.uniform(20, 200))
        end = min(500, start + length)
        keys[start:end, key] = np.maximum(keys[start:end, key], sound[: end - start])
        for near in (key - 1, key + 1):
            if 0 <= near < 88 and random.random() < 0.3:
                keys[start:end, near] = np.maximum(keys[start:end, near], 0.6 * sound[: end - start])
        if random.random() < 0.8:
            onsets[start, key] = random.uniform(0.4, 1.0)
    # Rounded to what a float32 holds, so that every machine sees the same numbers.
    return np.round(keys, 4), np.round(onsets, 4)


def recording(path: Path, rate: int) -> Floats:
    """A recording from a Debian package as one channel at `rate`; says what to install when it is not here."""
    install = next(how for folder, how in BRINGS.items() if path.is_relative_to(folder))
    return read(needs(path, install=install), rate)


def spoken(text: str, rate: int, folder: Path, voice: str = "en") -> Floats:
    """Synthesised speech."""
    espeak = needs("espeak-ng", install="apt install espeak-ng")
    subprocess.run([str(espeak), "-v", voice, "-w", str(folder / "spoken.wav"), text], check=True)
    return read(folder / "spoken.wav", rate)


def played(notes: list[tuple[float, float, int]], rate: int, folder: Path, program: int = 0) -> Floats:
    """A MIDI instrument that plays (start in s, length in s, key), rendered by fluidsynth without reverb."""
    fluidsynth = needs("fluidsynth", install="apt install fluidsynth")
    bank = needs("/usr/share/sounds/sf2/TimGM6mb.sf2", install="apt install timgm6mb-soundfont")
    (folder / "played.mid").write_bytes(midi_file(notes, program))
    render = [
        str(fluidsynth),
        "-ni",
        "-R",
        "0",
        "-C",
        "0",
        "-g",
        "0.8",
        "-r",
        "44100",
        "-F",
        str(folder / "played.wav"),
    ]
    subprocess.run([*render, str(bank), str(folder / "played.mid")], check=True, capture_output=True)
    return read(folder / "played.wav", rate)


def midi_file(notes: list[tuple[float, float, int]], program: int) -> bytes:
    """A Standard MIDI File, format 0, of 1000 ticks a second (500 a quarter, 120 quarters a minute)."""
    events = [(0, bytes([0xC0, program]))]
    for start, length, key in notes:
        events.append((round(1000 * start), bytes([0x90, key, 100])))
        events.append((round(1000 * (start + length)), bytes([0x80, key, 0])))
    track, now = b"", 0
    for tick, message in sorted(events, key=lambda event: event[0]):
        track += _variable(tick - now) + message
        now = tick
    track += _variable(500) + b"\xff\x2f\x00"
    return b"MThd" + bytes([0, 0, 0, 6, 0, 0, 0, 1, 1, 0xF4]) + b"MTrk" + len(track).to_bytes(4, "big") + track


def _variable(number: int) -> bytes:
    out = [number & 0x7F]
    while number := number >> 7:
        out.append(number & 0x7F | 0x80)
    return bytes(reversed(out))


def random_input(shape: tuple[int, ...], seed: int) -> NDArray[np.float32]:
    """Numbers that every machine makes alike: multiples of 1/64 around 0, as good as normal."""
    random = np.random.Generator(np.random.PCG64(seed))
    return (random.integers(-64, 65, (4, *shape)).sum(axis=0) / 64.0).astype(np.float32)
