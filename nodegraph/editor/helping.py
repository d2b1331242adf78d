"""The help of a node: a patch that plays it, in a window of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nodegraph.core.errors import NodegraphError
from nodegraph.core.hints import quoted
from nodegraph.core.ownfiles import SUFFIX as OWN
from nodegraph.core.subpatches import SUFFIX as PATCH
from nodegraph.headless.places import service_name, state_root

if TYPE_CHECKING:
    from nodegraph.editor.editing import Editing

STATE: Final = "NODEGRAPH_EDITOR_STATE"
"""Where tests read what the window shows; a further window has a file of its own."""
KEPT_S: Final = 7 * 86_400.0
"""Help patches that were opened longer ago are cleared away."""
Open = Callable[[Path], None]


class Helping:
    """Opens help patches. `window` is how: whoever starts the editor says."""

    def __init__(self, editing: Editing) -> None:
        self.editing = editing
        self.window: Open | None = None

    def selected(self) -> None:
        """The help of the object that is selected."""
        nodes = self.editing.selection.nodes
        if len(nodes) != 1:
            self.editing.say("Select one object: its help patch opens then.")
            return
        entry = self.editing.mirror.document.graph.nodes.get(next(iter(nodes)))
        if entry is not None:
            self.open(entry.kind)

    def open(self, kind: str) -> Path | None:
        """Write the help patch of a kind, and open it in a window of its own. Gives its file; what is wrong is said."""
        from nodegraph.core.helppatch import help_patch  # few ask for help, and all wait for the window

        say = self.editing.say
        if kind.endswith((PATCH, OWN)):
            say(f"{quoted(kind)} is a file beside the patch, and has no help patch.")
            return None
        kinds = self.editing.mirror.document.graph.registry
        spec = kinds.get(kind)
        if spec is None:
            say(f"There is no node kind {quoted(kind)} here, so there is no help for it.")
            return None
        if self.window is None:
            say("No further window can be opened from here.")
            return None
        try:
            path = written(spec.kind, help_folder(), lambda path: help_patch(spec, kinds).write(path, kinds))
            self.window(path)
        except (NodegraphError, OSError) as error:
            say(f"The help patch of {spec.kind} cannot be opened: {error}")
            return None
        say(f"The help patch of {spec.kind} opens in a window of its own.")
        return path


def help_folder() -> Path:
    """Where help patches lie that were opened."""
    return state_root() / "help"


def written(kind: str, root: Path, write: Callable[[Path], Path]) -> Path:
    """A help patch in a folder of its own below `root`; those from long ago go."""
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    for old in root.iterdir():
        if old.is_dir() and time.time() - old.stat().st_mtime > KEPT_S:
            shutil.rmtree(old, ignore_errors=True)
    name = service_name(f"help-{kind.rstrip('~')}")
    return write(Path(tempfile.mkdtemp(prefix="node-", dir=root)) / f"{name}.ng")


def opens_windows(driver: str) -> Open:
    """Opens patches in editors of their own, whose engines play through `driver`."""

    def start(path: Path) -> None:
        environment = dict(os.environ)
        if STATE in environment:
            environment[STATE] += f".{path.stem}"
        subprocess.Popen(
            [sys.executable, "-m", "nodegraph", "edit", str(path), "--driver", driver], cwd=path.parent,
            env=environment, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    return start
