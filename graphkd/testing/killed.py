"""A process that is killed after some checkpoints, and starts again until it is through."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch

from graphkd.training.fit import checkpoint
from graphkd.training.stages.stage_cache import StageCache, StageResult

T = TypeVar("T")


class KilledError(BaseException):
    """Ends a run as a kill does: no handler of a mistake catches it."""


class MortalCache(StageCache):
    """A cache whose process is ended after so many checkpoints.

    Args:
        root: the folder.
        life: checkpoints.
    """

    def __init__(self, root: Path, life: int) -> None:
        super().__init__(root)
        self.life, self.parts = life, 0

    def without_files(self) -> StageCache:
        """Returns the cache itself: it lives for one check, in which no code changes."""
        return self

    def save_partial(self, stage: str, key: dict[str, Any], stage_result: StageResult) -> None:
        """Keeps a checkpoint, and ends the process after the last one."""
        super().save_partial(stage, key, stage_result)
        self.parts += 1
        if self.parts == self.life:
            raise KilledError


@contextmanager
def checkpoint_after_every_epoch() -> Iterator[None]:
    """In the block, a checkpoint is due after every epoch."""
    before = checkpoint.CHECKPOINT_SECONDS, checkpoint.SHARE
    checkpoint.CHECKPOINT_SECONDS, checkpoint.SHARE = 0.0, float("inf")
    try:
        yield
    finally:
        checkpoint.CHECKPOINT_SECONDS, checkpoint.SHARE = before


def killed_after(run: Callable[[StageCache], T], root: Path, life: int) -> T:
    """Returns the result of a run that is killed after every ``life`` checkpoints, and started again."""
    with checkpoint_after_every_epoch():
        while True:
            try:
                return run(MortalCache(root, life))
            except KilledError:
                torch.rand(3)  # another process has other generators
