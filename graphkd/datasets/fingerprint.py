"""Checksums of data, for the detection of changes."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from graphkd.atomic_io import sha256_of
from graphkd.datasets.validate import MASKS

if TYPE_CHECKING:
    from torch_geometric.data import Data

IN_MEMORY: dict[str, Any] = {"name": "custom", "split": "masks", "in_memory": True}
"""Origin of data that was not loaded by ``load_dataset``."""

LIMIT, BLOCKS = 2**30, 1024
"""Bytes up to which arrays are hashed as a whole; of larger ones, BLOCKS blocks of LIMIT / BLOCKS bytes are."""


def fingerprints(data: Data) -> dict[str, str]:
    """Computes two checksums, since the masks of a drawn split depend on the seed.

    Of an array of more than 2^30 bytes, the shape and 1,024 evenly spaced blocks of 2^20 bytes are hashed, so that
    memory-mapped arrays are not read as a whole; changes between the blocks are not detected.

    Args:
        data: ``x [N, D]``, ``edge_index [2, E]``, ``edge_weight [E]`` and ``y [N]``, and three masks ``[N]``, each
            if it exists.

    Returns:
        ``fingerprint`` of features, edges, weights and labels, ``split_fingerprint`` of the masks. Where features
        are encoded columns of a table, which depend on the training nodes, the first is of the raw table instead
        and the second also of the features.
    """
    table = getattr(data, "table_fingerprint", None)
    rest = ("edge_index", "edge_weight", "y")
    content: Sequence[str]
    split: Sequence[str]
    content, split = (("x", *rest), MASKS) if table is None else (rest, ("x", *MASKS))
    return {
        "fingerprint": _checksum(data, content, table or ""),
        "split_fingerprint": _checksum(data, split),
    }


def origin_of(data: Data) -> dict[str, Any]:
    """Returns the origin in ``data.graphkd``, if it is still valid, with the current checksums.

    Warns if features, edges, labels or masks were changed since: the origin is then that of data in memory.
    """
    origin, current = getattr(data, "graphkd", None) or IN_MEMORY, fingerprints(data)
    if all(origin.get(key, value) == value for key, value in current.items()):
        return {**origin, **current}
    changed = origin["fingerprint"] != current["fingerprint"]
    warnings.warn(
        f"{_content(data) if changed else _split(data)} of {origin['name']} were changed after it was "
        "loaded: the run is recorded as one on data in memory, custom",
        stacklevel=4,
    )
    return {**IN_MEMORY, **current}


def _content(data: Data) -> str:
    return "edges or labels" if "table_fingerprint" in data else "features, edges or labels"


def _split(data: Data) -> str:
    return "the masks or the encoded features" if "table_fingerprint" in data else "the masks"


def _checksum(data: Data, names: Sequence[str], table: str = "") -> str:
    parts = [(name, part) for name in names for part in _dense_parts(getattr(data, name, None))]
    pieces = (piece for name, part in parts for piece in _pieces(name, part))
    return sha256_of(itertools.chain([table.encode()] if table else [], pieces))


def _dense_parts(part: Any) -> list[Tensor]:
    if not isinstance(part, Tensor):
        return []
    part = part.detach()
    if part.layout == torch.sparse_csr:
        return [part.crow_indices(), part.col_indices(), part.values()]
    return [part]


def _pieces(name: str, part: Tensor) -> Iterator[Any]:
    yield f"{name} {part.dtype} {list(part.shape)}".encode()
    flat = part.reshape(-1)
    size = flat.numel() * flat.element_size()
    if size <= LIMIT:
        yield _bytes(flat)
        return
    length = LIMIT // BLOCKS // flat.element_size()
    for block in range(BLOCKS):
        start = block * (flat.numel() - length) // (BLOCKS - 1)
        yield _bytes(flat[start : start + length])


def _bytes(flat: Tensor) -> Any:
    return flat.cpu().contiguous().view(torch.uint8).numpy()
