"""Pictures of sound: waveform, spectrogram, and what the listeners said, over one axis of time.

Drawn by matplotlib without a screen; nothing of it is imported before a picture is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from nodegraph.core.errors import MediaError, Problem
from nodegraph.core.messages import Event, Note, Tag

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

Floats = NDArray[np.float32]
CYAN, PURPLE, GREEN, MAGENTA = "#00F5FF", "#B026FF", "#39FF14", "#FF2FD6"
NIGHT, PANEL, GRID, INK, FAINT = "#07070D", "#0C0C16", "#22223A", "#E8E8F4", "#8A8AA8"
INCHES, DPI = (16.0, 9.0), 120
COLUMNS, ROWS = 1400, 420
LOW_HZ, HIGH_HZ = 40.0, 16_000.0
RANGE_DB = 72.0
MOST_TAGS = 7
KEYS: Final = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")


@dataclass(frozen=True, slots=True)
class Heard:
    """The messages of one picture, sorted by what they are."""

    tags: list[Event]
    notes: list[Event]
    onsets: list[Event]
    pitches: dict[str, list[Event]]
    voices: dict[str, list[Event]]

    @classmethod
    def of(cls, events: Sequence[Event]) -> Heard:
        """Tags and notes by their type; numbers by the name of their outlet: pitch (Hz), speech (0 to 1), onset."""
        ordered = sorted(events, key=lambda event: event.frame)
        found = cls([], [], [], {}, {})
        for event in ordered:
            if isinstance(event.value, Tag):
                found.tags.append(event)
            elif isinstance(event.value, Note):
                found.notes.append(event)
            elif event.port == "onset":
                found.onsets.append(event)
            elif event.port in ("pitch", "speech") and isinstance(event.value, (int, float)):
                kept = found.pitches if event.port == "pitch" else found.voices
                kept.setdefault(event.node, []).append(event)
        return found


def picture(path: Path, audio: Floats, rate: int, events: Sequence[Event] = (), *, title: str = "") -> Path:
    """Draw a sound and what was heard in it into a PNG, which appears whole or not at all.

    ``audio``: float32 ``(channels, frames)``. ``events``: messages of any outlets; those that are no tags, notes,
    onsets, pitches or speech are left out. Raises MediaError when the file cannot be written.
    """
    from nodegraph.core.replacing import replace_file

    data = png(audio, rate, events, title=title)
    try:
        replace_file(path, data)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        problem = Problem("unwritable", f"The picture cannot be written: {reason}.", "Choose another file.", str(path))
        raise MediaError(problem) from error
    return path


def png(audio: Floats, rate: int, events: Sequence[Event] = (), *, title: str = "") -> bytes:
    """The picture as the bytes of a PNG, 1920 × 1080 points."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    heard = Heard.of(events)
    panels: list[tuple[float, Any]] = [(1.15, _waveform), (3.4, _spectrogram)]
    if heard.pitches or heard.notes:
        panels.append((1.9, _pitch))
    if heard.voices:
        panels.append((0.55, _voice))
    if heard.tags:
        panels.append((1.5, _tags))
    figure = Figure(figsize=INCHES, dpi=DPI, facecolor=NIGHT)
    canvas = FigureCanvasAgg(figure)
    grid = figure.add_gridspec(
        len(panels), 1, height_ratios=[height for height, _ in panels], hspace=0.1,
        left=0.105, right=0.985, top=0.915, bottom=0.055,
    )  # fmt: skip
    seconds = max(audio.shape[1] / rate, 1e-3)
    for row, (_, draw) in enumerate(panels):
        axes = figure.add_subplot(grid[row, 0])
        _dress(axes, seconds, last=row == len(panels) - 1)
        draw(axes, audio, rate, heard, seconds)
    figure.text(0.105, 0.949, title or "nodegraph", color=INK, fontsize=20, fontweight="bold", va="center")
    peak = float(np.abs(audio).max()) if audio.size else 0.0
    level = f"peak {20 * np.log10(peak):.1f} dB" if peak > 1e-9 else "silence"
    facts = f"{seconds:.1f} s  ·  {rate / 1000:g} kHz  ·  {audio.shape[0]} channels  ·  {level}"
    figure.text(0.985, 0.949, facts, color=FAINT, fontsize=11, ha="right", va="center")
    canvas.draw()  # type: ignore[no-untyped-call]
    return _small(canvas.buffer_rgba())  # type: ignore[no-untyped-call]


def _small(pixels: Any) -> bytes:
    """Pixels as a PNG of 256 colours: half the size, and to the eye the same."""
    from PIL import Image

    made = BytesIO()
    image = Image.fromarray(np.asarray(pixels)[..., :3].copy())
    image.quantize(256, dither=Image.Dither.NONE).save(made, "PNG", optimize=True)
    return made.getvalue()


def _dress(axes: Axes, seconds: float, *, last: bool) -> None:
    axes.set_facecolor(PANEL)
    axes.set_xlim(0.0, seconds)
    for spine in axes.spines.values():
        spine.set_color(GRID)
    axes.tick_params(colors=FAINT, labelsize=9, length=0, pad=5)
    axes.grid(axis="x", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g} s")
    if not last:
        axes.tick_params(labelbottom=False)


def _name(axes: Axes, text: str) -> None:
    """What a panel shows, in small letters in its corner."""
    axes.text(
        0.006, 0.955, text, transform=axes.transAxes, color=INK, fontsize=9, va="top", alpha=0.9, zorder=9,
        bbox={"facecolor": NIGHT, "edgecolor": "none", "alpha": 0.55, "pad": 2.5},
    )  # fmt: skip


def _waveform(axes: Axes, audio: Floats, rate: int, heard: Heard, seconds: float) -> None:
    """Peaks in the light colour, the body (RMS) in the strong one."""
    mono = audio.mean(axis=0) if len(audio) else audio.reshape(-1)
    count = min(COLUMNS, max(1, len(mono)))
    edges = np.linspace(0, len(mono), count + 1).astype(int)
    times = (edges[:-1] + edges[1:]) / (2.0 * rate)
    high, low, body = (np.zeros(count) for _ in range(3))
    for index in range(count):
        part = mono[edges[index] : max(edges[index + 1], edges[index] + 1)]
        if len(part):
            high[index], low[index], body[index] = part.max(), part.min(), np.sqrt(np.mean(part * part))
    axes.fill_between(times, low, high, color=PURPLE, alpha=0.55, linewidth=0.0)
    axes.fill_between(times, -body, body, color=CYAN, alpha=0.95, linewidth=0.0)
    top = max(0.05, float(max(high.max(initial=0.0), -low.min(initial=0.0))) * 1.08)
    axes.set_ylim(-top, top)
    axes.set_yticks([])
    for event in heard.onsets:
        axes.axvline(event.time, color=GREEN, linewidth=0.9, alpha=0.65)
    _name(axes, "waveform" + (" and onsets" if heard.onsets else ""))


def _spectrogram(axes: Axes, audio: Floats, rate: int, heard: Heard, seconds: float) -> None:
    """Short-time spectra on an axis of equal octaves, 72 dB deep."""
    shades, low, high = log_spectrogram(audio.mean(axis=0) if len(audio) else audio.reshape(-1), rate)
    axes.imshow(
        shades, origin="lower", aspect="auto", extent=(0.0, seconds, np.log2(low), np.log2(high)), cmap=_night(),
        vmin=-RANGE_DB, vmax=-4.0, interpolation="bilinear",
    )  # fmt: skip
    axes.grid(False)
    marks = [hz for hz in (50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000) if low <= hz <= high]
    axes.set_yticks(np.log2(marks), [f"{hz} Hz" if hz < 1_000 else f"{hz // 1_000} kHz" for hz in marks])
    _name(axes, "spectrogram")


def log_spectrogram(mono: Floats, rate: int) -> tuple[NDArray[np.float64], float, float]:
    """Levels in dB below the loudest, (420 rows of equal pitch, columns), and the frequencies of both ends.

    Two window lengths meet at 500 Hz: the long one tells low tones apart, the short one places what is quick.
    """
    high = min(HIGH_HZ, 0.49 * rate)
    pitches = np.geomspace(LOW_HZ, high, ROWS)
    levels = np.full((ROWS, COLUMNS), 1e-12)
    for window, rows in ((8192, pitches < 500.0), (2048, pitches >= 500.0)):
        size = int(window * max(rate, 8_000) / 48_000)
        spectra = _spectra(mono, size)
        bins = pitches[rows] * size / rate
        left = np.clip(bins.astype(int), 0, spectra.shape[0] - 2)
        part = np.clip(bins - left, 0.0, 1.0)[:, None]
        levels[rows] = spectra[left] * (1.0 - part) + spectra[left + 1] * part
    # lift the treble by 3 dB an octave: equal octaves then hold about equal energy
    weighted = levels * np.sqrt(pitches / 1_000.0)[:, None]
    loudest = max(float(weighted.max()), 1e-9)
    return 20.0 * np.log10(np.maximum(weighted, 1e-12) / loudest), LOW_HZ, high


def _spectra(mono: Floats, size: int) -> NDArray[np.float64]:
    """Magnitudes (bins, columns) of Hann windows around evenly spaced moments."""
    padded = np.pad(mono.astype(np.float32), size)
    centres = np.linspace(0, len(mono), COLUMNS).astype(int) + size
    window = np.hanning(size).astype(np.float32) * (2.0 / size)
    found = np.empty((size // 2 + 1, COLUMNS))
    for index, centre in enumerate(centres):
        found[:, index] = np.abs(np.fft.rfft(padded[centre - size // 2 : centre - size // 2 + size] * window))
    return found


def _pitch(axes: Axes, audio: Floats, rate: int, heard: Heard, seconds: float) -> None:
    """Followed pitch as a glowing line, notes as bars, on an axis of semitones."""
    every: list[float] = []
    for index, found in enumerate(heard.pitches.values()):
        times = np.array([event.time for event in found])
        keys = 69.0 + 12.0 * np.log2(np.array([max(event.value, 1.0) for event in found]) / 440.0)
        every += keys.tolist()
        breaks = np.flatnonzero((np.diff(times) > 0.1) | (np.abs(np.diff(keys)) > 4.0)) + 1
        colour = (GREEN, CYAN)[index % 2]
        for x, y in zip(np.split(times, breaks), np.split(keys, breaks), strict=True):
            for width, alpha in ((9.0, 0.07), (5.0, 0.14), (1.8, 1.0)):
                axes.plot(x, y, color=colour, linewidth=width, alpha=alpha, solid_capstyle="round")
    for start, end, note in _bars(heard.notes, seconds):
        every.append(note.pitch)
        axes.barh(note.pitch, end - start, left=start, height=0.7, color=MAGENTA, alpha=0.35 + 0.6 * note.velocity)
    low, high = (min(every) - 2.0, max(every) + 2.0) if every else (59.0, 73.0)
    if high - low < 12.0:
        low, high = (low + high) / 2.0 - 6.0, (low + high) / 2.0 + 6.0
    axes.set_ylim(low, high)
    keys_shown = [
        key for key in range(int(np.ceil(low)), int(high) + 1) if key % 12 in ((0, 4, 7) if high - low < 30 else (0,))
    ]
    axes.set_yticks(keys_shown, [f"{KEYS[key % 12]}{key // 12 - 1}" for key in keys_shown])
    axes.grid(axis="y", color=GRID, linewidth=0.6)
    words = [word for word, there in (("pitch", heard.pitches), ("notes", heard.notes)) if there]
    _name(axes, " and ".join(words) + " as heard")


def _bars(notes: Sequence[Event], seconds: float) -> list[tuple[float, float, Note]]:
    """Start, end and note of each one that begins; one without a length lasts until the key is let go."""
    found = []
    for index, event in enumerate(notes):
        note: Note = event.value
        if note.velocity <= 0.0:
            continue
        if note.duration_s is not None:
            end = event.time + note.duration_s
        else:
            later = (other.time for other in notes[index + 1 :] if other.value.pitch == note.pitch)
            end = next(later, seconds)
        found.append((event.time, min(end, seconds), note))
    return found


def _voice(axes: Axes, audio: Floats, rate: int, heard: Heard, seconds: float) -> None:
    """The probability of speech."""
    for found in heard.voices.values():
        times, sure = [event.time for event in found], [float(event.value) for event in found]
        axes.fill_between(times, 0.0, sure, color=CYAN, alpha=0.35, linewidth=0.0, step="post")
        axes.step(times, sure, color=CYAN, linewidth=1.2, where="post")
    axes.set_ylim(0.0, 1.08)
    axes.set_yticks([0.0, 1.0], ["0", "1"])
    _name(axes, "voice")


def _tags(axes: Axes, audio: Floats, rate: int, heard: Heard, seconds: float) -> None:
    """One row a label, the likeliest on top; the brighter the surer."""
    weight: dict[str, float] = {}
    for event in heard.tags:
        weight[event.value.label] = weight.get(event.value.label, 0.0) + event.value.score
    labels = sorted(weight, key=lambda label: -weight[label])[:MOST_TAGS]
    moments = sorted({event.time for event in heard.tags})
    usual = float(np.median(np.diff(moments))) if len(moments) > 1 else 0.5
    cmap = _night()
    for event in heard.tags:
        if event.value.label not in labels:
            continue
        after = next((moment for moment in moments if moment > event.time), event.time + usual)
        row = len(labels) - 1 - labels.index(event.value.label)
        width = min(after - event.time, 1.5 * usual) * 0.94
        shade = cmap(0.25 + 0.75 * event.value.score)
        axes.barh(row, width, left=event.time, height=0.78, color=shade, linewidth=0.0)
    axes.set_ylim(-0.6, len(labels) - 0.4)
    axes.set_yticks(range(len(labels)), [label[:24] for label in reversed(labels)])
    axes.tick_params(axis="y", labelcolor=INK)


def _night() -> Colormap:
    """From the night through purple and cyan to white."""
    from matplotlib.colors import LinearSegmentedColormap

    stops = [(0.0, PANEL), (0.3, "#2A0E52"), (0.55, PURPLE), (0.72, "#3F7BFF"), (0.87, CYAN), (1.0, "#F4FFFF")]
    return LinearSegmentedColormap.from_list("night", stops)


__all__ = ["log_spectrogram", "picture", "png"]
