"""What arrives at an inlet: cables that wait for one another, brought to the node's rate, faded while an edit is under
way, summed, and fitted to the inlet's width."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nodegraph.core.cable import Cable
from nodegraph.core.view import NodeEntry
from nodegraph.runtime.compile.crossing import steps
from nodegraph.runtime.compile.units import Channels, Plan, Ref, Unit


class Joining:
    """The part of the planner that joins signals."""

    plan: Plan
    sources: dict[tuple[str, str], Channels]
    fading: Mapping[Cable, int]
    fade_frames: int
    fade_lead: int
    factors: Mapping[str, int]
    waits: Mapping[Cable, int]
    waited: Mapping[Cable, int]

    def back(self, cable: Cable) -> Channels | None:
        """What a cable that leads back brings; None for any other cable."""
        raise NotImplementedError

    def signal(
        self, entry: NodeEntry, port: str, cables: Sequence[Cable], control: bool, width: int | None = None
    ) -> Channels | None:
        """What arrives at an inlet: one ref a channel, or None when no signal cable ends there.

        Cables of different widths are fitted to the inlet's `width`, if it has one, before they are summed.
        """
        factor = self.factors.get(entry.id, 1)
        arriving: list[Channels] = []
        for cable in cables:
            refs = self.back(cable) or self.sources.get((cable[0], cable[1]))
            if not refs:
                continue  # messages
            refs = self.timed(cable, refs, factor)
            if self.fading and not control:
                change = self.fading.get(cable)
                if change:
                    refs = [
                        self.faded(None, ref, factor) if change > 0 else self.faded(ref, None, factor) for ref in refs
                    ]
            arriving.append(refs)
        if control and self.fading and arriving:
            return self.control_fade(
                entry, port, [item for item in cables if (item[0], item[1]) in self.sources], arriving
            )
        if not arriving:
            return None
        if len(arriving) == 1:
            return arriving[0]
        count = max(len(refs) for refs in arriving)
        if width is not None and any(len(refs) != count for refs in arriving):
            arriving, count = [self.fitted(refs, width, factor) for refs in arriving], width
        summed = []
        for channel in range(count):
            parts = [
                refs[0] if len(refs) == 1 else refs[channel]
                for refs in arriving
                if len(refs) == 1 or channel < len(refs)
            ]
            summed.append(self.mixed([ref for ref in parts if ref is not None], factor))
        return summed

    def timed(self, cable: Cable, refs: Channels, factor: int) -> Channels:
        """What comes along a cable, delayed as long as it must wait and at the rate of the node where it ends."""
        now, before = self.waits.get(cable, 0), self.waited.get(cable, 0)
        source = self.factors.get(cable[0], 1)
        if not now and not before and source == factor:
            return refs
        found: Channels = []
        for channel, ref in enumerate(refs):
            made = None if ref is None else self.waiting(ref, cable, channel, now, source)
            if now != before and ref is not None:
                made = self.faded(self.waiting(ref, cable, channel, before, source), made, source)
            for lower, up in steps(source, factor) if made is not None else ():
                unit = Unit("up" if up else "down", [made], node=cable[0], channel=channel, data=(cable, lower))
                unit.factor = lower
                self.plan.units.append(unit)
                made = (unit, 0)
            found.append(made)
        return found

    def waiting(self, ref: Ref, cable: Cable, channel: int, samples: int, factor: int) -> Ref:
        """A signal, so many samples later."""
        if not samples:
            return ref
        unit = Unit("wait", [ref], node=cable[0], channel=channel, data=(cable, samples), factor=factor)
        self.plan.units.append(unit)
        return unit, 0

    def control_fade(
        self, entry: NodeEntry, port: str, cables: Sequence[Cable], arriving: list[Channels]
    ) -> Channels | None:
        """A control inlet whose signal comes, goes or changes: fade from or to the stored value, or from old to new."""
        old = new = None
        factor = self.factors.get(entry.id, 1)
        for cable, refs in zip(cables, arriving, strict=True):
            change = self.fading.get(cable)
            if change is None:
                return refs
            if change > 0:
                new = refs
            else:
                old = refs
        count = max(len(old or ()), len(new or ()))
        held: Ref | None = None
        if old is None or new is None:
            unit = Unit("hold", [], node=entry.id, data=float(entry.value(port)), factor=factor)
            self.plan.units.append(unit)
            held = (unit, 0)

        def pick(refs: Channels | None, k: int) -> Ref | None:
            return held if refs is None else refs[0] if len(refs) == 1 else refs[k] if k < len(refs) else None

        return [self.faded(pick(old, k), pick(new, k), factor) for k in range(count)]

    def faded(self, before: Ref | None, after: Ref | None, factor: int = 1) -> Ref:
        """From one signal to another."""
        frames = (self.fade_frames * factor, self.fade_lead * factor)
        unit = Unit("fade", [before, after], data=frames, factor=factor)
        self.plan.units.append(unit)
        return unit, 0

    def mixed(self, refs: list[Ref], factor: int = 1) -> Ref | None:
        """The sum of signals."""
        if not refs:
            return None
        if len(refs) == 1:
            return refs[0]
        unit = Unit("mix", list(refs), factor=factor)
        self.plan.units.append(unit)
        return unit, 0

    def fitted(self, refs: Channels, width: int, factor: int = 1) -> Channels:
        """A cable at an inlet of fixed width."""
        if len(refs) == width:
            return refs
        if len(refs) == 1:
            return refs * width
        if width == 1:
            mixed = self.mixed([ref for ref in refs if ref is not None], factor)
            if mixed is None:
                return [None]
            unit = Unit("scale", [mixed], data=1.0 / len(refs), factor=factor)
            self.plan.units.append(unit)
            return [(unit, 0)]
        return [*refs, *[None] * width][:width]
