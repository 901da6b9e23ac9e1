"""MLflow."""

from __future__ import annotations

import time
from typing import Any

from graphkd.callbacks.tracker import Number, Plain, Tracker, library

LONGEST, MOST = 500, 100
"""Characters of a parameter, and parameters at once, that every store takes."""

PAUSE = 1.0
"""Seconds between two batches of metrics: each is a transaction of 30 ms, more than an epoch of a small graph."""


class MLflow(Tracker):
    """A run of MLflow, in the database ``folder/mlflow.db`` or at a tracking server.

    ``mlflow ui --backend-store-uri sqlite:///tracking/mlflow.db`` shows it.

    Source: https://mlflow.org/docs/latest/tracking

    Args:
        folder: of its files.
        uri: of a store or server, such as ``http://localhost:5000``; by default the database.
        experiment: that the run is in.

    >>> MLflow(experiment="cora").experiment
    'cora'
    """

    name = "mlflow"

    def __init__(self, folder: str = "tracking", uri: str | None = None, experiment: str = "graphkd") -> None:
        super().__init__(folder)
        self.uri, self.experiment = uri, experiment

    def start(self, run: str, settings: dict[str, Plain]) -> None:
        """Creates a run with its settings as parameters."""
        client, self._entities = library("mlflow", self.name), library("mlflow.entities", self.name)
        self.path.mkdir(parents=True, exist_ok=True)
        self._client = client.MlflowClient(self.uri or f"sqlite:///{self.path / 'mlflow.db'}")
        found = self._client.get_experiment_by_name(self.experiment)
        number = found.experiment_id if found else self._create()
        self._run = self._client.create_run(number, run_name=run).info.run_id
        params = [self._entities.Param(key, str(value)[:LONGEST]) for key, value in settings.items()]
        for start in range(0, len(params), MOST):
            self._client.log_batch(self._run, params=params[start : start + MOST])
        self._metrics: list[Any] = []
        self._sent = time.monotonic()

    def log(self, values: dict[str, Number], step: int | None) -> None:
        """Records metrics; those of epochs are sent about once a second."""
        now = int(1000 * time.time())
        self._metrics += [self._entities.Metric(name, value, now, step or 0) for name, value in values.items()]
        if step is None or time.monotonic() - self._sent > PAUSE:
            self._send()

    def end(self) -> None:
        """Marks the run as finished."""
        self._send()
        self._client.set_terminated(self._run)

    def _send(self) -> None:
        for start in range(0, len(self._metrics), 10 * MOST):
            self._client.log_batch(self._run, metrics=self._metrics[start : start + 10 * MOST])
        self._metrics, self._sent = [], time.monotonic()

    def _create(self) -> str:
        place = None if self.uri else (self.path / "mlflow").as_uri()
        return str(self._client.create_experiment(self.experiment, artifact_location=place))
