"""Early stopping of several members, on their device: counting an epoch does not wait for it."""

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
    """A snapshot of ``EarlyStopping`` on the host.

    Args:
        epochs: number of epochs run.
        begun: per member, whether learning has begun.
        ended: per member, the number of epochs after which it stopped; 0 while it trains.
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
        """Returns the number of epochs after which the next member may stop, from 1: no decision is due before.

        Until learning has begun for every member that is 1, since weight decay applies from there on.
        """
        if not all(self.begun):
            return 1
        running = [best for best, ended in zip(self.best_epoch, self.ended, strict=True) if not ended]
        return min(min(running) + training.patience + 1, training.max_epochs) - self.epochs


class EarlyStopping:
    """Early stopping of ``S`` members in tensors ``[S]``, and a record of every epoch.

    An epoch updates them in place by device operations alone, so that a CUDA graph can capture it.

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
        """Counts and records an epoch.

        Args:
            first: the loss of its first step against which learning is measured, ``[S]`` or a scalar.
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
        """Copies the state to the host: the only method that waits for the device during training."""
        rows = (self.begun, self.ended, self.better, self.broken, self.value, self.best, self.best_epoch)
        table = torch.stack([self.epoch.expand_as(self.ended).double(), *(row.double() for row in rows)]).tolist()
        epochs, begun, ended, better, broken, value, best, best_epoch = table
        ended, broken, best_epoch = ([int(entry) for entry in row] for row in (ended, broken, best_epoch))
        begun, better = (list(map(bool, row)) for row in (begun, better))
        return EarlyStoppingState(int(epochs[0]), begun, ended, better, broken, value, best, best_epoch)

    def log(self, stage: str, member: int, epochs: int, start: int = 0) -> Log:
        """Returns the records of the epochs from ``start`` to ``epochs − 1``."""
        rows = self.record[start:epochs, :, member].tolist()
        return [
            {"stage": stage, "epoch": k, **dict(zip(self.names, row, strict=True))}
            for k, row in enumerate(rows, start)
        ]

    def progress(self, stage: str, seconds: float, kept: dict[str, Tensor]) -> TrainState:
        """Returns the state of the only member, as a checkpoint saves it."""
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
        """Restores the state of a checkpoint; does nothing for one of 0 epochs."""
        if not progress.epochs:
            return
        self.epoch.fill_(progress.epochs)
        self.first.fill_(progress.first)
        self.begun.fill_(progress.begun)
        self.best.fill_(progress.best)
        self.best_epoch.fill_(progress.best_epoch)
        self.names = [name for name in progress.log[0] if name not in ("stage", "epoch")]
        self._make_record(1)
        records = [[row[name] for name in self.names] for row in progress.log]
        self.record[: len(records), :, 0] = self.first.new_tensor(records)
        self._end(self.ended == 0)

    def _end(self, running: Tensor) -> None:
        """Marks the members whose epochs or patience are exhausted."""
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
        """Converts a number per member, or one for all, to ``[S]`` float64."""
        return entry.detach().double().expand_as(self.first)
