"""Unbalanced training: fewer training nodes of some classes; validation and test nodes stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from graphkd.checks import is_real
from graphkd.datasets.label_rate import sampled_mask
from graphkd.errors import GraphKDError
from graphkd.tasks.choice import task_of

if TYPE_CHECKING:
    from torch_geometric.data import Data

STEEPEST = 1e6
"""Largest ratio of a long tail."""


def check_imbalance(imbalance: float, long_tail: float) -> None:
    """Checks that an imbalance is in (0, 1] and a long tail at least 1, and that only one of them is set."""
    if not (is_real(imbalance) and 0 < imbalance <= 1):
        raise GraphKDError(f"dataset.imbalance is {imbalance!r}: it must be a number greater than 0 and at most 1")
    if not (is_real(long_tail) and 1 <= long_tail <= STEEPEST):
        raise GraphKDError(f"dataset.long_tail is {long_tail!r}: it must be a number from 1 to {STEEPEST:.0f}")
    if imbalance < 1 and long_tail > 1:
        raise GraphKDError("dataset.imbalance and dataset.long_tail are two profiles of one split: leave one out")


def check_classes(data: Data, key: str) -> None:
    """Checks that the labels of a graph with masks are classes, whose sizes can differ.

    Args:
        data: with ``y`` and masks.
        key: ``imbalance`` or ``long_tail``, for the error message.
    """
    task = task_of(data)
    if not task.one_class:
        raise GraphKDError(f"dataset.{key} is of classes, and task={task.name} has none: leave it out")


def imbalanced_mask(train_mask: Tensor, y: Tensor, imbalance: float, long_tail: float, seed: int) -> Tensor:
    """Samples training nodes by class, so that the sizes of classes differ.

    ``imbalance``: the last ``⌊C / 2⌋`` classes are minorities, for every seed; of a minority with ``n`` training
    nodes ``round(imbalance · n)`` are selected, of the others all. ``long_tail``: the class that is at place
    ``k`` from 0 by its number of training nodes, most first and by number where equal, keeps
    ``round(n_0 · long_tail^{−k / (C − 1)})``, and no more than it has. Which nodes stay is drawn with the seed;
    those of a steeper profile are a subset of those of a flatter one.

    Which classes are minorities is a choice, so that all seeds of a data set are of one problem: drawn classes
    would add their own spread. Three of Cora's seven are, as many as are common.

    Source: the ratio of minorities as in Zhao et al., GraphSMOTE: Imbalanced Node Classification on Graphs with
        Graph Neural Networks, WSDM 2021; the long tail as in Cui et al., Class-Balanced Loss, CVPR 2019

    Args:
        train_mask: ``[N]`` boolean.
        y: ``[N]`` classes, known wherever the mask is true.
        imbalance: in (0, 1]; 1 selects all.
        long_tail: ratio of the first and last class, at least 1; 1 selects no more of one class than of another.
        seed: of the sampling.

    Returns:
        ``[N]`` boolean; nodes that are not selected are in no mask.

    Raises:
        GraphKDError: a class would keep no training node.
    """
    labels = y.reshape(-1).numpy()[train_mask.numpy()]
    sizes = np.bincount(labels)
    key, value = ("imbalance", imbalance) if imbalance < 1 else ("long_tail", long_tail)
    kept = _minorities(sizes, imbalance) if imbalance < 1 else _tail(sizes, long_tail)
    lost = ((kept == 0) & (sizes > 0)).nonzero()[0]
    if lost.size:
        remedy = "raise" if imbalance < 1 else "lower"
        raise GraphKDError(
            f"dataset.{key}={value:g} leaves class {lost[0]} none of its {sizes[lost[0]]} training nodes: "
            f"{remedy} it, or use a split with more training nodes, such as dataset.split=fractions"
        )
    return sampled_mask(train_mask, y, lambda label, _: int(kept[label]), seed)


def _minorities(sizes: NDArray[np.int64], imbalance: float) -> NDArray[np.int64]:
    kept, first = sizes.copy(), sizes.size - sizes.size // 2
    kept[first:] = (imbalance * sizes[first:] + 0.5).astype(np.int64)
    return kept


def _tail(sizes: NDArray[np.int64], long_tail: float) -> NDArray[np.int64]:
    order = np.argsort(-sizes, kind="stable")
    profile = sizes[order[0]] * long_tail ** -(np.arange(sizes.size) / max(sizes.size - 1, 1))
    kept = np.empty_like(sizes)
    kept[order] = np.minimum((profile + 0.5).astype(np.int64), sizes[order])
    return kept


def profile_name(imbalance: float, long_tail: float) -> str:
    """Returns what the name of a split gets: ``-imbalance0.1``, ``-longtail100`` or nothing.

    >>> profile_name(0.1, 1.0)
    '-imbalance0.1'
    """
    if imbalance < 1:
        return f"-imbalance{imbalance:g}"
    return f"-longtail{long_tail:g}" if long_tail > 1 else ""
