"""A small family of node kinds, so that the tests of the language depend on no real node."""

from nodegraph.core import (
    Clip,
    DeviceNode,
    EventNode,
    InferenceNode,
    KernelNode,
    Registry,
    TapNode,
    Weights,
    inlet,
    node,
    outlet,
    setting,
)


@node("sine~", aliases=("cycle~", "osc~", "SinOsc"))
class Sine(KernelNode):
    """Make a sine wave."""

    frequency = inlet.control(440.0, unit="Hz", span=(0.0, 20_000.0), curve="log")
    y = outlet.signal("wave")

    @staticmethod
    def tick(frequency):
        return frequency


@node("svf~", aliases=("SVF",))
class Filter(KernelNode):
    """Filter a signal, low and high."""

    x = inlet.signal("signal to filter")
    cutoff = inlet.control(1_000.0, unit="Hz", span=(10.0, 20_000.0), curve="log")
    resonance = inlet.control(0.0)
    low = outlet.signal("low part")
    high = outlet.signal("high part")

    @staticmethod
    def tick(x, cutoff, resonance):
        return x * cutoff, x * resonance


@node("out~", aliases=("dac~",))
class Out(DeviceNode):
    """Play a signal."""

    direction = "out"
    x = inlet.signal("signal to play")


@node("metro", aliases=("Impulse",))
class Metro(EventNode):
    """Send a bang again and again."""

    on = inlet.event("1 starts, 0 stops")
    interval = inlet.control(0.5, unit="s", span=(0.001, 60.0))
    tick = outlet.event("bang")


@node("delay", aliases=("del",))
class Delay(EventNode):
    """Send each message later."""

    message = inlet.event("message to delay")
    time = inlet.control(0.1, unit="s", span=(0.0, 60.0))
    later = outlet.event("the same message, later")


@node("send", aliases=("s",))
class Send(EventNode):
    """Send messages to every `receive` of the same name."""

    message = inlet.event("message to send")
    name = setting.text("", "name to send to")


@node("receive", aliases=("r",))
class Receive(EventNode):
    """Receive messages from every `send` of the same name."""

    message = outlet.event("message received")
    name = setting.text("", "name to listen for")


@node("play~", aliases=("sfplay~",))
class Play(TapNode):
    """Play a sound file."""

    file = setting.file("sound file")
    loop = setting.flag(False, "start again at the end")
    speed = inlet.control(1.0, span=(-4.0, 4.0))
    y = outlet.signal("sound")


@node("record~")
class Record(TapNode):
    """Record a signal into a sound file."""

    x = inlet.signal("signal to record")
    file = setting.file("sound file", writes=True)


@node("choir.tag~")
class Tagger(InferenceNode):
    """Say what is heard: the tagger of these tests."""

    x = inlet.signal("sound to tag", channels=1)
    hop = inlet.control(0.5, unit="s", span=(0.1, 10.0))
    scores = outlet.tensor("probability of each class", shape=(3,))
    tags = outlet.event("labels")
    hears = Clip(1.0, 16_000)
    weights = Weights("choir")


@node("bars")
class Bars(EventNode):
    """Draw a tensor."""

    column = inlet.tensor("what to draw")


@node("shape")
class Shape(EventNode):
    """Hold one value of every type."""

    steps = inlet.control(8, span=(1, 64), curve="integer")
    gate = inlet.control(0, span=(0, 1), curve="switch")
    word = setting.text("ah", "a text")
    size = setting.number(1_024, "a number", span=(1, 65_536), unit="frames")
    free = setting.number(0.0, "any number")
    window = setting.choice("hann", "a choice", ("hann", "hamming", "kaiser"))
    sure = setting.flag(True, "a flag")
    values = setting.list([], "a list")


CLASSES = (Sine, Filter, Out, Metro, Delay, Send, Receive, Play, Record, Tagger, Bars, Shape)
KINDS = Registry(CLASSES)
