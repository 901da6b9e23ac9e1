"""How some processes wait for another that may need long, without waiting for one that is gone."""

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
"""Without a sign of life a process counts as lost."""

BEAT_SECONDS = 1.0
"""Between two signs of life."""

FAILED = "failed"
"""What the store counts: processes of this start that ended with an error."""

LOST = (
    "a process of this run is lost or hangs: the same command goes on from the last epoch "
    "(torchrun --max-restarts=3 starts it again by itself; GRAPHKD_TIMEOUT: seconds that one may be silent)"
)


def patience() -> timedelta:
    """How long a process may be silent: ``GRAPHKD_TIMEOUT`` in seconds, by default ten minutes.

    Raises:
        GraphKDError: it is no number above 0.
    """
    given = os.environ.get("GRAPHKD_TIMEOUT", "")
    try:
        seconds = float(given) if given else DEFAULT_SECONDS
    except ValueError:
        seconds = 0.0
    if not (is_real(seconds) and 0 < seconds < 1e9):
        raise GraphKDError(f"GRAPHKD_TIMEOUT is '{given}': give a number of seconds above 0")
    return timedelta(seconds=seconds)


class Barrier:
    """Opens when the first process is through; until then it shows that it is alive.

    Args:
        store: torch's key-value store of this start of the processes.
    """

    def __init__(self, store: Any) -> None:
        self._store, self._passed = store, 0

    @contextmanager
    def open_after(self) -> Iterator[None]:
        """The first process works in the block; if it fails, the barrier stays shut."""
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
        """Until the first process is through.

        Raises:
            GraphKDError: it gives no sign of life.
        """
        self._passed += 1
        beats, since, pause = -1, time.monotonic(), 0.01
        while not self._store.check([f"barrier-{self._passed}"]):
            found = self._store.add("beats", 0)
            if found != beats:
                beats, since = found, time.monotonic()
            elif time.monotonic() - since > patience().total_seconds() or self._store.check([FAILED]):
                raise GraphKDError(LOST)
            time.sleep(pause)
            pause = min(2 * pause, 0.2)

    def _beat(self, done: threading.Event) -> None:
        while not done.wait(BEAT_SECONDS):
            self._store.add("beats", 1)
