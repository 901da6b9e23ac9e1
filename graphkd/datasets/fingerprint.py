"""Checksums of data: whether it is still what it was."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from graphkd.atomic_io import sha256_of
from graphkd.datasets.validate import MASKS

if TYPE_CHECKING:
    from torch_geometric.data import Data

IN_MEMORY: dict[str, Any] = {"name": "custom", "split": "masks", "in_memory": True}
"""The origin of data that ``load_dataset`` did not make."""

LIMIT, BLOCKS = 2**30, 1024
"""Bytes up to which an array counts whole; of a larger one so many blocks of ``LIMIT / BLOCKS`` bytes do."""


def fingerprints(data: Data) -> dict[str, str]:
    """Computes two checksums, since the masks of a split that is drawn differ from seed to seed.

    An array of more than 2^30 bytes counts with its shape and 1,024 blocks of 2^20 bytes, evenly spread, so that
    arrays in files need not be read whole: of such a one, changes between the blocks are not seen.

    Args:
        data: ``x [N, D]``, ``edge_index [2, E]``, ``edge_weight [E]`` and ``y [N]``, and three masks ``[N]``, each
            where it is there.

    Returns:
        ``fingerprint`` of features, edges, weights and labels, ``split_fingerprint`` of the masks.
    """
    content = ("x", "edge_index", "edge_weight", "y")
    return {"fingerprint": _checksum(data, content), "split_fingerprint": _checksum(data, MASKS)}


def origin_of(data: Data) -> dict[str, Any]:
    """Returns what is noted in ``data.graphkd``, as far as it is still true, and the checksums of today.

    Warns where features, edges, labels or masks were changed since: the data is one's own then, in memory.
    """
    noted, found = getattr(data, "graphkd", None) or IN_MEMORY, fingerprints(data)
    if all(noted.get(key, value) == value for key, value in found.items()):
        return {**noted, **found}
    content = noted["fingerprint"] != found["fingerprint"]
    warnings.warn(
        f"{'features, edges or labels' if content else 'the masks'} of {noted['name']} were changed after it was "
        "loaded: the run is recorded as one on data in memory, custom",
        stacklevel=4,
    )
    return {**IN_MEMORY, **found}


def _checksum(data: Data, names: tuple[str, ...]) -> str:
    parts = [(name, part) for name in names for part in _dense_parts(getattr(data, name, None))]
    return sha256_of(piece for name, part in parts for piece in _pieces(name, part))


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
