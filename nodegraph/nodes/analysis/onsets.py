"""Where sounds begin."""

from math import log
from typing import Any

import numpy as np

from nodegraph.core import BlockNode, inlet, memory, node, outlet
from nodegraph.core.arithmetic import i64
from nodegraph.nodes.delays import sound

BANDS = 8
LOWEST_HZ = 100.0
HOP_S = 0.004
BACK = 5  # hops: a rise is measured against the louder of the levels 4 and 5 hops ago
FLOOR = 1e-7  # -70 dB: what is softer counts as silence
MOST_DB = 20.0


def band_table(rate: int) -> Any:
    """Coefficients ``(5, BANDS)`` of the octave filters (as in `svf~`, Q 1.4) and of the smoothing of their power."""
    corners = np.minimum(LOWEST_HZ * 2.0 ** np.arange(BANDS), 0.45 * rate)
    g = np.tan(np.pi * corners / rate)
    k = 1.0 / 1.4
    scale = 2.0 / (1.0 + g * (g + k))
    smooth = 1.0 - np.exp(-1.0 / (np.maximum(0.006, 1.5 / corners) * rate))
    unity = np.full(BANDS, (0.5 * k) ** 2)
    return np.stack([g * (g + k) * scale, g * scale, g * g * scale, smooth, unity]).astype(np.float32)


@node("onset~", aliases=("Onsets", "bonk~", "attack~", "Coyote"))
class Onset(BlockNode):
    """Hear where sounds begin.

    Eight filters an octave apart (100 Hz to 12.8 kHz); every 4 ms the rise of each one's level over the last 16 ms is
    taken in dB (falls count as 0, rises as 20 dB at most), and when the mean rise reaches `threshold` an onset is told,
    once, until the rise has fallen to half of that and `gap` has passed. It comes 1 to 13 ms after the attack. Made for
    struck and plucked sounds: of drums, piano and guitar it finds at least 95 % and errs in at most 5 % (see the
    tests); of bowed and blown notes that swell it misses most.

    Source: J. Bello and others, "A Tutorial on Onset Detection in Music Signals", IEEE TSAP, 2005, spectral flux.
    """

    x = inlet.signal("sound to hear; channels are mixed to one", channels=1)
    threshold = inlet.control(2.5, "mean rise that counts", unit="dB", span=(0.5, 20.0), ramp_s=0.0)
    gap = inlet.control(0.05, "least time between two onsets", unit="s", span=(0.0, 5.0), ramp_s=0.0)
    onset = outlet.event("the mean rise in dB, at each onset")
    trigger = outlet.signal("1 at each onset, for one sample, else 0", channels=1)
    table = memory.array(rows=True)
    first = memory.array(BANDS)
    second = memory.array(BANDS)
    power = memory.array(BANDS)
    levels = memory.array(rows=True)
    heard = memory(0, "i64")
    hops = memory(0, "i64")
    quiet = memory(1_000_000_000, "i64")
    armed = memory(1.0)

    @staticmethod
    def arrange(rate: int) -> dict[str, Any]:
        return {"table": band_table(rate), "levels": np.full((BACK + 1, BANDS), 10.0 * np.log10(FLOOR), np.float32)}

    @staticmethod
    def process(
        x, threshold, gap, onset, trigger, table, first, second, power, levels, heard, hops, quiet, armed, rate, frames
    ):  # fmt: skip
        hop = i64(HOP_S * rate + 0.5)
        for i in range(frames):
            now = sound(x[i])
            for b in range(BANDS):
                v = now - second[b]
                new_first = first[b] - table[0, b] * first[b] + table[1, b] * v
                new_second = second[b] + table[1, b] * first[b] + table[2, b] * v
                band = new_first + first[b]
                first[b] = new_first
                second[b] = new_second
                power[b] += table[3, b] * (table[4, b] * band * band - power[b])
            onset[i] = 0.0
            trigger[i] = 0.0
            heard += 1
            quiet += 1
            if heard >= hop:
                heard = i64(0)
                place = hops % (BACK + 1)
                oldest = (hops + 1) % (BACK + 1)
                older = (hops + 2) % (BACK + 1)
                rise = 0.0
                for b in range(BANDS):
                    level = 4.342944819 * log(power[b] + FLOOR)
                    before = max(levels[oldest, b], levels[older, b])
                    levels[place, b] = level
                    rise += max(min(level - before, MOST_DB), 0.0) * (1.0 / BANDS)
                hops = oldest
                if armed > 0.0 and rise >= threshold[i] and quiet >= i64(gap[i] * rate):
                    onset[i] = rise
                    trigger[i] = 1.0
                    armed = 0.0
                    quiet = i64(0)
                elif rise < 0.5 * threshold[i]:
                    armed = 1.0
