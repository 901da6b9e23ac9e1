"""Weights & Biases."""

from __future__ import annotations

from graphkd.callbacks.tracker import Number, Plain, Tracker, library
from graphkd.errors import GraphKDError

MODES = ("offline", "online")


class WandB(Tracker):
    """A run of Weights & Biases; offline ones are under ``folder/wandb``, and ``wandb sync`` uploads them.

    Source: https://docs.wandb.ai

    Args:
        folder: of its files.
        project: that the run is in.
        mode: ``offline``, or ``online``, which needs an account.

    >>> WandB(project="cora").mode
    'offline'
    """

    name = "wandb"

    def __init__(self, folder: str = "tracking", project: str = "graphkd", mode: str = "offline") -> None:
        super().__init__(folder)
        if mode not in MODES:
            raise GraphKDError(f"tracker.mode is '{mode}': choose one of {', '.join(MODES)}")
        self.project, self.mode = project, mode

    def start(self, run: str, settings: dict[str, Plain]) -> None:
        """Starts a run with its settings; ``epoch`` is the step of every curve."""
        wandb = library("wandb", self.name)
        self.path.mkdir(parents=True, exist_ok=True)
        silent = wandb.Settings(silent=True)
        self._run = wandb.init(
            project=self.project, name=run, config=settings, mode=self.mode, dir=str(self.path), settings=silent
        )
        self._run.define_metric("epoch", hidden=True)
        self._run.define_metric("*", step_metric="epoch")

    def log(self, values: dict[str, Number], step: int | None) -> None:
        """Adds a point to curves, or entries to the summary."""
        if step is None:
            self._run.summary.update(values)
        else:
            self._run.log({"epoch": step, **values})

    def end(self) -> None:
        """Ends the run."""
        self._run.finish()
