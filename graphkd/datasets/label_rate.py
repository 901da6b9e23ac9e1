"""Label-scarce training: a fraction of every class's training labels, or of all where there are no classes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from graphkd.checks import is_real
from graphkd.errors import GraphKDError


def check_label_rate(rate: float) -> None:
    """Checks that a label rate is in (0, 1]."""
    if not (is_real(rate) and 0 < rate <= 1):
        raise GraphKDError(f"dataset.label_rate is {rate!r}: it must be a number greater than 0 and at most 1")


def scarce_mask(train_mask: Tensor, y: Tensor, rate: float, seed: int) -> Tensor:
    """Samples a fraction ``rate`` of the training nodes of every class.

    Of a class with ``n`` training nodes, ``max(1, round(rate · n))`` are selected. The nodes of a smaller rate are
    a subset of those of a larger one.

    Args:
        train_mask: ``[N]`` boolean.
        y: ``[N]`` classes, known wherever the mask is true; of other tasks 0, see ``splits.strata``.
        rate: in (0, 1].
        seed: of the sampling.

    Returns:
        ``[N]`` boolean; nodes that are not selected are in no mask.
    """
    return sampled_mask(train_mask, y, lambda label, size: max(1, int(rate * size + 0.5)), seed)


def sampled_mask(train_mask: Tensor, y: Tensor, count: Callable[[int, int], int], seed: int) -> Tensor:
    """Samples training nodes of every class; those of a smaller count are a subset of those of a larger one.

    Args:
        train_mask: ``[N]`` boolean.
        y: ``[N]`` classes, known wherever the mask is true.
        count: class and its number of training nodes → how many are selected.
        seed: of the sampling.
    """
    rng, nodes = np.random.default_rng(seed), train_mask.nonzero().reshape(-1).numpy()
    labels, mask = y.reshape(-1).numpy()[nodes], torch.zeros_like(train_mask)
    for label in np.unique(labels):
        order = rng.permutation(nodes[labels == label])
        mask[torch.from_numpy(order[: count(int(label), order.size)])] = True
    return mask
