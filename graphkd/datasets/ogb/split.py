"""The official split of an OGB data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphkd.datasets.ogb.facts import PARTS, Facts
from graphkd.datasets.ogb.raw import read_ids
from graphkd.datasets.validate import MASKS
from graphkd.errors import GraphKDError

_RECONSTRUCT = np.zeros(0).__reduce__()[0]
ALLOWED: list[Any] = [
    *((_RECONSTRUCT, f"numpy.{core}.multiarray._reconstruct") for core in ("core", "_core")),
    *(np.ndarray, np.dtype, np.dtypes.Int64DType, np.dtypes.Int32DType),
]
"""Globals allowed in a ``split_dict.pt`` of arrays: they construct numeric arrays and cannot execute code."""


def read_split(folder: Path, facts: Facts, num_nodes: int) -> dict[str, Tensor]:
    """Reads three masks ``[N]`` by name, from ``csv.gz`` files, or from ``split_dict.pt`` if these do not exist.

    Raises:
        GraphKDError: a part is missing or damaged, or contains an invalid node id.
    """
    files = [folder / facts.split_file(part) for part in PARTS]
    archive = folder / "split" / facts.split / "split_dict.pt"
    if archive.is_file() and not any(file.is_file() for file in files):
        ids = _from_archive(archive)
    else:
        missing = [file for file in files if not file.is_file()]
        if missing:
            raise GraphKDError(f"{missing[0]} is missing: fetch {facts.name} again, or its folder split")
        ids = [read_ids(file) for file in files]
    return {name: _mask(part, num_nodes, folder) for name, part in zip(MASKS, ids, strict=True)}


def _from_archive(file: Path) -> list[NDArray[Any]]:
    """Reads tensors or arrays under ``train``, ``valid`` and ``test``; other types are rejected."""
    try:
        with torch.serialization.safe_globals(ALLOWED):
            parts = torch.load(file, weights_only=True)
        return [np.asarray(parts[part]).reshape(-1) for part in PARTS]
    except Exception as error:  # foreign files raise many types, most with long messages
        reason = str(error).split("\n", maxsplit=1)[0]
        raise GraphKDError(
            f"{file} is damaged or holds more than arrays ({type(error).__name__}: {reason}): fetch it again"
        ) from None


def _mask(ids: NDArray[Any], num_nodes: int, folder: Path) -> Tensor:
    if ids.dtype.kind not in "iu" or (ids.size and not (ids.min() >= 0 and ids.max() < num_nodes)):
        raise GraphKDError(
            f"{folder / 'split'} names what is no node of 0 to {num_nodes - 1}: fetch {folder.name} again"
        )
    mask = torch.zeros(num_nodes, dtype=torch.bool)
    mask[torch.from_numpy(ids.astype(np.int64))] = True
    return mask
