"""Who has sent a packet, and how that one is answered."""

from __future__ import annotations

from dataclasses import dataclass

from nodegraph.osc.receiving import End, Where


@dataclass(frozen=True, slots=True)
class Origin:
    """An end at which packets come in, and from where one came."""

    end: End
    where: Where

    @property
    def name(self) -> str:
        """What its moves are told under: ``osc udp 127.0.0.1:50123``."""
        return f"osc {self.end.protocol} {self.where[0]}:{self.where[1]}"

    def at_port(self, port: int) -> Where:
        """The same machine at another port."""
        return (self.where[0], port, *self.where[2:])
