"""Names → graphs with masks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from graphkd.datasets.files import default_cache_dir
from graphkd.datasets.source import Location, Source
from graphkd.datasets.splits import random_split
from graphkd.errors import GraphKDError

if TYPE_CHECKING:
    from torch_geometric.data import Data


def load(source: Source, location: Location, split: str, seed: int, directed: bool) -> Data:
    """Reads a built-in data set and puts the named split on it.

    Args:
        source: the data set.
        location: where its files are.
        split: one of ``source.splits``.
        seed: of a split that is drawn; ``public`` does not depend on it.
        directed: keep edges as stored; otherwise both directions of each are there.

    Returns:
        ``Data`` with ``x [N, D]`` (bag-of-words as sparse CSR), ``edge_index``, ``y`` and the masks.

    Raises:
        GraphKDError: the split is not one of this data set's, or the files cannot be had.
    """
    if split not in source.splits:
        raise GraphKDError(f"{source.name} has no split '{split}': choose {' or '.join(source.splits)}")
    data = source.read(location)
    if not directed:
        from torch_geometric.utils import to_undirected

        data.edge_index = to_undirected(data.edge_index, num_nodes=data.x.shape[0])
    if split == "random":
        data.train_mask, data.val_mask, data.test_mask = random_split(data.y, seed)
    return data


def locate(data_dir: str | os.PathLike[str], cache_dir: str | os.PathLike[str] | None, download: str) -> Location:
    """Folders as a person gives them → ``Location``; ``~`` is expanded."""
    if download not in ("ask", "yes", "never"):
        raise GraphKDError(f"download is '{download}': choose ask, yes or never")
    cache = default_cache_dir() if cache_dir is None else Path(cache_dir)
    return Location(Path(data_dir).expanduser(), cache.expanduser(), download)
