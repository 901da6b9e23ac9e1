"""The heads that make views of a teacher."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Heads(nn.Module):
    """All heads as one batched network, ``[B, d] → [N, B, d]`` and ``[N, B, C]``.

    Args:
        width: ``d``.
        classes: ``C``.
        dropout: ``[N]``.
    """

    def __init__(self, width: int, classes: int, dropout: Tensor) -> None:
        super().__init__()
        count = len(dropout)
        self.register_buffer("keep", 1 - dropout.view(-1, 1, 1), persistent=False)
        self.weight = nn.Parameter(_orthonormal(count, width))
        self.bias = nn.Parameter(torch.zeros(count * width))
        self.norm = nn.BatchNorm1d(count * width)
        self.classifier = nn.Parameter(torch.empty(count, classes, width))
        self.shift = nn.Parameter(torch.zeros(count, 1, classes))
        means = torch.linspace(1.0, 0.6, count)
        draws = torch.normal(means.repeat(2, 1), means.repeat(2, 1)).repeat_interleave(width, dim=1)
        with torch.no_grad():
            self.norm.weight.copy_(draws[0])
            self.norm.bias.copy_(draws[1])
            for table in self.classifier:
                nn.init.xavier_uniform_(table)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Returns features and logits of every head."""
        count, width = len(self.weight), features.shape[1]
        inputs = features.expand(count, *features.shape)
        if self.training:
            kept = torch.rand(inputs.shape, device=inputs.device) < self.keep
            inputs = inputs * kept / self.keep
        rows = torch.bmm(inputs, self.weight.transpose(1, 2)).transpose(0, 1).flatten(1)
        hidden = self.norm(rows + self.bias).view(-1, count, width).transpose(0, 1)
        return hidden, torch.bmm(hidden, self.classifier.transpose(1, 2)) + self.shift

    keep: Tensor


def _orthonormal(count: int, width: int) -> Tensor:
    """Returns ``[N, d, d]`` whose rows for one unit are orthonormal across heads; of length 1 if ``N > d``."""
    drawn = torch.randn(width, width, count)  # unit, input, head
    if count <= width:
        drawn = torch.linalg.qr(drawn).Q
    return F.normalize(drawn, dim=1).permute(2, 0, 1).contiguous()
