"""Trackio."""

from __future__ import annotations

import os

from graphkd.callbacks.tracker import Number, Plain, Tracker, library


class Trackio(Tracker):
    """A run of Trackio, in the database of a project under ``folder/trackio``.

    ``TRACKIO_DIR=tracking/trackio trackio show --project graphkd`` shows it.

    Source: https://huggingface.co/docs/trackio

    Args:
        folder: of its files.
        project: that the run is in.

    >>> Trackio(project="cora").project
    'cora'
    """

    name = "trackio"

    def __init__(self, folder: str = "tracking", project: str = "graphkd") -> None:
        super().__init__(folder)
        self.project = project

    def start(self, run: str, settings: dict[str, Plain]) -> None:
        """Starts a run with its settings."""
        os.environ.setdefault("TRACKIO_DIR", str(self.path / "trackio"))  # read when it is imported
        trackio = library("trackio", self.name)
        self._run = trackio.init(project=self.project, name=run, config=settings, embed=False)

    def log(self, values: dict[str, Number], step: int | None) -> None:
        """Records values."""
        self._run.log(values, step=step)

    def end(self) -> None:
        """Ends the run."""
        self._run.finish()
