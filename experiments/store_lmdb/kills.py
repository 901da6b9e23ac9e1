"""SIGKILL of a store's writer at drawn moments: what is read afterwards is the last update, whole, or the next."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from updates import apply, digest, graph

SIZE, WIDTH = 2000, 16
PROCESSES = get_context("fork")


def killed(
    path: Path, store: str, build: Callable[..., Any], opened: Callable[..., Any], kills: int
) -> dict[str, Any]:
    """Kills a writer ``kills`` times, and returns how often the store was wrong afterwards, as ``p50``."""
    x, edges = graph(SIZE, WIDTH)
    build(store, path, x, edges).close()
    twin = build(store, path.with_name("twin"), x, edges)
    done, reached, wrong, between, seconds = 0, digest(twin), 0, 0, []
    rng = random.Random(0)
    for _ in range(kills):
        ours, theirs = PROCESSES.Pipe(duplex=False)
        writer = PROCESSES.Process(target=_write, args=(store, path, opened, done, theirs))
        writer.start()
        theirs.close()
        first = ours.recv()
        time.sleep(rng.uniform(0, 0.1))
        writer.kill()
        writer.join()
        reported = _last(ours, first)
        while done < reported:  # what was reported before the kill must be there
            apply(twin, done, SIZE, WIDTH)
            done += 1
        reached = digest(twin)
        begin = time.perf_counter()
        again = opened(store, path, WIDTH, True)
        seconds.append(time.perf_counter() - begin)
        again.verify()
        if digest(again) != reached:  # or the update that was under way
            apply(twin, done, SIZE, WIDTH)
            done += 1
            between += 1
            wrong += digest(again) != digest(twin)
        again.close()
    twin.close()
    print(f"{store}: {kills} kills in {done} updates; {between} found the update that was not reported yet, whole")
    print(f"{store}: opened after a kill in {1e3 * sorted(seconds)[kills // 2]:.1f} ms (median)")
    return {"nodes": SIZE, "what": f"wrong after {kills} kills", "store": store, "p50": float(wrong)}


def _write(store: str, path: Path, opened: Callable[..., Any], number: int, pipe: Any) -> None:
    writer = opened(store, path, WIDTH, True)
    while True:
        apply(writer, number, SIZE, WIDTH)
        number += 1
        pipe.send(number)


def _last(pipe: Any, last: int) -> int:
    """Returns the last number in a pipe whose writer is dead."""
    while True:
        try:
            if not pipe.poll(0.1):
                return last
            last = pipe.recv()
        except (EOFError, OSError):
            return last
