"""The systemd unit of a service.

Source: systemd.service(5), systemd.exec(5), systemd.unit(5), systemd.syntax(7).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

MARK: Final = "# Written by nodegraph install-service; it may be written again."
WATCHDOG_S: Final = 30
"""Much longer than the supervising process takes for a new engine: the watchdog is for that process itself."""
HARDENING: Final = (
    "NoNewPrivileges=yes", "LockPersonality=yes", "RestrictSUIDSGID=yes", "RestrictNamespaces=yes",
    "SystemCallArchitectures=native",
)  # fmt: skip
FOR_SYSTEM: Final = (
    "ProtectSystem=full", "ProtectKernelTunables=yes", "ProtectKernelModules=yes", "ProtectKernelLogs=yes",
    "ProtectControlGroups=yes", "ProtectHostname=yes", "CapabilityBoundingSet=", "AmbientCapabilities=",
)  # fmt: skip
"""A user's own service manager may not do these. What would hinder the sound is left out on purpose: PrivateDevices and
DevicePolicy (the sound card), RestrictRealtime (its priority), MemoryDenyWriteExecute (kernels are compiled)."""


@dataclass(frozen=True)
class Unit:
    """What a unit is written for. `command` is the command line; `user`, `groups` are for one of the whole system."""

    title: str
    patch: Path
    command: Sequence[str]
    system: bool = False
    user: str | None = None
    groups: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    private_tmp: bool = True

    def text(self) -> str:
        """The file."""
        service = [
            "Type=notify", "NotifyAccess=main", "ExecStart=" + " ".join(quoted(word) for word in self.command),
            *(f"Environment={quoted(f'{name}={value}', dollar=False)}" for name, value in self.environment.items()),
            "Restart=on-failure", "RestartSec=2", "RestartPreventExitStatus=2", "TimeoutStartSec=600",
            "TimeoutStopSec=20", f"WatchdogSec={WATCHDOG_S}", "KillMode=mixed",
        ]  # fmt: skip
        if self.system and self.user is not None:
            service.append(f"User={percent(self.user)}")
        if self.system and self.groups:
            service.append("SupplementaryGroups=" + " ".join(self.groups))
        limits = ["LimitRTPRIO=95", "LimitMEMLOCK=infinity", "LimitNICE=-19"]
        guards = [*HARDENING, *(FOR_SYSTEM if self.system else ())]
        if self.system and self.private_tmp:
            guards.append("PrivateTmp=yes")
        parts = {
            "Unit": [
                f"Description={percent(' '.join(self.title.split()))}", "Wants=sound.target", "After=sound.target",
                f"RequiresMountsFor={quoted(str(self.patch.parent), dollar=False)}",
                "StartLimitIntervalSec=300", "StartLimitBurst=10",
            ],
            "Service": [*service, "", *limits, "", *guards],
            "Install": ["WantedBy=" + ("multi-user.target" if self.system else "default.target")],
        }  # fmt: skip
        return f"{MARK}\n" + "".join(f"\n[{name}]\n" + "\n".join(lines) + "\n" for name, lines in parts.items())


def quoted(word: str, *, dollar: bool = True) -> str:
    """A word as systemd reads it back: in quotes where needed, specifiers (and in command lines variables) escaped."""
    text = percent(word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t"))
    if dollar:
        text = text.replace("$", "$$")
    plain = word and all(letter.isalnum() or letter in "/._-+:,=@" for letter in word)
    return text if plain else f'"{text}"'


def percent(text: str) -> str:
    """A text in which ``%`` is itself."""
    return text.replace("%", "%%")
