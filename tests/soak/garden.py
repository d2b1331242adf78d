"""A patch of two hundred nodes, half of which no edit touches while random edits change the other half."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

from nodegraph.api.patch import Patch

NODES: Final = 200
QUIET: Final = 0.002
"""Level of each tone of the changed half: all together stay far below the safety limiter, which holds every output."""
FILTERS: Final = {"onepole~": ("x", "y"), "svf~": ("x", "low"), "ladder~": ("x", "y"), "gain~": ("x", "y")}
DELAYS: Final = {"comb~": ("x", "y"), "delay~": ("x", "y"), "allpass~": ("x", "y")}


def garden(folder: Path) -> Patch:
    """On output 1 what is never touched: voices, echoes, a clock, an envelope. On output 2 low tones that change."""
    voice = Patch("A tone and its octave")
    mix = voice.add("outlet~", "y")
    voice.add("param", "freq", default=100, low=20, high=400)
    for times in (1, 2):
        scale, tone = voice.add("scale", f"times{times}", mul=times), voice.add("sine~", f"sine{times}")
        voice.connect("freq.y", scale, tone.freq)
        voice.connect(tone, mix)
    voice.save(folder / "voice.ng")
    patch = Patch("Garden")
    patch.save(folder / "garden.ng")
    patch.connect(patch.add("gain~", "safe", gain=0.02), patch.add("out~", "left", channel=1, channels=1))
    for k in range(24):
        patch.connect(
            patch.add("saw~", f"safeosc{k:02}", freq=55.0 * 2 ** (k / 12)),
            patch.add("svf~", f"safecut{k:02}", cutoff=600.0 + 40.0 * k),
            "safe",
        )
    patch.connect("safecut03", patch.add("comb~", "safeecho", time=0.031), "safe")
    patch.connect(patch.add("metro", "safeclock", interval=0.13), patch.add("counter", "safecount", modulo=2))
    patch.connect("safecount.y", patch.add("adsr~", "safehit", attack=0.02, decay=0.1).gate)
    patch.connect(patch.add("sine~", "safebeep", freq=660), patch.add("*~", "safelevel"), "safe")
    patch.connect("safehit", "safelevel.b")
    patch.connect(patch.add("gain~", "open", gain=1.0), patch.add("out~", "right", channel=2, channels=1))
    choose, gardener = random.Random(1), Gardener(patch)
    while len(patch) < NODES:
        gardener.plant(choose)
    patch.history.forget()
    return patch


class Gardener:
    """Edits the changed half at random. Everything there is a chain: a tone, what it goes through, the sum."""

    def __init__(self, patch: Patch) -> None:
        self.patch = patch
        self.number = 0
        self.done: Counter[str] = Counter()

    def edit(self, choose: random.Random) -> str:
        """One edit; its name."""
        names: list[Callable[[random.Random], str]] = [
            self.plant, self.pull, self.insert, self.take_out, self.cable, self.replace, self.rename,
            self.channels, self.knob, self.undo, self.modulate,
        ]  # fmt: skip
        while True:
            what = choose.choice(names)
            size = len(self.patch)
            if (what == self.plant and size > NODES + 10) or (what == self.pull and size < NODES - 10):
                continue
            name = what(choose)
            if name:
                self.done[name] += 1
                return name

    def _new(self, word: str) -> str:
        self.number += 1
        return f"{word}{self.number}"

    def _of(self, *words: str) -> list[str]:
        return [id for id in self.patch.graph.nodes if id.startswith(words)]

    def plant(self, choose: random.Random) -> str:
        """A tone, a subpatch, or a wide tone that becomes one channel again."""
        patch, soft = self.patch, self.patch.add("gain~", self._new("soft"), gain=QUIET)
        freq = choose.uniform(60.0, 300.0)
        kind = choose.random()
        if kind < 0.2:
            patch.connect(patch.add("voice.ng", self._new("tone"), freq=freq / 2), soft, "open")
        elif kind < 0.4:
            wide = patch.add("dup~", self._new("wide"), count=choose.randint(2, 5))
            patch.connect(patch.add("sine~", self._new("tone"), freq=freq), wide, soft)
            patch.connect(soft, patch.add("sum~", self._new("sum")), "open")
        else:
            patch.connect(patch.add("sine~", self._new("tone"), freq=freq), soft, "open")
        return "add"

    def pull(self, choose: random.Random) -> str:
        """A node with its cables; mostly one that nobody hears any more, so that what sounds does not die out."""
        found = self._of("tone", "soft", "wide", "sum", "filter", "echo", "swing")
        unheard = [id for id in found if not any(self.patch.graph.view.cables_out_of(id))]
        self.patch.remove(choose.choice(unheard if unheard and choose.random() < 0.7 else found))
        return "remove"

    def insert(self, choose: random.Random) -> str:
        """A filter or a delay between a tone's level and what comes after it."""
        graph = self.patch.graph
        found = self._of("soft", "sum")
        cable = choose.choice(list(graph.view.cables_out_of(choose.choice(found))) or [None]) if found else None
        if cable is None:
            return ""
        kind = choose.choice([*FILTERS, *DELAYS])
        inlet, outlet = {**FILTERS, **DELAYS}[kind]
        id = self._new("echo" if kind in DELAYS else "filter")
        self.patch.do(
            {"do": "add", "node": id, "kind": kind},
            {"do": "disconnect", "cable": str(cable)},
            {"do": "connect", "cable": f"{cable.from_node}.{cable.from_port} -> {id}.{inlet}"},
            {"do": "connect", "cable": f"{id}.{outlet} -> {cable.to_node}.{cable.to_port}"},
        )
        return "insert"

    def take_out(self, choose: random.Random) -> str:
        """A filter or a delay; what was before and after it is joined."""
        found = self._of("filter", "echo")
        if not found:
            return ""
        graph, id = self.patch.graph, choose.choice(found)
        before, after = list(graph.view.cables_into(id)), list(graph.view.cables_out_of(id))
        between = {
            f"{a.from_node}.{a.from_port} -> {b.to_node}.{b.to_port}"
            for a in before for b in after if a.to_port == "x"
        }  # fmt: skip
        joins = [{"do": "connect", "cable": cable} for cable in sorted(between - {str(c) for c in graph.cables})]
        self.patch.do({"do": "remove", "node": id}, *joins)
        return "take out"

    def cable(self, choose: random.Random) -> str:
        """Off the sum, or back to it."""
        found = self._of("soft")
        if not found:
            return ""
        id = choose.choice(found)
        outs = list(self.patch.graph.view.cables_out_of(id))
        if outs:
            self.patch.disconnect(outs[0])
        else:
            self.patch.connect(id, "open")
        return "cable"

    def replace(self, choose: random.Random) -> str:
        """A filter by another one."""
        found = self._of("filter")
        if not found:
            return ""
        self.patch.replace(choose.choice(found), choose.choice(["onepole~", "svf~", "ladder~"]))
        return "replace"

    def rename(self, choose: random.Random) -> str:
        """Any node of the half, by another word for the same sort."""
        words = ("tone", "soft", "wide", "sum", "filter", "echo")
        id = choose.choice(self._of(*words))
        self.patch.rename(id, self._new(next(word for word in words if id.startswith(word))))
        return "rename"

    def channels(self, choose: random.Random) -> str:
        """How wide a tone is."""
        found = self._of("wide")
        if not found:
            return ""
        self.patch.set(f"{choose.choice(found)}.count", choose.randint(1, 6))
        return "channels"

    def knob(self, choose: random.Random) -> str:
        """A level: a ramp, no fade."""
        found = self._of("soft")
        if not found:
            return ""
        self.patch.set(f"{choose.choice(found)}.gain", choose.uniform(0.5, 1.0) * QUIET)
        return "knob"

    def undo(self, choose: random.Random) -> str:
        """A few steps back, and some of them again."""
        if choose.random() < 0.5:
            return "redo" if self.patch.redo() else ""
        return "undo" if self.patch.undo() else ""

    def modulate(self, choose: random.Random) -> str:
        """A slow swing into a tone's pitch, or out again."""
        graph = self.patch.graph
        found = [id for id in self._of("tone") if graph.node(id).kind == "sine~"]
        if not found:
            return ""
        id = choose.choice(found)
        cables = [cable for cable in graph.view.cables_into(id) if cable.to_port == "freq"]
        if cables:
            self.patch.remove(cables[0].from_node)
        else:
            self.patch.connect(self.patch.add("lfo~", self._new("swing"), freq=1.0, low=80, high=120), f"{id}.freq")
        return "modulate"
