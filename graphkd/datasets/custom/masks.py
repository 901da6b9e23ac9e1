"""Conversion of custom splits to masks of training, validation and test nodes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphkd.checks import check_unmasked
from graphkd.errors import GraphKDError

PARTS = ("train", "val", "test")


def masks_of(split: Any, num_nodes: int, where: str = "split") -> tuple[Tensor, Tensor, Tensor]:
    """Converts a split, given as names or as masks, to three masks.

    Args:
        split: ``[N]`` strings ``train``, ``val`` or ``test``, with ``None``, NaN or the empty string for a node
            in none of them; or three arrays ``[N]`` of booleans or 0/1.
        num_nodes: ``N``.
        where: origin of the split, for error messages.

    Returns:
        Three boolean masks ``[N]``.

    Raises:
        GraphKDError: a length or a name is wrong, a mask is not boolean, or a part has no nodes.
    """
    if not hasattr(split, "__len__"):
        raise GraphKDError(f"{where} is a {type(split).__name__}: give train, val or test per node, or masks")
    masks = _three(split, num_nodes, where) if _is_three(split) else _named(split, num_nodes, where)
    for name, mask in zip(PARTS, masks, strict=True):
        if not bool(mask.any()):
            raise GraphKDError(f"{where} has no {name} node: give at least one, or leave {where} out to draw all")
    return masks[0], masks[1], masks[2]


def _is_three(split: Any) -> bool:
    return len(split) == 3 and all(np.ndim(part) == 1 for part in split)


def _named(split: Any, num_nodes: int, where: str) -> list[Tensor]:
    import pandas as pd

    check_unmasked(split, where)
    names = np.empty(len(split), dtype=object)
    names[:] = list(split)
    _check_length(len(names), num_nodes, where)
    names[pd.isna(names)] = ""
    for row, name in enumerate(names):
        if not isinstance(name, str) or name not in (*PARTS, ""):
            raise GraphKDError(
                f"{where} holds {name!r} in row {row}: choose train, val or test, or leave it empty"
            )
    return [torch.from_numpy((names == part).astype(bool)) for part in PARTS]


def _three(split: Any, num_nodes: int, where: str) -> list[Tensor]:
    masks = []
    for name, part in zip(PARTS, split, strict=True):
        check_unmasked(part, f"{name}_mask of {where}")
        mask = np.asarray(part)
        _check_length(mask.size, num_nodes, f"{name}_mask of {where}")
        if mask.dtype.kind not in "biuf" or not bool(np.isin(mask, (0, 1)).all()):
            raise GraphKDError(f"{name}_mask of {where} is no mask: give true and false, or 1 and 0")
        masks.append(torch.from_numpy(mask.astype(bool)))
    return masks


def _check_length(length: int, num_nodes: int, where: str) -> None:
    if length != num_nodes:
        raise GraphKDError(f"{where} has {length} entries for {num_nodes} nodes: give one per node")
