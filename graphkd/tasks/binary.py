"""Yes or no per node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkd.errors import GraphKDError
from graphkd.tasks.multiclass import Multiclass

if TYPE_CHECKING:
    from torch_geometric.data import Data


class Binary(Multiclass):
    """Each node has one of two classes, and class 1 is what is looked for.

    Two logits ``z_0, z_1`` are one, ``z_1 − z_0``: losses, soft targets and answers are those of ``multiclass``
    with two classes, bit for bit. What differs is the metric that validation selects on: ROC-AUC, which the share
    of positive nodes does not change, in place of accuracy, which a network that always says no may win.

    Source: the common task; no paper

    >>> Binary().metrics[0]
    'roc_auc'
    """

    name = "binary"
    metrics = ("roc_auc", "accuracy", "macro_f1", "balanced_accuracy")

    def check(self, data: Data) -> None:
        """Checks that there are two classes."""
        super().check(data)
        count = self.labels(data)[1]
        if count != 2:
            raise GraphKDError(f"task=binary needs two classes, but data.y has {count}: choose task=multiclass")
