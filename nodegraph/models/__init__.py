"""The model store: manifests, fetch, verify, safe loading."""

from nodegraph.models.entry import Entry
from nodegraph.models.manifest import Manifest, ModelFile
from nodegraph.models.sources import Progress
from nodegraph.models.store import Store, default_root

__all__ = ["Entry", "Manifest", "ModelFile", "Progress", "Store", "default_root"]
