"""Channels: put together, taken apart, added, spread over left and right.

How cables of different widths meet is told in docs/channels.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from functools import lru_cache
from math import sqrt
from typing import Any

from nodegraph.core import BlockNode, NodeSpec, RouteNode, Total, inlet, node, outlet, setting
from nodegraph.core.arithmetic import cos_pi, f32, rows, sin_pi
from nodegraph.core.ports import MOST_CHANNELS

Channels = dict[str, list[Any]]


@node("pack~", aliases=("mc.pack~", "mc.combine~", "join~"))
class Pack(RouteNode):
    """Put several cables side by side into one.

    `y` has the channels of `x1`, then those of `x2`, and so on; an inlet without a cable gives one silent channel. It
    takes no time. Latency 0 frames.

    Source: definition, as Max's mc.pack~.
    """

    inlets = setting.number(2, "how many inlets", span=(1, MOST_CHANNELS))
    x1 = inlet.signal("first channels")
    x2 = inlet.signal("channels after those of x1")
    y = outlet.signal("all channels")

    shapes = ("inlets",)

    @classmethod
    def shaped(cls, settings: Mapping[str, Any]) -> NodeSpec:
        return _packing(_count(settings["inlets"]))

    @staticmethod
    def route(channels: Channels, settings: Mapping[str, Any]) -> Channels:
        return {"y": [one for found in channels.values() for one in found or [None]]}


@lru_cache(maxsize=MOST_CHANNELS)
def _packing(count: int) -> NodeSpec:
    if count == 2:
        return Pack.spec
    return replace(Pack.spec, inlets=tuple(_named(Pack.x2, f"x{k + 1}", f"channels {k + 1}") for k in range(count)))


@node("unpack~", aliases=("mc.unpack~", "mc.separate~", "snake~"))
class Unpack(RouteNode):
    """Take the channels of a cable apart.

    `y1` is the first channel of `x`, `y2` the second, and so on; what `x` does not have is silent, what is left over is
    not heard. It takes no time. Latency 0 frames.

    Source: definition, as Max's mc.unpack~.
    """

    outlets = setting.number(2, "how many outlets", span=(1, MOST_CHANNELS))
    x = inlet.signal("several channels")
    y1 = outlet.signal("first channel", channels=1)
    y2 = outlet.signal("second channel", channels=1)

    shapes = ("outlets",)

    @classmethod
    def shaped(cls, settings: Mapping[str, Any]) -> NodeSpec:
        return _unpacking(_count(settings["outlets"]))

    @staticmethod
    def route(channels: Channels, settings: Mapping[str, Any]) -> Channels:
        given = channels["x"]
        count = _count(settings["outlets"])
        return {f"y{k + 1}": [given[k] if k < len(given) else None] for k in range(count)}


@lru_cache(maxsize=MOST_CHANNELS)
def _unpacking(count: int) -> NodeSpec:
    if count == 2:
        return Unpack.spec
    return replace(Unpack.spec, outlets=tuple(_named(Unpack.y2, f"y{k + 1}", f"channel {k + 1}") for k in range(count)))


def _count(value: Any) -> int:
    """A setting as a number of ports; what is no legal number is said elsewhere."""
    return min(max(int(value), 1), MOST_CHANNELS) if isinstance(value, (int, float)) else 2


def _named(port: Any, name: str, help: str) -> Any:
    made = copy(port)
    made.name, made.help = name, help
    return made


@node("sum~", aliases=("mc.mixdown~", "mc.poly~", "Sum"))
class Sum(RouteNode):
    """Add all channels of a cable: voices become one sound.

    ``y = x1 + x2 + ...``, one channel, in an order of additions that does not depend on the patch's form. It takes no
    time but that of the additions. Latency 0 frames.

    Source: definition, as SuperCollider's Mix.
    """

    x = inlet.signal("several channels")
    y = outlet.signal("their sum", channels=1)

    @staticmethod
    def route(channels: Channels, settings: Mapping[str, Any]) -> Channels:
        return {"y": [Total(channels["x"])]}


@node("dup~", aliases=("mc.dup~", "Dup"))
class Duplicate(RouteNode):
    """Repeat a signal in several channels.

    Channel k of `y` is channel ``k mod n`` of the n channels of `x`. It takes no time. Latency 0 frames.

    Source: definition, as Max's mc.dup~.
    """

    count = setting.number(2, "how many channels", span=(1, MOST_CHANNELS))
    x = inlet.signal("one channel, or several")
    y = outlet.signal("as many as wanted", channels="count")

    @staticmethod
    def route(channels: Channels, settings: Mapping[str, Any]) -> Channels:
        given = channels["x"] or [None]
        return {"y": [given[k % len(given)] for k in range(int(settings["count"]))]}


@node("spread~", aliases=("Splay", "mc.stereo~", "mc.gen.spread~"))
class Spread(BlockNode):
    """Spread the channels of a cable between left and right, at equal power.

    Channel k of n stands at ``p = center + width (2 k / (n - 1) - 1)``, held between -1 (left) and 1 (right); its share
    is ``cos((p + 1) pi / 4)`` on the left and the sine on the right. The whole is divided by ``sqrt(n / 2)`` (at least
    1), so that n voices that have nothing to do with one another are as loud as two. Latency 0 frames.

    Source: SuperCollider's Splay; C. Roads, *The Computer Music Tutorial*, "Constant power panning".
    """

    x = inlet.signal("several channels")
    width = inlet.control(1.0, "0 all in the middle, 1 all the way", span=(0.0, 1.0))
    center = inlet.control(0.0, "-1 left, 1 right", span=(-1.0, 1.0))
    y = outlet.signal("left and right", channels=2)

    spread = "all"

    @staticmethod
    def process(x, width, center, y, frames):
        count = rows(x)
        loud = 1.0 / sqrt(max(0.5 * f32(count), 1.0))
        for i in range(frames):
            y[0, i] = 0.0
            y[1, i] = 0.0
        for c in range(count):
            place = 0.0
            if count > 1:
                place = 2.0 * f32(c) / f32(count - 1) - 1.0
            for i in range(frames):
                p = (max(min(center[i] + width[i] * place, 1.0), -1.0) + 1.0) * 0.25
                y[0, i] += x[c, i] * cos_pi(p) * loud
                y[1, i] += x[c, i] * sin_pi(p) * loud
