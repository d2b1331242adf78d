"""What is to be said of a node's help patch where its ports alone do not say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Recipe:
    """`values` of the node; `feeds`: what plays into which inlet; `ears`: what hears which outlet (`parts`). An inlet
    or outlet that is not named gets what its kind of cable gets, ``""`` nothing. `tell` is what there is to try.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    feeds: Mapping[str, str] = field(default_factory=dict)
    ears: Mapping[str, str] = field(default_factory=dict)
    tell: str = ""


NOTHING: Final = Recipe()
STRUCK: Final = Recipe(feeds={"x": "pluck"})
TAGS: Final = "message Dog 0.8"
OUTSIDE: Final = "It hears nothing until something comes from outside."

RECIPES: Final[Mapping[str, Recipe]] = {
    # sound
    "in~": Recipe(tell="Take headphones: what the microphone hears goes to the loudspeaker."),
    "lfo~": Recipe({"freq": 2.0}, ears={"y": "freq"}),
    "phase~": Recipe(ears={"y": "freq"}),
    "line~": Recipe({"time": 0.1}, {"target": "numbers"}, {"y": "freq"}),
    "adsr~": Recipe({"attack": 0.01, "decay": 0.1, "release": 0.1}, {"gate": "switch"}, {"y": "loudness"}),
    "slew~": Recipe({"rise": 0.05, "fall": 0.2}, {"x": "lfo 0 1 2 square"}, {"y": "freq"}),
    "sah~": Recipe(feeds={"x": "lfo 0 1 3.3", "take": "bang"}, ears={"y": "freq"}),
    "env~": Recipe(feeds={"x": "pluck"}, ears={"y": "loudness"}),
    "onset~": Recipe(feeds={"x": "pluck"}, ears={"onset": "print strike", "trigger": ""}),
    "svf~": Recipe({"resonance": 0.5}, {"x": "saw 110", "cutoff": "lfo 200 4000 0.5"}),
    "ladder~": Recipe({"resonance": 0.6}, {"x": "saw 110", "cutoff": "lfo 200 4000 0.5"}),
    "onepole~": Recipe(feeds={"x": "noise", "cutoff": "lfo 200 4000 0.5"}),
    "highpass~": Recipe(feeds={"x": "noise", "cutoff": "lfo 200 4000 0.5"}),
    "eq~": Recipe({"gain_db": 12.0, "q": 2.0}, {"x": "saw 110", "freq": "lfo 300 3000 0.5"}),
    "biquad~": Recipe({"b0": 0.02, "b1": 0.04, "b2": 0.02, "a1": -1.56, "a2": 0.64}, {"x": "saw 110"}),
    "pan~": Recipe(feeds={"x": "saw 110", "pan": "lfo -1 1 0.5"}),
    "crossfade~": Recipe(feeds={"a": "saw 110", "b": "noise", "mix": "lfo 0 1 0.5"}),
    "mix~": Recipe({"gain": 0.5}, {"x": "saw 110"}),
    "gain~": Recipe({"gain": 0.5}, {"x": "saw 110"}),
    "*~": Recipe(feeds={"x": "saw 110", "b": "lfo 0 1 4"}),
    "+~": Recipe(feeds={"x": "sine 220", "b": "sine 330"}),
    "-~": Recipe(feeds={"x": "sine 220", "b": "sine 330"}),
    "/~": Recipe({"b": 2.0}, {"x": "saw 110"}),
    "scale~": Recipe({"mul": 0.5}, {"x": "saw 110"}),
    "clip~": Recipe({"low": -0.3, "high": 0.3}, {"x": "sine 220"}),
    "fold~": Recipe({"low": -0.3, "high": 0.3}, {"x": "sine 220"}),
    "wrap~": Recipe({"low": -0.3, "high": 0.3}, {"x": "sine 220"}),
    "round~": Recipe({"step": 0.25}, {"x": "sine 220"}),
    "abs~": Recipe(feeds={"x": "sine 220"}),
    "tanh~": Recipe({"drive": 5.0}, {"x": "sine 220"}),
    "expr~": Recipe({"code": "tanh(3 * x1)"}, {"x1": "saw 110"}),
    "dup~": Recipe(feeds={"x": "saw 110"}),
    "pack~": Recipe(feeds={"x1": "saw 110", "x2": "sine 220"}),
    "unpack~": Recipe(feeds={"x": "stereo"}, ears={"y1": "out", "y2": ""}),
    "sum~": Recipe(feeds={"x": "stereo"}),
    "spread~": Recipe(feeds={"x": "stereo"}),
    "compressor~": Recipe({"threshold": -30.0, "makeup": 6.0}, {"x": "pluck", "key": ""}, {"change": ""}),
    "gate~": Recipe(feeds={"x": "pluck"}, ears={"open": ""}),
    "limiter~": Recipe({"ceiling": 0.3}, {"x": "saw 110"}),
    "pluck~": Recipe(feeds={"x": "", "pluck": "bang", "freq": "hz"}),
    "partials~": Recipe(feeds={"freq": "hz"}),
    "wavetable~": Recipe(
        {"file": "help-waves.wav", "cycle": 2048},
        {"freq": "hz", "position": "lfo 0 1 0.5"},
    ),
    "play~": Recipe({"file": "help-sound.wav", "loop": True}, ears={"done": ""}),
    "record~": Recipe({"file": "recorded.wav"}, {"x": "pluck"}),
    "convolve~": Recipe({"file": "help-room.wav"}, {"x": "pluck"}),
    "grains~": Recipe({"file": "help-sound.wav", "density": 30.0}, {"position": "lfo 0 0.6 0.2"}),
    "voices~": Recipe(
        {"count": 4},
        {"notes": "notes", "off": ""},
        {"freq": "", "gate": "", "velocity": "", "pressure": "", "timbre": ""},
    ),
    # messages
    "metro": Recipe({"interval": 0.25}, ears={"bang": "print strike"}),
    "loadbang": Recipe(ears={"bang": "print strike"}),
    "message": Recipe({"text": "60 0.8"}, {"x": "bang"}),
    "mtof": Recipe(feeds={"x": "pitches"}, ears={"y": "print hertz"}),
    "ftom": Recipe(feeds={"x": "hz"}),
    "scale": Recipe({"mul": 400.0, "add": 200.0}, ears={"y": "print hertz"}),
    "receive": Recipe({"name": "here"}, tell="What `send` sends under the same name comes out, without a cable."),
    "send": Recipe({"name": "here"}, tell="`receive` gets it under the same name, without a cable."),
    "select": Recipe({"value": "60"}, {"x": "values 60 62 64"}),
    "threshold": Recipe({"level": 0.5}, {"x": "values 0.8 0.2"}, {"above": "print strike"}),
    "delay": Recipe({"time": 0.1}, {"x": "bang", "clear": ""}, {"y": "print strike"}),
    "expr": Recipe({"code": "x1 * 2"}, {"x1": "values 1 2 3"}),
    "random": Recipe({"low": 57, "high": 72, "whole": True}, {"x": "bang"}, {"y": "print midi"}),
    "*": Recipe({"b": 2.0}, {"x": "values 1 2 3"}),
    "+": Recipe({"b": 2.0}, {"x": "values 1 2 3"}),
    "-": Recipe({"b": 2.0}, {"x": "values 1 2 3"}),
    "/": Recipe({"b": 2.0}, {"x": "values 1 2 3"}),
    "mod": Recipe({"b": 3.0}, {"x": "values 1 2 3 4 5"}),
    "clip": Recipe({"low": 2.0, "high": 4.0}, {"x": "values 1 2 3 4 5"}),
    "change": Recipe(feeds={"x": "values 1 1 2 2 3"}),
    "average": Recipe(feeds={"x": "values 1 2 3 4", "clear": ""}),
    "quantise": Recipe(feeds={"x": "values 60.4 61.2 63.7 66.1"}, ears={"y": "print midi"}),
    "timer": Recipe(feeds={"x": "bang", "reset": ""}),
    "arpeggio": Recipe(feeds={"x": "message 57 60 64", "step": "bang", "reset": ""}, ears={"y": "print midi"}),
    "makenote": Recipe({"duration": 0.2}, {"x": "pitches", "release": ""}, {"y": "print voices"}),
    "mono": Recipe(feeds={"x": "notes", "release": ""}, ears={"pitch": "print midi", "velocity": "", "gate": "print"}),
    "gate": Recipe(feeds={"x": "bang"}, ears={"y": "print strike"}),
    "pack": Recipe(feeds={"a": "values 60 64 67", "b": "numbers"}),
    "unpack": Recipe(feeds={"x": "message 60 0.5"}, ears={"c": "", "d": ""}),
    "switch": Recipe(feeds={"a": "values 1 2 3", "b": "values 10 20 30", "c": "", "d": ""}),
    "toggle": Recipe(feeds={"x": "bang"}),
    "chance": Recipe({"seed": 3}, {"x": "bang"}, {"y": "print strike"}),
    "counter": Recipe(feeds={"x": "bang", "reset": ""}),
    "euclid": Recipe(feeds={"step": "bang", "reset": ""}, ears={"hit": "print strike", "rest": ""}),
    "sequence": Recipe({"values": [57, 60, 64, 69]}, {"x": "bang", "reset": ""}, {"y": "print midi"}),
    "every": Recipe({"beats": 0.5}, ears={"bang": "print strike"}),
    "transport": Recipe({"tempo": 120.0}, {"locate": ""}, {"beat": "print strike"}),
    "beats": Recipe(feeds={"x": "values 1 0.5 0.25"}),
    "tags.gate": Recipe(feeds={"x": TAGS}),
    "tags.map": Recipe({"map": "Dog = 60; Sing* = $score"}, {"x": TAGS}),
    "tags.smooth": Recipe(feeds={"x": TAGS}),
    "tags.top": Recipe(feeds={"x": TAGS}),
    "preset": Recipe(
        feeds={"recall": "values 0 1", "randomise": ""},
        tell="The patch has two presets, ‘low’ and ‘high’, of the saw's pitch. Set time to glide between them.",
    ),
    # MIDI and OSC
    "noteout": Recipe(feeds={"notes": "notes", "off": ""}),
    "ctlout": Recipe(feeds={"y": "numbers", "value": ""}),
    "bendout": Recipe(feeds={"bend": "values -1 0 1"}),
    "pgmout": Recipe(feeds={"program": "values 1 2 3"}),
    "touchout": Recipe(feeds={"pressure": "numbers", "key": ""}),
    "midiout": Recipe(feeds={"x": "message 144 60 100"}),
    "sysexout": Recipe(feeds={"data": "message 240 125 247"}),
    "notein": Recipe(ears={"note": "print voices"}, tell=OUTSIDE),
    "mpein": Recipe(feeds={"off": ""}, ears={"notes": "print voices"}, tell=OUTSIDE),
    "ctlin": Recipe(tell=OUTSIDE),
    "bendin": Recipe(tell=OUTSIDE),
    "pgmin": Recipe(tell=OUTSIDE),
    "touchin": Recipe(tell=OUTSIDE),
    "midiin": Recipe(tell=OUTSIDE),
    "sysexin": Recipe(tell=OUTSIDE),
    "osc.receive": Recipe(tell=OUTSIDE),
    "codes.receive": Recipe(tell=OUTSIDE),
    "midifile": Recipe(
        {"file": "help-tune.mid", "loop": True}, {"again": ""}, {"notes": "print voices", "message": ""}
    ),
    "midirecord": Recipe({"file": "recorded.mid"}, {"notes": "notes", "message": ""}),
    "osc.send": Recipe(feeds={"x": "numbers"}),
    # arrays
    "codes.read": Recipe({"file": "help-codes.safetensors", "loop": True}, {"again": ""}),
    "codes.write": Recipe({"file": "recorded.safetensors"}, {"codes": "codes"}),
    "codes.send": Recipe(feeds={"codes": "codes"}),
    "latent.record": Recipe({"file": "recorded.safetensors"}),
    "latent.replay": Recipe({"file": "help-latents.safetensors", "loop": True}, {"again": ""}),
    "latent.loop": Recipe({"record": 1.0}, tell="Set record to 0: what came meanwhile goes round."),
    "latent.anchors": Recipe(feeds={"keep": "bang", "forget": "", "at": "lfo 0 1 1"}),
    "latent.plane": Recipe(feeds={"keep": "bang", "forget": "", "x": "numbers"}),
    "latent.bias": Recipe({"bias": 0.5}, {"offsets": ""}),
    "latent.mix": Recipe(feeds={"a": "array", "b": "other-array"}),
    "latent.noise": Recipe({"amount": 0.3}),
    "latent.scale": Recipe({"scale": 2.0}),
    "latent.swap": Recipe(feeds={"change": ""}),
    "vector.distance": Recipe(feeds={"x": "array", "to": "other-array"}),
    "vector.cluster": Recipe(feeds={"reset": ""}),
    "vector.map": Recipe(feeds={"reset": ""}),
    "vector.mean": Recipe(feeds={"reset": ""}),
    "vector.nearest": Recipe(feeds={"learn": "message chord", "forget": ""}),
    # models
    "text.embed": Recipe(feeds={"text": "message rain"}),
    "clap.query~": Recipe(feeds={"asked": ""}),
    "spikes~": Recipe(feeds={"begin": ""}),
}
"""By kind."""
PART: Final = ("inlet~", "outlet~", "inlet", "outlet", "param", "argument")
"""What makes a patch a node: it is shown by a patch that has all of them."""
