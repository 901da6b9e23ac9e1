"""State shared by the routes of one process."""

from __future__ import annotations

from dataclasses import dataclass

from graphkd.deploy.server.batcher import Batcher
from graphkd.deploy.server.load import Load
from graphkd.deploy.server.metrics import Metrics
from graphkd.deploy.server.model_state import ModelState
from graphkd.deploy.server.settings import Settings


@dataclass(frozen=True)
class Worker:
    """The model, load and metrics of one process.

    Args:
        served: the student and its store.
        batcher: computes rows.
        load: requests in progress.
        metrics: for Prometheus.
    """

    served: ModelState
    batcher: Batcher
    load: Load
    metrics: Metrics

    @classmethod
    def of(cls, settings: Settings) -> Worker:
        """Loads the student and its store.

        Raises:
            GraphKDError: a requirement of the runtime is missing, or the store was built for another student.
        """
        served, metrics = ModelState(settings), Metrics()
        batcher = Batcher(served.logits, settings.window, metrics.computed)
        return cls(served, batcher, Load(settings.limits), metrics)
