"""An engine of the tests' own: beats as it is told, and nothing else. ``fake_engine.py BEHAVIOUR BEATS RECORD``."""

import os
import signal
import sys
import time

behaviour, beats, record = sys.argv[1], int(sys.argv[2]), sys.argv[3]
os.write(beats, b"ready\n")
told = sys.stdin.readline().strip()
if not told:
    sys.exit(0)
with open(record, "a") as file:
    file.write(f"{behaviour} {os.getpid()} {told}\n")
over = False


def end(*_):
    global over
    over = True


signal.signal(signal.SIGTERM, signal.SIG_IGN if behaviour == "deaf" else end)


def beat(line):
    try:
        os.write(beats, (line + "\n").encode())
    except BlockingIOError:
        pass
    except BrokenPipeError:
        sys.exit(0)


if behaviour == "wrong":
    os.write(2, b"<3>\tThe patch is not there.\n")
    sys.exit(2)
if behaviour == "early":
    sys.exit(1)
done = 0
while not over:
    safe = '"safe": ""' not in told
    beat("safe -1" if safe else f"{'waiting' if behaviour == 'waits' else 'playing'} {done}")
    if behaviour != "still":
        done += 4800
    if behaviour == "dies" and done > 20_000 and not safe:
        os.write(2, b"what a library says\n")
        os.kill(os.getpid(), signal.SIGKILL)
    if behaviour == "ends" and done > 20_000:
        sys.exit(0)
    if behaviour == "silent" and done > 20_000:
        while True:
            time.sleep(1)
    time.sleep(0.05)
sys.exit(0)
