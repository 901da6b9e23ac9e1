"""The result: a graph in memory-mapped files, and the card that says what it was made of."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from graphkd.atomic_io import read_json, whole_file
from graphkd.errors import GraphKDError
from graphkd.ingest.csr import MappedCSR, mapped_edge_index, write_edge_index
from graphkd.sparse import Adjacency

CARD = "card.json"

EDGE_INDEX = "edge_index.npy"


@dataclass(frozen=True)
class MappedGraph:
    """A graph without duplicate edges in memory-mapped files, the same as the reader of ``edges.parquet`` makes.

    Args:
        folder: of the files.
        num_nodes: ``N``.
        num_edges: directed edges, ``E'``.
        directed: whether edges stay directed; otherwise both directions of each are there.
        weighted: whether edges have weights.

    >>> MappedGraph.open(Path("no-such-folder"))
    Traceback (most recent call last):
    ...
    graphkd.errors.GraphKDError: no-such-folder is not a graph in mapped files: it holds no card.json
    """

    folder: Path
    num_nodes: int
    num_edges: int
    directed: bool
    weighted: bool

    @classmethod
    def open(cls, folder: Path, made_of: dict[str, Any] | None = None) -> MappedGraph:
        """Opens the files of ``graphkd.ingest.ingest_folder``.

        Args:
            folder: of the files.
            made_of: what they must have been made of, see ``made_of``; ``None`` for anything.

        Raises:
            GraphKDError: there are none, they were made of something else, or one is cut off.
        """
        card = read_json(folder / CARD, "a graph in mapped files")
        if made_of is not None and card.get("made_of") != made_of:
            raise GraphKDError(f"{folder} was made of other tables: make it again")
        try:
            files = dict(card["files"])
            graph = cls(folder, *(card[key] for key in ("num_nodes", "num_edges", "directed", "weighted")))
        except (KeyError, TypeError, ValueError):
            raise GraphKDError(
                f"{folder / CARD} is not of a graph in mapped files: make the folder again"
            ) from None
        for name, size in files.items():
            if not (folder / name).is_file() or (folder / name).stat().st_size != size:
                raise GraphKDError(f"{folder / name} is missing or cut off: make the folder again")
        return graph

    @functools.cached_property
    def outgoing(self) -> MappedCSR:
        """The matrix whose rows are senders, in the order of ``edge_index``."""
        return MappedCSR.open(self.folder, "outgoing", self.weighted)

    @functools.cached_property
    def incoming(self) -> MappedCSR:
        """The matrix whose rows are receivers; the same files if edges go both ways."""
        return MappedCSR.open(self.folder, "incoming", self.weighted) if self.directed else self.outgoing

    @functools.cached_property
    def edge_index(self) -> Tensor:
        """``[2, E']`` int64, senders first, sorted; a file that is made when it is first asked for."""
        path = self.folder / EDGE_INDEX
        if not path.is_file() or path.stat().st_size < 16 * self.num_edges:
            with whole_file(path) as draft:
                write_edge_index(draft, self.outgoing)
        return mapped_edge_index(path)

    @property
    def edge_weight(self) -> Tensor | None:
        """``[E']`` float32, or ``None``."""
        return self.outgoing.weight

    def adjacency(self) -> Adjacency:
        """Returns the adjacency matrix, whose structure stays in the files: nothing is sorted again."""
        matrix = self.incoming.matrix()
        transpose = self.outgoing.matrix() if self.directed else matrix
        return Adjacency.of(matrix.with_transpose(transpose), self.weighted)


def card_of(folder: Path, graph: dict[str, Any]) -> dict[str, Any]:
    """Returns what ``card.json`` holds of a graph: ``graph`` and the sizes of its files."""
    files = {file.name: file.stat().st_size for file in sorted(folder.glob("*.npy"))}
    return {"schema_version": 1, **graph, "files": files}


def byte_order() -> str:
    """Returns the machine's byte order, in which the files are."""
    return np.dtype(np.int64).newbyteorder("=").str
