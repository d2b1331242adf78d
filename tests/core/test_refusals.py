"""What no patch file may say: each refusal with its line, all of them at once, and nothing unwritable is written."""

import pytest

from nodegraph.core import Graph, PatchFileError, dumps, loads
from nodegraph.core.document import Document
from nodegraph.core.patchfile import read
from tests.core.kinds import KINDS

# text: code, line, and a word of the message

TWO = '{"nodegraph": 1, "nodes": {"a": {"kind": "svf~"}, "b": {"kind": "svf~"}}, "cables": [\n'
REFUSED = {
    "nothing": ("", "not-json", 1, "empty"),
    "blanks": (" \n\n", "not-json", 1, "empty"),
    "no JSON": ("nodegraph 1", "not-json", 1, "column 1"),
    "cut off": ('{"nodegraph": 1,\n"nodes": {', "not-json", 2, "ends too early"),
    "cut off in a text": ('{"nodegraph": 1,\n"title": "ab', "not-json", 2, "JSON"),
    "comma missing": ('{"nodegraph": 1\n"nodes": {}}', "not-json", 2, "comma is missing"),
    "comma too many": ('{"nodegraph": 1,\n"nodes": {},\n}', "not-json", 2, "closing bracket, at column 12"),
    "comma too many in a list": ('{"nodegraph": 1,\n"cables": [\n"a.y",\n]}', "not-json", 3, "at column 6"),
    "comment": ('{"nodegraph": 1, \n// mine\n"nodes": {}}', "not-json", 2, "no comments"),
    "merge conflict": ('{"nodegraph": 1,\n<<<<<<< HEAD\n"title": "a"\n', "not-json", 2, "merge"),
    "two values": ('{"nodegraph": 1}\n{}', "not-json", 2, "JSON"),
    "control character": ('{"nodegraph": 1, "title": "a\nb"}', "not-json", 1, "JSON"),
    "bytes of another encoding": (b'{"nodegraph": 1,\n"title": "\xe4"}', "not-json", 2, "UTF-8"),
    "UTF-16": ('{"nodegraph": 1}'.encode("utf-16"), "not-json", 1, "UTF-8"),
    "a list": ("[1]", "not-a-patch", 1, "a list in brackets"),
    "a number": ("7", "not-a-patch", 1, "the number 7"),
    "null": ("null", "not-a-patch", 1, "null"),
    "no format": ('{"nodes": {}}', "not-a-patch", 1, "does not begin"),
    "format as text": ('{\n"nodegraph": "1"}', "not-a-patch", 2, "whole number"),
    "format true": ('{"nodegraph": true}', "not-a-patch", 1, "whole number"),
    "format 1.0": ('{"nodegraph": 1.0}', "not-a-patch", 1, "whole number"),
    "negative format": ('{"nodegraph": -1}', "not-a-patch", 1, "whole number"),
    "newer": ('{\n\n"nodegraph": 2}', "newer-version", 3, "reads up to 1"),
    "older than known": ('{"nodegraph": 0}', "old-version", 1, "format 0"),
    "key twice": ('{"nodegraph": 1,\n"nodes": {},\n"nodes": {}}', "duplicate-key", 3, "on line 2 and here"),
    "node twice": ('{"nodegraph": 1, "nodes": {\n"a": {"kind": "svf~"},\n"\\u0061": {"kind": "svf~"}}}',
                   "duplicate-key", 3, "'a'"),
    "value twice": ('{"nodegraph": 1, "nodes": {"a": {"kind": "svf~",\n"cutoff": 20,\n"cutoff": 30}}}',
                    "duplicate-key", 3, "'cutoff'"),
    "key twice deep inside": ('{"nodegraph": 1, "x": [[{"a": {"b": 1,\n"b": 2}}]]}', "duplicate-key", 2, "'b'"),
    "NaN": ('{"nodegraph": 1,\n"x": "NaN",\n"y": NaN}', "not-finite", 3, "NaN"),
    "Infinity": ('{"nodegraph": 1,\n"y": [1, Infinity]}', "not-finite", 2, "Infinity"),
    "minus Infinity": ('{"nodegraph": 1,\n"y": -Infinity}', "not-finite", 2, "-Infinity"),
    "too large a float": ('{"nodegraph": 1, "a": 1e308,\n"y": 1e309}', "not-finite", 2, "1e309"),
    "too large an integer": ('{"nodegraph": 1, "a": 1,\n"y": 1' + "0" * 309 + "}", "not-finite", 2, "1000"),
    "an integer without end": ('{"nodegraph": 1,\n"y": -' + "9" * 9_999 + "}", "not-finite", 2, "-999"),
    "nodes as a list": ('{"nodegraph": 1,\n"nodes": []}', "wrong-type", 2, "a list in brackets"),
    "cables as an object": ('{"nodegraph": 1,\n"cables": {}}', "wrong-type", 2, "an object in braces"),
    "title as a number": ('{"nodegraph": 1,\n"title": 1}', "wrong-type", 2, "the number 1"),
    "about as null": ('{"nodegraph": 1,\n"about": null}', "wrong-type", 2, "null"),
    "view as a flag": ('{"nodegraph": 1,\n"view": true}', "wrong-type", 2, "true"),
    "node as a text": ('{"nodegraph": 1, "nodes": {\n"a": "svf~"}}', "wrong-type", 2, "a text in quotes"),
    "no kind": ('{"nodegraph": 1, "nodes": {\n"a": {"cutoff": 1}}}', "no-kind", 2, "has no kind"),
    "kind as a number": ('{"nodegraph": 1, "nodes": {\n"a": {"kind": 1}}}', "no-kind", 2, "is 1"),
    "empty kind": ('{"nodegraph": 1, "nodes": {\n"a": {"kind": ""}}}', "no-kind", 2, '""'),
    "illegal id": ('{"nodegraph": 1, "nodes": {\n"a b": {"kind": "svf~"}}}', "illegal-id", 2, "'a b'"),
    "empty id": ('{"nodegraph": 1, "nodes": {\n"": {"kind": "svf~"}}}', "illegal-id", 2, "empty"),
    "cable as a list": ('{"nodegraph": 1,\n"cables": [\n["a", "b"]]}', "bad-cable", 3, "a list in brackets"),
    "cable without an arrow": ('{"nodegraph": 1,\n"cables": [\n"a.y b.x"]}', "bad-cable", 3, "no arrow"),
    "cable twice": (TWO + '"a.low -> b.x",\n"a.low->b.x"]}', "duplicate-cable", 3,
                    "on line 2 and here"),
    "cable from nowhere": (TWO + '"aa.low -> b.x"]}', "unknown-node", 2, "'aa'"),
    "cable to nowhere": (TWO + '"a.low -> bb.x"]}', "unknown-node", 2, "'bb'"),
    "too deep": ('{"nodegraph": 1,\n"x": ' + "[" * 100 + "]" * 100 + "}", "too-deep", 2, "100"),
    "far too deep": ("[" * 1_000_000, "too-deep", None, "100"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_text_is_refused_with_its_line(name):
    text, code, line, says = REFUSED[name]
    with pytest.raises(PatchFileError) as caught:
        loads(text, file="bad.ng", kinds=KINDS)
    (problem,) = caught.value.problems
    assert (problem.code, problem.file, problem.line) == (code, "bad.ng", line)
    assert says in problem.what, problem
    assert problem.do


def test_ninety_nine_deep_is_not_too_deep():
    text = '{"nodegraph": 1, "x": ' + "[" * 99 + "]" * 99 + "}"
    assert dumps(loads(dumps(loads(text, kinds=KINDS)), kinds=KINDS))


def test_a_text_too_large_is_refused_without_being_read():
    text = '{"nodegraph": 1, "x": "' + "a" * (64 * 1024 * 1024) + '"}'
    for huge in (text, text.encode()):
        with pytest.raises(PatchFileError, match="64 MiB"):
            loads(huge, kinds=KINDS)


def test_every_problem_of_form_is_told_at_once_in_the_order_of_lines():
    text = """{"nodegraph": 1,
      "nodes": {
        "a b": {"kind": "svf~"},
        "c": 5,
        "d": {"kind": "svf~", "cutoff": 1, "cutoff": 2},
        "e": {}
      },
      "cables": ["c.low -> d.x", "no", "d.low -> f.x", 3],
      "title": 9}"""
    document, problems = read(text, kinds=KINDS)
    assert [(problem.code, problem.line) for problem in problems] == [
        ("illegal-id", 3), ("wrong-type", 4), ("duplicate-key", 5), ("no-kind", 6), ("bad-cable", 8),
        ("unknown-node", 8), ("bad-cable", 8), ("wrong-type", 9),
    ]  # fmt: skip
    assert list(document.graph.nodes) == ["d"]  # what can be read is there, to be checked as well


@pytest.mark.parametrize(
    "document",
    [
        Document(Graph(KINDS), title=5),
        Document(Graph(KINDS), extra={"x": float("nan")}),
        Document(Graph(KINDS), extra={"x": {1: 2}}),
        Document(Graph(KINDS), extra={"x": object()}),
        Document(Graph(KINDS), extra={"x": 10**400}),
        Document(Graph(KINDS), strangers={"a": float("inf")}),
    ],
)
def test_what_no_file_can_hold_is_refused_before_it_is_written(document):
    with pytest.raises(PatchFileError) as caught:
        dumps(document)
    assert caught.value.problems[0].code == "not-storable"
