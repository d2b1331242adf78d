"""The table of all models in docs/models.md, made from their manifests and from the nodes that are installed.

``python -m nodegraph.models.catalogue docs/models.md`` writes it into the page, between its two marks.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from nodegraph.models.disk import write
from nodegraph.models.manifest import Manifest, shipped, size_text
from nodegraph.models.users import kinds_of

BEGIN: Final = "<!-- models: scripts/catalogue writes this table -->"
END: Final = "<!-- end of models -->"
HEAD: Final = ("model", "what it is", "nodes that use it", "size", "licence", "revision")


def table() -> str:
    """One row a model that comes with nodegraph, by name."""
    rows = [HEAD, ("---",) * len(HEAD), *(_row(manifest) for manifest in shipped() if manifest.kind == "model")]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(manifest: Manifest) -> tuple[str, ...]:
    licence = f"**{manifest.licence}, not for commercial use**" if manifest.non_commercial else manifest.licence
    kinds = ", ".join(f"`{kind}`" for kind in kinds_of(manifest)) or "none yet"
    about = "" if manifest.pinned else "about "
    return (
        f"`{manifest.name}`",
        manifest.title,
        kinds,
        f"{about}{size_text(manifest.size)}",
        licence,
        f"`{_short(manifest.revision)}`",
    )


def _short(revision: str) -> str:
    """A commit's hash by its first ten digits."""
    return revision[:10] if len(revision) == 40 else revision


def renewed(page: str) -> str:
    """The page with the table as it is now. Raises ValueError when it lacks the marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    write(path, renewed(path.read_text(encoding="utf-8")))
