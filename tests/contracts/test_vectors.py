"""Vectors against scipy and scikit-learn, which were written by others."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import distance
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

from nodegraph import Patch
from nodegraph.core import BANG
from tests.contracts.moments import give, make, values

RANDOM = np.random.default_rng(4)


def arrays(count, size=24):
    return RANDOM.standard_normal((count, size)).astype(np.float32)


@pytest.mark.parametrize(("measure", "reference"), [("cosine", distance.cosine), ("euclidean", distance.euclidean)])
def test_distances_are_scipys(measure, reference):
    node = make("vector.distance", {"measure": measure})
    give(node, "x", arrays(1)[0])
    (other,) = arrays(1)
    give(node, "to", other)
    found = arrays(20)
    for vector in found:
        give(node, "x", vector.reshape(4, 6))
    give(node, "x", arrays(1, 23)[0])
    assert values(node) == pytest.approx([reference(vector, other) for vector in found.astype(float)], rel=1e-6)


def test_what_points_nowhere_has_nothing_in_common():
    node = make("vector.distance", {"measure": "cosine"})
    give(node, "to", np.ones(3, np.float32))
    for vector in (np.zeros(3), np.ones(3), -np.ones(3), np.full(3, np.nan)):
        give(node, "x", vector.astype(np.float32))
    assert values(node) == pytest.approx([1.0, 0.0, 2.0, 1.0])


def test_the_mean_of_all_is_the_mean_and_begins_anew():
    node, found = make("vector.mean"), arrays(7)
    for vector in found:
        give(node, "x", vector)
    assert np.allclose(values(node)[-1], found.mean(axis=0), atol=1e-6)
    give(node, "reset")
    give(node, "x", found[3])
    assert np.array_equal(values(node)[-1], found[3])


def test_a_mean_in_time_follows_as_a_filter_does():
    node, found = make("vector.mean", time=2.0), arrays(6)
    mean = found[0].astype(float)
    for number, vector in enumerate(found):
        node.host.run(0.5 * number)
        give(node, "x", vector)
        mean = mean + (1.0 - np.exp(-0.25)) * (vector - mean) * (number > 0)
    assert np.allclose(values(node)[-1], mean, atol=1e-6)


@pytest.mark.parametrize("measure", ["cosine", "euclidean"])
def test_the_nearest_example_is_scikit_learns(measure):
    node = make("vector.nearest", {"measure": measure})
    shown, names = arrays(40), [f"n{number % 7}" for number in range(40)]
    give(node, "learn", "too early")
    for vector, name in zip(shown, names, strict=True):
        give(node, "x", vector)
        give(node, "learn", name)
    before = len(values(node, "name"))
    asked = arrays(60)
    for vector in asked:
        give(node, "x", vector)
    reference = KNeighborsClassifier(1, metric=measure).fit(shown, names)
    assert values(node, "name")[before:] == list(reference.predict(asked))
    far = reference.kneighbors(asked)[0][:, 0]
    assert values(node, "near")[before:] == pytest.approx(np.exp(-far / 0.2), rel=1e-4)


def test_names_are_forgotten_and_what_is_far_is_nothing():
    node = make("vector.nearest", {"measure": "euclidean"}, farthest=0.5)
    for name, place in (("a", 0.0), ("b", 1.0), (3, 2.0)):
        give(node, "x", np.full(2, place, np.float32))
        give(node, "learn", name)
    give(node, "x", np.full(2, 1.1, np.float32))
    give(node, "forget", "b")
    give(node, "x", np.full(2, 1.1, np.float32))
    give(node, "x", np.full(2, 2.0, np.float32))
    give(node, "forget", BANG)
    give(node, "x", np.full(2, 2.0, np.float32))
    assert values(node, "name") == ["b", "3"]
    assert values(node, "count") == [1, 2, 3, 2, 0]


def test_what_is_no_name_forgets_nothing_and_long_vectors_are_fewer():
    node = make("vector.nearest", {"measure": "cosine"})
    (long,) = arrays(1, 65_536)
    for _ in range(65):
        give(node, "x", long)
        give(node, "learn", "a")
    assert values(node, "count")[-1] == 64 and "64 examples already" in node.host.logged[-1]
    give(node, "forget", (1, 2))
    give(node, "forget", "b")
    assert len(node.names) == 64
    (short,) = arrays(1)
    give(node, "x", short)
    give(node, "learn", "c")
    assert node.names == ["c"], "a vector of another length begins anew"


def test_groups_are_macqueens():
    node = make("vector.cluster", {"groups": 3})
    centres = 10.0 * arrays(3)
    which = RANDOM.integers(0, 3, 90)
    found = centres[which] + arrays(90)
    middles, members, expected = [], [], []
    for vector in found.astype(float):
        give(node, "x", vector)
        if len(middles) < 3:
            middles.append(vector)
            members.append(1)
            expected.append(len(middles) - 1)
            continue
        nearest = int(np.argmin([distance.euclidean(vector, middle) for middle in middles]))
        members[nearest] += 1
        middles[nearest] = middles[nearest] + (vector - middles[nearest]) / members[nearest]
        expected.append(nearest)
    assert values(node, "group") == expected


def test_well_apart_sounds_come_into_groups_of_their_own():
    node = make("vector.cluster", {"groups": 3})
    centres = np.eye(3, 8) * 10.0
    which = [0, 1, 2, *RANDOM.integers(0, 3, 60).tolist()]
    for number in which:
        give(node, "x", centres[number] + 0.1 * RANDOM.standard_normal(8))
    assert values(node, "group") == which
    give(node, "reset")
    give(node, "x", centres[2])
    assert values(node, "group")[-1] == 0


def test_the_map_finds_the_plane_in_which_vectors_differ_most():
    """Three directions, of 5, 2 and 0.3 standard deviations, turned somewhere in twelve dimensions."""
    turn = np.linalg.qr(RANDOM.standard_normal((12, 12)))[0][:3]
    found = (RANDOM.standard_normal((3_000, 3)) * [5.0, 2.0, 0.3]) @ turn + 7.0
    node = make("vector.map", width=2.0)
    for vector in found:
        give(node, "vector", vector.astype(np.float32))
    reference = PCA(2).fit(found)
    for way, axis in zip(node.ways, reference.components_, strict=True):
        assert abs(way @ axis) / np.linalg.norm(way) > 0.99
    assert np.linalg.norm(node.ways, axis=1) == pytest.approx(reference.explained_variance_, rel=0.15)
    node.controls["learning"] = 0.0
    x, y = len(values(node, "x")), len(values(node, "y"))
    for vector in found[:200]:
        give(node, "vector", vector.astype(np.float32))
    places = np.array([values(node, "x")[x:], values(node, "y")[y:]]).T
    expected = reference.transform(found[:200]) / np.sqrt(reference.explained_variance_) / 2.0
    for number in range(2):
        assert abs(np.corrcoef(places[:, number], np.clip(expected[:, number], -1, 1))[0, 1]) > 0.99
    assert np.abs(places).max() <= 1.0


def test_a_map_that_does_not_learn_stays_and_one_length_begins_anew():
    node = make("vector.map", learning=0.0)
    give(node, "vector", arrays(1)[0])
    assert values(node, "x") == [0.0] and node.seen == 0
    node.controls["learning"] = 1.0
    for vector in arrays(5):
        give(node, "vector", vector)
    give(node, "vector", arrays(1, 9_000)[0])
    assert node.seen == 1 and len(node.mean) == 4_096, "what is longer is folded"


def test_a_distance_is_that_of_one_instant():
    """As two embeddings come together; what it is measured from is declared behind, and heard before."""
    patch = Patch("Distance")
    patch.connect(patch.add("loadbang", "start"), patch.add("message", "zero", text="0"))
    patch.add("vector.distance", "far", measure="euclidean")
    for inlet, vector in (("x", [3.0, 0.0]), ("to", [0.0, 4.0])):
        patch.connect("zero", patch.add("latent.anchors", inlet, anchors=[vector]).at)
        patch.connect(inlet, f"far.{inlet}")
    (event,) = patch.render(seconds=0.1)["far.y"]
    assert event.value == 5.0
