"""What a student says of many rows, without the hidden layers of all of them at once."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from graphkd.sparse import Factored, Features, Inputs, at_least_single, select_rows

BLOCK_ROWS = 2**16
"""Rows that are answered at once, and kept between one call and the next where there are no more."""

ROWS_SHARE = 0.05
"""Up to this share of the nodes, rows of factored inputs are made once instead of all logits every time."""


class Answers:
    """The logits ``[n, C]`` of rows of the inputs, as the student is when it is called.

    Factored inputs are answered for all rows at once, which is what they are for, unless few are asked for.

    Args:
        student: rows ``[B, D']`` → ``StudentOutput``.
        inputs: ``[N, D']``; a table may be a mapped file, and in half precision.
        nodes: row numbers ``[n]``.
    """

    def __init__(self, student: nn.Module, inputs: Inputs, nodes: Tensor) -> None:
        self.student, self.device = student, next(student.parameters()).device
        self.inputs, self.nodes = inputs, nodes.to(inputs.device)
        most = ROWS_SHARE * inputs.shape[0] if isinstance(inputs, Factored) else BLOCK_ROWS
        self.rows = self._rows(self.nodes) if nodes.numel() <= most else None

    def __call__(self) -> Tensor:
        """The logits now, without gradients."""
        with torch.no_grad():
            return torch.cat(list(self._blocks()))

    def _blocks(self) -> Iterator[Tensor]:
        if self.rows is not None:
            yield self.student(self.rows).logits
        elif isinstance(self.inputs, Factored):
            yield self.student(self.inputs).logits[self.nodes]
        else:
            for index in torch.split(self.nodes, BLOCK_ROWS):
                yield self.student(self._rows(index)).logits

    def _rows(self, index: Tensor) -> Features:
        return at_least_single(select_rows(self.inputs, index)).to(self.device)
