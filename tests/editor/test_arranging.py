"""Where boxes stand: aligned, distributed, on the grid, tidied up; each a pure function from boxes to places."""

from itertools import pairwise

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodegraph.core.errors import PatchError
from nodegraph.editor.arranging import Box, align, bounds, distribute, snap, tidy
from nodegraph.editor.layers import Layers

few = settings(max_examples=80)
points = st.integers(-500, 1500).map(float)
sizes = st.integers(10, 200).map(float)
NEAR = 1e-6


@st.composite
def some_boxes(draw, least=0, most=12):
    count = draw(st.integers(least, most))
    return [Box(f"n{at}", draw(points), draw(points), draw(sizes), draw(sizes)) for at in range(count)]


@st.composite
def some_patches(draw, most=12, acyclic=False):
    boxes = draw(some_boxes(1, most))
    number = st.integers(0, len(boxes) - 1)
    ends = draw(st.lists(st.tuples(number, st.integers(0, 3), number, st.integers(0, 3)), max_size=20))
    if acyclic:
        ends = [(min(a, b), out, max(a, b), into) for a, out, b, into in ends if a != b]
    return boxes, [(f"n{a}", out, f"n{b}", into) for a, out, b, into in ends]


def placed(boxes, places):
    return [Box(box.id, *places[box.id], box.width, box.height, box.inlets, box.outlets) for box in boxes]


def overlaps(boxes):
    return [
        (one.id, other.id)
        for at, one in enumerate(boxes)
        for other in boxes[at + 1 :]
        if one.x < other.x + other.width - NEAR and other.x < one.x + one.width - NEAR
        and one.y < other.y + other.height - NEAR and other.y < one.y + one.height - NEAR
    ]  # fmt: skip


# align

A, B, C = Box("a", 10, 20, 100, 20), Box("b", 50, 100, 40, 40), Box("c", 200, 60, 60, 20)


@pytest.mark.parametrize(
    ("edge", "at", "expected"),
    [("left", 0, [10, 10, 10]), ("centre", 0, [85, 115, 105]), ("right", 0, [160, 220, 200]),
     ("top", 1, [20, 20, 20]), ("middle", 1, [70, 60, 70]), ("bottom", 1, [120, 100, 120])],
)  # fmt: skip
def test_boxes_are_put_on_one_line(edge, at, expected):
    places = align([A, B, C], edge)
    assert [places[id][at] for id in "abc"] == expected
    assert [places[box.id][1 - at] for box in (A, B, C)] == [(box.x, box.y)[1 - at] for box in (A, B, C)]


@few
@given(some_boxes(), st.sampled_from(["left", "centre", "right", "top", "middle", "bottom"]), st.randoms())
def test_aligning_twice_is_aligning_once_in_any_order(boxes, edge, random):
    once = align(boxes, edge)
    assert once.keys() == {box.id for box in boxes}
    mixed = random.sample(boxes, len(boxes))
    assert align(mixed, edge) == once
    again = align(placed(mixed, once), edge)
    assert all(again[id] == pytest.approx(once[id]) for id in once)


def test_an_edge_that_boxes_do_not_have_is_refused():
    with pytest.raises(PatchError, match="Did you mean 'centre'"):
        align([A], "center")
    with pytest.raises(PatchError, match="horizontally"):
        distribute([A], "sideways")
    with pytest.raises(PatchError, match="gaps"):
        distribute([A], "vertically", "gap")


# distribute


def test_gaps_or_centres_become_equal():
    row = [Box("a", 0, 5, 20, 20), Box("b", 30, 6, 60, 20), Box("c", 180, 7, 20, 20)]
    assert distribute(row, "horizontally") == {"a": (0, 5), "b": (70, 6), "c": (180, 7)}
    assert distribute(row, "horizontally", "centres") == {"a": (0, 5), "b": (70, 6), "c": (180, 7)}
    uneven = [Box("a", 0, 0, 20, 100), Box("b", 5, 110, 60, 20), Box("c", 9, 280, 20, 20)]
    assert [y for _, y in distribute(uneven, "vertically").values()] == [0, 180, 280]
    assert [y for _, y in distribute(uneven, "vertically", "centres").values()] == [0, 160, 280]
    assert [x for x, _ in distribute(row, "horizontally", gap=10).values()] == [0, 30, 100]


@few
@given(some_boxes(2), st.sampled_from(["horizontally", "vertically"]), st.randoms())
def test_distributed_gaps_are_equal_and_the_ends_stay(boxes, direction, random):
    places = distribute(boxes, direction)
    assert distribute(random.sample(boxes, len(boxes)), direction) == places
    at = 0 if direction == "horizontally" else 1
    size = {box.id: (box.width, box.height)[at] for box in boxes}
    old = {box.id: (box.x, box.y) for box in boxes}
    assert all(places[id][1 - at] == old[id][1 - at] for id in places)
    gaps = [places[b][at] - places[a][at] - size[a] for a, b in pairwise(places)]
    assert gaps == pytest.approx([gaps[0]] * len(gaps))
    first, last = next(iter(places)), list(places)[-1]
    assert places[first] == old[first] and places[last][at] == pytest.approx(old[last][at])


@pytest.mark.parametrize("arrange", [lambda boxes: align(boxes, "left"), lambda boxes: distribute(boxes, "vertically"),
                                     lambda boxes: snap(boxes, 10), lambda boxes: tidy(boxes, [])])  # fmt: skip
def test_none_and_one_are_no_special_case(arrange):
    assert arrange([]) == {}
    assert arrange([Box("a", 20, 30, 50, 20)]) == {"a": (20, 30)}


# snap


@few
@given(some_boxes(), st.sampled_from([0.5, 1, 8, 10, 16.0]))
def test_snapped_boxes_stand_on_the_nearest_point_of_the_grid(boxes, grid):
    places = snap(boxes, grid)
    for box in boxes:
        x, y = places[box.id]
        assert (x / grid).is_integer() and (y / grid).is_integer()
        assert abs(x - box.x) <= grid / 2 and abs(y - box.y) <= grid / 2
    assert snap(placed(boxes, places), grid) == places


@pytest.mark.parametrize("grid", [0, -5, float("nan"), float("inf")])
def test_a_grid_without_width_is_refused(grid):
    with pytest.raises(PatchError, match="number above 0"):
        snap([A], grid)


# tidy


@few
@given(some_patches(), st.randoms())
def test_tidy_boxes_do_not_overlap_and_their_top_left_stays(patch, random):
    boxes, cables = patch
    places = tidy(boxes, cables)
    assert places.keys() == {box.id for box in boxes}
    after = placed(boxes, places)
    assert overlaps(after) == []
    old, new = bounds(boxes), bounds(after)
    assert (new.x, new.y) == (old.x, old.y)
    assert tidy(random.sample(boxes, len(boxes)), random.sample(cables, len(cables)) * 2) == places


@few
@given(some_patches(acyclic=True))
def test_cables_run_down_and_each_layer_is_one_line(patch):
    boxes, cables = patch
    places = tidy(boxes, cables, row_gap=30)
    height = {box.id: box.height for box in boxes}
    for source, _, target, _ in cables:
        assert places[target][1] >= places[source][1] + height[source] + 30
    graph = nx.DiGraph((source, target) for source, _, target, _ in cables)
    if graph:
        part = max(nx.weakly_connected_components(graph), key=lambda ids: (len(ids), min(ids)))
        rows = {places[id][1] for id in part}
        assert len(rows) == nx.dag_longest_path_length(graph.subgraph(part)) + 1


@few
@given(some_patches())
def test_parts_stand_side_by_side_in_the_order_in_which_they_stood(patch):
    boxes, cables = patch
    places = tidy(boxes, cables, part_gap=40)
    graph = nx.Graph((source, target) for source, _, target, _ in cables)
    graph.add_nodes_from(box.id for box in boxes)
    parts = [[box for box in boxes if box.id in part] for part in nx.connected_components(graph)]
    parts.sort(key=lambda part: min(places[box.id][0] for box in part))
    for one, other in pairwise(parts):
        before, after = bounds(placed(one, places)), bounds(placed(other, places))
        assert after.x - before.x - before.width == pytest.approx(40)
        assert min(box.x for box in one) <= min(box.x for box in other)


@few
@given(some_patches(most=8))
def test_tidying_what_is_tidy_moves_nothing(patch):
    boxes, cables = patch
    places = tidy(boxes, cables)
    assert tidy(placed(boxes, places), cables) == places


def chain(*ids: str, x: float = 0) -> list[Box]:
    return [Box(id, x + at * 7, at * 3, 40 + 10 * at, 22) for at, id in enumerate(ids)]


def test_a_chain_becomes_one_straight_column():
    boxes = chain("osc", "filter", "gain", "out")
    cables = [("osc", 0, "filter", 0), ("filter", 0, "gain", 0), ("gain", 0, "out", 0)]
    places = tidy(boxes, cables, row_gap=30)
    assert places == {"osc": (0, 0), "filter": (0, 52), "gain": (0, 104), "out": (0, 156)}


def test_cables_are_straight_from_port_to_port():
    boxes = [Box("a", 0, 0, 140, 20, (), (10, 50, 130)), Box("b", 0, 50, 40, 20, (5, 35), (5,)),
             Box("c", 60, 50, 40, 20, (5, 35), (5,))]  # fmt: skip
    places = tidy(boxes, [("a", 0, "b", 0), ("a", 2, "c", 1)])
    assert places["a"][0] + 10 == places["b"][0] + 5
    assert places["a"][0] + 130 == places["c"][0] + 35


def test_a_cable_that_closes_a_cycle_runs_back_up():
    boxes = chain("in", "mix", "delay", "out")
    cables = [("in", 0, "mix", 0), ("mix", 0, "delay", 0), ("delay", 0, "mix", 0), ("delay", 0, "out", 0)]
    places = tidy(boxes, cables)
    assert [places[id][1] for id in ("in", "mix", "delay", "out")] == sorted(y for _, y in places.values())
    assert tidy(boxes, [*cables, ("mix", 0, "mix", 1)]) == places  # a cable of a box to itself


def test_a_box_that_nothing_feeds_stands_just_above_what_it_feeds():
    boxes = chain("a", "b", "c", "d", "knob")
    cables = [("a", 0, "b", 0), ("b", 0, "c", 0), ("c", 0, "d", 0), ("knob", 0, "d", 1)]
    places = tidy(boxes, cables)
    assert places["knob"][1] == places["c"][1] and places["knob"][0] > places["c"][0]


def test_crossed_boxes_are_uncrossed_in_the_order_of_the_ports():
    boxes = [Box("a", 0, 0, 60, 20), Box("right", 0, 50, 40, 20), Box("left", 200, 50, 40, 20)]
    places = tidy(boxes, [("a", 0, "left", 0), ("a", 1, "right", 0)])
    assert places["left"][0] < places["right"][0]
    boxes = [Box("one", 0, 0, 40, 20), Box("two", 90, 0, 40, 20), Box("sum", 0, 90, 60, 20)]
    places = tidy(boxes, [("one", 0, "sum", 1), ("two", 0, "sum", 0)])
    assert places["two"][0] < places["one"][0]


def test_boxes_keep_their_order_where_that_costs_no_crossing():
    boxes = [Box(id, x, 0, 40, 20) for id, x in (("c", 0), ("a", 100), ("b", 200))] + [Box("mix", 0, 90, 60, 20)]
    places = tidy(boxes, [(id, 0, "mix", 0) for id in "abc"])
    assert sorted("abc", key=lambda id: places[id][0]) == ["c", "a", "b"]


def test_cables_to_boxes_outside_of_the_selection_are_passed_over():
    boxes = chain("a", "b")
    assert tidy(boxes, [("a", 0, "b", 0), ("a", 0, "elsewhere", 0)]) == tidy(boxes, [("a", 0, "b", 0)])


def test_a_long_cable_has_room_beside_the_boxes_that_it_passes():
    boxes = chain("top", "one", "two", "end")
    cables = [("top", 0, "one", 0), ("one", 0, "two", 0), ("two", 0, "end", 0), ("top", 1, "end", 1)]
    places = tidy(boxes, cables)
    crossed = [id for id in ("one", "two") if places[id][0] <= places["top"][0] + 20 < places[id][0] + 50]
    assert crossed == [] or places["end"][0] != places["top"][0]


@few
@given(some_patches(acyclic=True))
def test_untangling_never_makes_more_crossings(patch):
    boxes, cables = patch
    layers = Layers(boxes, sorted(set(cables)), 20.0)
    before = layers.crossings()
    layers.untangle()
    assert layers.crossings() <= before


@pytest.mark.parametrize("branching", [2, 3])
def test_a_tree_has_no_crossings(branching):
    tree = nx.balanced_tree(branching, 3, create_using=nx.DiGraph)
    boxes = [Box(f"n{at}", at * 37 % 101, 0, 50, 20) for at in tree]
    cables = [(f"n{a}", (b - 1) % branching, f"n{b}", 0) for a, b in tree.edges]
    layers = Layers(boxes, cables, 20.0)
    layers.untangle()
    assert layers.crossings() == 0
