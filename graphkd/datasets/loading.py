"""Names → graphs with masks."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from graphkd.datasets.files import default_cache_dir
from graphkd.datasets.own.build import make_undirected
from graphkd.datasets.source import Location, Source
from graphkd.datasets.splits import fractions_split, random_split
from graphkd.errors import GraphKDError

if TYPE_CHECKING:
    from torch_geometric.data import Data


DRAWN: dict[str, Callable[[Tensor, int], tuple[Tensor, Tensor, Tensor]]] = {
    "random": random_split,
    "fractions": fractions_split,
}
"""Splits that are drawn by seed."""


def load(source: Source, location: Location, split: str | None, seed: int, directed: bool) -> tuple[Data, str]:
    """Reads a built-in data set and puts the named split on it.

    Args:
        source: the data set.
        location: where its files are.
        split: one of ``source.splits``; by default the first that can be had.
        seed: of a split that is drawn; ``public`` does not depend on it.
        directed: keep edges as stored; otherwise both directions of each are there.

    Returns:
        ``Data`` with ``x [N, D]`` (bag-of-words as sparse CSR), ``edge_index``, ``y`` and the masks; and the
        name of the split.

    Raises:
        GraphKDError: the split is not one of this data set's, or the files cannot be had.
    """
    if split not in (None, *source.splits):
        raise GraphKDError(f"{source.name} has no split '{split}': choose {' or '.join(source.splits)}")
    data = source.read(location)
    split = split or _default_split(source, data)
    if split == "masks" and not hasattr(data, "train_mask"):
        raise GraphKDError(f"{location.path} holds no masks: add a column split, or use dataset.split=fractions")
    if not directed:
        make_undirected(data)
    if split in DRAWN:
        data.train_mask, data.val_mask, data.test_mask = DRAWN[split](data.y, seed)
    return data, split


def _default_split(source: Source, data: Data) -> str:
    return next(name for name in source.splits if name != "masks" or hasattr(data, "train_mask"))


def locate(
    data_dir: str | os.PathLike[str],
    cache_dir: str | os.PathLike[str] | None,
    download: str,
    path: str | os.PathLike[str] | None = None,
) -> Location:
    """Folders as a person gives them → ``Location``; ``~`` is expanded."""
    if download not in ("ask", "yes", "never"):
        raise GraphKDError(f"download is '{download}': choose ask, yes or never")
    cache = default_cache_dir() if cache_dir is None else Path(cache_dir)
    own = None if path is None else Path(path).expanduser()
    return Location(Path(data_dir).expanduser(), cache.expanduser(), download, own)
