"""What has moved comes to its place with a spring: in 180 ms, without swinging, and nothing moves afterwards."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from nodegraph.editor.motion import DROP, FACTOR, MANY, MANY_NEW, SETTLE_S, Glide, Motion, Spring
from nodegraph.editor.viewport import Viewport

FRAME_S = 1 / 30


@dataclass
class Box:
    x: float
    y: float


def boxes(**places: tuple[float, float]) -> dict[str, Box]:
    return {id: Box(*at) for id, at in places.items()}


def test_a_spring_has_a_hundredth_left_when_it_is_to_be_there_and_never_swings() -> None:
    spring = Spring(100.0)
    last = 100.0
    for _ in range(18):
        spring.step(SETTLE_S / 18)
        assert 0 < spring.away < last
        last = spring.away
    assert spring.away == pytest.approx(1.0, rel=0.02)


def test_a_spring_does_not_care_how_often_it_is_asked() -> None:
    one, many = Spring(50.0, 300.0), Spring(50.0, 300.0)
    one.step(0.1)
    for _ in range(100):
        many.step(0.001)
    assert (one.away, one.speed) == pytest.approx((many.away, many.speed))


def test_what_is_elsewhere_begins_where_it_was_and_comes_to_rest() -> None:
    motion = Motion()
    motion.follow(boxes(a=(0, 0), b=(50, 50)), 1.0)
    assert not motion.moving  # what is shown first stands
    motion.follow(boxes(a=(100, -40), b=(50, 50)), 2.0)
    assert motion.offset("a") == (-100, 40) and motion.offset("b") == (0, 0)
    now, frames = 2.0, 0
    while motion.moving:
        now, frames = now + FRAME_S, frames + 1
        motion.follow(boxes(a=(100, -40), b=(50, 50)), now)
        assert frames < 12
    assert motion.offset("a") == (0, 0) and SETTLE_S <= frames * FRAME_S < 2 * SETTLE_S


def test_another_place_on_the_way_is_no_jump() -> None:
    motion = Motion()
    motion.follow(boxes(a=(0, 0)), 0.0)
    motion.follow(boxes(a=(100, 0)), 1.0)
    motion.follow(boxes(a=(100, 0)), 1.05)
    seen = 100 + motion.offset("a")[0]
    motion.follow(boxes(a=(300, 0)), 1.05)
    assert 300 + motion.offset("a")[0] == pytest.approx(seen)


def test_a_hand_and_reduced_motion_have_no_spring() -> None:
    for more in ({"held": {"a"}}, {"still": True}):
        motion = Motion()
        motion.follow(boxes(a=(0, 0)), 0.0)
        motion.follow(boxes(a=(100, 0)), 1.0, **more)  # type: ignore[arg-type]
        assert not motion.moving and motion.offset("a") == (0, 0)


def test_new_boxes_come_from_above_unless_it_is_another_patch_or_too_much() -> None:
    motion = Motion()
    motion.follow(boxes(a=(0, 0)), 0.0)
    motion.follow(boxes(a=(0, 0), b=(10, 10)), 1.0)
    assert motion.offset("b") == (0, -DROP)
    motion.follow(boxes(a=(0, 0)), 1.01)
    assert not motion.moving  # gone again
    motion.follow({f"n{k}": Box(k, k) for k in range(MANY_NEW + 1)}, 2.0)
    assert not motion.moving
    motion.forget()
    motion.follow({f"n{k}": Box(k, 0) for k in range(MANY + 1)}, 3.0)
    motion.follow({f"n{k}": Box(k, 500) for k in range(MANY + 1)}, 4.0)
    assert not motion.moving


def test_a_view_glides_from_what_was_seen_and_follows_the_hand_meanwhile() -> None:
    view, glide, size = Viewport(40.0, 40.0, 1.0), Glide(), (1000.0, 600.0)
    assert glide.follow(view, size, 0.0) == (40, 40, 1)
    view.pan(30, 0)
    assert glide.follow(view, size, 0.1) == (70, 40, 1) and not glide.moving  # a hand's way is no jump
    view.show(0, 0, 4000, 2000, *size)
    first = glide.follow(view, size, 1.0)
    assert glide.moving and first[2] == pytest.approx(
        view.zoom * FACTOR
    )  # not from afar: texts have their size already
    zooms = []
    now = 1.0
    while glide.moving:
        now += FRAME_S
        zooms.append(glide.follow(view, size, now)[2])
    assert zooms == sorted(zooms, reverse=True) and glide.follow(view, size, now) == (view.x, view.y, view.zoom)
    assert now - 1.0 < 2 * SETTLE_S


def test_a_short_way_is_glided_whole() -> None:
    view, glide, size = Viewport(40.0, 40.0, 1.0), Glide(), (1000.0, 600.0)
    glide.follow(view, size, 0.0)
    view.jump()
    view.zoom_to(1.1, 500, 300)
    view.pan(100, 0)
    assert glide.follow(view, size, 1.0) == pytest.approx((40, 40, 1))
    half = glide.follow(view, size, 1.05)
    assert 1.0 < half[2] < 1.1 and half[0] > 40 - 100


def test_reduced_motion_and_another_sheet_do_not_glide() -> None:
    view, glide, size = Viewport(), Glide(), (1000.0, 600.0)
    view.show(0, 0, 4000, 2000, *size)
    glide.follow(view, size, 0.0)
    assert not glide.moving  # what is shown first
    view.show(0, 0, 100, 100, *size)
    assert glide.follow(view, size, 1.0, still=True) == (view.x, view.y, view.zoom) and not glide.moving
    other = Viewport()
    other.jumps = 9
    glide.forget()
    glide.follow(other, size, 2.0)
    assert not glide.moving
