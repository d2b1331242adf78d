"""What taggers say, made fit for playing."""

from __future__ import annotations

import math

import pytest

from nodegraph.core import BANG, Tag
from tests.contracts.moments import RATE, frames, give, make, values

DOG, SPEECH = "Dog", "Speech"


def answer(node, seconds, **scores):
    """One answer of a tagger; gives what comes of it, one sample later."""
    node.host.run(seconds)
    for label, score in scores.items():
        give(node, "x", Tag(label, score))
    node.host.run(seconds + 2 / RATE)


def test_a_label_begins_once_and_ends_once_however_its_score_flutters():
    gate = make("tags.gate", on=0.5, off=0.3, hold=1.0)
    for number, score in enumerate((0.4, 0.6, 0.35, 0.55, 0.31, 0.7, 0.2, 0.1)):
        gate.host.run(0.5 * number)
        give(gate, "x", Tag(DOG, score))
    gate.host.run(10.0)
    assert values(gate, "begins") == [Tag(DOG, 0.6)]
    assert values(gate, "ends") == [Tag(DOG, 0.1)]
    (ended,) = [frame for frame, outlet, _ in gate.host.sent if outlet == "ends"]
    assert ended == round(3.5 * RATE), "a second after its last score of 0.3 or more"
    assert values(gate, "count") == [1, 0]


def test_labels_go_on_beside_one_another():
    gate = make("tags.gate", hold=0.5)
    answer(gate, 0.0, Dog=0.9, Speech=0.8, Music=0.2)
    answer(gate, 0.4, Speech=0.4)
    gate.host.run(1.0)
    assert values(gate, "begins") == [Tag(DOG, 0.9), Tag(SPEECH, 0.8)]
    assert values(gate, "ends") == [Tag(DOG, 0.9), Tag(SPEECH, 0.4)]
    assert values(gate, "count") == [1, 2, 1, 0]


def test_texts_and_lists_are_tags_and_other_messages_are_none():
    gate = make("tags.gate")
    for message in (DOG, ("Cat", 0.75), ("Cow", "loud"), 7, BANG, ("Pig", math.nan), (1, 2)):
        give(gate, "x", message)
    assert values(gate, "begins") == [Tag(DOG, 1.0), Tag("Cat", 0.75)]


def test_scores_follow_as_a_filter_does():
    smooth = make("tags.smooth", time=2.0, least=0.001)
    heard = [1.0, 1.0, 0.0, 0.5, 0.5]
    expected, now = [], 0.0
    for number, score in enumerate(heard):
        answer(smooth, 0.5 * number, **({DOG: score} if score else {"Hum": 1.0}))
        now += (1.0 if number == 0 else 1.0 - math.exp(-0.5 / 2.0)) * (score - now)
        expected.append(now)
    assert [tag.score for tag in values(smooth, "y") if tag.label == DOG] == pytest.approx(expected)


def test_a_label_that_is_heard_no_more_is_forgotten():
    smooth = make("tags.smooth", time=0.5, least=0.05)
    answer(smooth, 0.0, Dog=0.8, Speech=0.9)
    for number in range(1, 8):
        answer(smooth, 0.5 * number, Speech=0.9)
    sent = values(smooth, "y")
    dog = [tag.score for tag in sent if tag.label == DOG]
    assert len(dog) == 3 and dog == sorted(dog, reverse=True) and dog[-1] >= 0.05
    assert [tag.label for tag in sent[:2]] == [SPEECH, DOG], "the likeliest first"
    assert smooth.scores.keys() == {SPEECH}


def test_the_likeliest_of_each_answer_pass_and_with_changes_only_others():
    top, news = make("tags.top", {"changes": False}, most=2.0), make("tags.top", {"changes": True})
    for node in (top, news):
        answer(node, 0.0, Dog=0.2, Speech=0.9, Music=0.5)
        answer(node, 1.0, Speech=0.8, Music=0.1)
        answer(node, 2.0, Dog=0.4, Cat=0.4)
    assert [tag.label for tag in values(top, "y")] == [SPEECH, "Music", SPEECH, "Music", "Cat", DOG]
    assert values(news, "y") == [Tag(SPEECH, 0.9), Tag("Cat", 0.4)]


def test_an_answer_is_whole_one_sample_after_it():
    top = make("tags.top", {"changes": False})
    answer(top, 1.0, Dog=0.2, Speech=0.9)
    assert frames(top) == [RATE + 1]


def test_labels_become_messages_by_the_first_rule_that_fits():
    rules = "dog = 1; Speech = note 60\nSing* = $score; *[x]* = $label loud; ?at = bang; Dog = 2"
    node = make("tags.map", {"map": rules}, least=0.3)
    for tag in (
        Tag("DOG", 0.9), Tag("Speech", 0.5), Tag("Singing", 0.75), Tag("a [x] b", 0.5), Tag("Cat", 0.4),
        Tag("Cow", 0.4), Tag("Dog", 0.2),
    ):  # fmt: skip
        give(node, "x", tag)
    assert values(node, "y") == [1, ("note", 60), 0.75, ("a [x] b", "loud"), BANG]
    assert values(node, "rest") == [Tag("Cow", 0.4)]


def test_a_rule_that_is_none_is_told():
    node = make("tags.map", {"map": "dog; = 3; cat = 1"})
    assert any("'dog' is no rule" in text for text in node.host.logged)
    give(node, "x", "cat")
    assert values(node, "y") == [1]
