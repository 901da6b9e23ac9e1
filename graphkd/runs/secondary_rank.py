"""A run that several processes make together, of which the first one writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from graphkd.distributed import world
from graphkd.errors import GraphKDError
from graphkd.runs.folder import RunFolder
from graphkd.runs.seed import SeedRun
from graphkd.spec import DistillSpec


class SecondaryRank:
    """The run folder of another process: seeds are trained with it, and nothing is written.

    Args:
        path: of the folder.
        seeds: of the run.
        told: what the first process found there.
    """

    def __init__(self, path: Path, seeds: list[int], told: dict[str, Any]) -> None:
        self.path, self.seeds = path, seeds
        self.finished: bool = told["finished"]
        self.pending: list[int] = told["pending"]

    def add(self, seed: int, train: Callable[[], SeedRun]) -> None:
        """Trains a seed unless the folder has it."""
        if seed in self.pending:
            train()

    def finish(self, dataset: str, split: str, metric: str, spec: DistillSpec) -> None:
        """Nothing."""


def open_run(path: Path, config: dict[str, Any], overwrite: bool) -> RunFolder | SecondaryRank:
    """The run folder, of which every process sees the same state.

    Args:
        path: of the folder.
        config: resolved.
        overwrite: replace another run that is there.

    Raises:
        GraphKDError: it is refused; only the first process knows.
    """
    folder = RunFolder(path, config, overwrite) if world().is_rank0 else None
    state = (
        b"" if folder is None else json.dumps({"finished": folder.finished, "pending": folder.pending}).encode()
    )
    told = world().broadcast(state)
    return folder or SecondaryRank(path, config["seeds"], json.loads(told or b""))


def check_shared(spec: DistillSpec) -> None:
    """Refuses what several processes cannot share.

    Raises:
        GraphKDError: the method's loss is no sum over rows, what is dropped depends on how rows are shared, or
            students are to train together.
    """
    if not world().is_distributed:
        return
    for key, asked in (("compile", spec.training.compile), ("together", spec.training.together)):
        if asked:
            raise GraphKDError(
                f"training.{key} is for one process, several draw dropout in another way: leave it out, or start "
                "without torchrun"
            )
    if not spec.method.is_row_sum:
        raise GraphKDError(
            f"method={spec.method.name} has a loss that is no sum over rows, which several processes cannot "
            "share: start it without torchrun"
        )
