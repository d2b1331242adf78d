"""Requests about presets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nodegraph.session.requests import COUNT, NUMBER, TEXT, TEXTS, Field, is_number, needed, request

if TYPE_CHECKING:
    from nodegraph.session.protocol import Client

Asked = Mapping[str, Any]
PRESET = Field(lambda value: isinstance(value, str) or COUNT.fits(value), "a preset's name, or its number from 0")
SEVERAL = Field(
    lambda value: isinstance(value, (list, tuple)) and all(PRESET.fits(item) for item in value),
    "a list of presets, by name or by number",
)
NUMBERS = Field(
    lambda value: isinstance(value, (list, tuple)) and all(is_number(item) for item in value), "a list of numbers"
)


def _seconds(asked: Asked) -> float:
    return float(asked.get("ms", 0.0)) / 1_000.0


def _all(client: Client) -> Asked:
    presets = client.session.presets
    return {"presets": list(presets.names), "recalled": presets.recalled}


@request("presets")
def presets(client: Client, asked: Asked) -> Asked:
    """The names of the presets, in order, and the one that was recalled last."""
    return _all(client)


@request("recall", slow=True, name=needed(PRESET), ms=NUMBER, curve=TEXT)
def recall(client: Client, asked: Asked) -> Asked:
    """Go to a preset, within so many milliseconds."""
    client.session.presets.recall(
        asked["name"], _seconds(asked), curve=asked.get("curve", "linear"), by=client.name
    )  # fmt: skip
    return _all(client)


@request("store", slow=True, name=needed(TEXT), addresses=TEXTS)
def store(client: Client, asked: Asked) -> Asked:
    """Keep where parameters are now: these, or those that the preset holds already, or all."""
    return {"values": client.session.presets.store(asked["name"], asked.get("addresses"), by=client.name)}


@request("forget", slow=True, name=needed(TEXT))
def forget(client: Client, asked: Asked) -> Asked:
    """Let a preset go."""
    client.session.presets.remove(asked["name"], by=client.name)
    return _all(client)


@request("morph", slow=True, names=needed(SEVERAL), x=NUMBER, y=NUMBER, weights=NUMBERS, ms=NUMBER)
def morph(client: Client, asked: Asked) -> Asked:
    """Stand among presets: by `x` and `y`, 0 to 1, or by `weights`."""
    values = client.session.presets.morph(
        asked["names"], asked.get("x", 0.0), asked.get("y", 0.0), weights=asked.get("weights"),
        seconds=_seconds(asked), by=client.name,
    )  # fmt: skip
    return {"values": values}


@request("randomise", slow=True, amount=NUMBER, seed=COUNT, addresses=TEXTS, ms=NUMBER)
def randomise(client: Client, asked: Asked) -> Asked:
    """Move parameters by chance, so far within their spans (0 to 1): these, or all."""
    values = client.session.presets.randomise(
        asked.get("amount", 1.0), seed=asked.get("seed", 0), addresses=asked.get("addresses"),
        seconds=_seconds(asked), by=client.name,
    )  # fmt: skip
    return {"values": values}
