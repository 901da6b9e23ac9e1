"""Which task a graph's labels are of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.registry import unknown
from graphkd.tasks.base import Task
from graphkd.tasks.binary import Binary
from graphkd.tasks.masks import in_masks
from graphkd.tasks.multiclass import Multiclass
from graphkd.tasks.multilabel import Multilabel
from graphkd.tasks.regression import Regression

if TYPE_CHECKING:
    from torch_geometric.data import Data

TASKS: dict[str, type[Task]] = {task.name: task for task in (Multiclass, Binary, Multilabel, Regression)}
"""Tasks by name."""


LINK = "link"
"""Name of the task whose answers are of pairs of nodes: ``graphkd.links``, which reads no labels."""


def task_of(data: Data) -> Task:
    """Returns the task that ``data.task`` names, else the one that the labels can only be of.

    One whole number per node is a class; a table of 0, 1 and NaN holds several labels per node; numbers most of
    which have a fraction are to be predicted.

    Args:
        data: with ``y`` and checked masks.

    Raises:
        GraphKDError: the name is unknown, or the labels may be of more than one task.

    >>> from torch_geometric.data import Data
    >>> masks = {f"{name}_mask": torch.arange(3) == k for k, name in enumerate(("train", "val", "test"))}
    >>> task_of(Data(y=torch.tensor([0.5, 1.2, 3.0]), **masks)).name
    'regression'
    """
    name = getattr(data, "task", None)
    if name is not None:
        if not isinstance(name, str) or name not in TASKS:
            named = name if isinstance(name, str) else type(name).__name__
            raise GraphKDError(unknown("data.task", named, list(TASKS)))
        return TASKS[name]()
    y = torch.as_tensor(data.y)
    return TASKS[_certain(y, y[in_masks(data)])]()


def _certain(y: Tensor, used: Tensor) -> str:
    """Returns the name of the only task that labels inside the masks can be of."""
    table = y.dim() == 2 and y.shape[1] > 1
    values = used.double()
    if not table:
        known = values[values.isfinite()]
        fractions = int((known != known.round()).sum())  # a few of them are more likely faults of classes
        return "regression" if 2 * fractions > known.numel() else "multiclass"
    if not bool((values.isnan() | (values == 0) | (values == 1)).all()):
        return "regression"
    if bool((values.sum(dim=1) == 1).all()):
        raise GraphKDError(
            "data.y has exactly one 1 in every row inside the masks, which may be one class per node: give class "
            "numbers y.argmax(dim=1), or say task=multilabel"
        )
    return "multilabel"
