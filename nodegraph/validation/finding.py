"""What checks find, as data: a finding (a broken promise), a note (a figure), or why a check does not apply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nodegraph.validation.comparing import Difference


@dataclass(frozen=True, slots=True)
class Finding:
    """A promise that does not hold.

    `when` says under which conditions ("blocks of [17] at 44100 Hz"). `values` are what was found and what should have
    been, or the two that should be alike.
    """

    what: str
    port: str = ""
    channel: int | None = None
    frame: int | None = None
    values: tuple[str, str] | None = None
    when: str = ""

    @classmethod
    def of(cls, what: str, difference: Difference, when: str = "") -> Finding:
        """A finding about the first difference between two sounds."""
        values = difference.first, difference.second
        return cls(what, difference.port, difference.channel, difference.frame, values, when)

    def describe(self) -> str:
        """The whole finding in one line."""
        place = [f"'{self.port}'"] if self.port else []
        place += [f"{word} {number}" for word, number in (("channel", self.channel), ("frame", self.frame))
                  if number is not None]  # fmt: skip
        text = self.what
        if place:
            text += f": {', '.join(place)}"
        if self.values is not None:
            text += f": {self.values[0]} and {self.values[1]}"
        return f"{text} ({self.when})" if self.when else text

    def as_dict(self) -> dict[str, Any]:
        """The finding as plain data."""
        data = {"what": self.what, "port": self.port, "channel": self.channel, "frame": self.frame,
                "values": list(self.values) if self.values else None, "when": self.when}  # fmt: skip
        return {key: value for key, value in data.items() if value not in (None, "")}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Finding:
        """The inverse of `as_dict`."""
        values = data.get("values")
        return cls(**{**data, "values": (values[0], values[1]) if values else None})


@dataclass(frozen=True, slots=True)
class Note:
    """A figure or a remark, which breaks no promise. `name` is for programs, `value` what was measured."""

    text: str
    name: str = ""
    value: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """The note as plain data."""
        data: dict[str, Any] = {"text": self.text}
        if self.name:
            data |= {"name": self.name, "value": self.value}
        return data


class NotApplicable(Exception):
    """A check has nothing to look at in this node, or cannot look here; the text says why."""


Said = Finding | Note


@dataclass(frozen=True)
class Outcome:
    """What one check said of one node. `state` is ``passed``, ``failed`` or ``skipped``."""

    check: str
    state: str
    took_s: float = 0.0
    findings: tuple[Finding, ...] = ()
    notes: tuple[Note, ...] = ()
    why: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The outcome as plain data."""
        return {
            "check": self.check, "state": self.state, "took_s": round(self.took_s, 3),
            "findings": [item.as_dict() for item in self.findings], "notes": [item.as_dict() for item in self.notes],
            **({"why": self.why} if self.why else {}),
        }  # fmt: skip

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Outcome:
        """The inverse of `as_dict`."""
        return cls(
            data["check"], data["state"], data["took_s"], tuple(map(Finding.from_dict, data["findings"])),
            tuple(Note(**note) for note in data["notes"]), data.get("why", ""),
        )  # fmt: skip


@dataclass(frozen=True)
class Report:
    """What all checks said of one node."""

    kind: str
    role: str
    outcomes: tuple[Outcome, ...] = field(default_factory=tuple)

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The checks that found something."""
        return tuple(item for item in self.outcomes if item.state == "failed")

    @property
    def took_s(self) -> float:
        """How long all of it took."""
        return sum(item.took_s for item in self.outcomes)

    def note(self, name: str) -> Note | None:
        """A figure by its name."""
        return next((note for item in self.outcomes for note in item.notes if note.name == name), None)

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data."""
        return {"kind": self.kind, "role": self.role, "checks": [item.as_dict() for item in self.outcomes]}
