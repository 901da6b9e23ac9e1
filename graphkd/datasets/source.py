"""What a built-in data set states about itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch_geometric.data import Data


@dataclass(frozen=True)
class Location:
    """Where files may be found and put.

    Args:
        data_dir: the user's folder; only ever read.
        cache_dir: ours; downloads go here.
        download: ``ask`` (only where somebody can answer), ``yes`` or ``never``.
        path: folder of a user's own graph; only read, and only by ``custom``.
        scale: share of its nodes that a data set which is drawn is drawn with.
    """

    data_dir: Path
    cache_dir: Path
    download: str = "ask"
    path: Path | None = None
    scale: float = 1.0


@dataclass(frozen=True)
class RawFiles:
    """The files that a data set is read from.

    Args:
        folder: in ``data_dir`` or the cache, such as ``Planetoid/Cora/raw``.
        files: their names.
        home: where a user finds them, if they cannot be downloaded by us.
    """

    folder: str
    files: tuple[str, ...]
    home: str = ""


@dataclass(frozen=True)
class Source:
    """A built-in data set.

    Args:
        name: as on the command line.
        paper: whose data it is.
        splits: those it can be had with, the default one first; ``masks`` only where the files have them.
        row_normalize: whether its protocol row-normalises the features.
        read: location → ``Data`` with ``x``, ``edge_index``, ``y``, and masks for ``public``, ``ogb`` and
            ``masks``: ``[N]``, or ``[N, S]`` where there are ``S`` stored splits.
        metric: by which it is scored, one of ``graphkd.evaluation.METRICS``.
        raw: its files, as ``read`` looks for them; nothing where it needs none, or a user names them.
        undirected: whether ``read`` lists both directions of every edge, so that none has to be looked for.
        scaled: whether it is drawn, at any ``dataset.scale``.
    """

    name: str
    paper: str
    splits: tuple[str, ...]
    row_normalize: bool
    read: Callable[[Location], Data]
    metric: str = "accuracy"
    raw: RawFiles | None = None
    undirected: bool = False
    scaled: bool = False
