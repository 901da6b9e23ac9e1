"""What the loop knows of its members, where they are: nothing here waits for the device."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from graphkd.training.fit.train_state import Log, TrainState
from graphkd.training.settings import Training

WARMUP_LOSS_RATIO = 0.5
"""Learning has begun when the loss of an epoch has fallen to this share of the very first step's."""


@dataclass(frozen=True)
class EarlyStoppingState:
    """The track as it was read last.

    Args:
        epochs: that were run.
        begun: per member, whether learning has begun.
        ended: per member, after how many epochs it was over; 0 while it runs.
        better: per member, whether the last epoch is the best one so far.
        broken: per member, the number of the first epoch whose loss was not finite, from 1; 0 for none.
        value, best: per member, the score of the last epoch and of the best one.
        best_epoch: per member, the number of that one, from 0.
    """

    epochs: int
    begun: list[bool]
    ended: list[int]
    better: list[bool]
    broken: list[int]
    value: list[float]
    best: list[float]
    best_epoch: list[int]

    def until(self, training: Training) -> int:
        """Epochs after which the next member may be over, from 1: nothing has to be decided before.

        Until every one has begun that is one, since weights decay from there on.
        """
        if not all(self.begun):
            return 1
        running = [best for best, ended in zip(self.best_epoch, self.ended, strict=True) if not ended]
        return min(min(running) + training.patience + 1, training.max_epochs) - self.epochs


class EarlyStopping:
    """Early stopping of ``S`` members in tensors ``[S]``, and a record of every epoch.

    An epoch changes them in place with operations alone, so that a CUDA graph can hold it.

    Args:
        members: ``S``.
        training: epochs and patience.
        device: of the members.
    """

    def __init__(self, members: int, training: Training, device: torch.device) -> None:
        self.training, self.rows = training, training.max_epochs
        self.epoch = torch.zeros((), dtype=torch.int64, device=device)
        self.first = torch.full((members,), math.inf, dtype=torch.float64, device=device)
        self.value, self.best = torch.zeros_like(self.first), torch.full_like(self.first, -math.inf)
        self.best_epoch, self.ended, self.broken = (self.epoch.repeat(members) for _ in range(3))
        self.begun, self.better = (torch.zeros_like(self.first, dtype=torch.bool) for _ in range(2))
        self.names: list[str] = []
        self.record = self.first.new_empty(0)

    def note(self, first: Tensor, terms: dict[str, Tensor], value: Tensor) -> None:
        """Counts an epoch.

        Args:
            first: the loss of its first step by which learning is judged, ``[S]`` or a scalar.
            terms: means over its steps, ``[S]`` or scalars.
            value: the validation score.
        """
        self._write(terms, value)
        learned = self._of(terms.get("method", terms["loss"]))
        running = self.ended == 0
        torch.where(self.epoch == 0, self._of(first), self.first, out=self.first)
        late = self.epoch >= 2 * self.training.patience
        begins = ((learned <= WARMUP_LOSS_RATIO * self.first) | late) & ~self.begun & running
        self.begun |= begins
        self.best.masked_fill_(begins, -math.inf)
        self.value.copy_(self._of(value))
        torch.logical_and(self.value >= self.best, running, out=self.better)
        torch.where(self.better, self.value, self.best, out=self.best)
        torch.where(self.better, self.epoch, self.best_epoch, out=self.best_epoch)
        self.epoch += 1
        failed = ~self._of(terms["loss"]).isfinite() & running
        torch.where(failed & (self.broken == 0), self.epoch, self.broken, out=self.broken)
        self._end(running)

    def read(self) -> EarlyStoppingState:
        """Brings it to the host: the one place where that waits for the device."""
        rows = (self.begun, self.ended, self.better, self.broken, self.value, self.best, self.best_epoch)
        table = torch.stack([self.epoch.expand_as(self.ended).double(), *(row.double() for row in rows)]).tolist()
        epochs, begun, ended, better, broken, value, best, best_epoch = table
        ended, broken, best_epoch = ([int(entry) for entry in row] for row in (ended, broken, best_epoch))
        begun, better = (list(map(bool, row)) for row in (begun, better))
        return EarlyStoppingState(int(epochs[0]), begun, ended, better, broken, value, best, best_epoch)

    def log(self, stage: str, member: int, epochs: int) -> Log:
        """The records of the first ``epochs``."""
        rows = self.record[:epochs, :, member].tolist()
        return [
            {"stage": stage, "epoch": k, **dict(zip(self.names, row, strict=True))} for k, row in enumerate(rows)
        ]

    def progress(self, stage: str, seconds: float, kept: dict[str, Tensor]) -> TrainState:
        """Of the only member, as a checkpoint keeps it."""
        epochs = int(self.epoch)
        return TrainState(
            epochs,
            float(self.first),
            bool(self.begun),
            float(self.best),
            int(self.best_epoch),
            seconds,
            self.log(stage, 0, epochs),
            kept,
        )

    def resume(self, progress: TrainState) -> None:
        """Goes on from where a checkpoint was; at its start there is nothing to do."""
        if not progress.epochs:
            return
        self.epoch.fill_(progress.epochs)
        self.first.fill_(progress.first)
        self.begun.fill_(progress.begun)
        self.best.fill_(progress.best)
        self.best_epoch.fill_(progress.best_epoch)
        self.names = [name for name in progress.log[0] if name not in ("stage", "epoch")]
        self._make_record(1)
        known = [[row[name] for name in self.names] for row in progress.log]
        self.record[: len(known), :, 0] = self.first.new_tensor(known)
        self._end(self.ended == 0)

    def _end(self, running: Tensor) -> None:
        """Marks the members for which epochs or patience are at their end."""
        waited = self.epoch - 1 - self.best_epoch
        over = (self.begun & (waited >= self.training.patience)) | (self.epoch >= self.training.max_epochs)
        over |= self.broken > 0
        torch.where(running & over, self.epoch, self.ended, out=self.ended)

    def _write(self, terms: dict[str, Tensor], value: Tensor) -> None:
        if not self.names:
            self.names = [*terms, "val"]
            self._make_record(self.first.numel())
        row = torch.stack([self._of(entry) for entry in (*terms.values(), value)])
        self.record.index_copy_(0, self.epoch.view(1), row.unsqueeze(0))

    def _make_record(self, members: int) -> None:
        self.record = self.first.new_zeros(self.rows, len(self.names), members)

    def _of(self, entry: Tensor) -> Tensor:
        """``[S]`` float64 of a number per member, or of one for all."""
        return entry.detach().double().expand_as(self.first)
