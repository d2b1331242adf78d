"""The same music in other systems, to be measured beside ours.

Each module here offers

- ``NAME``, and ``available()``: None, or the reason why it cannot be measured here;
- ``version()``: its name with its version;
- ``cpu_per_second(patch, block=64, rate=48000)``: CPU seconds that one second of sound costs, user and system time
  together, as the slope between a short and a long run, so that starting, loading and compiling do not count;
- ``render(patch, seconds, rate=48000)``: the sound as float32, shaped ``(frames,)``, to prove that it is the same.
"""
