"""Mixed load for minutes, and each kind of request by itself."""

from __future__ import annotations

import asyncio
import csv
import time
from pathlib import Path
from typing import Any

import numpy as np
from serving import Server, serving
from traffic import Ask, Tally, sent

CONNECTIONS = 8
SAMPLE = 5.0
"""Seconds between two looks at the memory."""


def mixed(
    bundle: Path, found: dict[str, list[Ask]], minutes: float, workers: int, out: Path
) -> list[dict[str, Any]]:
    """All kinds at once, answers compared; a line per kind, and the memory over time in a file of its own."""
    asks = [ask for kind in found.values() for ask in kind]
    with serving(bundle, workers=workers) as server:
        asyncio.run(sent(server.port, asks, 10, CONNECTIONS))  # buffers have their size after it
        before, begin = server.cpu(), time.monotonic()
        tally, memory = asyncio.run(_watched(server, asks, 60 * minutes))
        seconds, used = time.monotonic() - begin, server.cpu() - before
    with (out / f"memory_{workers}.csv").open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("seconds", "megabytes"), *memory])
    for error in tally.errors[:5]:
        print("ERROR", error)
    part = f"mixed, {minutes:g} min"
    lines = [line(part, workers, kind, times, seconds) for kind, times in sorted(tally.seconds.items())]
    every = line(part, workers, "all", [each for times in tally.seconds.values() for each in times], seconds)
    third = len(memory) // 3
    first, last = (np.median([value for _, value in part_]) for part_ in (memory[:third], memory[-third:]))
    every.update(errors=len(tally.errors), cpu_ms=f"{1e3 * used / every['requests']:.3f}")
    every.update(rss_first_third_mb=f"{first:.1f}", rss_last_third_mb=f"{last:.1f}")
    return [*lines, every]


def points(bundle: Path, found: dict[str, list[Ask]], seconds: float, workers: int) -> list[dict[str, Any]]:
    """Each kind by itself, by one connection and by several."""
    lines = []
    with serving(bundle, workers=workers) as server:
        for kind, asks in found.items():
            for connections in (1, CONNECTIONS):
                asyncio.run(sent(server.port, asks, 1, connections))
                before = server.cpu()
                tally = asyncio.run(sent(server.port, asks, seconds, connections))
                made = line("alone", workers, kind, tally.seconds[kind], seconds, connections)
                made.update(
                    errors=len(tally.errors), cpu_ms=f"{1e3 * (server.cpu() - before) / made['requests']:.3f}"
                )
                lines.append(made)
    return lines


def batching(bundle: Path, found: dict[str, list[Ask]], seconds: float, rounds: int = 3) -> list[dict[str, Any]]:
    """Single rows from many connections, with and without waiting for one another; servers take turns."""
    windows, kinds = ("0", "0.1", "1", "5"), ("bytes 1", "people 1")
    tallies: dict[tuple[str, str], list[float]] = {}
    spent: dict[tuple[str, str], float] = {}
    for _ in range(rounds):
        for window in windows:
            with serving(bundle, "--batch-ms", window) as server:
                for kind in kinds:
                    asyncio.run(sent(server.port, found[kind], 1, 32))
                    before = server.cpu()
                    tally = asyncio.run(sent(server.port, found[kind], seconds, 32))
                    tallies.setdefault((window, kind), []).extend(tally.seconds[kind])
                    spent[window, kind] = spent.get((window, kind), 0.0) + server.cpu() - before
    lines = []
    for (window, kind), times in tallies.items():
        made = line(f"batch-ms {window}", 1, kind, times, seconds * rounds, 32)
        made["cpu_ms"] = f"{1e3 * spent[window, kind] / len(times):.3f}"
        lines.append(made)
    return lines


def line(
    part: str, workers: int, kind: str, times: list[float], seconds: float, connections: int = CONNECTIONS
) -> dict[str, Any]:
    """Percentiles in milliseconds, requests and rows per second."""
    p50, p99 = np.quantile(np.array(times), (0.5, 0.99)) * 1e3
    rate = len(times) / seconds
    rows = "" if kind == "all" else f"{rate * int(kind.split()[1]):.0f}"
    return {
        "part": part, "workers": workers, "kind": kind, "connections": connections, "requests": len(times),
        "p50_ms": f"{p50:.2f}", "p99_ms": f"{p99:.2f}", "requests_per_s": f"{rate:.0f}", "rows_per_s": rows,
    }  # fmt: skip


async def _watched(server: Server, asks: list[Ask], seconds: float) -> tuple[Tally, list[tuple[float, float]]]:
    memory: list[tuple[float, float]] = []
    begin = time.monotonic()

    async def watch() -> None:
        while True:
            memory.append((round(time.monotonic() - begin, 1), round(server.resident(), 2)))
            await asyncio.sleep(SAMPLE)

    watching = asyncio.create_task(watch())
    tally = await sent(server.port, asks, seconds, CONNECTIONS)
    watching.cancel()
    return tally, memory
