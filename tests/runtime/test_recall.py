"""Where controls are on their way, moved one by one or many together."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from nodegraph.runtime.recall import Recalls

PLACES = tuple((f"n{number}", "x") for number in range(5))
OTHERS = (PLACES[3], ("m", "x"), PLACES[0])


def test_moved_together_controls_are_where_each_would_be() -> None:
    random = np.random.default_rng(1)
    clock = SimpleNamespace(now=0)
    one, many = Recalls(clock), Recalls(clock)  # type: ignore[arg-type]
    for turn in range(400):
        clock.now += int(random.integers(0, 300))
        places = PLACES if turn % 10 < 7 else OTHERS
        values = random.uniform(-1.0, 1.0, len(places))
        frames = np.array([(0, 1, 240, 480, 100)[hash(place) % 5] for place in places])
        stored = [0.25] * len(places)
        for place, value, length in zip(places, values.tolist(), frames.tolist(), strict=True):
            one.moved(*place, value, length, 0.25)
        many.moved_all(places, values, frames, stored)
        if turn % 13 == 0:
            one.moved("n1", "x", 0.5, 64, 0.25)
            many.moved("n1", "x", 0.5, 64, 0.25)
        if turn % 7 == 0:
            assert one._ways == many._ways
    assert len(one._ways) == 6
