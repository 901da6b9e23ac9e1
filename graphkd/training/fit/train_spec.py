"""What the loop trains."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn


@dataclass(frozen=True)
class TrainSpec:
    """What the loop trains: one network, or ``S`` members at once.

    Args:
        model: everything that trains.
        weights: number of a member → its state, the tensors themselves.
        groups: of each member's parameters: ``params`` and their ``lr``.
        weight_decay: of each member, L2 in Adam.
        steps: the epoch → its steps, each ``loss`` and named terms, scalars or ``[S]``, of the whole data or of a
            batch that stands for it, made in training mode one at a time: the weights have moved before the next
            is asked for. Where there is a term called ``method``, learning has begun by that one: what is added
            to it changes no protocol.
        score: validation score, a scalar or ``[S]`` on the device, higher is better, called in evaluation mode
            without gradients.
        replays: whether every epoch is one step, and the same calls to the device: then a CUDA graph can hold it.
        narrow: is told with which members it goes on, when others are over; their terms and scores are not read.
        tables: parts of the state of all members that go on, ``[R, …]`` each, by the name that a member's row has
            in its state: a graph keeps the best of them by one call each.
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
