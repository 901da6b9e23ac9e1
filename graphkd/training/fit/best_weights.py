"""The best weights of members, kept on their device: no operation waits for it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from graphkd.training.device.cuda_streams import CudaStreams
from graphkd.training.fit.train_spec import TrainSpec


class BestWeights:
    """Copies of the members' weights, updated where an epoch is the best one so far.

    Args:
        train_spec: holds the current weights.
        kept: the best weights of each member, by name; become rows of tables where ``train_spec`` has tables.
        running: members that still train.
        streams: one per member, for copies made member by member.
    """

    def __init__(
        self,
        train_spec: TrainSpec,
        kept: Sequence[dict[str, Tensor]],
        running: Sequence[int],
        streams: CudaStreams,
    ) -> None:
        self.streams, self.running = streams, list(running)
        self.place = torch.tensor(self.running, device=next(train_spec.model.parameters()).device)
        self.tables, joined = [], train_spec.tables()
        for name, live in joined.items():
            table = torch.stack([kept[member][name] for member in self.running])
            for member, row in zip(self.running, table, strict=True):
                kept[member][name] = row
            self.tables.append((live, table))
        self.others = [
            [
                (tensor, kept[member][name])
                for name, tensor in train_spec.weights(member).items()
                if name not in joined
            ]
            for member in self.running
        ]

    def keep(self, better: Tensor) -> None:
        """Copies the current weights of the members where ``better [S]`` is true."""
        mask = better[self.place]
        for live, table in self.tables:
            torch.where(mask.view(-1, *[1] * (live.dim() - 1)), live, table, out=table)
        for member, pairs in zip(self.running, self.others, strict=True):
            if pairs:
                with self.streams.stream(member):
                    for live, best in pairs:
                        torch.where(better[member], live, best, out=best)
        self.streams.join()
