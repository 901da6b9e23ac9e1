"""What every callback is."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar


class Callback:
    """Receives what a run computes while it trains; every method may be left as it is.

    Methods are called on the first process alone, outside of any timed or captured code. What they raise ends the
    run.

    A callback that the command line offers has a ``name``, a docstring with a ``Source:`` line, and an
    ``__init__`` whose arguments have defaults.

    >>> class Losses(Callback):
    ...     def __init__(self):
    ...         self.values = []
    ...
    ...     def on_epoch_end(self, seed, stage, epoch, values):
    ...         self.values.append(values["loss"])
    """

    name: ClassVar[str]

    def on_run_start(self, run: str, folder: Path | None, config: dict[str, Any]) -> None:
        """Called once, before the first stage.

        Args:
            run: name of the run.
            folder: where it will be; None for a run in memory.
            config: contents of its ``config.yaml``, as far as they are known.
        """

    def on_epoch_end(self, seed: int, stage: str, epoch: int, values: dict[str, float]) -> None:
        """Called after every epoch, in order; for a stage that the cache holds, once per epoch at its end.

        Args:
            seed: of the run.
            stage: ``teacher``, ``student``, ``mlp``, ``mlp_same_inputs``, or an earlier phase of a student.
            epoch: 0-based.
            values: ``loss``, each of its terms by name, and the validation score ``val``; nothing of test nodes.
        """

    def on_stage_end(self, seed: int, stage: str, summary: dict[str, float]) -> None:
        """Called when a stage is over.

        Args:
            seed: of the run.
            stage: as in ``on_epoch_end``.
            summary: ``epochs``, ``best_epoch``, ``seconds``, and its scores, such as ``val`` and ``test``.
        """

    def on_run_end(self, metrics: dict[str, Any]) -> None:
        """Called once, with the contents of ``metrics.json``."""


class NoTracker(Callback):
    """Nothing is tracked.

    Source: none

    >>> NoTracker().on_epoch_end(seed=0, stage="student", epoch=0, values={"loss": 1.0})
    """

    name = "none"
