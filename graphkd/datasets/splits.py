"""Splits into training, validation and test nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.tasks import TASKS

if TYPE_CHECKING:
    from torch_geometric.data import Data

Masks: TypeAlias = tuple[Tensor, Tensor, Tensor]
"""Boolean ``[N]`` each: training, validation and test nodes."""


def strata(data: Data) -> Tensor:
    """Returns what a draw is stratified by, ``[N]`` int64, −1 for a node whose label is unknown.

    Of one class per node these are the classes; else 0, so that a draw is uniform. A node's labels are known if
    any of them is; its numbers to predict, if all are.

    Args:
        data: with ``y``, and ``task`` if the labels may be of several.

    >>> from torch_geometric.data import Data
    >>> nan = float("nan")
    >>> strata(Data(y=torch.tensor([2, 0, -1]))), strata(Data(y=torch.tensor([[1, nan], [nan, nan]])))
    (tensor([ 2,  0, -1]), tensor([ 0, -1]))
    """
    y: Tensor = data.y
    if has_classes(data):
        return y.reshape(-1)
    task = getattr(data, "task", None)
    known = ~y.isnan().reshape(y.shape[0], -1)
    indicators = bool(((y == 0) | (y == 1) | y.isnan()).all())
    any_suffices = task == "multilabel" or (task is None and y.dim() == 2 and indicators)
    return torch.where(known.any(dim=1) if any_suffices else known.all(dim=1), 0, -1)


def has_classes(data: Data) -> bool:
    """Returns whether the labels of a graph without masks are one class per node."""
    y, task = data.y, getattr(data, "task", None)
    flat = y.dim() == 1 or y.shape[1] == 1
    if task in TASKS and not TASKS[task].one_class:
        return False
    return flat and not y.is_floating_point()


def check_stratified(data: Data, split: str) -> None:
    """Checks that a split whose draw is per class can be drawn.

    Raises:
        GraphKDError: the labels are no classes.
    """
    if not has_classes(data):
        raise GraphKDError(
            f"split={split} draws nodes of every class, and these labels are no classes: use split=fractions"
        )


def random_split(y: Tensor, seed: int, per_class: int = 20, num_val: int = 500, num_test: int = 1000) -> Masks:
    """Draws training nodes per class, then validation and test nodes from the remaining ones.

    Args:
        y: ``[N]`` classes, −1 where unknown; such nodes are never drawn.
        seed: of the draw.
        per_class: training nodes per class.
        num_val: number of validation nodes.
        num_test: number of test nodes.

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
    """Draws training nodes of every class, then validation nodes of every class; the others are test nodes.

    For the same nodes in the same order the result is that of the published code.

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
        reason = f"class {sizes.argmin()} has {sizes.min()}" if sizes.size else "no node has a label"
        raise GraphKDError(
            f"split=cpf needs {per_class + val_per_class} labelled nodes of every class, but {reason}: "
            "use another split"
        )
    parts, free = [], labels >= 0
    for count in (per_class, val_per_class):
        nodes = [rng.choice((free & (labels == c)).nonzero()[0], count, replace=False) for c in range(sizes.size)]
        parts.append(np.concatenate(nodes))
        free[parts[-1]] = False
    if not free.any():
        raise GraphKDError("split=cpf leaves no labelled node for test: use another split")
    return _masks(y.numel(), *parts, free.nonzero()[0])


def fractions_split(y: Tensor, seed: int, train: float = 0.6, val: float = 0.2) -> Masks:
    """Draws fractions of the labelled nodes, stratified by class up to rounding.

    Labels of other tasks are one class here, see ``strata``: the draw is uniform.

    Of a class with ``n`` nodes, ``max(1, round(train · n))`` are for training. The remaining nodes, class by
    class, are assigned to validation and test in the ratio of their fractions.

    Args:
        y: ``[N]`` classes, −1 where unknown; such nodes are never drawn.
        seed: of the draw.
        train: fraction of the training nodes.
        val: fraction of the validation nodes; the remaining ones are for testing.

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
    empty = order[:0]  # an empty array, for the case that no label is known
    rest = np.concatenate([empty, *(group[count:] for group, count in zip(groups, counts, strict=True))])
    quota = np.floor(np.arange(rest.size + 1) * val / (1.0 - train) + 1e-9)
    to_val = quota[1:] > quota[:-1]
    parts = (
        np.concatenate([empty, *(group[:n] for group, n in zip(groups, counts, strict=True))]),
        rest[to_val],
        rest[~to_val],
    )
    if not all(part.size for part in parts):
        inside = f" in {len(groups)} classes" if len(groups) > 1 else ""
        raise GraphKDError(
            f"split=fractions needs nodes for training, validation and test, but there are only "
            f"{int((y >= 0).sum())} labelled nodes{inside}: label more, or give the masks"
        )
    return _masks(y.numel(), *parts)


def _masks(num_nodes: int, *parts: NDArray[np.int64]) -> Masks:
    masks = torch.zeros(3, num_nodes, dtype=torch.bool)
    for mask, part in zip(masks, parts, strict=True):
        mask[torch.from_numpy(part)] = True
    return masks[0], masks[1], masks[2]
