"""Attacks on ``graphkd serve``: bytes that nobody counts, connections that drip, names of other hosts, stops.

    python experiments/robustness/server.py [--part bytes drip hosts stop] [--seconds 4] [--stops 10]

All parts take ten minutes on two cores. Everything is sent over loopback, without the server's token unless said,
to a server in a process of its own; beside it an honest client asks ten times a second, each time on a new
connection. A line per attack: tries, answers with 5xx to the attacker, the honest client's refusals (503, resets,
no answer in 5 s) and the longest time that it was refused, megabytes that the server took, the most that it held.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain, repeat
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "server"))
sys.path.insert(1, str(Path(__file__).parents[1] / "latency"))
sys.path.insert(2, str(Path(__file__).parents[1]))
from server_attacks import BYTES, DRIP, HOSTS, TOKEN, get
from serving import Server, serving
from students import SIZES, write


@dataclass
class Tally:
    """Of one attack."""

    tries: int = 0
    fives: int = 0
    taken: int = 0
    refused: int = 0
    longest: float = 0.0
    most: float = 0.0
    since: float | None = field(default=None, repr=False)

    def honest(self, well: bool) -> None:
        """What became of an honest client's request."""
        now = time.monotonic()
        if well:
            self.since = None
            return
        self.refused += 1
        self.since = self.since or now
        self.longest = max(self.longest, now - self.since)

    def line(self, kind: str, name: str) -> str:
        return (
            f"{kind:5} | {name:41} | tries {self.tries:5} | 5xx {self.fives:4} | others refused {self.refused:3}, "
            f"at most {self.longest:4.1f} s | took {self.taken / 1e6:8.1f} MB | peak {self.most:6.1f} MB"
        )


async def endless(port: int, begin: bytes, more: bytes, end: float, pause: float, tally: Tally) -> None:
    """One attacker: when its connection is closed it takes the next one."""
    while time.monotonic() < end:
        tally.tries += 1
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(max(0.01, end - time.monotonic())):
                reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**10)
                await _sent(reader, writer, begin, more, pause, tally)
        await asyncio.sleep(0.01)


async def _sent(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    begin: bytes,
    more: bytes,
    pause: float,
    tally: Tally,
) -> None:
    try:
        for part in chain([begin], repeat(more)):
            writer.write(part)
            await writer.drain()
            tally.taken += len(part)
            await asyncio.sleep(pause if part is more else 0)
            if reader.at_eof():
                break
    finally:
        tally.fives += bytes(reader._buffer).startswith(b"HTTP/1.1 5")  # type: ignore[attr-defined]
        writer.transport.abort()


async def asked(port: int, content: bytes) -> bytes:
    """All that comes back on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(content)
        return await reader.read()
    finally:
        writer.close()


async def honest(server: Server, tally: Tally) -> None:
    """Asks until it is cancelled, and looks at the server's memory."""
    content = get("Host: localhost\r\nConnection: close\r\n")
    while True:
        try:
            async with asyncio.timeout(5):
                well = (await asked(server.port, content)).startswith(b"HTTP/1.1 200")
        except (OSError, TimeoutError):
            well = False
        tally.honest(well)
        tally.most = max(tally.most, server.resident())
        await asyncio.sleep(0.1)


async def attacked(server: Server, attack: tuple[bytes, bytes], seconds: float, count: int, pause: float) -> Tally:
    """Several attackers and an honest client at a time."""
    tally, end = Tally(), time.monotonic() + seconds
    beside = asyncio.create_task(honest(server, tally))
    await asyncio.gather(*(endless(server.port, *attack, end, pause, tally) for _ in range(count)))
    beside.cancel()
    with suppress(asyncio.CancelledError):
        await beside
    return tally


@contextmanager
def locked(bundle: Path) -> Iterator[Server]:
    """With a token; attackers may have more files than the server."""
    few, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    os.environ["GRAPHKD_TOKEN"] = TOKEN
    with serving(bundle, runtime="numpy") as server:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192), most))
        try:
            yield server
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (few, most))


def of_bytes(bundle: Path, args: argparse.Namespace) -> None:
    """Four connections each send as much as is taken."""
    for name, attack in BYTES.items():
        with locked(bundle) as server:
            print(asyncio.run(attacked(server, attack, args.seconds, 4, 0)).line("bytes", name), flush=True)


def drip(bundle: Path, args: argparse.Namespace) -> None:
    """As many connections as a server has places, and some more, each with a little at a time."""
    for name, attack in DRIP.items():
        with locked(bundle) as server:
            found = asyncio.run(attacked(server, attack, 5 * args.seconds, args.connections, 2))
            print(found.line("drip", name), flush=True)


def hosts(bundle: Path, _: argparse.Namespace) -> None:
    """Names under which a browser could be brought here."""
    with locked(bundle) as server:
        for path in ("/v2/health/ready", "/card", "/"):
            heads = [f"Host: {host}\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n" for host in HOSTS]
            answers = [asyncio.run(asked(server.port, get(head, path))) for head in heads]
            well = sum(answer.startswith(b"HTTP/1.1 200") for answer in answers)
            fives = sum(answer.startswith(b"HTTP/1.1 5") for answer in answers)
            print(f"hosts | {path:41} | tries {len(HOSTS):5} | 5xx {fives:4} | answered {well}", flush=True)


def stop(bundle: Path, args: argparse.Namespace) -> None:
    """SIGTERM under load, on new and on kept connections."""
    os.environ.pop("GRAPHKD_TOKEN", None)
    for workers in (1, 2):
        for kept in (False, True):
            seen = [_stopped(bundle, workers, kept) for _ in range(args.stops)]
            text = f"{workers} workers, connections {'kept' if kept else 'new'}"
            answered, reset, fives = (sum(column) for column in zip(*seen, strict=True))
            print(
                f"stop  | {text:41} | tries {len(seen):5} | 5xx {fives:4} | answered {answered}, resets {reset}",
                flush=True,
            )


def _stopped(bundle: Path, workers: int, kept: bool) -> tuple[int, int, int]:
    with serving(bundle, runtime="numpy", workers=workers) as server:
        return asyncio.run(_under_load(server, kept))


async def _under_load(server: Server, kept: bool) -> tuple[int, int, int]:
    """Answered, reset after they were accepted, 5xx."""
    counts = [0, 0, 0]
    clients = [asyncio.create_task(_client(server.port, kept, counts)) for _ in range(32)]
    await asyncio.sleep(1)
    server.process.send_signal(signal.SIGTERM)
    await asyncio.gather(*clients)
    return counts[0], counts[1], counts[2]


async def _client(port: int, kept: bool, counts: list[int]) -> None:
    """Asks until connections are refused: that is no reset."""
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return
        try:
            again = True
            while again:
                again = await _once(reader, writer, kept, counts)
        except (OSError, EOFError):
            counts[1] += 1
        finally:
            writer.close()


async def _once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kept: bool, counts: list[int]) -> bool:
    writer.write(get("Host: localhost\r\n" + ("" if kept else "Connection: close\r\n"), "/card"))
    head = await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]))
    counts[0] += head.startswith(b"HTTP/1.1 200")
    counts[2] += head.startswith(b"HTTP/1.1 5")
    return b"connection: close" not in head.lower()


PARTS: dict[str, Callable[[Path, argparse.Namespace], None]] = {
    "bytes": of_bytes, "drip": drip, "hosts": hosts, "stop": stop,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--seconds", type=float, default=4, help="of an attack by bytes; five times that by drips")
    parser.add_argument("--connections", type=int, default=920, help="that drip")
    parser.add_argument("--stops", type=int, default=10, help="of each kind")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / "student" / "bundle"
        write(SIZES[0], bundle)
        for part in args.part:
            PARTS[part](bundle, args)


if __name__ == "__main__":
    main()
