"""The best weights of members, kept where they are: nothing here waits for the device."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from graphkd.training.device.cuda_streams import CudaStreams
from graphkd.training.fit.train_spec import TrainSpec


class BestWeights:
    """Takes over the weights of the members whose epoch is the best one so far.

    Args:
        train_spec: whose weights.
        kept: of each member, by name; from now on rows of tables where the train_spec has such.
        running: members that go on.
        streams: one per member, for what is done member by member.
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
        """Where ``better [S]`` says so."""
        mine = better[self.place]
        for live, table in self.tables:
            torch.where(mine.view(-1, *[1] * (live.dim() - 1)), live, table, out=table)
        for member, other in zip(self.running, self.others, strict=True):
            if other:
                with self.streams.stream(member):
                    for live, kept in other:
                        torch.where(better[member], live, kept, out=kept)
        self.streams.join()
