"""What control from outside costs: 200 parameters moved 100 times a second, and a round trip of one.

The engine and its server run in a process of their own, on the null driver; the client is another process and speaks
msgpack over a WebSocket on loopback, or sends OSC bundles by UDP. The cost is the processor time of the engine's
process beyond what it takes when nobody moves anything, against the wall clock. It has two parts, told apart: what
control itself takes (the server, the session, the messages), and what the audio thread takes because controls that move
are ramped sample by sample. Beside it stands what a process takes that does nothing but receive the same bundles
(asyncio), and one that looks up the addresses of the same messages with python-osc and stores their numbers. A round
trip goes from the client through the engine and back as news: the value was taken for its frame.
"""

from __future__ import annotations

import asyncio
import json
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from socket import AF_INET, SOCK_DGRAM
from socket import socket as UdpSocket
from statistics import median
from typing import Any, Final

from bench import report

NAME: Final = "control"
PARAMETERS: Final = 200
RATE_HZ: Final = 100
SECONDS: Final = 10.0
TRIPS: Final = 500
ROOT: Final = Path(__file__).parents[1]


def run(rounds: int = 3) -> list[report.Row]:
    """Rows for the results table."""
    control, bundles, audio, sent, trips, bare, peer = [], [], [], [], [], [], []
    for _ in range(rounds):
        with subprocess.Popen(
            [sys.executable, "-m", "bench.control"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as engine:
            try:
                assert engine.stdout is not None
                where = json.loads(engine.stdout.readline())
                found = asyncio.run(_client(where, engine.pid))
            finally:
                engine.terminate()
        bare.append(_listening("bare"))
        peer.append(_listening("python-osc"))
        control.append(found["control"])
        bundles.append(found["osc"])
        audio.append(found["audio"])
        sent.append(found["sent"])
        trips.append(found["trip_ms"])
    said = f"{min(sent):.0f} to {max(sent):.0f} frames a second sent"
    what = f"{PARAMETERS} parameters at {RATE_HZ} Hz"
    return [
        report.row(f"{what}: control", 100 * median(control), "% of a core", f"goal 5; {said}", rounds),
        report.row(f"{what}: control by OSC bundles", 100 * median(bundles), "% of a core", "goal 5", rounds),
        report.row(f"{what}: bundles received and dropped", 100 * median(bare), "% of a core", "asyncio", rounds),
        report.row(f"{what}: bundles read by python-osc", 100 * median(peer), "% of a core", "and stored", rounds),
        report.row(f"{what}: ramps in the audio thread", 100 * median(audio), "% of a core", "", rounds),
        report.row(
            "client to engine to client", median(trips), "ms, median", f"goal 5; {TRIPS} trips a round", rounds
        ),
    ]  # fmt: skip


async def _client(where: dict[str, Any], engine: int) -> dict[str, float]:
    import aiohttp
    import msgpack
    import numpy as np

    from nodegraph.osc.building import Floats, bundle

    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(where["url"], headers={"Authorization": f"Bearer {where['token']}"}, max_msg_size=0) as socket,
    ):

        async def ask(**fields: Any) -> Any:
            await socket.send_bytes(msgpack.packb({"id": 0, **fields}))
            while True:
                data = msgpack.unpackb((await socket.receive()).data)
                if "re" in data:
                    return data["ok"]

        layout = (await ask(do="layout", addresses=where["addresses"]))["layout"]
        await ask(do="subscribe", topics=["values"])
        reading = asyncio.create_task(_read(socket))
        await asyncio.sleep(1.0)
        idle, _ = await _spent(engine, where["audio"], asyncio.sleep(SECONDS / 2))
        random = np.random.default_rng(1)
        floats, paths = Floats(), [f"/patch/{address.replace('.', '/')}" for address in where["addresses"]]

        async def protocol(values: Any) -> None:
            to = values.astype("<f4").tobytes()
            await socket.send_bytes(msgpack.packb({"do": "move", "layout": layout, "to": to}))

        async def osc(values: Any) -> None:
            pairs = zip(paths, values.tolist(), strict=True)
            out.sendto(bundle([floats.message(path, value) for path, value in pairs]), ("127.0.0.1", where["osc"]))

        async def bank(send: Any) -> int:
            count, begins = 0, time.perf_counter()
            while time.perf_counter() < begins + SECONDS:
                await send(random.uniform(0.1, 0.9, PARAMETERS))
                count += 1
                await asyncio.sleep(max(0.0, begins + count / RATE_HZ - time.perf_counter()))
            return count

        with UdpSocket(AF_INET, SOCK_DGRAM) as out:
            by_osc, _ = await _spent(engine, where["audio"], bank(osc))
        busy, count = await _spent(engine, where["audio"], bank(protocol))
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        trips = [await _trip(socket, layout, number) for number in range(TRIPS)]
    return {
        "control": busy["rest"] - idle["rest"], "osc": by_osc["rest"] - idle["rest"],
        "audio": busy["audio"] - idle["audio"], "sent": count / SECONDS,
        "trip_ms": 1e3 * median(trips),
    }  # fmt: skip


async def _read(socket: Any) -> None:
    async for _ in socket:
        pass


async def _trip(socket: Any, layout: int, number: int) -> float:
    import msgpack

    value = struct.pack("<f", 0.1 + 0.001 * number)
    begins = time.perf_counter()
    await socket.send_bytes(msgpack.packb({"do": "move", "layout": layout, "at": b"\0\0", "to": value}))
    while True:
        data = msgpack.unpackb((await asyncio.wait_for(socket.receive(), 60)).data)
        if data.get("on") == "moved" and data["at"][:2] == b"\0\0" and data["to"][:4] == value:
            return time.perf_counter() - begins


async def _spent(process: int, audio: int, while_: Any) -> tuple[dict[str, float], Any]:
    """Shares of a core that the audio thread and all others take meanwhile, and what came of that."""
    before, begins = _times(process), time.perf_counter()
    found = await while_
    passed, after = time.perf_counter() - begins, _times(process)
    share = {thread: (spent - before.get(thread, 0.0)) / passed for thread, spent in after.items()}
    return {"audio": share.pop(audio, 0.0), "rest": sum(share.values())}, found


def _times(process: int) -> dict[int, float]:
    """Processor seconds of every thread."""
    return {
        int(task.name): int((task / "schedstat").read_text().split()[0]) / 1e9
        for task in Path(f"/proc/{process}/task").iterdir()
    }


def _bundles(paths: list[str]) -> list[bytes]:
    import numpy as np

    from nodegraph.osc.building import Floats, bundle

    random, floats = np.random.default_rng(1), Floats()
    rows = random.uniform(0.1, 0.9, (RATE_HZ, len(paths))).tolist()
    return [bundle([floats.message(path, value) for path, value in zip(paths, row, strict=True)]) for row in rows]


def _listening(how: str) -> float:
    """The share of a core that a process takes which hears the same bundles as often."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.control", how], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process, UdpSocket(AF_INET, SOCK_DGRAM) as out:  # fmt: skip
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            packets = _bundles([f"/patch/g{number}/gain" for number in range(PARAMETERS)])
            before, begins, count = _times(process.pid), time.perf_counter(), 0
            while time.perf_counter() < begins + SECONDS / 2:
                out.sendto(packets[count % len(packets)], ("127.0.0.1", port))
                count += 1
                time.sleep(max(0.0, begins + count / RATE_HZ - time.perf_counter()))
            passed, after = time.perf_counter() - begins, _times(process.pid)
        finally:
            process.kill()
    return sum(spent - before.get(thread, 0.0) for thread, spent in after.items()) / passed


async def _hear(how: str) -> None:
    """The process that only listens."""
    if how == "bare":

        class Ear(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: Any) -> None:
                pass

        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Ear, ("127.0.0.1", 0))
    else:
        from pythonosc.dispatcher import Dispatcher
        from pythonosc.osc_server import AsyncIOOSCUDPServer

        stored: dict[str, float] = {}
        dispatcher = Dispatcher()
        for number in range(PARAMETERS):
            dispatcher.map(f"/patch/g{number}/gain", stored.__setitem__)
        loop: Any = asyncio.get_running_loop()
        transport, _ = await AsyncIOOSCUDPServer(("127.0.0.1", 0), dispatcher, loop).create_serve_endpoint()
    print(transport.get_extra_info("sockname")[1], flush=True)
    await asyncio.sleep(1_000.0)


def _engine() -> None:
    """The process that is measured: a hundred voices with two controls each, and a server."""
    from nodegraph import Patch
    from nodegraph.osc.door import Door
    from nodegraph.server.server import Server
    from nodegraph.session.session import Session

    patch = Patch("Bank")
    patch.connect(patch.add("mix~", "sum", gain=0.01), patch.add("out~", "out"))
    addresses = []
    for number in range(PARAMETERS // 2):
        patch.connect(patch.add("sine~", f"osc{number}"), patch.add("gain~", f"level{number}"), "sum")
        addresses += [f"osc{number}.phase", f"level{number}.gain"]
    with Session(patch, driver="null", threads=1) as session:
        session.play()
        with Server(session) as server, Door(session, port=0) as door:
            said = {
                "url": f"http://127.0.0.1:{server.port}/ws", "token": server.token, "addresses": addresses,
                "audio": _audio_thread(), "osc": door.port,
            }  # fmt: skip
            print(json.dumps(said), flush=True)
            sys.stdin.read()


def _audio_thread() -> int:
    """The thread in which the null driver's native loop runs."""
    return next(int(thread.native_id or 0) for thread in threading.enumerate() if thread.name == "null driver")


if __name__ == "__main__":
    asyncio.run(_hear(sys.argv[1])) if sys.argv[1:] else _engine()
