"""Inference lanes: models in a worker process, fed through rings in shared memory, answering with stamped messages."""

from nodegraph.runtime.lane.answers import Answer
from nodegraph.runtime.lane.ears import held_back_frames
from nodegraph.runtime.lane.lane import Lane
from nodegraph.runtime.lane.lanes import Lanes
from nodegraph.runtime.lane.ring import Ring, SoundLost, SoundNotYet, ring_frames
from nodegraph.runtime.lane.status import NodeStatus

__all__ = [
    "Answer",
    "Lane",
    "Lanes",
    "NodeStatus",
    "Ring",
    "SoundLost",
    "SoundNotYet",
    "held_back_frames",
    "ring_frames",
]
