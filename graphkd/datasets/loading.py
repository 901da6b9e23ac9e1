"""Loading of built-in data sets with a split."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from torch import Tensor

from graphkd.atomic_io import as_path, default_cache_dir
from graphkd.datasets.component import largest_component
from graphkd.datasets.custom.build import make_undirected
from graphkd.datasets.source import Location, Source
from graphkd.datasets.splits import Masks, check_stratified, cpf_split, fractions_split, random_split, strata
from graphkd.datasets.validate import MASKS
from graphkd.errors import GraphKDError
from graphkd.tasks.choice import LINK, task_of

if TYPE_CHECKING:
    from torch_geometric.data import Data


def load(
    source: Source, location: Location, split: str | None, seed: int, directed: bool, task: str | None = None
) -> tuple[Data, str]:
    """Reads a built-in data set and applies the named split.

    Args:
        source: the data set.
        location: of its files.
        split: one of ``source.splits``; by default the first available one.
        seed: of a drawn split. If ``public`` has ``S`` stored splits, it selects number ``seed mod S``; a single
            stored split does not depend on it.
        directed: whether edges stay as stored; otherwise both directions of each edge are included.
        task: of the labels; by default the data set's. With ``link`` no node is put into a mask.

    Returns:
        ``Data`` with ``x [N, D]`` (bag-of-words as sparse CSR), ``edge_index``, ``y``, the masks and
        ``metric`` (for ``cpf``, the largest connected component with the original indices as ``node_ids``); and
        the name of the split.

    Raises:
        GraphKDError: the data set does not have the split, or the files are unavailable.
    """
    if split not in (None, *source.splits):
        raise GraphKDError(f"{source.name} has no split '{split}': choose {' or '.join(source.splits)}")
    data = source.read(replace(location, directed=directed))
    if task == LINK:
        return _unsplit(data, source, split, directed)
    if task or source.task:
        data.task = task or source.task
    split = split or _default_split(source, data)
    if split == "masks" and not hasattr(data, "train_mask"):
        raise GraphKDError(f"{location.path} holds no masks: add a column split, or use dataset.split=fractions")
    if split in PER_CLASS and hasattr(data, "y"):
        check_stratified(data, split)
    _make_undirected(data, source, directed)
    data = SPLITS[split](data, seed)
    if hasattr(data, "y"):
        chosen = task_of(data)
        data.metric = source.metric if source.metric in chosen.metrics else chosen.metrics[0]
    return data, split


def _unsplit(data: Data, source: Source, split: str | None, directed: bool) -> tuple[Data, str]:
    """Returns a graph whose edges are split later: of ``cpf`` the largest component, else all nodes."""
    _make_undirected(data, source, directed)
    return (largest_component(data), "component") if split == "cpf" else (data, "edges")


def _make_undirected(data: Data, source: Source, directed: bool) -> None:
    """Adds the reverse of every edge where it is asked for; edges in mapped files have both directions already."""
    if not directed and not source.undirected and "mapped" not in data:
        make_undirected(data)


def _default_split(source: Source, data: Data) -> str:
    return next(name for name in source.splits if name != "masks" or hasattr(data, "train_mask"))


def _stored(data: Data, seed: int) -> Data:
    """Selects the stored masks; of ``S`` stored splits ``[N, S]``, column ``seed mod S``."""
    for name in MASKS:
        mask = data[name]
        data[name] = mask if mask.dim() == 1 else mask[:, seed % mask.shape[1]]
    return data


def _draw(split: Callable[[Tensor, int], Masks], data: Data, seed: int) -> Data:
    data.train_mask, data.val_mask, data.test_mask = split(strata(data), seed)
    return data


def _cpf(data: Data, seed: int) -> Data:
    return _draw(cpf_split, largest_component(data), seed)


SPLITS: dict[str, Callable[[Data, int], Data]] = {
    "public": _stored,
    "ogb": _stored,
    "masks": _stored,
    "random": partial(_draw, random_split),
    "cpf": _cpf,
    "fractions": partial(_draw, fractions_split),
}
"""Functions by name: data without masks, or with stored ones, and a seed → data with the split's masks."""

PER_CLASS = ("random", "cpf")
"""Splits that need classes."""


def locate(
    data_dir: str | os.PathLike[str],
    cache_dir: str | os.PathLike[str] | None,
    download: str,
    path: str | os.PathLike[str] | None = None,
    scale: float = 1.0,
    columns: str | Mapping[str, str] = "none",
    task: str | None = None,
) -> Location:
    """Builds a ``Location`` from the user's folders, a scale, kinds of columns and a task; ``~`` is expanded."""
    if download not in ("ask", "yes", "never"):
        raise GraphKDError(f"download is '{download}': choose ask, yes or never")
    cache = default_cache_dir() if cache_dir is None else as_path(cache_dir, "cache_dir")
    custom_path = None if path is None else as_path(path, "dataset.path")
    return Location(as_path(data_dir, "data_dir"), cache.expanduser(), download, custom_path, scale, columns, task)
