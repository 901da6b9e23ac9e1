"""State shared by the routes of one process that serves links."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphkd.deploy.server.load import Load
from graphkd.deploy.server.metrics import Metrics
from graphkd.deploy.server.settings import Settings
from graphkd.links.bundle import load_predictor
from graphkd.links.predictor import LinkPredictor


@dataclass(frozen=True)
class LinksWorker:
    """The predictor, load and metrics of one process.

    Args:
        name: of the model.
        predictor: with its table of embeddings.
        scores: of the run over all seeds, or None.
        load: requests in progress.
        metrics: for Prometheus.
    """

    name: str
    predictor: LinkPredictor
    scores: dict[str, Any] | None
    load: Load
    metrics: Metrics

    @classmethod
    def of(cls, settings: Settings) -> LinksWorker:
        """Loads the predictor.

        Raises:
            GraphKDError: the bundle is damaged.
        """
        predictor = load_predictor(settings.bundle)
        return cls(settings.name, predictor, settings.scores, Load(settings.limits), Metrics())

    @property
    def card(self) -> dict[str, Any]:
        """Response of ``/card``."""
        predictor = self.predictor
        return {
            "name": self.name,
            "task": "link",
            "nodes": predictor.num_nodes,
            "first_nodes": predictor.nodes.named(range(min(3, predictor.num_nodes))),
            "decoder": predictor.student.decoder.name,
            "embedding_dim": predictor.student.decoder.dim,
            "card": predictor.card,
            "scores": self.scores,
        }
