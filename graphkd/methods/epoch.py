"""When a method is called, besides in every step: before an epoch, and in phases."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True)
class Phase:
    """A stretch of training with its own step and parameters. The last one of a method trains what is shipped.

    A finished earlier phase is kept in the cache under its name, so that a change of a later one does not repeat
    it.

    Args:
        name: of the phase; empty for the only one.
        step: name of the method that is called in every step, with the signature of ``training_step``.
        groups: name of the method that returns the optimiser's groups, with the signature of ``param_groups``.
        by_loss: keep the epoch of the smallest loss, instead of that of the best validation score.
        max_epochs: of the phase; by default ``training.max_epochs``.
        patience: of the phase; by default ``training.patience``, which is too short for a loss of masks that are
            drawn anew in every step.
        arguments: further ones of ``step`` and ``groups``, for phases that differ by a number.

    >>> Phase("pretrain", by_loss=True, max_epochs=500).step
    'training_step'
    """

    name: str = ""
    step: str = "training_step"
    groups: str = "param_groups"
    by_loss: bool = False
    max_epochs: int | None = None
    patience: int | None = None
    arguments: tuple[int, ...] = ()


@dataclass(frozen=True)
class Epoch:
    """What ``Method.on_epoch_start`` may depend on, besides registered buffers.

    Args:
        number: of the epoch, from 0.
        total: epochs of the phase, at most.
        seed: of the run.
        device: of the targets.
        logits: computes the student's logits on all rows, ``[N, C]``, as it is now, in evaluation mode and without
            gradients.
        phase: that the epoch belongs to.

    >>> epoch = Epoch(number=3, total=200, seed=0, device=torch.device("cpu"), logits=lambda: torch.zeros(4, 2))
    >>> first, again = (torch.rand(5, generator=epoch.generator("edges")) for _ in range(2))
    >>> torch.equal(first, again)
    True
    """

    number: int
    total: int
    seed: int
    device: torch.device
    logits: Callable[[], Tensor]
    phase: Phase = field(default_factory=Phase)

    def generator(self, *purpose: str | int) -> torch.Generator:
        """Returns a generator that depends on purpose, seed and epoch alone: a resumed run draws the same.

        It is one of the CPU, whose numbers are the same for every device.
        """
        text = "-".join(map(str, (*purpose, self.seed, self.number)))
        return torch.Generator().manual_seed(zlib.crc32(text.encode()))
