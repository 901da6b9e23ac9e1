"""What the routes of one process share."""

from __future__ import annotations

from dataclasses import dataclass

from graphkd.deploy.server.batcher import Batcher
from graphkd.deploy.server.load import Load
from graphkd.deploy.server.metrics import Metrics
from graphkd.deploy.server.model_state import ModelState
from graphkd.deploy.server.settings import Settings


@dataclass(frozen=True)
class Worker:
    """One process's model, its load and its counters.

    Args:
        served: the student and its store.
        batcher: computes rows.
        load: what is being answered.
        metrics: for Prometheus.
    """

    served: ModelState
    batcher: Batcher
    load: Load
    metrics: Metrics

    @classmethod
    def of(cls, settings: Settings) -> Worker:
        """Loads the student.

        Raises:
            GraphKDError: what its runtime needs is not there, or the store is none of this student's.
        """
        served, metrics = ModelState(settings), Metrics()
        batcher = Batcher(served.logits, settings.window, metrics.computed)
        return cls(served, batcher, Load(settings.limits), metrics)
