"""Run folders under ``torchrun``: only rank 0 writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from graphkd.distributed import world
from graphkd.errors import GraphKDError
from graphkd.runs.folder import RunFolder, TrainedSeed
from graphkd.runs.metrics import RunFacts
from graphkd.spec import DistillSpec


class SecondaryRank:
    """Run folder on a rank other than 0: takes part in the training of seeds, and writes nothing.

    Args:
        path: of the folder.
        seeds: of the run.
        told: state of the folder, sent by rank 0.
    """

    def __init__(self, path: Path, seeds: list[int], told: dict[str, Any]) -> None:
        self.path, self.seeds = path, seeds
        self.finished: bool = told["finished"]
        self.pending: list[int] = told["pending"]

    def add(self, seed: int, train: Callable[[], TrainedSeed]) -> None:
        """Trains a seed unless the folder has it."""
        if seed in self.pending:
            train()

    def finish(self, facts: RunFacts) -> None:
        """Does nothing: rank 0 finishes the run."""


def open_run(path: Path, config: dict[str, Any], overwrite: bool) -> RunFolder | SecondaryRank:
    """Opens the run folder, with the same state on every rank.

    Args:
        path: of the folder.
        config: resolved.
        overwrite: replace an existing run.

    Raises:
        GraphKDError: the folder cannot be used; raised on rank 0 only.
    """
    folder = RunFolder(path, config, overwrite) if world().is_rank0 else None
    state = (
        b"" if folder is None else json.dumps({"finished": folder.finished, "pending": folder.pending}).encode()
    )
    received = world().broadcast(state)
    return folder or SecondaryRank(path, config["seeds"], json.loads(received or b""))


def check_shared(spec: DistillSpec) -> None:
    """Checks that a spec can be trained by several processes.

    Raises:
        GraphKDError: a loss is no sum over rows, dropout masks would depend on how rows
            are split between processes, or ``training.together`` is set.
    """
    if not world().is_distributed:
        return
    for key, enabled in (("compile", spec.training.compile), ("together", spec.training.together)):
        if enabled:
            raise GraphKDError(
                f"training.{key} is for one process, several draw dropout in another way: leave it out, or start "
                "without torchrun"
            )
    if not spec.method.is_row_sum:
        raise GraphKDError(
            f"method={spec.method.name} has a loss that is no sum over rows, which several processes cannot "
            "share: start it without torchrun"
        )
    for term in spec.terms():
        if not term.can_be_shared:
            raise GraphKDError(
                f"term={term.name} is no sum over rows, and reads targets that several processes do not gather: "
                "start it without torchrun"
            )
