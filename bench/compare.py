"""The nine patches of bench/peers/music.py in nodegraph and in its peers, measured in turns in one run.

CPU time, never wall time; medians over rounds; in each round the engines take turns, and who begins changes, so that
what else the machine does falls on all alike.
"""

import importlib
import importlib.util
import itertools
import statistics
from collections import defaultdict
from collections.abc import Iterator
from types import ModuleType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.peers.measure import PeerFailed
from bench.peers.music import PATCHES, TITLES
from bench.report import Row, row

NAME: Final = "compare"
OURS: Final = "bench.ours"
PEERS: Final = ("bench.peers.puredata", "bench.peers.scsynth", "bench.peers.csound", "bench.peers.faust")

ACROSS: Final = 5
"""Patches side by side in the table."""
RATE: Final = 48_000
LISTEN_S: Final = 8.0
SETTLE_S: Final = 2.0
ALIKE_DB: Final = {
    "b1": 0.5, "b2": 0.5, "b3": 1.0, "b4": 0.5, "b5": 2.0, "b6": 1.0, "b7": 1.0, "b8": 0.5, "b9": 1.0,
}  # fmt: skip
"""How far the levels may lie apart. b3, b7 and b9 depend on different noise everywhere; in b5 and b6 saws and filters
differ."""
OCTAVES: Final = tuple(31.25 * 2**k for k in range(10))
FAINT_DB: Final = 30.0
"""Octaves that lie so far below the whole are not compared."""
OCTAVE_DB: Final = {
    "b1": 0.5, "b2": 0.5, "b3": 2.0, "b4": 1.0, "b5": 2.0, "b6": 4.0, "b7": 3.0, "b8": 1.5, "b9": 2.5,
}  # fmt: skip
"""How far any octave's level may lie apart: short noise differs in a narrow band, as do grains by chance, and
Pd's only filter whose cutoff is a signal (b5, b6) is a resonator, softer than the others below and above its cutoff."""


def run(rounds: int) -> list[Row]:
    """Ratios to each peer first, then what they were made from, then how alike the sounds are."""
    missing: dict[str, str] = {}
    engines: dict[str, ModuleType] = {}
    for path in (OURS, *PEERS):
        if importlib.util.find_spec(path) is None:
            missing[path] = f"{path.replace('.', '/')}.py is missing"
            continue
        engine = importlib.import_module(path)
        reason = engine.available()
        if reason is None:
            engines[path] = engine
        else:
            missing[path] = f"{engine.NAME} is missing: {reason}"
    names = {path: engine.version() for path, engine in engines.items()}
    print("Measuring " + ", ".join(names.values()))
    for reason in missing.values():
        print(reason)

    costs, failures = _measure(engines, rounds)
    rows = list(_ratios(names, costs, missing | failures))
    for path, name in names.items():
        for patch in PATCHES:
            if values := costs[path, patch]:
                claim = f"{patch} ({TITLES[patch]}): CPU seconds a second of sound"
                rows.append(row(claim, statistics.median(values), "s/s", name, len(values)))
    return rows + list(_likeness(engines, names))


Costs = dict[tuple[str, str], list[float]]


def _measure(engines: dict[str, ModuleType], rounds: int) -> tuple[Costs, dict[str, str]]:
    costs: Costs = defaultdict(list)
    failures: dict[str, str] = {}
    paths = list(engines)
    for number in range(rounds):
        for patch in PATCHES:
            begin = number % max(1, len(paths))
            for path in paths[begin:] + paths[:begin]:
                try:
                    costs[path, patch].append(engines[path].cpu_per_second(patch))
                except PeerFailed as failure:
                    failures[path] = f"{engines[path].NAME} failed at {patch}: {failure}"
        print(f"round {number + 1} of {rounds}", flush=True)
    return costs, failures


def _ratios(names: dict[str, str], costs: Costs, missing: dict[str, str]) -> Iterator[Row]:
    for path in PEERS:
        for patch in PATCHES:
            claim = f"{patch} ({TITLES[patch]}): times less CPU than"
            ours, theirs = costs[OURS, patch], costs[path, patch]
            if ours and theirs:
                value = statistics.median(theirs) / statistics.median(ours)
                yield row(claim, value, "x", names[path], min(len(ours), len(theirs)))
            else:
                yield row(claim, None, "x", missing.get(path) or missing.get(OURS) or "not measured", 0)


def show(rows: list[Row]) -> None:
    """The rows as tables: an engine a line, a patch a column."""
    cells = {
        (item["against"], "octave" if "octave" in item["claim"] else item["unit"], item["claim"][:2]): item["value"]
        for item in rows
    }
    names = list(dict.fromkeys(item["against"] for item in rows if item["unit"] == "s/s"))
    for first in range(0, len(PATCHES), ACROSS):
        some = PATCHES[first : first + ACROSS]
        titles = "".join(f"{f'{patch} {TITLES[patch]}':>28}" for patch in some)
        print(f"\n{'CPU ms a second of sound':32}{titles}")
        for name in names:
            line = f"{name:32}"
            for patch in some:
                cost, ratio, level, octave = (cells.get((name, unit, patch)) for unit in ("s/s", "x", "dB", "octave"))
                text = "-" if cost is None else f"{cost * 1000:.2f}"
                text += "" if ratio is None else f" ({ratio:.1f}x)"
                text += "" if level is None or octave is None else f" {level:+.1f}/{octave:.1f} dB"
                line += f"{text:>28}"
            print(line)
    print("(x: times what nodegraph costs; dB: the level beside the middle of all, and the octave that differs most)")
    for reason in dict.fromkeys(item["against"] for item in rows if item["value"] is None):
        print(reason)
    for item in rows:
        if "NOT THE SAME" in item["claim"]:
            print(f"{item['against']}: {item['claim']}: {item['value']:+.2f} dB")


def _likeness(engines: dict[str, ModuleType], names: dict[str, str]) -> Iterator[Row]:
    """How far each engine's level lies from the middle of all of them: as a whole, and of every octave that matters."""
    for patch in PATCHES:
        levels = {path: levels_db(engine.render(patch, LISTEN_S, RATE)) for path, engine in engines.items()}
        middle = np.median(list(levels.values()), axis=0) if levels else np.zeros(len(OCTAVES))
        matters = middle[1:] > middle[0] - FAINT_DB
        for path, found in levels.items():
            level, octave = found[0] - middle[0], np.abs(found - middle)[1:][matters].max(initial=0.0)
            title = f"{patch} ({TITLES[patch]})"
            yield _alike(f"{title}: level beside the others' median", level, ALIKE_DB[patch], names[path])
            yield _alike(f"{title}: the octave that differs most", octave, OCTAVE_DB[patch], names[path])


def _alike(claim: str, difference: float, most: float, name: str) -> Row:
    claim += f", same sound within {most} dB"
    return row(claim + (": NOT THE SAME SOUND" if abs(difference) > most else ""), float(difference), "dB", name)


def level_db(sound: NDArray[np.float32]) -> float:
    """The level of the whole."""
    return float(levels_db(sound)[0])


def levels_db(sound: NDArray[np.float32]) -> NDArray[np.float64]:
    """The power between 20 Hz and 16 kHz once the sound has settled, in dB of full scale; then that of each octave."""
    settled = sound[round(SETTLE_S * RATE) :].astype(np.float64)
    window = np.hanning(len(settled))
    power = np.abs(np.fft.rfft(settled * window)) ** 2 * 2 / (len(settled) * np.sum(window**2))
    frequencies = np.fft.rfftfreq(len(settled), 1 / RATE)
    bands = [(20.0, 16_000.0), *itertools.pairwise(OCTAVES)]
    sums = [power[(frequencies >= low) & (frequencies < high)].sum() for low, high in bands]
    return np.asarray(10 * np.log10(np.array(sums) + 1e-30))
