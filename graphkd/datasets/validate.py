"""Checks of a user's graph before any computation."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from graphkd.columns import ColumnEncoding
from graphkd.errors import GraphKDError
from graphkd.sparse import as_features, check_features
from graphkd.sparse.adjacency import check_edges, check_weights
from graphkd.tasks import Task
from graphkd.tasks.choice import task_of

if TYPE_CHECKING:
    from torch_geometric.data import Data

MASKS = ("train_mask", "val_mask", "test_mask")
LABEL_TYPES = (
    *(torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
    *(torch.float16, torch.bfloat16, torch.float32, torch.float64),
)
"""Dtypes of labels: floating-point ones too, whose NaN is an unknown class; torch cannot compare others."""


def check(data: Data) -> tuple[Task, Tensor, int]:
    """Checks a graph and raises for the first fault.

    Args:
        data: PyG ``Data`` with ``x [N, D]``, ``edge_index [2, E]``, ``y [N]`` or ``[N, C]`` and three boolean
            masks ``[N]``. Labels outside the masks may be −1 or NaN.

    Returns:
        The task of its labels, these, and the number of outputs, see ``Task.labels``.

    Raises:
        GraphKDError: a part is missing or has the wrong shape; features or weights are not finite; an
            edge index is out of range; a mask is empty or overlaps another; a label inside a mask is not a
            class; ``data.metric`` is unknown or does not apply to the labels.
    """
    _check_kind(data)
    for name in ("x", "edge_index", "y", *MASKS):
        part = getattr(data, name, None)
        if part is None:
            raise GraphKDError(f"data.{name} is missing: a graph needs x, edge_index, y and {', '.join(MASKS)}")
        if not isinstance(part, Tensor):
            raise GraphKDError(f"data.{name} is a {type(part).__name__}: make it a tensor with torch.as_tensor")
    num_nodes = _check_features(data.x)
    check_edges(data.edge_index, num_nodes)
    check_weights(getattr(data, "edge_weight", None), data.edge_index.shape[1], name="data.edge_weight")
    if getattr(data, "edge_attr", None) is not None and getattr(data, "edge_weight", None) is None:
        warnings.warn(
            "data.edge_attr is not read: where it is one weight per edge, put it into data.edge_weight, [E]",
            stacklevel=4,
        )
    _check_shape(torch.as_tensor(data.y), num_nodes)
    _check_masks(data, num_nodes)
    _check_names(getattr(data, "class_names", None))
    _check_columns(getattr(data, "feature_names", None), data.x.shape[1])
    _check_encoding(getattr(data, "column_encoding", None), getattr(data, "feature_names", None))
    task = task_of(data)
    task.check(data)
    y, num_outputs = task.labels(data)
    _check_metric(data, task, y, num_outputs)
    return task, y, num_outputs


def _check_shape(y: Tensor, num_nodes: int) -> None:
    """Checks that labels are numbers, a row for each node."""
    rows = y.numel() if y.dim() < 2 else y.shape[0]
    if rows != num_nodes or y.dim() > 2:
        raise GraphKDError(
            f"data.y must hold one class per node [{num_nodes}], or one row of labels or numbers, but has shape "
            f"{list(y.shape)}"
        )
    if y.dtype not in LABEL_TYPES:
        raise GraphKDError(f"data.y must hold whole class numbers, but is {y.dtype}: convert it with y.long()")


def _check_kind(data: object) -> None:
    from torch_geometric.data import Data

    if not isinstance(data, Data):
        raise GraphKDError(
            f"data is a {type(data).__name__}, no torch_geometric Data: make one with graphkd.load_dataset, "
            "from_networkx, from_scipy or from_frames"
        )


def _check_names(names: object) -> None:
    """Checks that class names are a sequence: a string or a mapping would be misread."""
    if names is not None and not (
        isinstance(names, list | tuple | np.ndarray) and np.ndim(names) == 1 and len(names)
    ):
        raise GraphKDError(f"data.class_names is {names!r}: give a list with one name per class, or leave it out")


def _check_columns(names: object, num_features: int) -> None:
    listed = isinstance(names, list | tuple | np.ndarray) and np.ndim(names) == 1
    if names is None or (listed and len({str(name) for name in names}) == num_features):  # type: ignore[attr-defined]
        return
    raise GraphKDError(
        f"data.feature_names must be a list of {num_features} different names, one per column of data.x: "
        "correct it, or leave it out"
    )


def _check_encoding(encoding: object, names: object) -> None:
    """Checks that the features are those that the encoding of columns makes: a bundle replays it."""
    if encoding is None:
        return
    if not isinstance(encoding, ColumnEncoding) or names is None or tuple(map(str, names)) != encoding.names_out:  # type: ignore[call-overload]
        raise GraphKDError(
            "data.column_encoding makes other features than data.feature_names names: set both, or delete "
            "data.column_encoding if x was changed"
        )


def _check_features(x: Tensor) -> int:
    if x.layout not in (torch.strided, torch.sparse_csr):
        raise GraphKDError("data.x must be a dense or a sparse CSR tensor: call x.to_sparse_csr()")
    if x.is_complex():
        raise GraphKDError("data.x must hold real numbers, but is complex: take its absolute value")
    check_features(as_features(x), name="data.x")
    if x.shape[0] == 0:
        raise GraphKDError("data.x has no rows: a graph needs at least one node")
    return int(x.shape[0])


def _check_masks(data: Data, num_nodes: int) -> None:
    for name in MASKS:
        mask = getattr(data, name)
        if mask.dtype != torch.bool or mask.shape != (num_nodes,):
            raise GraphKDError(
                f"data.{name} must be a boolean mask [{num_nodes}], but is {mask.dtype} {list(mask.shape)}: "
                "convert it, or take one column where there are several splits"
            )
        if not bool(mask.any()):
            raise GraphKDError(f"data.{name} selects no node: give at least one")
    for first, second in (MASKS[:2], MASKS[1:], MASKS[::2]):
        overlap = int((getattr(data, first) & getattr(data, second)).sum())
        if overlap:
            raise GraphKDError(f"{overlap} nodes are in both {first} and {second}: the masks must not overlap")


def _check_metric(data: Data, task: Task, y: Tensor, count: int) -> None:
    """Raises before training if the metric cannot be computed on the validation or test nodes."""
    metric = getattr(data, "metric", None) or task.metrics[0]
    task.check_metric(metric)
    if task.one_class and metric == "roc_auc" and count != 2:
        raise GraphKDError(f"data.metric is roc_auc, which needs two classes, but there are {count}: use accuracy")
    task.check_scorable(metric, {f"{name} selects": y[getattr(data, name)] for name in MASKS[1:]})
