"""The input of the training loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from graphkd.training.optimiser import Optimiser


@dataclass(frozen=True)
class TrainSpec:
    """The input of the training loop: one network, or ``S`` members at once.

    Args:
        model: all modules that train.
        weights: number of a member → its state, not copied.
        groups: of each member's parameters: ``params`` and their ``lr``.
        weight_decay: of each member.
        steps: the epoch → its steps, each ``loss`` and named terms, scalars or ``[S]``, of the whole data or of a
            batch that represents it, computed in training mode one at a time: the weights are updated before the
            next is requested. A term called ``method``, where there is one, determines whether learning has begun,
            so that terms added to it do not change the protocol.
        score: validation score, a scalar or ``[S]`` on the device, higher is better, called in evaluation mode
            without gradients.
        replays: whether every epoch is one step of the same device operations, which a CUDA graph can capture.
        narrow: called with the members that still train, when others have stopped; terms and scores of the others
            are no longer read.
        tables: parts of the state of all members that still train, ``[R, …]`` each, by the name of a member's row
            in its state: a graph updates the best weights of a table in one call.
        optimiser: of all members.
    """

    model: nn.Module
    weights: Callable[[int], dict[str, Tensor]]
    groups: Sequence[list[dict[str, Any]]]
    weight_decay: Sequence[float]
    steps: Callable[[int], Iterable[dict[str, Tensor]]]
    score: Callable[[], Tensor]
    replays: bool = False
    narrow: Callable[[list[int]], None] | None = None
    tables: Callable[[], dict[str, Tensor]] = dict
    optimiser: Optimiser = field(default_factory=Optimiser)
