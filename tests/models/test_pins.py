"""Models whose hashes nobody publishes: what comes first is recorded, and every later fetch must bring the same."""

import json

from nodegraph.models.manifest import from_data
from tests.models.conftest import CONTENT, declare, left_behind, manifest, pinned
from tests.models.test_fetch import refused


def unknown(*keys: str) -> dict:
    data = manifest()
    for key in keys:
        del data["files"][key]["sha256"]
        data["files"][key]["size"] = 1_000
    return data


def test_what_comes_first_is_recorded_and_then_demanded(store, index):
    declare(store, unknown("weights", "classes"))
    entry = store.info("net")
    assert entry.state == "missing" and not entry.manifest.pinned
    entry = store.fetch("net")
    assert entry.state == "here" and entry.manifest.pinned
    assert entry.manifest.size == sum(map(len, CONTENT.values()))
    files = {file.key: file for file in store.info("net").manifest.files}
    for key, name in (("weights", "net.data"), ("classes", "classes.csv")):
        assert {"sha256": files[key].sha256, "size": files[key].size} == pinned(CONTENT[name])
        assert store.files("net")[key].read_bytes() == CONTENT[name]
    store.files("net")["weights"].unlink()
    index.content = CONTENT | {"net.data": CONTENT["net.data"][:-1] + b"!"}
    assert files["weights"].sha256 in refused("wrong-hash", store.fetch, "net")
    index.content = CONTENT
    assert store.fetch("net").state == "here" and store.verify("net") == ()


def test_a_record_that_is_broken_is_asked_anew(store, index):
    declare(store, unknown("classes"))
    store.fetch("net")
    (record,) = (store.root / "pins").iterdir()
    for text in ("{", "[]", '{"classes": {}}', '{"classes": {"sha256": "0", "size": "many"}}'):
        record.write_text(text)
        assert store.info("net").state == "altered", text
    assert store.fetch("net").state == "here"


def test_removing_forgets(store, index):
    declare(store, unknown("weights"))
    store.fetch("net")
    store.remove("net")
    assert left_behind(store) == []


def test_what_comes_first_is_looked_at(store, index):
    declare(store, unknown("model"))
    index.content = CONTENT | {"net.onnx": b"no graph"}
    refused("damaged", store.fetch, "net")
    assert left_behind(store) == []


def test_such_a_manifest_survives_writing():
    data = from_data(unknown("weights"), "net.json")
    assert from_data(json.loads(json.dumps(data.as_dict())), "net.json") == data
