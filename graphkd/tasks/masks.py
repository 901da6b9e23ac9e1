"""Nodes whose labels are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    from torch_geometric.data import Data


def in_masks(data: Data) -> Tensor:
    """Returns whether each node is a training, validation or test node, ``[N]``."""
    masks: Tensor = data.train_mask | data.val_mask | data.test_mask
    return masks
