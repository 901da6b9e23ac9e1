"""Train, validation and test nodes; a split is always named in the output."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphkd.errors import GraphKDError

Masks: TypeAlias = tuple[Tensor, Tensor, Tensor]
"""Boolean ``[N]`` each: training, validation and test nodes."""


def random_split(y: Tensor, seed: int, per_class: int = 20, num_val: int = 500, num_test: int = 1000) -> Masks:
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
    return _masks(y.numel(), train, rest[:num_val], rest[num_val : num_val + num_test])


def cpf_split(y: Tensor, seed: int, per_class: int = 20, val_per_class: int = 30) -> Masks:
    """Draws training nodes of every class, then validation nodes of every class; the rest is test.

    For the same nodes in the same order these are the nodes that the published code draws.

    Args:
        y: ``[N]`` classes, −1 where unknown; such nodes are in no part.
        seed: of the draw.
        per_class: training nodes per class.
        val_per_class: validation nodes per class.

    Returns:
        Three boolean masks ``[N]``.

    Raises:
        GraphKDError: a class has too few labelled nodes.

    Source: CPF's and GLNN's protocol (20 and 30 per class, drawn by seed, largest connected component).
    """
    rng, labels = np.random.RandomState(seed), y.numpy()
    sizes = np.bincount(labels[labels >= 0])
    if sizes.size == 0 or sizes.min() < per_class + val_per_class:
        few = f"class {sizes.argmin()} has {sizes.min()}" if sizes.size else "no node has a label"
        raise GraphKDError(
            f"split=cpf needs {per_class + val_per_class} labelled nodes of every class, but {few}: "
            "use another split"
        )
    parts, free = [], labels >= 0
    for count in (per_class, val_per_class):
        drawn = [rng.choice((free & (labels == c)).nonzero()[0], count, replace=False) for c in range(sizes.size)]
        parts.append(np.concatenate(drawn))
        free[parts[-1]] = False
    if not free.any():
        raise GraphKDError("split=cpf leaves no labelled node for test: use another split")
    return _masks(y.numel(), *parts, free.nonzero()[0])


def fractions_split(y: Tensor, seed: int, train: float = 0.6, val: float = 0.2) -> Masks:
    """Divides the labelled nodes of every class by the same fractions; the rest is test.

    Args:
        y: ``[N]`` classes, −1 where unknown; such nodes are in no part.
        seed: of the draw.
        train: fraction for training; at least one node of every class that occurs.
        val: fraction for validation.

    Returns:
        Three boolean masks ``[N]``.

    Raises:
        GraphKDError: there are too few labelled nodes for three parts.
    """
    rng, labels = np.random.RandomState(seed), y.numpy()
    parts: list[list[NDArray[np.int64]]] = [[], [], []]
    for c in np.unique(labels[labels >= 0]):
        order = rng.permutation((labels == c).nonzero()[0])
        first = max(1, round(train * order.size))
        ends = [first, max(first, round((train + val) * order.size))]
        for part, nodes in zip(parts, np.split(order, ends), strict=True):
            part.append(nodes)
    if not all(any(nodes.size for nodes in part) for part in parts):
        raise GraphKDError(
            f"split=fractions cannot divide {int((labels >= 0).sum())} labelled nodes into train, validation "
            "and test: label more nodes, or use another split"
        )
    return _masks(y.numel(), *(np.concatenate(part) for part in parts))


def _masks(num_nodes: int, *parts: NDArray[np.int64]) -> Masks:
    masks = torch.zeros(3, num_nodes, dtype=torch.bool)
    for mask, part in zip(masks, parts, strict=True):
        mask[torch.from_numpy(part)] = True
    return masks[0], masks[1], masks[2]
