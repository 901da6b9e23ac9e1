"""Checks on a person's graph, before anything is computed from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.sparse.adjacency import check_edges

if TYPE_CHECKING:
    from torch_geometric.data import Data

MASKS = ("train_mask", "val_mask", "test_mask")


def check(data: Data) -> None:
    """Raises one line about the first thing that cannot be right.

    Args:
        data: PyG ``Data`` with ``x [N, D]``, ``edge_index [2, E]``, ``y [N]`` and three boolean
            masks ``[N]``. Labels outside the masks may be −1 or NaN.

    Raises:
        GraphKDError: a part is missing or has the wrong shape; features or weights are not finite; an
            edge points nowhere; a mask is empty or overlaps another; a label inside a mask is not a
            class.
    """
    for name in ("x", "edge_index", "y", *MASKS):
        if getattr(data, name, None) is None:
            raise GraphKDError(f"data.{name} is missing: a graph needs x, edge_index, y and {', '.join(MASKS)}")
    num_nodes = _check_features(data.x)
    check_edges(data.edge_index, num_nodes)
    _check_weights(data)
    y = torch.as_tensor(data.y)
    if y.numel() != num_nodes:
        raise GraphKDError(f"data.y must hold one class per node [{num_nodes}], but has shape {list(y.shape)}")
    _check_masks(data, num_nodes)
    _check_labels(data, y.reshape(-1))


def known_classes(data: Data, y: Tensor) -> int:
    """``C``: the number of class names where the data has them, else the largest label plus one."""
    names = getattr(data, "class_names", None)
    return len(names) if names is not None else int(y.max()) + 1


def _check_features(x: Tensor) -> int:
    if x.dim() != 2 or 0 in x.shape:
        raise GraphKDError(f"data.x must be [nodes, features] and not empty, but has shape {list(x.shape)}")
    values = x.values() if x.layout == torch.sparse_csr else x
    if x.layout not in (torch.strided, torch.sparse_csr):
        raise GraphKDError("data.x must be a dense or a sparse CSR tensor: call x.to_sparse_csr()")
    if values.dtype.is_floating_point and not bool(values.isfinite().all()):
        where = "" if values is not x else f" (first in row {_first_bad_row(x)})"
        raise GraphKDError(f"data.x holds NaN or infinite values{where}: fill or drop them")
    return int(x.shape[0])


def _first_bad_row(x: Tensor) -> int:
    return int((~x.isfinite()).any(dim=1).nonzero()[0])


def _check_weights(data: Data) -> None:
    weight = getattr(data, "edge_weight", None)
    if weight is None:
        return
    if weight.shape != (data.edge_index.shape[1],):
        raise GraphKDError(
            f"data.edge_weight must hold one weight per edge [{data.edge_index.shape[1]}], "
            f"but has shape {list(weight.shape)}"
        )
    if not bool((weight.isfinite() & (weight >= 0)).all()):
        raise GraphKDError("data.edge_weight must be finite and not negative: correct the weights")


def _check_masks(data: Data, num_nodes: int) -> None:
    for name in MASKS:
        mask = getattr(data, name)
        if mask.dtype != torch.bool or mask.shape != (num_nodes,):
            raise GraphKDError(
                f"data.{name} must be a boolean mask [{num_nodes}], but is {mask.dtype} {list(mask.shape)}"
            )
        if not bool(mask.any()):
            raise GraphKDError(f"data.{name} selects no node: give at least one")
    for first, second in (MASKS[:2], MASKS[1:], MASKS[::2]):
        both = int((getattr(data, first) & getattr(data, second)).sum())
        if both:
            raise GraphKDError(f"{both} nodes are in both {first} and {second}: the masks must not overlap")


def _check_labels(data: Data, y: Tensor) -> None:
    used = y[data.train_mask | data.val_mask | data.test_mask]
    classes = used.long().float()
    if used.is_floating_point() and not bool((used == classes).all()):
        raise GraphKDError("data.y holds values inside a mask that are not whole class numbers")
    names = getattr(data, "class_names", None)
    top = len(names) if names is not None else int(classes.max()) + 1
    outside = used[(used < 0) | (used >= top)]
    if outside.numel():
        raise GraphKDError(
            f"data.y holds label {int(outside[0])} inside a mask, outside the classes 0 to {top - 1}: "
            "take the node out of the masks or correct its label"
        )
    if names is None:
        missing = sorted(set(range(top)) - set(y.long().tolist()))
        if missing:
            raise GraphKDError(
                f"no node has class {missing[0]}, though labels go up to {top - 1}: "
                "number the classes 0 to C-1, or name all of them in data.class_names"
            )
