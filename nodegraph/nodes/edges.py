"""The edge of the engine: the sound card, or the files of an offline render."""

from nodegraph.core import DeviceNode, inlet, node, outlet, setting


@node("in~", aliases=("adc~", "ezadc~", "SoundIn", "AudioIn"))
class Input(DeviceNode):
    """Bring in what the sound card hears; offline, the input file.

    Outlet `y` has `channels` channels, from the device's channel number `channel` on, counted from 1. Channels that the
    device does not have are silent. Latency 0 frames beyond the device's own.

    Source: definition.
    """

    channel = setting.number(1, "the device's first channel", span=(1, 64))
    channels = setting.number(1, "how many channels", span=(1, 64))
    y = outlet.signal("what comes in", channels="channels")

    direction = "in"


@node("out~", aliases=("dac~", "ezdac~", "Out", "OffsetOut", "ReplaceOut"))
class Output(DeviceNode):
    """Send sound to the sound card; offline, into the file that is rendered.

    Inlet `x` has `channels` channels, which go to the device's channels from number `channel` on, counted from 1.
    Several `out~` on one channel are added. One channel into two is heard on both. The engine keeps NaN, infinity and
    more than full scale from leaving. Latency 0 frames beyond the device's own.

    Source: definition.
    """

    channel = setting.number(1, "the device's first channel", span=(1, 64))
    channels = setting.number(2, "how many channels", span=(1, 64))
    x = inlet.signal("what goes out", channels="channels")

    direction = "out"
