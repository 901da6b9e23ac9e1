"""The progress of a stage in training."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

Log = list[dict[str, Any]]
"""Records of a run, one per epoch and stage: the lines of ``log.jsonl``."""


@dataclass
class TrainState:
    """The state of the loop at the end of an epoch, besides the model, its optimiser and the generators.

    Args:
        epochs: number of epochs run.
        first: loss of the very first step.
        begun: whether learning has begun.
        best: the best score since.
        best_epoch: 0-based.
        seconds: wall time so far.
        log: the records so far.
        kept: the weights of the best epoch.
    """

    epochs: int = 0
    first: float = math.inf
    begun: bool = False
    best: float = -math.inf
    best_epoch: int = 0
    seconds: float = 0.0
    log: Log = field(default_factory=list)
    kept: dict[str, Tensor] = field(default_factory=dict)
