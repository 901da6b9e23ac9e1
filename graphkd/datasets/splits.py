"""Train, validation and test nodes; a split is always named in the output."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from graphkd.errors import GraphKDError


def random_split(
    y: Tensor, seed: int, per_class: int = 20, num_val: int = 500, num_test: int = 1000
) -> tuple[Tensor, Tensor, Tensor]:
    """Draws training nodes per class, then validation and test nodes from the rest.

    Args:
        y: ``[N]`` classes, −1 where unknown; such nodes are never drawn.
        seed: of the draw.
        per_class: training nodes per class.
        num_val: validation nodes.
        num_test: test nodes.

    Returns:
        Three boolean masks ``[N]``.

    Raises:
        GraphKDError: there are too few labelled nodes.

    Source: InfGraND's protocol for Photo, CS and Physics (20 per class, 500, 1000, drawn by seed).
    """
    rng = np.random.RandomState(seed)
    order = rng.permutation(int(y.numel()))
    labels = y.numpy()[order]
    train = np.concatenate([order[labels == c][:per_class] for c in range(int(y.max()) + 1)])
    rest = order[(labels >= 0) & ~np.isin(order, train)]
    if rest.size < num_val + num_test:
        raise GraphKDError(
            f"split=random needs {num_val} validation and {num_test} test nodes beside {train.size} for "
            f"training, but only {rest.size} labelled nodes are left: use another split"
        )
    parts = train, rest[:num_val], rest[num_val : num_val + num_test]
    masks = torch.zeros(3, y.numel(), dtype=torch.bool)
    for mask, part in zip(masks, parts, strict=True):
        mask[torch.from_numpy(part)] = True
    return masks[0], masks[1], masks[2]


def fractions_split(y: Tensor, seed: int, train: float = 0.6, val: float = 0.2) -> tuple[Tensor, Tensor, Tensor]:
    """Draws fractions of the labelled nodes; the classes have the same ones, as far as they can be divided.

    Of a class with ``n`` nodes, ``max(1, round(train · n))`` are for training. The rest of all classes, one class
    after another, is dealt to validation and test in the ratio that is left.

    Args:
        y: ``[N]`` classes, −1 where unknown; such nodes are never drawn.
        seed: of the draw.
        train: fraction of the training nodes.
        val: fraction of the validation nodes; what remains is for testing.

    Returns:
        Three boolean masks ``[N]``.

    Raises:
        GraphKDError: there are too few labelled nodes.

    Source: a common choice; no paper.
    """
    rng = np.random.RandomState(seed)
    order = rng.permutation(int(y.numel()))
    labels = y.numpy()[order]
    groups = [order[labels == c] for c in range(int(y.max()) + 1)]
    counts = [max(1, int(train * group.size + 0.5)) for group in groups]
    none = order[:0]  # of all nodes, where no label is known
    rest = np.concatenate([none, *(group[count:] for group, count in zip(groups, counts, strict=True))])
    dealt = np.floor(np.arange(rest.size + 1) * val / (1.0 - train) + 1e-9)
    to_val = dealt[1:] > dealt[:-1]
    parts = (
        np.concatenate([none, *(group[:n] for group, n in zip(groups, counts, strict=True))]),
        rest[to_val],
        rest[~to_val],
    )
    if not all(part.size for part in parts):
        raise GraphKDError(
            f"split=fractions needs nodes for training, validation and test, but there are only "
            f"{int((y >= 0).sum())} labelled nodes in {len(groups)} classes: label more, or give the masks"
        )
    masks = torch.zeros(3, y.numel(), dtype=torch.bool)
    for mask, part in zip(masks, parts, strict=True):
        mask[torch.from_numpy(part)] = True
    return masks[0], masks[1], masks[2]
