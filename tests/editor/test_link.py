"""The address that a user gives, and the token that goes with it."""

from __future__ import annotations

import pytest

from nodegraph.core.errors import DeviceError
from nodegraph.editor.link import Place, place_of


@pytest.fixture(autouse=True)
def no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NODEGRAPH_TOKEN", raising=False)


@pytest.mark.parametrize(
    ("text", "token", "place"),
    [
        ("http://127.0.0.1:8840/?token=abc", None, Place("ws://127.0.0.1:8840/ws", "abc")),
        ("http://127.0.0.1:8840/?token=abc", "other", Place("ws://127.0.0.1:8840/ws", "other")),
        ("studio:8840", "abc", Place("ws://studio:8840/ws", "abc")),
        ("https://studio", "abc", Place("wss://studio:443/ws", "abc")),
        ("ws://[::1]:9000/ws", "abc", Place("ws://[::1]:9000/ws", "abc")),
    ],
)
def test_addresses(text: str, token: str | None, place: Place) -> None:
    assert place_of(text, token) == place


def test_the_token_may_be_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODEGRAPH_TOKEN", "abc")
    assert place_of("studio:1").token == "abc"


@pytest.mark.parametrize("text", ["", "http://", "studio:port", "ftp://studio:1", "studio:99999", "[::1"])
def test_what_is_no_address_is_said(text: str) -> None:
    with pytest.raises(DeviceError, match="no address"):
        place_of(text, "abc")


def test_no_token_is_said() -> None:
    with pytest.raises(DeviceError, match="--token"):
        place_of("127.0.0.1:8840")
