"""A codebook of directions, moved by averages of the rows that are assigned to each."""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SIMILARITIES = 2**20
"""Similarities of rows to codes that are in memory at a time."""

ROUNDS = 10
"""Of k-means."""


def row_blocks(rows: int, codes: int) -> Iterator[slice]:
    """Yields consecutive rows whose similarities to all codes fit in memory."""
    step = max(1, SIMILARITIES // max(codes, 1))
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))


class Codebook(nn.Module):
    """``c(h) = argmax_m ⟨ĥ, e_m⟩`` over ``M`` codes of length 1, ``ĥ = h / ‖h‖``.

    While it is trained, ``e_m ← normalised(decay · e_m + (1 − decay) · normalised(Σ ĥ))`` over the rows assigned
    to ``m``, after they are quantised; a code without rows stays where it is.

    Args:
        codes: ``M``.
        width: ``d``.
        decay: of the moving average, in [0, 1).
        reseed: a code to which fewer rows than this are assigned, by the same moving average, is replaced by a row
            that is drawn; 0 leaves it.
        kmeans: whether the first rows are clustered for the codes' start, which else are random directions.
    """

    codes: Tensor
    sizes: Tensor
    started: Tensor

    def __init__(self, codes: int, width: int, decay: float, reseed: float, kmeans: bool) -> None:
        super().__init__()
        self.decay, self.reseed, self.kmeans = decay, reseed, kmeans
        self.register_buffer("codes", F.normalize(torch.randn(codes, width), dim=1))
        self.register_buffer("sizes", torch.zeros(codes))
        self.register_buffer("started", torch.tensor(not kmeans))

    def forward(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the codes ``[N, d]`` of rows ``[N, d]``, without a gradient, and their numbers ``[N]``."""
        with torch.no_grad():
            directions = F.normalize(h.detach(), dim=1)
            if self.training and not bool(self.started):
                self.codes.copy_(_clustered(directions, self.codes.shape[0]))
                self.started.fill_(True)
            index = nearest(directions, self.codes)
            quantised = self.codes[index]
            if self.training:
                self._move(directions, index)
        return quantised, index

    def _move(self, directions: Tensor, index: Tensor) -> None:
        means, counts = _means(directions, index, self.codes.shape[0])
        moved = F.normalize(self.decay * self.codes + (1 - self.decay) * means, dim=1)
        self.codes.copy_(torch.where(counts.unsqueeze(1) > 0, moved, self.codes))
        self.sizes.lerp_(counts, 1 - self.decay)
        if self.reseed > 0:
            drawn = torch.randint(directions.shape[0], (self.codes.shape[0],), device=index.device)
            dead = self.sizes < self.reseed
            self.codes.copy_(torch.where(dead.unsqueeze(1), directions[drawn], self.codes))
            self.sizes.masked_fill_(dead, self.reseed)


def nearest(directions: Tensor, codes: Tensor) -> Tensor:
    """Returns ``argmax_m ⟨ĥ_i, e_m⟩`` of rows ``[N, d]`` among codes ``[M, d]``: ``[N]``."""
    blocks = row_blocks(directions.shape[0], codes.shape[0])
    return torch.cat([(directions[rows] @ codes.t()).argmax(dim=1) for rows in blocks])


def _means(directions: Tensor, index: Tensor, codes: int) -> tuple[Tensor, Tensor]:
    """Returns the direction of the sum of the rows of each code ``[M, d]``, and their number ``[M]``."""
    sums = directions.new_zeros(codes, directions.shape[1]).index_add_(0, index, directions)
    ones = directions.new_ones(index.numel())
    return F.normalize(sums, dim=1), directions.new_zeros(codes).index_add_(0, index, ones)


def _clustered(directions: Tensor, codes: int) -> Tensor:
    """Returns the centres ``[M, d]`` of spherical k-means, started from rows that are drawn."""
    order = torch.randperm(directions.shape[0], device=directions.device)
    centres = directions[order.repeat(-(-codes // order.numel()))[:codes]]
    for _ in range(ROUNDS):
        means, counts = _means(directions, nearest(directions, centres), codes)
        centres = torch.where(counts.unsqueeze(1) > 0, means, centres)
    return centres
