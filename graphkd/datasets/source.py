"""Descriptions of built-in data sets and of the location of their files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch_geometric.data import Data


@dataclass(frozen=True)
class Location:
    """Folders for reading and caching files, and options of loading.

    Args:
        data_dir: the user's folder; read-only.
        cache_dir: cache folder for downloads.
        download: ``ask`` (on a terminal only), ``yes`` or ``never``.
        path: folder of a custom graph; read-only, used only by ``custom``.
        scale: fraction of the nodes of a synthetic data set.
        columns: of ``custom``: ``none`` if the columns of a table are numbers that stay as they are, else they are
            returned raw, and are encoded once the training nodes are known.
        task: of the labels of ``custom``; by default what they can only be of.
        directed: whether edges stay directed, for ``custom`` that reads them out of core; others add the reverse
            of each edge later.

    >>> Location(Path("data"), cache_dir=Path("cache"), download="never").scale
    1.0
    """

    data_dir: Path
    cache_dir: Path
    download: str = "ask"
    path: Path | None = None
    scale: float = 1.0
    columns: str | Mapping[str, str] = "none"
    task: str | None = None
    directed: bool = False


@dataclass(frozen=True)
class RawFiles:
    """The raw files of a data set.

    Args:
        folder: in ``data_dir`` or the cache, such as ``Planetoid/Cora/raw``.
        files: their names.
        home: their web site, if graphkd cannot download them.
    """

    folder: str
    files: tuple[str, ...]
    home: str = ""


@dataclass(frozen=True)
class Source:
    """A built-in data set.

    Args:
        name: as on the command line.
        paper: source of the data.
        splits: available splits, the default one first; ``masks`` only if the files contain them.
        row_normalize: whether its protocol row-normalises the features.
        read: location → ``Data`` with ``x``, ``edge_index``, ``y``, and masks for ``public``, ``ogb`` and
            ``masks``: ``[N]``, or ``[N, S]`` for ``S`` stored splits.
        metric: of its scores, one of its task's; by default the task's first.
        raw: files that ``read`` requires; ``None`` if it needs none, or if the user specifies them.
        undirected: whether ``read`` returns both directions of every edge, so that none has to be added.
        scaled: whether it is synthetic and supports any ``dataset.scale``.
        task: of its labels; by default what they can only be of.

    >>> from graphkd.datasets import cora
    >>> cora.splits, cora.row_normalize
    (('public', 'random', 'cpf', 'fractions'), True)
    """

    name: str
    paper: str
    splits: tuple[str, ...]
    row_normalize: bool
    read: Callable[[Location], Data]
    metric: str | None = None
    raw: RawFiles | None = None
    undirected: bool = False
    scaled: bool = False
    task: str | None = None
