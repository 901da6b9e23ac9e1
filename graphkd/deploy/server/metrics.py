"""Prometheus metrics, aggregated over all workers."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable with the folder of several workers' metrics; prometheus_client reads it on import."""

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)


class Metrics:
    """Metrics of one worker; with ``$PROMETHEUS_MULTIPROC_DIR`` in files that all workers read."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self._requests = Counter(
            "graphkd_requests", "Answered, by route and status", ["route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "graphkd_request_seconds",
            "From a request's head to its answer",
            ["route"],
            buckets=SECONDS,
            registry=registry,
        )
        self._rows = Histogram(
            "graphkd_batch_rows",
            "Rows that were computed at once; the sum is all rows",
            buckets=ROWS,
            registry=registry,
        )
        self._waiting = Gauge(
            "graphkd_requests_in_progress", "Being answered", multiprocess_mode="livesum", registry=registry
        )

    def computed(self, rows: int) -> None:
        """Records the number of rows of a batch."""
        self._rows.observe(rows)

    def begin(self) -> None:
        """Records the start of a request."""
        self._waiting.inc()

    def end(self, route: str, status: int, seconds: float) -> None:
        """Records the end of a request.

        Args:
            route: its pattern, not its path, so that the number of labels is bounded.
            status: of the response.
            seconds: duration of the request.
        """
        self._waiting.dec()
        self._requests.labels(route, status).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """Returns the metrics of all workers in Prometheus's text format."""
        folder = os.environ.get(FOLDER)
        if folder is None:
            return generate_latest(self._registry)
        _forget_dead(Path(folder))
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=folder)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def _forget_dead(folder: Path) -> None:
    """Removes the gauges of dead workers; their counters are kept."""
    for file in folder.glob("gauge_live*.db"):
        pid = file.stem.rpartition("_")[2]
        if pid.isdecimal() and not _alive(int(pid)):
            with suppress(FileNotFoundError):  # another worker has removed it
                mark_process_dead(int(pid), str(folder))  # type: ignore[no-untyped-call]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
