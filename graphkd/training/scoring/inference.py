"""A student's logits on many rows, without the hidden layers of all rows in memory at once."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from graphkd.distributed import world
from graphkd.sparse import Factored, Features, Inputs, at_least_single, select_rows

BLOCK_ROWS = 2**16
"""Rows that are computed at once, and cached between calls where there are no more."""

ROWS_SHARE = 0.05
"""Up to this share of the nodes, rows of factored inputs are computed once instead of all logits in every call."""


class Inference:
    """The logits ``[n, C]`` of rows of the inputs, under the student's weights at the time of the call.

    Logits of factored inputs are computed for all rows at once, which is their purpose, unless few are requested.
    Several processes compute a shard of the rows each, and gather the logits.

    Args:
        student: rows ``[B, D']`` → ``StudentOutput``.
        inputs: ``[N, D']``; a table may be a mapped file, and in half precision.
        nodes: row numbers ``[n]``.
    """

    def __init__(self, student: nn.Module, inputs: Inputs, nodes: Tensor) -> None:
        self.student, self.device = student, next(student.parameters()).device
        self.inputs, self.count = inputs, nodes.numel()
        self.nodes = nodes[world().rows(self.count)].to(inputs.device)
        most = ROWS_SHARE * inputs.shape[0] if isinstance(inputs, Factored) else BLOCK_ROWS
        self.rows = self._rows(self.nodes) if nodes.numel() <= most else None

    def __call__(self) -> Tensor:
        """Computes the logits, without gradients."""
        with torch.no_grad():
            return world().all_gather(self._own(), self.count)

    def _own(self) -> Tensor:
        if self.rows is not None:
            return self.student(self.rows).logits  # type: ignore[no-any-return]
        if isinstance(self.inputs, Factored):
            return self.student(self.inputs).logits[self.nodes]  # type: ignore[no-any-return]
        return self._in_blocks()

    def _in_blocks(self) -> Tensor:
        whole = torch.empty(0)
        for start in range(0, self.nodes.numel(), BLOCK_ROWS):
            logits = self.student(self._rows(self.nodes[start : start + BLOCK_ROWS])).logits
            if start == 0:
                whole = logits.new_empty(self.nodes.numel(), logits.shape[1])
            whole[start : start + BLOCK_ROWS] = logits
        return whole

    def _rows(self, index: Tensor) -> Features:
        return at_least_single(select_rows(self.inputs, index)).to(self.device)
