"""kill -9 of a worker under load, again and again: every answer that comes is whole and right."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from pathlib import Path

from serving import Server, serving
from traffic import Ask, Tally, sent


def killed(bundle: Path, asks: list[Ask], kills: int, connections: int = 8) -> list[str]:
    """What became of requests while workers were killed, as lines."""
    with serving(bundle, workers=2) as server:
        tally, waits = asyncio.run(_run(server, asks, kills, connections))
        afterwards = asyncio.run(sent(server.port, asks, 2, connections))
    broken = [error for error in tally.errors if "Error" in error]
    others = [error for error in tally.errors if error not in broken]
    for error in others[:5]:
        print("FAULT", error)
    answered = sum(map(len, tally.seconds.values()))
    return [
        f"kill: {kills} workers killed under {connections} connections; {answered:,} requests answered, "
        f"{len(broken)} ended with a broken connection, {len(others)} with a wrong or half an answer",
        f"kill: a new second worker was started after {sorted(waits)[len(waits) // 2]:.1f} s (median), "
        f"{max(waits):.1f} s at most; afterwards {sum(map(len, afterwards.seconds.values())):,} answered in 2 s, "
        f"{len(afterwards.errors)} errors",
    ]


async def _run(server: Server, asks: list[Ask], kills: int, connections: int) -> tuple[Tally, list[float]]:
    rng, waits = random.Random(0), []
    stop = asyncio.Event()
    sending = asyncio.create_task(sent(server.port, asks, 10**6, connections, stop=stop))
    for _ in range(kills):
        await asyncio.sleep(rng.uniform(1, 2))
        victim, begin = rng.choice(server.answering()), time.monotonic()
        os.kill(victim, signal.SIGKILL)
        while victim in (now := server.answering()) or len(now) < 2:
            await asyncio.sleep(0.05)
        waits.append(time.monotonic() - begin)
        await asyncio.sleep(2)
    stop.set()
    return await sending, waits
