"""The programs of docs/own-networks.md that need PyTorch: they run where the golden networks are made."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "own-networks.md"


def exports() -> list[str]:
    """The programs that export from PyTorch, in their order."""
    return re.findall(r"^```py\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
