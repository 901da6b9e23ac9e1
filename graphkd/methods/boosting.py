"""AdaBoost over nodes: how much each counts, and how much each student does that learns in turn."""

from __future__ import annotations

import torch
from torch import Tensor


def boosted(weight: Tensor, divergence: Tensor, beta: float) -> tuple[Tensor, Tensor]:
    """Returns the nodes' weights after a student, not scaled to any sum, and the student's coefficient.

    A node's error is ``e_i = 1 − exp(−beta d_i)``. With their weighted mean ``e``, the coefficient is
    ``a = log((1 − e) / e)``, 1e−16 at least and 30 at most, and a weight becomes ``w_i exp(a e_i)``.

    Args:
        weight: ``[N]`` float64.
        divergence: ``d [N]`` of the student from its teacher, 0 or more.
        beta: how fast a divergence counts as an error.
    """
    error = 1 - torch.exp(-beta * divergence)
    mean = (weight * error).sum() / weight.sum()
    coefficient = torch.log((1 - mean) / mean.clamp_min(1e-16)).clamp(1e-16, 30.0)
    return weight * torch.exp(coefficient * error), coefficient


def dealt(labelled: Tensor, num_rows: int, members: int) -> Tensor:
    """Returns which of ``K`` students reads the label of each row, ``[N]`` int64; −1 where there is none to read.

    Args:
        labelled: ``[n]`` rows with a label; drawn by torch's generator, in equal shares but for the rest.
        num_rows: ``N``.
        members: ``K``.
    """
    member_of = torch.full((num_rows,), -1, device=labelled.device)
    drawn = labelled[torch.randperm(labelled.numel()).to(labelled.device)]
    member_of[drawn] = torch.arange(labelled.numel(), device=labelled.device) % members
    return member_of
