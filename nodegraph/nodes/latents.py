"""Latents, bent on their way from an encoder to a decoder: moved, scaled, mixed, shaken, slowed, exchanged, placed.

A latent is an array of a few numbers, one a hop (`rave.encode~`, `nn~`); what is done to it is heard when a decoder
makes sound of it. Any vector will do. Numbers that are none count as 0. Dimensions are counted from 0.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nodegraph.core import BANG, EventNode, Moment, inlet, node, outlet, setting
from nodegraph.core.messages import as_number
from nodegraph.nodes.vectors import Vector, vector_of

MOST_ANCHORS: Final = 256
MOST_DIMENSIONS: Final = 4_096
ALL: Final = -1.0


def said(vector: Vector) -> NDArray[np.float32]:
    """A vector as it goes out."""
    return vector.astype(np.float32)


def at_dimension(vector: Vector, dimension: float, changed: Vector) -> Vector:
    """The vector with one dimension as in `changed`, or all of them for -1; none where it has no such dimension."""
    number = int(dimension)
    if number < 0:
        return changed
    made = vector.copy()
    made[number : number + 1] = changed[number : number + 1]
    return made


@node("latent.bias", aliases=("latent.offset", "latent.shift"))
class LatentBias(EventNode):
    """Add to a latent: to one dimension, or to all.

    ``y = x + bias`` in `dimension` (counted from 0), or in every dimension for -1. What comes at `offsets` is added
    besides, number by number: an array, which holds; numbers that it lacks are 0.
    Shapes: x, offsets and y (n,).

    Source: definition.
    """

    x = inlet.tensor("latent", shape=("n",))
    offsets = inlet.tensor("a number to add for each dimension", shape=("n",))
    bias = inlet.control(0.0, "what is added", span=(-100.0, 100.0))
    dimension = inlet.control(
        ALL, "to which dimension, from 0; -1 is all", span=(ALL, MOST_DIMENSIONS), curve="integer"
    )
    y = outlet.tensor("moved", shape=("n",))

    def start(self, when: Moment) -> None:
        self.held: Vector = np.zeros(0)

    def on_offsets(self, message: Any) -> None:
        vector = vector_of(message)
        self.held = np.zeros(0) if vector is None else vector

    def on_x(self, message: Any) -> None:
        vector = vector_of(message)
        if vector is not None:
            made = at_dimension(vector, self.dimension, vector + self.bias)
            count = min(len(made), len(self.held))
            made[:count] += self.held[:count]
            self.y(said(made))


@node("latent.scale", aliases=("latent.gain",))
class LatentScale(EventNode):
    """Make what a latent says more, less, or the opposite.

    ``y = centre + scale (x - centre)`` in `dimension` (counted from 0), or in every dimension for -1. With 0 everything
    stands at `centre`; below 0 it is turned round.
    Shapes: x and y (n,).

    Source: definition.
    """

    x = inlet.tensor("latent", shape=("n",))
    scale = inlet.control(1.0, "how many times", span=(-100.0, 100.0))
    centre = inlet.control(0.0, "from where it is scaled", span=(-100.0, 100.0))
    dimension = inlet.control(ALL, "which dimension, from 0; -1 is all", span=(ALL, MOST_DIMENSIONS), curve="integer")
    y = outlet.tensor("scaled", shape=("n",))

    def on_x(self, message: Any) -> None:
        vector = vector_of(message)
        if vector is not None:
            scaled = self.centre + self.scale * (vector - self.centre)
            self.y(said(at_dimension(vector, self.dimension, scaled)))


@node("latent.mix", aliases=("latent.crossfade", "latent.blend"))
class LatentMix(EventNode):
    """Go from one latent to another.

    Each latent at `a` is mixed with the last one at `b`, that of the same instant if there is one: ``linear`` is ``(1 -
    mix) a + mix b``; ``round`` goes along the arc between both, with their lengths mixed, so that what lies between is
    as long as they are (where both point the same way, or opposite ways, it is the straight line). While there is no
    `b`, or one of another length, `a` goes through.
    Shapes: a, b and y (n,).

    Source: K. Shoemake, "Animating rotation with quaternion curves", SIGGRAPH 1985 (slerp).
    """

    way = setting.choice("linear", "along which way", ("linear", "round"))
    a = inlet.tensor("latent, which is answered", shape=("n",))
    b = inlet.tensor("the other, which holds", shape=("n",))
    mix = inlet.control(0.5, "0 is a, 1 is b", span=(0.0, 1.0))
    y = outlet.tensor("mixed", shape=("n",))
    lasting = ("b",)

    def start(self, when: Moment) -> None:
        self.other: Vector | None = None

    def on_b(self, message: Any) -> None:
        self.other = vector_of(message)

    def on_a(self, message: Any) -> None:
        vector = vector_of(message)
        if vector is None:
            return
        if self.other is not None and len(self.other) == len(vector):
            vector = mixed(vector, self.other, float(self.mix), self.way == "round")
        self.y(said(vector))


def mixed(a: Vector, b: Vector, share: float, along_arc: bool = False) -> Vector:
    """Between two vectors: 0 is `a`, 1 is `b`; straight, or along the arc, with the lengths mixed."""
    first, second = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    if along_arc and first > 0.0 and second > 0.0:
        angle = math.acos(min(max(float(a @ b) / first / second, -1.0), 1.0))
        if 1e-6 < angle < math.pi - 1e-6:
            one, two = math.sin((1.0 - share) * angle), math.sin(share * angle)
            turned = (one * a / first + two * b / second) / math.sin(angle)
            return np.asarray(((1.0 - share) * first + share * second) * turned)
    return np.asarray((1.0 - share) * a + share * b)


@node("latent.noise", aliases=("latent.jitter",))
class LatentNoise(EventNode):
    """Shake a latent: normal noise on every dimension, another with every latent.

    ``y = x + amount N(0, 1)``. With ``smooth`` above 0 the noise wanders instead: each is ``smooth`` times the one
    before and so much new noise that it stays as strong. The same `seed` shakes in the same way from the start of the
    patch.
    Shapes: x and y (n,).

    Source: definition: white noise, and an autoregressive process of the first order.
    """

    seed = setting.number(0, "where chance begins", span=(0, 2**31 - 1))
    x = inlet.tensor("latent", shape=("n",))
    amount = inlet.control(0.1, "standard deviation of the noise", span=(0.0, 100.0))
    smooth = inlet.control(0.0, "how much of it stays from one to the next", span=(0.0, 0.9999))
    y = outlet.tensor("shaken", shape=("n",))

    def start(self, when: Moment) -> None:
        self.chance = np.random.Generator(np.random.PCG64(int(self.seed)))
        self.noise: Vector = np.zeros(0)

    def on_x(self, message: Any) -> None:
        vector = vector_of(message)
        if vector is None:
            return
        fresh = self.chance.standard_normal(len(vector))
        smooth = float(self.smooth)
        if len(self.noise) == len(vector) and smooth > 0.0:
            fresh = smooth * self.noise + math.sqrt(1.0 - smooth**2) * fresh
        self.noise = fresh
        self.y(said(vector + self.amount * fresh))


@node("latent.slew", aliases=("latent.slide", "latent.lag"))
class LatentSlew(EventNode):
    """Let a latent follow slowly.

    Each dimension goes towards what comes, ``y += (1 - exp(-dt / time)) (x - y)`` with the time since the latent
    before, and by no more than `speed` a second. The first one, and one of another length, is taken at once.
    Shapes: x and y (n,).

    Source: definition: exponential smoothing, and a slew limiter.
    """

    x = inlet.tensor("latent", shape=("n",))
    time = inlet.control(0.2, "time constant; 0 follows at once", unit="s", span=(0.0, 600.0))
    speed = inlet.control(10_000.0, "most by which a dimension moves in a second", span=(0.0, 10_000.0))
    y = outlet.tensor("slower", shape=("n",))

    def start(self, when: Moment) -> None:
        self.place: Vector | None = None
        self.last = 0.0

    def on_x(self, message: Any, when: Moment) -> None:
        vector = vector_of(message)
        if vector is None:
            return
        if self.place is None or len(self.place) != len(vector):
            self.place = vector
        else:
            passed = when.time - self.last
            share = 1.0 if self.time <= 0.0 else 1.0 - math.exp(-passed / self.time)
            most = self.speed * passed
            self.place = self.place + np.clip(share * (vector - self.place), -most, most)
        self.last = when.time
        self.y(said(self.place))


@node("latent.swap", aliases=("latent.permute",))
class LatentSwap(EventNode):
    """Exchange the dimensions of a latent.

    Dimension k of `y` is dimension ``order[k]`` of `x`, counted from 0; a dimension may come several times. What the
    order does not reach stays as it is, and so does a place that names a dimension which is not there. A list at
    `change` is another order; a bang there goes back to the setting's.
    Shapes: x and y (n,).

    Source: definition.
    """

    order = setting.list([1, 0], "which dimension comes to each place, from 0")
    x = inlet.tensor("latent", shape=("n",))
    change = inlet.event("another order, as a list of numbers; bang for the setting's")
    y = outlet.tensor("exchanged", shape=("n",))

    def start(self, when: Moment) -> None:
        self.on_change(BANG)

    def on_change(self, message: Any) -> None:
        found = self.order if message is BANG else message if isinstance(message, (tuple, list)) else (message,)
        numbers = [as_number(item) for item in found[:MOST_DIMENSIONS]]
        self.places = [-1 if one is None or not math.isfinite(one) else int(one) for one in numbers]

    def on_x(self, message: Any) -> None:
        vector = vector_of(message)
        if vector is None:
            return
        made = vector.copy()
        for place, source in enumerate(self.places[: len(vector)]):
            if 0 <= source < len(vector):
                made[place] = vector[source]
        self.y(said(made))


class AnchoredNode(EventNode):
    """What the nodes with anchors share: a list of vectors of one length, kept with further numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.last: Vector | None = None
        self.kept: list[Vector] = []

    def store(self, vector: Vector, number: int | None = None) -> bool:
        """Keep a vector: as the last, or in the place of another. One of another length begins anew."""
        if self.kept and len(self.kept[0]) != len(vector):
            self.kept = []
        if number is not None and 0 <= number < len(self.kept):
            self.kept[number] = vector
            return True
        if len(self.kept) >= MOST_ANCHORS:
            self.host.log(self, f"It has {MOST_ANCHORS} anchors already: forget some.")
            return False
        self.kept.append(vector)
        return True


def whole(message: Any) -> int | None:
    """The whole number in a message; None in a bang, or where there is none."""
    number = as_number(message) if not isinstance(message, np.ndarray) else None
    return int(number) if number is not None and math.isfinite(number) else None


@node("latent.anchors", aliases=("latent.morph", "latent.interpolate"))
class LatentAnchors(AnchoredNode):
    """Keep latents, and go from one to the next with a knob.

    A bang at `keep` keeps the last latent that came to `x` as a further anchor; a number puts it in the place of that
    anchor (from 0). `at` goes through them: 0 is the first, 1 the second, 1.5 half-way to the third; every move sends.
    `forget` takes a number, or a bang for all. Anchors of the `anchors` setting are there from the start: lists of
    numbers, all as long as the first.
    Shapes: x and y (n,).

    Source: definition: linear interpolation.
    """

    anchors = setting.list([], "anchors from the start: [[0.1, -0.4], [1.2, 0.3]]")
    x = inlet.tensor("latent", shape=("n",))
    keep = inlet.event("bang: keep the last latent; a number: in that place")
    forget = inlet.event("a number to forget; bang forgets all")
    at = inlet.control(
        0.0, "where between the anchors: 0 is the first", span=(0.0, float(MOST_ANCHORS - 1)), ramp_s=0.0
    )
    y = outlet.tensor("between the anchors", shape=("n",))
    count = outlet.event("how many there are, when that changes")

    def start(self, when: Moment) -> None:
        for item in self.anchors[:MOST_ANCHORS]:
            vector = vector_of(tuple(item)) if isinstance(item, (list, tuple)) else None
            if vector is not None and (not self.kept or len(vector) == len(self.kept[0])):
                self.kept.append(vector)

    def on_x(self, message: Any) -> None:
        vector = vector_of(message)
        if vector is not None:
            self.last = vector

    def on_keep(self, message: Any) -> None:
        if self.last is not None and self.store(self.last, whole(message)):
            self.count(len(self.kept))

    def on_forget(self, message: Any) -> None:
        number, before = whole(message), len(self.kept)
        if message is BANG:
            self.kept = []
        elif number is not None and 0 <= number < before:
            del self.kept[number]
        if len(self.kept) != before:
            self.count(len(self.kept))

    def on_at(self, message: Any) -> None:
        if self.kept:
            place = min(max(float(self.at), 0.0), len(self.kept) - 1.0)
            first = min(int(place), max(len(self.kept) - 2, 0))
            second = min(first + 1, len(self.kept) - 1)
            self.y(said(mixed(self.kept[first], self.kept[second], place - first)))


@node("latent.plane", aliases=("latent.pad", "nodes"))
class LatentPlane(AnchoredNode):
    """Put latents on a plane, and move between them.

    A bang at `keep` puts the last latent that came to `latent` where `x` and `y` stand. Each move of `x` or `y` sends
    the mean of all anchors, weighted by ``1 / distance ^ power``: on an anchor it is that anchor, and a high `power`
    lets each reign around itself. `forget` takes away the nearest; a bang takes all. Anchors of the `anchors` setting
    are there from the start: x, y, and the latent's numbers.
    Shapes: latent and mixed (n,).

    Source: D. Shepard, "A two-dimensional interpolation function for irregularly-spaced data", ACM 1968.
    """

    anchors = setting.list([], "anchors from the start: x, y, numbers: [[-1, 0, 0.1, -0.4], [1, 0, 1.2, 0.3]]")
    latent = inlet.tensor("latent", shape=("n",))
    keep = inlet.event("bang: keep the last latent where x and y stand")
    forget = inlet.event("bang: forget all; any other message: the nearest")
    x = inlet.control(0.0, "place from left to right", span=(-1.0, 1.0), ramp_s=0.0)
    y = inlet.control(0.0, "place from below to above", span=(-1.0, 1.0), ramp_s=0.0)
    power = inlet.control(2.0, "how much the nearest counts", span=(0.5, 16.0))
    mixed = outlet.tensor("the latent at this place", shape=("n",))
    count = outlet.event("how many anchors there are, when that changes")

    def start(self, when: Moment) -> None:
        self.places: list[tuple[float, float]] = []
        for item in self.anchors[:MOST_ANCHORS]:
            row = vector_of(tuple(item)) if isinstance(item, (list, tuple)) else None
            if row is not None and len(row) > 2 and (not self.kept or len(row) - 2 == len(self.kept[0])):
                self.places.append((float(row[0]), float(row[1])))
                self.kept.append(row[2:])

    def on_latent(self, message: Any) -> None:
        vector = vector_of(message)
        if vector is not None:
            self.last = vector

    def on_keep(self, message: Any) -> None:
        if self.last is not None and self.store(self.last):
            self.places = [*self.places[: len(self.kept) - 1], (float(self.x), float(self.y))]
            self.count(len(self.kept))

    def on_forget(self, message: Any) -> None:
        if not self.kept:
            return
        if message is BANG:
            self.kept, self.places = [], []
        else:
            nearest = int(np.argmin(self._far()))
            del self.kept[nearest], self.places[nearest]
        self.count(len(self.kept))

    def on_x(self, message: Any) -> None:
        self._move()

    def on_y(self, message: Any) -> None:
        self._move()

    def _far(self) -> Vector:
        across = np.array(self.places) - np.array([self.x, self.y])
        return np.asarray(np.hypot(across[:, 0], across[:, 1]))

    def _move(self) -> None:
        if not self.kept:
            return
        far = self._far()
        nearest = int(np.argmin(far))
        if far[nearest] < 1e-9:
            self.mixed(said(self.kept[nearest]))
            return
        weights = (far[nearest] / far) ** float(self.power)
        self.mixed(said(weights @ np.array(self.kept) / weights.sum()))
