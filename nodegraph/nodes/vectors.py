"""Embeddings and other arrays, made fit for playing: how far, which is nearest, which group, a place on a map.

An array is taken as one vector, whatever its shape. Numbers that are none count as 0. What is remembered is remembered
for one length: a vector of another length begins anew.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nodegraph.core import BANG, EventNode, Moment, inlet, node, outlet, setting
from nodegraph.core.messages import as_number

Vector = NDArray[np.float64]
Rows = NDArray[np.float64]
LONGEST: Final = 65_536
"""Numbers of a vector; what is longer is cut."""
HUGE: Final = 1e12
MEASURES: Final = ("cosine", "euclidean")
MOST_POINTS: Final = 4_096
MOST_NUMBERS: Final = 1 << 22
"""Numbers of all vectors that a node keeps: as many as 4096 embeddings of YAMNet."""
MOST_MAPPED: Final = 4_096
"""Numbers of a vector of which a map can be made: what is longer is folded to this length."""


def vector_of(message: Any) -> Vector | None:
    """An array as a vector; None for what is none, or empty."""
    if isinstance(message, np.ndarray) and message.dtype.kind in "fiub":
        flat = message.reshape(-1)[:LONGEST].astype(np.float64)
    elif isinstance(message, tuple) and message:
        numbers = [as_number(item) for item in message[:LONGEST]]
        if any(number is None for number in numbers):
            return None
        try:
            flat = np.array(numbers, np.float64)
        except (OverflowError, ValueError):
            return None
    else:
        return None
    return np.clip(np.nan_to_num(flat, nan=0.0, posinf=HUGE, neginf=-HUGE), -HUGE, HUGE) if len(flat) else None


def measured(measure: str, a: Vector, rows: Rows, lengths: Vector) -> Vector:
    """How far `a` is from each row, whose `lengths` are known: euclidean, or cosine, ``1 - cos``, from 0 (the same way)
    to 2 (the opposite)."""
    if measure == "euclidean":
        return np.asarray(np.linalg.norm(rows - a, axis=1))
    both = lengths * np.linalg.norm(a)
    with np.errstate(divide="ignore", invalid="ignore"):
        cosines = np.where(both > 0.0, rows @ a / both, 0.0)
    return 1.0 - np.clip(cosines, -1.0, 1.0)


@node("vector.distance", aliases=("distance",))
class VectorDistance(EventNode):
    """Measure how far one vector is from another.

    Each vector at `x` is measured against the last one at `to`, that of the same instant if there is one: ``cosine`` is
    1 less the cosine of the angle between both, 0 when they point the same way, 1 when they have nothing in common, 2
    when they are opposite; ``euclidean`` is the length of what lies between them. Nothing is sent before `to` has come,
    or while the lengths differ.
    Shapes: x and to (n,), any n.

    Source: definition.
    """

    measure = setting.choice("cosine", "how it is measured", MEASURES)
    x = inlet.tensor("vector", shape=("n",))
    to = inlet.tensor("from which it is measured", shape=("n",))
    y = outlet.event("distance, 0 or more")
    lasting = ("to",)

    def start(self, when: Moment) -> None:
        self.other: Vector | None = None

    def on_to(self, message: Any) -> None:
        self.other = vector_of(message)

    def on_x(self, message: Any) -> None:
        vector = vector_of(message)
        if vector is not None and self.other is not None and len(vector) == len(self.other):
            row = self.other[None]
            self.y(float(measured(self.measure, vector, row, np.linalg.norm(row, axis=1))[0]))


@node("vector.mean", aliases=("centroid",))
class VectorMean(EventNode):
    """Average vectors over time.

    The mean follows what comes within `time` seconds; with ``time = 0`` it is the mean of all that has come since the
    beginning, or the last `reset`.
    Shapes: x and y (n,) float32.

    Source: definition: exponential smoothing, and the arithmetic mean.
    """

    x = inlet.tensor("vector", shape=("n",))
    reset = inlet.event("any message: begin anew")
    time = inlet.control(0.0, "time constant; 0 is the mean of all", unit="s", span=(0.0, 3_600.0))
    y = outlet.tensor("mean", shape=("n",))

    def start(self, when: Moment) -> None:
        self.mean: Vector | None = None
        self.count = 0
        self.last = 0.0

    def on_reset(self, message: Any) -> None:
        self.mean, self.count = None, 0

    def on_x(self, message: Any, when: Moment) -> None:
        vector = vector_of(message)
        if vector is None:
            return
        if self.mean is None or len(self.mean) != len(vector):
            self.mean, self.count = vector, 1
        else:
            self.count += 1
            share = 1.0 / self.count if self.time <= 0.0 else 1.0 - math.exp(-(when.time - self.last) / self.time)
            self.mean = self.mean + share * (vector - self.mean)
        self.last = when.time
        self.y(self.mean.astype(np.float32))


@node("vector.nearest", aliases=("knn", "classify"))
class VectorNearest(EventNode):
    """Say which of the sounds that it was shown is nearest: a classifier that is taught by showing.

    `learn` gives the last vector a name; a name that is given several times has several examples, up to 4096 in all,
    and fewer of vectors that are longer than 1024. Each vector after that sends the name of the nearest example, and
    how near it is: ``exp(-distance / scale)``, 1 for the same. Farther than `farthest` it is nothing, and nothing is
    sent. `forget` takes a name, or ``bang`` for all.
    Shapes: x (n,).

    Source: T. Cover, P. Hart, "Nearest neighbor pattern classification", IEEE Trans. Information Theory, 1967.
    """

    measure = setting.choice("cosine", "how it is measured", MEASURES)
    x = inlet.tensor("vector", shape=("n",))
    learn = inlet.event("the name of what the last vector was")
    forget = inlet.event("a name to forget; bang forgets all")
    scale = inlet.control(0.2, "the distance at which nearness is 0.37", span=(0.001, 1_000.0), curve="log")
    farthest = inlet.control(1_000_000.0, "what is farther is nothing", span=(0.0, 1_000_000.0))
    name = outlet.event("the name of the nearest")
    near = outlet.event("how near it is, 0 to 1")
    count = outlet.event("how many examples it has, when that changes")

    def start(self, when: Moment) -> None:
        self.last: Vector | None = None
        self._keep([], np.zeros((0, 0)))

    def _keep(self, names: list[str], rows: Rows) -> None:
        self.names, self.rows, self.lengths = names, rows, np.linalg.norm(rows, axis=1)

    def on_learn(self, message: Any) -> None:
        name = _name(message)
        if self.last is None or not name:
            return
        alike = self.rows.shape[1] == len(self.last)
        names, rows = (self.names, self.rows) if alike else ([], np.zeros((0, len(self.last))))
        most = min(MOST_POINTS, MOST_NUMBERS // len(self.last))
        if len(names) >= most:
            self.host.log(self, f"It has {most} examples already: forget some.")
            return
        self._keep([*names, name], np.vstack([rows, self.last]))
        self.count(len(self.names))

    def on_forget(self, message: Any) -> None:
        name = _name(message)
        if not name and message is not BANG:
            return
        kept = [index for index, known in enumerate(self.names) if name and known != name]
        if len(kept) != len(self.names):
            self._keep([self.names[index] for index in kept], self.rows[kept])
            self.count(len(self.names))

    def on_x(self, message: Any) -> None:
        self.last = vector_of(message)
        if self.last is None or not self.names or self.rows.shape[1] != len(self.last):
            return
        far = measured(self.measure, self.last, self.rows, self.lengths)
        nearest = int(np.argmin(far))
        if far[nearest] <= self.farthest:
            self.near(float(np.exp(-far[nearest] / self.scale)))
            self.name(self.names[nearest])


def _name(message: Any) -> str:
    """A name, from a text or a number."""
    if isinstance(message, str):
        return message
    number = as_number(message) if not isinstance(message, tuple) else None
    return "" if number is None or not math.isfinite(number) else f"{number:g}"


@node("vector.cluster", aliases=("kmeans",))
class VectorCluster(EventNode):
    """Sort vectors into groups as they come: k-means, one vector after another.

    The first `groups` vectors that differ begin a group each; every later one joins the nearest and moves its middle
    by ``1 / (its members + 1)``, or by `forgetting` if that is more, so that the groups follow what changes. The same
    vectors in the same order give the same groups.
    Shapes: x (n,).

    Source: J. MacQueen, "Some methods for classification and analysis of multivariate observations", 1967.
    """

    groups = setting.number(4, "how many groups", span=(1, 64))
    x = inlet.tensor("vector", shape=("n",))
    reset = inlet.event("any message: begin anew")
    forgetting = inlet.control(0.0, "least share by which a middle moves", span=(0.0, 1.0))
    group = outlet.event("the number of its group, from 0")
    distance = outlet.event("how far it is from the middle of its group")

    def start(self, when: Moment) -> None:
        self.on_reset(None)

    def on_reset(self, message: Any) -> None:
        self.middles: Rows = np.zeros((0, 0))
        self.members: list[int] = []

    def on_x(self, message: Any) -> None:
        vector = vector_of(message)
        if vector is None:
            return
        if self.middles.shape[1] != len(vector):
            self.middles, self.members = np.zeros((0, len(vector))), []
        far = np.linalg.norm(self.middles - vector, axis=1)
        if len(self.middles) < int(self.groups) and (far > 0.0).all():
            self.middles = np.vstack([self.middles, vector])
            self.members.append(1)
            self.distance(0.0)
            self.group(len(self.middles) - 1)
            return
        nearest = int(np.argmin(far))
        self.members[nearest] += 1
        share = max(1.0 / self.members[nearest], self.forgetting)
        self.middles[nearest] += share * (vector - self.middles[nearest])
        self.distance(float(far[nearest]))
        self.group(nearest)


@node("vector.map", aliases=("pca", "latent.map"))
class VectorMap(EventNode):
    """Lay vectors out on a plane, so that two numbers follow what is heard.

    The plane is that of the two directions in which the vectors differ most. They are learned while `learning` is 1,
    from all vectors that have come, each new one counting for ``1 / (count + 1)``; `x` and `y` are where the vector
    lies along them, in standard deviations, held within -1 and 1 after a division by `width`. Turn `learning` off and
    the map stays as it is. Vectors of more than 4096 numbers are folded.
    Shapes: vector (n,).

    Source: J. Weng, Y. Zhang, W.-S. Hwang, "Candid covariance-free incremental principal component analysis", IEEE
    Trans. PAMI 25, 2003.
    """

    vector = inlet.tensor("vector", shape=("n",))
    learning = inlet.control(1.0, "1 learns, 0 keeps the map", span=(0.0, 1.0), curve="switch")
    reset = inlet.event("any message: begin anew")
    width = inlet.control(2.0, "standard deviations from the middle to the edge", span=(0.1, 100.0), curve="log")
    x = outlet.event("place along the first direction, -1 to 1")
    y = outlet.event("place along the second, -1 to 1")

    def start(self, when: Moment) -> None:
        self.on_reset(None)

    def on_reset(self, message: Any) -> None:
        self.seen = 0
        self.mean: Vector = np.zeros(0)
        self.ways = np.zeros((2, 0))

    def on_vector(self, message: Any) -> None:
        vector = vector_of(message)
        if vector is None:
            return
        if len(vector) > MOST_MAPPED:
            vector = np.pad(vector, (0, -len(vector) % MOST_MAPPED)).reshape(-1, MOST_MAPPED).sum(axis=0)
        if len(vector) != len(self.mean):
            self.seen, self.mean, self.ways = 0, np.zeros(len(vector)), np.zeros((2, len(vector)))
        if self.learning >= 0.5:
            self._learn(vector)
        places = self._places(vector)
        self.y(places[1])
        self.x(places[0])

    def _learn(self, vector: Vector) -> None:
        """One more vector: each way turns towards it, and the second sees only what the first leaves over."""
        self.seen += 1
        self.mean = self.mean + (vector - self.mean) / self.seen
        rest = vector - self.mean
        for number in range(2):
            way = self.ways[number]
            length = float(np.linalg.norm(way))
            if length == 0.0:
                self.ways[number] = way = rest * float(np.linalg.norm(rest)) / max(self.seen, 1)
            else:
                share = 1.0 / self.seen
                self.ways[number] = way = (1.0 - share) * way + share * rest * float(rest @ way) / length
            length = float(np.linalg.norm(way))
            if length > 0.0:
                rest = rest - float(rest @ way) / length**2 * way

    def _places(self, vector: Vector) -> list[float]:
        """Where it lies along each way: a way's length is the variance along it."""
        found = []
        for way in self.ways:
            variance = float(np.linalg.norm(way))
            if variance <= 0.0:
                found.append(0.0)
                continue
            deviations = float((vector - self.mean) @ way) / variance / math.sqrt(variance)
            found.append(min(max(deviations / self.width, -1.0), 1.0))
        return found
