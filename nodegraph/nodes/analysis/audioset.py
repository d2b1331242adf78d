"""AudioSet's 527 classes, in the order of class_labels_indices.csv, which most taggers follow.

Source: J. F. Gemmeke and others, "Audio Set: An Ontology and Human-labeled Dataset for Audio Events", ICASSP 2017. The
list is part of the dataset, which Google published under CC BY 4.0.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType


@cache
def audioset_names() -> Mapping[str, str]:
    """The names by AudioSet's own signs for them (``/m/09x0r`` is Speech), in order."""
    text = resources.files("nodegraph.nodes.analysis").joinpath("audioset.csv").read_text(encoding="utf-8")
    return MappingProxyType({row["mid"]: row["name"] for row in csv.DictReader(text.splitlines())})


def audioset_labels() -> tuple[str, ...]:
    """The names in order."""
    return tuple(audioset_names().values())
