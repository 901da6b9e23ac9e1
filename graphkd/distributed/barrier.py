"""A barrier for slow work on rank 0 that detects a lost process by its missing heartbeat."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from graphkd.checks import is_real
from graphkd.errors import GraphKDError

DEFAULT_SECONDS = 600.0
"""Default timeout: a process without a heartbeat for this long counts as lost."""

BEAT_SECONDS = 1.0
"""Interval between two heartbeats."""

FAILED = "failed"
"""Key of the store's counter of processes of this launch that ended with an error."""

LOST = (
    "a process of this run is lost or hangs: the same command goes on from the last epoch "
    "(torchrun --max-restarts=3 starts it again by itself; GRAPHKD_TIMEOUT: seconds that one may be silent)"
)


def patience() -> timedelta:
    """Returns the timeout of a heartbeat: ``GRAPHKD_TIMEOUT`` in seconds, by default ten minutes.

    Raises:
        GraphKDError: the variable is not a positive number.
    """
    value = os.environ.get("GRAPHKD_TIMEOUT", "")
    try:
        seconds = float(value) if value else DEFAULT_SECONDS
    except ValueError:
        seconds = 0.0
    if not (is_real(seconds) and 0 < seconds < 1e9):
        raise GraphKDError(f"GRAPHKD_TIMEOUT is '{value}': give a number of seconds above 0")
    return timedelta(seconds=seconds)


class Barrier:
    """A barrier that opens when rank 0 has finished; until then rank 0 sends heartbeats.

    Args:
        store: torch's key-value store of this launch.
    """

    def __init__(self, store: Any) -> None:
        self._store, self._passed = store, 0

    @contextmanager
    def open_after(self) -> Iterator[None]:
        """Opens the barrier after the block, which rank 0 runs; not if the block raises."""
        self._passed += 1
        done = threading.Event()
        thread = threading.Thread(target=self._beat, args=(done,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
        self._store.set(f"barrier-{self._passed}", "open")

    def wait(self) -> None:
        """Waits until rank 0 has finished its block.

        Raises:
            GraphKDError: rank 0 sends no heartbeat, or a process has failed.
        """
        self._passed += 1
        beats, since, pause = -1, time.monotonic(), 0.01
        while not self._store.check([f"barrier-{self._passed}"]):
            count = self._store.add("beats", 0)
            if count != beats:
                beats, since = count, time.monotonic()
            elif time.monotonic() - since > patience().total_seconds() or self._store.check([FAILED]):
                raise GraphKDError(LOST)
            time.sleep(pause)
            pause = min(2 * pause, 0.2)

    def _beat(self, done: threading.Event) -> None:
        while not done.wait(BEAT_SECONDS):
            self._store.add("beats", 1)
