"""The patch language: ports, node specs, graph, patch file, registry, errors.

No threads, devices, clocks or heavy imports.
"""

from nodegraph.core.cable import Cable
from nodegraph.core.check import check, check_file
from nodegraph.core.declare import (
    BeatTicket,
    BlockNode,
    DeviceNode,
    EventNode,
    InferenceNode,
    KernelNode,
    Moment,
    Node,
    PortNode,
    RouteNode,
    TapNode,
    Total,
    node,
)
from nodegraph.core.document import Document
from nodegraph.core.errors import (
    DeclarationError,
    DeviceError,
    KernelError,
    MediaError,
    ModelError,
    NodegraphError,
    PatchError,
    PatchFileError,
    Problem,
    WeightsMissing,
    WorkerError,
)
from nodegraph.core.graph import Graph
from nodegraph.core.listening import Chunks, Clip, OwnModel, Weights
from nodegraph.core.media import media_folders, resolve_media
from nodegraph.core.messages import BANG, At, Event, Note, NoteExpression, Tag
from nodegraph.core.order import Loop, in_order, loops
from nodegraph.core.patchfile import dumps, load, loads, save
from nodegraph.core.ports import CableKind, Control, Inlet, Memory, Outlet, Setting, inlet, memory, outlet, setting
from nodegraph.core.registry import Registry, registry
from nodegraph.core.spec import NodeSpec, Role
from nodegraph.core.streams import StreamNode
from nodegraph.core.view import GraphView, NodeEntry

__all__ = [
    "At", "BANG", "BlockNode", "Cable", "CableKind", "Chunks", "Clip", "Control", "DeclarationError", "DeviceError",
    "DeviceNode", "Document", "Event", "EventNode", "Graph", "GraphView", "InferenceNode", "Inlet", "KernelError",
    "BeatTicket", "KernelNode", "Loop", "MediaError", "Memory", "ModelError", "Moment", "Node", "NodeEntry", "NodeSpec",
    "NodegraphError", "Note", "NoteExpression", "Outlet", "OwnModel", "PatchError", "PatchFileError", "PortNode",
    "Problem", "Registry", "Role", "RouteNode", "Setting", "StreamNode", "Tag", "TapNode", "Total", "Weights",
    "WeightsMissing", "WorkerError",
    "check", "check_file", "dumps", "in_order", "inlet", "load", "loads", "loops", "media_folders", "memory", "node",
    "outlet", "registry", "resolve_media", "save", "setting",
]  # fmt: skip
