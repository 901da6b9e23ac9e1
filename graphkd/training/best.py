"""The best weights of members, kept where they are: nothing here waits for the device."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from graphkd.training.lanes import Lanes
from graphkd.training.trainee import Trainee


class Best:
    """Takes over the weights of the members whose epoch is the best one so far.

    Args:
        trainee: whose weights.
        kept: of each member, by name; from now on rows of tables where the trainee has such.
        running: members that go on.
        lanes: one per member, for what is done member by member.
    """

    def __init__(
        self, trainee: Trainee, kept: Sequence[dict[str, Tensor]], running: Sequence[int], lanes: Lanes
    ) -> None:
        self.lanes, self.running = lanes, list(running)
        self.place = torch.tensor(self.running, device=next(trainee.model.parameters()).device)
        self.tables, joined = [], trainee.tables()
        for name, live in joined.items():
            table = torch.stack([kept[member][name] for member in self.running])
            for member, row in zip(self.running, table, strict=True):
                kept[member][name] = row
            self.tables.append((live, table))
        self.others = [
            [
                (tensor, kept[member][name])
                for name, tensor in trainee.weights(member).items()
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
                with self.lanes.lane(member):
                    for live, kept in other:
                        torch.where(better[member], live, kept, out=kept)
        self.lanes.join()
